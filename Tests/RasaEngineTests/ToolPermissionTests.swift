import RasaCore
import RasaPersona
import Testing

@testable import RasaEngine

@Suite("Permission to use a tool")
struct ToolPermissionTests {
  private static func rule(_ text: String) throws -> ToolRule {
    try ToolRuleLoader.rule(text, named: "rule")
  }

  /// Operators that use tools one after the other, each with the input.
  private static func graph(
    _ tools: [String], persona rules: [ToolRule] = []
  ) throws -> Graph {
    var operators: [OperatorDefinition] = []
    for (place, name) in tools.enumerated() {
      var use =
        OperatorDefinition(
          // Each waits for the one before it.
          name: "use_\(place)", kind: .tool,
          reads: place == 0 ? ["input"] : ["input", StatePath("found_\(place - 1)")],
          writes: [Write(key: place == tools.count - 1 ? "draft" : "found_\(place)", type: .any)],
          tools: [name])
      // What becomes of a use in doubt is another question.
      use.uncertain = .retry
      operators.append(use)
    }
    var definition = PersonaDefinition(
      name: "tester", description: "Uses tools.", frames: [frame("a")], operators: operators)
    definition.policy = rules
    return try Graph.compile(
      definition, operators: shipped, delegates: worker, tools: Set(tools))
  }

  private struct Ran {
    var store = FakeStore()
    var result: RunResult?
    var failure: Failure?
    var asked: [Question]
  }

  private static func run(
    _ graph: Graph, _ tools: [CountedTool], policy: any ToolPolicy = StandardToolPolicy(),
    grants: [ToolGrant] = [], store: FakeStore = FakeStore(),
    attachments: [RasaEngine.Attachment] = [],
    resuming: Bool = false,
    answer: @escaping @Sendable (Question) throws -> HumanAnswer?
  ) async throws -> Ran {
    let asked = Locked<[Question]>([])
    let people = FakePeople { question in
      asked.withLock { $0.append(question) }
      return try answer(question)
    }
    var outside = ResumeTests.dependencies(
      FakeGate(journal: store) { _, _, _ in "" }, store, people)
    outside.tools = FixedTools(
      Dictionary(tools.map { ($0.description.name, $0 as any Tool) }) { $1 })
    outside.policy = policy
    outside.grants = FixedGrants(grants: grants)
    var ran = Ran(store: store, asked: [])
    do {
      if resuming {
        ran.result = try await Runner(outside).resume(
          graph, try await store.claim(Identifier("run-1")), by: "test")
      } else {
        var begin = start(graph, input: "hello")
        begin.attachments = attachments
        ran.result = try await Runner(outside).run(graph, begin)
      }
    } catch let failure as Failure { ran.failure = failure }
    ran.asked = asked.withLock { $0 }
    return ran
  }

  private static let approve: @Sendable (Question) -> HumanAnswer? = { question in
    HumanAnswer(.approve, by: "eve", shown: question.payloadDigest)
  }

  // MARK: Asking

  @Test("what may change something asks, with the exact arguments, and is used once when approved")
  func asks() async throws {
    let tool = CountedTool("mcp:mail/send")
    let ran = try await Self.run(Self.graph(["mcp:mail/send"]), [tool], answer: Self.approve)
    let question = try #require(ran.asked.first)
    #expect(ran.asked.count == 1 && tool.uses == [["input": "hello"]])
    #expect(question.form == .permission && question.arguments == ["input": "hello"])
    #expect(question.permission?.tool == "mcp:mail/send")
    #expect(question.permission?.because == "it has side effects, or may have")
    #expect(Question(key: question.key, question.value) == question)
    let lines = ran.store.snapshot.entries.filter { $0.kind == "tool.permitted" }
    #expect(lines.map { $0.body["because"] } == ["eve approved it"])
  }

  @Test("what only reads does not ask, and what the rules forbid is not used by anybody's leave")
  func withoutAsking() async throws {
    let reading = CountedTool("look", sideEffects: .none)
    let read = try await Self.run(Self.graph(["look"]), [reading]) { _ in nil }
    #expect(read.asked.isEmpty && reading.uses.count == 1)

    let policy = FixedPolicy(rules: [try Self.rule("{deny: look, because: not here}")])
    let denied = try await Self.run(Self.graph(["look"]), [reading], policy: policy) { _ in nil }
    #expect(denied.asked.isEmpty && reading.uses.count == 1)
    #expect(denied.failure?.kind == .approval)
    #expect(denied.failure?.message.contains("not here") == true)
    #expect(denied.store.kinds.contains("tool.refused"))
  }

