import RasaCore

/// The format of `prices/new_data/v2/data.json` of genai-prices: US dollars per million tokens.
enum GenaiPrices {
  /// Prices of what is no token of text, whose presence says that the model makes something else.
  private static let otherOutputs = ["output_image_mtok", "output_video_mtok", "output_audio_mtok"]

  static func entry(
    _ model: Value, id: String, provider: String
  ) throws(PriceImport.Refusal) -> PriceImport.Entry {
    var facts = ModelFacts(
      id: id.lowercased(), vendor: "", context: PriceImport.count(model["context_window"]))
    let prices = model["prices"]
    if let list = prices.array {
      for dated in list { facts.prices.append(try self.dated(dated)) }
      // The format names the oldest first, and the last that applies counts.
      facts.prices.sort { left, right in
        guard let right = right.from else { return left.from != nil }
        return left.from.map { $0 > right } ?? false
      }
    } else {
      facts.prices = [DatedPrice(price: try price(prices))]
    }
    if facts.prices.allSatisfy(\.price.isFree) { throw PriceImport.Refusal(reason: .unpriced) }
    return PriceImport.Entry(
      facts: facts, provider: provider, aliases: names(model["match"]).filter { $0 != facts.id })
  }

  private static func dated(_ value: Value) throws(PriceImport.Refusal) -> DatedPrice {
    let constraint = value["constraint"]
    if constraint.isNull { return DatedPrice(price: try price(value["prices"])) }
    // Some are cheaper at night; a budget cannot reckon with the hour at which a call will end.
    guard let text = constraint["start_date"].string, constraint.object?.count == 1,
      let from = LocalDay(text)
    else { throw PriceImport.Refusal(reason: .otherUnit) }
    return DatedPrice(from: from, price: try price(value["prices"]))
  }

  private static func price(_ value: Value) throws(PriceImport.Refusal) -> Price {
    if otherOutputs.contains(where: { !value[$0].isNull }) || !value["requests_kcount"].isNull {
      throw PriceImport.Refusal(reason: .otherUnit)
    }
    if !value["input_mtok"].isNull, value["output_mtok"].isNull {
      throw PriceImport.Refusal(reason: .notForChat)
    }
    var starts: Set<Int64> = []
    for member in value.object?.keys ?? [] {
      for tier in value[member]["tiers"].array ?? [] {
        guard let start = PriceImport.count(tier["start"]) else {
          throw PriceImport.Refusal(reason: .unreadable)
        }
        starts.insert(start)
      }
    }
    var tiers: [Price.Tier] = []
    for start in starts.sorted() {
      tiers.append(Price.Tier(tokens: start, rates: try rates(value, from: start)))
    }
    return Price(rates: try rates(value, from: 0), tiers: tiers)
  }

  private static func rates(
    _ value: Value, from start: Int64
  ) throws(PriceImport.Refusal) -> Price.Rates {
    func amount(_ member: String) throws(PriceImport.Refusal) -> Money? {
      let value = value[member]
      guard value.object != nil else { return try PriceImport.amount(value, timesTenTo: 0) }
      var best: (start: Int64, price: Value) = (0, value["base"])
      for tier in value["tiers"].array ?? [] {
        guard let begin = PriceImport.count(tier["start"]), begin <= start, begin > best.start
        else {
          continue
        }
        best = (begin, tier["price"])
      }
      return try PriceImport.amount(best.price, timesTenTo: 0)
    }
    return try PriceImport.rates(
      input: amount("input_mtok"), cached: amount("cache_read_mtok"),
      cacheWrite: amount("cache_write_mtok"), output: amount("output_mtok"),
      reasoning: amount("output_reasoning_mtok"))
  }

  /// The names that surely mean the model: those it equals, and what its names begin with.
  private static func names(_ match: Value) -> [String] {
    var names: [String] = []
    for rule in match["or"].array ?? [match] {
      guard let name = (rule["equals"].string ?? rule["starts_with"].string)?.lowercased(),
        name.last.map({ $0.isLetter || $0.isNumber }) == true
      else { continue }
      names.append(name)
    }
    return names
  }
}
