import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

@Suite("Going on with a run")
struct ResumeTests {
  static func dependencies(_ gate: FakeGate, _ store: FakeStore, _ people: FakePeople)
    -> RunDependencies
  {
    RunDependencies(
      gate: gate, journal: store, memory: store, approvalHandler: people, time: .still())
  }

  static func people(_ answer: HumanAnswer?) -> FakePeople { FakePeople { _ in answer } }

  @Test(
    "stopped after any line, it comes to the same end and asks nothing twice",
    arguments: try ResumeTests.examples())
  func everywhere(_ example: Example) async throws {
    let graph = try compile(example.persona)
    let reference = FakeStore()
    let gate = FakeGate(journal: reference, example.script)
    let whole = try await Runner(
      Self.dependencies(gate, reference, Self.people(example.decision))
    ).run(graph, start(graph, session: "s"))
    let lines = reference.snapshot.entries.count
    for count in 1..<lines {
      let store = FakeStore(copying: reference, lines: count)
      let known = EffectLog(store.snapshot.entries)
      let again = FakeGate(journal: store, example.script)
      let history = try await store.claim(Identifier("run-1"))
      let screen = Screen()
      let result = try await Runner(
        Self.dependencies(again, store, Self.people(example.decision))
      ).resume(graph, history, by: "test") { screen.show($0) }
      #expect(result.output == whole.output, "after line \(count)")
      #expect(result.state == whole.state, "after line \(count)")
      #expect(.string(screen.output) == whole.output, "after line \(count)")
      for key in again.contexts.map(\.key) {
        #expect(known.done(at: key) == nil, "after line \(count): \(key) was asked again")
      }
      let kinds = store.kinds.filter { $0 != "run.resumed" && !$0.hasPrefix("call.") }
      let expected = reference.kinds.filter { !$0.hasPrefix("call.") }
      #expect(kinds.sorted() == expected.sorted(), "after line \(count)")
      #expect(store.snapshot.turns.count == 1)
      #expect(again.givenUp.count == known.uncertain.count, "after line \(count)")
    }
  }

