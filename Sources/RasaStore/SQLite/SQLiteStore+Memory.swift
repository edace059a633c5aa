import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] {
    try await writer.read { database in
      guard let key = try database.key(of: session) else { return [] }
      let rows = try database.rows(
        """
        SELECT run, time, input, output FROM turns WHERE session = ? ORDER BY number DESC LIMIT ?
        """, .text(key), .integer(max(0, limit))
      ) { row in
        (
          turn: SessionTurn(
            session: session, run: Identifier(row.text(0)),
            time: Timestamp(milliseconds: row.integer(1)), input: "", output: ""),
          input: row.value(2), output: row.value(3)
        )
      }
      let bodies = BodyReader(database)
      return try rows.reversed().map { row in
        var turn = row.turn
        do {
          turn.input = try bodies.text(row.input)
          turn.output = try bodies.text(row.output)
        } catch is DamagedContent {
          throw Failure(
            .storage, "a turn of the session `\(session.name)` is damaged (\(turn.run))",
            suggestion: "begin another session; `rasa runs show \(turn.run)` shows what can be read"
          )
        }
        return turn
      }
    }
  }

  package func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] {
    let oldest = MemoryBounds.oldestNote(at: time.now())
    return try await writer.read { database in
      guard let key = try database.key(of: session) else { return [] }
      return try database.rows(
        """
        SELECT run, time, text FROM notes WHERE session = ? AND time >= ?
        ORDER BY number DESC LIMIT ?
        """, .text(key), .integer(oldest.milliseconds), .integer(max(0, limit))
      ) { row in
        WorkingNote(
          session: session, run: Identifier(row.text(0)),
          time: Timestamp(milliseconds: row.integer(1)), text: row.text(2))
      }.reversed()
    }
  }

  package func recall(
    persona: String, user: String, query: String, limit: Int
  ) async throws -> [MemoryFact] {
    let owner = MemoryOwner(persona: persona, user: user)
    let found = try await searchMemories(of: owner, query: query, limit: limit)
    if !found.isEmpty { return found }
    return try await memories(of: owner, limit: min(limit, MemoryBounds.memoriesUnasked))
  }

  package func remember(_ facts: [MemoryFact]) async throws {
    if facts.isEmpty { return }
    try await writer.write { database in
      for fact in facts { try database.insert(fact) }
    }
  }
}

/// A turn that is to be written.
struct StoredTurn: Sendable {
  let turn: SessionTurn
  let input: StoredText
  let output: StoredText

  init(_ turn: SessionTurn) {
    self.turn = turn
    input = StoredText(turn.input)
    output = StoredText(turn.output)
  }
}

extension Database {
  /// A run has one turn; a run that is resumed replaces its earlier one.
  func insert(_ kept: StoredTurn, in session: String) throws {
    let turn = kept.turn
    try run(
      """
      INSERT INTO turns (session, run, time, input, output) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (run) DO UPDATE
      SET time = excluded.time, input = excluded.input, output = excluded.output
      """,
      .text(session), .text(turn.run.text), .integer(turn.time.milliseconds),
      try keep(kept.input), try keep(kept.output))
    try run(
      "UPDATE sessions SET used_at = max(used_at, ?) WHERE key = ?",
      .integer(turn.time.milliseconds), .text(session))
  }

  /// For a text that is stored already only its origin is updated.
  func insert(_ fact: MemoryFact) throws {
    let origin: [SQLValue] = [
      .text(fact.sourceRun.text), .integer(fact.time.milliseconds), .text(fact.trust),
    ]
    let known = try first(
      "SELECT id FROM memories WHERE persona = ? AND user = ? AND text = ?",
      .text(fact.persona), .text(fact.user), .text(fact.text)
    ) { $0.integer(0) }
    if let known {
      try run(
        "UPDATE memories SET source_run = ?, time = ?, trust = ? WHERE id = ?",
        origin[0], origin[1], origin[2], .integer(known))
      return
    }
    try run(
      """
      INSERT INTO memories (persona, user, text, source_run, time, trust)
      VALUES (?, ?, ?, ?, ?, ?)
      """,
      .text(fact.persona), .text(fact.user), .text(fact.text), origin[0], origin[1], origin[2])
    try run(
      "INSERT INTO memory_words (rowid, text) VALUES (?, ?)", .integer(lastInsertedRow),
      .text(fact.text))
  }

  func insert(_ note: WorkingNote, in session: String) throws {
    try run(
      "INSERT INTO notes (session, run, time, text) VALUES (?, ?, ?, ?)",
      .text(session), .text(note.run.text), .integer(note.time.milliseconds), .text(note.text))
  }

  func pruneNotes(of session: String, now: Timestamp) throws {
    try run(
      """
      DELETE FROM notes WHERE session = ?1 AND (time < ?2 OR number <= (
        SELECT number FROM notes WHERE session = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?3))
      """,
      .text(session), .integer(MemoryBounds.oldestNote(at: now).milliseconds),
      .integer(MemoryBounds.notesPerSession))
  }
}
