package import RasaCore

/// The prices of a model per million tokens.
package struct Tariff: Sendable, Hashable {
  package var input: Money
  package var output: Money
  /// Cached input, and input that is stored in the cache; nil costs as much as other input.
  package var cachedInput: Money?
  package var cacheWrites: Money?

  package init(
    input: Money, output: Money, cachedInput: Money? = nil, cacheWrites: Money? = nil
  ) {
    self.input = input
    self.output = output
    self.cachedInput = cachedInput
    self.cacheWrites = cacheWrites
  }
}

/// What the provider would bill: computed from what it really read and sent, whatever it reported,
/// and without any of the code under test.
package struct Bill: Sendable, Hashable {
  package struct Line: Sendable, Hashable {
    /// The request's number in the invoice.
    package var request: Int
    package var model: String
    package var input: Int
    package var output: Int
    /// Nil for a model without a tariff.
    package var cost: Money?
    /// The whole answer was sent.
    package var isComplete: Bool
  }

  /// One per request that was served at least in part. Refusals and repeats cost nothing.
  package private(set) var lines: [Line] = []

  init(_ requests: [ReceivedRequest], _ tariffs: [String: Tariff]) {
    for request in requests
    where request.method == "POST" && request.status == 200 && !request.isRepeat
      && request.bytesSent > 0
    {
      let model = request.model ?? ""
      lines.append(
        Line(
          request: request.index, model: model, input: request.inputRead,
          output: request.outputSent, cost: tariffs[model].map { Self.cost(request, $0) },
          isComplete: request.isCompleted))
    }
  }

  package var total: Money { sum { _ in true } }

  /// Of complete answers.
  package var totalOfComplete: Money { sum(\.isComplete) }

  private func sum(_ isCounted: (Line) -> Bool) -> Money {
    lines.filter(isCounted).compactMap(\.cost).reduce(.zero, +)
  }

  /// Each kind of token rounded up to whole pico-dollars.
  private static func cost(_ request: ReceivedRequest, _ tariff: Tariff) -> Money {
    func part(_ tokens: Int, _ price: Money) -> Money {
      let product = Int128(price.picoDollars) * Int128(max(0, tokens))
      return Money(picoDollars: Int64(clamping: (product + 999_999) / 1_000_000))
    }
    let plain = request.inputRead - request.cachedRead - request.cacheWritten
    return part(plain, tariff.input)
      + part(request.cachedRead, tariff.cachedInput ?? tariff.input)
      + part(request.cacheWritten, tariff.cacheWrites ?? tariff.input)
      + part(request.outputSent, tariff.output)
  }
}

extension Invoice {
  /// The bill for everything so far, by each model's tariff.
  package func bill(_ tariffs: [String: Tariff]) -> Bill { Bill(requests, tariffs) }
}
