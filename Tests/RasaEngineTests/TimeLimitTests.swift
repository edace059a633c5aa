import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Time that passes only when a test says so.
final class ManualClock: Sendable {
  private struct State {
    var now: UInt64 = 0
    var sleepers: [(until: UInt64, end: AsyncStream<Void>.Continuation)] = []
  }
  private let state = Locked(State())
  private let begun: AsyncStream<Void>
  private let begin: AsyncStream<Void>.Continuation

  init() { (begun, begin) = AsyncStream<Void>.makeStream() }

  func pass(seconds: UInt64) {
    let due = state.withLock { state in
      state.now += seconds * 1_000_000_000
      let now = state.now
      defer { state.sleepers.removeAll { $0.until <= now } }
      return state.sleepers.filter { $0.until <= now }
    }
    for sleeper in due { sleeper.end.finish() }
  }

  /// Returns when somebody has begun to sleep who was not seen here before.
  func waitForSleeper() async { for await _ in begun { return } }

  var source: TimeSource {
    var source = TimeSource.still()
    source.monotonic = { [state] in state.withLock { $0.now } }
    source.sleep = { [state, begin] duration in
      let (stream, end) = AsyncStream<Void>.makeStream()
      let (seconds, rest) = duration.components
      let nanoseconds =
        UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, rest)) / 1_000_000_000
      state.withLock { $0.sleepers.append(($0.now + nanoseconds, end)) }
      begin.yield()
      for await _ in stream {}
      try Task.checkCancellation()
    }
    return source
  }
}

/// No operator, of whatever kind, makes a run longer than it may be; only the time that people take is free.
@Suite("Time limits hold inside operators", .timeLimit(.minutes(1)))
struct TimeLimitTests {
  private static let key = Step(frame: "a", visit: 1, operatorName: "look").effect("tool:slow")

  private static func graph(
    _ uncertain: UncertainPolicy = .retry, timeout: Double? = nil, retry: Int = 0,
    seconds: Double = 300
  ) throws -> Graph {
    var look = OperatorDefinition(
      name: "look", kind: .tool, reads: ["input"], writes: [text("draft")], timeout: timeout,
      tools: ["slow"])
    look.uncertain = uncertain
    look.onError.retry = retry
    return try Graph.compile(
      persona(
        frames: [frame("a")], operators: [look], limits: RunLimits(seconds: seconds)),
      operators: shipped, tools: ["slow"])
  }

  private static func dependencies(
    _ store: FakeStore, _ clock: ManualClock, _ tool: ScriptedTool,
    _ people: FakePeople = FakePeople()
  ) -> RunDependencies {
    var outside = ResumeTests.dependencies(
      FakeGate(journal: store) { request, _, _ in request.messages.last?.text ?? "" }, store, people
    )
    outside.time = clock.source
    outside.tools = FixedTools(["slow": tool])
    return outside
  }

  private static func phases(_ store: FakeStore) -> [String] {
    store.kinds.filter { $0.hasPrefix("tool.") || $0 == "run.failed" || $0 == "run.finished" }
  }

  @Test("a tool that never returns ends with the run, whose journal says so and can go on")
  func runLimit() async throws {
    let (store, clock, latch) = (FakeStore(), ManualClock(), Latch())
    let tool = ScriptedTool { _ in
      await latch.wait()
      return "too late"
    }
    let graph = try Self.graph(retry: 3, seconds: 30)
    let runner = Runner(Self.dependencies(store, clock, tool))
    let ran = Task { try await runner.run(graph, start(graph)) }
    await clock.waitForSleeper()
    clock.pass(seconds: 31)
    let failure = await #expect(throws: Failure.self) { try await ran.value }
    #expect(failure?.kind == .timeout && failure?.isOfWholeRun == true)
    #expect(failure?.message.contains("longer than 30 seconds") == true)
    #expect(store.snapshot.status == .failed)
    #expect(Self.phases(store) == ["tool.intent", "tool.ended", "run.failed"])
    // What it returns now comes to nobody.
    await latch.open()
    let recording = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(recording.differences == [])

    let again = ScriptedTool { _ in "found" }
    let result = try await Runner(Self.dependencies(store, ManualClock(), again)).resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(result.output == "found")
    #expect(again.uses.map(\.idempotencyKey) == tool.uses.map(\.idempotencyKey))
    #expect(store.kinds.contains("tool.uncertain"))
  }

