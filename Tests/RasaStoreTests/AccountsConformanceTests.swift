import RasaCore
import RasaEngine
import Testing

@testable import RasaStore

@Suite struct `Every set of books` {
  private static func adjustment(
    _ scope: BudgetLeg.Scope, _ change: Adjustment.Change, kind: Adjustment.Kind = .reset,
    at time: Int64 = 77
  ) -> Adjustment {
    Adjustment(
      scope: scope, change: change, kind: kind, by: "ann",
      time: Timestamp(milliseconds: time))
  }

  @Test(arguments: StoreKind.allCases)
  func `lists whoever has a balance in a day or its month`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let legs = [
      leg("r1", nil), dayLeg("bob", 14, nil), monthLeg("bob", nil), dayLeg("ann:x", 14, nil),
      dayLeg("*", 14, nil), dayLeg("ann", 15, nil), monthLeg("", nil),
    ]
    _ = try await store.reserve(request("a", 60, legs), recording: [])
    try await store.settle(settlement("a", 25), recording: [])
    _ = try await store.reserve(request("b", 9, [dayLeg("bob", 14, nil)]), recording: [])
    func row(_ owner: String, _ period: AccountBalance.Period, held: Int64 = 0) -> AccountBalance {
      AccountBalance(owner: owner, period: period, balance: Balance(25, held: held))
    }
    #expect(
      try await store.balances(on: november(14)) == [
        row("", .month("2023-11")), row("*", .day(november(14))), row("ann:x", .day(november(14))),
        row("bob", .day(november(14)), held: 9), row("bob", .month("2023-11")),
      ])
    #expect(
      try await store.balances(on: november(15)).map(\.owner) == ["", "ann", "bob"])
    #expect(try await store.balances(on: LocalDay(year: 2023, month: 1, day: 1)) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `corrects what is spent, says so, and leaves what is held`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let day = dayLeg("ann", 14, 100)
    _ = try await store.reserve(request("a", 60, [day]), recording: [])
    try await store.settle(settlement("a", 50), recording: [])
    _ = try await store.reserve(request("b", 40, [day]), recording: [])
    #expect(try await store.lastReset(of: day.scope) == nil)

    let reset = Self.adjustment(day.scope, .to(.zero))
    #expect(try await store.adjust(reset) == Money(picoDollars: -50))
    #expect(try await store.balance(of: day.scope) == Balance(0, held: 40))
    #expect(try await store.headroom([day]) == Money(picoDollars: 60))
    let imported = Self.adjustment(
      day.scope, .atLeast(Money(picoDollars: 30)), kind: .import, at: 99)
    #expect(try await store.adjust(imported) == Money(picoDollars: 30))
    #expect(try await store.adjust(imported) == .zero)
    try await store.settle(settlement("b", 20), recording: [])
    #expect(try await store.balance(of: day.scope) == Balance(50, held: 0))
    #expect(try await store.lastReset(of: day.scope) == Timestamp(milliseconds: 77))
    #expect(try await store.lastReset(of: dayLeg("ann", 15, nil).scope) == nil)

    let audits = try await store.audits(limit: 9)
    #expect(audits.map(\.kind) == ["import", "import", "reset"])
    #expect(audits.map(\.amount.picoDollars) == [0, 30, -50])
    #expect(Set(audits.map(\.subject)) == ["day:ann:2023-11-14"])
    #expect(Set(audits.map(\.detail)) == ["ann"])
  }

  @Test(arguments: StoreKind.allCases)
  func `corrects what nothing was spent of yet, and nothing below zero`(
    kind: StoreKind
  ) async throws {
    let store = Fixture(kind).store
    let month = monthLeg("new", 100)
    #expect(try await store.adjust(Self.adjustment(month.scope, .atLeast(.max))) == .max)
    #expect(
      try await store.reserve(request("a", 1, [month]), recording: [])
        == .refused(month, Balance(.max, held: 0)))
    let below = Money(picoDollars: -1)
    for change in [Adjustment.Change.to(below), .atLeast(below)] {
      await #expect(throws: Failure.self) {
        try await store.adjust(Self.adjustment(month.scope, change))
      }
    }
    #expect(try await store.balance(of: month.scope) == Balance(.max, held: 0))
    #expect(try await store.audits(limit: 9).count == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func `lets a late settlement move its difference and nothing of a reset`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let day = dayLeg("ann", 14, nil)
    let gone = try await fixture.gone(with: "r2")
    for id in ["a", "b", "c"] {
      _ = try await gone.reserve(request(id, 60, [day], run: "r2"), recording: [])
    }
    fixture.lapse()
    // Who lacks room finds that nobody will settle them.
    _ = try await store.reserve(request("d", 1, [dayLeg("ann", 14, 1)]), recording: [])
    #expect(try await store.balance(of: day.scope) == Balance(180, held: 0))
    _ = try await store.adjust(Self.adjustment(day.scope, .to(.zero)))
    try await store.settle(settlement("a", 20), recording: [])
    #expect(try await store.balance(of: day.scope) == Balance())
    try await store.settle(settlement("b", 75), recording: [])
    #expect(try await store.balance(of: day.scope) == Balance(15, held: 0))
    try await store.settle(settlement("c", 60), recording: [])
    #expect(try await store.balance(of: day.scope) == Balance(15, held: 0))
  }

  @Test(arguments: StoreKind.allCases)
  func `counts amounts beyond counting, and what is left after them`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let free = leg("r1", nil)
    for (id, amount) in [("a", Int64.max), ("b", .max), ("c", 7)] {
      #expect(try await store.reserve(request(id, amount, [free]), recording: []) == .held)
    }
    #expect(try await store.balance(of: free.scope) == Balance(0, held: .max))
    try await store.settle(settlement("a", 1), recording: [])
    #expect(try await store.balance(of: free.scope) == Balance(1, held: .max))
    try await store.settle(settlement("b", 2), recording: [])
    #expect(try await store.balance(of: free.scope) == Balance(3, held: 7))
    // What was spent beyond counting stays so.
    let gone = try await fixture.gone(with: "r2")
    for id in ["e", "f"] {
      _ = try await gone.reserve(request(id, .max, [free], run: "r2"), recording: [])
    }
    fixture.lapse()
    _ = try await store.reserve(request("g", 1, [leg("r1", 1)]), recording: [])
    try await store.settle(settlement("e", 0), recording: [])
    #expect(try await store.balance(of: free.scope) == Balance(.max, held: 7))
  }

  /// Twelve calls, whose costs are powers of two, so that every sum tells what it is of.
  private func fill(_ store: any RunStore) async throws {
    for run in ["r1", "r2"] {
      store.open(record(run), [])
      try await store.append([entry(run, "started")])
    }
    var number = 0
    for day in [november(30), LocalDay(year: 2023, month: 12, day: 1)] {
      for (run, persona) in [("r1", "ann"), ("r2", "bob")] {
        for (model, name) in [("m", "draft"), ("m", "critic"), ("n", "critic")] {
          let id = "c\(number)"
          _ = try await store.reserve(
            request(
              id, 1 << 20, [leg(run, nil)], run: run, persona: persona, operatorName: name,
              provider: model == "m" ? "openai" : "groq", model: model,
              price: number == 5 ? "" : "2023-11", day: day), recording: [])
          if number != 11 {
            try await store.settle(
              settlement(id, 1 << number, outcome: number == 3 ? .failed : .answered),
              recording: [])
          }
          number += 1
        }
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `adds up spending by whatever is asked`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    try await fill(store)
    func sums(_ filter: SpendingFilter = SpendingFilter(), _ keys: SpendingKey...) async throws
      -> [String]
    {
      try await store.spending(filter, by: keys).map { row in
        "\((row.keys + ["\(row.calls)", "\(row.spent.picoDollars)"]).joined(separator: " "))"
      }
    }
    let all = SpendingFilter()
    #expect(try await sums(all) == ["12 2047"])
    #expect(try await sums(all, .persona) == ["ann 6 455", "bob 6 1592"].reversed())
    #expect(try await sums(all, .operator) == ["critic 8 1462", "draft 4 585"])
    #expect(try await sums(all, .model) == ["m 8 1755", "n 4 292"])
    #expect(try await sums(all, .provider) == ["openai 8 1755", "groq 4 292"])
    #expect(try await sums(all, .day) == ["2023-11-30 6 63", "2023-12-01 6 1984"])
    #expect(try await sums(all, .month) == ["2023-11 6 63", "2023-12 6 1984"])
    #expect(try await sums(all, .run) == ["r2 6 1592", "r1 6 455"])
    #expect(
      try await sums(all, .day, .persona) == [
        "2023-11-30 bob 3 56", "2023-11-30 ann 3 7", "2023-12-01 bob 3 1536",
        "2023-12-01 ann 3 448",
      ])
    #expect(
      try await sums(SpendingFilter(persona: "ann"), .operator, .model)
        == [
          "critic m 2 130", "critic n 2 260", "draft m 2 65",
        ].sorted { Int($0.split(separator: " ")[3]) ?? 0 > Int($1.split(separator: " ")[3]) ?? 0 })
    #expect(try await sums(SpendingFilter(from: november(1), to: november(29))) == [])
    #expect(try await sums(SpendingFilter(from: november(30), to: november(30))) == ["6 63"])
    #expect(
      try await sums(SpendingFilter(model: "n", to: november(30)), .persona)
        == ["bob 1 32", "ann 1 4"])
    #expect(try await sums(SpendingFilter(persona: "nobody"), .day) == [])

    let row = try #require(try await store.spending(all, by: [SpendingKey.persona]).first)
    #expect(row.failures == 1)
    #expect(row.unpriced == 1)
    #expect(row.held == Money(picoDollars: 1 << 20))
    #expect(
      row.usage == Usage(input: 50, output: 100, cachedInput: 25, cacheWrites: 15, reasoning: 10))
  }

  @Test(arguments: StoreKind.allCases)
  func `adds up what is beyond counting, and knows what was estimated`(
    kind: StoreKind
  ) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let gone = try await fixture.gone(with: "r2")
    for id in ["a", "b"] { _ = try await store.reserve(request(id, .max, []), recording: []) }
    _ = try await gone.reserve(request("c", .max, [leg("r9", nil)], run: "r2"), recording: [])
    _ = try await store.reserve(request("d", .max, []), recording: [])
    let usage = Usage(input: .max, output: .max, isReported: false)
    for id in ["a", "b"] {
      try await store.settle(
        Settlement(
          reservation: Identifier(id), actual: .max, usage: usage, outcome: .answered),
        recording: [])
    }
    let row = SpendingRow(keys: [], calls: 4, spent: .max, held: .max, usage: usage)
    #expect(try await store.spending(SpendingFilter(), by: []) == [row])
    // What nobody will settle counts at its estimate.
    fixture.lapse()
    _ = try await store.reserve(request("f", 1, [leg("r9", 1)]), recording: [])
    _ = try await store.reserve(request("e", 0, []), recording: [])
    let now = try await store.spending(SpendingFilter(), by: [])
    #expect(now.first?.spent == .max)
    #expect(now.first?.calls == 5)
  }
}
