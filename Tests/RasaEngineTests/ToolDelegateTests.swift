import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Operators and agents under `tools:`.
@Suite("An operator or agent as a tool")
struct ToolDelegateTests {
  private static let plan = ToolScript(turns: [
    [
      call("critic", ["draft": "a plan"], id: "1"),
      call("agent_planner", ["task": "plan it"], id: "2"),
    ],
    [call("critic", ["other": 1], id: "3")],
  ])

  private static func graph(_ tools: [String] = ["critic", "agent:planner"]) throws -> Graph {
    let critic = try model(
      "critic", reads: ["draft"], optional: ["preferences"],
      writes: [Write(key: "verdict", type: .object)],
      prompt: "judge {{draft}}", output: ["type": "object", "required": ["good"]])
    return try ToolLoopTests.graph(tools, more: [critic])
  }

  private static func gate(_ store: FakeStore?) -> FakeGate {
    FakeGate(
      journal: store,
      shape: { answer, request, context in
        guard context.key.operatorName == "asker" else { return }
        let turn = ToolScript.turn(of: request)
        guard request.mayCallTools, plan.turns.indices.contains(turn) else { return }
        answer.toolCalls = plan.turns[turn]
        answer.finish = .toolCalls
      }
    ) { request, context, _ in
      let asked = request.messages.last?.text ?? ""
      switch context.key.operatorName {
      case "critic": return #"{"good": true}"#
      case "planner": return "planned: \(asked)"
      default:
        let results = request.messages.filter { $0.role == .tool }.map(\.text)
        return request.mayCallTools && ToolScript.turn(of: request) < plan.turns.count
          ? "" : "answer " + results.joined(separator: " | ")
      }
    }
  }

  private static func dependencies(_ store: FakeStore, _ gate: FakeGate? = nil) -> RunDependencies {
    ToolLoopTests.dependencies(store, plan, [], gate: gate ?? Self.gate(store))
  }

  @Test("does its work inside the run, wherever the run is killed")
  func works() async throws {
    let graph = try Self.graph()
    let store = FakeStore()
    let gate = Self.gate(store)
    let whole = try await Runner(Self.dependencies(store, gate)).run(graph, start(graph))
    let text = whole.output.promptText
    #expect(text.contains(#"answer {"good":true} | planned: planner: plan it | "#), "\(text)")
    #expect(text.contains("does not take these arguments"))
    #expect(gate.requests[0].tools.map(\.name) == ["critic", "agent_planner"])
    #expect(gate.requests[0].tools[0].parameters["required"] == ["draft"])
    #expect(
      Set(gate.keys).isSuperset(of: [
        "a:1:asker#1.1.1.critic>call:1/critic/call#1",
        "a:1:asker#1.1.2.agent_planner>a:1/planner/call#1",
      ]), "\(gate.keys)")
    for count in 1..<store.snapshot.entries.count {
      let again = FakeStore(copying: store, lines: count)
      let known = EffectLog(again.snapshot.entries)
      let other = Self.gate(again)
      let resumed = try await Runner(Self.dependencies(again, other)).resume(
        graph, try await again.claim(Identifier("run-1")), by: "test")
      #expect(resumed.output == whole.output, "after line \(count)")
      for context in other.contexts {
        #expect(known.done(at: context.key) == nil, "after line \(count): \(context.key)")
      }
    }
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
  }

  @Test("counts in the worst case of calls, and is a part of the digest")
  func worstCase() throws {
    let graph = try Self.graph()
    // 17 of its own, and for each of 64 uses 2 of the critic's and one of the planner's.
    #expect(graph.mostCalls == 17 + 64 * 2 + 64)
    #expect(graph.mostToolUses == 64)
    let calls = graph.rehearse(start(graph))
    #expect(calls.reduce(0) { $0 + $1.most } == graph.mostCalls)
    #expect(try graph.digest != Self.graph(["critic"]).digest)
    #expect(graph.workers == ["tester", "planner"])
  }

  @Test("that would come back to itself is refused when the persona is read")
  func cycles() throws {
    var critic = try model(
      "critic", reads: ["draft"], writes: [text("verdict")], prompt: "judge {{draft}}")
    critic.tools = ["asker"]
    for tools in [["critic"], ["asker"]] {
      let failure = #expect(throws: Failure.self) {
        try ToolLoopTests.graph(tools, more: [critic])
      }
      let told = "\(failure?.message ?? "")\(failure?.details ?? [])"
      #expect(told.contains("would work for itself"), "\(told)")
    }
    let unknown = #expect(throws: Failure.self) { try ToolLoopTests.graph(["lok"]) }
    #expect(unknown?.message.contains("uses the tool `lok`") == true)
    #expect(unknown?.suggestion.contains("did you mean `look`?") == true)
  }
}