  @Test(
    "a tool that takes longer than its operator may is tried again, and nobody reads its late answer"
  )
  func operatorLimit() async throws {
    let (store, clock, latch) = (FakeStore(), ManualClock(), Latch())
    let tool = ScriptedTool { use in
      if use.key.occurrence == 1 {
        await latch.wait()
        return "too late"
      }
      return "in time"
    }
    let graph = try Self.graph(timeout: 5, retry: 1)
    let runner = Runner(Self.dependencies(store, clock, tool))
    let ran = Task { try await runner.run(graph, start(graph)) }
    await clock.waitForSleeper()
    clock.pass(seconds: 6)
    #expect(try await ran.value.output == "in time")
    await latch.open()
    #expect(
      Self.phases(store) == [
        "tool.intent", "tool.uncertain", "tool.ended", "tool.intent", "tool.result",
        "run.finished",
      ])
    #expect(Set(tool.uses.map(\.idempotencyKey)).count == 1)
    let recording = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(recording.differences == [])
  }

  @Test(
    "one that may not be used twice is not tried again after its time",
    arguments: [UncertainPolicy.ask, .fail])
  func doubtful(_ policy: UncertainPolicy) async throws {
    let (store, clock, latch) = (FakeStore(), ManualClock(), Latch())
    let tool = ScriptedTool { _ in
      await latch.wait()
      return "too late"
    }
    let graph = try Self.graph(policy, timeout: 5, retry: 3)
    let runner = Runner(Self.dependencies(store, clock, tool))
    let ran = Task { try await runner.run(graph, start(graph)) }
    await clock.waitForSleeper()
    clock.pass(seconds: 6)
    let failure = await #expect(throws: Failure.self) { try await ran.value }
    #expect(failure?.kind == .timeout && failure?.isOfWholeRun == false)
    #expect(failure?.message.contains("`slow` did not return within 5 seconds") == true)
    #expect(failure?.details.contains { $0.contains("uncertain: \(policy.rawValue)") } == true)
    #expect(tool.uses.count == 1)
    await latch.open()
    let recording = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(recording.differences == [])

    let asked = Locked<[Question]>([])
    let people = FakePeople { question in
      asked.withLock { $0.append(question) }
      return HumanAnswer(.approve, by: "eve")
    }
    let again = ScriptedTool { _ in "found" }
    let result = try await Runner(Self.dependencies(store, ManualClock(), again, people)).resume(
      graph, try await store.claim(Identifier("run-1")), by: "test")
    #expect(result.output == "found")
    #expect(asked.withLock { $0.count } == (policy == .ask ? 1 : 0))
  }

  @Test("each attempt in doubt is a question of its own")
  func twice() async throws {
    let graph = try Self.graph(.ask)
    let store = FakeStore()
    _ = try await Runner(Self.dependencies(store, ManualClock(), ScriptedTool { _ in "found" }))
      .run(graph, start(graph))
    let asked = Locked<[Question]>([])
    let people = FakePeople { question in
      asked.withLock { $0.append(question) }
      return HumanAnswer(.approve, by: "eve")
    }
    // Killed twice, each time just after the intent.
    var stopped = FakeStore(copying: store, lines: store.kinds.firstIndex(of: "tool.intent")! + 1)
    for _ in 1...2 {
      let tool = ScriptedTool { _ in "found" }
      _ = try await Runner(Self.dependencies(stopped, ManualClock(), tool, people)).resume(
        graph, try await stopped.claim(Identifier("run-1")), by: "test")
      #expect(tool.uses.count == 1)
      stopped = FakeStore(
        copying: stopped, lines: stopped.kinds.lastIndex(of: "tool.intent")! + 1)
    }
    let attempts = asked.withLock { $0.map { $0.payload["attempt"] } }
    #expect(attempts.count == 2 && attempts[0] != attempts[1])
    let names = stopped.snapshot.entries.compactMap { entry -> Identifier? in
      guard case .intent(let intent) = EffectEvent(entry)?.phase else { return nil }
      return intent.attempt
    }
    #expect(Set(names).count == 3)
  }

  @Test("cancelling ends a tool that does not notice it")
  func cancelled() async throws {
    let (store, clock, latch) = (FakeStore(), ManualClock(), Latch())
    let tool = ScriptedTool { _ in
      await latch.wait()
      return "too late"
    }
    let graph = try Self.graph()
    let runner = Runner(Self.dependencies(store, clock, tool))
    let run = Task { try await runner.run(graph, start(graph)) }
    await clock.waitForSleeper()
    run.cancel()
    let failure = await #expect(throws: Failure.self) { try await run.value }
    #expect(failure?.kind == .cancelled)
    #expect(store.snapshot.status == .parked)
    #expect(store.kinds.filter { $0.hasPrefix("tool.") } == ["tool.intent"])
    await latch.open()
  }

  @Test("waiting until an agent may work takes time of the run")
  func crowded() async throws {
    struct Full: TaskLimits {
      let latch: Latch
      func acquireSlot(of agent: String, atMost: Int) async throws -> any Sendable {
        await latch.wait()
        return 0
      }
    }
    let (store, clock, latch) = (FakeStore(), ManualClock(), Latch())
    let graph = try compile(
      persona(
        frames: [frame("a", agent: "single")], operators: [], limits: RunLimits(seconds: 30)))
    var outside = Self.dependencies(store, clock, ScriptedTool { _ in .null })
    outside.limits = Full(latch: latch)
    let runner = Runner(outside)
    let ran = Task { try await runner.run(graph, start(graph)) }
    await clock.waitForSleeper()
    clock.pass(seconds: 31)
    let failure = await #expect(throws: Failure.self) { try await ran.value }
    #expect(failure?.kind == .timeout && failure?.isOfWholeRun == true)
    await latch.open()
  }

  @Test("each operator that asks a model gives it the time that is left")
  func models() async throws {
    let (store, clock) = (FakeStore(), ManualClock())
    let graph = try compile(analyst())
    let asked = Locked<[(String, Double?)]>([])
    var outside = Self.dependencies(store, clock, ScriptedTool { _ in .null })
    outside.gate = FakeGate(journal: store) { request, context, _ in
      asked.withLock { $0.append((context.key.operatorName, request.timeout)) }
      clock.pass(seconds: 80)
      return request.schema == nil ? "text" : #"{"verdict": "pass"}"#
    }
    let runner = Runner(outside)
    let failure = await #expect(throws: Failure.self) { try await runner.run(graph, start(graph)) }
    #expect(failure?.kind == .timeout && failure?.isOfWholeRun == true)
    let given = asked.withLock { $0 }
    #expect(
      given.map(\.0) == ["preference_agent", "respond", "critic_agent", "explain_operator"])
    #expect(given.map(\.1) == [300, 220, 140, 60])
    #expect(store.kinds.last == "run.failed")
  }

  // MARK: People

  /// `l` asks a person, and beside it `r` asks models or a person, too.
  private static func beside(_ right: [OperatorDefinition]) throws -> Graph {
    var question = try shipped("hitl")
    question.reads = ["input"]
    var frames = [frame("a", operators: [], parallel: ["l", "r"])]
    frames.append(frame("l", operators: ["hitl"]))
    frames.append(frame("r", operators: right.map(\.name)))
    frames.append(frame("z", operators: ["say"]))
    frames[0].next = [try transition("z")]
    return try compile(
      persona(
        frames: frames,
        operators: [question] + right + [
          try model("say", reads: ["input"], writes: [text("draft")])
        ]))
  }

  @Test("while a person is asked, the clock stands for what works beside it, too")
  func beside() async throws {
    let (store, clock, asked, answered) = (FakeStore(), ManualClock(), Latch(), Latch())
    let graph = try Self.beside([
      try model("one", reads: ["input"], writes: [text("x")]),
      try model("two", reads: ["x"], writes: [text("y")], prompt: "two {{x}}"),
    ])
    let people = FakePeople { _ in
      await asked.open()
      await answered.wait()
      return HumanAnswer(.approve, by: "eve")
    }
    var outside = Self.dependencies(store, clock, ScriptedTool { _ in .null }, people)
    outside.gate = FakeGate(journal: store) { _, context, _ in
      if context.key.operatorName == "one" {
        await asked.wait()
        clock.pass(seconds: 100_000)
      }
      if context.key.operatorName == "two" { await answered.open() }
      return context.key.operatorName
    }
    #expect(try await Runner(outside).run(graph, start(graph)).output == "say")
  }

  @Test("time in which two people are asked at once is free only once")
  func bothAsked() async throws {
    let (store, clock, both) = (FakeStore(), ManualClock(), Latch())
    var second = try shipped("hitl")
    second.name = "other"
    second.reads = ["input"]
    second.writes = [Write(key: "also", type: .object)]
    let graph = try Self.beside([second])
    let count = Locked(0)
    let people = FakePeople { _ in
      let isSecond = count.withLock { count in
        count += 1
        return count == 2
      }
      if isSecond {
        clock.pass(seconds: 1_000)
        await both.open()
      }
      await both.wait()
      return HumanAnswer(.approve, by: "eve")
    }
    var outside = Self.dependencies(store, clock, ScriptedTool { _ in .null }, people)
    let given = Locked<[Double?]>([])
    outside.gate = FakeGate(journal: store) { request, _, _ in
      given.withLock { $0.append(request.timeout) }
      return "said"
    }
    _ = try await Runner(outside).run(graph, start(graph))
    #expect(given.withLock { $0 } == [300])
  }
}
