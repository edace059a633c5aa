import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Does nothing but answer from a script, and keeps what it was asked.
final class ScriptedTool: Tool {
  typealias Script = @Sendable (ToolUse) async throws -> Value
  private let script: Script
  private let asked = Locked<[ToolUse]>([])

  let description = ToolDescription(name: "scripted", origin: .program)

  init(_ script: @escaping Script) { self.script = script }

  var uses: [ToolUse] { asked.withLock { $0 } }

  func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
    asked.withLock { $0.append(use) }
    return .result(ToolResult(structured: try await script(use)))
  }
}

@Suite("The lines about effects")
struct EffectEventTests {
  private static let key = EffectKey(
    frame: "a:1:inner>b", visit: 2, operatorName: "one", label: "call@3", occurrence: 4)

  private static func events() -> [EffectEvent] {
    var asked = ModelIntent(provider: "p", model: "m")
    (asked.input, asked.output, asked.held) = (10, 20, Money(picoDollars: 30))
    var capped = asked
    capped.cap = 15
    capped.adaptations = "no_temperature"
    capped.price = ModelIntent.Price(
      version: "v", input: Money(picoDollars: 1), output: Money(picoDollars: 2))
    capped.attachmentTokens = [7, 8]
    (capped.isPriceKnown, capped.isForced) = (false, true)
    (capped.mayExceedBudget, capped.exceedsBudget) = (true, true)
    var answer = ModelAnswer(
      text: "t", provider: "p", model: "m", usage: Usage(input: 1, output: 2),
      cost: Money(picoDollars: 3), finish: .length, isMock: true, cap: 4, ceiling: 5,
      fallback: ModelFallback(insteadOf: "o", because: "b"))
    answer.attachmentTokens = [6]
    var failure = Failure(.budget, "spent", suggestion: "wait", details: ["a", "b"])
    failure.reason = "budget"
    failure.steps = [FailedStep(operatorName: "one", frame: "b", visit: 2, round: 1)]
    var tooLate = Failure(.timeout, "too late")
    tooLate.isOfWholeRun = true
    let attempt = Identifier("h1")
    func intent(_ model: ModelIntent, _ idempotency: String? = nil) -> EffectEvent.Phase {
      .intent(
        EffectIntent(
          attempt: attempt, request: "d", idempotencyKey: idempotency, subject: .model(model)))
    }
    let ofModels: [EffectEvent.Phase] = [
      intent(asked), intent(capped, "k"),
      .result(.answer(answer, notices: ["odd"]), attempt: attempt),
      .result(
        .vectors(
          VectorsMade(
            provider: "p", model: "m", count: 3, dimensions: 4, usage: Usage(input: 1),
            cost: Money(picoDollars: 5))), attempt: attempt),
      .result(
        .vectors(
          VectorsMade(
            provider: "p", model: "m", count: 1, dimensions: 2, usage: Usage(input: 1),
            cost: Money(picoDollars: 5),
            kept: MemoryQuery.Vector(model: "p:m https://a", numbers: [0.5, -1e-30]))),
        attempt: attempt),
      .failed(
        EffectFailure(
          provider: "p", model: "m", reason: "server", message: "down", usage: Usage(input: 1),
          cost: Money(picoDollars: 5), partial: "half"), attempt: attempt),
      .uncertain(
        EffectDoubt(provider: "p", model: "m", decision: .retry, cost: Money(picoDollars: 5)),
        attempt: attempt),
      .ended(failure, isRefused: true), .ended(tooLate, isRefused: false),
      .reused(.answer(answer), from: Identifier("run-0"), request: "d"),
    ]
    let ofTools: [EffectEvent.Phase] = [
      .intent(
        EffectIntent(
          attempt: attempt, request: "d", idempotencyKey: "k",
          subject: .tool(name: "look", arguments: ["a": [1, .null]]))),
      .result(
        .tool(
          ToolResult(
            [.text("found"), .attachment(Attachment(name: "a.png", type: .png, bytes: [1, 2]))],
            structured: ["found": [1, 2]], isError: true)), attempt: attempt),
      .result(.tool(ToolResult(structured: .null)), attempt: attempt),
      .result(
        .inputRequired(
          ToolInputRequest(
            entries: [
              .init(
                name: "who",
                question: ToolQuestion(message: "Who?", schema: ["type": "object"], url: "u"))
            ], state: ["s": 1])), attempt: attempt),
      .failed(EffectFailure(reason: "run", message: "no"), attempt: attempt),
      .uncertain(EffectDoubt(decision: .fail), attempt: attempt),
      .ended(failure, isRefused: false),
      .reused(.tool(ToolResult(structured: [1])), from: Identifier("run-0"), request: "d"),
    ]
    let ofHooks: [EffectEvent.Phase] = [
      .intent(
        EffectIntent(
          attempt: attempt, request: "d", idempotencyKey: "k",
          subject: .hook(name: "guard", point: "before_tool"))),
      .result(.value(["change": ["arguments": [:]]]), attempt: attempt),
      .failed(EffectFailure(reason: "timeout", message: "late"), attempt: attempt),
      .uncertain(EffectDoubt(decision: .retry), attempt: attempt),
      .ended(failure, isRefused: false),
      .reused(.value([:]), from: Identifier("run-0"), request: "d"),
    ]
    return ofModels.map { EffectEvent(.model, key, $0) }
      + ofTools.map { EffectEvent(.tool, key, $0) } + ofHooks.map { EffectEvent(.hook, key, $0) }
  }

