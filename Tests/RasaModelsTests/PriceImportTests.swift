import RasaCore
import RasaDocuments
import RasaEngine
import Testing

@testable import RasaModels

@Suite struct PriceImportTests {
  private static let day = LocalDay(year: 2026, month: 9, day: 15)

  private func read(
    _ text: String, only: Set<String> = [], vendor: (String) -> String? = { _ in nil }
  ) throws -> PriceImport {
    try PriceImport(Array(text.utf8), file: "prices.json", only: only, vendor: vendor)
  }

  /// The import as whoever asks the catalogue later sees it.
  private func catalogue(_ read: PriceImport) -> Catalogue {
    let text = read.catalogue(name: "taken", source: "a test", date: Self.day)
    let document = CatalogueDocument(file: "taken.json", bytes: Array(text.utf8))
    return Catalogue { () throws(Failure) in [document] }
  }

  @Test(
    arguments: [
      ("2.5e-06", "2.5"), ("2.5E-6", "2.5"), ("0.0000025", "2.5"), ("7.5e-08", "0.075"),
      ("5.46875e-07", "0.546875"), ("1e-05", "10"), ("1.9999999999999998e-06", "2"), ("0", "0"),
      ("0.0", "0"), ("3", "3000000"), ("-1e-06", "-1"), ("1e-30", "0.000000000001"),
      ("0.00000250000000000000000000000", "2.5"),
      ("1e30", nil), ("1e", nil), ("e5", nil), ("", nil), (".", nil), ("1.2.3", nil),
      ("1e999", nil),
      ("٣", nil), ("99999999999999999999", nil),
    ] as [(String, String?)])
  func readsNumbersWithoutRounding(_ row: (text: String, perMillion: String?)) {
    #expect(Money(number: row.text, timesTenTo: 6)?.decimalText == row.perMillion)
  }

