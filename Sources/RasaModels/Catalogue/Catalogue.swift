package import RasaCore
import RasaDocuments

/// Prices and properties of models, from documents such as `models/catalogue.json`.
///
/// Nothing is read before somebody asks, and then only the entry that was asked for: a run looks
/// up one or two of a hundred models, and it does so before its first token.
package final class Catalogue: Sendable {
  /// From the one that wins to the one that ships.
  private let documents: [[UInt8]]
  private let known = Locked<[String: ModelFacts?]>([:])

  /// `overlays` are a user's own documents of the same form; the first one wins.
  package init(shipped: [UInt8], overlays: [[UInt8]] = []) {
    documents = overlays + [shipped]
  }

  /// The entry of a model, by its name, an alias, or its name without a date; nil when unknown.
  package func facts(for model: String) throws(Failure) -> ModelFacts? {
    if let facts = known.withLock({ $0[model] }) { return facts }
    let facts = try find(model)
    known.withLock { known in
      // Names come from files and flags; a program that makes them up must not fill the memory.
      if known.count < 1_000 { known[model] = .some(facts) }
    }
    return facts
  }

  /// The model to take when nobody named one.
  package func defaultModel(of provider: String) throws(Failure) -> String? {
    for document in documents {
      var section = try CatalogueSection(document, named: "defaults")
      while let key = try section.nextKey() {
        if key == provider { return try section.reader.string() }
      }
    }
    return nil
  }

  private func find(_ model: String) throws(Failure) -> ModelFacts? {
    let name = model.lowercased()
    var names = [name]
    if let plain = Self.withoutDate(name) { names.append(plain) }
    for document in documents {
      for name in names {
        if let facts = try entry(name, in: document) { return facts }
        if let other = try alias(name, in: document) { return try entry(other, in: document) }
      }
    }
    return nil
  }

  private func alias(_ name: String, in document: [UInt8]) throws(Failure) -> String? {
    var section = try CatalogueSection(document, named: "aliases")
    while let key = try section.nextKey() {
      if key == name { return try section.reader.string() }
    }
    return nil
  }

  private func entry(_ id: String, in document: [UInt8]) throws(Failure) -> ModelFacts? {
    var section = try CatalogueSection(document, named: "models")
    while let key = try section.nextKey() {
      if key == id { return try ModelFacts(id: id, try section.reader.value()) }
    }
    return nil
  }

  /// `gpt-4o-2024-08-06` and `claude-sonnet-4-5-20250929` without their dates, `x@date` and
  /// `models/x` without what surrounds them; nil when there is nothing to leave out.
  static func withoutDate(_ model: String) -> String? {
    var name = model[...]
    if let slash = name.lastIndex(of: "/") { name = name[name.index(after: slash)...] }
    if let at = name.firstIndex(of: "@") { name = name[..<at] }
    for length in [10, 8] {
      let date = name.suffix(length)
      guard name.count > length + 1, name.dropLast(length).last == "-",
        date.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }),
        date.utf8.count(where: { $0 != UInt8(ascii: "-") }) == 8
      else { continue }
      name = name.dropLast(length + 1)
      break
    }
    return name.count == model.count ? nil : String(name)
  }
}

/// Steps through the members of one top-level object of a catalogue.
private struct CatalogueSection {
  var reader: JSONReader
  private var isOpen = false

  init(_ document: [UInt8], named section: String) throws(Failure) {
    reader = try JSONReader(document, named: "the model catalogue")
    guard try reader.enterObject() else { return }
    while let key = try reader.nextKey() {
      if key == section {
        isOpen = try reader.enterObject()
        return
      }
    }
  }

  mutating func nextKey() throws(Failure) -> String? {
    guard isOpen, let key = try reader.nextKey() else {
      isOpen = false
      return nil
    }
    return key
  }
}

extension ModelFacts {
  /// Reads one entry of a catalogue.
  init(id: String, _ entry: Value) throws(Failure) {
    self.init(
      id: id, vendor: entry["vendor"].string ?? "", isThinking: entry["thinking"].bool ?? false,
      context: entry["context"].int)
    for price in entry["prices"].array ?? [] {
      var tiers: [Price.Tier] = []
      for tier in price["above"].array ?? [] {
        guard let tokens = tier["tokens"].int else {
          throw Self.unreadable(id, "a price has 'above' without 'tokens'")
        }
        tiers.append(Price.Tier(tokens: tokens, rates: try Self.rates(tier, of: id)))
      }
      tiers.sort { $0.tokens < $1.tokens }
      prices.append(
        (price["from"].string, Price(rates: try Self.rates(price, of: id), tiers: tiers)))
    }
  }

  private static func rates(_ value: Value, of id: String) throws(Failure) -> Price.Rates {
    guard let input = Money(value["input"]), let output = Money(value["output"]),
      input >= .zero, output >= .zero
    else { throw unreadable(id, "a price needs 'input' and 'output' as decimal text") }
    return Price.Rates(input: input, cached: Money(value["cached"]), output: output)
  }

  private static func unreadable(_ id: String, _ problem: String) -> Failure {
    Failure(
      .configuration, "the model catalogue cannot be read at '\(id)': \(problem)",
      mend: "correct the entry in your own catalogue file")
  }
}
