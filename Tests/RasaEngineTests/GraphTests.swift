import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Graph: binding and checks")
struct GraphTests {
  private func names(_ graph: Graph) -> [[String]] {
    graph.frames.map { $0.nodes.map { graph.nodes[$0].definition.name } }
  }

  @Test("operators of the simple form go to the frames that their files name")
  func simpleForm() throws {
    let graph = try compile(analyst())
    #expect(
      names(graph) == [
        ["preference_agent"], ["recall", "respond", "critic_agent"], ["explain_operator"],
        ["alt_recommendation_operator", "compose", "remember"],
      ])
    #expect(graph.outputParts.map(\.from) == ["draft", "explanation", "alternatives"])
    #expect(graph.frames[graph.reentry].name == "short_term_frame")
  }

  @Test("what the critic may send back is held, what nothing revises streams")
  func liveness() throws {
    let graph = try compile(analyst())
    let live = graph.nodes.filter(\.isLive).map(\.definition.name)
    #expect(live == ["explain_operator", "alt_recommendation_operator"])
    let alone = try compile(persona(frames: [frame("stateless_frame")], operators: []))
    #expect(names(alone) == [["respond"]])
    #expect(alone.nodes[0].isLive)
  }

  @Test("a persona of rules only gets no model")
  func rulesOnly() throws {
    let graph = try compile(
      persona(
        frames: [frame("stateless_frame")], operators: [rule("sort", set: ["output": "done"])]))
    #expect(names(graph) == [["sort"]])
  }

  @Test("operators without a frame of their own run in the last declared frame")
  func lastFrame() throws {
    let graph = try compile(
      persona(
        frames: [frame("a"), frame("b")],
        operators: [model("one", reads: ["input"], writes: [text("draft")])]))
    #expect(names(graph) == [[], ["one"]])
  }

  @Test("the digest follows what the persona does and nothing else")
  func digest() throws {
    var changed = try analyst()
    changed.operators[2].maxTokens = 5
    let first = try compile(analyst())
    #expect(try compile(analyst()).digest == first.digest)
    #expect(try compile(changed).description != first.description)
  }

  struct Broken: Sendable, CustomTestStringConvertible {
    var name: String
    var make: @Sendable () throws -> PersonaDefinition
    var message: String
    var testDescription: String { name }
  }

  @Test("every broken persona is refused with the reason", arguments: GraphTests.broken)
  func refused(_ broken: Broken) throws {
    do {
      _ = try compile(broken.make())
      Issue.record("accepted")
    } catch let failure as Failure {
      #expect(failure.description.contains(broken.message), "\(failure)")
      #expect(failure.exitCode == 3)
      #expect(!failure.suggestion.isEmpty)
    }
  }

  static let broken: [Broken] = [
    Broken(
      name: "no frames", make: { persona(frames: [], operators: []) }, message: "has no frames"),
    Broken(
      name: "a frame twice",
      make: { persona(frames: [frame("a"), frame("a")], operators: []) }, message: "twice"),
    Broken(
      name: "an unknown next frame",
      make: {
        persona(
          frames: [frame("a", next: [try transition("bb")]), frame("b")], operators: [])
      }, message: "no frame named `bb`"),
    Broken(
      name: "an unknown operator in a frame",
      make: { persona(frames: [frame("a", operators: ["nobody"])], operators: []) },
      message: "no operator named `nobody`"),
    Broken(
      name: "an unknown target of a route",
      make: {
        persona(
          frames: [frame("a")],
          operators: [
            try model("one", reads: ["input"], writes: [text("draft")], then: [route("twoo")])
          ])
      }, message: "no operator or frame named `twoo`"),
    Broken(
      name: "a frame nobody reaches",
      make: {
        persona(
          frames: [frame("a", next: [try transition("c")]), frame("b"), frame("c")],
          operators: [])
      }, message: "`b` can never be reached"),
    Broken(
      name: "a loop without a bound",
      make: {
        persona(
          frames: [frame("a"), frame("b", next: [try transition("a", when: "input == 'x'")])],
          operators: [])
      }, message: "no bound"),
    Broken(
      name: "a route back without a bound",
      make: {
        persona(
          frames: [frame("a")],
          operators: [
            try model(
              "one", reads: ["input"], writes: [text("draft")],
              then: [route("one", when: "draft == 'again'")])
          ])
      }, message: "no bound"),
    Broken(
      name: "a read that nothing writes",
      make: {
        persona(
          frames: [frame("a")],
          operators: [
            try model(
              "one", reads: ["drafft"], writes: [text("draft")], prompt: "{{drafft}}")
          ])
      }, message: "reads `drafft`, which nothing writes before"),
    Broken(
      name: "a written key read in a stateless frame",
      make: {
        persona(
          frames: [frame("stateless_frame")],
          operators: [
            try model("one", reads: ["input"], writes: [text("draft")]),
            try model("two", reads: ["draft"], writes: [text("more")], prompt: "{{draft}}"),
          ])
      }, message: "shows only input, preferences and metadata"),
    Broken(
      name: "a read before its write",
      make: {
        persona(
          frames: [frame("a")],
          operators: [
            try model("one", reads: ["later"], writes: [text("draft")], prompt: "{{later}}"),
            try model("two", reads: ["input"], writes: [text("later")]),
          ])
      }, message: "which nothing writes before"),
    Broken(
      name: "a prompt with an undeclared read",
      make: {
        persona(
          frames: [frame("a")],
          operators: [try model("one", reads: [], writes: [text("draft")], prompt: "{{input}}")])
      }, message: "uses `input` without declaring it"),
    Broken(
      name: "branches that write the same key",
      make: {
        persona(
          frames: [
            frame("a", parallel: ["b", "c"]), frame("b", operators: ["one"]),
            frame("c", operators: ["two"]), frame("d"),
          ],
          operators: [
            try model("one", reads: ["input"], writes: [text("draft")]),
            try model("two", reads: ["input"], writes: [text("draft")]),
          ])
      }, message: "both touch `draft`"),
    Broken(
      name: "a jump into a branch",
      make: {
        persona(
          frames: [
            frame("a", next: [try transition("c")], parallel: ["b"]),
            frame("b", operators: ["one"]), frame("c", next: [try transition("b", atMost: 1)]),
          ],
          operators: [try model("one", reads: ["input"], writes: [text("draft")])])
      }, message: "only entered through `parallel:`"),
    Broken(
      name: "nothing that makes an output",
      make: {
        persona(
          frames: [frame("a")],
          operators: [OperatorDefinition(name: "t", kind: .tool, writes: [text("output")])])
      }, message: "kind `tool`"),
  ]

  @Test("all problems are reported at once")
  func allAtOnce() throws {
    let broken = persona(
      frames: [frame("a", next: [try transition("x"), try transition("y")])], operators: [])
    do {
      _ = try compile(broken)
      Issue.record("accepted")
    } catch let failure as Failure {
      #expect(failure.message.contains("`x`"))
      #expect(failure.details.joined().contains("`y`"))
    }
  }

  @Test("the most runs of each operator follow from the bounds")
  func mostRuns() throws {
    let graph = try compile(analyst())
    let most = GraphFlow(graph).mostRuns()
    let critic = try #require(graph.nodes.firstIndex { $0.definition.name == "critic_agent" })
    let preference = try #require(
      graph.nodes.firstIndex { $0.definition.name == "preference_agent" })
    #expect(most[critic] == 3)
    #expect(most[preference] == 1)
  }

  @Test("what is read before it is written has a suggestion, with and without a similar name")
  func unwritten() throws {
    for (path, beginning) in [("drafd", "did you mean `draft`? add an"), ("zzzzzz", "add an")] {
      let failure = #expect(throws: Failure.self) {
        try compile(
          persona(
            frames: [frame("a")],
            operators: [
              try model("one", reads: ["input"], writes: [text("draft")]),
              try model("two", reads: [StatePath(path)], writes: [text("x")]),
            ]))
      }
      #expect(failure?.suggestion.hasPrefix(beginning) == true, "\(failure?.suggestion ?? "")")
      #expect(failure?.suggestion.hasSuffix("as optional: `\(path)?`") == true)
    }
  }

  @Test("the drawings show where a branch repeats itself and where it ends")
  func branches() throws {
    let graph = try compile(
      persona(
        frames: [
          frame("a", next: [try transition("z")], parallel: ["l", "r"]),
          frame("l", operators: ["one"], next: [try transition("l", when: "x == 'no'", atMost: 3)]),
          frame("r", operators: ["two", "three"]),
          frame("z", operators: ["say"]),
        ],
        operators: [
          try model("one", reads: ["input"], writes: [text("x")]),
          try model(
            "two", reads: ["input"], writes: [text("y")],
            then: [try route("end", when: "y == 'enough'")]),
          try model("three", reads: ["y"], writes: [text("w")], prompt: "more {{y}}"),
          try model("say", reads: ["x"], writes: [text("draft")], prompt: "say {{x}}"),
        ]))
    let two = try #require(graph.nodes.firstIndex { $0.definition.name == "two" })
    let mermaid = graph.mermaid.split(separator: "\n")
    #expect(mermaid.contains("  f1 -.->|\"x == 'no', at most 3\"| f1"), "\(graph.mermaid)")
    #expect(mermaid.contains("  n\(two) -->|\"y == 'enough', ends the branch\"| f0"))
    // Only the last frame leads to the output.
    #expect(mermaid.filter { $0.hasSuffix(" output") } == ["  f3 --> output"])
    let dot = graph.dot.split(separator: "\n")
    #expect(dot.contains("  f1 -> f1 [label=\"x == 'no', at most 3\", style=dashed];"))
    #expect(dot.contains("  n\(two) -> f0 [label=\"y == 'enough', ends the branch\"];"))
  }

  @Test("the drawings name every frame and operator")
  func drawings() throws {
    let graph = try compile(analyst())
    for picture in [graph.mermaid, graph.dot] {
      for name in graph.frames.map(\.name) + graph.nodes.map(\.definition.name) {
        #expect(picture.contains(name))
      }
    }
  }
}
