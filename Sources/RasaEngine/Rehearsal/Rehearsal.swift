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
    var machine = RunMachine(graph: self)
    machine.apply(.contextOpened(["session": [], "notes": [], "memories": []]))
    machine.apply(.started(start))
    var state = machine.state
    for path in nodes.flatMap(\.writes) where path.key != "context" {
      state.write(.string("‹\(path)›"), at: path)
    }
    let most = GraphFlow(self).mostRuns()
    var calls: [RehearsedCall] = []
    for (index, node) in nodes.enumerated() where node.definition.kind == .llm {
      let frame = frames[node.frame]
      let step = Step(frame: frame.name, visit: 1, operatorName: node.definition.name)
      let tries = 1 + node.definition.onError.retry
      let repairs = node.definition.output == nil ? 1 : 2
      calls.append(
        RehearsedCall(
          frame: frame.name, operatorName: node.definition.name,
          request: Prompt.request(
            for: node.definition, view: state, kind: frame.kind, system: systemMessage),
          context: callContext(start, node.definition, step.effect("call"), profile: profile),
          most: most[index] * tries * repairs))
    }
    return calls
  }

  /// Who asks, and under which limits.
  func callContext(
    _ start: RunStart, _ definition: OperatorDefinition, _ key: EffectKey,
    profile: PerformanceProfile?
  ) -> CallContext {
    CallContext(
      run: start.run, key: key, persona: start.persona, models: persona.models,
      profile: profile ?? definition.profile ?? persona.profile,
      budget: persona.budget, runLimit: persona.limits.cost)
  }
}

extension Graph {
  /// How many model calls one run can make at most, people's corrections not counted.
  package var mostCalls: Int {
    let most = GraphFlow(self).mostRuns()
    return nodes.indices.filter { nodes[$0].definition.kind == .llm }.reduce(0) { sum, index in
      let definition = nodes[index].definition
      return sum + most[index] * (1 + definition.onError.retry) * (definition.output == nil ? 1 : 2)
    }
  }
}
