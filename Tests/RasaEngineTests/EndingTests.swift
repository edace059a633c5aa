import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// What operators and runs do with how an answer ended.
@Suite("How answers end")
struct EndingTests {
  private static let facts = Write(key: "facts", type: .object)
  private static let schema: Value = [
    "type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"],
  ]

  private func run(
    _ definition: PersonaDefinition, gate: FakeGate, store: FakeStore = FakeStore(),
    screen: Screen = Screen(), people: FakePeople = FakePeople(), time: TimeSource = .still(),
    options: RunOptions = RunOptions()
  ) async throws -> RunResult {
    let graph = try compile(definition)
    let result = try await Runner(
      RunDependencies(gate: gate, journal: store, memory: store, people: people, time: time),
      options: options
    ).run(graph, start(graph)) { screen.show($0) }
    if !result.output.isNull { #expect(screen.output == result.output.promptText) }
    return result
  }

  private func single(
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
    let surroundings = ResumeTests.surroundings(gate, store, FakePeople())
    _ = try? await Runner(surroundings).run(graph, start(graph))
    let answered = try #require(store.kinds.firstIndex(of: "call.result"))
    let stopped = FakeStore(copying: store, lines: answered + 1)
    let screen = Screen()
    let result = try await Runner(ResumeTests.surroundings(gate, stopped, FakePeople())).resume(
      graph, try await stopped.claim(Identifier("run-1")), by: "test"
    ) { screen.show($0) }
    #expect(result.output == "half of it")
    #expect(result.finish == .filtered)
    #expect(screen.notices.map(\.kind) == [.cut])
  }

  // MARK: Cut texts

  @Test("a text that was cut is continued, and what its reader sees is one text")
  func continued() async throws {
    let gate = FakeGate { _, context, onEvent in
      switch (context.key.label, context.key.occurrence) {
      case ("call", _): try await FakeGate.streamCut("one two th", onEvent)
      case (_, 1): try await FakeGate.streamCut("two three", onEvent)
      default: try await FakeGate.stream("three four", onEvent)
      }
    }
    let screen = Screen()
    let result = try await run(single(), gate: gate, screen: screen)
    #expect(result.output == "one two three four")
    #expect(gate.keys == ["a:1/one/call#1", "a:1/one/more#1", "a:1/one/more#2"])
    #expect(screen.restarts == 0)
    let last = try #require(gate.requests.last)
    #expect(last.continuation?.text == "one two three")
    #expect(last.continuation?.tokens == 10)
    #expect(last.continuation?.model == "fake-1")
    #expect(last.messages.suffix(2).map(\.role) == [.assistant, .user])
    #expect(last.messages[last.messages.count - 2].text == "one two three")
    #expect(last.messages.last?.text.contains("«one two three»") == true)
    #expect(result.calls == 3)
    #expect(result.usage.output == 15)
    #expect(result.cost == Money(picoDollars: 3_000_000))
    #expect(result.continued == 2)
    #expect(result.finish == .stop)
    #expect(screen.notices.map(\.kind) == [.continued])
    #expect(result.notices == screen.notices)
  }

  @Test("a further try of a continued answer has places of its own")
  func continuedTwice() async throws {
    let gate = FakeGate { _, context, onEvent in
      switch context.key.label {
      case "call" where context.key.occurrence == 1: throw Failure(.provider, "down")
      case "call": try await FakeGate.streamCut("one", onEvent)
      default: try await FakeGate.stream("one two", onEvent)
      }
    }
    let result = try await run(single(onError: ErrorPolicy(retry: 1)), gate: gate)
    #expect(result.output == "one two")
    #expect(gate.keys == ["a:1/one/call#1", "a:1/one/call#2", "a:1/one/more.2#1"])
  }

  @Test("a stream that breaks in a continuation shows what came before it once more, and no more")
  func brokenContinuation() async throws {
    let gate = FakeGate { _, context, onEvent in
      if context.key.label == "call" { return try await FakeGate.streamCut("one two", onEvent) }
      try await onEvent(.text(" thr"))
      try await onEvent(.restarted(reason: "it broke"))
      return try await FakeGate.stream("two three", onEvent)
    }
    let screen = Screen()
    let graph = try compile(single())
    let store = FakeStore()
    let result = try await Runner(ResumeTests.surroundings(gate, store, FakePeople())).run(
      graph, start(graph)
    ) { screen.show($0) }
    #expect(result.output == "one two three")
    #expect(screen.restarts == 1)
    #expect(screen.output.hasPrefix("one two thr") && screen.output.hasSuffix("one two three"))
    #expect(screen.output.split(separator: "thr").count == 3)
  }

  @Test(
    "what cannot go on is delivered and marked, and is asked no more than may help",
    arguments: [
      // cap, ceiling, max_tokens, finish, what the line names
      (100, 100, 100, FinishReason.length, "max_tokens"),
      (nil, nil, nil, .length, "another model"), (100, 100, nil, .length, "another model"),
      (100, 100, nil, .cutOff, "--max-cost"),
    ] as [(Int64?, Int64?, Int?, FinishReason, String)])
  func cut(
    cap: Int64?, ceiling: Int64?, maxTokens: Int?, finish: FinishReason, remedy: String
  ) async throws {
    let gate = FakeGate(
      shape: { answer, _, _ in
        (answer.finish, answer.cap, answer.ceiling) = (finish, cap, ceiling)
      }) { _, _, onEvent in try await FakeGate.stream("one two", onEvent) }
    let screen = Screen()
    let result = try await run(single(maxTokens: maxTokens), gate: gate, screen: screen)
    #expect(result.output == "one two")
    #expect(result.finish == finish)
    #expect(gate.keys.count == 1)
    let notice = try #require(result.notices.first)
    #expect(notice.kind == .cut && screen.notices == [notice])
    #expect(notice.value["finish"].string == finish.rawValue)
    #expect(notice.suggestion.contains(remedy), "\(notice.line)")
  }

  @Test(
    "when going on is refused or fails, what there is is delivered and marked",
    arguments: [Failure.Kind.budget, .provider, .timeout])
  func obstacle(kind: Failure.Kind) async throws {
    let gate = FakeGate { _, context, onEvent in
      if context.key.label == "call" { return try await FakeGate.streamCut("one two", onEvent) }
      throw Failure(kind, "there is $0 left", suggestion: "raise it")
    }
    let result = try await run(single(onError: ErrorPolicy(retry: 3)), gate: gate)
    #expect(result.output == "one two")
    #expect(result.finish == .length)
    #expect(gate.keys.count == 2)
    #expect(result.notices.first?.line.contains("there is $0 left") == true)
  }

  @Test("an answer that never ends, or never gets longer, is not asked on for ever")
  func bounded() async throws {
    let gate = FakeGate(shape: { answer, _, _ in answer.ceiling = nil }) { _, context, onEvent in
      try await FakeGate.streamCut("part \(context.key.label)\(context.key.occurrence). ", onEvent)
    }
    #expect(try await run(single(), gate: gate).finish == .length)
    #expect(gate.keys.count == 1 + OperatorProcedure.mostContinuations)
    let stuck = FakeGate { _, _, onEvent in try await FakeGate.streamCut("one two", onEvent) }
    #expect(try await run(single(), gate: stuck).output == "one two")
    #expect(stuck.keys.count == 2)
    // What it may have in all is used up.
    let capped = FakeGate(shape: { answer, _, _ in answer.ceiling = 12 }) { _, context, onEvent in
      try await FakeGate.streamCut("part \(context.key.label)\(context.key.occurrence). ", onEvent)
    }
    _ = try await run(single(), gate: capped)
    #expect(capped.keys.count == 3)
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

  // MARK: Operators that are left out

  private func sides(_ failing: Failure, at name: String) -> FakeGate {
    FakeGate { request, context, onEvent in
      if request.name == name, name != "critic_agent" || context.key.visit > 1 { throw failing }
      if request.name == "critic_agent" { return #"{"verdict": "revise", "reasons": ["thin"]}"# }
      return try await FakeGate.stream("\(request.name) \(context.key.visit)", onEvent)
    }
  }

  private func withSides() throws -> PersonaDefinition {
    var definition = persona(
      frames: [frame("session_frame"), frame("short_term_frame"), frame("long_term_frame")],
      operators: try ["respond", "critic_agent", "explain_operator", "alt_recommendation_operator"]
        .map { try shipped($0) })
    for index in definition.operators.indices.dropFirst() {
      definition.operators[index].onError = ErrorPolicy(otherwise: .skip)
    }
    return definition
  }

  @Test("a critic that fails gives no verdict, also when it gave one before")
  func noVerdict() async throws {
    let result = try await run(
      withSides(), gate: sides(Failure(.provider, "down"), at: "critic_agent"))
    #expect(result.state["critique"].isNull)
    #expect(result.notices.map(\.kind) == [.skipped])
    #expect(result.output.promptText.hasPrefix("respond 2"))
  }

  @Test(
    "an operator that only adds is left out when money or keys are missing; one that drafts is not",
    arguments: [Failure.Kind.budget, .authentication])
  func unpaid(kind: Failure.Kind) async throws {
    let store = FakeStore()
    let result = try await run(
      withSides(), gate: sides(Failure(kind, "no more"), at: "alt_recommendation_operator"),
      store: store)
    #expect(result.notices.map(\.kind) == [.objection, .skipped])
    #expect(result.state["alternatives"].isNull)
    var drafting = try withSides()
    drafting.operators[0].onError = ErrorPolicy(retry: 2, otherwise: .skip)
    let gate = sides(Failure(kind, "no more"), at: "respond")
    await #expect(throws: Failure.self) { try await run(drafting, gate: gate) }
    #expect(gate.keys.count == 1)
  }

  @Test("one whose text was being shown is taken back")
  func takenBack() async throws {
    let gate = FakeGate { request, _, onEvent in
      if request.name == "critic_agent" { return #"{"verdict": "pass"}"# }
      if request.name == "explain_operator" {
        try await onEvent(.text("Because of"))
        throw Failure(.provider, "down")
      }
      return try await FakeGate.stream(request.name, onEvent)
    }
    let screen = Screen()
    let graph = try compile(withSides())
    let result = try await Runner(
      ResumeTests.surroundings(gate, FakeStore(), FakePeople())
    ).run(graph, start(graph)) { screen.show($0) }
    #expect(screen.restarts == 1)
    #expect(!result.output.promptText.contains("Because"))
    #expect(result.output.promptText.contains("alt_recommendation_operator"))
  }

  @Test("a run that fails after a draft has been paid for says where to read it")
  func reachable() async throws {
    for (failing, isThere) in [("explain_operator", true), ("respond", false)] {
      let gate = sides(Failure(.provider, "down"), at: failing)
      do {
        _ = try await run(
          persona(
            frames: [frame("session_frame"), frame("short_term_frame")],
            operators: [try shipped("respond"), try shipped("explain_operator")]), gate: gate)
        Issue.record("went on")
      } catch let failure as Failure {
        #expect(
          failure.details.contains { $0.contains("rasa runs show run-1") } == isThere, "\(failure)")
      }
    }
  }

  @Test("what could not be had for want of money is in the journal, and a replay comes to the same")
  func refusedAndReplayed() async throws {
    var studio = try Studio(withSides())
    studio.script = { request, context, onEvent in
      switch (request.name, context.key.label) {
      case ("critic_agent", _): return #"{"verdict": "pass"}"#
      case ("alt_recommendation_operator", _), (_, "more"):
        throw Failure(.budget, "the limit has $0 left")
      case ("respond", _): return try await FakeGate.streamCut("one two", onEvent)
      default: return try await FakeGate.stream(request.name, onEvent)
      }
    }
    let recording = try await studio.record()
    try await expectFaithful(recording, on: studio.graph)
    #expect(recording.expected.output.promptText.hasPrefix("one two\n"))
    let timeline = RunTimeline(studio.store.snapshot.entries)
    let refused = timeline.calls.filter {
      $0.outcome == .failed(reason: "budget", message: "the limit has $0 left")
    }
    #expect(refused.map(\.key.label) == ["more", "call"])
    #expect(timeline.passes.flatMap(\.notices).map(\.kind) == [.cut])
  }

  @Test("a run that is gone on with tells what earlier processes had to tell")
  func toldAgain() async throws {
    let graph = try compile(withSides())
    let store = FakeStore()
    let shape: @Sendable (inout ModelAnswer, ModelRequest, CallContext) -> Void = { answer, _, _ in
      answer.fallback = ModelFallback(insteadOf: "fake:best", because: "it is busy")
    }
    let gate = { (store: FakeStore) in
      FakeGate(journal: store, shape: shape) { request, _, onEvent in
        switch request.name {
        case "critic_agent": #"{"verdict": "pass"}"#
        case "explain_operator": throw Failure(.provider, "down")
        default: try await FakeGate.stream(request.name, onEvent)
        }
      }
    }
    let whole = try await Runner(
      ResumeTests.surroundings(gate(store), store, FakePeople())
    ).run(graph, start(graph))
    #expect(whole.notices.map(\.kind) == [.fallback, .fallback, .skipped, .fallback])
    let skipped = try #require(
      store.snapshot.entries.firstIndex { !$0.body["outcome"]["skipped"].isNull })
    let stopped = FakeStore(copying: store, lines: skipped + 1)
    let screen = Screen()
    let result = try await Runner(
      ResumeTests.surroundings(gate(stopped), stopped, FakePeople())
    ).resume(graph, try await stopped.claim(Identifier("run-1")), by: "test") { screen.show($0) }
    #expect(Set(result.notices) == Set(whole.notices))
    #expect(result.notices.count == 4)
    #expect(screen.notices == result.notices)
  }

  @Test("what was said of a text or verdict that was replaced since is not said of the answer")
  func replaced() async throws {
    let gate = FakeGate { request, context, onEvent in
      if request.name == "critic_agent" {
        if context.key.visit == 1, context.key.label == "call" { throw Failure(.provider, "down") }
        return #"{"verdict": "revise"}"#
      }
      return context.key.visit == 1 && request.name == "respond"
        ? try await FakeGate.streamCut("one two", onEvent)
        : try await FakeGate.stream("all of it", onEvent)
    }
    var definition = persona(
      frames: [frame("session_frame", operators: ["respond", "critic_agent", "again"])],
      operators: try ["respond", "critic_agent"].map { try shipped($0) } + [
        try model(
          "again", reads: ["draft"], writes: [text("again")], prompt: "again {{draft}}",
          then: [route("respond", atMost: 1)])
      ])
    definition.operators[1].onError = ErrorPolicy(otherwise: .skip)
    definition.operators[1].then = []
    let result = try await run(definition, gate: gate)
    #expect(result.output == "all of it")
    // Nor does a route without a condition object when it is used up.
    #expect(result.notices == [])
    #expect(result.finish == .stop && result.continued == 0)
  }

  // MARK: Objections

  @Test("an objection that still stands when its route is used up goes out with the answer")
  func objection() async throws {
    let store = FakeStore()
    let screen = Screen()
    let result = try await run(
      persona(
        frames: [frame("session_frame")],
        operators: [try shipped("respond"), try shipped("critic_agent")]),
      gate: sides(Failure(.provider, ""), at: "nobody"), store: store, screen: screen)
    let notice = try #require(result.notices.first)
    #expect(notice.kind == .objection && result.notices.count == 1)
    #expect(notice.facts["reasons"] == ["thin"])
    #expect(notice.message.contains("2 times already: thin"))
    #expect(screen.notices == [notice])
    #expect(store.kinds.contains("run.objected"))
  }

  @Test("none stands where another route takes over, or the last verdict is a pass")
  func noObjection() async throws {
    var critic = try shipped("critic_agent")
    critic.then = [
      try route("respond", when: "critique.verdict == 'revise'", atMost: 1),
      try reviewRoute(when: "critique.verdict == 'revise'", subject: "draft"),
    ]
    let gate = sides(Failure(.provider, ""), at: "nobody")
    let people = FakePeople { _ in HumanAnswer(.approve, by: "eve") }
    let frames = [frame("session_frame")]
    let asked = try await run(
      persona(frames: frames, operators: [try shipped("respond"), critic]), gate: gate,
      people: people)
    #expect(asked.notices == [])
    let passed = try await run(
      persona(frames: frames, operators: [try shipped("respond"), try shipped("critic_agent")]),
      gate: FakeGate(RunnerTests.script))
    #expect(passed.notices == [])
  }

  // MARK: Output

  @Test("where a way writes no output, what was written is the answer, and it is shown")
  func otherWay() async throws {
    func definition(_ first: [OperatorDefinition], _ second: OperatorDefinition) throws
      -> PersonaDefinition
    {
      persona(
        frames: [
          frame(
            "a", operators: first.map(\.name),
            next: [try transition("b", when: "input == 'more'"), try transition("end")]),
          frame("b", operators: [second.name]),
        ], operators: first + [second])
    }
    let gate = FakeGate { request, _, onEvent in try await FakeGate.stream(request.name, onEvent) }
    let draft = try model("one", reads: ["input"], writes: [text("draft")])
    let output = try model("two", reads: ["input"], writes: [text("output")])
    #expect(try await run(definition([draft], output), gate: gate).output == "one")
    let notes = try model("notes", reads: ["input"], writes: [text("notes")])
    #expect(try await run(definition([notes], output), gate: gate).output == "notes")
    // A composition that the way does not come by.
    let why = try model("why", reads: ["input"], writes: [text("explanation")])
    let composed = try await run(
      definition([draft, why], try shipped("compose")), gate: gate)
    #expect(composed.output == "one\n\n## Why\n\nwhy")
    // An output that says nothing is none.
    let empty = rule("blank", set: ["output": ""])
    #expect(
      try await run(
        persona(frames: [frame("a")], operators: [draft, empty]), gate: gate
      ).output == "one")
    await #expect(throws: Failure.self) {
      try await run(persona(frames: [frame("a")], operators: [empty]), gate: gate)
    }
  }

  // MARK: Time

  @Test("an agent has all the time of the run it works in, unless its file says less")
  func time() async throws {
    let asked = Locked<[Double?]>([])
    let gate = FakeGate { request, _, onEvent in
      asked.withLock { $0.append(request.timeout) }
      return try await FakeGate.stream(request.name, onEvent)
    }
    let definition = persona(
      frames: [frame("plan", agent: "planner"), frame("b", operators: ["one"])],
      operators: [try model("one", reads: ["input"], writes: [text("draft")])],
      limits: RunLimits(seconds: 900))
    _ = try await run(definition, gate: gate)
    _ = try await run(definition, gate: gate, options: RunOptions(seconds: 1_200))
    let hasty = persona(
      frames: [frame("plan", agent: "hasty"), frame("b", operators: ["one"])],
      operators: definition.operators, limits: RunLimits(seconds: 900))
    _ = try await run(hasty, gate: gate)
    // The last two work at the same time.
    let times = asked.withLock { $0.compactMap(\.self) }
    #expect(times.prefix(4) == [900, 900, 1_200, 1_200] && Set(times.dropFirst(4)) == [7, 900])
  }
}
