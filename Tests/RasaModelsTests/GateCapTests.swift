import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }

/// How long an answer may become, and how much is held for it.
@Suite struct GateCapTests {
  private static let limited = CostBudget(maxDaily: money("1"))

  private func request(_ maxTokens: Int? = nil) -> ModelRequest {
    var request = ModelRequest.plain
    request.maxTokens = maxTokens
    return request
  }

  /// Answers that the provider counts as so many tokens.
  private func counted(_ tokens: Int64, finish: String = "stop") -> Script {
    Script.text("an answer").with {
      $0.usage = .exactly(prompt: 20, completion: .int(tokens))
      $0.finishReason = finish
    }
  }

  @Test(
    arguments: [
      ("cheap", nil, nil), ("bounded", nil, 5_000), ("bounded", 400, 400),
      ("bounded", 9_000, 5_000),
      ("cheap", 400, 400), ("narrow", nil, nil), ("narrow", 300, 300),
      // Thoughts come on top of the text that is wanted.
      ("thinker", 400, 400 + 32_768), ("deep", 400, 400 + 32_768), ("deep", nil, 60_000),
    ] as [(String, Int?, Int64?)])
  func capsAnAnswerAsOperatorAndModelSay(
    _ row: (model: String, wanted: Int?, cap: Int64?)
  ) async throws {
    let setting = try GateSetting([.text("ok")])
    let answer = try await setting.ask(request(row.wanted), .test(row.model))
    #expect(setting.provider.requests.map(\.cap) == [row.cap])
    #expect(answer.cap == row.cap)
  }

  @Test(
    arguments: [(.openAI, nil), (.gemini, nil), (.ollama, nil), (.anthropic, 32_000)]
      as [(ProviderSettings.Dialect, Int64?)])
  func sendsNoCapThatNobodyHasSaid(
    _ row: (dialect: ProviderSettings.Dialect, cap: Int64?)
  ) async throws {
    let setting = try GateSetting([.text("ok")], dialect: row.dialect)
    let model = "\(setting.gate.configuration.providers[0].name):scripted"
    let answer = try await setting.ask(.plain, .test(model))
    #expect(setting.provider.requests.map(\.cap) == [row.cap])
    #expect(answer.cap == row.cap && answer.ceiling == nil)
  }

  @Test func leavesRoomForThoughtsOnlyWhereThereAreSome() async throws {
    let setting = try GateSetting([.text("ok")], dialect: .anthropic)
    var request = request(400)
    _ = try await setting.ask(request, .test("claude-deep"))
    request.effort = .low
    _ = try await setting.ask(request, .test("claude-deep"))
    #expect(setting.provider.requests.map(\.cap) == [400, 400 + 8_192])
  }

  @Test func leavesTheModelsOwnCapOutWhereTheServerRefusesIt() async throws {
    let refused = Script.error(
      400, "max_tokens is too large: 5000. This model supports at most 4096 completion tokens"
    ).with { $0.matches = { $0.cap != nil } }
    let setting = try GateSetting([refused, .text("ok")])
    #expect(try await setting.ask(.plain, .test("bounded")).cap == nil)
    #expect(setting.provider.requests.last?.cap == nil)
  }

  @Test(
    arguments: [
      ("cheap", nil, 4_096), ("cheap", 400, 400), ("cheap", 9_000, 4_096), ("bounded", nil, 4_096),
      ("thinker", 400, 400 + 4_096), ("deep", nil, 8_192),
    ] as [(String, Int?, Int64)])
  func beginsUnderALimitWithWhatIsUsual(
    _ row: (model: String, wanted: Int?, held: Int64)
  ) async throws {
    let setting = try GateSetting([.text("ok")])
    let answer = try await setting.ask(
      request(row.wanted), .test(row.model, budget: Self.limited))
    #expect(setting.provider.requests.map(\.cap) == [row.held])
    #expect(answer.cap == row.held)
    let intent = try #require(setting.ledger.entries.first)
    #expect(intent.body["estimate"]["output"] == .int(row.held))
  }

