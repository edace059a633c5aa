import RasaCore
package import RasaEngine
import RasaPersona
import RasaSQLite

extension SQLiteStore {
  package func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] {
    try await writer.read { database in
      guard let key = try database.key(of: session) else { return [] }
      return try database.turns(
        of: session, try database.newestTurns(in: key, limit: limit, bytes: .max).turns)
    }
  }

  package func conversation(of session: SessionID, bytes: Int) async throws -> Conversation {
    try await writer.read { database in
      guard let key = try database.key(of: session) else { return Conversation() }
      let (found, sides) = try database.newestTurns(in: key, limit: .max, bytes: bytes)
      let all = try database.first(
        "SELECT sides FROM sessions WHERE key = ?", .text(key)
      ) { Int(clamping: $0.integer(0)) }
      return Conversation(
        turns: try database.turns(of: session, found), earlier: max(0, (all ?? 0) - sides) / 2)
    }
  }

  package func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] {
    let oldest = MemoryBounds.oldestNote(at: time.now())
    return try await writer.read { database in
      guard let key = try database.key(of: session) else { return [] }
      let found = try database.rows(
        """
        SELECT run, time, text FROM items WHERE session = ? AND kind = 1 AND time >= ?
        ORDER BY id DESC LIMIT ?
        """, .text(key), .integer(oldest.milliseconds), .integer(max(0, limit))
      ) { row in
        (
          note: WorkingNote(
            session: session, run: Identifier(row.text(0)),
            time: Timestamp(milliseconds: row.integer(1)), text: ""),
          text: row.value(2)
        )
      }
      let bodies = BodyReader(database)
      return try found.reversed().map { note, text in
        var note = note
        do {
          note.text = try bodies.text(text)
        } catch is DamagedContent {
          throw Failure.damagedPart("note", of: session, run: note.run)
        }
        return note
      }
    }
  }
}

extension Failure {
  static func damagedPart(_ what: String, of session: SessionID, run: Identifier) -> Failure {
    Failure(
      .storage, "a \(what) of the session `\(session.name)` is damaged (\(run))",
      suggestion: "begin another session; `rasa runs show \(run)` shows what can be read")
  }
}

/// A turn that is to be written.
struct StoredTurn: Sendable {
  let turn: SessionTurn
  let input: PreparedText
  let output: PreparedText

  init(_ turn: SessionTurn) {
    self.turn = turn
    input = PreparedText(turn.input)
    output = PreparedText(turn.output)
  }
}

/// A turn that is read: the columns of its two items.
struct TurnColumns {
  var run: String
  var time: Int64
  var bytes: Int
  var input: SQLValue?
  var output: SQLValue?
}

extension Database {
  /// A run has one turn; a run that is resumed replaces its earlier one, which keeps its place.
  func keep(
    _ kept: StoredTurn, in session: String, persona: String, scope: MemoryScope,
    trust: MemoryTrust = .model
  ) throws {
    let turn = kept.turn
    let known = try rows(
      "SELECT id, trust FROM items WHERE run = ? AND kind = 0", .text(turn.run.text)
    ) { (id: $0.integer(0), isPerson: $0.integer(1) == 0) }
    let sides = [
      (text: kept.input, speaker: turn.session.user, trust: MemoryTrust.person),
      (text: kept.output, speaker: persona, trust: trust),
    ]
    for side in sides {
      if let old = known.first(where: { $0.isPerson == (side.trust == .person) }) {
        try change(old.id, to: side.text, at: turn.time)
        continue
      }
      _ = try insert(
        UnwrittenItem(
          kind: .turn, scope: scope, user: turn.session.user, persona: persona, session: session,
          speaker: side.speaker, text: side.text, run: turn.run.text, time: turn.time,
          trust: side.trust))
    }
    try run(
      "UPDATE sessions SET used_at = max(used_at, ?) WHERE key = ?",
      .integer(turn.time.milliseconds), .text(session))
  }