  @Test("are read as they were written")
  func roundTrip() throws {
    var kinds: Set<String> = []
    for event in Self.events() {
      let entry = event.entry(of: Identifier("r"), at: Timestamp(milliseconds: 0))
      kinds.insert(entry.kind)
      #expect(try #require(EffectEvent(entry)) == event, "\(entry.kind)")
    }
    #expect(kinds.count == 19)
  }

  @Test("keep the form that earlier versions wrote and read")
  func form() throws {
    let lines = Self.events().prefix(2).map {
      $0.entry(of: Identifier("r"), at: Timestamp(milliseconds: 0))
    }
    #expect(lines[0].kind == "call.intent" && lines[0].key == "a:1:inner>b:2/one/call@3#4")
    #expect(
      lines[0].body == [
        "provider": "p", "model": "m",
        "estimate": ["input": 10, "output": 20, "cost": "0.00000000003"], "uncapped": true,
        "request": "d", "reservation": "h1",
      ])
    #expect(lines[1].body["cap"] == 15 && lines[1].body["idempotency"] == "k")
  }

  @Test("of earlier versions may lack what came later, and other lines are not about effects")
  func old() throws {
    func line(_ kind: String, _ body: Value, key: String? = "a:1/one/call#1") -> EffectEvent? {
      EffectEvent(
        JournalEntry(
          run: Identifier("r"), time: Timestamp(milliseconds: 0), kind: kind, key: key, body: body))
    }
    guard
      case .intent(let intent) = line(
        "call.intent", ["reservation": "h", "estimate": ["output": 9]])?.phase,
      case .model(let model) = intent.subject
    else {
      Issue.record("no intent")
      return
    }
    #expect(model.cap == 9 && model.isPriceKnown && intent.attempt == Identifier("h"))
    guard case .failed(let failed, _) = line("call.failed", [:])?.phase else {
      Issue.record("no failure")
      return
    }
    #expect(failed.message == "the provider gave no answer" && !failed.isCancelled)
    guard case .result(.tool(let value), _) = line("tool.result", ["value": ["a": 1]])?.phase else {
      Issue.record("no result")
      return
    }
    #expect(value == ToolResult(structured: ["a": 1]))
    for kind in ["call", "call.", "call.unheard_of", "run.finished", "x.intent", ""] {
      #expect(line(kind, [:]) == nil, "\(kind)")
    }
    #expect(line("call.intent", [:], key: nil) == nil)
    #expect(line("call.intent", [:], key: "nonsense") == nil)
  }

  @Test("a failure that an earlier version wrote still says where it came up")
  func oldFailure() {
    let old = Failure(
      journal: [
        "kind": "timeout", "message": "m",
        "details": [
          "time that a person takes to answer is not counted",
          "in the operator `one` of `a:1:inner>b`", "in the operator `two` of `a`",
        ],
      ])
    #expect(old.isOfWholeRun)
    #expect(
      old.steps == [
        FailedStep(operatorName: "one", frame: "a:1:inner>b"),
        FailedStep(operatorName: "two", frame: "a"),
      ])
    // What a person reads decides nothing in lines that say it.
    let new = Failure(
      journal: [
        "kind": "run", "message": "m", "details": ["in the operator `one` of `a`"], "steps": [],
      ])
    #expect(new.steps.isEmpty && !new.isOfWholeRun)
  }
}

