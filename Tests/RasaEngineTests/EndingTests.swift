import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// What operators and runs do with how an answer ended.
@Suite("How answers end")
struct EndingTests {
  static let facts = Write(key: "facts", type: .object)
  static let schema: Value = [
    "type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"],
  ]

  func run(
    _ definition: PersonaDefinition, gate: FakeGate, store: FakeStore = FakeStore(),
    screen: Screen = Screen(), people: FakePeople = FakePeople(), time: TimeSource = .still(),
    options: RunOptions = RunOptions()
  ) async throws -> RunResult {
    let graph = try compile(definition)
    let result = try await Runner(
      RunDependencies(
        gate: gate, journal: store, memory: store, approvalHandler: people, time: time),
      options: options
    ).run(graph, start(graph)) { screen.show($0) }
    if !result.output.isNull { #expect(screen.output == result.output.promptText) }
    return result
  }

  func single(
    maxTokens: Int? = nil, onError: ErrorPolicy = ErrorPolicy(), output: Value? = nil
  ) throws -> PersonaDefinition {
    var one = try model(
      "one", reads: ["input"], writes: [output == nil ? text("draft") : Self.facts],
      output: output, onError: onError)
    one.maxTokens = maxTokens
    return persona(
      frames: [frame("a")],
      operators: [one] + (output == nil ? [] : [rule("last", set: ["draft": "done"])]))
  }

  // MARK: No answer

  @Test(
    "what is no answer is a failure that `on_error` handles, and never a draft",
    arguments: [FinishReason.refused, .filtered, .empty])
  func noAnswer(finish: FinishReason) async throws {
    let gate = { (lasting: Int) in
      FakeGate(
        shape: { answer, request, context in
          if request.name == "one", context.key.occurrence <= lasting { answer.finish = finish }
        }
      ) { request, context, _ in
        request.name == "one" && context.key.occurrence <= lasting
          ? (finish == .empty ? "" : "I cannot") : "\(request.name) did it"
      }
    }
    func definition(_ policy: ErrorPolicy) throws -> PersonaDefinition {
      persona(
        frames: [frame("a")],
        operators: [
          rule("first", set: ["draft": "before"]),
          try model("one", reads: ["input"], writes: [text("draft")], onError: policy),
        ]
          + (policy.otherwise == .run("spare")
            ? [try model("spare", reads: ["input"], writes: [text("draft")])] : []))
    }
    #expect(
      try await run(definition(ErrorPolicy(retry: 2)), gate: gate(2)).output == "one did it")
    #expect(
      try await run(definition(ErrorPolicy(otherwise: .run("spare"))), gate: gate(9)).output
        == "spare did it")
    let skipped = try await run(definition(ErrorPolicy(retry: 1, otherwise: .skip)), gate: gate(9))
    #expect(skipped.output == "before")
    #expect(skipped.notices.map(\.kind) == [.skipped])
    #expect(skipped.cost == Money(picoDollars: 2_000_000))
    do {
      _ = try await run(definition(ErrorPolicy()), gate: gate(9))
      Issue.record("went on")
    } catch let failure as Failure {
      #expect(failure.kind == .provider)
      #expect(failure.message.contains("fake:fake-1"))
    }
  }

  @Test("an answer of white space is none, whatever it is said to have ended with")
  func blank() async throws {
    for (finish, output) in [(FinishReason.stop, nil), (.toolCalls, nil), (.stop, Self.schema)] {
      let gate = FakeGate(shape: { answer, _, _ in answer.finish = finish }) { _, _, _ in " \n" }
      await #expect(throws: Failure.self) { try await run(single(output: output), gate: gate) }
      #expect(gate.keys.count == 1, "\(finish)")
    }
  }

  @Test(
    "what an earlier version delivered although it was no answer counts when it is gone on with")
  func oldJournal() async throws {
    let graph = try compile(single())
    let store = FakeStore()
    let gate = FakeGate(journal: store, shape: { answer, _, _ in answer.finish = .filtered }) {
      _, _, _ in "half of it"
    }
    let dependencies = ResumeTests.dependencies(gate, store, FakePeople())
    _ = try? await Runner(dependencies).run(graph, start(graph))
    let answered = try #require(store.kinds.firstIndex(of: "call.result"))
    let stopped = FakeStore(copying: store, lines: answered + 1)
    let screen = Screen()
    let result = try await Runner(ResumeTests.dependencies(gate, stopped, FakePeople())).resume(
      graph, try await stopped.claim(Identifier("run-1")), by: "test"
    ) { screen.show($0) }
    #expect(result.output == "half of it")
    #expect(result.finish == .filtered)
    #expect(screen.notices.map(\.kind) == [.cut])
  }

  // MARK: Structured answers and thinking

  @Test("a structured answer that was cut is asked for again with more room, not repaired")
  func widened() async throws {
    let gate = FakeGate(
      shape: { answer, request, _ in
        answer.cap = request.room ?? 100
        answer.ceiling = 350
      }
    ) { _, context, _ in
      context.key.occurrence < 2 || context.key.label == "call"
        ? #"{"v": {"n": 2}"# + FakeGate.cutMark : #"{"n": 1}"#
    }
    let result = try await run(single(output: Self.schema), gate: gate)
    #expect(result.state["facts"] == ["n": 1])
    #expect(gate.keys == ["a:1/one/call#1", "a:1/one/again#1", "a:1/one/again#2"])
    #expect(gate.requests.map(\.room) == [nil, 200, 350])
    #expect(gate.requests.allSatisfy { $0.messages.count == 2 && $0.continuation == nil })
    #expect(result.calls == 3)
    #expect(result.notices == [])
  }

  @Test("one that can have no more room fails for what it is, and is not asked again")
  func cutShort() async throws {
    let gate = { (label: String) in
      FakeGate(
        shape: { answer, _, context in
          if context.key.label == label {
            (answer.finish, answer.cap, answer.ceiling) = (.length, 400, 400)
            answer.usage.output = 400
          }
        }
      ) { _, context, _ in context.key.label == label ? #"{"v": {"n": 2}"# : "no JSON" }
    }
    for (label, calls) in [("call", 1), ("repair", 2)] {
      let scripted = gate(label)
      do {
        _ = try await run(
          single(onError: ErrorPolicy(retry: 3), output: Self.schema), gate: scripted)
        Issue.record("went on")
      } catch let failure as Failure {
        #expect(failure.message.contains("cut off at 400 tokens"), "\(failure)")
        #expect(failure.kind == .run)
      }
      #expect(scripted.keys.count == calls)
    }
    let skipping = try await run(
      single(onError: ErrorPolicy(retry: 3, otherwise: .skip), output: Self.schema),
      gate: gate("call"))
    #expect(skipping.output == "done")
    // A whole object with something cut behind it is whole.
    let whole = FakeGate(shape: { answer, _, _ in (answer.finish, answer.cap) = (.length, 4) }) {
      _, _, _ in #"{"n": 1} And further"#
    }
    #expect(
      try await run(single(output: Self.schema), gate: whole).state["facts"] == ["n": 1])
    #expect(whole.keys.count == 1)
  }

  @Test("a repair has at least the room that the answer took twice")
  func repairRoom() async throws {
    let gate = FakeGate(shape: { answer, _, _ in
      (answer.cap, answer.ceiling, answer.usage.output) = (100, 150, 90)
    }) { _, context, _ in context.key.label == "call" ? "no JSON" : #"{"n": 1}"# }
    _ = try await run(single(output: Self.schema), gate: gate)
    #expect(gate.requests.map(\.room) == [nil, 150])
  }

  @Test("what was cut while it was still thinking is asked again with more room")
  func thinking() async throws {
    for output in [nil, Self.schema] {
      let gate = FakeGate(
        shape: { answer, request, _ in
          answer.cap = request.room ?? 400
          answer.ceiling = nil
        }
      ) { _, context, onEvent in
        try await onEvent(.reasoning("hm"))
        return context.key.label == "call" ? FakeGate.cutMark : #"{"n": 1}"#
      }
      let result = try await run(single(output: output), gate: gate)
      #expect(gate.keys == ["a:1/one/call#1", "a:1/one/again#1"])
      #expect(gate.requests.last?.room == 800)
      #expect(result.notices == [])
    }
    // As often as may help, then it says what happened.
    let endless = FakeGate(shape: { answer, _, _ in answer.ceiling = nil }) { _, _, _ in
      FakeGate.cutMark
    }
    do {
      _ = try await run(single(), gate: endless)
      Issue.record("went on")
    } catch let failure as Failure {
      #expect(failure.message.contains("thinking"), "\(failure)")
    }
    #expect(endless.keys.count == 1 + OperatorProcedure.mostWidenings)
  }
}
