import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }
private let day = LocalDay(year: 2026, month: 9, day: 15)

@Suite struct GateBudgetTests {
  @Test func shrinksTheCapToWhatIsLeft() async throws {
    let setting = try GateSetting([.text("ok")])
    let estimate = try await setting.gate.estimate(.plain, for: .test("cheap"))
    let input = Int64(estimate.inputTokens)
    // Enough for the input and 300 tokens at $2 a million.
    let limit = money("0.000001").picoDollars * input + money("0.0006").picoDollars
    let budget = CostBudget(maxDaily: Money(picoDollars: limit))
    _ = try await setting.ask(.plain, .test("cheap", budget: budget))
    #expect(setting.provider.requests.first?.json["max_tokens"] == 300)
    #expect(setting.ledger.state.reservations.map(\.amount) == [Money(picoDollars: limit)])
  }

  @Test(arguments: [
    (CostBudget(maxPerExecution: money("0.00001")), "one run", "--force"),
    (CostBudget(maxDaily: money("0.00001")), "daily", "--allow-budget-exceed"),
    (CostBudget(maxMonthly: money("0.00001")), "monthly", "--allow-budget-exceed"),
  ])
  func refusesWhatDoesNotFit(_ row: (budget: CostBudget, limit: String, suggestion: String))
    async throws
  {
    let setting = try GateSetting([.text("ok")])
    let failure = try await setting.failure(
      .plain, .test("dear", fallback: "cheap", budget: row.budget))
    #expect(failure.kind == .budget)
    #expect(failure.message.contains(row.limit))
    #expect(failure.suggestion.contains(row.suggestion))
    #expect(setting.provider.requests.isEmpty)
    #expect(setting.ledger.entries.isEmpty)
  }

  @Test func downgradesWhereThePolicySaysSo() async throws {
    let setting = try GateSetting([.text("ok")])
    let budget = CostBudget(maxDaily: money("0.001"), policy: .downgrade)
    let answer = try await setting.ask(.plain, .test("dear", fallback: "cheap", budget: budget))
    #expect(answer.model == "cheap")
    let nothing = CostBudget(maxDaily: money("0.00001"), policy: .downgrade)
    let failure = try await setting.failure(
      .plain, .test("dear", fallback: "cheap", budget: nothing))
    #expect(failure.kind == .budget)
    #expect(failure.details.count == 2)
  }

  @Test func mocksWhereThePolicySaysSo() async throws {
    let setting = try GateSetting([.text("ok")])
    let budget = CostBudget(maxDaily: money("0.00001"), policy: .mock)
    let answer = try await setting.ask(.plain, .test("dear", fallback: "cheap", budget: budget))
    #expect(answer.isMock)
    #expect(setting.provider.requests.isEmpty)
  }

  @Test func exceedsABudgetOnlyWhenAllowed() async throws {
    let budget = CostBudget(maxDaily: money("0.00001"), policy: .warn)
    let strict = try GateSetting([.text("ok")])
    #expect(try await strict.failure(.plain, .test("dear", budget: budget)).kind == .budget)

    let lenient = try GateSetting([.text("ok")], options: { $0.allowBudgetExceed = true })
    #expect(try await lenient.ask(.plain, .test("dear", budget: budget)).text == "ok")
    #expect(lenient.warnings.withLock { $0 }.count == 1)
    #expect(lenient.ledger.entries.first?.body["exceeds_budget"] == true)
    #expect(lenient.ledger.entries.first?.body["allow_budget_exceed"] == true)
    #expect(lenient.ledger.state.spent[.day(owner: "tester", day)] ?? .zero > .zero)
  }

