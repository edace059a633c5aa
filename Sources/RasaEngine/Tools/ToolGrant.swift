package import RasaCore
package import RasaPersona

/// What a person has allowed for a session, or for one run: the uses that a pattern covers.
package struct ToolGrant: Sendable, Hashable {
  package var id: String
  /// A rule that allows, as JSON: see `ToolRule.value`.
  package var pattern: Value
  /// Nil for a run without a session, where it holds for that run.
  package var session: SessionID?
  /// The run in which it was given.
  package var run: Identifier
  /// The question that it was given with.
  package var approval: String
  package var by: String
  package var madeAt: Timestamp
  package var revokedAt: Timestamp?
  package var revokedBy: String?

  package init(
    id: String, pattern: Value, session: SessionID?, run: Identifier, approval: String, by: String,
    madeAt: Timestamp
  ) {
    self.id = id
    self.pattern = pattern
    self.session = session
    self.run = run
    self.approval = approval
    self.by = by
    self.madeAt = madeAt
  }

  /// The id of what is granted with an answer: the same wherever it is stored.
  package static func identity(approval: String) -> String { "g" + approval.dropFirst() }

  package func covers(tool: String, _ arguments: Value) -> Bool {
    guard revokedAt == nil, let rule = try? Self.rule(pattern.json(.compact)) else { return false }
    return rule.matches(tool: tool, arguments)
  }

  /// Whether it covers some uses of that tool.
  func concerns(tool: String) -> Bool {
    guard revokedAt == nil, let rule = try? Self.rule(pattern.json(.compact)) else { return false }
    return rule.concerns(tool: tool)
  }

  /// The rule that a person has written, which can only allow.
  package static func rule(_ text: String) throws(Failure) -> ToolRule {
    let rule = try ToolRuleLoader.rule(text, named: "the pattern")
    guard rule.decision == .allow else {
      throw Failure(
        .usage, "the pattern says `\(rule.decision.rawValue)`, and a grant can only allow",
        suggestion: "begin it with `allow:`; rules that ask or forbid belong in policy.yaml")
    }
    return rule
  }
}

/// Where grants are kept. They are made with the answer to a question: see `HumanAnswer.grant`.
package protocol GrantStore: Sendable {
  /// Those that hold in a run.
  func grants(of run: Identifier, session: SessionID?) async throws -> [ToolGrant]
}

package struct NoGrants: GrantStore {
  package init() {}
  package func grants(of run: Identifier, session: SessionID?) -> [ToolGrant] { [] }
}
