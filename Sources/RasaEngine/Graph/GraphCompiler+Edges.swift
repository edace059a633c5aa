import RasaCore
import RasaDocuments
import RasaPersona

/// Nodes, the edges between them, and what follows from both: branches, output, re-entry.
extension GraphCompiler {
  mutating func add(
    _ definition: OperatorDefinition, to frame: Int,
    _ shipped: (String) throws(Failure) -> OperatorDefinition
  ) {
    let definition = definition.inheriting(persona)
    var node = Graph.Node(
      definition: definition, frame: frame, substitute: nil, reads: definition.reads,
      writes: definition.writes.map { StatePath($0.key) }, routes: [], mayLeave: false)
    // Where an answer goes that no key was named for: whoever reads it has to wait for it.
    if node.writes.isEmpty, definition.kind == .llm {
      node.writes = [.draft]
    }
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
        let substitute = if let known = operators[name] { known } else { try shipped(name) }
        node.substitute = substitute.inheriting(persona)
        node.reads += substitute.reads
        node.writes += substitute.writes.map { StatePath($0.key) }
      } catch {
        problems.append(located(error, at: definition.location))
      }
    }
    delegate(&node)
    node.definition.tools = usableTools(of: node.definition, shipped)
    if let substitute = node.substitute {
      node.substitute?.tools = usableTools(of: substitute, shipped)
    }
    delegateTools(&node)
    graph.frames[frame].nodes.append(graph.nodes.count)
    graph.nodes.append(node)
  }

  mutating func connect() {
    for (index, node) in graph.nodes.enumerated() {
      nodePlaces[node.definition.name, default: []].append(index)
    }
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
      target = framePlaces[transition.to]
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
          suggestion: "go to a frame outside the branches, after they have joined",
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
        // An agent goes back over frames, one of which may have its own name.
        if route.isLoop, let target = framePlaces[name] {
          action = .frame(target)
        } else if let node = node(named: name, near: frame) {
          action = .node(node)
        } else if let target = framePlaces[name] {
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
              suggestion: "go to an operator of the same branch", at: route.location))
          continue
        }
      }
      graph.nodes[index].routes.append(
        Graph.NodeRoute(
          when: route.when, action: action, bound: bound(route.atMost),
          skipping: route.skip.compactMap { framePlaces[$0] }, isLoop: route.isLoop))
      graph.nodes[index].reads += route.when?.reads ?? []
    }
    if case .when(let condition) = definition.review { graph.nodes[index].reads += condition.reads }
    if definition.reviewSubject == .output {
      graph.nodes[index].reads += graph.outputParts.map(\.from)
    }
    let declared = Set(definition.reads)
    if graph.nodes[index].reads.contains(where: { !declared.contains($0) }) {
      let own = PathSet(graph.nodes[index].writes)
      graph.nodes[index].reads.removeAll { !declared.contains($0) && own.overlaps($0) }
    }
    var reviewed = definition.isReviewer
    if case .never = definition.review {} else { reviewed = true }
    graph.nodes[index].mayLeave = reviewed || !graph.nodes[index].routes.isEmpty
  }

  /// The operator of that name in the same frame, else the only or first one elsewhere.
  private func node(named name: String, near frame: Int) -> Int? {
    let places = nodePlaces[name] ?? []
    return places.first { graph.nodes[$0].frame == frame } ?? places.first
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
    var clashes = 0
    for frame in graph.frames {
      let contested = contested(among: frame.branches)
      if contested.isEmpty { continue }
      func paths(_ branch: Int, _ of: (Graph.Node) -> [StatePath]) -> [StatePath] {
        graph.frames[branch].nodes.flatMap { of(graph.nodes[$0]) }
          .filter { contested.contains($0.key) }
      }
      let branches = frame.branches.map { branch in
        (
          index: branch, writes: paths(branch, \.writes),
          touched: paths(branch) { $0.reads + $0.writes }
        )
      }
      for (place, left) in branches.enumerated() {
        for right in branches[(place + 1)...] where !left.writes.isEmpty || !right.writes.isEmpty {
          for (one, other) in [(left, right), (right, left)] {
            guard
              let clash = one.writes.first(where: { path in
                other.touched.contains { $0.overlaps(path) }
              })
            else { continue }
            problems.append(
              Failure(
                .configuration,
                "the branches `\(graph.frames[one.index].name)` and "
                  + "`\(graph.frames[other.index].name)` both touch `\(clash)`, so their order "
                  + "would matter",
                suggestion: "let one of them run before or after the other, or use another key",
                at: frame.location))
            clashes += 1
            // Of n branches that write one key each pair clashes: the first ones say it all.
            if clashes == Self.mostClashes { return }
          }
        }
      }
    }
  }

  private static let mostClashes = 100

  /// The keys below which one branch writes something and another touches something.
  private func contested(among branches: [Int]) -> Set<String> {
    if branches.count < 2 { return [] }
    /// The only branch that touches a key so far; nil where there are several.
    var touching: [String: Int?] = [:]
    var written: Set<String> = []
    for branch in branches {
      for node in graph.frames[branch].nodes {
        for path in graph.nodes[node].reads + graph.nodes[node].writes {
          switch touching[path.key] {
          case nil: touching[path.key] = .some(branch)
          case .some(let other?) where other != branch: touching[path.key] = .some(nil)
          default: break
          }
        }
        for path in graph.nodes[node].writes { written.insert(path.key) }
      }
    }
    return written.filter { touching[$0] == .some(nil) }
  }

  private mutating func nameOutput() {
    let writers = graph.nodes.filter { $0.writes.contains("output") }
    // Beside another writer, the output is not always what is composed.
    if let composed = writers.last?.definition.compose, writers.count == 1 {
      graph.outputParts = composed.parts
    } else if graph.nodes.contains(where: { $0.writes.contains("output") }) {
      graph.outputParts = [Composition.Part(from: "output")]
    } else if graph.nodes.contains(where: { $0.writes.contains("draft") }) {
      graph.outputParts = [Composition.Part(from: "draft")]
    } else if !isPartial {
      problems.append(
        Failure(
          .configuration, "nothing in the persona `\(persona.name)` writes `output` or `draft`",
          suggestion: "add the operator `respond`, or a rule that sets `output`",
          at: persona.location))
    }
  }

  private mutating func nameReentry() {
    let main = mainFrames
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
    var known: Set<StatePath> = []
    var bits: [String: [(path: StatePath, bit: UInt64)]] = [:]
    for node in nodes {
      for path in node.writes where !known.contains(path) {
        bits[path.key, default: []].append((path, 1 << UInt64(known.count % 64)))
        known.insert(path)
      }
    }
    func mask(_ paths: [StatePath]) -> UInt64 {
      paths.reduce(0) { mask, path in
        (bits[path.key] ?? []).reduce(mask) { $1.path.overlaps(path) ? $0 | $1.bit : $0 }
      }
    }
    let frames = frames
    facts = nodes.map { node in
      var facts = Graph.NodeFacts(
        mayLeave: node.mayLeave, isRule: node.definition.kind == .rule,
        kind: frames[node.frame].kind)
      facts.writeMask = mask(node.writes)
      facts.readMask = mask(node.reads)
      return facts
    }
  }
}
