import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

@Suite("What answers to a question lead to")
struct ForesightTests {
  private static let use = OperatorDefinition(
    name: "use", kind: .tool, reads: ["input"], writes: [Write(key: "found", type: .any)],
    tools: ["send"])

  private static let known = ["send", "mail", "look", "note"]

  /// What is said at each question, which is approved; the first `leftOpen` is left for later.
  private func consequences(
    _ operators: [OperatorDefinition], frames: [FrameDefinition] = [frame("a")],
    rules: [String] = [], grants: [String] = [], input: String = "question", leftOpen: Int = 1,
    answer: @escaping @Sendable (Question) -> HumanAnswer? = { _ in
      HumanAnswer(.approve, by: "eve")
    },
    script: @escaping FakeGate.Script = { _, _, _ in "text" }
  ) async throws -> [Question.Consequences] {
    let graph = try Graph.compile(
      persona(frames: frames, operators: operators), operators: shipped, delegates: worker,
      tools: Set(Self.known))
    let store = FakeStore()
    let asked = Locked<[Question]>([])
    var outside = ResumeTests.dependencies(
      FakeGate(journal: store, script), store,
      FakePeople { question in
        let count = asked.withLock { asked in
          asked.append(question)
          return asked.count
        }
        return count >= leftOpen ? nil : answer(question)
      })
    outside.tools = FixedTools(
      Dictionary(
        Self.known.map { name in
          (name, CountedTool(name, sideEffects: name == "look" ? .none : .yes) as any Tool)
        }
      ) { $1 })
    outside.policy = FixedPolicy(
      rules: try rules.map { try ToolRuleLoader.rule($0, named: "rule") })
    outside.grants = FixedGrants(
      grants: try grants.map {
        ToolGrant(
          id: "g", pattern: try ToolGrant.rule($0).value, session: nil, run: Identifier("run-1"),
          approval: "a", by: "eve", madeAt: Timestamp(milliseconds: 0))
      })
    _ = try await Runner(outside).run(graph, start(graph, input: input))
    // Nothing costs anything here.
    func plain(_ text: String) -> String { text.replacing(" and $0", with: "") }
    return asked.withLock { $0 }.compactMap(\.consequences).map {
      Question.Consequences(
        approve: plain($0.approve), edit: plain($0.edit), reject: plain($0.reject),
        feedback: plain($0.feedback))
    }
  }

