package import RasaCore
package import RasaEngine
import RasaSQLite

/// A conversation as lists show it.
package struct SessionSummary: Sendable, Hashable {
  package var id: String
  package var persona: String
  package var user: String
  package var startedAt: Timestamp
  package var usedAt: Timestamp
  package var turns: Int
}

extension SQLiteStore {
  /// The sessions used last, newest first.
  package func sessions(limit: Int) async throws -> [SessionSummary] {
    try await writer.read { database in
      try database.rows(
        """
        SELECT id, persona, user, started_at, used_at,
          (SELECT count(*) FROM turns WHERE session = sessions.id)
        FROM sessions ORDER BY used_at DESC, id DESC LIMIT ?
        """, .integer(max(0, limit)), transform: SessionSummary.init)
    }
  }

  package func session(_ id: String) async throws -> SessionSummary? {
    try await writer.read { database in
      try database.first(
        """
        SELECT id, persona, user, started_at, used_at,
          (SELECT count(*) FROM turns WHERE session = sessions.id)
        FROM sessions WHERE id = ?
        """, .text(id), transform: SessionSummary.init)
    }
  }

  /// Deletes a session with its turns, notes, runs and their journals. What was spent stays in the
  /// ledger, and what was remembered in the memories. False when there is no such session.
  package func deleteSession(_ id: String) async throws -> Bool {
    try await erase { database in
      let session = SQLValue.text(id)
      let bodies = try database.rows(
        """
        SELECT DISTINCT body FROM events JOIN runs ON runs.number = events.run
        WHERE session = ? AND body IS NOT NULL
        """, session
      ) { $0.integer(0) }
      try database.run("DELETE FROM runs WHERE session = ?", session)
      let runs = database.changes
      // Another run may have said the same.
      for body in bodies {
        try database.run(
          """
          DELETE FROM bodies WHERE number = ?1
          AND NOT EXISTS (SELECT 1 FROM events WHERE body = ?1)
          """, .integer(body))
      }
      try database.run("DELETE FROM turns WHERE session = ?", session)
      try database.run("DELETE FROM notes WHERE session = ?", session)
      try database.run("DELETE FROM sessions WHERE id = ?", session)
      return runs + database.changes > 0
    }
  }

  /// The newest runs, newest first; of one session when it is given.
  package func runs(session: String? = nil, limit: Int) async throws -> [RunRecord] {
    try await writer.read { database in
      try database.rows(
        """
        SELECT id, session, persona, persona_digest, user, input, started_at, status FROM runs
        WHERE ?1 IS NULL OR session = ?1 ORDER BY number DESC LIMIT ?2
        """, .text(orNull: session), .integer(max(0, limit)), transform: RunRecord.init)
    }
  }

  package func run(_ id: Identifier) async throws -> RunRecord? {
    try await writer.read { database in
      try database.first(
        """
        SELECT id, session, persona, persona_digest, user, input, started_at, status FROM runs
        WHERE id = ?
        """, .text(id.text), transform: RunRecord.init)
    }
  }
}

extension SessionSummary {
  fileprivate init(_ row: Row) {
    self.init(
      id: row.text(0), persona: row.text(1), user: row.text(2),
      startedAt: Timestamp(milliseconds: row.integer(3)),
      usedAt: Timestamp(milliseconds: row.integer(4)), turns: Int(clamping: row.integer(5)))
  }
}

extension RunRecord {
  fileprivate init(_ row: Row) {
    self.init(
      id: Identifier(row.text(0)), session: row.textOrNil(1), persona: row.text(2),
      personaDigest: row.text(3), user: row.text(4), input: row.text(5),
      startedAt: Timestamp(milliseconds: row.integer(6)),
      status: Status(rawValue: row.text(7)) ?? .failed)
  }
}