  @Test func forceLiftsThePersonasLimitForOneExecutionOnly() async throws {
    let budget = CostBudget(maxPerExecution: money("0.00001"))
    let forced = try GateSetting([.text("ok")], options: { $0.force = true })
    #expect(try await forced.ask(.plain, .test("dear", budget: budget)).text == "ok")
    #expect(forced.ledger.entries.first?.body["force"] == true)
    let daily = CostBudget(maxDaily: money("0.00001"))
    #expect(try await forced.failure(.plain, .test("dear", budget: daily)).kind == .budget)
    let run = try await forced.failure(.plain, .test("dear", runLimit: money("0.00001")))
    #expect(run.kind == .budget)
    let capped = try GateSetting(
      [.text("ok")],
      options: {
        $0.force = true
        $0.allowBudgetExceed = true
        $0.maxCost = money("0.00001")
      })
    #expect(try await capped.failure(.plain, .test("dear", budget: budget)).kind == .budget)
  }

  @Test func passesOverAModelWithoutAPriceWhereABudgetIsInForce() async throws {
    let setting = try GateSetting(
      [.text("ok")],
      configure: { $0.providers[0].isFree = false })
    let budget = CostBudget(maxDaily: money("1"))
    let answer = try await setting.ask(
      .plain, .test("unheard-of", fallback: "cheap", budget: budget))
    #expect(answer.model == "cheap")
    #expect(try await setting.failure(.plain, .test("unheard-of", budget: budget)).kind == .budget)
    #expect(setting.warnings.withLock { $0 }.isEmpty)

    #expect(try await setting.ask(.plain, .test("unheard-of")).cost == .zero)
    _ = try await setting.ask(.plain, .test("unheard-of"))
    #expect(setting.warnings.withLock { $0 }.count == 1)
    #expect(setting.ledger.entries.last { $0.kind == "call.intent" }?.body["price_known"] == false)
  }

  @Test func asksAFreeModelWhenTheBudgetIsUsedUp() async throws {
    // It has a key, so it would be taken for a proxy.
    let setting = try GateSetting([.text("ok")], configure: { $0.providers[0].isFree = true })
    setting.ledger.spend(money("5"), in: .day(owner: "tester", day))
    let budget = CostBudget(maxDaily: money("1"))
    #expect(try await setting.ask(.plain, .test("local-model", budget: budget)).text == "ok")
    #expect(try await setting.failure(.plain, .test("cheap", budget: budget)).kind == .budget)
  }

  @Test func cutsOffAnAnswerThatCostsMoreThanIsHeld() async throws {
    let setting = try GateSetting([
      Script.words(1_000_000).with { $0.tokenDelay = .milliseconds(1) }
    ])
    var request = ModelRequest.plain
    request.maxTokens = 20
    let answer = try await setting.ask(request)
    #expect(answer.finish == .cutOff)
    #expect(!answer.usage.isReported)
    #expect(answer.usage.output >= 20)
    try await setting.provider.waitForDisconnect(ofRequest: 0)
    #expect(setting.ledger.settlements.map(\.outcome) == [.answered])
  }

  @Test func doesNotCutOffAnAnswerOfExactlyTheCap() async throws {
    let setting = try GateSetting([Script.words(20).with { $0.finishReason = "length" }])
    var request = ModelRequest.plain
    request.maxTokens = 20
    #expect(try await setting.ask(request).finish == .length)
  }

  @Test func billsCachedInputAtItsOwnPrice() {
    let price = Price(
      rates: Price.Rates(input: money("10"), cached: money("1"), output: money("20")))
    let usage = Usage(input: 100, output: 0, cachedInput: 90)
    #expect(price.cost(of: usage) == money("0.00019"))
  }

  @Test func looksWhetherTheRunIsItsOwnWhileTheAnswerGoesOn() async throws {
    let setting = try GateSetting(
      [Script.words(2).broken(after: 1, .silence).once(), .text("ok")],
      options: { $0.idleTimeout = .milliseconds(500) })
    let clock = setting.clock
    _ = try await setting.gate.answer(.plain, for: .test()) { event in
      if case .text = event { clock.advance(by: .seconds(25)) }
    }
    let reservation = try #require(setting.ledger.state.reservations.first)
    #expect(setting.ledger.state.confirmed.first == reservation.run)
  }

