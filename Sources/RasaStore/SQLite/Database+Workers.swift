import RasaCore
import RasaEngine
import RasaSQLite

/// This store as others see it: one row, with one lease for all of its runs.
struct Worker: Sendable {
  /// Unique to this opening of the store.
  var id: String
  /// The process, as `ProcessIdentity` writes it.
  var name: String
}

/// A run of a worker, as its row has it.
struct OwnedRun {
  var id: String
  var epoch: Int64
  var isToCancel: Bool
}

extension Database {
  /// The number of the worker's row, which is created if necessary, with a lease until then.
  func number(of worker: Worker, leaseEnds: Timestamp) throws -> Int64 {
    let number = try first(
      """
      INSERT INTO workers (id, name, lease_ends) VALUES (?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET lease_ends = excluded.lease_ends RETURNING number
      """, .text(worker.id), .text(worker.name), .integer(leaseEnds.milliseconds)
    ) { $0.integer(0) }
    return number ?? 0
  }

  /// Deletes the rows of workers that own no run and whose lease has ended.
  func forgetIdleWorkers(now: Timestamp) throws {
    try run(
      """
      DELETE FROM workers WHERE lease_ends < ?
        AND NOT EXISTS (SELECT 1 FROM runs WHERE worker = workers.number)
      """, .integer(now.milliseconds))
  }

  /// Renews the lease for all runs of the worker with one statement.
  func renewLease(of worker: Worker, to end: Timestamp) throws {
    try run(
      "UPDATE workers SET lease_ends = ? WHERE id = ?", .integer(end.milliseconds),
      .text(worker.id))
  }

  /// The runs of the worker, and which of them are to be cancelled, with one query.
  func runs(of worker: Worker) throws -> [OwnedRun] {
    try rows(
      """
      SELECT runs.id, epoch, cancel_asked IS NOT NULL FROM runs
      WHERE worker = (SELECT number FROM workers WHERE id = ?)
      """, .text(worker.id)
    ) { OwnedRun(id: $0.text(0), epoch: $0.integer(1), isToCancel: $0.integer(2) != 0) }
  }

  /// Releases a run if the worker still owns it in that epoch.
  func letGo(of run: String, epoch: Int64, by worker: Worker) throws {
    try self.run(
      """
      UPDATE runs SET worker = NULL
      WHERE id = ? AND epoch = ? AND worker = (SELECT number FROM workers WHERE id = ?)
      """, .text(run), .integer(epoch), .text(worker.id))
  }
}
