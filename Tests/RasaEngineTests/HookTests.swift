import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

/// Hooks that answer from a script, and keep what they were asked.
final class ScriptedHooks: HookRunner {
  typealias Script = @Sendable (HookCall) async throws -> Value
  private let own: [HookDefinition]
  private let script: Script
  private let asked = Locked<[HookCall]>([])

  /// - Parameter own: the user's.
  init(_ own: [HookDefinition] = [], _ script: @escaping Script = { _ in .null }) {
    self.own = own
    self.script = script
  }

  var calls: [HookCall] { asked.withLock { $0 } }
  var points: [String] { calls.map { "\($0.hook.point.rawValue):\($0.hook.name)" } }

  var hasOwn: Bool { !own.isEmpty }
  func hooks(at place: HookPlace) -> [HookDefinition] { own.filter { $0.point == place.point } }

  func ask(_ call: HookCall) async throws -> Value {
    asked.withLock { $0.append(call) }
    return try await script(call)
  }
}

@Suite("Hooks")
struct HookTests {
  private static func hook(
    _ name: String, _ point: HookPoint, onFailure: HookFailurePolicy? = nil
  ) -> HookDefinition {
    HookDefinition(
      name: name, point: point, action: .program(command: ["./\(name)"]), onFailure: onFailure)
  }

  private static func graph(_ hooks: [HookDefinition] = []) throws -> Graph {
    var definition = persona(
      frames: [frame("a")],
      operators: [
        try model("ask", reads: ["input"], writes: [text("word")], prompt: "look up {{input}}"),
        try model("say", reads: ["word"], writes: [text("draft")], prompt: "say {{word}}"),
      ])
    definition.hooks = hooks
    return try compile(definition)
  }

  private static func everywhere(_ name: String) -> [HookDefinition] {
    HookPoint.allCases.map { hook(name, $0) }
  }

  private static let models: FakeGate.Script = { request, _, onEvent in
    let text = request.messages.last?.text ?? ""
    return try await FakeGate.stream(text.hasPrefix("look up") ? "word" : text, onEvent)
  }

  private static func dependencies(
    _ store: FakeStore, _ hooks: (any HookRunner)?, gate: FakeGate? = nil
  ) -> RunDependencies {
    var outside = ResumeTests.dependencies(
      gate ?? FakeGate(journal: store, models), store, ResumeTests.people(nil))
    outside.hooks = hooks
    return outside
  }

  private func run(
    _ graph: Graph, _ hooks: ScriptedHooks, gate: FakeGate? = nil
  ) async throws -> (store: FakeStore, result: RunResult, screen: Screen) {
    let (store, screen) = (FakeStore(), Screen())
    let result = try await Runner(Self.dependencies(store, hooks, gate: gate)).run(
      graph, start(graph)
    ) { screen.show($0) }
    return (store, result, screen)
  }

