import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Forks")
struct ForkTests {
  private struct Finished {
    var store = FakeStore()
    var history: RunHistory
    var result: RunResult
  }

  private func finished(_ graph: Graph) async throws -> Finished {
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    let result = try await Runner(
      ResumeTests.dependencies(gate, store, ResumeTests.people(nil))
    ).run(graph, start(graph))
    return Finished(
      store: store, history: try await store.claim(Identifier("run-1")), result: result)
  }

  private func fork(
    _ graph: Graph, of run: Finished, at sequence: Int? = nil, input: String = "question",
    set changes: ValueObject = ValueObject(), screen: Screen = Screen()
  ) async throws -> (RunResult, FakeGate, FakeStore) {
    let origin = try #require(try Origin(run.history, upTo: sequence))
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    var begin = start(graph, input: input)
    begin.run = Identifier("run-2")
    begin.fork = ForkPoint(run: Identifier("run-1"), sequence: sequence, changes: changes)
    let result = try await Runner(
      ResumeTests.dependencies(gate, store, ResumeTests.people(nil))
    ).run(graph, begin, inheriting: origin) { screen.show($0) }
    #expect(.string(screen.output) == result.output)
    return (result, gate, store)
  }

  @Test("one that changes nothing asks nothing and costs nothing")
  func unchanged() async throws {
    let graph = try compile(try analyst())
    let run = try await finished(graph)
    let (result, gate, store) = try await fork(graph, of: run)
    #expect(result.output == run.result.output)
    #expect(gate.requests.isEmpty)
    #expect(result.cost == .zero)
    #expect(store.kinds.filter { $0 == "call.reused" }.count == 7)
    #expect(store.snapshot.record?.forkOf == Identifier("run-1"))
  }

  @Test("another input asks everything that reads it")
  func otherInput() async throws {
    let graph = try compile(try analyst())
    let run = try await finished(graph)
    let (_, gate, _) = try await fork(graph, of: run, input: "another question")
    // The prompts of the others do not hold the input, and the draft came out the same.
    #expect(Set(gate.requests.map(\.name)) == ["preference_agent", "respond"])
  }

