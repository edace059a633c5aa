package import RasaCore
package import RasaEngine
import RasaSQLite
import RasaSystem

/// Deleting. The first transaction makes deleted runs disappear for everyone. Their lines, and the texts that only they
/// refer to, follow in many small ones, so that no writer waits for long. If the process ends before it is done,
/// the next deletion finishes the job.
extension SQLiteStore {
  package func deleteSession(_ session: SessionID) async throws -> Bool {
    let now = time.now()
    let isKnown = try await writer.write { database in
      guard let key = try database.key(of: session) else { return false }
      let runs = try database.rows("SELECT id FROM runs WHERE session = ?", .text(key)) {
        $0.text(0)
      }
      for run in runs { try database.refuseLiving(run, now: now) }
      try database.deleteItems(ofSession: key)
      try database.run("DELETE FROM sessions WHERE key = ?", .text(key))
      for run in runs { try database.takeOut(run, now: now) }
      // Its runs may have been deleted before, and its turns refer to bodies as well.
      try database.noteDeletion()
      return true
    }
    guard isKnown else { return false }
    try await finishErasing("the session `\(session.name)` is deleted") { try await $0.erase() }
    return true
  }

  package func deleteRuns(_ ids: [Identifier]) async throws -> [Identifier] {
    let now = time.now()
    let deleted = try await writer.write { database in
      let known = try ids.filter { try database.end(of: $0.text) != nil }
      for id in known { try database.refuseLiving(id.text, now: now) }
      for id in known { try database.takeOut(id.text, now: now) }
      return known
    }
    guard let first = deleted.first else { return [] }
    let what = deleted.count == 1 ? "\(first.text) is" : "\(deleted.count) runs are"
    try await finishErasing("\(what) deleted") { try await $0.erase() }
    return deleted
  }

  /// What people have decided about other users' runs, and what they changed in the accounts, is part of those records and
  /// stays.
  package func forgetUser(_ user: String) async throws -> ForgottenItems {
    let now = time.now()
    let forgotten = try await writer.write { database -> ForgottenItems in
      let number = try database.first("SELECT number FROM words WHERE text = ?", .text(user)) {
        $0.integer(0)
      }
      try database.run(
        "DELETE FROM grants WHERE session IN (SELECT key FROM sessions WHERE user = ?)",
        .text(user))
      try database.run("DELETE FROM sessions WHERE user = ?", .text(user))
      guard let number else { return ForgottenItems() }
      let runs = try database.rows("SELECT id FROM runs WHERE user = ?", .integer(number)) {
        $0.text(0)
      }
      for run in runs { try database.refuseLiving(run, now: now) }
      try database.run(
        """
        DELETE FROM audits WHERE subject IN (
          SELECT approvals.id FROM approvals JOIN runs ON runs.number = approvals.run
            WHERE runs.user = ?1
          UNION ALL
          SELECT grants.id FROM grants JOIN runs ON runs.number = grants.run WHERE runs.user = ?1)
        """, .integer(number))
      let questions = try database.rows(
        """
        SELECT approvals.id FROM approvals JOIN runs ON runs.number = approvals.run
        WHERE runs.user = ?1
        """, .integer(number)
      ) { $0.text(0) }
      for run in runs { try database.takeOut(run, now: now) }
      // Those that were pending have been withdrawn just now.
      for question in questions {
        try database.run("DELETE FROM audits WHERE subject = ?", .text(question))
      }
      try database.forgetPerformance(ofUser: number)
      var forgotten = ForgottenItems(runs: runs.count)
      _ = try database.rows(
        "SELECT kind, count(*) FROM items WHERE user = ? GROUP BY kind", .integer(number)
      ) { row in
        let count = Int(clamping: row.integer(1))
        switch MemoryItem.Kind(column: row.integer(0)) {
        case .turn: forgotten.turns = count
        case .note: forgotten.notes = count
        case .fact: forgotten.facts = count
        }
      }
      try database.deleteShelves(ofUser: number)
      try database.run("DELETE FROM vector_progress WHERE user = ?", .integer(number))
      // Somebody of that name may come back before the last of it is deleted.
      try database.run(
        """
        INSERT INTO deletions (run, next, lines, user)
        VALUES (0, NULL, (SELECT coalesce(max(id), 0) FROM items), ?)
        """, .integer(number))
      faultPoint("forget.before")
      return forgotten
    }
    faultPoint("forget.after")
    try await finishErasing("the user `\(user)` is forgotten") { try await $0.erase() }
    return forgotten
  }

  package func hasUnfinishedDeletions() async throws -> Bool {
    try await read { database in
      try database.first("SELECT 1 FROM deletions LIMIT 1") { _ in true } != nil
    }
  }

