import RasaCore
import RasaEngine

/// Where an entry stands, for its source and for messages.
struct CatalogueOrigin: Sendable {
  /// The file.
  var file: String
  /// What the document calls its figures, and as of when: `genai-prices 2026-08-21`.
  var edition: String
  /// The longer text that the document gives as its source.
  var source: String
}

/// What one document says of a model. What it leaves out is taken from the next document, so that a
/// user's own price needs no copy of everything else.
struct CatalogueEntry: Sendable {
  let id: String
  private var vendor: String?
  private var isThinking: Bool?
  private var isOpen: Bool?
  private var inputs: Set<Attachment.Kind>?
  private var context: Int64?
  private var maxOutput: Int64?
  private var prices: [DatedPrice]?
  private var source: String?

  private static let largestCount: Int64 = 1_000_000_000
  /// A dollar a token: beyond it a price is a mistake.
  private static let largestPrice = Money(picoDollars: 1_000_000 * 1_000_000_000_000)

  private static let members = [
    "vendor", "thinking", "open", "context", "max_output", "prices", "source", "note",
    "input",
  ]
  private static let rateMembers = ["input", "cached", "cache_write", "output", "reasoning"]
  private static let priceMembers = rateMembers + ["per_second", "from", "above", "note"]
  private static let tierMembers = rateMembers + ["tokens"]

  init(id: String, _ entry: Value, from origin: CatalogueOrigin) throws(Failure) {
    self.id = id
    let reader = EntryReader(id: id, file: origin.file)
    guard let object = entry.object else { throw reader.unreadable("it must be an object") }
    try reader.check(object.keys, known: Self.members)
    vendor = try reader.text(entry, "vendor")
    isThinking = try reader.flag(entry, "thinking")
    isOpen = try reader.flag(entry, "open")
    inputs = try reader.words(entry, "input").map { Set($0) }
    context = try reader.count(entry, "context", upTo: Self.largestCount)
    maxOutput = try reader.count(entry, "max_output", upTo: Self.largestCount)
    source = try reader.text(entry, "source")
    guard !entry["prices"].isNull else { return }
    guard let list = entry["prices"].array else {
      throw reader.unreadable("'prices' must be a list")
    }
    var prices: [DatedPrice] = []
    for value in list { prices.append(try Self.price(value, origin, reader)) }
    prices.sort { left, right in
      guard let right = right.from else { return left.from != nil }
      return left.from.map { $0 > right } ?? false
    }
    for (newer, older) in zip(prices, prices.dropFirst()) where newer.from == older.from {
      throw reader.unreadable("two prices count from the same day on")
    }
    self.prices = prices
    source = source ?? origin.source
  }

  mutating func fill(from next: CatalogueEntry) {
    vendor = vendor ?? next.vendor
    isThinking = isThinking ?? next.isThinking
    isOpen = isOpen ?? next.isOpen
    inputs = inputs ?? next.inputs
    context = context ?? next.context
    maxOutput = maxOutput ?? next.maxOutput
    // The source is that of the prices.
    if prices == nil, let prices = next.prices {
      self.prices = prices
      source = next.source
    }
    source = source ?? next.source
  }

  var facts: ModelFacts {
    ModelFacts(
      id: id, vendor: vendor ?? "", isThinking: isThinking ?? false, isOpen: isOpen ?? false,
      context: context, maxOutput: maxOutput, prices: prices ?? [], source: source ?? "",
      inputs: inputs)
  }

