import RasaCore
import RasaEngine
import RasaTestKit
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
        "b": {"vendor": "x", "thinking": true, "context": 5000, "max_output": 400, "prices": [
          {"input": "1", "cached": "0.1", "cache_write": "1.5", "output": "2", "reasoning": "3",
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
    #expect(facts.isThinking && !facts.isOpen)
    #expect(facts.vendor == "x")
    #expect(facts.context == 5_000 && facts.maxOutput == 400)
    let price = try #require(facts.price(on: today))
    #expect(price.cost(of: Usage(input: 1_000, output: 0)) == money("0.001"))
    #expect(price.cost(of: Usage(input: 1_001, output: 1_000)) == money("0.03001"))
    #expect(price.cost(of: Usage(input: 1_000, output: 0, cachedInput: 500)) == money("0.00055"))
    #expect(
      price.cost(
        of: Usage(input: 1_000, output: 10, cachedInput: 200, cacheWrites: 300, reasoning: 4))
        == money("0.000994"))
  }

  @Test func saysWhichPriceItIs() throws {
    let dated = try #require(try catalogue.facts(for: "a")?.price(on: today))
    #expect(dated.version.hasPrefix("a@2026-01-01 (catalogue #"))
    let named = Catalogue(
      shipped: Array(
        #"""
        {"name": "mine", "date": "2026-02-03",
         "models": {"m": {"prices": [{"input": "1", "output": "1"}]}}}
        """#.utf8))
    let facts = try #require(try named.facts(for: "m"))
    #expect(facts.price(on: today)?.version == "m (mine 2026-02-03)")
    #expect(facts.source == "mine, 2026-02-03")
  }

  @Test(
    arguments: [
      (#"{"input": "1"}"#, "'input' and 'output'"),
      (#"{"input": "-1", "output": "1"}"#, "negative"),
      (#"{"input": "1", "output": "1000000000000000000"}"#, "no amount"),
      (#"{"input": "1", "output": 1e18}"#, "no amount"),
      (#"{"input": "1", "output": "1000001"}"#, "more than 1000000 dollars"),
      (#"{"input": "one", "output": "1"}"#, "no amount"),
      (#"{"input": "1", "output": "1", "cached": "-0.1"}"#, "negative"),
      (#"{"input": "1", "output": "1", "cache": "0.1"}"#, "did you mean 'cached'?"),
      (#"{"input": "1", "output": "1", "from": "soon"}"#, "no day"),
      (#"{"input": "1", "output": "1", "above": [{"input": "1", "output": "1"}]}"#, "'tokens'"),
      (
        #"{"input": "1", "output": "1", "above": [{"tokens": 0, "input": "1", "output": "1"}]}"#,
        "whole"
      ),
      (#"{"input": "1", "output": "1", "above": {"tokens": 1}}"#, "must be a list"),
      (#"{"input": "1", "output": "1"}, {"input": "2", "output": "1"}"#, "same day"),
      ("3", "must be an object"),
    ] as [(String, String)])
  func refusesPricesThatCannotBe(_ row: (price: String, words: String)) throws {
    let bytes = Array(#"{"models": {"fine": {}, "odd": {"prices": [\#(row.price)]}}}"#.utf8)
    let document = CatalogueDocument(file: "/home/me/models/mine.json", bytes: bytes)
    let catalogue = Catalogue(load: { () throws(Failure) in [document] })
    #expect(try catalogue.facts(for: "fine") != nil)
    for read in [{ _ = try catalogue.facts(for: "odd") }, { _ = try catalogue.allFacts() }] {
      let failure = try #require(throws: Failure.self) { try read() }
      #expect(failure.kind == .configuration && !failure.suggestion.isEmpty)
      #expect(
        failure.message.contains("'odd'") && failure.message.contains(row.words), "\(failure)")
      #expect(failure.location?.file == "/home/me/models/mine.json")
    }
  }

  @Test(
    arguments: [
      "", "[]", "{}", "{\"models\": []}", "{\"models\": {", "{\"models\": {\"a\": {}, \"A\": {}}}",
      "{\"models\": {\"m\": {}}} x", "{\"aliases\": {\"m\": 3}}", "{\"gpt-4o\": {\"input\": 1}}",
      "\u{FEFF}{\"models\": {\"m\": 3}}", "{\"models\": {\"m\": {\"context\": -1}}}",
    ])
  func namesTheFileThatIsBroken(_ text: String) throws {
    let document = CatalogueDocument(file: "models/mine.json", bytes: Array(text.utf8))
    let catalogue = Catalogue(load: { () throws(Failure) in [document] })
    let failure = try #require(throws: Failure.self) { try catalogue.facts(for: "m") }
    #expect(failure.kind == .configuration && failure.location?.file == "models/mine.json")
  }

  @Test func refusesBytesThatAreNoText() {
    let document = CatalogueDocument(
      file: "m.json",
      bytes: Array(#"{"models": {"m": {"vendor": ""#.utf8) + [0xFF] + Array("\"}}}".utf8))
    let catalogue = Catalogue(load: { () throws(Failure) in [document] })
    #expect(throws: Failure.self) { try catalogue.facts(for: "m") }
  }

  @Test func letsAnOverlayWinAndTakesTheRestFromBelow() throws {
    let overlaid = Catalogue(
      shipped: Array(
        """
        {"defaults": {"openai": "m", "x": "y"}, "aliases": {"old": "m"}, "models": {
          "m": {"vendor": "v", "context": 9, "prices": [{"input": "1", "output": "1"}]}}}
        """.utf8),
      overlays: [
        Array(
          """
          {"defaults": {"openai": "mine"}, "aliases": {"fast": "old", "loop": "loop"}, "models": {
            "M": {"prices": [{"input": "0", "output": "0"}]}, "mine": {"vendor": "me"}}}
          """.utf8)
      ])
    for _ in 0..<2 {
      for name in ["m", "old", "fast", "fast-20260101"] {
        let facts = try #require(try overlaid.facts(for: name), "\(name)")
        #expect(facts.id == "m" && facts.vendor == "v" && facts.context == 9)
        #expect(facts.price(on: today)?.isFree == true)
        #expect(facts.price(on: today)?.version.contains("overlay 1") == true)
      }
      #expect(try overlaid.facts(for: "loop") == nil)
      #expect(try overlaid.defaultModel(of: "openai") == "mine")
      #expect(try overlaid.defaultModel(of: "x") == "y")
      #expect(try overlaid.allFacts().map(\.id) == ["m", "mine"])
      #expect(try overlaid.aliases(of: "m") == ["old"])
    }
  }

  @Test func readsNothingBeforeItIsAsked() throws {
    let loads = Locked(0)
    let catalogue = Catalogue(load: { () throws(Failure) in
      loads.withLock { $0 += 1 }
      return [CatalogueDocument(file: "m.json", bytes: Array(#"{"models": {"m": {}}}"#.utf8))]
    })
    #expect(loads.withLock { $0 } == 0)
    #expect(try catalogue.facts(for: "m") != nil)
    _ = try catalogue.allFacts()
    #expect(loads.withLock { $0 } == 1)
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

/// What is held must be enough, whatever the provider says in the end.
@Suite struct PriceBoundTests {
  @Test(arguments: 1...40)
  func holdsTheMostThatACallCanCost(_ seed: Int) {
    var chance = SeededNumbers(seed: UInt64(seed))
    func rates() -> Price.Rates {
      func amount() -> Money {
        Money(
          picoDollars: .random(
            in: 0...[3, 999_999, 40_000_000_000_000][Int.random(in: 0...2, using: &chance)],
            using: &chance))
      }
      return Price.Rates(
        input: amount(), cached: Bool.random(using: &chance) ? amount() : nil,
        cacheWrite: Bool.random(using: &chance) ? amount() : nil, output: amount(),
        reasoning: Bool.random(using: &chance) ? amount() : nil)
    }
    for _ in 0..<50 {
      let tiers = (0..<Int.random(in: 0...2, using: &chance)).map {
        Price.Tier(tokens: Int64($0 + 1) * 500, rates: rates())
      }
      let price = Price(rates: rates(), tiers: tiers)
      let input = Int64.random(in: 0...2_000, using: &chance)
      let output = Int64.random(in: 0...2_000, using: &chance)
      let held = price.cost(input: input, output: output)
      for _ in 0..<20 {
        let used = Int64.random(in: 0...input, using: &chance)
        let said = Int64.random(in: 0...output, using: &chance)
        let cached = Int64.random(in: 0...used, using: &chance)
        let usage = Usage(
          input: used, output: said, cachedInput: cached,
          cacheWrites: .random(in: 0...(used - cached), using: &chance),
          reasoning: .random(in: 0...said, using: &chance))
        #expect(price.cost(of: usage) <= held)
      }
      let money = Money(picoDollars: .random(in: 0...100_000_000_000, using: &chance))
      guard let payable = price.outputTokens(payableWith: money, input: input) else { continue }
      if payable > 0 { #expect(price.cost(input: input, output: payable) <= money) }
      #expect(price.cost(input: input, output: payable + 1) > money)
    }
  }

  @Test(arguments: [Int64.min, -1, 0, 1, 1_000_000_000_000_000_000, .max])
  func survivesWhatNoProviderCanMean(_ count: Int64) {
    let price = Price(
      rates: Price.Rates(
        input: money("3"), cached: money("0.3"), cacheWrite: money("3.75"),
        output: money("15"), reasoning: money("20")),
      tiers: [
        Price.Tier(tokens: 200_000, rates: Price.Rates(input: money("6"), output: money("30")))
      ])
    let usage = Usage(
      input: count, output: count, cachedInput: count, cacheWrites: count, reasoning: count)
    #expect(price.cost(of: usage) >= .zero)
    #expect(price.cost(input: count, output: count) >= price.cost(of: usage))
    #expect(price.outputTokens(payableWith: .max, input: count).map { $0 >= 0 } == true)
  }

  @Test func callsFreeWhatCostsNothingInAnyTier() {
    #expect(Price.free.isFree)
    let later = Price(
      rates: Price.Rates(input: .zero, output: .zero),
      tiers: [Price.Tier(tokens: 1, rates: Price.Rates(input: .zero, output: money("1")))])
    #expect(!later.isFree)
    #expect(!Price(rates: Price.Rates(input: .zero, output: .zero, reasoning: money("1"))).isFree)
  }
}
