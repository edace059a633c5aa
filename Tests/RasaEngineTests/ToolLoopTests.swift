import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("A model with tools")
struct ToolLoopTests {
  private static let word: Value = [
    "type": "object", "properties": ["word": ["type": "string"]], "required": ["word"],
  ]

  static func operation(_ tools: [String], _ change: (inout OperatorDefinition) -> Void = { _ in })
    throws -> OperatorDefinition
  {
    var work = try model("asker", reads: ["input"], writes: [text("draft")], prompt: "do {{input}}")
    work.tools = tools
    change(&work)
    return work
  }

  static func graph(
    _ tools: [String] = ["look", "note"], more: [OperatorDefinition] = [],
    _ change: (inout OperatorDefinition) -> Void = { _ in }
  ) throws -> Graph {
    try Graph.compile(
      persona(frames: [frame("a")], operators: [operation(tools, change)] + more),
      operators: shipped, delegates: worker, tools: ["look", "note", "mcp:many", "ask"])
  }

  /// Looks something up.
  static func look(_ sideEffects: SideEffects = .none) -> FakeTool {
    FakeTool(
      ToolDescription(
        name: "look", text: "Looks a word up.", parameters: word, sideEffects: sideEffects,
        origin: .http)
    ) { use, _ in .result(ToolResult([.text("meaning of \(use.arguments["word"].promptText)")])) }
  }

  /// Writes something down, which is not to happen twice.
  static func note() -> FakeTool {
    FakeTool(
      ToolDescription(name: "note", parameters: word, sideEffects: .yes, origin: .http)
    ) { use, _ in .result(ToolResult(structured: ["noted": use.arguments["word"]])) }
  }

  static func dependencies(
    _ store: FakeStore, _ script: ToolScript, _ tools: [FakeTool],
    people: FakePeople = ResumeTests.people(HumanAnswer(.approve, by: "eve")),
    gate: FakeGate? = nil
  ) -> RunDependencies {
    var outside = ResumeTests.dependencies(gate ?? script.gate(store), store, people)
    outside.tools = FixedTools(
      Dictionary(tools.map { ($0.description.name, $0) }) { first, _ in first })
    return outside
  }

  static let plan = ToolScript(turns: [
    [call("look", ["word": "a"], id: "1"), call("look", ["word": "b"], id: "2")],
    [call("note", ["word": "c"], id: "3")],
  ])

  private static func people() -> FakePeople {
    ResumeTests.people(HumanAnswer(.approve, by: "eve"))
  }