  @Test("any random persona, stopped anywhere, comes to the same end")
  func property() async throws {
    for seed in 1...60 {
      var chance = SeededNumbers(seed: UInt64(seed))
      let graph = try compile(try SequentialMeaningTests.randomPersona(&chance))
      let script: FakeGate.Script = { request, context, _ in
        "\(context.key.frame):\(context.key.visit) \(request.messages.map(\.text).joined().utf8.count)"
      }
      let reference = FakeStore()
      let whole: RunResult
      do {
        whole = try await Runner(
          Self.dependencies(FakeGate(journal: reference, script), reference, Self.people(nil))
        ).run(graph, start(graph))
      } catch { continue }
      let lines = reference.snapshot.entries.count
      for _ in 0..<6 {
        let count = 1 + chance.upTo(lines - 1)
        let store = FakeStore(copying: reference, lines: count)
        let known = EffectLog(store.snapshot.entries)
        let gate = FakeGate(journal: store, script)
        let result = try await Runner(Self.dependencies(gate, store, Self.people(nil))).resume(
          graph, try await store.claim(Identifier("run-1")), by: "test")
        #expect(result.state == whole.state, "seed \(seed), line \(count)")
        #expect(
          !gate.contexts.contains { known.done(at: $0.key) != nil },
          "seed \(seed), line \(count)")
        #expect(
          store.snapshot.entries.filter { $0.kind == "operator.finished" }.count == whole.steps)
        await Task.yield()
      }
    }
  }

  // MARK: People

  private func reviewed() throws -> Graph {
    try compile(
      persona(
        frames: [frame("session_frame")], operators: [try shipped("respond"), try shipped("hitl")]))
  }

  @Test("a question that is left for later parks the run, and its answer lets it go on")
  func parked() async throws {
    let graph = try reviewed()
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let runner = Runner(Self.dependencies(gate, store, Self.people(nil)))
    let parked = try await runner.run(graph, start(graph))
    let approval = try #require(parked.waitsFor.first)
    #expect(parked.output.isNull)
    #expect(store.snapshot.status == .parked)
    #expect(store.kinds.suffix(2) == ["human.asked", "run.parked"])
    #expect(approval.question.payload == "respond round 1")

    // Nobody has answered yet: it parks again, and asks no second question.
    let history = try await store.claim(Identifier("run-1"))
    let still = try await runner.resume(graph, history, by: "test")
    #expect(still.waitsFor.map(\.id) == [approval.id])
    #expect(store.kinds.filter { $0 == "human.asked" }.count == 1)

    _ = try await store.answer(approval.id, HumanAnswer(.edit, text: "edited", by: "eve"))
    let result = try await runner.resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(result.output == "edited")
    #expect(result.calls == 1)
    #expect(gate.requests.count == 1)
    #expect(store.snapshot.status == .done)
  }

  @Test("an answer that comes while a person is being asked counts, and the second is told so")
  func secondAnswer() async throws {
    let graph = try reviewed()
    let store = FakeStore()
    let screen = Screen()
    let people = FakePeople { question in
      let approval = Approval(
        run: Identifier("run-1"), question: question, askedAt: Timestamp(milliseconds: 0))
      _ = try await store.answer(approval.id, HumanAnswer(.edit, text: "first", by: "eve"))
      return HumanAnswer(.approve, by: "adam")
    }
    let result = try await Runner(
      Self.dependencies(FakeGate(RunnerTests.script), store, people)
    ).run(graph, start(graph)) { screen.show($0) }
    #expect(result.output == "first")
    #expect(screen.events.contains("run.warned"))
  }

  @Test("a question that nobody answered in time is put again, as another one")
  func expired() async throws {
    let graph = try reviewed()
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let runner = Runner(Self.dependencies(gate, store, Self.people(nil)))
    let first = try #require(try await runner.run(graph, start(graph)).waitsFor.first)
    store.expire(first.id)
    let second = try await runner.resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(second.waitsFor.count == 1)
    #expect(second.waitsFor.first?.id != first.id)
  }

  @Test("other branches go on while one waits for a person")
  func branchesGoOn() async throws {
    let graph = try compile(
      persona(
        frames: [
          frame("a", operators: ["one"], parallel: ["b", "c"]), frame("b", operators: ["two"]),
          frame("c", operators: ["three", "four"]),
        ],
        operators: [
          try model("one", reads: ["input"], writes: [text("draft")]),
          try model(
            "two", reads: ["draft"], writes: [text("k2")], prompt: "two {{draft}}", review: .always),
          try model("three", reads: ["draft"], writes: [text("k3")], prompt: "three {{draft}}"),
          try model("four", reads: ["k3"], writes: [text("k4")], prompt: "four {{k3}}"),
        ]))
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let runner = Runner(Self.dependencies(gate, store, Self.people(nil)))
    let parked = try await runner.run(graph, start(graph))
    #expect(gate.requests.count == 4)
    let approval = try #require(parked.waitsFor.first)
    _ = try await store.answer(approval.id, HumanAnswer(.approve, by: "eve"))
    let result = try await runner.resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(gate.requests.count == 4)
    #expect(result.state["k4"] == "four round 1")
  }

  // MARK: Doubt and failure

  private static func doubtful(_ policy: UncertainPolicy) throws -> Graph {
    var one = try model("one", reads: ["input"], writes: [text("draft")])
    one.uncertain = policy
    one.onError = ErrorPolicy(retry: 2, otherwise: .fail)
    return try compile(persona(frames: [frame("a")], operators: [one]))
  }

  /// A journal that ends after the first call's intent.
  private static func interrupted(_ graph: Graph) async throws -> FakeStore {
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    _ = try await Runner(dependencies(gate, store, people(nil))).run(graph, start(graph))
    let intent = try #require(store.kinds.firstIndex(of: "call.intent"))
    return FakeStore(copying: store, lines: intent + 1)
  }

  @Test("a call in doubt is asked again under the same key when its operator says `retry`")
  func retried() async throws {
    let graph = try Self.doubtful(.retry)
    let store = try await Self.interrupted(graph)
    let gate = FakeGate(journal: store, RunnerTests.script)
    let result = try await Runner(Self.dependencies(gate, store, Self.people(nil))).resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(result.output == "one round 1")
    #expect(gate.contexts.map(\.doubt?.idempotencyKey) == ["ha:1/one/call#1-1"])
    #expect(gate.givenUp.map(\.1) == [.retry])
  }

  @Test("a call in doubt fails its run when its operator says `fail`, whatever on_error says")
  func failed() async throws {
    let graph = try Self.doubtful(.fail)
    let store = try await Self.interrupted(graph)
    let gate = FakeGate(journal: store, RunnerTests.script)
    let failure = await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(gate, store, Self.people(nil))).resume(
        graph, try await store.claim(Identifier("run-1")), by: "test")
    }
    #expect(failure?.message.contains("is not known") == true)
    #expect(gate.requests.isEmpty)
    #expect(gate.givenUp.map(\.1) == [.fail])
    #expect(store.snapshot.status == .failed)
  }

  @Test(
    "a call in doubt waits for a person when its operator says `ask`", arguments: [true, false])
  func asked(_ agrees: Bool) async throws {
    let graph = try Self.doubtful(.ask)
    let store = try await Self.interrupted(graph)
    let gate = FakeGate(journal: store, RunnerTests.script)
    let runner = Runner(Self.dependencies(gate, store, Self.people(nil)))
    let parked = try await runner.resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    let approval = try #require(parked.waitsFor.first)
    #expect(gate.requests.isEmpty)
    #expect(gate.givenUp.isEmpty, "what is held stays held until it is decided")
    let answer = HumanAnswer(agrees ? .approve : .reject, by: "eve")
    _ = try await store.answer(approval.id, answer)
    let history = try await store.claim(Identifier("run-1"))
    if agrees {
      let result = try await runner.resume(graph, history, by: "test")
      #expect(result.output == "one round 1")
      #expect(gate.requests.count == 1)
    } else {
      await #expect(throws: Failure.self) {
        try await runner.resume(graph, history, by: "test")
      }
      #expect(gate.requests.isEmpty)
    }
    #expect(gate.givenUp.map(\.1) == [agrees ? .retry : .fail])
  }

  @Test("a run that failed goes on at the operator that failed")
  func afterFailure() async throws {
    let graph = try compile(try analyst())
    let store = FakeStore()
    let down = FakeGate(journal: store) { request, context, onEvent in
      if request.name == "explain_operator" { throw Failure(.provider, "down") }
      return try await RunnerTests.script(request, context, onEvent)
    }
    await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(down, store, Self.people(nil))).run(graph, start(graph))
    }
    #expect(store.snapshot.status == .failed)
    let up = FakeGate(journal: store, RunnerTests.script)
    let result = try await Runner(Self.dependencies(up, store, Self.people(nil))).resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(result.output.promptText.contains("explain_operator round 1"))
    #expect(
      Set(up.requests.map(\.name)).isSubset(of: ["explain_operator", "alt_recommendation_operator"])
    )
  }

  @Test("an interrupted run is parked, keeps what it has, and goes on")
  func interrupted() async throws {
    let graph = try compile(try analyst())
    let store = FakeStore()
    let arrived = Latch()
    let gate = FakeGate(journal: store) { request, context, onEvent in
      guard request.name == "explain_operator" else {
        return try await RunnerTests.script(request, context, onEvent)
      }
      await arrived.open()
      while true {
        try Task.checkCancellation()
        await Task.yield()
      }
    }
    let task = Task {
      try await Runner(Self.dependencies(gate, store, Self.people(nil))).run(graph, start(graph))
    }
    await arrived.wait()
    task.cancel()
    let failure = await #expect(throws: Failure.self) { try await task.value }
    #expect(failure?.kind == .cancelled)
    #expect(failure?.suggestion.contains("rasa resume run-1") == true)
    #expect(store.snapshot.status == .parked)
    let again = FakeGate(journal: store, RunnerTests.script)
    let result = try await Runner(Self.dependencies(again, store, Self.people(nil))).resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(result.output.promptText.contains("explain_operator round 1"))
    #expect(!again.requests.contains { $0.name == "respond" })
    // It may have been answered whole before the provider noticed that nobody listened any more.
    let cut = store.snapshot.entries.first {
      $0.kind == "call.failed" && $0.key?.contains("explain_operator") == true
    }
    let asked = again.contexts.first { $0.key.operatorName == "explain_operator" }
    #expect(cut?.body["reservation"].string != nil)
    #expect(asked?.doubt?.idempotencyKey == cut?.body["reservation"].string)
  }
}
