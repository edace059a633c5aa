import RasaCore

/// How one text becomes another, line by line.
package struct LineDifference: Sendable, Hashable {
  package enum Line: Sendable, Hashable {
    case same(Substring)
    case removed(Substring)
    case added(Substring)
  }

  package private(set) var lines: [Line] = []

  /// Texts that differ in more lines than this are shown as a removal and an addition: nobody reads
  /// the finest difference of two texts that have nothing in common.
  private static let mostChanges = 1_000

  package init(from left: String, to right: String) {
    let old = left.byteLines
    let new = right.byteLines
    var start = 0
    while start < min(old.count, new.count), old[start].hasSameBytes(as: new[start]) { start += 1 }
    var end = 0
    while end < min(old.count, new.count) - start,
      old[old.count - 1 - end].hasSameBytes(as: new[new.count - 1 - end])
    {
      end += 1
    }
    lines = old[..<start].map { .same($0) }
    lines += Self.middle(
      Array(old[start..<(old.count - end)]), Array(new[start..<(new.count - end)]))
    lines += old[(old.count - end)...].map { .same($0) }
  }

  /// The shortest way by Myers: for every number of changes, how far one comes on each diagonal.
  private static func middle(_ old: [Substring], _ new: [Substring]) -> [Line] {
    let most = min(old.count + new.count, mostChanges)
    var reach = [Int](repeating: 0, count: 2 * most + 3)
    let centre = most + 1
    var trace: [[Int]] = []
    for changes in 0...most {
      trace.append(Array(reach[(centre - changes)...(centre + changes)]))
      var diagonal = -changes
      while diagonal <= changes {
        let goesDown =
          diagonal == -changes
          || (diagonal != changes && reach[centre + diagonal - 1] < reach[centre + diagonal + 1])
        var x = goesDown ? reach[centre + diagonal + 1] : reach[centre + diagonal - 1] + 1
        var y = x - diagonal
        while x < old.count, y < new.count, old[x].hasSameBytes(as: new[y]) {
          x += 1
          y += 1
        }
        reach[centre + diagonal] = x
        if x >= old.count, y >= new.count { return walkBack(trace, old, new) }
        diagonal += 2
      }
    }
    return old.map { .removed($0) } + new.map { .added($0) }
  }

  private static func walkBack(_ trace: [[Int]], _ old: [Substring], _ new: [Substring]) -> [Line] {
    var lines: [Line] = []
    var x = old.count
    var y = new.count
    for changes in trace.indices.reversed() {
      guard changes > 0 else {
        while x > 0 {
          x -= 1
          lines.append(.same(old[x]))
        }
        break
      }
      // What was reached with one change less; `row` has the diagonals from -changes on.
      let row = trace[changes]
      func reached(_ diagonal: Int) -> Int {
        row.indices.contains(diagonal + changes) ? row[diagonal + changes] : 0
      }
      let diagonal = x - y
      let goesDown =
        diagonal == -changes
        || (diagonal != changes && reached(diagonal - 1) < reached(diagonal + 1))
      let before = goesDown ? diagonal + 1 : diagonal - 1
      let beforeX = reached(before)
      let beforeY = beforeX - before
      while x > beforeX, y > beforeY {
        x -= 1
        y -= 1
        lines.append(.same(old[x]))
      }
      if goesDown {
        y -= 1
        lines.append(.added(new[y]))
      } else {
        x -= 1
        lines.append(.removed(old[x]))
      }
    }
    return lines.reversed()
  }

  package var isEmpty: Bool {
    lines.allSatisfy { if case .same = $0 { true } else { false } }
  }

  /// The changed lines marked with `-` and `+`, with some of the same around them, and `…` where
  /// more of the same is left out.
  package func unified(context: Int = 2) -> [String] {
    var keeps = [Bool](repeating: false, count: lines.count)
    for (index, line) in lines.enumerated() {
      if case .same = line { continue }
      for near in max(0, index - context)...min(lines.count - 1, index + context) {
        keeps[near] = true
      }
    }
    var shown: [String] = []
    var isGap = false
    for (index, line) in lines.enumerated() {
      guard keeps[index] else {
        isGap = true
        continue
      }
      if isGap { shown.append("  …") }
      isGap = false
      switch line {
      case .same(let text): shown.append("  \(text)")
      case .removed(let text): shown.append("- \(text)")
      case .added(let text): shown.append("+ \(text)")
      }
    }
    if isGap, !shown.isEmpty { shown.append("  …") }
    return shown
  }
}