  @Test("nobody there leaves the run waiting, and a resumed one uses the answer once")
  func deferred() async throws {
    let tool = CountedTool("send")
    let graph = try Self.graph(["send"])
    let parked = try await Self.run(graph, [tool]) { _ in nil }
    #expect(parked.result?.waitsFor.count == 1 && tool.uses.isEmpty)
    let approval = try #require(parked.result?.waitsFor.first)
    _ = try await parked.store.answer(approval.id, HumanAnswer(.approve, by: "ann"))
    let done = try await Self.run(graph, [tool], store: parked.store, resuming: true) { _ in nil }
    #expect(done.asked.isEmpty && tool.uses.count == 1)
    #expect(done.result?.output == "did send")
  }

  @Test("killed after any line, a run asks nothing twice and uses nothing twice that is recorded")
  func killed() async throws {
    let graph = try Self.graph(["send", "look"])
    let tools = [CountedTool("send"), CountedTool("look", sideEffects: .none)]
    let reference = try await Self.run(graph, tools, answer: Self.approve)
    for count in 1..<reference.store.snapshot.entries.count {
      let store = FakeStore(copying: reference.store, lines: count)
      let answered = store.kinds.contains("human.answered")
      let again = [CountedTool("send"), CountedTool("look", sideEffects: .none)]
      let ran = try await Self.run(
        graph, again, store: store, resuming: true, answer: Self.approve)
      #expect(ran.result?.output == reference.result?.output, "after line \(count)")
      #expect(ran.asked.count == (answered ? 0 : 1), "after line \(count)")
      let results = store.snapshot.entries.filter { $0.kind == "tool.result" }
      #expect(Set(results.map(\.key)).count == 2 && results.count == 2, "after line \(count)")
    }
  }

