import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }

@Suite struct GateTests {
  @Test func streamsHoldsAndSettles() async throws {
    let setting = try GateSetting([
      Script.tokens(["Hello ", "you"]).with {
        $0.usage = .exactly(prompt: 11, completion: 2)
        $0.reasoning = ["Hm"]
      }
    ])
    let answer = try await setting.ask()
    #expect(answer.text == "Hello you")
    #expect(answer.provider == "openai")
    #expect(answer.model == "cheap")
    #expect(answer.usage == Usage(input: 11, output: 2))
    #expect(answer.cost == money("0.000015"))
    #expect(answer.finish == .stop)
    #expect(!answer.isMock)
    #expect(setting.shown.first == .started(provider: "openai", model: "cheap"))
    #expect(setting.shown.contains(.reasoning("Hm")))

    let state = setting.ledger.state
    #expect(state.reservations.count == 1)
    #expect(state.reservations[0].amount > answer.cost)
    #expect(state.settlements.map(\.actual) == [answer.cost])
    #expect(state.settlements.map(\.outcome) == [.answered])
    #expect(state.held.isEmpty)
    let scopes = state.reservations[0].legs.map(\.scope)
    #expect(
      scopes == [
        .execution(CallContext.run), .day(owner: "tester", LocalDay(year: 2026, month: 9, day: 15)),
        .month(owner: "tester", "2026-09"),
        .day(owner: BudgetLeg.everyone, LocalDay(year: 2026, month: 9, day: 15)),
        .month(owner: BudgetLeg.everyone, "2026-09"),
      ])
    #expect(state.entries.map(\.kind) == ["call.intent", "call.result"])
    #expect(Set(state.entries.map(\.key)) == ["main:1/respond/call#1"])
    #expect(state.entries[0].body["request"].string?.count == 64)
    #expect(state.entries[1].body["text"] == "Hello you")
    #expect(state.entries[1].body["cost"] == "0.000015")