/// An effect of another kind than a call to a model, the whole way.
@Suite("A tool's work is an effect like any other")
struct ToolEffectTests {
  private static func graph(
    _ uncertain: UncertainPolicy = .retry, otherwise: ErrorPolicy = ErrorPolicy(),
    prompt: String = "look up {{input}}"
  ) throws -> Graph {
    var look = OperatorDefinition(
      name: "look", kind: .tool, reads: ["word"], writes: [Write(key: "found", type: .any)],
      onError: otherwise, tools: ["dictionary"])
    look.uncertain = uncertain
    return try Graph.compile(
      persona(
        frames: [frame("a")],
        operators: [
          try model("ask", reads: ["input"], writes: [text("word")], prompt: prompt), look,
          try model(
            "say", reads: ["word"], optional: ["found"], writes: [text("draft")],
            prompt: "say {{found}}"),
        ]), operators: shipped, delegates: worker, tools: ["dictionary"])
  }

  private static func tool() -> ScriptedTool {
    ScriptedTool { use in ["meaning": .string("of \(use.arguments["word"].promptText)")] }
  }

  private static func dependencies(
    _ store: FakeStore, _ tool: ScriptedTool, _ people: FakePeople = ResumeTests.people(nil),
    gate: FakeGate? = nil
  ) -> RunDependencies {
    var outside = ResumeTests.dependencies(
      gate ?? FakeGate(journal: store, Self.script), store, people)
    outside.tools = FixedTools(["dictionary": tool])
    return outside
  }

  private static let script: FakeGate.Script = { request, _, _ in
    request.messages.last?.text.hasPrefix("look up") == true
      ? "word" : (request.messages.last?.text ?? "")
  }

  private func ran(_ graph: Graph) async throws -> (store: FakeStore, result: RunResult) {
    let store = FakeStore()
    let result = try await Runner(Self.dependencies(store, Self.tool())).run(graph, start(graph))
    return (store, result)
  }

  @Test("it is done once, and both of its commits are in the journal")
  func once() async throws {
    let (store, result) = try await ran(Self.graph())
    #expect(result.output == "say - meaning: of word")
    let lines = store.snapshot.entries.compactMap { EffectEvent($0) }.filter { $0.kind == .tool }
    #expect(lines.count == 2 && lines.allSatisfy { $0.key.label == "tool:dictionary" })
    guard case .intent = lines.first?.phase, case .result(.tool(let result), _) = lines.last?.phase
    else {
      Issue.record("\(lines)")
      return
    }
    #expect(result == ToolResult(structured: ["meaning": "of word"]))
    let call = RunTimeline(store.snapshot.entries).calls.first { $0.name == "tool:dictionary" }
    #expect(call?.outcome == .answered && call?.text == result.value.promptText)
  }

