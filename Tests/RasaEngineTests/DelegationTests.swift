import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Personas and agents that work inside a run")
struct DelegationTests {
  static let named: FakeGate.Script = { request, _, onEvent in
    try await FakeGate.stream("by \(request.name)", onEvent)
  }

  private func run(
    _ definition: PersonaDefinition, gate: FakeGate, store: FakeStore = FakeStore(),
    people: FakePeople = FakePeople(), screen: Screen = Screen(),
    limits: any TaskLimits = NoTaskLimits()
  ) async throws -> RunResult {
    let graph = try compile(definition)
    let runner = Runner(
      RunDependencies(
        gate: gate, journal: store, memory: store, approvalHandler: people, time: .still(),
        limits: limits))
    return try await runner.run(graph, start(graph)) { progress in screen.show(progress) }
  }

  @Test("each agent of a chain sees the input and what those before it wrote")
  func chain() async throws {
    let gate = FakeGate(Self.named)
    let screen = Screen()
    let result = try await run(
      persona(
        frames: [frame("plan", agent: "planner"), frame("build", agent: "builder")], operators: []),
      gate: gate, screen: screen)
    #expect(result.output == "by builder")
    #expect(screen.output == "by builder")
    #expect(result.state["plan"] == "by planner")
    #expect(gate.requests[1].messages.last?.text == "builder: question\n\n# plan\n\nby planner")
    #expect(
      gate.keys == ["plan:1:planner>a:1/planner/call#1", "build:1:builder>a:1/builder/call#1"])
  }

  @Test("what is asked inside counts for everyone that had it asked, and nobody twice")
  func payers() async throws {
    let gate = FakeGate(Self.named)
    var outer = persona(
      frames: [frame("o")], operators: [delegating("manager", reads: ["input"])])
    outer.budget.maxPerExecution = Money(decimal: "0.5")
    outer.limits.cost = Money(decimal: "0.4")
    _ = try await run(outer, gate: gate)
    let context = try #require(gate.contexts.first)
    #expect(context.payers.map(\.persona) == ["builder", "manager", "tester"])
    #expect(
      context.payers.map(\.execution.text) == [
        "run-1/o:1:ask_manager>a:1:ask_builder", "run-1/o:1:ask_manager", "run-1",
      ])
    #expect(context.payers.last?.runLimit == Money(decimal: "0.4"))
    #expect(context.payers.last?.budget.maxPerExecution == Money(decimal: "0.5"))
  }

  @Test("going back leaves out what is to be skipped, as often as allowed")
  func loop() async throws {
    let gate = FakeGate { request, _, onEvent in
      request.name == "loop_decision"
        ? #"{"again": true, "reason": "more"}"# : try await FakeGate.stream(request.name, onEvent)
    }
    let store = FakeStore()
    let result = try await run(
      persona(
        frames: [
          frame("o", agent: "planner"), frame("p", agent: "builder"), frame("q", agent: "checker"),
        ], operators: []), gate: gate, store: store)
    let asked = gate.requests.map(\.name)
    let round = ["planner", "checker", "loop_decision"]
    #expect(asked == ["planner", "builder", "checker", "loop_decision"] + round + round)
    #expect(result.output == "checker")
    // The second planner sees what the checker said of the first round.
    #expect(gate.requests[4].messages.last?.text.contains("# q\n\nchecker") == true)
  }

  @Test("an agent that is content ends the chain")
  func content() async throws {
    let gate = FakeGate { request, _, onEvent in
      request.name == "loop_decision"
        ? #"{"again": false}"# : try await FakeGate.stream(request.name, onEvent)
    }
    _ = try await run(
      persona(
        frames: [frame("o", agent: "planner"), frame("q", agent: "checker")], operators: []),
      gate: gate)
    #expect(gate.requests.map(\.name) == ["planner", "checker", "loop_decision"])
  }

  @Test(
    "a chain that comes back to itself, or is too deep, or names nobody, is refused with its way",
    arguments: [
      ("selfish", 4, "selfish → selfish"), ("manager", 1, "tester → manager → builder"),
      ("nobody", 4, "there is no persona or agent `nobody`"),
    ])
  func refused(name: String, depth: Int, said: String) throws {
    var outer = persona(frames: [frame("o")], operators: [delegating(name, reads: ["input"])])
    outer.limits.depth = depth
    let failure = #expect(throws: Failure.self) { try compile(outer) }
    #expect(failure?.kind == .configuration)
    #expect(failure?.description.contains(said) == true)
  }

  @Test("a person asked inside parks the whole run, and the answer goes on there")
  func parked() async throws {
    let store = FakeStore()
    let gate = FakeGate(journal: store, Self.named)
    let definition = persona(
      frames: [frame("o", agent: "planner"), frame("p", agent: "supervised")], operators: [])
    let parked = try await run(
      definition, gate: gate, store: store, people: FakePeople { _ in nil })
    let waiting = try #require(parked.waitsFor.first)
    #expect(waiting.question.key.description == "p:1:supervised>a:1/hitl/review#1")
    #expect(store.snapshot.status == .parked)
    _ = try await store.answer(waiting.id, HumanAnswer(.edit, text: "mine", by: "eve"))
    let graph = try compile(definition)
    let runner = Runner(
      RunDependencies(
        gate: gate, journal: store, memory: store, approvalHandler: FakePeople { _ in nil },
        time: .still()))
    let history = try await store.claim(Identifier("run-1"))
    let result = try await runner.resume(graph, history, by: "eve")
    #expect(result.output == "mine")
    #expect(gate.requests.count == 2)
  }

  @Test("what an agent wants remembered is remembered as its own, once")
  func memory() async throws {
    let store = FakeStore()
    let graph = try compile(persona(frames: [frame("o", agent: "learner")], operators: []))
    var start = start(graph)
    start.preferences = ["tone": "calm"]
    _ = try await Runner(
      RunDependencies(
        gate: FakeGate(journal: store, Self.named), journal: store, memory: store,
        approvalHandler: FakePeople(), time: .still())
    ).run(graph, start)
    #expect(store.snapshot.facts.map(\.persona) == ["learner"])
    #expect(store.snapshot.facts.map(\.text) == ["tone: calm"])
  }

  @Test("a fork takes over what was asked inside, and pays for nothing again")
  func fork() async throws {
    let definition = persona(
      frames: [frame("plan", agent: "planner"), frame("build", agent: "manager")], operators: [])
    let first = FakeStore()
    _ = try await run(definition, gate: FakeGate(journal: first, Self.named), store: first)
    let history = try await first.claim(Identifier("run-1"))
    let graph = try compile(definition)
    var begin = start(graph)
    begin.run = Identifier("run-2")
    begin.fork = ForkPoint(run: Identifier("run-1"))
    let store = FakeStore()
    let gate = FakeGate(journal: store, Self.named)
    let runner = Runner(
      RunDependencies(
        gate: gate, journal: store, memory: store, approvalHandler: FakePeople(), time: .still()))
    let result = try await runner.run(graph, begin, inheriting: Origin(history))
    #expect(result.output == "by builder")
    #expect(gate.requests.isEmpty)
    #expect(store.kinds.filter { $0 == "call.reused" }.count == 2)
  }

  @Test("no more run at a time than an agent's file allows")
  func limited() async throws {
    final class Places: TaskLimits {
      let asked = Locked<[(String, Int)]>([])
      func acquireSlot(of agent: String, atMost: Int) -> any Sendable {
        asked.withLock { $0.append((agent, atMost)) }
        return 0
      }
    }
    let places = Places()
    _ = try await run(
      persona(frames: [frame("o", agent: "single")], operators: []), gate: FakeGate(Self.named),
      limits: places)
    #expect(places.asked.withLock { $0.map { "\($0.0) \($0.1)" } } == ["single 1"])
  }

  @Test("a rehearsal tells of the calls inside, and how often they can happen")
  func rehearsal() throws {
    let graph = try compile(
      persona(
        frames: [frame("o", agent: "planner"), frame("q", agent: "checker")], operators: []))
    let calls = graph.rehearse(start(graph))
    #expect(calls.map(\.operatorName) == ["planner", "checker", "loop_decision"])
    #expect(calls.map(\.most) == [3, 3, 6])
    #expect(graph.mostCalls == 12)
    #expect(calls[1].context.payers.map(\.persona) == ["checker", "tester"])
  }
}