    let request = try #require(setting.provider.requests.first)
    #expect(request.header("authorization") == "Bearer sk-test-key")
    #expect(request.json["max_tokens"].isNull)
    #expect(!"\(state.entries)".contains("sk-test-key"))
  }

  @Test func asksOllama() async throws {
    let setting = try GateSetting([.text("Hi there")], dialect: .ollama)
    let answer = try await setting.ask(.plain, .test("llama3:8b"))
    #expect(answer.text == "Hi there")
    #expect(answer.provider == "ollama")
    #expect(answer.cost == .zero)
    #expect(setting.provider.requests.map(\.path) == ["/api/chat"])
  }

  @Test func asksForTheFirstModelThatCanChatWhereNoneIsNamed() async throws {
    for dialect in ProviderSettings.Dialect.allCases {
      let setting = try GateSetting(
        dialect: dialect, models: ["text-embedding-3", "first", "second"])
      #expect(try await setting.ask(.plain, .test(nil)).model == "first")
      _ = try await setting.ask(.plain, .test(nil))
      #expect(setting.provider.requests.filter { $0.method == "GET" }.count == 1)
    }
  }

  @Test func settlesReusingConnections() async throws {
    let setting = try GateSetting([.text("again")])
    for _ in 0..<3 { _ = try await setting.ask() }
    #expect(setting.provider.connections == 1)
  }

  @Test func estimatesWhatIsNotReported() async throws {
    let setting = try GateSetting([Script.tokens(["ab", "cd"]).with { $0.usage = .missing }])
    let answer = try await setting.ask()
    #expect(!answer.usage.isReported)
    // Four letters are a token, in however many pieces they come.
    #expect(answer.usage.output == 1)
    #expect(answer.usage.input > 0)
    #expect(answer.cost > .zero)
  }

  @Test(arguments: [
    (Value.int(1_000_000_000_000), Value.int(5)), (.int(5), .int(9_000_000_000_000)),
    (.int(-5), .int(-5)), (.string("many"), .int(2)), (.double(1e300), .double(1e300)),
  ])
  func survivesAbsurdUsage(_ row: (prompt: Value, completion: Value)) async throws {
    let setting = try GateSetting([
      Script.tokens(["ab"]).with {
        $0.usage = .exactly(prompt: row.prompt, completion: row.completion)
      }
    ])
    let answer = try await setting.ask()
    #expect(!answer.usage.isReported)
    #expect(answer.cost < money("0.01"))
  }

  @Test func believesDigitStrings() async throws {
    let setting = try GateSetting([
      Script.tokens(["ab"]).with { $0.usage = .exactly(prompt: "7", completion: 2.0) }
    ])
    #expect(try await setting.ask().usage == Usage(input: 7, output: 2))
  }

  @Test(arguments: [Script.Chunking.everyByte, .whole])
  func readsAnyPackets(_ chunking: Script.Chunking) async throws {
    let setting = try GateSetting([
      Script.text("Grüße an 🌍 alle").with {
        $0.chunking = chunking
        $0.commentEvery = 1
        $0.lineEnding = .crlf
        $0.repeatsFinish = true
        $0.usageOnFinish = true
      }
    ])
    let answer = try await setting.ask()
    #expect(answer.text == "Grüße an 🌍 alle")
    #expect(answer.usage.isReported)
  }

  @Test func joinsWhatArrivesTogether() async throws {
    let setting = try GateSetting([.words(5_000)])
    var request = ModelRequest.plain
    request.maxTokens = 10_000
    let answer = try await setting.ask(request)
    let pieces = setting.shown.compactMap { event in
      if case .text(let text) = event { text } else { nil }
    }
    #expect(pieces.joined() == answer.text)
    #expect(pieces.count < 2_500)
  }

  @Test func sendsASchemaAndFallsBackWhereItIsNotKnown() async throws {
    let setting = try GateSetting([
      Script.error(400, "response_format is not supported").with {
        $0.matches = { $0.json["response_format"]["type"] == "json_schema" }
      },
      Script(),
    ])
    let request = ModelRequest(
      messages: [ChatMessage(.user, "U")],
      schema: ["type": "object", "properties": ["a": ["type": "string"]]], name: "critic")
    _ = try await setting.ask(request)
    _ = try await setting.ask(request)
    let types = setting.provider.requests.map { $0.json["response_format"]["type"].string ?? "" }
    #expect(types == ["json_schema", "json_object", "json_object"])
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .answered, .answered])
    #expect(setting.ledger.settlements.first?.actual == .zero)
  }

  @Test func estimatesWithoutAsking() async throws {
    let setting = try GateSetting()
    let estimate = try await setting.gate.estimate(.plain, for: .test("dear"))
    #expect(estimate.model == "dear")
    #expect(estimate.outputTokens == 4_096)
    #expect(estimate.isPriceKnown)
    #expect(estimate.cost > money("0.2"))
    #expect(setting.provider.requests.isEmpty)
    let thinking = try await setting.gate.estimate(.plain, for: .test("thinker"))
    #expect(thinking.outputTokens == 8_192)
  }

  @Test func cancelsAtThePeerAndSettlesWhatWasUsed() async throws {
    let setting = try GateSetting([Script.words(2).broken(after: 2, .silence)])
    let task = Task { try await setting.ask() }
    try await setting.provider.wait(for: "two tokens", request: 0) { $0.tokensSent == 2 }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    try await setting.provider.waitForDisconnect(ofRequest: 0)
    let settlement = try #require(setting.ledger.settlements.first)
    #expect(settlement.outcome == .cancelled)
    #expect(settlement.actual > .zero)
    #expect(!settlement.usage.isReported)
    #expect(setting.ledger.entries.map(\.kind) == ["call.intent", "call.failed"])
  }

  @Test func settlesWhenTheReaderFails() async throws {
    struct Closed: Error {}
    let setting = try GateSetting([.words(5)])
    await #expect(throws: Closed.self) {
      _ = try await setting.gate.answer(.plain, for: .test()) { event in
        if case .text = event { throw Closed() }
      }
    }
    #expect(setting.ledger.settlements.map(\.outcome) == [.cancelled])
  }

  @Test func findsAnOllamaThatNobodyConfigured() async throws {
    let ollama = try ScriptedProvider.start([.text("found")], models: ["qwen3:4b"])
    let setting = try GateSetting(
      configure: { $0 = ModelConfiguration() },
      options: {
        $0.usualOllama = "127.0.0.1:\(ollama.port)"
        $0.probeTimeout = .seconds(20)
      })
    let answer = try await setting.ask(.plain, .test("cheap"))
    #expect(answer.text == "found")
    #expect(answer.model == "qwen3:4b")
    #expect(!answer.isMock)
    _ = try await setting.ask(.plain, .test(nil))
    #expect(ollama.requests.map(\.path) == ["/api/tags", "/api/chat", "/api/chat"])
  }

  @Test func answersWithTheMockWhereThereIsNothing() async throws {
    let gone = try RefusingPort()
    defer { withExtendedLifetime(gone) {} }
    let empty = try ScriptedProvider.start(models: [])
    for port in [gone.port, empty.port] {
      let setting = try GateSetting(
        configure: { $0 = ModelConfiguration() },
        options: {
          $0.usualOllama = "127.0.0.1:\(port)"
          $0.probeTimeout = .seconds(20)
        })
      #expect(try await setting.ask(.plain, .test("cheap")).isMock)
      #expect(try await setting.gate.estimate(.plain, for: .test("cheap")).provider == "mock")
    }
  }

  @Test(arguments: [Int.max, 0, -5])
  func survivesAbsurdCaps(_ cap: Int) async throws {
    for dialect in ProviderSettings.Dialect.allCases {
      let setting = try GateSetting([.text("ok")], dialect: dialect)
      var request = ModelRequest.plain
      request.maxTokens = cap
      request.timeout = .nan
      #expect(try await setting.ask(request).text.hasPrefix("ok"))
    }
  }

  @Test func isNotMockedWhenAConfiguredProviderIsDown() async throws {
    let down = try GateSetting()
    down.provider.stop()
    let failure = try await down.failure()
    #expect(failure.kind == .provider)
    #expect(failure.message.contains("no connection to http://127.0.0.1"))
    #expect(!failure.suggestion.isEmpty)
  }
}