  @Test("from a line on, everything after it is asked again")
  func fromALine() async throws {
    let graph = try compile(try analyst())
    let run = try await finished(graph)
    let lines = run.history.entries
    let place = try #require(
      lines.firstIndex {
        $0.key == "session_frame:1/critic_agent/call#1" && $0.kind == "call.result"
      })
    let (result, gate, _) = try await fork(graph, of: run, at: place + 1)
    #expect(result.output == run.result.output)
    #expect(gate.keys.first == "session_frame:2/respond/call#1")
    #expect(gate.requests.count == 4)
  }

  @Test("a key that is set has its value after the operator that wrote it last")
  func setKey() async throws {
    let graph = try compile(try analyst())
    let run = try await finished(graph)
    let (result, gate, _) = try await fork(graph, of: run, set: ["explanation": "because"])
    #expect(result.output.promptText.contains("because"))
    #expect(gate.requests.isEmpty)

    let (changed, again, store) = try await fork(graph, of: run, set: ["draft": "mine"])
    #expect(changed.output.promptText.hasPrefix("mine"))
    #expect(
      Set(again.requests.map(\.name)) == [
        "critic_agent", "explain_operator", "alt_recommendation_operator",
      ])
    #expect(store.snapshot.status == .done)
  }

  @Test("a key that nothing wrote is set at the beginning")
  func setAtTheBeginning() async throws {
    let graph = try compile(
      persona(
        frames: [frame("a")],
        operators: [
          try model(
            "one", reads: ["input"], optional: ["hint"], writes: [text("draft")],
            prompt: "{{input}} {{hint}}")
        ]))
    let run = try await finished(graph)
    let (_, gate, store) = try await fork(graph, of: run, set: ["hint": "be brief"])
    #expect(gate.requests.first?.messages.last?.text.contains("be brief") == true)
    #expect(store.kinds.contains("state.changed"))
  }

  @Test("a fork that stopped goes on as a fork")
  func resumed() async throws {
    let graph = try compile(try analyst())
    let run = try await finished(graph)
    let (whole, _, reference) = try await fork(graph, of: run, set: ["draft": "mine"])
    let origin = try #require(try Origin(run.history))
    for count in 1..<reference.snapshot.entries.count {
      let store = FakeStore(copying: reference, lines: count)
      let gate = FakeGate(journal: store, RunnerTests.script)
      let history = try await store.claim(Identifier("run-2"))
      let known = EffectLog(history.entries)
      let result = try await Runner(
        ResumeTests.dependencies(gate, store, ResumeTests.people(nil))
      ).resume(graph, history, inheriting: origin, by: "test")
      #expect(result.output == whole.output, "after line \(count)")
      #expect(!gate.contexts.contains { known.done(at: $0.key) != nil }, "after line \(count)")
    }
  }

  @Test("an answer of a person counts in a fork for the very same payload only")
  func people() async throws {
    let graph = try compile(
      persona(
        frames: [frame("session_frame")], operators: [try shipped("respond"), try shipped("hitl")]))
    let store = FakeStore()
    let gate = FakeGate(journal: store, RunnerTests.script)
    _ = try await Runner(
      ResumeTests.dependencies(
        gate, store, ResumeTests.people(HumanAnswer(.approve, by: "eve")))
    ).run(graph, start(graph))
    let run = Finished(
      store: store, history: try await store.claim(Identifier("run-1")),
      result: try await Runner(
        ResumeTests.dependencies(
          FakeGate(RunnerTests.script), FakeStore(),
          ResumeTests.people(HumanAnswer(.approve, by: "eve")))
      ).run(graph, start(graph)))
    let (same, _, _) = try await fork(graph, of: run)
    #expect(same.waitsFor.isEmpty)
    let origin = try #require(try Origin(run.history))
    let other = FakeStore()
    var begin = start(graph)
    begin.run = Identifier("run-2")
    begin.fork = ForkPoint(run: Identifier("run-1"), changes: ["draft": "changed"])
    let parked = try await Runner(
      ResumeTests.dependencies(FakeGate(RunnerTests.script), other, ResumeTests.people(nil))
    ).run(graph, begin, inheriting: origin)
    #expect(parked.waitsFor.map(\.question.payload) == ["changed"])
  }

  @Test("what a fork will ask is known before it asks")
  func forecast() async throws {
    let graph = try compile(try analyst())
    let run = try await finished(graph)
    let gate = FakeGate(RunnerTests.script)
    let runner = Runner(
      ResumeTests.dependencies(gate, FakeStore(), ResumeTests.people(nil)))
    func forecast(_ at: Int? = nil, set changes: ValueObject = ValueObject()) async throws
      -> Forecast
    {
      var begin = start(graph)
      begin.fork = ForkPoint(run: Identifier("run-1"), sequence: at, changes: changes)
      return try await runner.forecast(
        graph, begin, inheriting: try #require(try Origin(run.history, upTo: at)))
    }
    let unchanged = try await forecast()
    #expect(unchanged.isComplete)
    #expect(unchanged.reused == 7)
    #expect(unchanged.saved == Money(picoDollars: 7_000_000))

    let changed = try await forecast(set: ["explanation": "because"])
    #expect(changed.isComplete)
    let drafted = try await forecast(set: ["draft": "mine"])
    #expect(drafted.reused == 4)
    #expect(
      Set(drafted.rest.map(\.operatorName)) == [
        "respond", "critic_agent", "explain_operator", "alt_recommendation_operator",
      ])
    let critic = drafted.rest.first { $0.operatorName == "critic_agent" }
    #expect(critic?.request.messages.last?.text == "Judge mine")
    let anew = try await forecast(2)
    #expect(anew.reused == 0)
    #expect(anew.rest.count == 5)
    #expect(gate.requests.isEmpty)
  }
}
