import RasaCore
import RasaDocuments
import RasaPersona

/// Nodes, the edges between them, and what follows from both: branches, output, re-entry.
extension GraphCompiler {
  mutating func add(
    _ definition: OperatorDefinition, to frame: Int,
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) {
    var node = Graph.Node(
      definition: definition, frame: frame, substitute: nil, reads: definition.reads,
      writes: definition.writes.map { StatePath($0.key) }, routes: [], mayLeave: false)
    switch definition.memory {
    case .recall: node.writes = ["context.memories"]
    case .remember: node.writes = ["context.remembered"]
    case nil: break
    }
    if let compose = definition.compose {
      node.writes = [StatePath(compose.key)]
      node.reads += compose.parts.map(\.from)
    }
    if let output = definition.output {
      do throws(Failure) { node.schema = try Schema.compile(output) } catch {
        problems.append(located(error, at: definition.location))
      }
    }
    if case .run(let name) = definition.onError.otherwise {
      do throws(Failure) {
        let known = operators.first { $0.name == name }
        let substitute = if let known { known } else { try shipped(name) }
        node.substitute = substitute
        node.reads += substitute.reads
        node.writes += substitute.writes.map { StatePath($0.key) }
      } catch {
        problems.append(located(error, at: definition.location))
      }
    }
    delegate(&node)
    if definition.kind == .tool {
      problems.append(
        Failure(
          .configuration,
          "the operator `\(definition.name)` is of kind `\(definition.kind.rawValue)`, which this "
            + "version cannot run",
          mend: "use an operator of kind llm, human, memory, rule or agent", at: definition.location
        ))
    }
    graph.frames[frame].nodes.append(graph.nodes.count)
    graph.nodes.append(node)
  }

  mutating func connect() {
    for (index, frame) in persona.frames.enumerated() {
      for transition in frame.next { connect(transition, from: index) }
    }
    nameOutput()
    for index in graph.nodes.indices { connectRoutes(of: index) }
    checkBranches()
    graph.markPaths()
    nameReentry()
  }

  private mutating func bound(_ atMost: Int?) -> Graph.Bound? {
    guard let atMost else { return nil }
    defer { graph.counterCount += 1 }
    return Graph.Bound(counter: graph.counterCount, atMost: atMost)
  }

  private mutating func connect(_ transition: Transition, from index: Int) {
    var target: Int? = nil
    if transition.to != "end" {
      target = graph.frameIndex(named: transition.to)
      if target == nil {
        problems.append(
          unknown(
            "frame", transition.to, among: graph.frames.map(\.name) + ["end"],
            at: transition.location))
        return
      }
    }
    if let target,
      graph.frames[target].isBranch != graph.frames[index].isBranch
        || (graph.frames[index].isBranch && target != index)
    {
      problems.append(
        Failure(
          .configuration,
          "the frame `\(graph.frames[index].name)` cannot go to `\(transition.to)`: a branch may "
            + "only go back to itself, and is only entered through `parallel:`",
          mend: "go to a frame outside the branches, after they have joined",
          at: transition.location))
      return
    }
    graph.frames[index].transitions.append(
      Graph.Edge(target: target, when: transition.when, bound: bound(transition.atMost)))
  }

  private mutating func connectRoutes(of index: Int) {
    let definition = graph.nodes[index].definition
    for route in definition.then {
      let action: Graph.NodeRoute.Action
      switch route.action {
      case .review(let subject):
        let path = subject.map { StatePath($0) } ?? graph.nodes[index].writes.first ?? "draft"
        action = .review(subject: path)
      case .to("end"): action = .end
      case .to(let name):
        let frame = graph.nodes[index].frame
        if let node = node(named: name, near: frame) {
          action = .node(node)
        } else if let target = graph.frameIndex(named: name) {
          action = .frame(target)
        } else {
          problems.append(
            unknown(
              "operator or frame", name,
              among: graph.nodes.map(\.definition.name) + graph.frames.map(\.name) + ["end"],
              at: route.location))
          continue
        }
        let target = target(of: action)
        if let target, graph.frames[frame].isBranch || graph.frames[target].isBranch,
          target != frame
        {
          problems.append(
            Failure(
              .configuration,
              "the operator `\(definition.name)` cannot go to `\(name)`: a branch is entered only "
                + "through `parallel:` and left only at its end",
              mend: "go to an operator of the same branch", at: route.location))
          continue
        }
      }
      graph.nodes[index].routes.append(
        Graph.NodeRoute(
          when: route.when, action: action, bound: bound(route.atMost),
          skipping: route.skip.compactMap { graph.frameIndex(named: $0) }))
      graph.nodes[index].reads += route.when?.reads ?? []
    }
    if case .when(let condition) = definition.review { graph.nodes[index].reads += condition.reads }
    if definition.reviewSubject == .output {
      graph.nodes[index].reads += graph.outputParts.map(\.from)
    }
    let own = graph.nodes[index].writes
    let declared = Set(definition.reads)
    graph.nodes[index].reads.removeAll { path in
      !declared.contains(path) && own.contains { $0.overlaps(path) }
    }
    var reviewed = definition.isReviewer
    if case .never = definition.review {} else { reviewed = true }
    graph.nodes[index].mayLeave = reviewed || !graph.nodes[index].routes.isEmpty
  }

