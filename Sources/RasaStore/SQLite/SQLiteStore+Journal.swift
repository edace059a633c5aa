package import RasaCore
package import RasaEngine
import RasaLearning
import RasaSQLite
import RasaSystem

extension SQLiteStore {
  package func open(_ run: RunRecord, _ entries: [JournalEntry]) {
    let lines = OwnedLines(
      run: run.id.text, epoch: Self.firstEpoch, lines: entries.map(JournalLine.init))
    let input = StoredText(run.input)
    let began = ContinuousClock.now
    let (leases, leaseEnds) = (leases, leases.leaseEnds)
    leases.own(run.id.text, epoch: Self.firstEpoch, since: began)
    writer.deferred(run.id.text) { database in
      let worker = try leases.number(in: database, leaseEnds: leaseEnds)
      let number = try database.insert(run, input: input, epoch: Self.firstEpoch, worker: worker)
      database.begin(
        run.id.text, at: RunEnd(number: number, epoch: Self.firstEpoch, lines: 0))
      try database.insert(lines)
      // In the same transaction: whenever the process is killed, either both are there or neither.
      if let decision = run.decision { try database.keep(decision, run: run.id) }
    }
  }

  private static let firstEpoch: Int64 = 1

  package func claim(_ run: Identifier) async throws -> RunHistory {
    let now = time.now()
    let began = ContinuousClock.now
    let (leases, leaseEnds) = (leases, leases.leaseEnds)
    // Lines that were deferred in an earlier epoch may no longer be written.
    let (history, epoch) = try await writer.write(discarding: [run.text], isFollowed: true) {
      database in
      let listing = try database.listing(of: run, now: now)
      guard let listing else { throw try database.unknownRun(run.text) }
      if listing.record.status == .done { throw Failure.hasEnded(run.text) }
      let before = try database.end(of: run.text)?.epoch
      let isLeaving = try leases.isLeaving(run.text) && leases.epoch(of: run.text) == before
      if listing.isAlive, !isLeaving {
        throw Failure.isBeingRun(run.text, by: listing.owner ?? "")
      }
      let entries = try database.journal(of: run)?.whole() ?? []
      let epoch = (before ?? 0) + 1
      let worker = try leases.number(in: database, leaseEnds: leaseEnds)
      try database.own(run.text, epoch: epoch, worker: worker)
      var record = listing.record
      record.status = .running
      faultPoint("claim.before")
      return (RunHistory(record: record, entries: entries), epoch)
    }
    faultPoint("claim.after")
    leases.own(run.text, epoch: epoch, since: began)
    return history
  }

  package func record(_ entries: [JournalEntry]) {
    for (run, entries) in entries.byRun {
      // If the run is not owned, the next durable call fails and reports it.
      guard let owned = try? leases.owned(entries) else { continue }
      writer.deferred(run) { try $0.insert(owned) }
    }
  }

  package func append(_ entries: [JournalEntry]) async throws {
    try await write(about: entries) { _ in faultPoint("append.before") }
    faultPoint("append.after")
  }

