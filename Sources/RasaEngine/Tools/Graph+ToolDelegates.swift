import RasaCore
import RasaPersona

extension Graph.Node {
  /// Who does the work of a tool of that name.
  func toolDelegate(_ definition: OperatorDefinition, _ tool: String) -> Graph.ToolDelegate? {
    toolDelegates.first {
      $0.operatorName == definition.name && $0.description.name == tool
    }
  }

  func toolDelegates(of definition: OperatorDefinition) -> [Graph.ToolDelegate] {
    toolDelegates.filter { $0.operatorName == definition.name }
  }
}

extension Graph.ToolDelegate {
  /// What came of its work: an agent's answer, what an operator wrote.
  func value(of ended: (output: Value, state: State)) -> Value {
    switch work {
    case .agent: return ended.output
    case .operator:
      if writes.count == 1, let write = writes.first { return ended.state[StatePath(write.key)] }
      return .object(ValueObject(writes.map { ($0.key, ended.state[StatePath($0.key)]) }))
    }
  }

  func result(of ended: (output: Value, state: State)) -> ToolResult {
    let value = value(of: ended)
    guard let text = value.string else { return ToolResult(structured: value) }
    return ToolResult([.text(text)])
  }
}

/// Operators and agents that are named under `tools:`, compiled with the persona like agents that work for it.
extension GraphCompiler {
  mutating func delegateTools(_ node: inout Graph.Node) {
    for definition in [node.definition, node.substitute].compactMap(\.self)
    where definition.kind == .llm || definition.kind == .tool {
      let references =
        definition.kind == .tool && definition.tools.isEmpty ? [""] : definition.tools
      for reference in references {
        do throws(Failure) {
          if let delegate = try toolDelegate(reference, of: definition) {
            node.toolDelegates.append(delegate)
          }
        } catch {
          problems.append(located(error, at: definition.location))
        }
      }
    }
  }

  /// Nil for what is a tool from outside.
  private mutating func toolDelegate(
    _ reference: String, of definition: OperatorDefinition
  ) throws(Failure) -> Graph.ToolDelegate? {
    let prefix = "agent:"
    if reference.hasPrefix(prefix) {
      let name = String(reference.dropFirst(prefix.count))
      let graph = try compiled(agent: name, for: definition)
      return Graph.ToolDelegate(
        operatorName: definition.name,
        description: ToolDescription(
          name: reference,
          text: graph.persona.description.isEmpty
            ? "Has the agent `\(name)` do a task." : graph.persona.description,
          parameters: [
            "type": "object",
            "properties": [
              "task": [
                "type": "string",
                "description": "What is to be done, with all that it needs to know.",
              ]
            ], "required": ["task"],
          ], sideEffects: .none, origin: .agent), work: .agent, graph: graph)
    }
    guard let work = try workingOperator(reference) else { return nil }
    return try toolDelegate(work, of: definition)
  }

  /// The operator of that name, unless it is only another name of a tool.
  func workingOperator(_ name: String) throws(Failure) -> OperatorDefinition? {
    if tools?.contains(name) == true || name.utf8.contains(UInt8(ascii: ":")) { return nil }
    if try declaration(name, where: { !$0.isServer }) != nil { return nil }
    var known = operators[name]
    if known == nil { known = try? shipped(name) }
    guard let known, !(known.kind == .tool && known.tools == [name]) else { return nil }
    return known
  }

  private mutating func toolDelegate(
    _ work: OperatorDefinition, of definition: OperatorDefinition
  ) throws(Failure) -> Graph.ToolDelegate {
    let inputs = work.reads.filter { $0 == .input || !State.provided.contains($0.key) }
      .map { (name: String($0.description.map { $0 == "." ? "_" : $0 }), path: $0) }
    let graph = try compiled(work, for: definition)
    var properties = ValueObject()
    for (name, path) in inputs { properties[name] = argumentSchema(of: path) }
    let required = inputs.filter { !work.optionalReads.contains($0.path) }
    var parameters: ValueObject = ["type": "object", "properties": .object(properties)]
    if !required.isEmpty { parameters["required"] = .array(required.map { .string($0.name) }) }
    return Graph.ToolDelegate(
      operatorName: definition.name,
      description: ToolDescription(
        name: work.name,
        text: work.description.isEmpty ? "Does the work of `\(work.name)`." : work.description,
        parameters: .object(parameters), sideEffects: .none, origin: .operator),
      work: .operator(inputs: inputs), graph: graph, writes: work.writes)
  }

  /// As whoever writes the key declares it.
  private func argumentSchema(of path: StatePath) -> Value {
    let write = operators.all.lazy.flatMap(\.writes).first { $0.key == path.key }
    guard path != .input, path.components.count == 1, let write else { return ["type": "string"] }
    switch write.type {
    case .text: return ["type": "string"]
    case .number: return ["type": "number"]
    case .boolean: return ["type": "boolean"]
    case .list: return ["type": "array", "items": [:]]
    case .object: return ["type": "object"]
    case .any: return [:]
    }
  }

  /// The operator as a persona of its own: the same budget and limits, one frame, what it writes as its end.
  private mutating func compiled(
    _ work: OperatorDefinition, for definition: OperatorDefinition
  ) throws(Failure) -> Graph {
    let place = "\(persona.name)/\(work.name)"
    if let known = delegateGraphs[place] { return known }
    var inner = work
    inner.then = []
    inner.frame = nil
    inner.optionalReads = Set(inner.reads)
    var alone = persona
    alone.operators = [inner]
    alone.limits.ownSeconds = nil
    alone.agent = nil
    // Those of the persona are asked for whoever works for it.
    alone.hooks = []
    if !inner.writes.contains(where: { $0.key == "output" || $0.key == "draft" }),
      let write = inner.writes.first
    {
      alone.operators.append(
        OperatorDefinition(
          name: "\(work.name)_result", kind: .rule, reads: [StatePath(write.key)],
          optionalReads: [StatePath(write.key)], writes: [Write(key: "output", type: .any)],
          rules: [Rule(set: [("output", .path(StatePath(write.key)))])], location: work.location))
    }
    alone.frames = [
      FrameDefinition(
        name: "call", kind: .session, operators: alone.operators.map(\.name),
        location: work.location)
    ]
    let (outer, shipped) = (operators, shipped)
    let graph = try compiled(
      alone, named: place, for: definition,
      operators: { name throws(Failure) in
        if let known = outer[name] { return known }
        return try shipped(name)
      })
    delegateGraphs[place] = graph
    return graph
  }
}
