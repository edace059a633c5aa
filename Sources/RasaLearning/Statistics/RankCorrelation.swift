/// How far two lists of numbers rise and fall together, by their ranks (Spearman): from -1 to 1.
package func rankCorrelation(_ first: [Double], _ second: [Double]) -> Double? {
  guard first.count == second.count, first.count > 1 else { return nil }
  let (x, y) = (ranks(first), ranks(second))
  let middle = Double(first.count + 1) / 2
  var (sum, left, right) = (0.0, 0.0, 0.0)
  for (x, y) in zip(x, y) {
    sum += (x - middle) * (y - middle)
    left += (x - middle) * (x - middle)
    right += (y - middle) * (y - middle)
  }
  // All alike: nothing rises or falls.
  guard left > 0, right > 0 else { return nil }
  return min(max(sum / (left * right).squareRoot(), -1), 1)
}

/// From 1; equal numbers share the mean of their ranks.
private func ranks(_ numbers: [Double]) -> [Double] {
  let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
  var ranks = Array(repeating: 0.0, count: numbers.count)
  var start = 0
  while start < order.count {
    var end = start
    while end + 1 < order.count, numbers[order[end + 1]] == numbers[order[start]] { end += 1 }
    for place in start...end { ranks[order[place]] = Double(start + end) / 2 + 1 }
    start = end + 1
  }
  return ranks
}

/// How likely two correlations with the same third list would differ so much by chance, by Williams's test.
///
/// - Parameters:
///   - first: Of the first list with the third.
///   - second: Of the second list with the third.
///   - between: Of the first list with the second.
package func probability(
  ofCorrelations first: Double, _ second: Double, between: Double, count: Int
) -> Double? {
  guard count > 3 else { return nil }
  let difference = first - second
  if difference == 0 { return 1 }
  let n = Double(count)
  let determinant =
    1 - first * first - second * second - between * between + 2 * first * second * between
  let mean = (first + second) / 2
  let rest = (1 - between) * (1 - between) * (1 - between)
  let bottom = 2 * (n - 1) / (n - 3) * max(0, determinant) + mean * mean * rest
  guard bottom > 0 else { return 1 }
  let t = difference * ((n - 1) * (1 + between) / bottom).squareRoot()
  return StudentT(degreesOfFreedom: n - 3).twoSided(t)
}
