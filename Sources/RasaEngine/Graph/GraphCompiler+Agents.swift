import RasaCore
import RasaPersona

/// Personas and agents that work inside another one: each is compiled with it, so that a run knows
/// before it begins all that can happen in it.
extension GraphCompiler {
  /// What looks up those that operators name; nil when there is none of that name.
  package typealias Delegates = (String) throws(Failure) -> PersonaDefinition?

  /// `agent:` in a frame is short for one operator: it is asked the input and what the frames before
  /// made, and what it says is the draft and a key of the frame's own name.
  mutating func addAgentFrames() {
    let workers = persona.frames.filter { $0.agent != nil }
    let uses = Dictionary(workers.map { ($0.agent, 1) }, uniquingKeysWith: +)
    for (index, frame) in persona.frames.enumerated() {
      guard let agent = frame.agent else { continue }
      let isShared = (uses[agent] ?? 0) > 1
      let name = isShared ? "\(agent)-\(frame.name)" : agent
      guard !operators.contains(name) else {
        problems.append(
          Failure(
            .configuration, "the operator `\(name)` and the agent of `\(frame.name)` share a name",
            suggestion: "name the agent in the operator, or leave the operator out",
            at: frame.location))
        continue
      }
      var work = OperatorDefinition(
        name: name, kind: .agent, agent: agent, location: frame.location)
      work.writes = [Write(key: frame.ownKey, type: .text)]
      let isBranch = graph.frames[index].isBranch
      if !isBranch { work.writes.append(Write(key: "draft", type: .text)) }
      work.reads = ["input", "preferences", "feedback"]
      for other in workers
      where other.ownKey != frame.ownKey && !(isBranch && isBranchFrame(other.name)) {
        work.reads.append(StatePath(other.ownKey))
      }
      work.optionalReads = Set(work.reads.dropFirst())
      work.sections = work.reads.filter { $0 != .preferences }
      operators.append(work)
      agentFrames[index] = name
    }
  }

  private func isBranchFrame(_ name: String) -> Bool {
    framePlaces[name].map { graph.frames[$0].isBranch } ?? false
  }

  /// Compiles the personas and agents that work for the operator or for its substitute.
  mutating func delegate(_ node: inout Graph.Node) {
    for definition in [node.definition, node.substitute].compactMap(\.self)
    where definition.kind == .agent {
      do throws(Failure) {
        let graph = try compiled(definition)
        node.delegates.append(Graph.Delegate(operatorName: definition.name, graph: graph))
        if definition.name == node.definition.name, let loop = graph.persona.agent?.loop {
          goBack(loop, &node)
        }
      } catch {
        problems.append(located(error, at: definition.location))
      }
    }
  }

  private mutating func compiled(_ definition: OperatorDefinition) throws(Failure) -> Graph {
    try compiled(agent: definition.agent ?? "", for: definition)
  }

  mutating func compiled(
    agent name: String, for definition: OperatorDefinition
  ) throws(Failure) -> Graph {
    // Who works in many frames is made ready once.
    if let known = delegateGraphs[name] { return known }
    try checkWay(to: name, for: definition)
    guard let persona = try delegates(name) else {
      throw Failure(
        .configuration, "there is no persona or agent `\(name)`",
        suggestion: "`rasa agents list` and `rasa personas list` show which there are",
        at: definition.location)
    }
    if persona.agent != nil { try narrowing.require(name, at: definition.location) }
    let graph = try compiled(persona, named: name, for: definition, operators: shipped)
    delegateGraphs[name] = graph
    return graph
  }

  /// Throws where it would work for itself, or too deep.
  private func checkWay(to name: String, for definition: OperatorDefinition) throws(Failure) {
    let way = way + [persona.name]
    if way.contains(name) {
      throw Failure(
        .configuration,
        "`\(name)` would work for itself: \((way + [name]).joined(separator: " → "))",
        suggestion: "let one of them end the chain; a bounded repetition is a loop "
          + "(`loop_behavior`, or a route with `at_most`)", at: definition.location)
    }
    guard way.count <= deepest else {
      throw Failure(
        .configuration,
        "agents work for each other \(way.count) deep, and `limits: {depth: \(deepest)}` allows no "
          + "more: \((way + [name]).joined(separator: " → "))",
        suggestion: "raise `limits: {depth: …}` in `\(way[0])`, or shorten the chain",
        at: definition.location)
    }
  }

  func compiled(
    _ persona: PersonaDefinition, named name: String, for definition: OperatorDefinition,
    operators: @escaping (String) throws(Failure) -> OperatorDefinition
  ) throws(Failure) -> Graph {
    // An operator of this persona has it as its own.
    let isOwn = persona.name == self.persona.name
    if isOwn { try checkWay(to: name, for: definition) }
    do {
      return try Graph.compile(
        persona, operators: operators, delegates: delegates,
        way: isOwn ? way + [name] : way + [self.persona.name], deepest: deepest,
        narrowing: narrowing, tools: tools, declared: declared)
    } catch {
      var failure = error
      failure.details.append("in `\(name)`, which works for `\(definition.name)`")
      throw failure
    }
  }

  /// An agent may want the frames before it once more.
  private mutating func goBack(_ loop: LoopBehavior, _ node: inout Graph.Node) {
    guard let first = node.definition.writes.first else { return }
    let key = "\(first.key)_loop"
    node.definition.writes.append(Write(key: key, type: .object))
    node.writes.append(StatePath(key))
    let main = mainFrames
    let place = main.firstIndex(of: node.frame)
    let target = place.map { main[max(0, $0 - loop.steps)] } ?? node.frame
    for name in loop.skip where framePlaces[name] == nil {
      graph.warnings.append(
        Warning(
          "the agent `\(node.definition.agent ?? "")` leaves out the frame `\(name)` when it goes "
            + "back, and there is none of that name here", at: node.definition.location))
    }
    do throws(Failure) {
      var route = Route(
        when: try Guard.compile("\(key).again == true"), action: .to(graph.frames[target].name),
        atMost: loop.maxIterations, skip: loop.skip, location: node.definition.location)
      route.isLoop = true
      node.definition.then.append(route)
    } catch {
      problems.append(located(error, at: node.definition.location))
    }
  }
}

extension FrameDefinition {
  /// The key that its agent writes.
  var ownKey: String {
    let key = String(name.map { $0 == "-" ? "_" : $0 })
    return State.provided.contains(key) || key == "draft" || key == "output" ? "\(key)_result" : key
  }
}
