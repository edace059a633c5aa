import RasaCore
import RasaEngine
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaModels

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }
private let day = LocalDay(year: 2026, month: 9, day: 15)

/// A call that has no room only because of what others hold.
@Suite struct GateWaitingTests {
  /// A hold of 300 tokens and its input, and not two of them.
  private static let budget = CostBudget(maxDaily: money("0.0009"))

  private static var request: ModelRequest {
    var request = ModelRequest.plain
    request.maxTokens = 300
    return request
  }

  private func setting(_ scripts: [Script]) throws -> GateSetting {
    var time = TimeSource.system
    time.localDay = { _ in day }
    return try GateSetting(scripts, time: time)
  }

  private func context(_ operatorName: String) -> CallContext {
    var context = CallContext.test("cheap", budget: Self.budget)
    context.key = EffectKey(frame: "main", visit: 1, operatorName: operatorName, label: "call")
    return context
  }

  @Test func waitsUntilTheOthersHaveSettled() async throws {
    let setting = try setting([
      Script.words(20).with { $0.tokenDelay = .milliseconds(5) }
    ])
    let answers = try await withThrowingTaskGroup(of: ModelAnswer.self) { group in
      for number in 0..<6 {
        group.addTask { try await setting.ask(Self.request, context("operator\(number)")) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.count == 6)
    #expect(setting.ledger.state.held.isEmpty)
    let spent = setting.ledger.settlements.reduce(Money.zero) { $0 + $1.actual }
    #expect(spent <= money("0.0009"))
    let waits = setting.shown.compactMap { event in
      if case .waiting(let reason) = event { reason } else { nil }
    }
    #expect((1...5).contains(waits.count))
    #expect(waits.allSatisfy { $0.contains("held by other calls") })
  }

  @Test func isRefusedWhenWhatIsSpentLeavesTooLittle() async throws {
    let setting = try setting([.words(10).broken(after: 1, .silence)])
    let first = Task { try await setting.ask(Self.request, context("first")) }
    try await setting.provider.waitForRequests(1)
    setting.ledger.spend(money("0.0005"), in: .day(owner: "tester", day))
    let failure = try await setting.failure(Self.request, context("second"))
    #expect(failure.kind == .budget)
    #expect(failure.message.contains("the daily limit of tester of $0.000900 has $0.000500 spent"))
    #expect(failure.message.contains("held by other calls"))
    first.cancel()
    _ = await first.result
  }

  @Test func waitsNoLongerThanTheCallMayTake() async throws {
    let setting = try setting([.words(10).broken(after: 1, .silence)])
    let first = Task { try await setting.ask(Self.request, context("first")) }
    try await setting.provider.waitForRequests(1)
    var request = Self.request
    request.timeout = 0.2
    let failure = try await setting.failure(request, context("second"))
    #expect(failure.kind == .timeout)
    #expect(failure.message.contains("waited for money until its 0.2 seconds were over"))
    first.cancel()
    _ = await first.result
  }

  @Test func canBeCancelledWhileItWaits() async throws {
    let setting = try setting([.words(10).broken(after: 1, .silence)])
    let first = Task { try await setting.ask(Self.request, context("first")) }
    try await setting.provider.waitForRequests(1)
    let (waiting, said) = AsyncStream<Void>.makeStream()
    let second = Task {
      try await setting.gate.answer(Self.request, for: context("second")) { event in
        if case .waiting = event { said.yield() }
      }
    }
    var waits = waiting.makeAsyncIterator()
    _ = await waits.next()
    second.cancel()
    await #expect(throws: CancellationError.self) { try await second.value }
    #expect(setting.ledger.state.reservations.count == 1)
    first.cancel()
    _ = await first.result
  }

  @Test func findsWhatAnotherProcessHasSettled() async throws {
    let setting = try setting([.text("ok")])
    let id = Identifier("h-elsewhere")
    _ = try await setting.ledger.reserve(
      ReservationRequest(
        id: id, run: Identifier("run-2"), key: CallContext.test().key, persona: "tester",
        operatorName: "respond", provider: "openai", model: "cheap", amount: money("0.0008"),
        legs: [BudgetLeg(scope: .day(owner: "tester", day), limit: nil)]),
      recording: [])
    let answer = try await setting.gate.answer(Self.request, for: context("second")) { event in
      guard case .waiting = event else { return }
      try await setting.ledger.settle(
        Settlement(
          reservation: id, actual: money("0.0001"), usage: Usage(), outcome: .answered),
        recording: [])
    }
    #expect(answer.text == "ok")
  }
}

/// The rules of sizing against a ledger, over random limits, prices and lengths.
@Suite struct HoldSizingTests {
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func neverHoldsMoreThanThereIsAndRefusesOnlyWhatCannotFit(_ seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    func dollars(_ range: ClosedRange<Int64>) -> Money {
      Money(picoDollars: .random(in: range, using: &numbers) * 1_000_000)
    }
    for _ in 0..<2_000 {
      let price = Price(
        rates: Price.Rates(
          input: dollars(0...3_000_000), output: dollars(0...9_000_000)),
        perSecond: Bool.random(using: &numbers) ? .zero : dollars(0...20))
      func count(_ most: Int64) -> Int64? {
        Bool.random(using: &numbers) ? nil : .random(in: 0...most, using: &numbers)
      }
      let room = OutputRoom(
        wanted: count(5_000), most: count(9_000), thinks: Bool.random(using: &numbers),
        known: count(3_000), room: count(6_000), continuing: count(4_000))
      #expect(room.least <= room.start && room.start <= room.ceiling ?? .max)
      var sizing = HoldSizing(
        price: price, input: .random(in: 0...4_000, using: &numbers), room: room,
        seconds: Double(Int.random(in: 0...60, using: &numbers)),
        overrun: count(9_000) ?? 0)
      let limit = dollars(0...60_000)
      let leg = BudgetLeg(scope: .day(owner: "ann", day), limit: limit)
      var balance = Balance(settled: dollars(0...50_000), held: dollars(0...40_000))
      var turns = 0
      turn: while sizing.amount > balance.room(under: limit) {
        turns += 1
        #expect(turns < 20)
        switch sizing.step(after: leg, balance) {
        case .again: #expect(sizing.amount <= balance.room(under: limit))
        case .wait:
          #expect(balance.held > .zero)
          // Somebody settles at less than was held.
          let released = min(balance.held, max(dollars(1...20_000), .dollar))
          balance.held = balance.held - released
          balance.settled += Money(picoDollars: released.picoDollars / 3)
        case .refused:
          // Not even the least of it would fit if nothing were held.
          let least = HoldSizing(
            price: price, input: sizing.input,
            room: OutputRoom(exactly: room.least), seconds: sizing.seconds,
            overrun: sizing.factor)
          #expect(least.amount > balance.roomWithoutHolds(under: limit) || turns > 15)
          break turn
        }
        #expect(sizing.tokens >= room.least)
      }
    }
  }
}
