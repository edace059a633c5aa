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
  /// What it can come to, whatever the arguments.
  func decisions(on tool: ToolDescription) async throws -> Set<ToolRule.Decision>
}

extension ToolPolicy {
  package func decisions(on tool: ToolDescription) async throws -> Set<ToolRule.Decision> {
    Set(ToolRule.Decision.allCases)
  }
}

/// Without rules of anybody's: what has side effects, or may have, is asked about.
package struct StandardToolPolicy: ToolPolicy {
  package init() {}
  package func verdict(on use: ToolUse, of tool: ToolDescription) -> ToolVerdict {
    if tool.origin == .program { return .allow(because: "it is the program's own") }
    if tool.origin == .client { return .allow(because: "the client uses it itself") }
    guard tool.sideEffects != .none else { return .allow(because: "it has no side effects") }
    return .ask(ToolAsk(because: "it has side effects, or may have"))
  }

  package func decisions(on tool: ToolDescription) -> Set<ToolRule.Decision> {
    tool.origin == .program || tool.origin == .client || tool.sideEffects == .none
      ? [.allow] : [.ask]
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

extension [ToolRule] {
  /// What the first that is about a use of that tool can say, whatever the arguments; nil among them where none need be
  /// about it.
  package func decisions(on tool: String) -> Set<ToolRule.Decision?> {
    var found: Set<ToolRule.Decision?> = []
    for rule in self where rule.concerns(tool: tool) {
      found.insert(rule.decision)
      if rule.arguments == nil { return found }
    }
    return found.union([nil])
  }
}

extension Set<ToolRule.Decision> {
  /// What is left of these by rules that only make others stricter.
  package func tightened(by rules: [ToolRule], on tool: String) -> Set<ToolRule.Decision> {
    var left: Set<ToolRule.Decision> = []
    for decision in self {
      for rule in rules.decisions(on: tool) {
        switch (decision, rule) {
        case (.deny, _), (_, .deny): left.insert(.deny)
        case (.ask, _), (_, .ask): left.insert(.ask)
        case (.allow, _): left.insert(.allow)
        }
      }
    }
    return left
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

  func decisions(on tool: ToolDescription) async throws -> Set<ToolRule.Decision> {
    try await policy.decisions(on: tool).tightened(by: rules, on: tool.name)
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