  private static func price(
    _ value: Value, _ origin: CatalogueOrigin, _ reader: EntryReader
  ) throws(Failure) -> DatedPrice {
    guard let object = value.object else { throw reader.unreadable("a price must be an object") }
    try reader.check(object.keys, known: Self.priceMembers)
    var from: LocalDay?
    if let text = try reader.text(value, "from") {
      guard let day = LocalDay(text) else {
        throw reader.unreadable("'from' is no day such as \"2026-01-31\"")
      }
      from = day
    }
    var tiers: [Price.Tier] = []
    let above = value["above"]
    guard above.isNull || above.array != nil else {
      throw reader.unreadable("'above' must be a list")
    }
    for tier in above.array ?? [] {
      guard let object = tier.object else { throw reader.unreadable("a tier must be an object") }
      try reader.check(object.keys, known: Self.tierMembers)
      guard let tokens = try reader.count(tier, "tokens", upTo: Self.largestCount) else {
        throw reader.unreadable("a price has 'above' without 'tokens'")
      }
      tiers.append(Price.Tier(tokens: tokens, rates: try rates(tier, reader)))
    }
    tiers.sort { $0.tokens < $1.tokens }
    for (lower, upper) in zip(tiers, tiers.dropFirst()) where lower.tokens == upper.tokens {
      throw reader.unreadable("two tiers begin at the same number of tokens")
    }
    let perSecond = try reader.amount(value, "per_second", upTo: largestPrice) ?? .zero
    let dated = from.map { "\(reader.id)@\($0)" } ?? reader.id
    return DatedPrice(
      from: from,
      price: Price(
        rates: try rates(value, reader), tiers: tiers, perSecond: perSecond,
        version: "\(dated) (\(origin.edition))"))
  }

  private static func rates(_ value: Value, _ reader: EntryReader) throws(Failure) -> Price.Rates {
    // What is paid by time alone has no other price.
    let byTime: Money? = value["per_second"].isNull ? nil : .zero
    guard let input = try reader.amount(value, "input", upTo: largestPrice) ?? byTime,
      let output = try reader.amount(value, "output", upTo: largestPrice) ?? byTime
    else { throw reader.unreadable("a price needs 'input' and 'output' as decimal text") }
    return Price.Rates(
      input: input, cached: try reader.amount(value, "cached", upTo: largestPrice),
      cacheWrite: try reader.amount(value, "cache_write", upTo: largestPrice), output: output,
      reasoning: try reader.amount(value, "reasoning", upTo: largestPrice))
  }
}

/// Reads the members of one entry, and says of which when one cannot be read: figures are never
/// guessed.
private struct EntryReader {
  let id: String
  let file: String

  func text(_ value: Value, _ member: String) throws(Failure) -> String? {
    let value = value[member]
    if value.isNull { return nil }
    guard let text = value.string else { throw unreadable("'\(member)' must be text") }
    return text
  }

  func flag(_ value: Value, _ member: String) throws(Failure) -> Bool? {
    let value = value[member]
    if value.isNull { return nil }
    guard let flag = value.bool else { throw unreadable("'\(member)' must be true or false") }
    return flag
  }

  /// What a model takes, as a list of `text`, `image` and `pdf`.
  func words(_ value: Value, _ member: String) throws(Failure) -> [Attachment.Kind]? {
    let value = value[member]
    if value.isNull { return nil }
    let kinds = value.array?.map { $0.string.flatMap(Attachment.Kind.init(rawValue:)) }
    guard let kinds, !kinds.contains(nil) else {
      throw unreadable("'\(member)' must be a list of \"text\", \"image\" and \"pdf\"")
    }
    return kinds.compactMap(\.self)
  }

  func count(_ value: Value, _ member: String, upTo largest: Int64) throws(Failure) -> Int64? {
    let value = value[member]
    if value.isNull { return nil }
    guard let count = value.int, (1...largest).contains(count) else {
      throw unreadable("'\(member)' must be a whole number from 1 to \(largest)")
    }
    return count
  }

  func amount(_ value: Value, _ member: String, upTo largest: Money) throws(Failure) -> Money? {
    let value = value[member]
    if value.isNull { return nil }
    guard let amount = Money(value) else {
      throw unreadable("'\(member)' is no amount of dollars such as \"0.15\"")
    }
    guard amount >= .zero else { throw unreadable("'\(member)' is negative") }
    guard amount <= largest else {
      throw unreadable("'\(member)' is more than \(largest.decimalText) dollars")
    }
    return amount
  }

  func check(_ members: [String], known: [String]) throws(Failure) {
    for member in members where !known.contains(member) {
      let nearest = nearestName(to: member, among: known).map { "; did you mean '\($0)'?" } ?? ""
      throw unreadable("'\(member)' means nothing here\(nearest)")
    }
  }

  func unreadable(_ problem: String) -> Failure {
    Failure(
      .configuration, "the model catalogue cannot be read at '\(id)': \(problem)",
      suggestion: "correct the entry, or remove it",
      at: SourceLocation(file: file, line: 0, column: 0))
  }
}
