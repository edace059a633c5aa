import RasaCore
package import RasaPersona

/// One model call of a persona as it would be asked, with `‹key›` where a run would put what other
/// operators wrote.
package struct RehearsedCall: Sendable {
  package var frame: String
  package var operatorName: String
  package var request: ModelRequest
  package var context: CallContext
  /// How often it runs at most, repairs and further tries included; corrections by people are not.
  package var most: Int
}

extension Graph {
  /// Every model call, in the order of the frames, without asking anyone.
  package func rehearse(_ start: RunStart, profile: PerformanceProfile? = nil) -> [RehearsedCall] {
    rehearse(start, profile: profile, assignment: nil, times: 1)
  }

  private func rehearse(
    _ start: RunStart, profile: PerformanceProfile?, assignment: Assignment?, times: Int
  ) -> [RehearsedCall] {
    var machine = RunMachine(graph: self)
    machine.apply(.contextOpened(["session": [], "notes": [], "memories": []]))
    machine.apply(.started(start))
    var state = machine.state
    for path in nodes.flatMap(\.writes) where path.key != "context" {
      state.write(.string("‹\(path)›"), at: path)
    }
    let most = GraphFlow(self).mostRuns()
    var calls: [RehearsedCall] = []
    for (index, node) in nodes.enumerated() {
      let frame = frames[node.frame]
      let step = Step(frame: frame.name, visit: 1, operatorName: node.definition.name)
      let tries = 1 + node.definition.onError.retry
      if let delegate = node.delegate(node.definition) {
        let inner = self.assignment(
          of: node.definition, at: step, attempt: 1, start, above: assignment)
        var begun = start
        begun.persona = delegate.persona.name
        begun.input = node.definition.task(state.reader(in: frame.kind))
        calls += delegate.within(inner.scope).rehearse(
          begun, profile: profile, assignment: inner,
          times: times.capped(times: most[index] * tries))
      }
      guard node.definition.kind == .llm else { continue }
      let repairs = node.definition.output == nil ? 1 : 2
      calls.append(
        RehearsedCall(
          frame: frame.name, operatorName: node.definition.name,
          request: Prompt.request(
            for: node.definition, view: state, kind: frame.kind, system: systemMessage),
          context: callContext(
            start, node.definition, step.effect("call"), profile: profile, assignment: assignment),
          most: times.capped(times: most[index] * tries * repairs)))
    }
    return calls
  }

  /// Who asks, and under which limits.
  func callContext(
    _ start: RunStart, _ definition: OperatorDefinition, _ key: EffectKey,
    profile: PerformanceProfile?, assignment: Assignment? = nil
  ) -> CallContext {
    var context = CallContext(
      run: start.run, key: key, persona: start.persona, models: persona.models,
      profile: profile ?? definition.profile ?? persona.profile,
      budget: persona.budget, runLimit: persona.limits.cost)
    if let assignment {
      context.execution = assignment.execution(in: start.run)
      context.above = assignment.above
    }
    return context
  }
}

extension Graph {
  /// How many model calls one run can make at most, people's corrections not counted.
  package var mostCalls: Int {
    let most = GraphFlow(self).mostRuns()
    return nodes.indices.reduce(0) { sum, index in
      let definition = nodes[index].definition
      let once =
        definition.kind == .llm
        ? (definition.output == nil ? 1 : 2) : nodes[index].delegate(definition)?.mostCalls ?? 0
      return min(sum + once.capped(times: most[index] * (1 + definition.onError.retry)), 1_000_000)
    }
  }
}

extension Int {
  /// Of loops in loops; what is beyond a million runs is as good as endless.
  fileprivate func capped(times other: Int) -> Int {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? 1_000_000 : Swift.min(product, 1_000_000)
  }
}
