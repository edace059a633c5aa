package import RasaCore
package import RasaEngine

/// What the catalogue knows of a model.
package struct ModelFacts: Sendable, Hashable {
  package var id: String
  /// Whose it is: `openai`, `anthropic`, `google`, `meta`.
  package var vendor: String
  /// It reasons before it answers.
  package var isThinking: Bool
  /// Its weights can be had, so it runs on anybody's machine.
  package var isOpen: Bool
  /// What it takes besides words; nil when that is not known.
  package var inputs: Set<Attachment.Kind>?
  /// How many tokens of input and output together it takes.
  package var context: Int64?
  /// The most tokens of one answer.
  package var maxOutput: Int64?
  /// From the newest to the oldest.
  package var prices: [DatedPrice]
  /// Where the figures come from, and as of which day.
  package var source: String

  package init(
    id: String, vendor: String, isThinking: Bool = false, isOpen: Bool = false,
    context: Int64? = nil, maxOutput: Int64? = nil, prices: [DatedPrice] = [], source: String = "",
    inputs: Set<Attachment.Kind>? = nil
  ) {
    self.inputs = inputs
    self.id = id
    self.vendor = vendor
    self.isThinking = isThinking
    self.isOpen = isOpen
    self.context = context
    self.maxOutput = maxOutput
    self.prices = prices
    self.source = source
  }

  /// The price on a day, with its version; nil when none is known.
  package func price(on day: LocalDay) -> Price? {
    for dated in prices {
      guard let from = dated.from, day < from else { return dated.price }
    }
    return nil
  }
}

/// A price, and the day from which it counts; nil for "always".
package struct DatedPrice: Sendable, Hashable {
  package var from: LocalDay?
  package var price: Price

  package init(from: LocalDay? = nil, price: Price) {
    self.from = from
    self.price = price
  }
}