  private func first(
    _ operators: [OperatorDefinition], frames: [FrameDefinition] = [frame("a")],
    rules: [String] = [], grants: [String] = [], input: String = "question"
  ) async throws -> Question.Consequences {
    try #require(
      await consequences(operators, frames: frames, rules: rules, grants: grants, input: input)
        .first)
  }

  /// Comes behind whoever writes the draft.
  private func mail(draft: Bool = false, to text: String) -> OperatorDefinition {
    var mail = OperatorDefinition(
      name: "mail_it", kind: .tool, reads: ["draft"], writes: [Write(key: "sent", type: .any)],
      tools: ["mail"])
    mail.arguments = [ToolArgument(name: "to", content: .literal(.string(text)))]
    if draft { mail.arguments.append(ToolArgument(name: "draft", content: .path("draft"))) }
    return mail
  }

  private func say() throws -> OperatorDefinition {
    try model("say", reads: ["found"], writes: [text("draft")], prompt: "{{found}}")
  }

  @Test("the calls that can follow are counted until somebody asks or the run ends")
  func counted() async throws {
    let say = try say()
    let ends = try await first([Self.use, say])
    #expect(ends.approve.contains("at most 1 more call"), "\(ends.approve)")
    #expect(ends.approve.hasSuffix("then the run ends"), "\(ends.approve)")
    let asks = try await first([Self.use, say, shipped("hitl")])
    #expect(asks.approve.contains("at most 1 more call"), "\(asks.approve)")
    #expect(asks.approve.hasSuffix("then `hitl` asks"), "\(asks.approve)")
    #expect(asks.reject.contains("the run ends as denied"))
    var again = say
    again.onError = ErrorPolicy(retry: 1)
    #expect(try await first([Self.use, again]).approve.contains("at most 2 more calls"))
  }

  @Test("a condition on what is known is gone on from as it is, one on what is not from both ways")
  func conditions() async throws {
    var use = Self.use
    use.then = [try route("end", when: "input == 'short'")]
    let say = try say()
    #expect(
      try await first([use, say], input: "short").approve
        .hasSuffix("no model is asked before the run ends"))
    #expect(
      try await first([use, say], input: "long").approve.hasSuffix("then the run ends"))
    #expect(try await first([use, say], input: "long").approve.contains("at most 1 more call"))
    // What the tool will have found nobody knows.
    use.then = [try route("end", when: "found == 'nothing'")]
    let gate = try shipped("hitl")
    let open = try await first([use, say, gate]).approve
    #expect(open.hasSuffix("at most 1 more call, then `hitl` asks or the run ends"), "\(open)")
    // Half of a condition can decide all of it.
    use.then = [try route("end", when: "input == 'short' and found == 'nothing'")]
    let half = try await first([use, say, gate]).approve
    #expect(half.hasSuffix("at most 1 more call, then `hitl` asks"), "\(half)")
    use.then = [try route("end", when: "not (input == 'short' or found == 'nothing')")]
    let other = try await first([use, say, gate], input: "short").approve
    #expect(other.hasSuffix("then `hitl` asks"), "\(other)")
  }

  @Test("a way back that has been taken as often as it may is none any more")
  func bounds() async throws {
    let say = try model("say", writes: [text("draft")], prompt: "hi")
    var use = Self.use
    use.reads = ["input", "draft"]
    let judge = try model(
      "judge", reads: ["found"], writes: [text("verdict")], prompt: "{{found}}",
      then: [route("say", when: "verdict == 'text'", atMost: 1)])
    let said = try await consequences([say, use, judge], leftOpen: 2).map(\.approve)
    #expect(said.count == 2)
    #expect(
      said[0].hasSuffix("at most 2 more calls, then `use` asks or the run ends"), "\(said[0])")
    #expect(said[1].hasSuffix("at most 1 more call, then the run ends"), "\(said[1])")
  }

  @Test("a loop of very many rounds is foreseen by the sum of what the persona can do")
  func longLoops() async throws {
    let judge = try model(
      "judge", reads: ["draft"], writes: [text("verdict")], prompt: "{{draft}}",
      then: [route("say", when: "verdict == 'weak'", atMost: 20_000)])
    // No operator runs more often than a run has steps.
    let said = try await first([Self.use, say(), judge])
    #expect(
      said.approve.hasSuffix("at most 128 more calls, then `use` may ask or the run ends"),
      "\(said.approve)")
  }

  @Test("a text that was sent back as often as it may be is not sent back once more")
  func rejections() async throws {
    let say = try model(
      "say", optional: ["feedback"], writes: [text("draft")], prompt: "hi {{feedback}}",
      review: .always)
    let said = try await consequences(
      [say], leftOpen: RunMachine.mostRejections + 1,
      answer: { _ in HumanAnswer(.reject, text: "Better.", by: "eve") })
    #expect(said.count == RunMachine.mostRejections + 1)
    #expect(said[0].reject.contains("sent back to say"), "\(said[0].reject)")
    #expect(said[0].reject.hasSuffix("at most 1 more call, then `say` asks"), "\(said[0].reject)")
    let last = try #require(said.last)
    #expect(
      last.reject == "the run ends as denied, as things have been sent back 5 times",
      "\(last.reject)")
    #expect(last.approve.hasSuffix("no model is asked before the run ends"), "\(last.approve)")
  }

  @Test("the rules say whether a tool that comes later asks, by its arguments where they are known")
  func policy() async throws {
    func next(_ mail: OperatorDefinition, _ rules: [String] = [], grants: [String] = [])
      async throws -> String
    {
      let approve = try await first(
        [Self.use, say(), mail], rules: ["{ask: send}"] + rules, grants: grants
      ).approve
      return String(approve.split(separator: ", then ").last ?? "")
    }
    let toBob = mail(to: "bob")
    #expect(try await next(toBob) == "`mail_it` asks")
    #expect(try await next(toBob, ["{allow: mail}"]) == "the run ends")
    let onlyBob = "{allow: mail, arguments: {to: bob}}"
    #expect(try await next(toBob, [onlyBob]) == "the run ends")
    #expect(try await next(mail(to: "eve"), [onlyBob]) == "`mail_it` asks")
    #expect(try await next(toBob, grants: [onlyBob]) == "the run ends")
    #expect(try await next(toBob, ["{deny: mail}"]).hasPrefix("the run fails: `mail` is forbidden"))
    // What a model writes decides nothing where the rule looks at nothing.
    let told = mail(draft: true, to: "bob")
    #expect(try await next(told) == "`mail_it` asks")
    #expect(try await next(told, ["{allow: mail}"]) == "the run ends")
    #expect(
      try await next(told, ["{allow: mail, arguments: {to: bob, draft: hello}}"])
        == "`mail_it` may ask or the run ends")
  }

  @Test("a model may ask about the tools that it chooses, where the rules do not allow them all")
  func chosen() async throws {
    func next(_ tools: [String], _ rules: [String] = []) async throws -> String {
      var work = try model("work", reads: ["found"], writes: [text("draft")], prompt: "{{found}}")
      work.tools = tools
      work.toolLimits.rounds = 2
      return try await first([Self.use, work], rules: ["{ask: send}"] + rules).approve
    }
    #expect(try await next(["look"]).hasSuffix("at most 3 more calls, then the run ends"))
    #expect(
      try await next(["look", "note"])
        .hasSuffix("at most 3 more calls, then `work` may ask or the run ends"))
    #expect(
      try await next(["look", "note"], ["{allow: note}"])
        .hasSuffix("at most 3 more calls, then the run ends"))
  }

  @Test("where a part of the run asks, what follows around it is foreseen, too")
  func delegated() async throws {
    let say = try model("say", reads: ["plan"], writes: [text("draft")], prompt: "{{plan}}")
    let work = delegating("supervised", reads: ["input"], writes: "plan")
    let said = try await first([work, say, shipped("hitl")]).approve
    #expect(said.hasSuffix("at most 1 more call, then `hitl` asks"), "\(said)")
  }

  @Test("nothing that a random persona does after an answer was not foreseen")
  func property() async throws {
    var compared = 0
    for seed in 1...120 {
      var chance = SeededNumbers(seed: UInt64(seed))
      var definition = try SequentialMeaningTests.randomPersona(&chance)
      for index in definition.operators.indices {
        definition.operators[index].output = ["type": "object"]
        let isBranch = ["left", "right"].contains(definition.operators[index].name)
        if !isBranch, chance.happens(oneIn: 3) {
          definition.operators[index].review =
            chance.happens(oneIn: 2) ? .always : .when(try Guard.compile("draft > 2"))
        }
      }
      guard let graph = try? compile(definition) else { continue }
      let numbers = Locked(SeededNumbers(seed: UInt64(seed)))
      let store = FakeStore()
      let gate = FakeGate(journal: store) { _, _, _ in
        let values = ["draft", "k1", "k2", "k3", "k4", "k5", "l", "r"].map { key in
          (key, Value.int(Int64(numbers.withLock { $0.upTo(8) })))
        }
        return Value.object(ValueObject(values)).json(.compact)
      }
      struct Said {
        var sentence: String
        var operatorName: String
        var calls: Int
      }
      let said = Locked<[Said]>([])
      let people = FakePeople { question in
        let leads = try #require(question.consequences)
        let choice = numbers.withLock { $0.upTo(5) }
        let count = said.withLock { $0.count }
        let answer: HumanAnswer
        var sentence = leads.approve
        switch choice {
        case 1 where count < 12 && leads.reject.hasPrefix("with a reason"):
          answer = HumanAnswer(.reject, text: "No.", by: "eve")
          sentence = leads.reject
        case 2 where count < 12:
          answer = HumanAnswer(.feedback, text: "More.", by: "eve")
          sentence = leads.feedback
        case 3:
          answer = HumanAnswer(.edit, text: 3, by: "eve")
          sentence = leads.edit
        default: answer = HumanAnswer(.approve, by: "eve")
        }
        said.withLock {
          $0.append(
            Said(
              sentence: sentence, operatorName: question.key.operatorName,
              calls: gate.requests.count))
        }
        return answer
      }
      let ended = try? await Runner(ResumeTests.dependencies(gate, store, people))
        .run(graph, start(graph))
      let all = said.withLock { $0 }
      for (place, one) in all.enumerated() {
        let isLast = place == all.count - 1
        if isLast, ended == nil { continue }
        compared += 1
        let calls = (isLast ? gate.requests.count : all[place + 1].calls) - one.calls
        let most = one.sentence.split(separator: "at most ").last.flatMap {
          Int($0.prefix { $0.isNumber })
        }
        #expect(calls <= most ?? 0, "seed \(seed): \(calls) calls after: \(one.sentence)")
        if isLast {
          #expect(one.sentence.hasSuffix("the run ends"), "seed \(seed): \(one.sentence)")
        } else {
          let name = all[place + 1].operatorName
          #expect(
            one.sentence.contains("`\(name)`") || one.sentence.contains("others ask"),
            "seed \(seed): `\(name)` asks after: \(one.sentence)")
        }
      }
    }
    #expect(compared > 100)
  }
}