  @Test("an edit is checked by the tool's schema, and by the rules once more")
  func edits() async throws {
    let tool = CountedTool(
      "send",
      parameters: [
        "type": "object", "properties": ["input": ["type": "string"]], "required": ["input"],
        "additionalProperties": false,
      ])
    let ran = try await Self.run(Self.graph(["send"]), [tool]) { question in
      for wrong in [#"{"input": 3}"#, #"{"to": "eve"}"#, "[]", "hello", "", #""x""#] {
        #expect(throws: Failure.self) { try question.edit(wrong, by: "eve") }
      }
      return try question.edit(#"{"input": "hi"}"#, by: "eve")
    }
    #expect(tool.uses == [["input": "hi"]] && ran.result?.output == "did send")
    // What was recorded is found again with the arguments as they were edited.
    for count in 1..<ran.store.snapshot.entries.count {
      let store = FakeStore(copying: ran.store, lines: count)
      let again = CountedTool("send", parameters: tool.description.parameters)
      let resumed = try await Self.run(
        Self.graph(["send"]), [again], store: store, resuming: true
      ) { try $0.edit(#"{"input": "hi"}"#, by: "eve") }
      #expect(resumed.result?.output == "did send", "after line \(count)")
      #expect(again.uses.allSatisfy { $0 == ["input": "hi"] }, "after line \(count)")
    }

    let forbidden = FixedPolicy(rules: [try Self.rule("{deny: send, arguments: {input: hi}}")])
    let refused = try await Self.run(
      Self.graph(["send"]), [tool], policy: forbidden
    ) { try $0.edit(#"{"input": "hi"}"#, by: "eve") }
    #expect(refused.failure?.message.contains("with the edited arguments it is forbidden") == true)
    #expect(tool.uses.count == 1)
  }

  @Test("what one person wrote into a call is approved by two where the rules say so")
  func editsForTwo() async throws {
    let tool = CountedTool("send")
    let graph = try Self.graph(["send"])
    let policy = FixedPolicy(rules: [
      try Self.rule("{ask: send, arguments: {input: much}, people: 2}"),
      try Self.rule("{ask: send}"),
    ])
    let parked = try await Self.run(graph, [tool], policy: policy) { question in
      question.permission?.people == 1 ? try question.edit(#"{"input": "much"}"#, by: "eve") : nil
    }
    #expect(parked.asked.map(\.permission?.people) == [1, 2] && tool.uses.isEmpty)
    #expect(parked.asked.last?.arguments == ["input": "much"])
    let approval = try #require(parked.result?.waitsFor.first)
    _ = try await parked.store.answer(approval.id, HumanAnswer(.approve, by: "ann"))
    let done = try await Self.run(
      graph, [tool], policy: policy, store: parked.store, resuming: true
    ) { _ in nil }
    #expect(done.asked.isEmpty && tool.uses == [["input": "much"]])
    #expect(done.result?.output == "did send")
  }

  @Test(
    "whoever asked learns why it was refused", arguments: [HumanAnswer.Decision.reject, .feedback])
  func refusals(_ decision: HumanAnswer.Decision) async throws {
    let tool = CountedTool("send")
    let ran = try await Self.run(Self.graph(["send"]), [tool]) { _ in
      HumanAnswer(decision, text: "Ask the boss first.", by: "eve")
    }
    #expect(tool.uses.isEmpty && ran.failure?.kind == .approval)
    #expect(ran.failure?.message.contains("eve refused it: Ask the boss first.") == true)
  }

  @Test("a persona's rules make it stricter and never looser")
  func stricter() async throws {
    for (own, theirs, asks, uses) in [
      ("{allow: send}", "{ask: send}", 1, 1), ("{allow: send}", "{deny: send}", 0, 0),
      ("{deny: send}", "{allow: send}", 0, 0), ("{ask: send}", "{allow: send}", 1, 1),
      ("{ask: other}", "{allow: send}", 1, 1), ("{allow: send}", "{deny: other}", 0, 1),
    ] {
      let tool = CountedTool("send")
      let ran = try await Self.run(
        Self.graph(["send"], persona: [Self.rule(theirs)]), [tool],
        policy: FixedPolicy(rules: [Self.rule(own)]), answer: Self.approve)
      #expect(ran.asked.count == asks && tool.uses.count == uses, "\(own) \(theirs)")
    }
  }

  // MARK: Grants

  private static func grant(_ rule: String) throws -> ToolGrant {
    ToolGrant(
      id: "g1", pattern: try Self.rule(rule).value, session: nil, run: Identifier("run-1"),
      approval: "a1", by: "ann", madeAt: Timestamp(milliseconds: 0))
  }

  @Test("a grant covers what its pattern says, and the journal says which one allowed a use")
  func grants() async throws {
    for (rule, covers) in [
      ("{allow: send, arguments: {input: hello}}", true),
      ("{allow: send, arguments: {input: other}}", false), ("{allow: other}", false),
      ("{allow: send, arguments: {}}", false),
    ] {
      let tool = CountedTool("send")
      let ran = try await Self.run(
        Self.graph(["send"]), [tool], grants: [Self.grant(rule)], answer: Self.approve)
      #expect(ran.asked.isEmpty == covers && tool.uses.count == 1, "\(rule)")
      let line = ran.store.snapshot.entries.first { $0.kind == "tool.permitted" }
      #expect((line?.body["grant"].string == "g1") == covers)
    }
    var revoked = try Self.grant("{allow: send}")
    revoked.revokedAt = Timestamp(milliseconds: 1)
    let ran = try await Self.run(
      Self.graph(["send"]), [CountedTool("send")], grants: [revoked], answer: Self.approve)
    #expect(ran.asked.count == 1)
  }

  @Test("a pattern that a person writes has to allow, and to cover what is asked about")
  func patterns() async throws {
    _ = try await Self.run(Self.graph(["send"]), [CountedTool("send")]) { question in
      let proposed = try question.grant(nil, by: "eve")
      #expect(proposed.decision == .approve)
      #expect(proposed.grant == ["allow": "send", "arguments": ["input": "hello"]])
      for wrong in [
        "{deny: send}", "{allow: other}", "{allow: send, arguments: {input: x}}", "nonsense",
        "{allow: send, argument: {input: hello}}", "",
      ] {
        #expect(throws: Failure.self, "\(wrong)") { try question.grant(wrong, by: "eve") }
      }
      return try question.grant("{allow: send, arguments: {input: '*'}}", by: "eve")
    }
  }

  @Test("no grant of one person covers what two have to approve")
  func twoPeople() async throws {
    let tool = CountedTool("send")
    let ran = try await Self.run(
      Self.graph(["send"]), [tool],
      policy: FixedPolicy(rules: [Self.rule("{ask: send, people: 2}")]),
      grants: [Self.grant("{allow: send}")]
    ) { question in
      #expect(question.permission?.people == 2 && question.permission?.proposal == nil)
      #expect(throws: Failure.self) { try question.edit(#"{"input": "x"}"#, by: "eve") }
      return nil
    }
    #expect(ran.asked.count == 1 && tool.uses.isEmpty)
  }

  // MARK: Where data comes from

  private static let reading = CountedTool("files", sideEffects: .none, flow: .privateData)
  private static let web = CountedTool("web", sideEffects: .none, flow: .untrustedContent)
  private static let out = CountedTool("post", sideEffects: .none, flow: .wayOut)
  private static let unknown = CountedTool("unknown", sideEffects: .none, flow: nil)

  @Test(
    "what brings private data, content of strangers and a way out together asks, whatever the rules say",
    arguments: [
      (["files", "post"], []), (["web", "post"], []), (["files", "web"], []),
      (["files", "web", "post"], [2]), (["web", "files", "post"], [2]),
      (["post", "files", "web"], [2]), (["files", "unknown"], [1]), (["unknown", "files"], [1]),
      (["files", "web", "post", "files", "post"], [2, 4]), (["unknown", "unknown"], []),
    ])
  func trifecta(_ names: [String], _ asking: [Int]) async throws {
    let tools = [Self.reading, Self.web, Self.out, Self.unknown]
    let graph = try Self.graph(names)
    let everything = FixedPolicy(rules: [try Self.rule("allow: '*'")])
    let ran = try await Self.run(
      graph, tools, policy: everything, grants: [Self.grant("allow: '*'")], answer: Self.approve)
    #expect(ran.asked.map(\.key.operatorName) == asking.map { "use_\($0)" })
    for question in ran.asked {
      let permission = try #require(question.permission)
      #expect(permission.proposal == nil && permission.sources.count == 3)
      #expect(permission.sources[0].contains(names.contains("files") ? "files" : "?"))
    }
    // A resumed run knows as much as one that was never stopped.
    for count in 1..<ran.store.snapshot.entries.count {
      let store = FakeStore(copying: ran.store, lines: count)
      let answered = store.kinds.count { $0 == "human.answered" }
      let again = try await Self.run(
        graph, tools, policy: everything, store: store, resuming: true, answer: Self.approve)
      #expect(again.asked.count == asking.count - answered, "after line \(count)")
    }
  }

  @Test("what a person attached, and what is remembered of them, is private")
  func privateInput() async throws {
    let file = RasaEngine.Attachment(name: "salary.pdf", type: .pdf, bytes: [1, 2, 3])
    let ran = try await Self.run(
      Self.graph(["web", "post"]), [Self.web, Self.out], attachments: [file], answer: Self.approve)
    #expect(ran.asked.map(\.key.operatorName) == ["use_1"])
    #expect(ran.asked[0].permission?.sources[0].contains("salary.pdf") == true)
  }

  @Test("any order of uses asks exactly where the three are together")
  func order() {
    let flows: [DataFlow] = [
      [], .privateData, .untrustedContent, .wayOut, [.untrustedContent, .wayOut], .everything,
    ]
    for first in flows {
      for second in flows {
        for third in flows {
          var taint = Taint()
          for (place, flow) in [first, second, third].enumerated() {
            let before = taint.flow
            let expected =
              before.union(flow) == .everything
              && (flow.contains(.wayOut) || before != .everything)
            #expect(taint.isCompleted(by: flow) == expected)
            taint.note(Taint.Source(flow, "tool \(place)"))
            #expect(taint.flow == before.union(flow))
            let read: DataFlow = DataFlow(taint.flow.value)
            #expect(read == taint.flow)
          }
        }
      }
    }
  }
}
