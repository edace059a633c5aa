package import RasaEngine
package import RasaPersona

/// The user's rules, made stricter by the project's.
package struct RulePolicy: ToolPolicy {
  /// The user's own. The first that is about a use decides; without one, the usual rule does.
  package var own: [ToolRule]
  /// Those of a project, which can forbid and ask, and allow nothing.
  package var project: [ToolRule]

  package init(own: [ToolRule] = [], project: [ToolRule] = []) {
    self.own = own
    self.project = project
  }

  package func verdict(on use: ToolUse, of tool: ToolDescription) -> ToolVerdict {
    decision(on: use, of: tool).verdict
  }

  package func decisions(on tool: ToolDescription) -> Set<ToolRule.Decision> {
    let usual = StandardToolPolicy().decisions(on: tool)
    let decisions = own.decisions(on: tool.name).reduce(into: Set<ToolRule.Decision>()) {
      if let decision = $1 { $0.insert(decision) } else { $0.formUnion(usual) }
    }
    return decisions.tightened(by: project, on: tool.name)
  }

  /// The same with the rules that made it so.
  package func decision(on use: ToolUse, of tool: ToolDescription) -> PolicyDecision {
    let rule = own.first(for: use.name, use.arguments)
    let verdict: ToolVerdict
    switch rule?.decision {
    case .allow: verdict = .allow(because: rule?.reason ?? "")
    case .deny: verdict = .deny(because: rule?.reason ?? "")
    case .ask: verdict = rule.map { .ask(ToolAsk($0)) } ?? .ask(ToolAsk(because: ""))
    case nil: verdict = StandardToolPolicy().verdict(on: use, of: tool)
    }
    let tightening = project.first(for: use.name, use.arguments)
    return PolicyDecision(
      verdict: verdict.tightened(by: tightening), own: rule,
      tightenedBy: tightening?.decision == .allow ? nil : tightening)
  }
}

/// What a policy says about one use, and by which rules.
package struct PolicyDecision: Sendable, Hashable {
  package var verdict: ToolVerdict
  /// The user's rule; nil for the usual one.
  package var own: ToolRule?
  /// The rule of a project or persona that is stricter.
  package var tightenedBy: ToolRule?

  package init(verdict: ToolVerdict, own: ToolRule?, tightenedBy: ToolRule?) {
    self.verdict = verdict
    self.own = own
    self.tightenedBy = tightenedBy
  }
}
