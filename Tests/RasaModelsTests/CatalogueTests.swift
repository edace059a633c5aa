import RasaCore
import RasaEngine
import Testing

@testable import RasaModels

private let today = LocalDay(year: 2026, month: 9, day: 15)

private func money(_ text: String) -> Money { Money(decimal: text) ?? .max }

@Suite struct CatalogueTests {
  private let catalogue = Catalogue(
    shipped: Array(
      """
      {"defaults": {"openai": "a"},
       "aliases": {"alias": "a"},
       "models": {
        "a": {"vendor": "openai", "context": 100, "prices": [
          {"from": "2027-01-01", "input": "3", "output": "6"},
          {"from": "2026-01-01", "input": "2", "output": "4"},
          {"input": "1", "output": "2"}]},
        "b": {"vendor": "x", "thinking": true, "prices": [
          {"input": "1", "cached": "0.1", "output": "2",
           "above": [{"tokens": 1000, "input": "10", "output": "20"}]}]},
        "broken": {"vendor": "x", "prices": [{"input": "one"}]}}}
      """.utf8))

  @Test(
    arguments: [
      ("a", "a"), ("A", "a"), ("alias", "a"), ("a-2026-01-31", "a"), ("a-20260131", "a"),
      ("a@latest", "a"), ("models/a", "a"), ("vendor/a-2026-01-31", "a"), ("b", "b"),
      ("c", nil), ("a-b", nil), ("a-2026", nil), ("", nil), ("-20260131", nil),
    ] as [(String, String?)])
  func findsAModelByItsNames(_ row: (name: String, id: String?)) throws {
    #expect(try catalogue.facts(for: row.name)?.id == row.id)
    #expect(try catalogue.facts(for: row.name)?.id == row.id)
  }

  @Test(arguments: [
    (LocalDay(year: 2025, month: 5, day: 1), "1"), (LocalDay(year: 2026, month: 1, day: 1), "2"),
    (LocalDay(year: 2026, month: 12, day: 31), "2"), (LocalDay(year: 2027, month: 1, day: 1), "3"),
  ])
  func takesThePriceOfTheDay(_ row: (day: LocalDay, input: String)) throws {
    #expect(try catalogue.facts(for: "a")?.price(on: row.day)?.rates.input == money(row.input))
  }

  @Test func readsPropertiesAndTiers() throws {
    let facts = try #require(try catalogue.facts(for: "b"))
    #expect(facts.isThinking)
    #expect(facts.vendor == "x")
    let price = try #require(facts.price(on: today))
    #expect(price.cost(of: Usage(input: 1_000, output: 0)) == money("0.001"))
    #expect(price.cost(of: Usage(input: 1_001, output: 1_000)) == money("0.03001"))
    #expect(price.cost(of: Usage(input: 1_000, output: 0, cachedInput: 500)) == money("0.00055"))
  }

  @Test func saysWhichEntryIsBroken() {
    #expect { try catalogue.facts(for: "broken") } throws: { error in
      (error as? Failure)?.message.contains("'broken'") == true
    }
  }

  @Test func letsAnOverlayWin() throws {
    let overlaid = Catalogue(
      shipped: Array(
        #"{"models": {"m": {"vendor": "v", "prices": [{"input": "1", "output": "1"}]}}}"#.utf8),
      overlays: [
        Array(
          #"{"models": {"m": {"vendor": "mine", "prices": [{"input": "0", "output": "0"}]}}}"#.utf8)
      ])
    #expect(try overlaid.facts(for: "m")?.vendor == "mine")
    #expect(try overlaid.defaultModel(of: "openai") == nil)
    #expect(try catalogue.defaultModel(of: "openai") == "a")
  }

  @Test func refusesWhatIsNoCatalogue() {
    #expect(throws: Failure.self) {
      try Catalogue(shipped: Array("{\"models\": [".utf8)).facts(for: "m")
    }
  }
}

@Suite struct PriceTests {
  private let price = Price(rates: Price.Rates(input: money("2.5"), output: money("10")))

  @Test(
    arguments: [
      (1, 0, "0.0000025"), (0, 1, "0.00001"), (1_000_000, 1_000_000, "12.5"), (0, 0, "0"),
      (-5, -5, "0"),
    ] as [(Int64, Int64, String)])
  func reckonsExactly(_ row: (input: Int64, output: Int64, cost: String)) {
    #expect(price.cost(input: row.input, output: row.output) == money(row.cost))
  }

  @Test func survivesAbsurdCounts() {
    #expect(price.cost(input: .max, output: .max) == .max)
  }

  @Test(
    arguments: [
      ("0.000025", 0, 2), ("0.0000275", 1, 2), ("0.00002", 8, 0), ("0", 0, 0), ("-1", 0, 0),
      ("9000000", 0, 900_000_000_000),
    ] as [(String, Int64, Int64)])
  func saysHowMuchOutputIsPayable(_ row: (money: String, input: Int64, tokens: Int64)) {
    let payable = price.outputTokens(payableWith: money(row.money), input: row.input)
    #expect(payable == row.tokens)
  }

  @Test func callsFreeOutputUnlimited() {
    #expect(Price.free.outputTokens(payableWith: .zero, input: 5) == nil)
  }
}
