package import RasaCore
import RasaDocuments
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func open(_ run: RunRecord, _ entries: [JournalEntry]) {
    let lines = entries.map(JournalLine.init)
    writer.deferred(run.id.text) { database in
      try database.insert(run)
      try database.insert(lines)
    }
  }

  package func record(_ entries: [JournalEntry]) {
    for (run, entries) in entries.byRun {
      let lines = entries.map(JournalLine.init)
      writer.deferred(run) { try $0.insert(lines) }
    }
  }

  package func append(_ entries: [JournalEntry]) async throws {
    let lines = entries.map(JournalLine.init)
    try await writer.write(after: entries.runs) { try $0.insert(lines) }
  }

  package func close(
    _ run: Identifier, status: RunRecord.Status, turn: SessionTurn?, notes: [WorkingNote],
    _ entries: [JournalEntry]
  ) async throws {
    let lines = entries.map(JournalLine.init)
    let now = time.now()
    let runs = entries.runs.contains(run.text) ? entries.runs : [run.text] + entries.runs
    try await writer.write(after: runs) { database in
      try database.insert(lines)
      try database.run(
        "UPDATE runs SET status = ? WHERE id = ?", .text(status.rawValue), .text(run.text))
      guard database.changes == 1 else { throw Failure.unknownRun(run.text) }
      if let turn { try database.insert(turn) }
      for note in notes { try database.insert(note) }
      for session in Set(notes.map(\.session)) {
        try database.pruneNotes(of: session, now: now)
      }
    }
  }

  package func entries(of run: Identifier) async throws -> [JournalEntry] {
    // A write of nothing: what is deferred belongs to the answer.
    let lines = try await writer.write(after: [run.text]) { database in
      try database.rows(
        """
        SELECT time, kind, key, coalesce(short_body, bytes)
        FROM events LEFT JOIN bodies ON bodies.number = events.body
        WHERE run = (SELECT number FROM runs WHERE id = ?) ORDER BY sequence
        """, .text(run.text)
      ) { row in
        JournalLine(
          run: run.text, time: row.integer(0), kind: row.text(1), key: row.textOrNil(2),
          body: row.bytes(3))
      }
    }
    return try lines.map { try $0.entry() }
  }
}

/// An entry as the file has it: encoded by who writes it and decoded by who reads it, so that the
/// writer's thread does nothing but write.
struct JournalLine: Sendable {
  /// Shorter bodies stand in the line itself; longer ones are kept once by their digest.
  private static let shortest = 512
  /// What was written may be read.
  private static let limits = JSONLimits(depth: 500, bytes: .max)

  var run: String
  var time: Int64
  var kind: String
  var key: String?
  var body: [UInt8]
  var digest: String?

  init(run: String, time: Int64, kind: String, key: String?, body: [UInt8]) {
    self.run = run
    self.time = time
    self.kind = kind
    self.key = key
    self.body = body
  }

  init(_ entry: JournalEntry) {
    self.init(
      run: entry.run.text, time: entry.time.milliseconds, kind: entry.kind, key: entry.key,
      body: entry.body.isNull ? [] : entry.body.jsonBytes(.compact))
    if body.count >= Self.shortest { digest = Digest.sha256(body) }
  }

  func entry() throws -> JournalEntry {
    JournalEntry(
      run: Identifier(run), time: Timestamp(milliseconds: time), kind: kind, key: key,
      body: body.isEmpty
        ? .null : try JSON.parse(body, named: "journal of \(run)", limits: Self.limits))
  }
}

extension Database {
  fileprivate func insert(_ run: RunRecord) throws {
    guard
      try first("SELECT 1 FROM runs WHERE id = ?", .text(run.id.text), transform: { _ in }) == nil
    else { throw Failure.knownRun(run.id.text) }
    try self.run(
      """
      INSERT INTO runs (id, session, persona, persona_digest, user, input, started_at, status)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      .text(run.id.text), .text(orNull: run.session), .text(run.persona), .text(run.personaDigest),
      .text(run.user), .text(run.input), .integer(run.startedAt.milliseconds),
      .text(run.status.rawValue))
    guard let session = run.session else { return }
    try self.run(
      """
      INSERT INTO sessions (id, persona, user, started_at, used_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET used_at = max(used_at, excluded.used_at)
      """,
      .text(session), .text(run.persona), .text(run.user), .integer(run.startedAt.milliseconds),
      .integer(run.startedAt.milliseconds))
  }

  func insert(_ lines: [JournalLine]) throws {
    // Nearly always one run: its place in the journal is looked up once.
    var places: [String: (run: Int64, last: Int64)] = [:]
    for line in lines {
      guard let place = try places[line.run] ?? end(of: line.run) else {
        throw Failure.unknownRun(line.run)
      }
      let sequence = place.last + 1
      places[line.run] = (place.run, sequence)
      let body = try line.digest.map { try number(ofBody: line.body, digest: $0) }
      let short: SQLValue = body == nil && !line.body.isEmpty ? .bytes(line.body) : .null
      try run(
        """
        INSERT INTO events (run, sequence, time, kind, key, short_body, body)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        .integer(place.run), .integer(sequence), .integer(line.time), .text(line.kind),
        .text(orNull: line.key), short, body.map { .integer($0) } ?? .null)
    }
  }

  private func end(of run: String) throws -> (run: Int64, last: Int64)? {
    try first(
      """
      SELECT number, (SELECT max(sequence) FROM events WHERE run = number) FROM runs WHERE id = ?
      """, .text(run)
    ) { ($0.integer(0), $0.integer(1)) }
  }

  private func number(ofBody body: [UInt8], digest: String) throws -> Int64 {
    let known = try first("SELECT number FROM bodies WHERE digest = ?", .text(digest)) {
      $0.integer(0)
    }
    if let known { return known }
    try run("INSERT INTO bodies (digest, bytes) VALUES (?, ?)", .text(digest), .bytes(body))
    return lastInsertedRow
  }
}
