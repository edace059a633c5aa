package import RasaCore
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
}

extension SessionSummary {
  fileprivate init(_ row: Row) {
    self.init(
      id: row.text(0), persona: row.text(1), user: row.text(2),
      startedAt: Timestamp(milliseconds: row.integer(3)),
      usedAt: Timestamp(milliseconds: row.integer(4)), turns: Int(clamping: row.integer(5)))
  }
}
