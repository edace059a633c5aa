import Glibc

/// How far a judge agrees with people: over runs that both have judged.
package struct Agreement: Sendable, Hashable {
  /// How many runs both have judged.
  package var runs: Int
  /// By ranks, from -1 to 1; nil where there are too few runs, or one of them always says the same.
  package var correlation: Double?
  /// Where the correlation lies with 95 % confidence, by Fisher's transformation.
  package var interval: Interval?
  /// How much higher the judge's scores are than stars ÷ 5; nil where there are too few runs.
  package var bias: Double?

  /// From so many runs on something is said.
  package static let fewest = 10

  package init(_ pairs: [(score: Double, stars: Int)]) {
    runs = pairs.count
    guard pairs.count >= Self.fewest else { return }
    let count = Double(pairs.count)
    let scores = pairs.map(\.score)
    let stars = pairs.map { Double($0.stars) / 5 }
    let (mean, other) = (scores.reduce(0, +) / count, stars.reduce(0, +) / count)
    bias = mean - other
    guard let found = rankCorrelation(scores, stars) else { return }
    correlation = found
    // Of a correlation of 1 the transformation is infinite.
    let inner = max(-0.999_999, min(0.999_999, found))
    let centre = atanh(inner)
    let width = Interval.z95 / (count - 3).squareRoot()
    interval = Interval(
      low: tanh(centre - width), high: tanh(centre + width))
  }
}