  @Test(
    "are asked at their points, those of the persona before the user's, with what they decide about"
  )
  func points() async throws {
    let hooks = ScriptedHooks(Self.everywhere("mine"))
    let (store, result, _) = try await run(try Self.graph(Self.everywhere("its")), hooks)
    #expect(result.output == "say word")
    #expect(
      hooks.points == [
        "run_start:its", "run_start:mine", "before_model:its", "before_model:mine",
        "before_model:its", "before_model:mine", "before_output:its", "before_output:mine",
        "run_end:its", "run_end:mine",
      ])
    let first = hooks.calls[2]
    #expect(first.document["event"] == "before_model" && first.document["run"] == "run-1")
    #expect(first.document["operator"] == "ask" && first.document["step"]["frame"] == "a")
    #expect(first.payload["messages"]?.array?.last?["text"] == "look up question")
    #expect(hooks.calls[0].payload["input"] == "question")
    #expect(hooks.calls[6].payload["output"] == "say word")
    #expect(hooks.calls[8].payload["status"] == "done")
    // Each has both of its commits, and none counts as a call to a model.
    let lines = store.snapshot.entries.compactMap { EffectEvent($0) }.filter { $0.kind == .hook }
    #expect(lines.count == 20 && result.calls == 2)
    #expect(RunTimeline(store.snapshot.entries).totals.answered == 2)
  }

  @Test("of others than those named are left alone")
  func matching() async throws {
    var one = Self.hook("one", .beforeModel)
    one.operatorPattern = "s*"
    let hooks = ScriptedHooks([one])
    _ = try await run(try Self.graph(), hooks)
    #expect(hooks.calls.map { $0.document["operator"] } == ["say"])
  }

  @Test("change input, prompts and output, and the reader is told of what no prompt shows")
  func change() async throws {
    let hooks = ScriptedHooks(Self.everywhere("h")) { call in
      switch call.hook.point {
      case .runStart: return ["change": ["input": "other"]]
      case .beforeModel where call.document["operator"] == "say":
        let messages = (call.payload["messages"]?.array ?? []).map { message -> Value in
          ["role": message["role"], "text": .string((message["text"].string ?? "") + "!")]
        }
        return ["change": ["messages": .array(messages)]]
      case .beforeOutput: return ["change": ["output": "replaced"]]
      default: return [:]
      }
    }
    let store = FakeStore()
    let gate = FakeGate(journal: store, Self.models)
    let screen = Screen()
    let graph = try Self.graph()
    let result = try await Runner(Self.dependencies(store, hooks, gate: gate)).run(
      graph, start(graph)
    ) { screen.show($0) }
    #expect(gate.requests.map { $0.messages.last?.text } == ["look up other", "say word!"])
    #expect(result.output == "replaced" && screen.output == "replaced")
    #expect(result.state["draft"] == "say word!")
    #expect(
      screen.notices.map(\.message) == [
        "the hook `h` changed `input` of the run", "the hook `h` changed `output` of the answer",
      ])
    #expect(store.snapshot.entries.last { $0.kind == "run.finished" }?.body["output"] == "replaced")
  }

  @Test("before the output hold all of it back")
  func holding() async throws {
    let latch = Latch()
    let screen = Screen()
    let hooks = ScriptedHooks([Self.hook("h", .beforeOutput)]) { _ in
      #expect(screen.output.isEmpty)
      await latch.open()
      return .null
    }
    let store = FakeStore()
    let graph = try Self.graph()
    _ = try await Runner(Self.dependencies(store, hooks)).run(graph, start(graph)) {
      if case .textArrived = $0 { Issue.record("a draft was shown") }
      screen.show($0)
    }
    await latch.wait()
    #expect(screen.pieces == ["say word"])
    // Without one it streams.
    let (_, _, live) = try await run(graph, ScriptedHooks([Self.hook("h", .beforeModel)]))
    #expect(live.pieces.count > 1 && live.output == "say word")
  }

  @Test(
    "refuse with a reason, which ends the run as a person's refusal does",
    arguments: [HookPoint.runStart, .beforeModel, .beforeOutput])
  func refusal(_ point: HookPoint) async throws {
    let hooks = ScriptedHooks([Self.hook("h", point), Self.hook("end", .runEnd)]) { call in
      call.hook.point == point ? ["refuse": "not today"] : .null
    }
    let store = FakeStore()
    let graph = try Self.graph()
    let screen = Screen()
    let failure = await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(store, hooks)).run(graph, start(graph)) { screen.show($0) }
    }
    #expect(failure?.kind == .approval && failure?.exitCode == 7)
    #expect(failure?.message.hasPrefix("the hook `h` refused ") == true)
    #expect(failure?.message.hasSuffix(": not today") == true)
    #expect(screen.output.isEmpty)
    #expect(hooks.points == ["\(point.rawValue):h", "run_end:end"])
    let told = try #require(hooks.calls.last)
    #expect(told.payload["status"] == "failed" && told.payload["error"]?["kind"] == "approval")
    #expect(store.kinds.last == "run.failed")
    // Resumed, it is not asked again.
    let again = ScriptedHooks([Self.hook("h", point)])
    await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(store, again)).resume(
        graph, try await store.claim(Identifier("run-1")), by: "test")
    }
    #expect(again.calls.isEmpty)
  }

  private static let useless: [(Value, String)] = [
    ("text", "not a JSON object"), (["chang": [:]], "unknown member `chang`"),
    (["refuse": 1], "`refuse` is not a text"), (["change": 1], "`change` is not an object"),
    (["change": ["messages": []], "refuse": "no"], "both"),
    (["change": ["tools": []]], "only `messages` may change"),
    (["change": ["messages": [["role": "system", "text": "all yours"]]]], "as many as before"),
    (
      ["change": ["messages": [["role": "user", "text": "a"], ["role": "system", "text": "b"]]]],
      "same roles"
    ),
  ]

  @Test("that give no usable answer stop what they guard, or are done without", arguments: useless)
  func failures(_ answer: Value, _ words: String) async throws {
    for policy in [HookFailurePolicy.refuse, .pass] {
      let hooks = ScriptedHooks([Self.hook("h", .beforeModel, onFailure: policy)]) { _ in answer }
      let store = FakeStore()
      let graph = try Self.graph()
      let screen = Screen()
      let runner = Runner(Self.dependencies(store, hooks))
      if policy == .pass {
        _ = try await runner.run(graph, start(graph)) { screen.show($0) }
        #expect(screen.output == "say word")
        #expect(screen.notices.contains { $0.kind == .hook && $0.message.contains(words) })
      } else {
        let failure = await #expect(throws: Failure.self) {
          try await runner.run(graph, start(graph)) { screen.show($0) }
        }
        #expect(
          failure?.kind == .run && failure?.message.contains(words) == true,
          "\(failure?.message ?? "")")
        #expect(store.kinds.contains("hook.failed") && !store.kinds.contains("call.intent"))
        // Once it is mended the run goes on.
        let mended = ScriptedHooks([Self.hook("h", .beforeModel)])
        let result = try await Runner(Self.dependencies(store, mended)).resume(
          graph, try await store.claim(Identifier("run-1")), by: "test")
        #expect(result.output == "say word" && mended.calls.count == 2)
      }
    }
  }

  @Test("that do not answer in time are given up")
  func timeout() async throws {
    var outside = Self.dependencies(
      FakeStore(),
      ScriptedHooks([Self.hook("h", .beforeModel)]) { _ in
        // Only whoever gives it up ends this.
        for await _ in AsyncStream<Never>.makeStream().stream {}
        throw CancellationError()
      })
    // Time passes whenever somebody waits for it.
    let now = Locked<UInt64>(0)
    outside.time.monotonic = { now.withLock { $0 } }
    outside.time.sleep = { duration in
      now.withLock { $0 += UInt64(duration.components.seconds) * 1_000_000_000 }
    }
    let graph = try Self.graph()
    let runner = Runner(outside)
    let failure = await #expect(throws: Failure.self) {
      try await runner.run(graph, start(graph))
    }
    #expect(
      failure?.message
        == "the hook `h` failed before a call to a model: it did not answer within 10 seconds")
  }

  @Test(
    "killed after any line, a run comes to the same end and asks nobody twice whose answer is recorded"
  )
  func killed() async throws {
    let graph = try Self.graph(Self.everywhere("its"))
    let script: ScriptedHooks.Script = { call in
      switch call.hook.point {
      case .runStart: ["change": ["input": "other"]]
      case .beforeOutput:
        ["change": ["output": .string((call.payload["output"]?.string ?? "") + "?")]]
      default: [:]
      }
    }
    let (reference, whole, _) = try await run(graph, ScriptedHooks(Self.everywhere("mine"), script))
    #expect(whole.output == "say word??")
    for count in 1..<reference.snapshot.entries.count {
      let store = FakeStore(copying: reference, lines: count)
      let known = EffectLog(store.snapshot.entries)
      let hooks = ScriptedHooks(Self.everywhere("mine"), script)
      let result = try await Runner(Self.dependencies(store, hooks)).resume(
        graph, try await store.claim(Identifier("run-1")), by: "test")
      #expect(result.output == whole.output && result.state == whole.state, "after line \(count)")
      for call in hooks.calls {
        #expect(known.done(at: call.key) == nil, "\(call.key) after line \(count)")
      }
      let asked = hooks.calls.map(\.key.description)
      #expect(Set(asked).count == asked.count, "after line \(count)")
      #expect(hooks.calls.allSatisfy { $0.idempotencyKey == "run-1/\($0.key)" })
    }
  }

  @Test("answer again from a recording, without being there", arguments: [true, false])
  func replay(_ refuses: Bool) async throws {
    let graph = try Self.graph([Self.hook("its", .beforeModel, onFailure: .pass)])
    let script: ScriptedHooks.Script = { call in
      switch call.hook.point {
      case .runStart: return ["change": ["input": "other"]]
      case .beforeModel where call.hook.name == "its": throw Failure(.run, "no luck")
      case .beforeOutput where refuses: return ["refuse": "no"]
      default: return [:]
      }
    }
    let store = FakeStore()
    let runner = Runner(Self.dependencies(store, ScriptedHooks(Self.everywhere("mine"), script)))
    let output = try? await runner.run(graph, start(graph)).output
    #expect((output == nil) == refuses)
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
    let replayed = try await Replay(made.recording.reread(), on: graph).run()
    #expect(replayed.differences == [] && replayed.result?.output == output)
    // A hook that the persona has now is missed.
    let more = try await Replay(
      made.recording.reread(),
      on: try Self.graph([
        Self.hook("its", .beforeModel, onFailure: .pass), Self.hook("new", .beforeModel),
      ])
    ).run()
    #expect(more.differences.contains { if case .newCall = $0 { true } else { false } })
  }

  @Test("are taken over by a fork where they saw the same, refusals aside")
  func fork() async throws {
    let graph = try Self.graph()
    let mine = [Self.hook("h", .beforeModel), Self.hook("end", .beforeOutput)]
    let (store, _, _) = try await run(graph, ScriptedHooks(mine))
    for changes in [[:], ["word": "other"]] as [ValueObject] {
      let origin = try #require(try Origin(try await store.claim(Identifier("run-1"))))
      var begin = start(graph)
      begin.run = Identifier("run-2")
      begin.fork = ForkPoint(run: Identifier("run-1"), changes: changes)
      let (forked, hooks) = (FakeStore(), ScriptedHooks(mine))
      let runner = Runner(Self.dependencies(forked, hooks))
      let forecast = try await runner.forecast(graph, begin, inheriting: origin)
      #expect(hooks.calls.isEmpty && forecast.isComplete == changes.isEmpty)
      _ = try await runner.run(graph, begin, inheriting: origin)
      #expect(hooks.points == (changes.isEmpty ? [] : ["before_model:h", "before_output:end"]))
    }
    let refusing = FakeStore()
    _ = try? await Runner(
      Self.dependencies(refusing, ScriptedHooks(mine) { _ in ["refuse": "no"] })
    ).run(graph, start(graph))
    let origin = try #require(try Origin(try await refusing.claim(Identifier("run-1"))))
    var begin = start(graph)
    begin.run = Identifier("run-2")
    begin.fork = ForkPoint(run: Identifier("run-1"))
    let lenient = ScriptedHooks(mine)
    _ = try await Runner(Self.dependencies(FakeStore(), lenient)).run(
      graph, begin, inheriting: origin)
    #expect(lenient.points.first == "before_model:h")
  }

  @Test("show in comparisons where they answered differently")
  func comparison() async throws {
    let graph = try Self.graph()
    func ran(_ answer: Value) async throws -> ComparedRun {
      let store = FakeStore()
      _ = try? await Runner(
        Self.dependencies(store, ScriptedHooks([Self.hook("h", .beforeModel)]) { _ in answer })
      ).run(graph, start(graph))
      return ComparedRun(timeline: RunTimeline(store.snapshot.entries), walk: nil)
    }
    let found = RunComparison(try await ran([:]), try await ran(["refuse": "no"]))
    #expect(
      found.parting?.differences.contains {
        $0.subject == .hook("before_model:user.h") && $0.right == #"{"refuse":"no"}"#
      } == true)
  }

  @Test("of a persona see what an agent asks that it has work, and the agent's own see its answer")
  func delegation() async throws {
    var definition = persona(
      frames: [frame("a")], operators: [delegating("planner", reads: ["input"])])
    definition.hooks = [Self.hook("outer", .beforeModel), Self.hook("outer", .beforeOutput)]
    let graph = try Graph.compile(definition, operators: shipped) { name throws(Failure) in
      var inner = try worker(name)
      inner?.hooks = [Self.hook("inner", .beforeOutput), Self.hook("inner", .runEnd)]
      return inner
    }
    let hooks = ScriptedHooks([Self.hook("mine", .beforeModel), Self.hook("mine", .beforeOutput)]) {
      call in
      call.hook.point == .beforeOutput
        ? [
          "change": [
            "output": .string((call.payload["output"]?.string ?? "") + " \(call.hook.name)")
          ]
        ]
        : [:]
    }
    let (store, result, screen) = try await run(graph, hooks)
    #expect(
      hooks.points == [
        "before_model:outer", "before_model:mine", "before_output:inner", "run_end:inner",
        "before_output:outer", "before_output:mine",
      ])
    #expect(result.output == "planner: question inner outer mine")
    #expect(screen.output == result.output.string)
    for count in 1..<store.snapshot.entries.count {
      let copy = FakeStore(copying: store, lines: count)
      let again = try await Runner(Self.dependencies(copy, hooks)).resume(
        graph, try await copy.claim(Identifier("run-1")), by: "test")
      #expect(again.output == result.output, "after line \(count)")
    }
  }

  @Test("keep secrets of the environment from what they see and what the journal keeps")
  func secrets() async throws {
    let hooks = ScriptedHooks([Self.hook("h", .beforeModel)]) { call in
      #expect(!call.document.json(.compact).contains("hush-hush"))
      return ["refuse": "it says hush-hush-1"]
    }
    let store = FakeStore()
    var outside = Self.dependencies(store, hooks)
    outside.redact = Redaction(["MY_TOKEN": "hush-hush-1"])
    let graph = try Self.graph()
    var begin = start(graph)
    begin.input = "the token is hush-hush-1"
    let (runner, secret) = (Runner(outside), begin)
    let failure = await #expect(throws: Failure.self) {
      try await runner.run(graph, secret)
    }
    #expect(failure?.message.hasSuffix("it says ***") == true)
    let lines = store.snapshot.entries.filter { $0.kind.hasPrefix("hook.") }
    #expect(!lines.isEmpty && lines.allSatisfy { !$0.body.json(.compact).contains("hush-hush") })
  }

  @Test(
    "around tools change what is done and what comes of it, before people are asked, and refuse")
  func tools() async throws {
    var after = Self.hook("after", .afterTool)
    after.toolPattern = "lo*"
    let mine = [Self.hook("before", .beforeTool), after]
    let script: ScriptedHooks.Script = { call in
      switch (call.hook.name, call.payload["arguments"]?["word"].string) {
      case ("before", "a"): ["change": ["arguments": ["word": "z"]]]
      case ("before", "b"): ["refuse": "not that word"]
      case ("before", "c"): ["change": ["arguments": ["word": "d"]]]
      case ("after", _):
        ["change": ["text": .string((call.payload["text"]?.string ?? "") + "!")]]
      default: .null
      }
    }
    let graph = try ToolLoopTests.graph()
    let asked = Locked<[Value]>([])
    let people = FakePeople { question in
      asked.withLock { $0.append(question.payload) }
      return HumanAnswer(.approve, by: "eve", shown: question.payloadDigest)
    }
    func outside(_ store: FakeStore, _ hooks: ScriptedHooks, _ tools: [FakeTool]) -> RunDependencies
    {
      var outside = ToolLoopTests.dependencies(store, ToolLoopTests.plan, tools, people: people)
      outside.hooks = hooks
      return outside
    }
    let (store, hooks) = (FakeStore(), ScriptedHooks(mine, script))
    let (look, note) = (ToolLoopTests.look(), ToolLoopTests.note())
    let result = try await Runner(outside(store, hooks, [look, note])).run(graph, start(graph))
    #expect(look.uses.map { $0.arguments["word"] } == ["z"])
    #expect(note.uses.map { $0.arguments["word"] } == ["d"])
    #expect(asked.withLock { $0.count } == 1)
    #expect(asked.withLock { $0.first?["arguments"]["word"] } == "d")
    let text = result.output.string ?? ""
    #expect(text.contains("meaning of z!") && text.contains("not that word"), "\(text)")
    // Nobody is asked again, and nothing is done again.
    for count in 1..<store.snapshot.entries.count {
      let copy = FakeStore(copying: store, lines: count)
      let known = EffectLog(copy.snapshot.entries)
      let again = ScriptedHooks(mine, script)
      let resumed = try await Runner(
        outside(copy, again, [ToolLoopTests.look(), ToolLoopTests.note()])
      ).resume(graph, try await copy.claim(Identifier("run-1")), by: "test")
      #expect(resumed.output == result.output, "after line \(count)")
      for call in again.calls {
        #expect(known.done(at: call.key) == nil, "\(call.key) after line \(count)")
        // What it was used with, and not what the model had asked for.
        guard call.hook.point == .afterTool else { continue }
        #expect(call.payload["arguments"] == ["word": "z"], "after line \(count)")
      }
    }
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    let replayed = try await Replay(made.recording.reread(), on: graph).run()
    #expect(replayed.differences == [] && replayed.result?.output == result.output)
    // A guard that is broken is nothing for a model to work around.
    let broken = ScriptedHooks(mine) { _ in "nonsense" }
    let unused = ToolLoopTests.look()
    let failure = await #expect(throws: Failure.self) {
      try await Runner(outside(FakeStore(), broken, [unused, ToolLoopTests.note()])).run(
        graph, start(graph))
    }
    #expect(failure?.reason == "hook_failed" && unused.uses.isEmpty)
  }

  @Test("are refused by a program that cannot ask them")
  func nobody() async throws {
    let graph = try Self.graph([Self.hook("its", .beforeModel)])
    let failure = await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(FakeStore(), nil)).run(graph, start(graph))
    }
    #expect(failure?.kind == .configuration)
  }
}
