/// Student's distribution, of a mean whose spread is estimated from the same numbers.
package struct StudentT: Sendable, Hashable {
  package var degreesOfFreedom: Double

  package init(degreesOfFreedom: Double) { self.degreesOfFreedom = degreesOfFreedom }

  /// The probability of a value at least this far from zero, on either side.
  package func twoSided(_ t: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? 1 : 0 }
    return regularizedIncompleteBeta(
      degreesOfFreedom / (degreesOfFreedom + t * t), degreesOfFreedom / 2, 0.5)
  }

  /// The value that only so small a part of the distribution lies beyond, on both sides together.
  package func criticalValue(twoSided probability: Double) -> Double {
    guard probability > 0 else { return .infinity }
    guard probability < 1 else { return 0 }
    var high = 2.0
    while twoSided(high) > probability, high < 1e12 { high *= 2 }
    return solved(0, high) { twoSided($0) > probability }
  }
}