@Suite("Conditions of which a part is not known")
struct UndecidedGuardTests {
  @Test(
    "are decided where what is known decides them",
    arguments: [
      ("known", true), ("not known", false), ("open", nil), ("not open", nil),
      ("open and known", nil), ("open and missing", false), ("missing and open", false),
      ("open or known", true), ("known or open", true), ("missing or open", nil),
      ("open == 3", nil), ("text < 3", false), ("not (text < 3)", false),
      // Wherever it goes wrong, all of it is false.
      ("not (open and text < 3)", nil), ("open and text < 3", false),
      ("open > 1 and missing", false), ("number + 1 == 4", true), ("open in [1, 2]", nil),
      ("[open]", nil), ("number - open", nil), ("known and not missing", true),
    ] as [(String, Bool?)])
  func decided(_ source: String, _ expected: Bool?) throws {
    let state = State(["known": true, "text": "x", "number": 3])
    let condition = try Guard.compile(source)
    #expect(condition.decided { $0.key == "open" ? nil : state[$0] } == expected)
    // Whatever becomes known later agrees with what was decided before.
    guard let expected else { return }
    for value in [.null, true, false, 3, "x", [], ["a": 1]] as [Value] {
      #expect(condition.evaluate { $0.key == "open" ? value : state[$0] }.holds == expected)
    }
  }
}
