/// "Did you mean …": the known name nearest to a mistyped one; nil if none is
/// similar.
package func nearestName(to name: String, among names: some Sequence<String>) -> String? {
  let target = Array(name.lowercased().unicodeScalars.prefix(64))
  let tolerance = min(max(1, target.count / 3), target.count - 1)
  var best: (name: String, distance: Int)? = nil
  for candidate in names {
    let distance = editDistance(target, Array(candidate.lowercased().unicodeScalars.prefix(64)))
    if distance <= tolerance, distance < (best?.distance ?? .max) { best = (candidate, distance) }
  }
  return best?.name
}

/// The number of scalars to insert, delete, change or swap with a neighbour.
package func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...right.count)
  for (row, scalar) in left.enumerated() {
    var current = [row + 1]
    for (column, other) in right.enumerated() {
      var distance = min(
        previous[column + 1] + 1, current[column] + 1, previous[column] + (scalar == other ? 0 : 1))
      if row > 0, column > 0, scalar == right[column - 1], left[row - 1] == other {
        distance = min(distance, beforePrevious[column - 1] + 1)
      }
      current.append(distance)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[right.count]
}
