import Glibc

/// How two means differ, by Welch's test, which does not assume that both spread alike.
package struct MeanComparison: Sendable, Hashable {
  /// The second mean less the first.
  package var difference: Double
  package var interval: Interval
  /// How likely at least such a difference would be if there were none.
  package var p: Double

  package var isSignificant: Bool { p < 0.05 }

  /// Nil where one side has fewer than two numbers.
  package init?(_ before: Sample, _ after: Sample) {
    guard let first = before.variance, let second = after.variance else { return nil }
    difference = after.mean - before.mean
    let a = first / Double(before.count)
    let b = second / Double(after.count)
    let error = (a + b).squareRoot()
    guard error > 0 else {
      // All numbers of each side are alike.
      interval = Interval(low: difference, high: difference)
      p = difference == 0 ? 1 : 0
      return
    }
    let distribution = StudentT(
      degreesOfFreedom: (a + b) * (a + b)
        / (a * a / Double(before.count - 1) + b * b / Double(after.count - 1)))
    let reach = error * distribution.criticalValue(twoSided: 0.05)
    interval = Interval(low: difference - reach, high: difference + reach)
    p = distribution.twoSided(difference / error)
  }
}

/// How two rates differ.
package struct RateComparison: Sendable, Hashable {
  /// The second rate less the first.
  package var difference: Double
  /// Newcombe's, from Wilson's interval of each rate.
  package var interval: Interval
  /// How likely at least such a difference would be if there were none: exact (Fisher) where numbers are small.
  package var p: Double

  package var isSignificant: Bool { p < 0.05 }

  /// Nil where one side is empty, or has more successes than cases.
  package init?(
    successes first: Int, of firstCount: Int, and second: Int, of secondCount: Int
  ) {
    guard firstCount > 0, secondCount > 0, (0...firstCount).contains(first),
      (0...secondCount).contains(second)
    else { return nil }
    let before = Double(first) / Double(firstCount)
    let after = Double(second) / Double(secondCount)
    difference = after - before
    let left = Interval.wilson(successes: first, of: firstCount)
    let right = Interval.wilson(successes: second, of: secondCount)
    func reach(_ one: Double, _ other: Double) -> Double {
      (one * one + other * other).squareRoot()
    }
    interval = Interval(
      low: difference - reach(after - right.low, left.high - before),
      high: difference + reach(right.high - after, before - left.low))

    let total = Double(firstCount) + Double(secondCount)
    let pooled = (Double(first) + Double(second)) / total
    let fewest = Double(min(firstCount, secondCount)) * min(pooled, 1 - pooled)
    if fewest < 5 {
      p = Self.fisher(first, firstCount, second, secondCount)
    } else {
      let error =
        (pooled * (1 - pooled) * (1 / Double(firstCount) + 1 / Double(secondCount))).squareRoot()
      p = erfc((difference / error).magnitude / 2.0.squareRoot())
    }
  }

  /// The probability of all tables with these sums that are no likelier than this one.
  private static func fisher(
    _ first: Int, _ firstCount: Int, _ second: Int, _ secondCount: Int
  ) -> Double {
    let successes = first + second
    func logChoose(_ n: Int, _ k: Int) -> Double {
      logGamma(Double(n) + 1) - logGamma(Double(k) + 1) - logGamma(Double(n - k) + 1)
    }
    let all = logChoose(firstCount + secondCount, successes)
    func logProbability(_ k: Int) -> Double {
      logChoose(firstCount, k) + logChoose(secondCount, successes - k) - all
    }
    // Equal ones must count in spite of rounding.
    let limit = logProbability(first) + 1e-9
    var sum = 0.0
    for k in max(0, successes - secondCount)...min(firstCount, successes) {
      let one = logProbability(k)
      if one <= limit { sum += exp(one) }
    }
    return min(1, sum)
  }
}
