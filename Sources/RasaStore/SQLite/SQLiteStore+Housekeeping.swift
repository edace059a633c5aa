package import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  /// Deletes a session with its turns, notes, runs and their journals. What was spent stays in the
  /// ledger, and what was remembered in the memories. False when there is no such session.
  package func deleteSession(_ id: String) async throws -> Bool {
    let now = time.now()
    return try await erase { database in
      let session = SQLValue.text(id)
      let runs = try database.rows("SELECT id FROM runs WHERE session = ?", session) { $0.text(0) }
      for run in runs { try database.refuseLiving(run, now: now) }
      try database.run("DELETE FROM turns WHERE session = ?", session)
      try database.run("DELETE FROM notes WHERE session = ?", session)
      try database.run("DELETE FROM sessions WHERE id = ?", session)
      let sessions = database.changes
      _ = try database.delete(runs, now: now)
      return runs.count + sessions > 0
    }
  }

  /// Deletes a run with its journal and its questions. What was spent stays in the ledger, what was
  /// remembered in the memories, and what was said in the conversation. Throws for a run that a
  /// process is at work on; false when there is no such run.
  package func deleteRun(_ id: Identifier) async throws -> Bool {
    let now = time.now()
    return try await erase { database in
      guard try database.end(of: id.text) != nil else { return false }
      try database.refuseLiving(id.text, now: now)
      _ = try database.delete([id.text], now: now)
      return true
    }
  }

  /// Deletes the runs that have not changed since then and have one of the statuses. A dry run only
  /// says what would go.
  package func pruneRuns(
    endedBefore time: Timestamp, statuses: Set<RunRecord.Status> = [.done, .failed, .cancelled],
    dryRun: Bool = false
  ) async throws -> PruneReport {
    let now = self.time.now()
    let wanted = Set(statuses.map(\.rawValue))
    let body: @Sendable (Database) throws -> PruneReport = { database in
      let old = try database.rows(
        "SELECT id, status FROM runs WHERE changed_at < ? ORDER BY number",
        .integer(time.milliseconds)
      ) { (id: $0.text(0), status: $0.text(1)) }
      let runs = try old.filter { wanted.contains($0.status) }.map(\.id).filter { run in
        try database.listing(of: Identifier(run), now: now)?.isAlive == false
      }
      let bytes = runs.isEmpty ? 0 : try database.delete(runs, now: now)
      return PruneReport(runs: runs.map(Identifier.init), bytes: bytes)
    }
    if !dryRun { return try await erase(body) }
    return try await writer.write { database in
      var report = PruneReport(runs: [], bytes: 0)
      do {
        try database.savepoint {
          report = try body(database)
          throw DryRun()
        }
      } catch is DryRun {}
      return report
    }
  }
}

/// Takes back what was done to see what it would be.
private struct DryRun: Error {}

extension Database {
  fileprivate func refuseLiving(_ run: String, now: Timestamp) throws {
    guard let listing = try listing(of: Identifier(run), now: now), listing.isAlive else { return }
    throw Failure.isBeingRun(run, by: listing.owner ?? "")
  }

  /// Deletes runs and what only they have said; answers how many bytes that was.
  fileprivate func delete(_ runs: [String], now: Timestamp) throws -> Int {
    for run in runs {
      guard let end = try end(of: run) else { continue }
      let number = SQLValue.integer(end.number)
      try withdrawApprovals(of: end.number, now: now)
      try self.run("DELETE FROM approvals WHERE run = ?", number)
      try self.run("DELETE FROM runs WHERE number = ?", number)
    }
    let without = "FROM lines WHERE run NOT IN (SELECT number FROM runs)"
    let bytes = try first("SELECT sum(24 + coalesce(length(body), 0)) \(without)") { $0.integer(0) }
    try run("DELETE \(without)")
    return Int(bytes ?? 0) + (try deleteUnusedBodies())
  }

  /// Deletes the bodies that nothing refers to any more: not a line, a turn, a run or a question,
  /// and no body that one of these needs. References are found by looking at everything that may
  /// hold one: deleting is rare, and counting them would make every line dearer.
  private func deleteUnusedBodies() throws -> Int {
    var used: Set<Int64> = []
    var unseen: [Int64] = []
    func use(_ number: Int64) {
      if used.insert(number).inserted { unseen.append(number) }
    }
    for query in [
      "SELECT body FROM lines WHERE typeof(body) = 'integer'",
      "SELECT input FROM turns WHERE typeof(input) = 'integer'",
      "SELECT output FROM turns WHERE typeof(output) = 'integer'",
      "SELECT input FROM runs WHERE typeof(input) = 'integer'", "SELECT question FROM approvals",
      "SELECT answer FROM approvals WHERE answer IS NOT NULL",
    ] {
      for number in try rows(query, transform: { $0.integer(0) }) { use(number) }
    }
    // What cannot be read refers to nothing that could be read.
    let parts = try rows(
      "SELECT body FROM lines WHERE typeof(body) = 'blob' AND seal IS NOT NULL"
    ) { (try? ContentReader.references(in: $0.bytes(0))) ?? [] }
    for number in parts.joined() { use(number) }
    while let number = unseen.popLast() {
      let content = try first(
        "SELECT bytes FROM bodies WHERE number = ? AND typeof(digest) = 'blob'", .integer(number)
      ) { $0.bytes(0) }
      let parts = try? ContentReader.references(in: ContentReader.expanded(content ?? []))
      for part in parts ?? [] { use(part) }
    }
    var bytes = 0
    let all = try rows("SELECT number, length(bytes) FROM bodies") {
      (number: $0.integer(0), bytes: Int($0.integer(1)))
    }
    for body in all where !used.contains(body.number) {
      try run("DELETE FROM bodies WHERE number = ?", .integer(body.number))
      bytes += body.bytes
    }
    return bytes
  }
}
