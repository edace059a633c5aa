package import RasaCore
import RasaEngine

extension PriceImport {
  /// The import as a catalogue of our own form, one model a line.
  package func catalogue(name: String, source: String, date: LocalDay) -> String {
    func text(_ value: String) -> String { Value.string(value).json() }
    var lines = [
      "{",
      "  \"name\": \(text(name)),",
      "  \"source\": \(text(source)),",
      "  \"date\": \(text(date.description)),",
      "  \"aliases\": {",
    ]
    lines += Self.separated(
      aliases.sorted { $0.key < $1.key }.map { "    \(text($0.key)): \(text($0.value))" })
    lines += ["  },", "  \"models\": {"]
    lines += Self.separated(models.map { "    \(text($0.id)): \(Self.value(of: $0).json())" })
    lines += ["  }", "}"]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func separated(_ lines: [String]) -> [String] {
    lines.enumerated().map { $0 < lines.count - 1 ? $1 + "," : $1 }
  }

  private static func value(of facts: ModelFacts) -> Value {
    var object = ValueObject()
    if let vendor = facts.vendor.nonEmpty { object["vendor"] = .string(vendor) }
    if let context = facts.context { object["context"] = .int(context) }
    if let maxOutput = facts.maxOutput { object["max_output"] = .int(maxOutput) }
    if facts.isThinking { object["thinking"] = true }
    if let inputs = facts.inputs {
      object["input"] = .array(
        Attachment.Kind.allCases.filter(inputs.contains).map { .string($0.rawValue) })
    }
    object["prices"] = .array(
      facts.prices.map { dated in
        var price = ValueObject()
        if let from = dated.from { price["from"] = .string(from.description) }
        write(dated.price.rates, into: &price)
        if dated.price.perSecond > .zero {
          price["per_second"] = .string(dated.price.perSecond.decimalText)
        }
        guard !dated.price.tiers.isEmpty else { return .object(price) }
        price["above"] = .array(
          dated.price.tiers.map { tier in
            var object = ValueObject()
            object["tokens"] = .int(tier.tokens)
            write(tier.rates, into: &object)
            return .object(object)
          })
        return .object(price)
      })
    return .object(object)
  }

  private static func write(_ rates: Price.Rates, into object: inout ValueObject) {
    func set(_ member: String, _ amount: Money, unless usual: Money? = nil) {
      if amount != usual { object[member] = .string(amount.decimalText) }
    }
    set("input", rates.input)
    set("cached", rates.cached, unless: rates.input)
    set("cache_write", rates.cacheWrite, unless: rates.input)
    set("output", rates.output)
    set("reasoning", rates.reasoning, unless: rates.output)
  }
}
