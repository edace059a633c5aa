import Glibc

/// Pairs of trials that passed or failed before and after a change.
package struct PairedComparison: Sendable, Hashable {
  /// How many passed both times, only before, only after, and neither time.
  package var both = 0
  package var onlyBefore = 0
  package var onlyAfter = 0
  package var neither = 0

  package init() {}

  package mutating func add(before: Bool, after: Bool) {
    switch (before, after) {
    case (true, true): both += 1
    case (true, false): onlyBefore += 1
    case (false, true): onlyAfter += 1
    case (false, false): neither += 1
    }
  }

  package var pairs: Int { both + onlyBefore + onlyAfter + neither }
  package var changed: Int { onlyBefore + onlyAfter }

  /// The rate after less the rate before.
  package var difference: Double {
    pairs == 0 ? 0 : Double(onlyAfter - onlyBefore) / Double(pairs)
  }

  /// Where the difference lies with 95 % confidence: Agresti and Min's interval, which adds half a pair
  /// to each of the four counts.
  package var interval: Interval {
    let n = Double(pairs) + 2
    let gained = (Double(onlyAfter) + 0.5) / n
    let lost = (Double(onlyBefore) + 0.5) / n
    let middle = gained - lost
    let half = Interval.z95 * ((gained + lost - middle * middle) / n).squareRoot()
    return Interval(low: max(-1, middle - half), high: min(1, middle + half))
  }

  /// How likely so uneven a change is by chance: McNemar's exact test, two-sided.
  package var probability: Double {
    let n = changed
    guard n > 0 else { return 1 }
    let least = min(onlyBefore, onlyAfter)
    // Each term of the binomial distribution from the one before it, as logarithms so that none is zero.
    var term = -Double(n) * log(2)
    var sum = 0.0
    for k in 0...least {
      sum += exp(term)
      term += log(Double(n - k)) - log(Double(k + 1))
    }
    return min(1, 2 * sum)
  }

  /// Whether the change is more than chance, at the level of 5 %.
  package var isSignificant: Bool { probability < 0.05 }

  /// With fewer changed pairs than six, even if all change in one direction, no test can tell it from chance.
  package static let leastChanged = 6
}
