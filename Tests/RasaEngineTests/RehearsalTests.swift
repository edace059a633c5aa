import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("A rehearsal")
struct RehearsalTests {
  /// A byte is a token, and a token a pico-dollar.
  private struct ByteGate: ModelGate {
    func answer(
      _ request: ModelRequest, for context: CallContext,
      onEvent: @Sendable (ModelEvent) async throws -> Void
    ) async throws -> ModelAnswer { throw CancellationError() }

    func digest(of request: ModelRequest, for context: CallContext) -> String { "" }

    func giveUp(
      _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
    ) async throws {}

    func estimate(
      _ request: ModelRequest, for context: CallContext
    ) async throws -> CallEstimate {
      try await estimate(request, for: context, beside: 0)
    }

    func estimate(
      _ request: ModelRequest, for context: CallContext, beside tokens: Int64
    ) async throws -> CallEstimate {
      let input = RehearsalTests.size(of: request) + tokens
      let cap = Int64(request.maxTokens ?? 0)
      return CallEstimate(
        provider: "bytes", model: "bytes", inputTokens: input, outputTokens: cap,
        cost: Money(picoDollars: input + cap), isPriceKnown: true)
    }
  }

  private static func size(of request: ModelRequest) -> Int64 {
    Int64(request.messages.map(\.text.utf8.count).reduce(0, +))
  }

  /// A draft that a critic sends back twice, and a text made of it that somebody reads in the end.
  private func revised() throws -> PersonaDefinition {
    var respond = try model(
      "respond", in: "s", reads: ["input"], optional: ["draft", "critique"],
      writes: [text("draft")], prompt: "Q: {{input}}\n\n{{draft}}\n\n{{critique.notes}}")
    respond.maxTokens = 500
    var critic = try model(
      "critic", in: "s", reads: ["draft"],
      writes: [Write(key: "critique", type: .object)], prompt: "{{draft}} {{draft}}",
      output: [
        "type": "object",
        "properties": ["verdict": ["type": "string"], "notes": ["type": "string"]],
        "required": ["verdict", "notes"],
      ],
      then: [try route("respond", when: #"critique.verdict == "revise""#, atMost: 2)])
    critic.maxTokens = 300
    var reader = try model(
      "reader", in: "s", reads: ["draft", "critique"], writes: [text("output")],
      prompt: "{{critique}} {{draft}}")
    reader.maxTokens = 50
    return persona(frames: [frame("s")], operators: [respond, critic, reader])
  }

  @Test("shows each prompt as it is sent first")
  func prompts() throws {
    let graph = try compile(try revised())
    let calls = graph.rehearse(start(graph))
    #expect(
      calls.map { $0.request.messages.last?.text } == [
        "Q: question", "‹draft› ‹draft›",
        "- verdict: ‹critique.verdict›\n- notes: ‹critique.notes› ‹draft›",
      ])
    #expect(calls.prefix(2).map(\.most) == [3, 6] && calls.map(\.repairs) == [0, 3, 0])
  }

  @Test("costs no less than the most expensive run")
  func bound() async throws {
    let gate = FakeGate { request, _, onEvent in
      let cap = request.maxTokens ?? 0
      guard request.schema != nil else {
        return try await FakeGate.stream(String(repeating: "a", count: cap), onEvent)
      }
      // Each round the first answer does not have the form, and the second wants a revision.
      let isRepair = request.messages.contains { $0.role == .assistant }
      let head = isRepair ? #"{"verdict":"revise","notes":""# : #"{"verdict":7,"notes":""#
      let notes = String(repeating: "n", count: cap - head.utf8.count - 2)
      return try await FakeGate.stream(head + notes + "\"}", onEvent)
    }
    let graph = try compile(try revised())
    let runner = Runner(
      RunDependencies(
        gate: gate, journal: FakeStore(), memory: FakeStore(), approvalHandler: FakePeople(),
        time: .still()))
    _ = try await runner.run(graph, start(graph))
    #expect(gate.requests.count == 10)
    let spent = gate.requests.map { Self.size(of: $0) + Int64($0.maxTokens ?? 0) }.reduce(0, +)
    let costs = try await ByteGate().costs(of: graph.rehearse(start(graph)))
    let bound = costs.map(\.total).reduce(.zero, +)
    #expect(Money(picoDollars: spent) <= bound)
    // It is a bound that one can plan with, beside what a complaint about a form may say.
    #expect(bound < Money(picoDollars: 3 * spent + 3 * 4_000))
  }

  @Test("inserts an answer into an agent's question with its writer's cap")
  func agents() async throws {
    var draft = try model("writer", in: "s", reads: ["input"], writes: [text("draft")])
    draft.maxTokens = 700
    let graph = try compile(
      persona(
        frames: [frame("s"), frame("t")],
        operators: [
          draft,
          {
            var work = delegating("single", reads: ["draft"], writes: "more")
            work.frame = "t"
            return work
          }(),
        ]))
    let costs = try await ByteGate().costs(of: graph.rehearse(start(graph)))
    #expect(costs.count == 2)
    #expect((costs.last?.estimate.inputTokens ?? 0) >= 700)
  }
}
