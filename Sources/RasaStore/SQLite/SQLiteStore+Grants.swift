package import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func grants(of run: Identifier, session: SessionID?) async throws -> [ToolGrant] {
    try await read { database in
      try database.grants(
        """
        WHERE grants.revoked_at IS NULL AND (
          runs.id = ?1 OR (?2 IS NOT NULL AND grants.session =
            (SELECT key FROM sessions WHERE id = ?2 AND user = ?3)))
        ORDER BY grants.made_at, grants.id
        """, .text(run.text), .text(orNull: session?.name), .text(orNull: session?.user))
    }
  }

  package func grants(includingRevoked all: Bool, limit: Int) async throws -> [ToolGrant] {
    try await read { database in
      try database.grants(
        """
        WHERE ?1 = 1 OR grants.revoked_at IS NULL
        ORDER BY grants.made_at DESC, grants.id LIMIT ?2
        """, .integer(all ? 1 : 0), .integer(max(0, limit)))
    }
  }

  package func revokeGrant(_ idOrPrefix: String, by: String) async throws -> ToolGrant? {
    let now = time.now()
    return try await writer.write { database in
      guard let id = try database.only(of: idOrPrefix, in: "grants", called: "grant") else {
        return nil
      }
      try database.run(
        "UPDATE grants SET revoked_by = ?, revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
        .text(by), .integer(now.milliseconds), .text(id))
      if database.changes > 0 { try database.insert(.revoked(id, by: by, at: now)) }
      return try database.grants("WHERE grants.id = ?", .text(id)).first
    }
  }
}

extension Database {
  fileprivate func grants(_ condition: String, _ values: SQLValue...) throws -> [ToolGrant] {
    try rows(
      """
      SELECT grants.id, pattern, sessions.id, sessions.user, runs.id, approval, made_by, made_at,
        revoked_by, revoked_at
      FROM grants JOIN runs ON runs.number = grants.run
        LEFT JOIN sessions ON sessions.key = grants.session
      \(condition)
      """, values: values
    ) { row in
      var grant = ToolGrant(
        id: row.text(0), pattern: (try? BodyReader.value(ofJSON: Array(row.text(1).utf8))) ?? .null,
        session: row.textOrNil(2).map { SessionID($0, of: row.text(3)) },
        run: Identifier(row.text(4)), approval: row.text(5), by: row.text(6),
        madeAt: Timestamp(milliseconds: row.integer(7)))
      grant.revokedBy = row.textOrNil(8)
      grant.revokedAt = row.integerOrNil(9).map(Timestamp.init)
      return grant
    }
  }

  /// Keeps what is granted with an answer.
  func insertGrant(of approval: Approval, _ answer: HumanAnswer, at now: Timestamp) throws {
    guard let pattern = answer.grant else { return }
    try run(
      """
      INSERT INTO grants (id, run, session, pattern, approval, made_by, made_at)
      SELECT ?, number, session, ?, ?, ?, ? FROM runs WHERE id = ?
      """,
      .text(ToolGrant.identity(approval: approval.id)), .text(pattern.json(.compact)),
      .text(approval.id), .text(answer.by), .integer(now.milliseconds), .text(approval.run.text))
  }

  func votes(on approval: String) throws -> [Approval.Vote] {
    try rows("SELECT uid, by, at FROM votes WHERE approval = ? ORDER BY at, uid", .text(approval)) {
      Approval.Vote(
        uid: UInt32(clamping: $0.integer(0)), by: $0.text(1),
        at: Timestamp(milliseconds: $0.integer(2)))
    }
  }

  func insert(_ vote: Approval.Vote, on approval: String) throws {
    try run(
      "INSERT INTO votes (approval, uid, by, at) VALUES (?, ?, ?, ?)", .text(approval),
      .integer(Int64(vote.uid)), .text(vote.by), .integer(vote.at.milliseconds))
  }
}
