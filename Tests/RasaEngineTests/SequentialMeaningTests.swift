import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

/// What the runtime promises, spelled out without any scheduling: one operator after the other, in
/// list order, each seeing everything written before.
struct SequentialOracle {
  let graph: Graph
  var state: State
  var visits: [Int]
  var taken: [Int]
  var steps = 0
  var trace: [String] = []
  let act: (Graph.Node, (StatePath) -> Value) -> [Update]

  init(_ graph: Graph, _ act: @escaping (Graph.Node, (StatePath) -> Value) -> [Update]) {
    self.graph = graph
    self.act = act
    state = graph.openingState(
      start(graph), context: ["session": [], "notes": [], "memories": []])
    visits = Array(repeating: 0, count: graph.frames.count)
    taken = Array(repeating: 0, count: graph.counterCount)
  }

  /// Returns false when the step limit ended the run.
  mutating func run() -> Bool {
    var place: (frame: Int, from: Int)? = (0, 0)
    while let (frame, from) = place {
      place = visit(frame, from: from)
      if steps > graph.persona.limits.steps { return false }
    }
    return true
  }

  private mutating func holds(_ when: Guard?, _ bound: Graph.Bound?) -> Bool {
    guard when.map({ $0.evaluate { state[$0] }.holds }) ?? true else { return false }
    guard let bound else { return true }
    guard taken[bound.counter] < bound.atMost else { return false }
    taken[bound.counter] += 1
    return true
  }

  private mutating func visit(_ index: Int, from start: Int) -> (frame: Int, from: Int)? {
    let frame = graph.frames[index]
    visits[index] += 1
    trace.append("\(frame.name):\(visits[index])")
    for node in frame.nodes.dropFirst(start) {
      let node = graph.nodes[node]
      steps += 1
      if steps > graph.persona.limits.steps { return nil }
      state.apply(act(node, state.reader(in: frame.kind)))
      for route in node.routes where holds(route.when, route.bound) {
        switch route.action {
        case .node(let target):
          let next = graph.nodes[target].frame
          return (next, graph.frames[next].nodes.firstIndex(of: target) ?? 0)
        case .frame(let target): return (target, 0)
        case .end: return nil
        case .review: break
        }
      }
    }
    for branch in frame.branches {
      var place: (frame: Int, from: Int)? = (branch, 0)
      while let (next, from) = place { place = visit(next, from: from) }
    }
    for edge in frame.transitions where holds(edge.when, edge.bound) {
      return edge.target.map { ($0, 0) }
    }
    return frame.following.map { ($0, 0) }
  }
}

