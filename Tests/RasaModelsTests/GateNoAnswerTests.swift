import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// Answers that are none: paid for, put into the journal, asked of one other model.
@Suite struct GateNoAnswerTests {
  private static let kinds: [(finish: FinishReason, script: Script)] = [
    (.filtered, Script.text("half of ").with { $0.finishReason = "content_filter" }),
    (.empty, Script.text("")), (.empty, Script.text(" \n ")),
    (.empty, Script.calls([ScriptedCall(id: "c", name: "search", arguments: ["q": "x"])])),
  ]

  private func setting(_ dialect: Dialect, _ scripts: [Script]) throws -> (GateSetting, CallContext)
  {
    let setting = try GateSetting(scripts, dialect: dialect)
    let engine = BuiltIn.allCases.first { $0.dialect == dialect }?.rawValue ?? ""
    return (
      setting,
      .test("\(engine):cheap", fallback: "\(engine):thinker", premium: "\(engine):dear")
    )
  }

  @Test(arguments: Dialect.allCases, kinds.indices)
  func areAskedOfOneOtherModel(_ dialect: Dialect, _ row: Int) async throws {
    let kind = Self.kinds[row]
    // Ollama filters nothing.
    if kind.finish == .filtered, dialect == .ollama { return }
    let (setting, context) = try setting(
      dialect, [kind.script.for(model: "cheap"), .text("from the fallback")])
    let answer = try await setting.ask(.plain, context)
    #expect(answer.text == "from the fallback" && answer.model == "thinker")
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .answered])
    #expect(setting.ledger.settlements[0].actual > .zero)
    let failed = try #require(setting.ledger.entries.first { $0.kind == "call.failed" })
    // Anthropic calls it a refusal of the model.
    let finish =
      kind.finish == .filtered && dialect == .anthropic ? FinishReason.refused : kind.finish
    #expect(failed.body["finish"] == .string(finish.rawValue))
    #expect(answer.fallback?.insteadOf.hasSuffix(":cheap") == true)
    let restarts = setting.shown.count { if case .restarted = $0 { true } else { false } }
    #expect(restarts <= 1)
  }

  @Test func keepsWhatCameOfAnAnswerThatWasFiltered() async throws {
    let setting = try GateSetting([
      Script.text("half of ").with { $0.finishReason = "content_filter" }
    ])
    let failure = try await setting.failure()
    #expect(failure.kind == .provider)
    #expect(failure.message.contains("content filter"))
    #expect(failure.suggestion.contains("--model"))
    let failed = try #require(setting.ledger.entries.first { $0.kind == "call.failed" })
    #expect(failed.body["partial"] == "half of ")
    #expect(setting.provider.requests.count == 1)
  }

  @Test func doNotGoThroughTheWholeChain() async throws {
    let setting = try GateSetting([Script.text("")])
    let failure = try await setting.failure(
      .plain, .test("cheap", fallback: "thinker", premium: "dear"))
    #expect(failure.kind == .provider && failure.message.contains("the answer was empty"))
    #expect(setting.askedModels == ["cheap", "thinker"])
    #expect(failure.details.count == 2)
  }

  @Test func sayNothingOfTheModelsAvailability() async throws {
    let setting = try GateSetting([Script.text("").once(), .text("ok")])
    _ = try await setting.failure()
    #expect(try await setting.ask().text == "ok")
    #expect(setting.askedModels == ["cheap", "cheap"])
  }

  @Test func takeBackWhatTurnsOutToBeReasoning() async throws {
    let setting = try GateSetting([Script.tokens(["let me ", "see\n", "</think>", "\n\nYes."])])
    let answer = try await setting.ask()
    #expect(answer.text == "Yes.")
    let place = setting.shown.firstIndex { if case .restarted = $0 { true } else { false } }
    let last = setting.shown.lastIndex { if case .text = $0 { true } else { false } }
    #expect(setting.shown.last == .text("Yes."))
    #expect(try #require(last) > (place ?? -1))
  }

  @Test func deliverWhatWasCut() async throws {
    let setting = try GateSetting([Script.text("").with { $0.finishReason = "length" }])
    let answer = try await setting.ask()
    #expect(answer.finish == .length && answer.text.isEmpty)
  }

  @Test func keepTheTextThatStandsBesideStrayCalls() async throws {
    let call = ScriptedCall(id: "c", name: "search", arguments: ["q": "x"])
    let setting = try GateSetting([Script.text("All the same.").with { $0.toolCalls = [call] }])
    let answer = try await setting.ask()
    #expect(answer.text == "All the same." && answer.toolCalls.isEmpty && answer.finish == .stop)
  }

  /// A server that says why it ended, and then neither ends nor hangs up.
  @Test func keepToolCallsOfASilentEnd() async throws {
    let call = ScriptedCall(id: "c", name: "search", arguments: ["q": "x"])
    let setting = try GateSetting(
      [
        Script.calls([call]).with {
          $0.commentEvery = nil
          $0.breaking = (1, .raw(Self.toolEnd))
        }
      ], options: { $0.idleTimeout = .milliseconds(50) })
    var request = ModelRequest.plain
    request.tools = [ToolDefinition(name: "search", description: "", parameters: [:])]
    let answer = try await setting.ask(request)
    #expect(answer.finish == .toolCalls)
    #expect(answer.toolCalls.map(\.name) == ["search"])
  }

  private static let toolEnd =
    #"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"search","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}"#
    + "\n\n"
}

