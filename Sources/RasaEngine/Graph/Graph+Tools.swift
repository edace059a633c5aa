package import RasaCore
package import RasaPersona

/// A tool that a persona can use without a person on the way.
package struct UnattendedTool: Sendable, Hashable {
  /// As the operator names it.
  package var tool: String
  package var operatorName: String
  /// Where the operator stands.
  package var location: SourceLocation
  /// Why nobody is asked.
  package var because: String
  /// Whether it may change something.
  package var mayChange: Bool

  package init(
    tool: String, operatorName: String, location: SourceLocation, because: String, mayChange: Bool
  ) {
    self.tool = tool
    self.operatorName = operatorName
    self.location = location
    self.because = because
    self.mayChange = mayChange
  }

  package var warning: Warning {
    Warning(
      "`\(operatorName)` can use `\(tool)`, which may change something, without a person on the way: "
        + because, at: location)
  }
}

extension Graph {
  /// The tools that its operators, and the agents in it, can use before anybody has been asked.
  ///
  /// - Parameters:
  ///   - rules: the user's and, to make them stricter, the project's.
  ///   - sideEffects: what is declared of what a reference names; nil where nobody has said.
  package func unattendedTools(
    _ rules: [ToolRule], tightenedBy others: [[ToolRule]] = [],
    sideEffects: (String) -> SideEffects?
  ) -> [UnattendedTool] {
    guard !frames.isEmpty else { return [] }
    let flow = GraphFlow(self)
    let ahead = flow.ahead(
      from: [flow.point(enteringFrame: 0)], asks: { asksAlways(nodes[$0].definition) })
    let others = others + [persona.policy]
    var found: [UnattendedTool] = []
    for index in ahead.nodes.sorted() {
      let node = nodes[index]
      for definition in [node.definition] + (node.substitute.map { [$0] } ?? []) {
        for reference in definition.tools {
          // Somebody inside the run works for it: what counts is what they use.
          if let delegate = node.toolDelegate(definition, reference) {
            found += delegate.graph.unattendedTools(
              rules, tightenedBy: others, sideEffects: sideEffects)
            continue
          }
          guard
            let reason = rules.allowance(of: reference, sideEffects(reference)),
            !others.contains(where: { $0.stops(reference) })
          else { continue }
          found.append(
            UnattendedTool(
              tool: reference, operatorName: definition.name, location: definition.location,
              because: reason, mayChange: sideEffects(reference) != SideEffects.none))
        }
        if let delegate = node.delegate(definition) {
          found += delegate.unattendedTools(rules, tightenedBy: others, sideEffects: sideEffects)
        }
      }
    }
    var seen: Set<UnattendedTool> = []
    return found.filter { seen.insert($0).inserted }
  }

  private func asksAlways(_ definition: OperatorDefinition) -> Bool {
    if case .always = definition.review { return definition.tools.isEmpty }
    return definition.isReviewer || definition.ask != nil
  }
}

extension ToolRule {
  /// Whether it is about what a reference names, or about a part of it.
  fileprivate func concerns(_ reference: String) -> Bool {
    tools.contains {
      $0.matches(reference, .wide) || ToolNamePattern(reference).matches($0.text.source, .wide)
    }
  }

  /// Whether it is about all that a reference names, whatever the arguments.
  fileprivate func covers(_ reference: String) -> Bool {
    arguments == nil && tools.contains { $0.matches(reference, .wide) }
  }
}

extension [ToolRule] {
  /// Why what a reference names can be used without a question; nil where it cannot.
  fileprivate func allowance(of reference: String, _ sideEffects: SideEffects?) -> String? {
    for rule in self {
      switch rule.decision {
      case .allow where rule.concerns(reference):
        return "\(rule.reason) allows it"
          + (rule.arguments == nil ? "" : " with some arguments")
      case .ask where rule.covers(reference), .deny where rule.covers(reference): return nil
      case .allow, .ask, .deny: break
      }
    }
    return sideEffects == SideEffects.none ? "it is declared to change nothing" : nil
  }

  /// Whether these rules, which only make others stricter, ask about it or forbid it always.
  fileprivate func stops(_ reference: String) -> Bool {
    for rule in self where rule.covers(reference) { return rule.decision != .allow }
    return false
  }
}
