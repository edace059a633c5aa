package import RasaCore

/// What the catalogue knows of a model.
package struct ModelFacts: Sendable, Hashable {
  package var id: String
  /// Who sells it: `openai`, `anthropic`, `google`.
  package var vendor: String
  /// It reasons before it answers.
  package var isThinking: Bool
  /// How many tokens of input and output together it takes.
  package var context: Int64?
  /// How many tokens of output it gives at most.
  package var maxOutput: Int64?
  /// From the newest to the oldest, each with the day it began; nil for "always".
  package var prices: [(from: String?, price: Price)]

  package init(
    id: String, vendor: String, isThinking: Bool = false, context: Int64? = nil,
    prices: [(from: String?, price: Price)] = []
  ) {
    self.id = id
    self.vendor = vendor
    self.isThinking = isThinking
    self.context = context
    self.prices = prices
  }

  /// The price on a day; nil when none is known.
  package func price(on day: LocalDay) -> Price? {
    let today = day.description
    return prices.first { $0.from.map { $0 <= today } ?? true }?.price
  }

  package static func == (left: ModelFacts, right: ModelFacts) -> Bool {
    left.id == right.id && left.vendor == right.vendor && left.isThinking == right.isThinking
      && left.context == right.context
      && left.prices.elementsEqual(right.prices) { $0.from == $1.from && $0.price == $1.price }
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