  @Test func takesOverWhatModelsRead() throws {
    let found = try read(
      #"""
      {"sees": {"litellm_provider": "openai", "mode": "chat", "supports_vision": true,
         "supports_pdf_input": true, "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
       "blind": {"litellm_provider": "openai", "mode": "chat", "supports_vision": false,
         "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
       "unsaid": {"litellm_provider": "openai", "mode": "chat",
         "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06}}
      """#)
    let catalogue = catalogue(found)
    #expect(try catalogue.facts(for: "sees")?.inputs == [.text, .image, .pdf])
    #expect(try catalogue.facts(for: "blind")?.inputs == [.text])
    #expect(try catalogue.facts(for: "unsaid")?.inputs == nil)
  }

  @Test func takesOverLiteLLM() throws {
    let found = try read(
      #"""
      {"sample_spec": {"litellm_provider": "one of …", "max_tokens": "LEGACY", "input_cost_per_token": 0.0},
       "gpt-4o": {"litellm_provider": "openai", "mode": "chat", "max_input_tokens": 128000,
         "max_output_tokens": 16384, "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1e-05,
         "cache_read_input_token_cost": 1.25e-06, "input_cost_per_token_batches": 1.25e-06},
       "claude-x": {"litellm_provider": "anthropic", "mode": "chat", "supports_reasoning": true,
         "input_cost_per_token": 3e-06, "output_cost_per_token": 1.5e-05,
         "cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06,
         "input_cost_per_token_above_200k_tokens": 6e-06, "output_cost_per_token_above_200k_tokens": 2.25e-05,
         "cache_creation_input_token_cost_above_200k_tokens": 7.5e-06},
       "groq/llama": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": "5.9e-07",
         "output_cost_per_token": 7.9e-07, "output_cost_per_reasoning_token": 8e-07},
       "dashscope/qwen": {"litellm_provider": "dashscope", "mode": "chat", "tiered_pricing": [
         {"range": [0, 256000.0], "input_cost_per_token": 4e-07, "output_cost_per_token": 1.6e-06},
         {"range": [256000.0, 1000000.0], "input_cost_per_token": 5e-07, "output_cost_per_token": 2e-06}]},
       "dall-e": {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04},
       "embed": {"litellm_provider": "openai", "mode": "embedding", "input_cost_per_token": 1e-07},
       "free": {"litellm_provider": "ollama", "mode": "chat", "input_cost_per_token": 0.0, "output_cost_per_token": 0.0},
       "none": {"litellm_provider": "openai", "mode": "chat"},
       "odd": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": -1, "output_cost_per_token": -1},
       "mad": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1000000000000000000, "output_cost_per_token": 1},
       "azure/gpt-4o": {"litellm_provider": "azure", "mode": "chat", "input_cost_per_token": 2.75e-06, "output_cost_per_token": 1.1e-05},
       "together_ai/shared": {"litellm_provider": "together_ai", "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 1e-06},
       "fireworks_ai/shared": {"litellm_provider": "fireworks_ai", "mode": "chat", "input_cost_per_token": 2e-06, "output_cost_per_token": 2e-06}}
      """#, vendor: { $0 == "gpt-4o" ? "openai" : nil })
    #expect(found.format == .liteLLM)
    #expect(found.models.map(\.id) == ["claude-x", "gpt-4o", "llama", "qwen"])
    #expect(
      found.skipped == [
        .otherUnit: ["dall-e"], .notForChat: ["embed"], .unpriced: ["free", "none"],
        .negative: ["odd"], .unreadable: ["mad"], .ambiguous: ["shared"],
      ])
    let catalogue = catalogue(found)
    let gpt = try #require(try catalogue.facts(for: "gpt-4o"))
    #expect(gpt.vendor.isEmpty && gpt.context == 128_000 && gpt.maxOutput == 16_384)
    let price = try #require(gpt.price(on: Self.day))
    #expect(price.rates.input.decimalText == "2.5" && price.rates.cached.decimalText == "1.25")
    #expect(price.version == "gpt-4o (taken 2026-09-15)")
    let claude = try #require(try catalogue.facts(for: "claude-x"))
    #expect(claude.isThinking && claude.vendor == "anthropic")
    let tier = try #require(claude.price(on: Self.day)?.tiers.first)
    #expect(tier.tokens == 200_000 && tier.rates.output.decimalText == "22.5")
    #expect(tier.rates.cacheWrite.decimalText == "7.5" && tier.rates.cached == tier.rates.input)
    let llama = try #require(try catalogue.facts(for: "llama")?.price(on: Self.day))
    #expect(llama.rates.input.decimalText == "0.59" && llama.rates.reasoning.decimalText == "0.8")
    let qwen = try #require(try catalogue.facts(for: "qwen")?.price(on: Self.day))
    #expect(qwen.tiers.map(\.tokens) == [256_000])
  }

  private static let genai = #"""
    [{"id": "openai", "name": "OpenAI", "models": [
      {"id": "o3", "match": {"or": [{"equals": "o3"}, {"equals": "o3-high"}, {"starts_with": "o3-"}]},
       "prices": [{"prices": {"input_mtok": 10, "output_mtok": 40}},
         {"constraint": {"start_date": "2025-06-10"}, "prices": {"input_mtok": 2, "cache_read_mtok": 0.5, "output_mtok": 8}}]},
      {"id": "image", "match": {"equals": "image"}, "prices": {"input_mtok": 1, "output_mtok": 1, "output_image_mtok": 9}},
      {"id": "embed", "match": {"equals": "embed"}, "prices": {"input_mtok": 0.1}},
      {"id": "nothing", "match": {"equals": "nothing"}, "prices": {}},
      {"id": "night", "match": {"equals": "night"}, "prices": [
         {"constraint": {"start_time": "00:30:00Z", "end_time": "16:30:00Z"}, "prices": {"input_mtok": 1, "output_mtok": 2}},
         {"prices": {"input_mtok": 0.1, "output_mtok": 0.2}}]},
      {"id": "below", "match": {"equals": "below"}, "prices": {"input_mtok": -1, "output_mtok": 2}}]},
     {"id": "anthropic", "models": [
      {"id": "claude-x-latest", "match": {"starts_with": "claude-x"}, "context_window": 200000, "prices": {
        "input_mtok": {"base": 3, "tiers": [{"start": 200000, "price": 6}]},
        "cache_write_mtok": 3.75, "output_mtok": {"base": 15, "tiers": [{"start": 200000, "price": 22.5}]}}}]}]
    """#

  @Test func takesOverGenaiPrices() throws {
    let found = try read(Self.genai)
    #expect(found.format == .genaiPrices)
    #expect(found.models.map(\.id) == ["claude-x-latest", "o3"])
    #expect(
      found.skipped == [
        .otherUnit: ["image", "night"], .notForChat: ["embed"], .unpriced: ["nothing"],
        .negative: ["below"],
      ])
    let catalogue = catalogue(found)
    let o3 = try #require(try catalogue.facts(for: "o3-high"))
    #expect(o3.prices.map { $0.price.rates.input.decimalText } == ["2", "10"])
    #expect(o3.price(on: LocalDay(year: 2025, month: 6, day: 9))?.rates.output.decimalText == "40")
    let claude = try #require(try catalogue.facts(for: "claude-x-20260101"))
    #expect(claude.id == "claude-x-latest" && claude.vendor == "anthropic")
    let tier = try #require(claude.price(on: Self.day)?.tiers.first)
    #expect(tier.rates.input.decimalText == "6" && tier.rates.cacheWrite.decimalText == "3.75")
  }

  @Test func takesOnlyWhatIsWanted() throws {
    #expect(try read(Self.genai, only: ["anthropic"]).models.map(\.id) == ["claude-x-latest"])
    let failure = try #require(throws: Failure.self) { try read(Self.genai, only: ["opnai"]) }
    #expect(failure.kind == .usage && failure.suggestion.contains("openai"))
  }

  @Test(
    arguments: [
      "", "{}", "[]", "3", "{\"a\": 1}", "{\"models\": {\"m\": {\"prices\": []}}}", "[{\"id\": 3}]",
      "[[[", "{\"a\": {\"litellm_provider\": \"openai\"}",
    ])
  func refusesWhatIsNoPriceList(_ text: String) throws {
    let failure = try #require(throws: Failure.self) { try read(text) }
    #expect(failure.kind == .configuration && failure.location?.file == "prices.json")
  }

  @Test func refusesWhatIsTooLargeOrNoText() throws {
    let large = Array("[".utf8) + [UInt8](repeating: 0x20, count: PriceImport.largestFile)
    #expect(throws: Failure.self) { try PriceImport(large, file: "f") }
    let many =
      "{\"a\": {\"litellm_provider\": \"x\", \"b\": [" + String(repeating: "1,", count: 30_000)
      + "1]}}"
    #expect(throws: Failure.self) { try read(many) }
    let bytes = Array("{\"a\": {\"litellm_provider\": \"".utf8) + [0xFF, 0xFE] + Array("\"}}".utf8)
    #expect(throws: Failure.self) { try PriceImport(bytes, file: "f") }
    #expect(
      try PriceImport([0xEF, 0xBB, 0xBF] + Array(Self.genai.utf8), file: "f").models.count == 2)
  }
}