  package func pruneRuns(
    endedBefore time: Timestamp, statuses: Set<RunRecord.Status>, dryRun: Bool
  ) async throws -> PruneReport {
    let now = self.time.now()
    let wanted = Set(statuses.map(\.rawValue))
    let isOld: @Sendable (Database, String) throws -> Bool = { database, run in
      guard let listing = try database.listing(of: Identifier(run), now: now) else { return false }
      return listing.changedAt < time && wanted.contains(listing.record.status.rawValue)
        && !listing.isAlive
    }
    let old = try await writer.read { database in
      try database.rows(
        "SELECT id, status FROM runs WHERE changed_at < ? ORDER BY number",
        .integer(time.milliseconds)
      ) { (id: $0.text(0), status: $0.text(1)) }
      .filter { wanted.contains($0.status) }.map(\.id)
    }
    let eraser = Eraser(self)
    if dryRun {
      var runs: [String] = []
      for part in old.parts(of: slices.runs) {
        runs += try await writer.read { database in try part.filter { try isOld(database, $0) } }
      }
      return PruneReport(
        runs: runs.map { Identifier($0) }, bytes: try await eraser.bytes(without: runs))
    }
    var gone: [String] = []
    for part in old.parts(of: slices.runs) {
      // One of them may have been resumed meanwhile.
      gone += try await writer.write { database in
        let runs = try part.filter { try isOld(database, $0) }
        for run in runs { try database.takeOut(run, now: now) }
        return runs
      }
    }
    let what = gone.count == 1 ? "1 run is" : "\(gone.count) runs are"
    let bytes = try await finishErasing("\(what) deleted") { try await $0.erase() }
    return PruneReport(runs: gone.map { Identifier($0) }, bytes: bytes)
  }

  /// Erases what was deleted from the files, or says that it may still be there.
  @discardableResult
  func finishErasing<Result: Sendable>(
    _ what: String, _ body: (Eraser) async throws -> Result
  ) async throws -> Result {
    do {
      return try await body(Eraser(self))
    } catch {
      var failure =
        error as? Failure
        ?? (error is CancellationError
          ? Failure(.cancelled, "it was interrupted") : Failure(.storage, "\(error)"))
      failure.message =
        "\(what), but its text may still stand in the files of \(path): \(failure.message)"
      failure.suggestion =
        (failure.suggestion.isEmpty ? "" : "\(failure.suggestion); ")
        + "`rasa runs prune` then finishes the job"
      throw failure
    }
  }
}

/// How much is deleted in one transaction, and how long to wait for others.
struct DeletionSlices: Sendable {
  var runs = 100
  var lines = 500
  var bodies = 200
  var items = 1_000
  /// Rows of the index of words.
  var terms = 5_000
  /// How long to try to empty the log.
  var patience: Duration = .seconds(10)
}

extension Array {
  fileprivate func parts(of count: Int) -> [[Element]] {
    stride(from: 0, to: self.count, by: count).map {
      Array(self[$0..<Swift.min(self.count, $0 + count)])
    }
  }
}

extension Database {
  fileprivate func refuseLiving(_ run: String, now: Timestamp) throws {
    guard let listing = try listing(of: Identifier(run), now: now), listing.isAlive else { return }
    throw Failure.isBeingRun(run, by: listing.owner ?? "")
  }

  private func isAlive(_ run: String, now: Timestamp) throws -> Bool {
    try listing(of: Identifier(run), now: now)?.isAlive ?? false
  }

  /// Deletes what is kept for one conversation, and all of its turns and notes. Its other facts stay.
  fileprivate func deleteItems(ofSession key: String) throws {
    let items = try rows(
      "SELECT id, kind FROM items WHERE session = ? AND (kind < 2 OR scope = 2)", .text(key)
    ) { (id: $0.integer(0), kind: MemoryItem.Kind(column: $0.integer(1))) }
    for item in items {
      if item.kind == .fact { try deleteFact(item.id) } else { try deleteItem(item.id) }
    }
    // Another session may get that key.
    try run("UPDATE items SET session = NULL WHERE session = ?", .text(key))
  }

  /// Removes a run for everyone, and records what is left of it to delete.
  func takeOut(_ run: String, now: Timestamp) throws {
    guard let end = try end(of: run) else { return }
    let number = SQLValue.integer(end.number)
    // They hold the task and the answer. One that is being run is deleted when it ends, by whoever runs it.
    for judging in try evaluationRuns(of: run) where try !isAlive(judging, now: now) {
      try takeOut(judging, now: now)
    }
    try forgetWords(aboutRun: run)
    try withdrawApprovals(of: end.number, now: now)
    try self.run(
      "INSERT INTO deletions (run, next, lines) VALUES (?, ?, ?)", number,
      end.last.map { .integer($0) } ?? .null, .integer(end.lines))
    try self.run(
      "DELETE FROM votes WHERE approval IN (SELECT id FROM approvals WHERE run = ?)", number)
    try self.run("DELETE FROM grants WHERE run = ?", number)
    try self.run("DELETE FROM approvals WHERE run = ?", number)
    try self.run("DELETE FROM runs WHERE number = ?", number)
  }
}