  /// The operator of that name in the same frame, else the only or first one elsewhere.
  private func node(named name: String, near frame: Int) -> Int? {
    graph.nodes.firstIndex { $0.definition.name == name && $0.frame == frame }
      ?? graph.nodes.firstIndex { $0.definition.name == name }
  }

  private func target(of action: Graph.NodeRoute.Action) -> Int? {
    switch action {
    case .node(let node): graph.nodes[node].frame
    case .frame(let frame): frame
    case .end, .review: nil
    }
  }

  /// Branches run in any interleaving, so what one writes no other may read or write.
  private mutating func checkBranches() {
    for frame in graph.frames {
      for (place, left) in frame.branches.enumerated() {
        for right in frame.branches[(place + 1)...] {
          for (one, other) in [(left, right), (right, left)] {
            let writes = graph.frames[one].nodes.flatMap { graph.nodes[$0].writes }
            let touched = graph.frames[other].nodes.flatMap {
              graph.nodes[$0].reads + graph.nodes[$0].writes
            }
            if let clash = writes.first(where: { path in touched.contains { $0.overlaps(path) } }) {
              problems.append(
                Failure(
                  .configuration,
                  "the branches `\(graph.frames[one].name)` and `\(graph.frames[other].name)` "
                    + "both touch `\(clash)`, so their order would matter",
                  mend: "let one of them run before or after the other, or use another key",
                  at: frame.location))
            }
          }
        }
      }
    }
  }

  private mutating func nameOutput() {
    if let composed = graph.nodes.last(where: { $0.definition.compose?.key == "output" }) {
      graph.outputParts = composed.definition.compose?.parts ?? []
    } else if graph.nodes.contains(where: { $0.writes.contains("output") }) {
      graph.outputParts = [Composition.Part(from: "output")]
    } else if graph.nodes.contains(where: { $0.writes.contains("draft") }) {
      graph.outputParts = [Composition.Part(from: "draft")]
    } else {
      problems.append(
        Failure(
          .configuration, "nothing in the persona `\(persona.name)` writes `output` or `draft`",
          mend: "add the operator `respond`, or a rule that sets `output`", at: persona.location))
    }
  }

  private mutating func nameReentry() {
    let main = graph.frames.indices.filter { !graph.frames[$0].isBranch }
    graph.reentry =
      main.first { graph.frames[$0].kind == .shortTerm }
      ?? main.first { graph.frames[$0].kind == .session } ?? 0
    guard let drafting = graph.writer(of: "draft"), graph.nodes[drafting].frame < graph.reentry,
      !graph.frames[graph.nodes[drafting].frame].isBranch
    else { return }
    graph.reentryPrelude = drafting
  }
}

extension Graph {
  /// Gives every written path a bit (bits are shared beyond 64 paths, which only makes operators
  /// wait for each other more often than they need to).
  mutating func markPaths() {
    var bits: [StatePath: UInt64] = [:]
    for path in nodes.flatMap(\.writes) where bits[path] == nil {
      bits[path] = 1 << UInt64(bits.count % 64)
    }
    let frames = frames
    facts = nodes.map { node in
      var facts = Graph.NodeFacts(
        mayLeave: node.mayLeave, isRule: node.definition.kind == .rule,
        kind: frames[node.frame].kind)
      for (path, bit) in bits {
        if node.writes.contains(where: { $0.overlaps(path) }) { facts.writeMask |= bit }
        if node.reads.contains(where: { $0.overlaps(path) }) { facts.readMask |= bit }
      }
      return facts
    }
  }
}
