import RasaCore
import RasaEngine

/// The format of LiteLLM's `model_prices_and_context_window.json`: US dollars per token.
enum LiteLLMPrices {
  private static let chatModes: Set<String> = ["chat", "completion", "responses"]

  static func entry(
    _ model: Value, key: String, provider: String
  ) throws(PriceImport.Refusal) -> PriceImport.Entry {
    if let mode = model["mode"].string, !chatModes.contains(mode) {
      throw PriceImport.Refusal(reason: mode.hasPrefix("image") ? .otherUnit : .notForChat)
    }
    // `groq/llama-3.3-70b` is what that provider itself calls `llama-3.3-70b`.
    let name = key.hasPrefix("\(provider)/") ? String(key.dropFirst(provider.count + 1)) : key
    let context = PriceImport.count(model["max_input_tokens"])
    let maxOutput = PriceImport.count(model["max_output_tokens"])
    let price =
      if let tiers = model["tiered_pricing"].array { try self.price(tiers) } else {
        try self.price(model)
      }
    if price.isFree { throw PriceImport.Refusal(reason: .unpriced) }
    return PriceImport.Entry(
      facts: ModelFacts(
        id: name.lowercased(), vendor: "", isThinking: model["supports_reasoning"].bool ?? false,
        context: context, maxOutput: maxOutput, prices: [DatedPrice(price: price)],
        inputs: inputs(model)),
      provider: provider)
  }

  /// A list that does not mention images leaves it open.
  private static func inputs(_ model: Value) -> Set<Attachment.Kind>? {
    let vision = model["supports_vision"].bool
    let pdf = model["supports_pdf_input"].bool
    guard vision != nil || pdf != nil else { return nil }
    return Set(
      [.text] + (vision == true ? [.image] : []) + (pdf == true ? [.pdf] : []) as [Attachment.Kind])
  }

  private static func price(_ model: Value) throws(PriceImport.Refusal) -> Price {
    guard let base = try rates(model) else {
      let otherUnits = [
        "_per_image", "_per_second", "_per_query", "_per_pixel", "_per_character", "_per_request",
      ]
      let isOther = (model.object?.keys ?? []).contains { key in
        otherUnits.contains { key.hasSuffix($0) }
      }
      throw PriceImport.Refusal(reason: isOther ? .otherUnit : .unpriced)
    }
    var starts: Set<Int64> = []
    for key in model.object?.keys ?? [] {
      if let start = start(in: key) { starts.insert(start) }
    }
    var tiers: [Price.Tier] = []
    for start in starts.sorted() {
      // What a tier leaves out is as below it.
      let below = tiers.last?.rates ?? base
      let suffix = "_above_\(start / 1_000)k_tokens"
      let input = try amount(model["input_cost_per_token\(suffix)"]) ?? below.input
      let output = try amount(model["output_cost_per_token\(suffix)"]) ?? below.output
      let cached = try amount(model["cache_read_input_token_cost\(suffix)"])
      let written = try amount(model["cache_creation_input_token_cost\(suffix)"])
      tiers.append(
        Price.Tier(
          tokens: start,
          rates: Price.Rates(input: input, cached: cached, cacheWrite: written, output: output)))
    }
    return Price(rates: base, tiers: tiers)
  }

  /// `input_cost_per_token_above_200k_tokens` begins at 200,000.
  private static func start(in key: String) -> Int64? {
    let marks = ["input_cost_per_token_above_", "output_cost_per_token_above_"]
    guard let mark = marks.first(where: { key.hasPrefix($0) }), key.hasSuffix("k_tokens"),
      let thousands = Int64(key.dropFirst(mark.count).dropLast(8)),
      (1...100_000).contains(thousands)
    else { return nil }
    return thousands * 1_000
  }

  /// `[{range: [0, 128000], input_cost_per_token: …}, …]`.
  private static func price(_ tiers: [Value]) throws(PriceImport.Refusal) -> Price {
    var base: Price.Rates?
    var above: [Price.Tier] = []
    for tier in tiers {
      guard let rates = try rates(tier),
        let text = tier["range"].array?.first?.string,
        let start = Money(number: text, timesTenTo: -12)
      else { throw PriceImport.Refusal(reason: .unpriced) }
      if start == .zero {
        base = rates
      } else {
        above.append(Price.Tier(tokens: start.picoDollars, rates: rates))
      }
    }
    guard let base else { throw PriceImport.Refusal(reason: .unpriced) }
    above.sort { $0.tokens < $1.tokens }
    return Price(rates: base, tiers: above)
  }

  private static func rates(_ value: Value) throws(PriceImport.Refusal) -> Price.Rates? {
    guard let input = try amount(value["input_cost_per_token"]),
      let output = try amount(value["output_cost_per_token"])
    else { return nil }
    return Price.Rates(
      input: input, cached: try amount(value["cache_read_input_token_cost"]),
      cacheWrite: try amount(value["cache_creation_input_token_cost"]), output: output,
      reasoning: try amount(value["output_cost_per_reasoning_token"]))
  }

  private static func amount(_ value: Value) throws(PriceImport.Refusal) -> Money? {
    try PriceImport.amount(value, timesTenTo: 6)
  }
}