  package func close(
    _ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]
  ) async throws {
    let epoch = try leases.epoch(of: run.text)
    let turn = ending.turn.map(StoredTurn.init)
    let facts = ending.facts.map(StoredFact.init)
    let now = time.now()
    let learnt = leases.ownsOnly(run.text) ? observations.takeAll(at: now) : []
    do {
      try await write(about: entries, and: run.text) { database in
        let end = try database.ownedEnd(of: run.text, epoch: epoch)
        let status = try database.end(end.number, ending.status, now: now)
        if let facts = ending.performance, let status = RunPerformance.Status(status) {
          try database.keepPerformance(of: run, status, facts, now: now)
        }
        func key(_ session: SessionID) throws -> String {
          if let key = try database.key(of: session) { return key }
          return try database.key(
            using: session, persona: try database.persona(of: end.number), at: now)
        }
        let persona = try database.persona(of: end.number)
        if let turn {
          let key = try key(turn.turn.session)
          try database.keep(
            turn, in: key, persona: persona, scope: ending.scope, trust: ending.trust)
        }
        for note in ending.notes {
          try database.keep(
            note, in: try key(note.session), persona: persona, scope: ending.scope,
            trust: ending.trust)
        }
        for session in Set(ending.notes.map(\.session)) {
          try database.pruneNotes(of: try key(session), now: now)
        }
        for fact in facts { _ = try database.add(fact) }
        try database.note(learnt)
        faultPoint("close.before")
      }
    } catch {
      observations.putBack(learnt)
      // This process no longer runs it, whatever the file says.
      leases.leave(run.text, epoch: epoch)
      throw error
    }
    faultPoint("close.after")
    leases.forget(run.text, epoch: epoch)
  }

  package func journal(of run: Identifier, after line: Int) async throws -> JournalReading {
    let read: @Sendable (Database) throws -> JournalReading = { database in
      try database.journal(of: run, after: line) ?? JournalReading(entries: [])
    }
    guard leases.isOwned(run.text) else { return try await self.read(read) }
    do {
      // An empty write, because the result has to include what is deferred.
      return try await writer.write(after: [run.text], read)
    } catch  where leases.isLeaving(run.text) {
      // Another process may have it by now, and what is deferred cannot be written anyway.
      return try await self.read(read)
    }
  }

  /// Writes the entries and what `body` writes, if this store still owns all of the runs.
  func write<Result: Sendable>(
    about entries: [JournalEntry], and run: String? = nil,
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    let owned = try leases.owned(entries)
    var runs = owned.map(\.run)
    if let run, !runs.contains(run) { runs.insert(run, at: 0) }
    return try await writer.write(after: runs) { database in
      try database.insert(owned)
      return try body(database)
    }
  }
}

extension Database {
  /// The number of the new run, which the worker owns from the start.
  fileprivate func insert(
    _ run: RunRecord, input: StoredText, epoch: Int64, worker: Int64
  ) throws -> Int64 {
    let startedAt = SQLValue.integer(run.startedAt.milliseconds)
    let session = try run.session.map { name in
      try key(using: SessionID(name, of: run.user), persona: run.persona, at: run.startedAt)
    }
    try self.run(
      """
      INSERT OR IGNORE INTO runs (id, session, persona, persona_digest, user, input, started_at,
        status, fork_of, changed_at, epoch, worker)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'running', ?, ?, ?, ?)
      """,
      .text(run.id.text), .text(orNull: session), .integer(try word(run.persona)),
      .integer(try word(run.personaDigest)), .integer(try name(run.user)), try keep(input),
      startedAt, .text(orNull: run.forkOf?.text), startedAt, .integer(epoch), .integer(worker))
    guard changes == 1 else { throw Failure.knownRun(run.id.text) }
    return lastInsertedRow
  }

  fileprivate func own(_ run: String, epoch: Int64, worker: Int64) throws {
    try self.run(
      "UPDATE runs SET status = 'running', epoch = ?, worker = ?, cancel_asked = NULL WHERE id = ?",
      .integer(epoch), .integer(worker), .text(run))
  }

  fileprivate func persona(of run: Int64) throws -> String {
    try first(
      "SELECT words.text FROM runs JOIN words ON words.number = persona WHERE runs.number = ?",
      .integer(run)
    ) { $0.text(0) } ?? ""
  }

  /// Ends and releases the run, and returns the status that it has now. Questions of a run that is not parked are
  /// withdrawn.
  fileprivate func end(
    _ run: Int64, _ status: RunRecord.Status, now: Timestamp
  ) throws -> RunRecord.Status {
    let kept = try rows(
      """
      UPDATE runs SET worker = NULL, cancel_asked = NULL,
        status = iif(?1 = 'parked' AND cancel_asked IS NOT NULL, 'cancelled', ?1)
      WHERE number = ?2 RETURNING status
      """, .text(status.rawValue), .integer(run)
    ) { $0.text(0) }.first
    let status = kept.flatMap { RunRecord.Status(rawValue: $0) } ?? status
    if status != .parked { try withdrawApprovals(of: run, now: now) }
    return status
  }
}