  func keep(
    _ note: WorkingNote, in session: String, persona: String, scope: MemoryScope,
    trust: MemoryTrust = .model
  ) throws {
    _ = try insert(
      UnwrittenItem(
        kind: .note, scope: scope, user: note.session.user, persona: persona, session: session,
        text: PreparedText(note.text), run: note.run.text, time: note.time, trust: trust))
  }

  func pruneNotes(of session: String, now: Timestamp) throws {
    let old = try rows(
      """
      SELECT id FROM items WHERE session = ?1 AND kind = 1 AND (time < ?2 OR id <= (
        SELECT id FROM items WHERE session = ?1 AND kind = 1 ORDER BY id DESC LIMIT 1 OFFSET ?3))
      """,
      .text(session), .integer(MemoryBounds.oldestNote(at: now).milliseconds),
      .integer(MemoryBounds.notesPerSession)
    ) { $0.integer(0) }
    for note in old { try deleteItem(note) }
  }

  /// The newest turns, newest first, until their texts have so many bytes together, and how many sides of turns these and
  /// what lies between them are. Turns of which one side has been forgotten are left out. Only the texts of those that
  /// are returned are read.
  func newestTurns(
    in session: String, limit: Int, bytes: Int
  ) throws -> (turns: [TurnColumns], sides: Int) {
    var found: [TurnColumns] = []
    var (left, seen, sides) = (bytes, 0, 0)
    var end = Int64.max
    var open: TurnColumns?
    while found.count < limit, left > 0,
      let begin = try newestSides(
        in: session, before: end, limit: limit - found.count, bytes: left)
    {
      // In the order of the table, which is many times as fast as from the last one back.
      let rows = try rows(
        """
        SELECT run, time, bytes, trust, text FROM items
        WHERE session = ? AND kind = 0 AND id >= ? AND id < ? ORDER BY id
        """, .text(session), .integer(begin), .integer(end)
      ) { row in
        (
          turn: TurnColumns(run: row.text(0), time: row.integer(1), bytes: Int(row.integer(2))),
          isPerson: row.integer(3) == 0, text: row.value(4)
        )
      }
      for row in rows.reversed() {
        guard found.count < limit, left > 0 else { break }
        seen += 1
        var turn = row.turn
        if let other = open, other.run == turn.run {
          let bytes = turn.bytes
          turn = other
          turn.bytes += bytes
        }
        if row.isPerson { turn.input = row.text } else { turn.output = row.text }
        guard turn.input != nil, turn.output != nil else {
          open = turn
          continue
        }
        open = nil
        left -= turn.bytes
        found.append(turn)
        sides = seen
      }
      end = begin
    }
    return (found, sides)
  }

  /// The ID from which on so many turns, or so many bytes, are likely to be found; nil where there are no more turns. The
  /// index is enough for that.
  private func newestSides(
    in session: String, before end: Int64, limit: Int, bytes: Int
  ) throws -> Int64? {
    let most = limit > Int.max / 4 ? Int.max : limit * 2 + 1
    var (count, sum) = (0, 0)
    var begin: Int64?
    while true {
      let part = try rows(
        """
        SELECT id, bytes FROM items WHERE session = ? AND kind = 0 AND id < ?
        ORDER BY id DESC LIMIT ?
        """, .text(session), .integer(begin ?? end), .integer(min(most - count, 256))
      ) { (id: $0.integer(0), bytes: Int(clamping: $0.integer(1))) }
      for side in part {
        begin = side.id
        count += 1
        sum += side.bytes
        if count == most || (sum >= bytes && count % 2 == 0) { return begin }
      }
      if part.count < 256 { return begin }
    }
  }

  /// Oldest first.
  func turns(of session: SessionID, _ found: [TurnColumns]) throws -> [SessionTurn] {
    let bodies = BodyReader(self)
    return try found.reversed().map { columns in
      let run = Identifier(columns.run)
      do {
        return SessionTurn(
          session: session, run: run, time: Timestamp(milliseconds: columns.time),
          input: try bodies.text(columns.input ?? .null),
          output: try bodies.text(columns.output ?? .null))
      } catch is DamagedContent {
        throw Failure.damagedPart("turn", of: session, run: run)
      }
    }
  }
}
