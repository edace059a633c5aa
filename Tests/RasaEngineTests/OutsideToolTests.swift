import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// What tools ask people, and operators of kind `tool` with tools from outside.
@Suite("A tool from outside")
struct OutsideToolTests {
  private static let form: Value = [
    "type": "object", "properties": ["name": ["type": "string"]], "required": ["name"],
  ]

  /// Wants a name, then does its work.
  private static func asking(rounds: Int = 1) -> FakeTool {
    FakeTool(
      ToolDescription(
        name: "ask", parameters: ["type": "object"], sideEffects: .none, origin: .http)
    ) { use, _ in
      let count = use.requestState?["count"].int ?? 0
      if count < Int64(rounds) {
        return .inputRequired(
          ToolInputRequest(
            entries: [
              .init(name: "who", question: ToolQuestion(message: "Who?", schema: form)),
              .init(name: "sure", question: ToolQuestion(message: "Sure?")),
            ], state: ["count": .int(count + 1)]))
      }
      return .result(ToolResult(structured: use.responses ?? .null))
    }
  }

  private static func people(_ question: Question) -> HumanAnswer? {
    question.form == .answer
      ? HumanAnswer(.answer, text: ["name": "Ann"], by: "eve") : HumanAnswer(.reject, by: "eve")
  }

  private static func asked() -> FakePeople { FakePeople { question in people(question) } }

  private static func graph(_ kind: OperatorKind) throws -> Graph {
    var work = try ToolLoopTests.operation(["ask"])
    work.kind = kind
    if kind == .tool { work.writes = [Write(key: "draft", type: .any)] }
    return try Graph.compile(
      persona(frames: [frame("a")], operators: [work]), operators: shipped, tools: ["ask"])
  }

  private static let plan = ToolScript(turns: [[call("ask")]])
  private static let answered: Value = [
    "who": ["action": "accept", "content": ["name": "Ann"]], "sure": ["action": "decline"],
  ]

