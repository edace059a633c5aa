import Glibc

/// What is believed of a rate: `alpha` successes and `beta` failures, of which a part may be assumed.
package struct BetaDistribution: Sendable, Hashable {
  package var alpha: Double
  package var beta: Double

  /// What is no positive number becomes the least one, and the infinite a large one.
  package init(alpha: Double, beta: Double) {
    self.alpha = alpha > 0 ? min(alpha, 1e15) : .leastNormalMagnitude
    self.beta = beta > 0 ? min(beta, 1e15) : .leastNormalMagnitude
  }

  package var mean: Double { alpha / (alpha + beta) }

  package var variance: Double { mean * (1 - mean) / (alpha + beta + 1) }

  /// The density at a rate. At 0 and 1 it may be infinite.
  package func density(_ rate: Double) -> Double {
    guard (0...1).contains(rate) else { return 0 }
    let scale = logGamma(alpha + beta) - logGamma(alpha) - logGamma(beta)
    // Zero times the logarithm of zero counts as zero.
    let left = alpha == 1 ? 0 : (alpha - 1) * log(rate)
    let right = beta == 1 ? 0 : (beta - 1) * log1p(-rate)
    return exp(scale + left + right)
  }

  /// The probability of a rate of at most this.
  package func cumulative(_ rate: Double) -> Double {
    regularizedIncompleteBeta(rate, alpha, beta)
  }

  /// The rate below which so much of the probability lies.
  package func quantile(_ probability: Double) -> Double {
    guard probability > 0 else { return 0 }
    guard probability < 1 else { return 1 }
    return solved(0, 1) { cumulative($0) < probability }
  }
}

/// The natural logarithm of the gamma function of a positive number.
package func logGamma(_ x: Double) -> Double {
  // The other form of this function writes a global variable.
  let (value, _): (Double, Int) = lgamma(x)
  return value
}

/// The incomplete beta function I(x; a, b), from 0 to 1: the distribution function of a beta distribution, and what
/// Student's t rests on.
package func regularizedIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  guard x > 0 else { return 0 }
  guard x < 1 else { return 1 }
  let factor = exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
  // The fraction converges quickly on this side only.
  return x < (a + 1) / (a + b + 2)
    ? factor * betaFraction(x, a, b) / a
    : 1 - factor * betaFraction(1 - x, b, a) / b
}

/// The continued fraction of the incomplete beta function, evaluated from the front (Lentz).
private func betaFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  func nonZero(_ value: Double) -> Double { value.magnitude < 1e-300 ? 1e-300 : value }
  var c = 1.0
  var d = 1 / nonZero(1 - (a + b) * x / (a + 1))
  var result = d
  for step in 1...10_000 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    var change = 1.0
    for term in [even, odd] {
      d = 1 / nonZero(1 + term * d)
      c = nonZero(1 + term / c)
      change = c * d
      result *= change
    }
    if (change - 1).magnitude < 1e-15 { break }
  }
  return result
}

/// Where a condition that holds on the left ceases to hold, to the last digit that matters.
func solved(_ low: Double, _ high: Double, _ holds: (Double) -> Bool) -> Double {
  var low = low
  var high = high
  for _ in 0..<200 {
    let middle = (low + high) / 2
    guard middle > low, middle < high else { break }
    if holds(middle) { low = middle } else { high = middle }
  }
  return (low + high) / 2
}
