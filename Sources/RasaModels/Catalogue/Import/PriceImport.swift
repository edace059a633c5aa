package import RasaCore
import RasaDocuments

/// Takes prices over from the formats that others publish.
package struct PriceImport: Sendable {
  package enum Format: String, Sendable, CaseIterable {
    case genaiPrices = "genai-prices"
    case liteLLM = "litellm"
  }

  /// Why an entry was left out.
  package enum Skipped: String, Sendable, CaseIterable {
    case unpriced = "no price for tokens, or a price of nothing"
    case negative = "a negative price"
    case unreadable = "a price that is not an amount, or is out of range"
    case otherUnit = "priced by image, request or time"
    case notForChat = "no model for chat"
    case ambiguous = "priced differently by several providers; choose with --provider"
  }

  /// More than this is no price list.
  package static let largestFile = 16 << 20
  private static let valuesInAnEntry = 20_000

  package let format: Format
  /// The providers that the file knows, and how many models of each were taken.
  package private(set) var providers: [String: Int] = [:]
  package private(set) var models: [ModelFacts] = []
  package private(set) var aliases: [String: String] = [:]
  package private(set) var skipped: [Skipped: [String]] = [:]

  /// One model as the file has it.
  struct Entry: Sendable {
    var facts: ModelFacts
    var provider: String
    var aliases: [String] = []
  }

  /// Reads a file of either format. Only models of the `wanted` providers are taken, of all when there
  /// are none. `vendor` says whose a model is known to be: of those no vendor is written.
  package init(
    _ bytes: [UInt8], file: String, only wanted: Set<String> = [],
    vendor: (String) throws(Failure) -> String? = { _ in nil }
  ) throws(Failure) {
    var reader = try JSONReader(
      bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...], named: file,
      limits: JSONLimits(bytes: Self.largestFile))
    var entries: [Entry] = []
    if try reader.kind() == .array {
      format = .genaiPrices
      try readGenaiPrices(&reader, wanted, &entries)
    } else {
      format = .liteLLM
      try readLiteLLM(&reader, wanted, &entries)
    }
    try reader.finish()
    guard !providers.isEmpty else { throw Self.unknownFormat(file) }
    if let missing = wanted.sorted().first(where: { providers[$0] == nil }) {
      let near = nearestName(to: missing, among: providers.keys.sorted())
      throw Failure(
        .usage, "the file has no provider '\(missing)'",
        suggestion: near.map { "did you mean \($0)?" }
          ?? "it has \(providers.keys.sorted().prefix(12).joined(separator: ", "))")
    }
    try settle(entries, vendor)
  }

  private static func unknownFormat(_ file: String) -> Failure {
    Failure(
      .configuration, "the file is not a price list in a known format",
      suggestion:
        "give data.json of genai-prices or model_prices_and_context_window.json of LiteLLM",
      at: SourceLocation(file: file, line: 0, column: 0))
  }

  // MARK: Reading

  private mutating func readGenaiPrices(
    _ reader: inout JSONReader, _ wanted: Set<String>, _ entries: inout [Entry]
  ) throws(Failure) {
    guard try reader.enterArray() else { return }
    while try reader.nextElement() {
      var provider: String?
      var models: [Value] = []
      guard try reader.enterObject() else { continue }
      while let key = try reader.nextKey() {
        switch key {
        case "id": provider = try reader.string()
        case "models":
          guard try reader.enterArray() else { continue }
          while try reader.nextElement() {
            var budget = Self.valuesInAnEntry
            models.append(try reader.exactValue(&budget))
          }
        default: break
        }
      }
      guard let provider else { continue }
      providers[provider] = 0
      guard wanted.isEmpty || wanted.contains(provider) else { continue }
      for model in models {
        guard let id = model["id"].string?.nonEmpty else { continue }
        take(id, &entries) { () throws(Refusal) in
          try GenaiPrices.entry(model, id: id, provider: provider)
        }
      }
    }
  }

  private mutating func readLiteLLM(
    _ reader: inout JSONReader, _ wanted: Set<String>, _ entries: inout [Entry]
  ) throws(Failure) {
    guard try reader.enterObject() else { return }
    while let key = try reader.nextKey() {
      guard try reader.kind() == .object else { continue }
      var budget = Self.valuesInAnEntry
      let model = try reader.exactValue(&budget)
      guard key != "sample_spec", let provider = model["litellm_provider"].string?.nonEmpty else {
        continue
      }
      if providers[provider] == nil { providers[provider] = 0 }
      guard wanted.isEmpty || wanted.contains(provider) else { continue }
      take(key, &entries) { () throws(Refusal) in
        try LiteLLMPrices.entry(model, key: key, provider: provider)
      }
    }
  }

  /// Why an entry is not taken; it never ends the import.
  struct Refusal: Error {
    var reason: Skipped
  }

  private mutating func take(
    _ name: String, _ entries: inout [Entry], _ read: () throws(Refusal) -> Entry
  ) {
    do {
      entries.append(try read())
    } catch {
      skipped[error.reason, default: []].append(name)
    }
  }

  // MARK: One entry a name

  /// A name has one price here. Where several providers sell the same, the vendor's own price counts;
  /// where none of them is the vendor and their prices differ, the name is left out.
  private mutating func settle(
    _ entries: [Entry], _ vendor: (String) throws(Failure) -> String?
  ) throws(Failure) {
    var byName: [String: [Entry]] = [:]
    for entry in entries { byName[entry.facts.id, default: []].append(entry) }
    for (name, entries) in byName {
      let seller = try vendor(name)
      let own = entries.filter { Self.vendor(of: $0.provider) == seller && seller != nil }
      let candidates = own.isEmpty ? entries : own
      guard let first = candidates.first else { continue }
      if candidates.contains(where: { $0.facts.prices != first.facts.prices }) {
        skipped[.ambiguous, default: []].append(name)
        continue
      }
      var facts = first.facts
      facts.vendor = seller == nil ? Self.vendor(of: first.provider) ?? first.provider : ""
      models.append(facts)
      providers[first.provider, default: 0] += 1
      for alias in first.aliases where byName[alias] == nil && aliases[alias] == nil {
        aliases[alias] = name
      }
    }
    models.sort { $0.id < $1.id }
    for reason in skipped.keys { skipped[reason]?.sort() }
  }

  private static func vendor(of provider: String) -> String? {
    switch provider {
    case "openai", "anthropic", "google": provider
    case "gemini": "google"
    default: nil
    }
  }
}

