import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

@Suite("Graph: what paths can do")
struct GraphFlowTests {
  /// A graph put together and not yet checked, and what was wrong with its parts.
  private func unchecked(_ persona: PersonaDefinition) throws -> (Graph, [Failure]) {
    var compiler = GraphCompiler(
      persona: persona, shipped: shipped, delegates: worker, way: [], deepest: 4)
    try compiler.resolve(shipped)
    compiler.connect()
    return (compiler.graph, compiler.problems)
  }

  @Test("is told as by whoever follows every path", arguments: 0..<400)
  func asOracle(_ seed: Int) throws {
    var chance = SeededNumbers(seed: UInt64(seed))
    let persona = try RandomPersona.make(&chance)
    let (graph, problems) = try unchecked(persona)
    let (flow, naive) = (GraphFlow(graph), NaiveFlow(graph))
    #expect(
      flow.readsBeforeWrites().map(\.description) == naive.readsBeforeWrites().map(\.description))
    #expect(flow.unreachable().map(\.message) == naive.unreachable().map(\.message))
    #expect(flow.unboundedCycles().isEmpty == naive.unboundedCycles().isEmpty)
    #expect(flow.mostRuns() == naive.mostRuns())
    var (annotated, expected) = (graph, graph)
    flow.annotate(&annotated)
    naive.annotate(&expected)
    #expect(annotated.facts.map(\.openParts) == expected.facts.map(\.openParts))
    #expect(annotated.frames.map(\.openParts) == expected.frames.map(\.openParts))
    #expect(annotated.nodes.map(\.isLive) == expected.nodes.map(\.isLive))
    #expect(graph.facts.map { [$0.readMask, $0.writeMask] } == naive.masks())
    let clashes = naive.clashes()
    #expect(
      problems.map(\.message).filter { $0.hasPrefix("the branches") } == Array(clashes.prefix(100)))
  }

  @Test("is told of more parts than a word has bits")
  func manyParts() throws {
    var operators: [OperatorDefinition] = []
    for number in 0..<150 {
      operators.append(
        try model("o\(number)", reads: ["input"], writes: [text("k\(number)")]))
    }
    operators.append(
      OperatorDefinition(
        name: "put_together", kind: .rule, reads: (0..<150).map { StatePath("k\($0)") },
        writes: [text("output")],
        compose: Composition(
          key: "output", parts: (0..<150).map { .init(from: StatePath("k\($0)")) })))
    let (graph, _) = try unchecked(persona(frames: [frame("a")], operators: operators))
    var (annotated, expected) = (graph, graph)
    GraphFlow(graph).annotate(&annotated)
    NaiveFlow(graph).annotate(&expected)
    #expect(annotated.nodes.map(\.isLive) == expected.nodes.map(\.isLive))
    #expect(annotated.nodes.count(where: \.isLive) == 150)
    #expect(annotated.facts.map(\.openParts) == expected.facts.map(\.openParts))
  }

  @Test("a path is looked up as one by one", arguments: 0..<50)
  func pathSets(_ seed: Int) {
    var chance = SeededNumbers(seed: UInt64(seed))
    func path(_ chance: inout SeededNumbers) -> StatePath {
      let names = ["a", "b", "c"]
      var components: [String] = []
      for _ in 0...chance.upTo(3) { components.append(names[chance.upTo(3)]) }
      return StatePath(components)
    }
    let paths = (0..<chance.upTo(6)).map { _ in path(&chance) }
    let set = PathSet(paths)
    for _ in 0..<50 {
      let asked = path(&chance)
      #expect(set.overlaps(asked) == paths.contains { $0.overlaps(asked) })
      #expect(
        set.covers(asked) == paths.contains { asked.components.starts(with: $0.components) })
    }
  }

  /// Personas as a generator would write them, of the kinds that took more than linear time. There
  /// are so many operators that anything quadratic is felt.
  enum Large: CaseIterable {
    case chain, frames, branches

    func persona(of count: Int) throws -> PersonaDefinition {
      var operators: [OperatorDefinition] = []
      var frames: [FrameDefinition] = []
      for number in 0..<count {
        let (name, key) = ("o\(number)", "k\(number)")
        let before = number == 0 ? "input" : "k\(number - 1)"
        let writes = number == count - 1 ? [text(key), text("draft")] : [text(key)]
        switch self {
        case .chain:
          var then: [Route] = []
          if number % 3 == 2 {
            then = [try route("o\(number - 1)", when: "\(before) == 'x'", atMost: 2)]
          }
          operators.append(
            try model(
              name, reads: [StatePath(before)], writes: writes, prompt: "{{\(before)}}",
              then: then))
        case .frames:
          operators.append(try model(name, reads: ["input"], writes: writes))
          let back = try transition("f\(max(0, number - 1))", when: "\(key) == 'x'", atMost: 2)
          frames.append(frame("f\(number)", .session, operators: [name], next: [back]))
        case .branches:
          operators.append(try model(name, reads: ["input"], writes: writes))
          frames.append(frame("f\(number)", .session, operators: [name]))
        }
      }
      switch self {
      case .chain: frames = [frame("a")]
      case .frames: break
      case .branches: frames.insert(frame("a", parallel: frames.map(\.name)), at: 0)
      }
      return RasaEngineTests.persona(frames: frames, operators: operators)
    }
  }

  @Test("a large persona is checked whole", arguments: Large.allCases)
  func large(_ kind: Large) throws {
    let graph = try compile(kind.persona(of: 1500))
    #expect(graph.nodes.count >= 1500)
    #expect(GraphFlow(graph).mostRuns().allSatisfy { $0 >= 1 })
  }

  @Test("what is wrong in many places is told of each, with names for the first")
  func manyProblems() throws {
    let broken = try persona(
      frames: [frame("a")],
      operators: (0..<300).map { number in
        try model(
          "o\(number)", reads: ["input", "misspelled"], writes: [text("mispelled"), text("draft")])
      })
    let failure = #expect(throws: Failure.self) { try compile(broken) }
    #expect(failure?.suggestion.hasPrefix("did you mean `mispelled`?") == true)
    #expect(failure?.details.count == 299)
    #expect(failure?.details.count { $0.contains("did you mean") } == 19)
  }
}

