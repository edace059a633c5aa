/// A figure and where it lies with 95 % confidence.
package struct Interval: Sendable, Hashable {
  package var low: Double
  package var high: Double

  package init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }

  /// The quantile of the normal distribution that leaves 2.5 % above it.
  package static let z95 = 1.959963984540054

  /// Wilson's interval of a rate.
  package static func wilson(successes: Int, of count: Int) -> Interval {
    guard count > 0 else { return Interval(low: 0, high: 1) }
    let n = Double(count)
    let rate = Double(successes) / n
    let z2 = z95 * z95
    let middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    let half = z95 / (1 + z2 / n) * (rate * (1 - rate) / n + z2 / (4 * n * n)).squareRoot()
    return Interval(low: max(0, middle - half), high: min(1, middle + half))
  }
}