/// Who answered is said.
@Suite struct GateAnnouncementTests {
  private func announcements(_ setting: GateSetting) -> [String] {
    setting.shown.compactMap {
      guard case .fellBack(let fallback, let name) = $0 else { return nil }
      return "\(name) for \(fallback.insteadOf): \(fallback.because)"
    }
  }

  @Test(
    arguments: [
      ("a wrong key", Script.error(401), "the key was refused (401)"),
      ("an unknown model", .error(404), "no such model"),
      ("too many requests", .tooManyRequests(retryAfter: 3_600), "too many requests"),
      ("trouble", .error(503, "busy"), "the server failed (503): busy"),
      ("too long", .error(400, "x", code: "context_length_exceeded"), "too long"),
      ("a page", .error(422), "does not take"), ("413", .error(413), "too long"),
      ("another name", .error(400, "x is not a valid model ID"), "not found"),
      ("a gateway", .error(400, "Invalid model name passed in model=x"), "not found"),
      ("an unknown value", .error(400, "Unsupported value", code: "unsupported_value"), "does not"),
    ] as [(String, Script, String)])
  func tellsOnceAndWhy(_ row: (name: String, script: Script, why: String)) async throws {
    let other = try ScriptedProvider.start([.text("from Ollama")])
    let setting = try GateSetting(
      [row.script], configure: { try? $0.providers.append(.ollama(host: other.baseURL)) })
    let answer = try await setting.ask(.plain, .test("cheap", fallback: "ollama:llama3"))
    #expect(answer.text == "from Ollama")
    #expect(answer.fallback?.insteadOf == "openai:cheap")
    #expect(
      answer.fallback?.because.contains(row.why) == true, "\(String(describing: answer.fallback))")
    let told = announcements(setting)
    #expect(told.count == 1)
    #expect(told.first?.hasPrefix("ollama:llama3 for openai:cheap: ") == true)
    let result = try #require(setting.ledger.entries.last { $0.kind == "call.result" })
    #expect(result.body["instead_of"] == "openai:cheap")
    // Told before the answer's first word.
    let place = setting.shown.firstIndex { if case .fellBack = $0 { true } else { false } }
    let word = setting.shown.firstIndex { if case .text = $0 { true } else { false } }
    #expect(try #require(place) < (try #require(word)))
  }

  @Test func saysNothingWhereTheModelAnswersThatWasNamed() async throws {
    let setting = try GateSetting([Script.error(503).once(), .text("ok")])
    #expect(try await setting.ask().fallback == nil)
    #expect(announcements(setting).isEmpty)
  }

  @Test func tellsOfAModelThatIsPassedOver() async throws {
    let setting = try GateSetting([Script.error(503).for(model: "cheap"), .text("ok")])
    let context = CallContext.test("cheap", fallback: "thinker")
    _ = try await setting.ask(.plain, context)
    let answer = try await setting.ask(.plain, context)
    #expect(answer.fallback?.because.contains("failed a moment ago") == true)
    #expect(announcements(setting).count == 2)
  }

  @Test func tellsOfANameThatNobodyHas() async throws {
    let setting = try GateSetting([.text("ok")])
    let answer = try await setting.ask(.plain, .test("gemini:pro", fallback: "cheap"))
    #expect(answer.model == "cheap")
    #expect(
      answer.fallback
        == ModelFallback(insteadOf: "gemini:pro", because: "no provider for it is configured"))
  }

  @Test func tellsOfWhatAServerHasInPlaceOfWhatWasNamed() async throws {
    let setting = try GateSetting([Script.error(404).for(model: "cheap"), .text("ok")])
    let answer = try await setting.ask()
    #expect(answer.model == "scripted" && answer.fallback?.insteadOf == "openai:cheap")
  }

  @Test func asksNoStandInWhereTheEngineWasNamed() async throws {
    let setting = try GateSetting([Script.error(404).for(model: "cheap"), .text("ok")])
    let failure = try await setting.failure(.plain, .test("openai:cheap"))
    #expect(failure.message.contains("openai cheap") && setting.askedModels == ["cheap"])
  }

  @Test(arguments: [
    (LLMProvider.mock, "LLM_PROVIDER is mock", 0), (.fallback, "the server failed (500)", 1),
    (.policy, "daily", 1),
  ])
  fileprivate func saysWhyTheMockAnswers(_ row: (way: LLMProvider, why: String, told: Int))
    async throws
  {
    let setting = try GateSetting(
      [.error(500, "no")], configure: { $0.prefersMock = row.way == .mock },
      options: {
        $0.rounds = 1
        if row.way == .policy { $0.budget.maxDaily = Money(picoDollars: 1) }
      })
    var budget = CostBudget()
    budget.policy = .mock
    let answer = try await setting.ask(
      .plain,
      .test(
        "dear", fallback: row.way == .fallback ? "mock" : row.way == .policy ? "cheap" : nil,
        budget: row.way == .policy ? budget : CostBudget()))
    #expect(answer.isMock)
    #expect(
      answer.fallback?.because.contains(row.why) == true, "\(String(describing: answer.fallback))")
    #expect(announcements(setting).count == row.told)
    // No cheaper model is asked where the mock is wanted.
    if row.way == .policy { #expect(setting.provider.requests.isEmpty) }
  }

  @Test func asksForALargerWindowFirst() async throws {
    let setting = try GateSetting([
      Script.error(400, "maximum context length is 8192 tokens", code: "context_length_exceeded")
        .for(model: "small"), .text("ok"),
    ])
    let answer = try await setting.ask(
      .plain, .test("small", fallback: "smaller", premium: "large"))
    #expect(answer.model == "large")
    #expect(setting.askedModels == ["small", "large"])
  }

  @Test func goesOnWithTheModelThatBegan() async throws {
    let setting = try GateSetting([.text("and so on")])
    var request = ModelRequest.plain
    request.continuation = Continuation(
      provider: "openai", model: "thinker", text: "Once", tokens: 1)
    #expect(try await setting.ask(request, .test("cheap", fallback: "dear")).model == "thinker")
    request.continuation?.provider = "gone"
    #expect(try await setting.failure(request).kind == .configuration)
  }
}

private enum LLMProvider: Sendable { case mock, fallback, policy }
