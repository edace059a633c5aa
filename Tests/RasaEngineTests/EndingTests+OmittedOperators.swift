import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Operators whose call failed and that the run leaves out, and what is said about them.
extension EndingTests {
  func sides(_ failing: Failure, at name: String) -> FakeGate {
    FakeGate { request, context, onEvent in
      if request.name == name, name != "critic_agent" || context.key.visit > 1 { throw failing }
      if request.name == "critic_agent" { return #"{"verdict": "revise", "reasons": ["thin"]}"# }
      return try await FakeGate.stream("\(request.name) \(context.key.visit)", onEvent)
    }
  }

  func withSides() throws -> PersonaDefinition {
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
      ResumeTests.dependencies(gate, FakeStore(), FakePeople())
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
      ResumeTests.dependencies(gate(store), store, FakePeople())
    ).run(graph, start(graph))
    // The explanation and the alternatives are made at the same time.
    #expect(whole.notices.prefix(2).map(\.kind) == [.fallback, .fallback])
    #expect(Set(whole.notices.dropFirst(2).map(\.kind)) == [.skipped, .fallback])
    #expect(whole.notices.count == 4)
    let skipped = try #require(
      store.snapshot.entries.firstIndex { !$0.body["outcome"]["skipped"].isNull })
    let stopped = FakeStore(copying: store, lines: skipped + 1)
    let screen = Screen()
    let result = try await Runner(
      ResumeTests.dependencies(gate(stopped), stopped, FakePeople())
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
}