  @Test func holdsNothingWhenAllIsOver() async throws {
    let setting = try GateSetting([Script.error(503).with { $0.limit = 2 }, .text("ok")])
    _ = try await setting.ask(.plain, .test("cheap", fallback: "thinker"))
    #expect(setting.ledger.state.held.isEmpty)
    #expect(
      setting.ledger.state.spent[.execution(CallContext.run)]
        == setting.ledger.settlements.reduce(.zero) { $0 + $1.actual })
  }
}

@Suite struct SharedBudgetTests {
  @Test(arguments: [("max_daily", "daily"), ("max_monthly", "monthly"), ("max", "one run")])
  func holdsWhatAllTogetherMaySpend(_ row: (which: String, named: String)) async throws {
    let limit = money("0.00001")
    let setting = try GateSetting(
      [.text("ok")],
      options: {
        switch row.which {
        case "max_daily": $0.budget.maxDaily = limit
        case "max_monthly": $0.budget.maxMonthly = limit
        default: $0.budget.maxPerExecution = limit
        }
      })
    let failure = try await setting.failure(.plain, .test("dear"))
    #expect(failure.kind == .budget)
    #expect(failure.message.contains(row.named))
    #expect(setting.provider.requests.isEmpty)
  }

  @Test func reckonsAnUnknownPriceAtTheCeiling() async throws {
    let setting = try GateSetting(
      [.text("ok")], configure: { $0.providers[0].isLocal = false },
      options: {
        $0.budget.unknownInputPrice = money("1")
        $0.budget.unknownOutputPrice = money("2")
      })
    let budget = CostBudget(maxDaily: money("1"))
    let answer = try await setting.ask(.plain, .test("unheard-of", budget: budget))
    #expect(answer.cost > .zero)
    let intent = try #require(setting.ledger.entries.first)
    #expect(intent.body["price_known"] == false)
    #expect(intent.body["price"]["version"] == "ceiling")
    #expect(setting.ledger.state.reservations.map(\.price) == ["ceiling"])
  }

  @Test func countsInTheZoneThatTheBudgetNames() async throws {
    let setting = try GateSetting(
      [.text("ok")], clock: TestClock(), options: { $0.budget.timeZone = "Pacific/Kiritimati" })
    _ = try await setting.ask()
    let reservation = try #require(setting.ledger.state.reservations.first)
    #expect(reservation.day == LocalDay(year: 2026, month: 9, day: 16))
    #expect(
      reservation.legs.contains {
        $0.scope == .day(owner: "tester", LocalDay(year: 2026, month: 9, day: 16))
      })
  }

  @Test func downgradesToWhatIsCheaperOnly() async throws {
    let setting = try GateSetting([.text("ok")])
    let budget = CostBudget(maxDaily: money("0.001"), policy: .downgrade)
    // The fallback costs more than what was refused; premium would, too.
    let failure = try await setting.failure(
      .plain, .test("thinker", fallback: "dear", budget: budget))
    #expect(failure.kind == .budget)
    #expect(setting.ledger.state.reservations.isEmpty)
    let answer = try await setting.ask(
      .plain, .test("thinker", fallback: "dear", premium: "cheap", budget: budget))
    #expect(answer.model == "cheap")
  }

  @Test(
    arguments: [
      (PerformanceProfile.speed, 15), (.balanced, 30), (.expert, 60), (.thinking, 90),
    ] as [(PerformanceProfile, Int)])
  func waitsForTheFirstContentAsTheProfileSays(
    _ row: (profile: PerformanceProfile, seconds: Int)
  ) throws {
    let setting = try GateSetting()
    let far = try ProviderSettings.openAI(baseURL: nil, key: "sk-1")
    let patience = setting.gate.firstContentTimeout(
      for: Candidate(settings: far, model: "m", facts: nil), row.profile)
    #expect(patience == .seconds(row.seconds))
  }

  @Test func pinsThePriceToTheCall() async throws {
    let setting = try GateSetting([.text("ok")])
    _ = try await setting.ask(.plain, .test("dear"))
    let price = try #require(setting.ledger.entries.first?.body["price"])
    #expect(price["input"] == "100")
    #expect(price["output"] == "200")
  }
}