  @Test(
    "killed after any line, the run comes to the same end, and what is recorded is not done again")
  func killed() async throws {
    let graph = try Self.graph()
    let (reference, whole) = try await ran(graph)
    let lines = reference.snapshot.entries.count
    var doubts = 0
    for count in 1..<lines {
      let store = FakeStore(copying: reference, lines: count)
      let known = EffectLog(store.snapshot.entries)
      let tool = Self.tool()
      let key = Step(frame: "a", visit: 1, operatorName: "look").effect("tool:dictionary")
      let result = try await Runner(Self.dependencies(store, tool)).resume(
        graph, try await store.claim(Identifier("run-1")), by: "test")
      #expect(result.output == whole.output && result.state == whole.state, "after line \(count)")
      #expect(tool.uses.isEmpty == (known.done(at: key) != nil), "after line \(count)")
      let events = store.snapshot.entries.compactMap { EffectEvent($0) }
      let isInDoubt = !known.open(at: key).isEmpty
      doubts += isInDoubt ? 1 : 0
      #expect(
        events.contains { if case .uncertain = $0.phase { $0.kind == .tool } else { false } }
          == isInDoubt, "after line \(count)")
      // Whoever does it can tell that it is the same.
      #expect(tool.uses.allSatisfy { $0.idempotencyKey == "run-1/a:1/look/dictionary#1" })
    }
    #expect(doubts == 1)
  }

  @Test("in doubt, its operator's file decides", arguments: [true, false])
  func doubt(_ agrees: Bool) async throws {
    for policy in [UncertainPolicy.ask, .fail] {
      let graph = try Self.graph(policy)
      let (reference, whole) = try await ran(graph)
      let intent = try #require(reference.kinds.firstIndex(of: "tool.intent"))
      let store = FakeStore(copying: reference, lines: intent + 1)
      let tool = Self.tool()
      let people = ResumeTests.people(HumanAnswer(agrees ? .approve : .reject, by: "eve"))
      let runner = Runner(Self.dependencies(store, tool, people))
      let history = try await store.claim(Identifier("run-1"))
      if policy == .ask, agrees {
        #expect(try await runner.resume(graph, history, by: "test").output == whole.output)
        #expect(tool.uses.count == 1)
      } else {
        let failure = await #expect(throws: Failure.self) {
          try await runner.resume(graph, history, by: "test")
        }
        #expect(failure?.message.contains("`dictionary` was running") == true)
        #expect(failure?.steps.map(\.operatorName) == ["look"])
        #expect(tool.uses.isEmpty)
      }
    }
  }

  @Test("a fork takes it over where it is used with the same, and uses it anew where not")
  func fork() async throws {
    let graph = try Self.graph()
    let (store, whole) = try await ran(graph)
    for changes in [[:], ["word": "other"]] as [ValueObject] {
      let history = try await store.claim(Identifier("run-1"))
      let origin = try #require(try Origin(history))
      var begin = start(graph)
      begin.run = Identifier("run-2")
      begin.fork = ForkPoint(run: Identifier("run-1"), changes: changes)
      let (forked, tool) = (FakeStore(), Self.tool())
      let dependencies = Self.dependencies(forked, tool)
      let forecast = try await Runner(dependencies).forecast(graph, begin, inheriting: origin)
      #expect(tool.uses.isEmpty && forked.kinds.isEmpty, "a forecast does nothing")
      #expect(forecast.isComplete == changes.isEmpty)
      let result = try await Runner(dependencies).run(graph, begin, inheriting: origin)
      #expect(tool.uses.map { $0.arguments["word"] } == (changes.isEmpty ? [] : ["other"]))
      #expect(forked.kinds.contains("tool.reused") == changes.isEmpty)
      #expect((result.output == whole.output) == changes.isEmpty)
    }
  }

  @Test("a recording gives its answer without it, and shows with what it is used now")
  func replay() async throws {
    let graph = try Self.graph()
    let (store, whole) = try await ran(graph)
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
    let replayed = try await Replay(made.recording.reread(), on: graph).run()
    #expect(replayed.result?.output == whole.output)

    var changed = made.recording
    for case (let place, .call(var call)) in zip(changed.effects.indices, made.recording.effects) {
      guard case .answer(var answer) = call.outcome, answer.text == "word" else { continue }
      answer.text = "another"
      call.outcome = .answer(answer)
      changed.effects[place] = .call(call)
    }
    let other = try await Replay(changed, on: graph).run()
    let key = Step(frame: "a", visit: 1, operatorName: "look").effect("tool:dictionary")
    #expect(
      other.differences.contains { difference in
        if case .request(key, let change) = difference {
          change.messages.contains { $0.found == #"{"word":"another"}"# }
        } else {
          false
        }
      })
  }

  @Test("two runs are compared by what it came to")
  func compare() async throws {
    let graph = try Self.graph()
    let (first, _) = try await ran(graph)
    let second = FakeStore()
    let tool = ScriptedTool { _ in ["meaning": "unknown"] }
    _ = try await Runner(Self.dependencies(second, tool)).run(graph, start(graph))
    func compared(_ store: FakeStore) -> ComparedRun {
      let walk = JournalFold(graph, store.snapshot.entries)
      #expect(walk.damage == nil)
      return ComparedRun(timeline: RunTimeline(store.snapshot.entries), walk: walk)
    }
    let same = RunComparison(compared(first), compared(first))
    #expect(same.parting == nil)
    let parting = try #require(RunComparison(compared(first), compared(second)).parting)
    #expect(parting.left?.operatorName == "look")
    #expect(parting.differences.map(\.subject) == [.state("found.meaning")])
  }

  @Test("one that fails is tried again, and can be done without")
  func failing() async throws {
    var policy = ErrorPolicy()
    policy.retry = 1
    policy.otherwise = .skip
    let graph = try Self.graph(otherwise: policy)
    for recovers in [true, false] {
      let store = FakeStore()
      let tool = ScriptedTool { use in
        guard recovers, use.key.occurrence > 1 else { throw Failure(.run, "out of print") }
        return "found"
      }
      let result = try await Runner(Self.dependencies(store, tool)).run(graph, start(graph))
      #expect(tool.uses.map(\.key.occurrence) == [1, 2])
      #expect(Set(tool.uses.map(\.idempotencyKey)).count == 1)
      #expect(result.notices.contains { $0.kind == .skipped } == !recovers)
      let outcomes = RunTimeline(store.snapshot.entries).calls
        .filter { $0.provider == "tool" }.map(\.outcome)
      let failed = RunTimeline.Call.Outcome.failed(reason: "run", message: "out of print")
      #expect(outcomes == [failed, recovers ? .answered : failed])
      let made = try await Recording.make(of: store.snapshot.entries, on: graph)
      #expect(made.differences == [])
      try await expectFaithful(made.recording, on: graph, "recovers: \(recovers)")
    }
  }

  @Test("a tool that says that it ran out of time may have done it all the same")
  func gaveUp() async throws {
    let graph = try Self.graph(.fail)
    let store = FakeStore()
    let tool = ScriptedTool { _ in throw Failure(.timeout, "nobody answered") }
    let failure = await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(store, tool)).run(graph, start(graph))
    }
    #expect(failure?.kind == .timeout && failure?.message.contains("nobody answered") == true)
    #expect(tool.uses.count == 1)
    #expect(store.kinds.filter { $0.hasPrefix("tool.") } == ["tool.intent", "tool.uncertain"])
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
  }

  @Test(
    "without the tool, an operator or substitute of this kind is refused when the persona is read")
  func refused() throws {
    let look = OperatorDefinition(
      name: "look", kind: .tool, reads: ["input"], writes: [text("draft")], tools: ["dictionary"])
    var work = try model("work", reads: ["input"], writes: [text("draft")])
    work.onError.otherwise = .run("look")
    for operators in [[look], [work, look]] {
      let frames = [frame("a", operators: [operators[0].name])]
      let failure = #expect(throws: Failure.self) {
        try compile(persona(frames: frames, operators: operators))
      }
      #expect(failure?.message.contains("no tool of that name is declared") == true)
      // What only reads a run needs none of its tools.
      _ = try Graph.compile(
        persona(frames: frames, operators: operators), operators: shipped, tools: nil)
    }
  }

  @Test("the question about an attempt in doubt is known by its key, in every round")
  func questionInDoubt() {
    for round in 1...3 {
      var step = Step(frame: "a", visit: 1, operatorName: "one")
      step.round = round
      let key = step.effect("call", occurrence: 2)
      let question = key.questionInDoubt
      #expect(question.isQuestionInDoubt && !key.isQuestionInDoubt)
      #expect(!step.effect("review").isQuestionInDoubt)
      #expect(question.step == step && question.occurrence == 2)
      #expect(EffectKey(question.description) == question)
    }
    let second = EffectKey(
      frame: "a", visit: 1, operatorName: "one", label: "call@2.uncertain@2")
    #expect(second.isQuestionInDoubt)
  }

  @Test("a recording leaves out the question about an attempt in doubt of a later round")
  func laterRound() async throws {
    var author = try model("author", reads: ["input"], writes: [text("draft")], review: .always)
    author.uncertain = .ask
    let graph = try compile(persona(frames: [frame("a")], operators: [author]))
    let people = FakePeople { question in
      let isFirst = question.key.step.round == 1
      return HumanAnswer(isFirst ? .reject : .approve, text: "say more", by: "eve")
    }
    let store = FakeStore()
    let gate = FakeGate(journal: store, Self.script)
    let whole = try await Runner(ResumeTests.dependencies(gate, store, people))
      .run(graph, start(graph))
    let second = try #require(store.kinds.lastIndex(of: "call.intent"))
    let stopped = FakeStore(copying: store, lines: second + 1)
    let again = FakeGate(journal: stopped, Self.script)
    let result = try await Runner(ResumeTests.dependencies(again, stopped, people)).resume(
      graph, try await stopped.claim(Identifier("run-1")), by: "test")
    #expect(result.output == whole.output)
    let keys = stopped.snapshot.entries.filter { $0.kind == "human.asked" }.compactMap(\.key)
    #expect(keys.contains("a:1/author/call@2.uncertain@2#1"))
    let made = try await Recording.make(of: stopped.snapshot.entries, on: graph)
    #expect(made.differences == [])
    let questions = made.recording.effects.compactMap { effect in
      if case .question(let asked) = effect { asked.key.label } else { nil }
    }
    #expect(questions == ["review", "review@2"])
  }
}
