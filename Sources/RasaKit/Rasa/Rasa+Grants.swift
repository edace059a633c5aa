import RasaCore
import RasaEngine
import RasaPersona
import RasaStore

extension Rasa {
  /// What a person has allowed for a session, or for one run, without being asked again.
  public struct Grant: Sendable, Hashable, Identifiable {
    /// Its id; `Rasa.revoke(grant:)` takes it.
    public var id: String
    /// The rule, as in policy.yaml.
    public var rule: String
    /// The session that it holds in; nil where it holds in its run.
    public var session: String?
    /// The run in which it was given.
    public var run: String
    /// The question that it was given with.
    public var approval: String
    /// Who gave it.
    public var by: String
    /// When, in milliseconds since 1970.
    public var madeAt: Int64
    /// Who took it back; nil while it holds.
    public var revokedBy: String?
    /// When it was taken back, in milliseconds since 1970.
    public var revokedAt: Int64?
    /// As `rasa approvals grants --json` prints it.
    public var json: JSON

    init(_ grant: ToolGrant) {
      id = grant.id
      let pattern = grant.pattern.json(.compact)
      rule = (try? ToolGrant.rule(pattern).text) ?? pattern
      session = grant.session?.name
      run = grant.run.text
      approval = grant.approval
      by = grant.by
      madeAt = grant.madeAt.milliseconds
      revokedBy = grant.revokedBy
      revokedAt = grant.revokedAt?.milliseconds
      json = JSON(
        .object([
          "grant": .string(id), "rule": grant.pattern,
          "session": session.map(Value.string) ?? .null, "run": .string(run),
          "approval": .string(approval), "by": .string(by), "made_at_ms": .int(madeAt),
          "revoked_by": revokedBy.map(Value.string) ?? .null,
          "revoked_at_ms": revokedAt.map { .int($0) } ?? .null,
        ]))
    }
  }

  /// What people have allowed for sessions and runs, the newest first.
  ///
  /// - Parameters:
  ///   - includingRevoked: Whether those are listed that were taken back.
  ///   - limit: The most that are returned.
  public func grants(
    includingRevoked: Bool = false, limit: Int = 100
  ) async throws(RasaError) -> [Grant] {
    try await redacted {
      try await store.grants(includingRevoked: includingRevoked, limit: max(1, limit))
        .map { Grant($0) }
    }
  }

  /// Takes a grant back: what it covers is asked about again, in running runs, too.
  ///
  /// - Parameters:
  ///   - id: The grant, or the beginning of its id.
  ///   - user: Who takes it back; nil for the user of this `Rasa`.
  /// - Throws: A `RasaError` of code `usage` when there is no such grant.
  @discardableResult
  public func revoke(grant id: String, as user: String? = nil) async throws(RasaError) -> Grant {
    try await redacted {
      guard let grant = try await store.revokeGrant(id, by: composition.user(user)) else {
        throw Failure(
          .usage, "there is no grant \(quoted(id))",
          suggestion: "`rasa approvals grants` lists them")
      }
      return Grant(grant)
    }
  }
}