@Suite("Sequential meaning")
struct SequentialMeaningTests {
  /// An operator's effect as a pure function of what it may see.
  static func act(_ node: Graph.Node, _ read: (StatePath) -> Value) -> [Update] {
    var hash: UInt64 = 14_695_981_039_346_656_037
    func mix(_ text: String) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 1_099_511_628_211 }
    }
    mix(node.definition.name)
    for path in node.definition.reads { mix(read(path).json(.canonical)) }
    return node.writes.map { Update($0, .int(Int64(hash % 7))) }
  }

  static func randomPersona(_ chance: inout SeededNumbers) throws -> PersonaDefinition {
    let keys = ["draft", "k1", "k2", "k3", "k4", "k5"]
    let frameCount = 1 + chance.upTo(4)
    var operators: [OperatorDefinition] = []
    var frames: [FrameDefinition] = []
    for frameIndex in 0..<frameCount {
      var names: [String] = []
      for place in 0..<(1 + chance.upTo(4)) {
        let name = "o\(frameIndex)_\(place)"
        let reads = keys.filter { _ in chance.happens(oneIn: 3) }.map { StatePath($0) }
        let writes = keys.filter { _ in chance.happens(oneIn: 4) }
          .map { Write(key: $0, type: .number) }
        var then: [Route] = []
        if chance.happens(oneIn: 4), let guardKey = writes.first?.key {
          let target = "o\(chance.upTo(frameIndex + 1))_0"
          then.append(
            try route(target, when: "\(guardKey) > \(chance.upTo(6))", atMost: 1 + chance.upTo(3)))
        }
        operators.append(
          OperatorDefinition(
            name: name, kind: .llm, reads: reads, optionalReads: Set(reads), writes: writes,
            prompt: try Template.compile("x"), then: then))
        names.append(name)
      }
      var next: [Transition] = []
      if chance.happens(oneIn: 3) {
        next.append(
          try transition(
            "f\(chance.upTo(frameCount))", when: "draft > \(chance.upTo(6))",
            atMost: 1 + chance.upTo(3)))
      }
      frames.append(frame("f\(frameIndex)", .session, operators: names, next: next))
    }
    operators.append(
      OperatorDefinition(
        name: "drafter", kind: .llm, writes: [Write(key: "draft", type: .number)],
        prompt: try Template.compile("x")))
    frames[0].operators?.append("drafter")
    if chance.happens(oneIn: 2) {
      // A pair of branches with keys of their own.
      for (name, key) in [("left", "l"), ("right", "r")] {
        let reads = keys.filter { _ in chance.happens(oneIn: 2) }.map { StatePath($0) }
        operators.append(
          OperatorDefinition(
            name: name, kind: .llm, reads: reads, optionalReads: Set(reads),
            writes: [Write(key: key, type: .number)], prompt: try Template.compile("x"),
            then: [try route(name, when: "\(key) > 2", atMost: 2)]))
        frames.append(frame("branch_\(name)", .session, operators: [name]))
      }
      frames[frameCount - 1].parallel = ["branch_left", "branch_right"]
      frames.append(frame("joined", .session, operators: ["joiner"]))
      operators.append(
        OperatorDefinition(
          name: "joiner", kind: .llm, reads: ["l", "r"], optionalReads: ["l", "r"],
          writes: [Write(key: "k5", type: .number)], prompt: try Template.compile("x")))
    }
    return persona(frames: frames, operators: operators, limits: RunLimits(steps: 60))
  }

  /// Runs the machine with the outcomes arriving in an order of chance.
  static func overlapped(_ graph: Graph, _ chance: inout SeededNumbers) throws -> (
    RunMachine, [String], Int
  ) {
    var machine = RunMachine(graph: graph)
    try machine.apply(.contextOpened(["session": [], "notes": [], "memories": []]))
    try machine.apply(.started(start(graph)))
    var open: [Invocation] = []
    var entered: [String] = []
    var widest = 0
    while machine.status == .running {
      open += machine.due()
      widest = max(widest, open.count)
      guard !open.isEmpty else { break }
      let invocation = open.remove(at: chance.upTo(open.count))
      let node = graph.nodes[invocation.node]
      let kind = graph.frames[node.frame].kind
      try machine.apply(
        .operatorFinished(
          invocation.step, .wrote(act(node, invocation.view.reader(in: kind)))))
      for case .frameEntered(let frame, let visit) in machine.drainEvents() {
        entered.append("\(frame):\(visit)")
      }
    }
    return (machine, entered, widest)
  }

  @Test("overlapped equals sequential, byte for byte, over random graphs")
  func overlappedEqualsSequential() async throws {
    var compared = 0
    var overlapping = 0
    var seed: UInt64 = 0
    while compared < 600 {
      seed += 1
      // Other tests share the two threads that tasks run on.
      await Task.yield()
      var chance = SeededNumbers(seed: seed)
      let definition = try Self.randomPersona(&chance)
      // Some random graphs are rightly refused (a frame nobody can reach).
      guard let graph = try? compile(definition) else { continue }
      compared += 1
      var oracle = SequentialOracle(graph, Self.act)
      let ended = oracle.run()
      let (machine, entered, widest) = try Self.overlapped(graph, &chance)
      if widest > 1 { overlapping += 1 }
      guard ended else {
        guard case .failed(let failure) = machine.status, failure.kind == .limit else {
          Issue.record("seed \(seed): the step limit was not kept: \(machine.status)")
          return
        }
        continue
      }
      let same =
        machine.state.value.jsonBytes(.canonical) == oracle.state.value.jsonBytes(.canonical)
      guard same, machine.steps == oracle.steps else {
        Issue.record(
          """
          seed \(seed): overlapped and sequential runs differ
          \(machine.state.value.json(.canonical))
          \(oracle.state.value.json(.canonical))
          """)
        return
      }
      // Branches may be entered again in any interleaving; everything else is in order.
      let isBranch = { (entry: String) in entry.hasPrefix("branch_") }
      #expect(entered.filter { !isBranch($0) } == oracle.trace.filter { !isBranch($0) })
      #expect(entered.sorted() == oracle.trace.sorted())
    }
    // The comparison would say nothing if hardly anything overlapped.
    #expect(overlapping > compared / 4)
  }
}