  @Test func learnsWhatAnOperatorNeeds() async throws {
    let setting = try GateSetting([counted(40)])
    let context = CallContext.test("cheap", budget: Self.limited)
    for _ in 0..<10 { _ = try await setting.ask(.plain, context) }
    #expect(setting.provider.requests.allSatisfy { $0.cap == 4_096 })
    // The class of lengths that 40 falls into ends at 43.
    _ = try await setting.ask(.plain, context)
    #expect(setting.provider.requests.last?.cap == 43)
    // Another operator, another model and another process: the first two know nothing.
    var other = ModelRequest.plain
    other.name = "critic"
    _ = try await setting.ask(other, context)
    _ = try await setting.ask(.plain, .test("bounded", budget: Self.limited))
    #expect(setting.provider.requests.suffix(2).map(\.cap) == [4_096, 4_096])
    let next = try GateSetting([counted(40)], ledger: setting.ledger, clock: setting.clock)
    _ = try await next.ask(.plain, context)
    #expect(next.provider.requests.last?.cap == 43)
    // Without a limit nothing is cut at it.
    _ = try await next.ask(.plain, .test("bounded"))
    #expect(next.provider.requests.last?.cap == 5_000)
  }

  @Test func holdsAsMuchAsAnAnswerIsAskedForAgainWith() async throws {
    let setting = try GateSetting([counted(300, finish: "length")])
    var again = request(2_000)
    again.room = 900
    let answer = try await setting.ask(again, .test("cheap", budget: Self.limited))
    #expect(answer.cap == 2_000 && answer.ceiling == 2_000)
    again.maxTokens = nil
    for room in [900, 6_000] as [Int64] {
      again.room = room
      _ = try await setting.ask(again, .test("bounded", budget: Self.limited))
    }
    #expect(setting.provider.requests.suffix(2).map(\.cap) == [4_096, 5_000])
    // Less than that would be cut again.
    let poor = CostBudget(maxDaily: money("0.0015"))
    again.room = 900
    #expect(
      try await setting.failure(again, .test("cheap", budget: poor)).kind == .budget)
  }

  @Test func goesOnWithTheModelThatWroteTheBeginning() async throws {
    let setting = try GateSetting([counted(30)])
    var request = request(1_000)
    request.continuation = Continuation(
      provider: "openai", model: "dear", text: "The beginning", tokens: 700)
    let context = CallContext.test(
      "cheap", fallback: "dear", budget: CostBudget(maxDaily: money("5")))
    let answer = try await setting.ask(request, context)
    #expect(setting.askedModels == ["dear"])
    // Of the thousand that are wanted, seven hundred are there.
    #expect(setting.provider.requests.last?.cap == 300)
    #expect(answer.cap == 300 && answer.ceiling == 1_000)
    // What the whole of it took is what such an answer needs.
    let need = setting.ledger.state.standings.values.first { $0.key.model == "dear" }?
      .needs["respond"]
    #expect(need?.answers == 1 && need?.tokens == 730)
    #expect((730...820).contains(need?.histogram.percentile(95) ?? 0))
    request.continuation?.provider = "gone"
    let failure = try await setting.failure(request, context)
    #expect(failure.message.contains("could answer as gone:dear"))
  }

  @Test func leavesTheTextItsRoomWhereThoughtsTookMore() async throws {
    let thoughts = Script.text("").with {
      $0.reasoning = ["so ", "much "]
      $0.finishReason = "length"
      $0.usage = .exactly(prompt: 20, completion: 4_496)
    }
    let setting = try GateSetting([thoughts])
    let answer = try await setting.ask(request(400), .test("deep", budget: Self.limited))
    // Cut before its text began: it may think as much as the model can.
    #expect(answer.finish == .length && answer.cap == 4_496 && answer.ceiling == 60_000)
  }

  @Test func asksNobodyForAStump() async throws {
    let setting = try GateSetting([counted(40)])
    // The input, and 200 tokens of output.
    let poor = CostBudget(maxDaily: money("0.0005"))
    let failure = try await setting.failure(.plain, .test("cheap", budget: poor))
    #expect(failure.kind == .budget && failure.message.contains("left"))
    #expect(setting.provider.requests.isEmpty)
    // An operator that wants no more, and one that is known to need no more, are asked.
    _ = try await setting.ask(request(100), .test("cheap", budget: poor))
    for _ in 0..<10 { _ = try await setting.ask(.plain, .test("cheap")) }
    let known = CostBudget(maxDaily: setting.spentToday + money("0.0005"))
    #expect(try await setting.ask(.plain, .test("cheap", budget: known)).cap == 43)
  }

  @Test func saysWhatACallCostsAtMost() async throws {
    let setting = try GateSetting()
    let bounded = try await setting.gate.estimate(.plain, for: .test("bounded"))
    #expect(bounded.outputTokens == 5_000 && bounded.isBounded)
    let wanted = try await setting.gate.estimate(request(400), for: .test("cheap"))
    #expect(wanted.outputTokens == 400 && wanted.isBounded)
    let open = try await setting.gate.estimate(.plain, for: .test("cheap"))
    #expect(open.outputTokens == 4_096 && !open.isBounded)
  }

  @Test func holdsForTheTimeThatACallMayTake() async throws {
    let setting = try GateSetting([.text("ok")])
    var request = ModelRequest.plain
    request.timeout = 10
    let answer = try await setting.ask(request, .test("timed", budget: Self.limited))
    let reservation = try #require(setting.ledger.state.reservations.first)
    #expect(reservation.amount > money("0.009") && reservation.amount <= money("0.01"))
    #expect(answer.cost > .zero && answer.cost < reservation.amount)
    let poor = CostBudget(maxDaily: money("0.005"))
    #expect(try await setting.failure(request, .test("timed", budget: poor)).kind == .budget)
  }
}

