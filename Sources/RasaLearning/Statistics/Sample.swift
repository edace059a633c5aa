/// How many numbers there were, their mean and their spread; the numbers themselves are not kept.
package struct Sample: Sendable, Hashable {
  package private(set) var count = 0
  package private(set) var mean = 0.0
  /// The sum of the squared distances from the mean.
  package private(set) var squares = 0.0

  package init() {}

  package init(_ numbers: some Sequence<Double>) {
    for number in numbers { add(number) }
  }

  /// From the sums that a table keeps. Rounding may leave a spread just below zero.
  package init(count: Int, sum: Double, sumOfSquares: Double) {
    guard count > 0 else { return }
    self.count = count
    mean = sum / Double(count)
    squares = max(0, sumOfSquares - sum * mean)
  }

  /// From a sum that is exact and squares of rounded numbers. What rounding may have taken from the spread is not taken for
  /// certainty: numbers that are small or close together would all seem alike.
  package init(count: Int, sum: Double, roundedSquares: Double) {
    self.init(count: count, sum: sum, sumOfSquares: roundedSquares)
    guard count > 0, sum > 0 else { return }
    // Up to a half more or less changes a square by twice the product; over all that is so much, one standard deviation.
    squares = max(squares, (max(roundedSquares, sum * mean) / 3).squareRoot())
  }

  package mutating func add(_ number: Double) {
    count += 1
    let distance = number - mean
    mean += distance / Double(count)
    squares += distance * (number - mean)
  }

  /// Nil for fewer than two numbers.
  package var variance: Double? { count > 1 ? squares / Double(count - 1) : nil }

  /// The standard error of the mean; nil for fewer than two numbers.
  package var standardError: Double? { variance.map { ($0 / Double(count)).squareRoot() } }

  /// Where the mean lies with 95 % confidence, by Student's distribution; nil for fewer than two numbers.
  package var interval: Interval? {
    guard let error = standardError else { return nil }
    let reach =
      error * StudentT(degreesOfFreedom: Double(count - 1)).criticalValue(twoSided: 0.05)
    return Interval(low: mean - reach, high: mean + reach)
  }
}
