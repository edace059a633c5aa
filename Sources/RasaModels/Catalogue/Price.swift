package import RasaCore
package import RasaEngine

/// What a model costs per million tokens, at one date.
package struct Price: Sendable, Hashable {
  package struct Rates: Sendable, Hashable {
    package var input: Money
    /// Input that the provider had already read.
    package var cached: Money
    /// Input that the provider keeps for later.
    package var cacheWrite: Money
    package var output: Money
    /// Output that is thought and not said.
    package var reasoning: Money

    /// What is left out costs as much as all other input, or all other output.
    package init(
      input: Money, cached: Money? = nil, cacheWrite: Money? = nil, output: Money,
      reasoning: Money? = nil
    ) {
      self.input = input
      self.cached = cached ?? input
      self.cacheWrite = cacheWrite ?? input
      self.output = output
      self.reasoning = reasoning ?? output
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
  /// What a second of a call costs, where time is paid for.
  package var perSecond: Money
  /// Which model, date and source it comes from, such as `o3@2025-06-10 (genai-prices 2026-08-21)`:
  /// what is kept with every call that was reckoned with it.
  package var version: String

  package init(
    rates: Rates, tiers: [Tier] = [], perSecond: Money = .zero, version: String = ""
  ) {
    self.perSecond = perSecond
    self.rates = rates
    self.tiers = tiers
    self.version = version
  }

  package static let free = Price(rates: Rates(input: .zero, output: .zero), version: "free")

  package var isFree: Bool {
    perSecond == .zero
      && ([rates] + tiers.map(\.rates)).allSatisfy {
        $0.largestInput == .zero && $0.largestOutput == .zero
      }
  }

  package func rates(forInput tokens: Int64) -> Rates {
    tiers.last { tokens > $0.tokens }?.rates ?? rates
  }
}

extension Price {
  /// What a call has cost. `usage.input` includes what was cached and what was written, and
  /// `usage.output` what was thought; every part is rounded up.
  package func cost(of usage: Usage) -> Money {
    let rates = rates(forInput: usage.input)
    let input = max(0, usage.input)
    let cached = min(max(0, usage.cachedInput), input)
    let written = min(max(0, usage.cacheWrites), input - cached)
    let output = max(0, usage.output)
    let reasoning = min(max(0, usage.reasoning), output)
    return rates.input.perMillion(times: input - cached - written)
      + rates.cached.perMillion(times: cached) + rates.cacheWrite.perMillion(times: written)
      + rates.output.perMillion(times: output - reasoning)
      + rates.reasoning.perMillion(times: reasoning)
  }

  /// What the time of a call has cost, rounded up.
  package func cost(seconds: Double) -> Money {
    guard perSecond > .zero, seconds > 0 else { return .zero }
    let microseconds = (seconds * 1e6).rounded(.up)
    guard microseconds < 1e15 else { return .max }
    return perSecond.perMillion(times: Int64(microseconds))
  }

  /// The most that so many tokens can cost, and fewer of them: however the provider divides them
  /// into cached, written and thought, and whichever tier it puts the call into. This is what is
  /// held.
  package func cost(input: Int64, output: Int64) -> Money {
    let bounds = bounds(forInput: input)
    return bounds.input.times(input) + bounds.output.times(output)
  }

  /// How many tokens of output the money pays for after the input, under the same bound; nil when
  /// output is free.
  package func outputTokens(payableWith money: Money, input: Int64) -> Int64? {
    let bounds = bounds(forInput: input)
    guard bounds.output > .zero else { return nil }
    let left = money - bounds.input.times(input)
    return left > .zero ? left.picoDollars / bounds.output.picoDollars : 0
  }

  /// The most that one token costs. A whole amount for each token is never below the sum of parts
  /// that were each rounded up, so the bound holds to the last digit.
  private func bounds(forInput tokens: Int64) -> (input: Money, output: Money) {
    var input = rates.largestInput
    var output = rates.largestOutput
    for tier in tiers where tokens > tier.tokens {
      input = max(input, tier.rates.largestInput)
      output = max(output, tier.rates.largestOutput)
    }
    return (input.perMillion(times: 1), output.perMillion(times: 1))
  }
}

extension Price.Rates {
  fileprivate var largestInput: Money { max(input, cached, cacheWrite) }
  fileprivate var largestOutput: Money { max(output, reasoning) }
}

extension Money {
  fileprivate func times(_ count: Int64) -> Money {
    guard count > 0, picoDollars > 0 else { return .zero }
    let (product, overflow) = picoDollars.multipliedReportingOverflow(by: count)
    return overflow ? .max : Money(picoDollars: product)
  }
}