/// Personas in which everything may be wrong that has to do with paths.
enum RandomPersona {
  static func make(_ chance: inout SeededNumbers) throws -> PersonaDefinition {
    let keys = ["draft", "output", "k1", "k2", "k3", "k4"]
    let frameCount = 1 + chance.upTo(6)
    let names = (0..<frameCount).map { "f\($0)" }
    var operators: [OperatorDefinition] = []
    var frames: [FrameDefinition] = []
    let branches = chance.happens(oneIn: 3) ? Set(names.dropFirst(max(1, frameCount - 2))) : []
    for (index, name) in names.enumerated() {
      var own: [String] = []
      for place in 0..<chance.upTo(4) {
        let made = try operatorDefinition("o\(index)_\(place)", keys, names, operators, &chance)
        operators.append(made)
        own.append(made.name)
      }
      if let other = operators.randomElement(using: &chance), chance.happens(oneIn: 4),
        !own.contains(other.name)
      {
        own.append(other.name)
      }
      var next: [Transition] = []
      for _ in 0..<chance.upTo(3) {
        let target = branches.contains(name) ? name : names[chance.upTo(frameCount)]
        if branches.contains(target) != branches.contains(name) { continue }
        next.append(
          try transition(
            chance.happens(oneIn: 6) && !branches.contains(name) ? "end" : target,
            when: chance.happens(oneIn: 2) ? "\(path(keys, &chance)) == 'x'" : nil,
            atMost: chance.happens(oneIn: 4) ? nil : 1 + chance.upTo(3)))
      }
      let kinds: [FrameKind] = [.stateless, .session, .shortTerm, .longTerm]
      frames.append(
        frame(
          name, kinds[chance.upTo(4)], operators: own, next: next,
          parallel: index == 0 ? branches.sorted() : []))
    }
    return persona(frames: frames, operators: operators)
  }

  private static func path(_ keys: [String], _ chance: inout SeededNumbers) -> String {
    let key = (keys + ["input", "context.memories", "feedback"])[chance.upTo(keys.count + 3)]
    return chance.happens(oneIn: 5) ? "\(key).part" : key
  }

  private static func operatorDefinition(
    _ name: String, _ keys: [String], _ frames: [String], _ others: [OperatorDefinition],
    _ chance: inout SeededNumbers
  ) throws -> OperatorDefinition {
    let reads = (0..<chance.upTo(3)).map { _ in StatePath(path(keys, &chance)) }
    let writes = keys.filter { _ in chance.happens(oneIn: 4) }.map { text($0) }
    var made = try model(
      name, reads: reads, optional: chance.happens(oneIn: 3) ? [StatePath(keys[2])] : [],
      writes: writes)
    switch chance.upTo(8) {
    case 0:
      made.kind = .human
    case 1: made.review = .always
    case 2: made.onError = ErrorPolicy(otherwise: .run("explain_operator"))
    case 3: made.output = ["type": "object"]
    case 4:
      made.kind = .rule
      made.compose = Composition(
        key: "output",
        parts: (0...chance.upTo(3)).map { _ in .init(from: StatePath(path(keys, &chance))) })
    default: break
    }
    for _ in 0..<chance.upTo(3) {
      let condition = chance.happens(oneIn: 3) ? nil : "\(path(keys, &chance)) == 'x'"
      if chance.happens(oneIn: 4) {
        made.then.append(
          try reviewRoute(
            when: condition, subject: chance.happens(oneIn: 2) ? keys[chance.upTo(6)] : nil))
      } else {
        let names = others.map(\.name) + [name] + frames + ["end"]
        made.then.append(
          try route(
            names[chance.upTo(names.count)], when: condition,
            atMost: chance.happens(oneIn: 4) ? nil : 1 + chance.upTo(3)))
      }
    }
    return made
  }
}