extension PriceImport {
  /// The most that a price per million tokens can be: a dollar a token.
  private static let largestPrice = Money(picoDollars: 1_000_000 * 1_000_000_000_000)

  /// An amount, per million tokens, out of the text of a number; nil where there is none.
  static func amount(_ value: Value, timesTenTo power: Int) throws(Refusal) -> Money? {
    if value.isNull { return nil }
    guard let text = value.string, let amount = Money(number: text, timesTenTo: power) else {
      throw Refusal(reason: .unreadable)
    }
    if amount < .zero { throw Refusal(reason: .negative) }
    if amount > largestPrice { throw Refusal(reason: .unreadable) }
    return amount
  }

  static func rates(
    input: Money?, cached: Money?, cacheWrite: Money?, output: Money?, reasoning: Money?
  ) throws(Refusal) -> Price.Rates {
    guard let input, let output else { throw Refusal(reason: .unpriced) }
    return Price.Rates(
      input: input, cached: cached, cacheWrite: cacheWrite, output: output, reasoning: reasoning)
  }

  static func count(_ value: Value) -> Int64? {
    guard let text = value.string, let count = Money(number: text, timesTenTo: -12) else {
      return nil
    }
    return (1...1_000_000_000).contains(count.picoDollars) ? count.picoDollars : nil
  }
}
