import Glibc

/// What is believed of an arm's value: a rate of success, times a weight, less a penalty.
struct BelievedValue {
  var rate: BetaDistribution
  var weight: Double
  var penalty: Double
}

/// How likely each arm is to be the best: what Thompson sampling chooses by. It is computed on a grid and not drawn, so
/// that the probability of a choice is known.
enum BestArm {
  /// Rates are looked at in this many cells, of which a narrow distribution covers a part.
  private static let cells = 4096
  /// Into so many pieces a distribution is divided.
  private static let pieces = 40
  /// Into so many bins the values are divided that the best arm may have.
  private static let bins = 96
  /// So many standard deviations off the mean a distribution is taken to end.
  private static let reach = 7.0
  private static let logarithms: [Double] = (0..<cells).map {
    log((Double($0) + 0.5) / Double(cells))
  }

  /// A distribution's cumulative probabilities at equal steps of the value.
  private struct Curve {
    var arm: Int
    var low: Double
    var step: Double
    var cumulative: [Double]

    func callAsFunction(_ value: Double) -> Double {
      let position = (value - low) / step
      if position <= 0 { return 0 }
      if position >= Double(cumulative.count - 1) { return 1 }
      let index = Int(position)
      let left = cumulative[index]
      return left + (position - Double(index)) * (cumulative[index + 1] - left)
    }
  }

  static func probabilities(_ beliefs: [BelievedValue]) -> [Double] {
    var probabilities = [Double](repeating: 0, count: beliefs.count)
    guard !beliefs.isEmpty else { return [] }
    // The best is hardly ever below this.
    var least = -Double.infinity
    var highs: [Double] = []
    highs.reserveCapacity(beliefs.count)
    for belief in beliefs {
      let mean = belief.rate.mean
      let deviation = belief.rate.variance.squareRoot()
      least = max(least, belief.weight * max(0, mean - 4 * deviation) - belief.penalty)
      highs.append(belief.weight * min(1, mean + reach * deviation) - belief.penalty)
    }
    var curves: [Curve] = []
    var most = least
    for (index, belief) in beliefs.enumerated() where highs[index] >= least {
      let curve = curve(of: belief, index)
      most = max(most, curve.low + curve.step * Double(curve.cumulative.count - 1))
      curves.append(curve)
    }
    if curves.count == 1 {
      probabilities[curves[0].arm] = 1
      return probabilities
    }

    let step = max(most - least, 1e-12) / Double(bins)
    // For each arm and bin: the probability up to the middle of the bin, and that in the bin.
    var middles = [Double](repeating: 0, count: curves.count * bins)
    var inside = middles
    var products = [Double](repeating: 1, count: bins)
    for (row, curve) in curves.enumerated() {
      // What lies below counts as lying in the first bin.
      var left = 0.0
      for bin in 0..<bins {
        let right = bin == bins - 1 ? 1 : curve(least + step * Double(bin + 1))
        let middle = (left + right) / 2
        middles[row * bins + bin] = middle
        inside[row * bins + bin] = right - left
        products[bin] *= middle
        left = right
      }
    }
    var total = 0.0
    for (row, curve) in curves.enumerated() {
      var sum = 0.0
      for bin in 0..<bins where inside[row * bins + bin] > 0 {
        sum += inside[row * bins + bin] * products[bin] / middles[row * bins + bin]
      }
      probabilities[curve.arm] = sum
      total += sum
    }
    guard total > 0 else {
      // Rounding left nothing; the highest may be the best.
      let best = highs.indices.max { highs[$0] < highs[$1] } ?? 0
      probabilities[best] = 1
      return probabilities
    }
    for curve in curves { probabilities[curve.arm] /= total }
    return probabilities
  }

  private static func curve(of belief: BelievedValue, _ arm: Int) -> Curve {
    let mean = belief.rate.mean
    let deviation = belief.rate.variance.squareRoot()
    let first = max(0, min(cells - 1, Int((mean - reach * deviation) * Double(cells))))
    let last = max(first, min(cells - 1, Int((mean + reach * deviation) * Double(cells))))
    let range = last - first + 1
    let count = min(pieces, range)
    let width = Double(range) / Double(count)
    var cumulative = [Double](repeating: 0, count: count + 1)
    var highest = -Double.infinity
    let alpha = belief.rate.alpha - 1
    let beta = belief.rate.beta - 1
    for piece in 0..<count {
      let cell = first + Int((Double(piece) + 0.5) * width)
      let logarithm = alpha * logarithms[cell] + beta * logarithms[cells - 1 - cell]
      cumulative[piece + 1] = logarithm
      highest = max(highest, logarithm)
    }
    var sum = 0.0
    for piece in 1...count {
      sum += exp(cumulative[piece] - highest)
      cumulative[piece] = sum
    }
    for piece in 1...count { cumulative[piece] /= sum }
    let weight = max(belief.weight, 1e-9)
    return Curve(
      arm: arm, low: weight * Double(first) / Double(cells) - belief.penalty,
      step: weight * width / Double(cells), cumulative: cumulative)
  }
}
