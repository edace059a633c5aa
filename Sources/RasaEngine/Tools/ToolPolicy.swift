import RasaCore
package import RasaPersona

/// Whether a use of a tool needs a person.
package enum ToolVerdict: Sendable, Hashable {
  case allow(because: String)
  case deny(because: String)
  case ask(ToolAsk)
}

/// How a person is asked about a use of a tool.
package struct ToolAsk: Sendable, Hashable {
  package typealias Expiry = ExpiryPolicy
  package var because: String
  /// How many different people have to approve.
  package var people = 1
  /// Seconds until the question expires; nil for the usual time.
  package var lifetime: Double?
  package var onExpiry = Expiry.park
  package init(because: String) { self.because = because }
}

package protocol ToolPolicy: Sendable {
  func verdict(on use: ToolUse, of tool: ToolDescription) async throws -> ToolVerdict
}

/// Without rules of anybody's: what has side effects, or may have, is asked about.
package struct StandardToolPolicy: ToolPolicy {
  package init() {}
  package func verdict(on use: ToolUse, of tool: ToolDescription) -> ToolVerdict {
    if tool.origin == .program { return .allow(because: "it is the program's own") }
    guard tool.sideEffects != .none else { return .allow(because: "it has no side effects") }
    return .ask(ToolAsk(because: "it has side effects, or may have"))
  }
}

// MARK: Rules that only make it stricter

extension ToolVerdict {
  /// The stricter one of this and of what a rule says that must not allow anything: a persona's, or a project's.
  package func tightened(by rule: ToolRule?) -> ToolVerdict {
    guard let rule else { return self }
    switch (self, rule.decision) {
    case (_, .allow), (.deny, _): return self
    case (_, .deny): return .deny(because: rule.reason)
    case (.allow, .ask): return .ask(ToolAsk(rule))
    case (.ask(var ask), .ask):
      ask.people = max(ask.people, rule.people)
      ask.lifetime = [ask.lifetime, rule.expires].compactMap(\.self).min()
      if let expiry = rule.onExpiry, ask.onExpiry != .deny { ask.onExpiry = expiry }
      return .ask(ask)
    }
  }
}

extension ToolAsk {
  package init(_ rule: ToolRule) {
    self.init(because: rule.reason)
    people = rule.people
    lifetime = rule.expires
    onExpiry = rule.onExpiry ?? .park
  }
}

extension ToolRule {
  /// Its author's reason and where it stands.
  package var reason: String {
    let place = location.file.isEmpty ? "a rule" : "the rule at \(location)"
    return because.isEmpty ? place : "\(because) (\(place))"
  }
}

/// A policy, and rules that make it stricter for all that happens inside a persona.
struct TightenedPolicy: ToolPolicy {
  let policy: any ToolPolicy
  let rules: [ToolRule]

  func verdict(on use: ToolUse, of tool: ToolDescription) async throws -> ToolVerdict {
    try await policy.verdict(on: use, of: tool)
      .tightened(by: rules.first(for: use.name, use.arguments))
  }
}

extension RunDependencies {
  /// For work that a persona has others do.
  func tightened(by rules: [ToolRule]) -> RunDependencies {
    guard !rules.isEmpty else { return self }
    var dependencies = self
    dependencies.policy = TightenedPolicy(policy: policy, rules: rules)
    return dependencies
  }
}
