import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func sessions(of user: String?, limit: Int) async throws -> [SessionSummary] {
    try await read { database in
      try database.rows(
        """
        \(SessionSummary.query) WHERE ?1 IS NULL OR user = ?1
        ORDER BY used_at DESC, id DESC, user DESC LIMIT ?2
        """, .text(orNull: user), .integer(max(0, limit)), transform: SessionSummary.init)
    }
  }

  package func session(_ id: SessionID) async throws -> SessionSummary? {
    try await read { database in
      try database.first(
        "\(SessionSummary.query) WHERE id = ? AND user = ?", .text(id.name), .text(id.user),
        transform: SessionSummary.init)
    }
  }

  package func users(ofSessionsNamed name: String) async throws -> [String] {
    try await read { database in
      try database.rows("SELECT user FROM sessions WHERE id = ? ORDER BY user", .text(name)) {
        $0.text(0)
      }
    }
  }
}

extension SessionSummary {
  fileprivate static let query = """
    SELECT id, user, persona, started_at, used_at, (sides + 1) / 2 FROM sessions
    """

  fileprivate init(_ row: Row) {
    self.init(
      id: SessionID(row.text(0), of: row.text(1)), persona: row.text(2),
      startedAt: Timestamp(milliseconds: row.integer(3)),
      usedAt: Timestamp(milliseconds: row.integer(4)), turns: Int(clamping: row.integer(5)))
  }
}

extension Database {
  /// The session's key in other tables; nil if there is no such session.
  func key(of session: SessionID) throws -> String? {
    try first(
      "SELECT key FROM sessions WHERE id = ? AND user = ?", .text(session.name),
      .text(session.user)
    ) { $0.text(0) }
  }

  /// The session's key. Creates the session if necessary, and updates the time of its last use.
  func key(using session: SessionID, persona: String, at time: Timestamp) throws -> String {
    if let key = try key(of: session) {
      try run(
        "UPDATE sessions SET used_at = max(used_at, ?) WHERE key = ?",
        .integer(time.milliseconds), .text(key))
      return key
    }
    // The name itself, unless another session has that key, or has had it and is not deleted yet to its last item. Name
    // and user together are unique.
    var key = session.name
    while try first(
      """
      SELECT 1 FROM sessions WHERE key = ?1 UNION ALL SELECT 1 FROM items WHERE session = ?1 LIMIT 1
      """, .text(key), transform: { _ in }) != nil
    {
      key += "\u{1F}" + session.user
    }
    try run(
      """
      INSERT INTO sessions (key, id, user, persona, started_at, used_at) VALUES (?, ?, ?, ?, ?, ?)
      """,
      .text(key), .text(session.name), .text(session.user), .text(persona),
      .integer(time.milliseconds), .integer(time.milliseconds))
    return key
  }
}