  @Test("calls some, sees what they return in the order of its calls, and answers")
  func whole() async throws {
    let graph = try Self.graph()
    let (store, look, note) = (FakeStore(), Self.look(), Self.note())
    let gate = Self.plan.gate(store)
    let shown = Locked("")
    let restarts = Locked<[Restart.Cause]>([])
    let result = try await Runner(Self.dependencies(store, Self.plan, [look, note], gate: gate))
      .run(graph, start(graph)) { progress in
        switch progress {
        case .output(let text): shown.withLock { $0 += text }
        case .restarted(_, let restart):
          if let keeps = restart.keeps { shown.withLock { $0 = String($0.prefix(keeps)) } }
          restarts.withLock { $0.append(restart.cause) }
        default: break
        }
      }
    let answer = #"answer meaning of a | meaning of b | {"noted":"c"}"#
    #expect(result.output == .string(answer))
    #expect(shown.withLock { $0 } == answer)
    #expect(restarts.withLock { $0 } == [.toolCalls, .toolCalls])
    #expect(
      gate.keys == ["a:1/asker/call#1", "a:1/asker/call.2#1", "a:1/asker/call.3#1"])
    #expect(
      gate.requests.map { $0.tools.map(\.name) } == [
        ["look", "note"], ["look", "note"], ["look", "note"],
      ])
    let last = try #require(gate.requests.last?.messages)
    #expect(last.map(\.role) == [.system, .user, .assistant, .tool, .tool, .assistant, .tool])
    #expect(last[2].toolCalls == Self.plan.turns[0] && last[2].text == "let me see")
    #expect(
      last[2].reasoning.map(\.signature) == ["s0"] && last[5].reasoning.map(\.signature) == ["s1"])
    #expect(last.filter { $0.role == .tool }.map(\.toolCallID) == ["1", "2", "3"])
    #expect(
      Set(look.uses.map(\.key.label)) == ["tool:look.1.1", "tool:look.1.2"]
        && note.uses.map(\.key.label) == ["tool:note.2.1"])
    #expect(result.calls == 3)
    let calls = RunTimeline(store.snapshot.entries).calls.filter { $0.provider == "tool" }
    #expect(
      Set(calls.map(\.model)) == ["look", "note"] && calls.allSatisfy { $0.outcome == .answered })
  }

  @Test("killed after any line, comes to the same end, and nothing on record is used again")
  func killed() async throws {
    let graph = try Self.graph()
    let reference = FakeStore()
    let whole = try await Runner(
      Self.dependencies(reference, Self.plan, [Self.look(), Self.note()], people: Self.people())
    ).run(graph, start(graph))
    let lines = reference.snapshot.entries.count
    var doubts = 0
    for count in 1..<lines {
      let store = FakeStore(copying: reference, lines: count)
      let known = EffectLog(store.snapshot.entries)
      let (look, note) = (Self.look(), Self.note())
      let people = Self.people()
      let result = try await Runner(
        Self.dependencies(store, Self.plan, [look, note], people: people)
      ).resume(graph, try await store.claim(Identifier("run-1")), by: "test")
      #expect(result.output == whole.output && result.state == whole.state, "after line \(count)")
      for use in look.uses + note.uses {
        #expect(known.done(at: use.key) == nil, "after line \(count)")
      }
      let step = Step(frame: "a", visit: 1, operatorName: "asker")
      if !known.open(at: step.effect("tool:note.2.1")).isEmpty {
        doubts += 1
        // It has side effects, so a person decides whether it happens twice.
        let asked = store.snapshot.entries.filter { $0.kind == "human.asked" }.compactMap(\.key)
        #expect(asked.contains("a:1/asker/tool:note.2.1.uncertain#1"), "after line \(count)")
      }
    }
    #expect(doubts == 1)
  }

  @Test("a use in doubt that a person forbids stops the run, and is not made")
  func forbidden() async throws {
    let graph = try Self.graph()
    let reference = FakeStore()
    _ = try await Runner(
      Self.dependencies(reference, Self.plan, [Self.look(), Self.note()], people: Self.people())
    ).run(graph, start(graph))
    let intent = try #require(reference.kinds.lastIndex(of: "tool.intent"))
    let store = FakeStore(copying: reference, lines: intent + 1)
    let note = Self.note()
    let people = ResumeTests.people(HumanAnswer(.reject, by: "eve"))
    await #expect(throws: Failure.self) {
      try await Runner(Self.dependencies(store, Self.plan, [Self.look(), note], people: people))
        .resume(graph, try await store.claim(Identifier("run-1")), by: "test")
    }
    #expect(note.uses.isEmpty)
  }

  @Test("a fork takes over what is the same")
  func fork() async throws {
    let graph = try Self.graph()
    let store = FakeStore()
    let whole = try await Runner(
      Self.dependencies(store, Self.plan, [Self.look(), Self.note()], people: Self.people())
    ).run(graph, start(graph))
    let origin = try #require(try Origin(try await store.claim(Identifier("run-1"))))
    var begin = start(graph)
    begin.run = Identifier("run-2")
    begin.fork = ForkPoint(run: Identifier("run-1"), changes: [:])
    let (look, note) = (Self.look(), Self.note())
    let forked = FakeStore()
    let dependencies = Self.dependencies(forked, Self.plan, [look, note])
    let forecast = try await Runner(dependencies).forecast(graph, begin, inheriting: origin)
    #expect(forecast.isComplete && forked.kinds.isEmpty)
    let result = try await Runner(dependencies).run(graph, begin, inheriting: origin)
    #expect(result.output == whole.output && look.uses.isEmpty && note.uses.isEmpty)
    #expect(forked.kinds.filter { $0 == "tool.reused" }.count == 3)
  }

  @Test("a recording holds all of it, and gives it again without model, tools or people")
  func replay() async throws {
    let graph = try Self.graph()
    let store = FakeStore()
    let whole = try await Runner(
      Self.dependencies(store, Self.plan, [Self.look(), Self.note()], people: Self.people())
    ).run(graph, start(graph))
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
    let replayed = try await Replay(made.recording.reread(), on: graph).run()
    #expect(replayed.result?.output == whole.output && replayed.differences == [])
  }

  @Test(
    "ends at each of its limits with one more turn, and says so",
    arguments: ["rounds", "calls", "bytes"])
  func limits(_ name: String) async throws {
    let graph = try Self.graph(["look"]) { work in
      switch name {
      case "rounds": work.toolLimits.rounds = 2
      case "calls": work.toolLimits.calls = 3
      default: work.toolLimits.bytes = 30
      }
    }
    let endless = ToolScript(
      turns: Array(
        repeating: [call("look", ["word": "a"], id: "1"), call("look", ["word": "b"], id: "2")],
        count: 100))
    let (store, look) = (FakeStore(), Self.look())
    let gate = endless.gate(store)
    let result = try await Runner(Self.dependencies(store, endless, [look], gate: gate))
      .run(graph, start(graph))
    let last = try #require(gate.requests.last)
    #expect(!last.mayCallTools && !last.tools.isEmpty)
    #expect(last.messages.last?.role == .user)
    #expect(look.uses.count == (name == "calls" ? 3 : 4))
    #expect(result.output.promptText.hasPrefix("answer meaning of a"))
    let notice = try #require(result.notices.first { $0.kind == .limit })
    #expect(notice.facts["limit"] == .string(name))
    #expect(store.kinds.contains("run.noticed"))
    if name == "calls" {
      #expect(last.messages.contains { $0.isError && $0.text.contains("was not made") })
    }
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
  }

  @Test(
    "is told of what went wrong, and goes on",
    arguments: [
      "unknown", "arguments", "unreadable", "refused", "nobody", "throws", "isError", "output",
      "late",
    ])
  func errors(_ what: String) async throws {
    let graph = try Self.graph(["look", "note"]) { $0.uncertain = .retry }
    let note = Self.note()
    var look = Self.look()
    var people = Self.people()
    var plan = ToolScript(turns: [[call("look", ["word": "a"], id: "1")]])
    var expected = ""
    switch what {
    case "unknown":
      plan.turns[0] = [call("lok", ["word": "a"])]
      expected = "There is no tool `lok`. Did you mean `look`?"
    case "arguments":
      plan.turns[0] = [call("look", ["word": 7])]
      expected = "`look` does not take these arguments"
    case "unreadable":
      plan.turns[0] = [call("look")]
      plan.turns[0][0].unreadable = #"{"word": a"#
      expected =
        #"the arguments that you wrote for it are no JSON object. They began with: {"word": a"#
    case "refused":
      plan.turns[0] = [call("note", ["word": "a"])]
      people = ResumeTests.people(HumanAnswer(.reject, text: "not now", by: "eve"))
      expected = "`note` was not used: eve refused it: not now"
    case "nobody":
      plan.turns[0] = [call("note", ["word": "a"])]
      people = FakePeople { _ in throw Failure(.approval, "nobody may be asked") }
      expected = "nobody may be asked"
    case "throws":
      look = FakeTool(look.description) { _, _ in throw Failure(.provider, "the server is down") }
      expected = "the server is down"
    case "isError":
      look = FakeTool(look.description) { _, _ in
        .result(ToolResult([.text("no such word")], isError: true))
      }
      expected = "no such word"
    case "late":
      look = FakeTool(look.description) { _, _ in throw Failure(.timeout, "nobody answered") }
      expected = "It may have been done all the same."
    case "output":
      var description = look.description
      description.output = ["type": "object", "required": ["meaning"]]
      look = FakeTool(description) { _, _ in .result(ToolResult(structured: ["other": 1])) }
      expected = "does not fit its own schema"
    default: Issue.record("\(what)")
    }
    let store = FakeStore()
    let gate = plan.gate(store)
    let result = try await Runner(
      Self.dependencies(store, plan, [look, note], people: people, gate: gate)
    ).run(graph, start(graph))
    let told = try #require(gate.requests.last?.messages.last)
    #expect(told.role == .tool && told.isError && told.text.contains(expected), "\(told.text)")
    #expect(result.output.promptText.contains(expected))
    #expect(note.uses.isEmpty)
    // A resumed run tells its model the same, and tries nothing again.
    let uses = look.uses.count
    for count in 1..<store.snapshot.entries.count {
      let again = FakeStore(copying: store, lines: count)
      let resumed = try await Runner(
        Self.dependencies(again, plan, [look, note], people: people)
      ).resume(graph, try await again.claim(Identifier("run-1")), by: "test")
      #expect(resumed.output == result.output, "after line \(count)")
      let isKnown = again.snapshot.entries.prefix(count).contains {
        $0.kind == "tool.result"
      }
      #expect(look.uses.count == uses || !isKnown, "after line \(count)")
      look.forget(after: uses)
    }
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph, "\(what)")
  }

  @Test("failing in a later turn is asked that turn again, and no tool a second time")
  func retried() async throws {
    let graph = try Self.graph(["look"]) { $0.onError.retry = 1 }
    let plan = ToolScript(turns: [[call("look", ["word": "a"], id: "1")]])
    let (store, look) = (FakeStore(), Self.look())
    let failed = Locked(0)
    let inner = plan
    let gate = FakeGate(
      journal: store,
      shape: { answer, request, _ in
        guard ToolScript.turn(of: request) == 0 else { return }
        answer.toolCalls = inner.turns[0]
        answer.finish = .toolCalls
      }
    ) { request, _, _ in
      guard ToolScript.turn(of: request) == 1 else { return "" }
      let count = failed.withLock { count in
        count += 1
        return count
      }
      if count == 1 { throw Failure(.provider, "overloaded") }
      return "done"
    }
    let result = try await Runner(Self.dependencies(store, plan, [look], gate: gate))
      .run(graph, start(graph))
    #expect(result.output == "done" && look.uses.count == 1)
    #expect(gate.keys == ["a:1/asker/call#1", "a:1/asker/call.2#1", "a:1/asker/call.2#2"])
  }

  @Test("has its final answer checked and repaired like any other")
  func structured() async throws {
    let graph = try Self.graph(["look"]) { work in
      work.output = ["type": "object", "properties": ["n": ["type": "integer"]], "required": ["n"]]
      work.writes = [Write(key: "draft", type: .object)]
    }
    let plan = ToolScript(turns: [[call("look", ["word": "a"], id: "1")]])
    let (store, look) = (FakeStore(), Self.look())
    let gate = FakeGate(
      journal: store,
      shape: { answer, request, context in
        guard ToolScript.turn(of: request) == 0 else { return }
        answer.toolCalls = plan.turns[0]
        answer.finish = .toolCalls
      }
    ) { request, context, _ in
      if ToolScript.turn(of: request) == 0 { return "" }
      return context.key.label == "repair" ? #"{"n": 1}"# : "one"
    }
    let result = try await Runner(Self.dependencies(store, plan, [look], gate: gate))
      .run(graph, start(graph))
    #expect(result.state["draft"] == ["n": 1])
    #expect(gate.requests.last?.mayCallTools == false && gate.requests.last?.tools.isEmpty == false)
  }

  @Test("reads on in a result that is too large, also after the run was resumed")
  func large() async throws {
    let graph = try Self.graph(["look"]) { $0.toolLimits.result = 2_048 }
    let big = (0..<2_000).map { "line \($0)" }.joined(separator: "\n")
    let look = FakeTool(Self.look().description) { _, _ in .result(ToolResult([.text(big)])) }
    let plan = ToolScript(turns: [
      [call("look", ["word": "a"], id: "1")],
      [
        call("read_result", ["call": "1.1", "search": "line 1777"], id: "2"),
        call("read_result", ["call": "1.1", "offset": 10], id: "3"),
        call("read_result", ["call": "9.9"], id: "4"),
        call("read_result", ["call": "1.1", "offset": -7], id: "5"),
        call("read_result", ["call": "1.1", "offset": .int(.max)], id: "6"),
      ],
    ])
    let store = FakeStore()
    let gate = plan.gate(store)
    let whole = try await Runner(Self.dependencies(store, plan, [look], gate: gate))
      .run(graph, start(graph))
    #expect(gate.requests[0].tools.map(\.name) == ["look"])
    #expect(gate.requests[1].tools.map(\.name) == ["look", "read_result"])
    let results = try #require(gate.requests.last?.messages.filter { $0.role == .tool })
    #expect(
      results[0].text.utf8.count < 2_400 && results[0].text.contains("of \(big.utf8.count) bytes"))
    #expect(results[1].text.contains("line 1777\nline 1778"))
    #expect(results[2].text.contains("[bytes 10–"))
    #expect(results[3].isError)
    #expect(results[4].text.contains("[bytes 0–") && results[5].isError)
    let kept = store.snapshot.entries.compactMap { EffectEvent($0) }.compactMap { event in
      if case .result(.tool(let result), _) = event.phase { result.text.utf8.count } else { nil }
    }
    #expect(kept.max() == big.utf8.count)
    for count in 1..<store.snapshot.entries.count {
      let again = FakeStore(copying: store, lines: count)
      let resumed = try await Runner(Self.dependencies(again, plan, [look])).resume(
        graph, try await again.claim(Identifier("run-1")), by: "test")
      #expect(resumed.output == whole.output, "after line \(count)")
    }
  }

  @Test("searches where there are too many to be sent")
  func many() async throws {
    let graph = try Self.graph(["mcp:many"])
    let tools = (0..<500).map { index in
      FakeTool(
        ToolDescription(
          name: "mcp:many/tool\(index)", text: "Does thing number \(index).", parameters: Self.word,
          sideEffects: .none, origin: .server("many"))
      ) { use, _ in .result(ToolResult([.text("thing \(use.arguments["word"].promptText)")])) }
    }
    let plan = ToolScript(turns: [
      [call("search_tools", ["query": "number 321"], id: "1")],
      [call("many_tool321", ["word": "x"], id: "2")],
    ])
    func dependencies(_ store: FakeStore, _ gate: FakeGate?) -> RunDependencies {
      var outside = Self.dependencies(store, plan, [], gate: gate)
      outside.tools = ManyTools(tools)
      return outside
    }
    let store = FakeStore()
    let gate = plan.gate(store)
    let whole = try await Runner(dependencies(store, gate)).run(graph, start(graph))
    #expect(whole.output.promptText.contains("thing x"))
    #expect(gate.requests[0].tools.map(\.name) == ["search_tools"])
    #expect(gate.requests[1].tools.map(\.name) == ["search_tools", "many_tool321"])
    for request in gate.requests {
      let bytes = request.tools.reduce(0) {
        $0 + $1.name.utf8.count + $1.description.utf8.count + $1.parameters.json().utf8.count
      }
      #expect(bytes < 6_000)
    }
    for count in 1..<store.snapshot.entries.count {
      let again = FakeStore(copying: store, lines: count)
      let resumed = try await Runner(dependencies(again, nil)).resume(
        graph, try await again.claim(Identifier("run-1")), by: "test")
      #expect(resumed.output == whole.output, "after line \(count)")
    }
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
  }

  @Test("definitions take a share of a small window, and a resumed run offers what it had offered")
  func share() async throws {
    let tools = (0..<15).map { index in
      FakeTool(
        ToolDescription(
          name: "mcp:many/tool\(index)", text: "Does thing number \(index).", parameters: Self.word,
          sideEffects: .none, origin: .server("many"))
      ) { use, _ in .result(ToolResult([.text("thing \(use.arguments["word"].promptText)")])) }
    }
    let plan = ToolScript(turns: [[call("search_tools", ["query": "number 3"], id: "1")]])
    func run(_ window: Int64?, definitions: Int? = nil) async throws -> (FakeStore, FakeGate, Graph)
    {
      let graph = try Self.graph(["mcp:many"]) { $0.toolLimits.definitions = definitions }
      let store = FakeStore()
      let gate = plan.gate(store, window: window)
      var outside = Self.dependencies(store, plan, [], gate: gate)
      outside.tools = ManyTools(tools)
      _ = try await Runner(outside).run(graph, start(graph))
      return (store, gate, graph)
    }
    #expect(try await run(nil).1.requests[0].tools.count == 15)
    #expect(try await run(200_000).1.requests[0].tools.count == 15)
    #expect(try await run(4_096, definitions: 2_000).1.requests[0].tools.count == 15)
    #expect(try await run(1_000_000, definitions: 200).1.requests[0].tools.count == 1)
    let (store, gate, graph) = try await run(4_096)
    #expect(gate.requests[0].tools.map(\.name) == ["search_tools"])
    let made = try await Recording.make(of: store.snapshot.entries, on: graph)
    #expect(made.differences == [])
    try await expectFaithful(made.recording, on: graph)
    // Whatever the model is that is there then.
    for count in 1..<store.snapshot.entries.count {
      let again = FakeStore(copying: store, lines: count)
      let isOffered = again.kinds.contains(ToolOffer.kind)
      let other = plan.gate(again, window: 200_000)
      var outside = Self.dependencies(again, plan, [], gate: other)
      outside.tools = ManyTools(tools)
      _ = try await Runner(outside).resume(
        graph, try await again.claim(Identifier("run-1")), by: "test")
      guard let first = other.requests.first else { continue }
      #expect(
        (first.tools.first?.name == "search_tools") == isOffered, "after line \(count)")
    }
  }
}

/// The tools of one server.
private struct ManyTools: ToolSource {
  let all: [FakeTool]
  init(_ all: [FakeTool]) { self.all = all }

  func tools(named references: [String]) -> [any Tool] {
    all.filter { tool in
      references.contains {
        tool.description.name == $0 || tool.description.name.hasPrefix("\($0)/")
      }
    }
  }

  func search(_ words: String, among tools: [ToolDescription], limit: Int) -> [Int] {
    let wanted = words.split(separator: " ").last ?? ""
    return Array(tools.indices.filter { tools[$0].text.contains(" \(wanted).") }.prefix(limit))
  }
}