  @Test(
    "asks people before it does anything, whoever uses it", arguments: [OperatorKind.llm, .tool])
  func asks(_ kind: OperatorKind) async throws {
    let graph = try Self.graph(kind)
    let store = FakeStore()
    let tool = Self.asking()
    let result = try await Runner(
      ToolLoopTests.dependencies(store, Self.plan, [tool], people: Self.asked())
    ).run(graph, start(graph))
    let uses = tool.uses
    #expect(uses.count == 2)
    #expect(uses.last?.responses == Self.answered)
    #expect(Set(uses.map { $0.idempotencyKey }).count == 2)
    #expect(result.output.promptText.contains("Ann"))
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
    for count in 1..<store.snapshot.entries.count {
      let again = FakeStore(copying: store, lines: count)
      let known = EffectLog(again.snapshot.entries)
      let other = Self.asking()
      let resumed = try await Runner(
        ToolLoopTests.dependencies(again, Self.plan, [other], people: Self.asked())
      ).resume(graph, try await again.claim(Identifier("run-1")), by: "test")
      #expect(resumed.output == result.output, "after line \(count)")
      for use in other.uses { #expect(known.done(at: use.key) == nil, "after line \(count)") }
    }
  }

  @Test("leaves the run parked while nobody answers, and goes on there")
  func parks() async throws {
    let graph = try Self.graph(.llm)
    let (store, tool) = (FakeStore(), Self.asking())
    let parked = try await Runner(
      ToolLoopTests.dependencies(store, Self.plan, [tool], people: ResumeTests.people(nil))
    ).run(graph, start(graph))
    #expect(parked.waitsFor.map(\.question.title) == ["`ask` asks: Who?"])
    #expect(parked.waitsFor.first?.question.schema == Self.form && tool.uses.count == 1)
    let resumed = try await Runner(
      ToolLoopTests.dependencies(store, Self.plan, [tool], people: Self.asked())
    ).resume(graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(resumed.output.promptText.contains("Ann") && tool.uses.count == 2)
  }

  @Test("that never stops asking is told to a model as an error")
  func endless() async throws {
    let graph = try Self.graph(.llm)
    let (store, tool) = (FakeStore(), Self.asking(rounds: 1_000))
    let result = try await Runner(
      ToolLoopTests.dependencies(store, Self.plan, [tool], people: Self.asked())
    ).run(graph, start(graph))
    #expect(tool.uses.count == 9)
    #expect(result.output.promptText.contains("still wants to know more"))
  }

  @Test("may ask in the middle of its work, and does without an answer where nobody is there")
  func midway() async throws {
    let all: [FakePeople] = [Self.asked(), ResumeTests.people(nil)]
    for people in all {
      let graph = try Self.graph(.llm)
      let tool = FakeTool(
        ToolDescription(
          name: "ask", parameters: ["type": "object"], sideEffects: .none, origin: .http)
      ) { _, context in
        try await context.progress(ToolProgress(done: 1, total: 2, message: "half"))
        let answer = try await context.ask(ToolQuestion(message: "Who?", schema: Self.form))
        return .result(ToolResult([.text(answer?.text["name"].string ?? "nobody")]))
      }
      let told = Locked<[ToolActivity.Phase]>([])
      let store = FakeStore()
      let result = try await Runner(
        ToolLoopTests.dependencies(store, Self.plan, [tool], people: people)
      ).run(graph, start(graph)) { progress in
        if case .tool(_, let activity) = progress { told.withLock { $0.append(activity.phase) } }
      }
      #expect(["answer Ann", "answer nobody"].contains(result.output.promptText))
      let made = try await Recording.make(of: store.snapshot.entries, on: graph)
      #expect(made.differences == [])
      try await expectFaithful(made.recording, on: graph)
      #expect(
        told.withLock { $0 } == [
          .started(arguments: [:]), .progressed(ToolProgress(done: 1, total: 2, message: "half")),
          .ended(isError: false, bytes: result.output.promptText.utf8.count - 7),
        ])
    }
  }

  @Test("gets what an operator reads, or what its file says")
  func arguments() async throws {
    let parameters: Value = [
      "type": "object", "properties": ["symbol": ["type": "string"], "days": ["type": "integer"]],
      "required": ["symbol"], "additionalProperties": false,
    ]
    let quote = FakeTool(
      ToolDescription(name: "quote", parameters: parameters, sideEffects: .none, origin: .http)
    ) { use, _ in .result(ToolResult(structured: use.arguments)) }
    let template = try Template.compile("{{preferences.symbol}}.DE")
    let cases: [([StatePath], [ToolArgument], Value?)] = [
      (["preferences.symbol"], [], ["symbol": "SAP"]),
      (["preferences"], [], ["symbol": "SAP"]),
      (
        ["preferences"],
        [
          ToolArgument(name: "symbol", content: .template(template)),
          ToolArgument(name: "days", content: .literal(5)),
        ], ["symbol": "SAP.DE", "days": 5]
      ),
      (["input"], [], nil),
    ]
    for (reads, arguments, expected) in cases {
      var work = OperatorDefinition(
        name: "work", kind: .tool, reads: reads, writes: [Write(key: "draft", type: .any)],
        tools: ["quote"])
      work.arguments = arguments
      let graph = try Graph.compile(
        persona(frames: [frame("a")], operators: [work]), operators: shipped, tools: ["quote"])
      var begin = start(graph)
      begin.preferences = ["symbol": "SAP"]
      let runner = Runner(ToolLoopTests.dependencies(FakeStore(), Self.plan, [quote]))
      if let expected {
        #expect(try await runner.run(graph, begin).state["draft"] == expected)
      } else {
        let failure = await #expect(throws: Failure.self) { try await runner.run(graph, begin) }
        #expect(failure?.message == "`quote` does not take these arguments")
        #expect(failure?.details.isEmpty == false)
      }
    }
    #expect(quote.uses.count == 3)
  }
}