extension GateSetting {
  fileprivate var spentToday: Money {
    ledger.settlements.reduce(.zero) { $0 + $1.actual }
  }
}

@Suite struct TokenHistogramTests {
  @Test func isAtMostAnEighthTooHighAndNeverTooLow() {
    for tokens in [0, 1, 15, 16, 17, 31, 40, 255, 256, 1_000, 4_095, 100_000, 99_999_999] as [Int64]
    {
      var histogram = TokenHistogram()
      histogram.note(tokens)
      let found = histogram.percentile(95) ?? -1
      #expect(found >= tokens && found <= tokens + tokens / 8 + 1, "\(tokens): \(found)")
    }
    var histogram = TokenHistogram()
    #expect(histogram.percentile(95) == nil)
    for absurd in [-5, Int64.max] { histogram.note(absurd) }
    #expect(histogram.percentile(1) == 0)
  }

  @Test func findsThePercentileOfALongTail() {
    var histogram = TokenHistogram()
    for number in 1...400 { histogram.note(number <= 380 ? 100 : 5_000) }
    #expect((100...112).contains(histogram.percentile(95) ?? 0))
    #expect((5_000...5_630).contains(histogram.percentile(96) ?? 0))
  }

  @Test func followsWhatChanges() {
    var histogram = TokenHistogram()
    for _ in 0..<2_000 { histogram.note(5_000) }
    for _ in 0..<3_000 { histogram.note(50) }
    #expect((histogram.percentile(95) ?? 0) < 60)
  }

  /// The longest answers are those that are cut, so what they would have come to has to count.
  @Test func countsWhatWasCutUntilItsEndIsKnown() {
    var need = OutputNeed()
    for _ in 0..<9 { need.note(tokens: 100, isWhole: true) }
    need.note(tokens: 300, isWhole: false)
    #expect(need.usual == nil && need.cut == 1)
    need.note(tokens: 600, isWhole: false, continuing: 300)
    #expect((1_200...1_350).contains(need.histogram.percentile(99) ?? 0))
    need.note(tokens: 700, isWhole: true, continuing: 600)
    #expect(need.answers == 10 && need.cut == 2 && need.tokens == 1_600)
    #expect((700...790).contains(need.usual ?? 0))
  }

  @Test func isReadAsItWasWritten() {
    var histogram = TokenHistogram()
    for number in 0..<300 { histogram.note(Int64(number * number)) }
    #expect(TokenHistogram(bytes: histogram.bytes) == histogram)
    for damaged in [[1], [255, 0, 1], [3, 255, 255], [3, 0, 0]] as [[UInt8]] {
      #expect(TokenHistogram(bytes: damaged).percentile(50) == nil)
    }
  }
}
