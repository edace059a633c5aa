package import RasaCore
package import RasaEngine

/// What a model costs per million tokens, at one date.
package struct Price: Sendable, Hashable {
  package struct Rates: Sendable, Hashable {
    package var input: Money
    /// Input that the provider had already read.
    package var cached: Money
    package var output: Money

    package init(input: Money, cached: Money? = nil, output: Money) {
      self.input = input
      self.cached = cached ?? input
      self.output = output
    }
  }

  /// Rates that hold for the whole call once its input is longer than `tokens`.
  package struct Tier: Sendable, Hashable {
    package var tokens: Int64
    package var rates: Rates

    package init(tokens: Int64, rates: Rates) {
      self.tokens = tokens
      self.rates = rates
    }
  }

  package var rates: Rates
  /// From the shortest input to the longest.
  package var tiers: [Tier]
  /// Which price this is, as calls keep it.
  package var version: String

  package init(rates: Rates, tiers: [Tier] = [], version: String = "") {
    self.rates = rates
    self.tiers = tiers
    self.version = version
  }

  package static let free = Price(rates: Rates(input: .zero, output: .zero))

  package var isFree: Bool { rates == Self.free.rates && tiers.allSatisfy { $0.rates == rates } }

  package func rates(forInput tokens: Int64) -> Rates {
    tiers.last { tokens > $0.tokens }?.rates ?? rates
  }

  /// Every part rounded up, so that a hold is never too small by a rounding.
  package func cost(of usage: Usage) -> Money {
    let rates = rates(forInput: usage.input)
    let cached = min(usage.cachedInput, usage.input)
    return rates.input.perMillion(times: usage.input - cached)
      + rates.cached.perMillion(times: cached) + rates.output.perMillion(times: usage.output)
  }

  package func cost(input: Int64, output: Int64) -> Money {
    cost(of: Usage(input: input, output: output))
  }

  /// How many tokens of output the money pays for after the input; nil when output is free.
  package func outputTokens(payableWith money: Money, input: Int64) -> Int64? {
    let rates = rates(forInput: input)
    guard rates.output > .zero else { return nil }
    let left = money - rates.input.perMillion(times: input)
    guard left > .zero else { return 0 }
    let (scaled, overflow) = left.picoDollars.multipliedReportingOverflow(by: 1_000_000)
    if overflow { return left.picoDollars / max(1, rates.output.picoDollars / 1_000_000) }
    return scaled / rates.output.picoDollars
  }
}
