/// A directed graph in which points that lead to each other are one: what is left has no cycles, so
/// that a question about all paths is answered by going through it once.
///
/// Answers are words of 64 bits, one question a bit; who has more questions asks again.
struct Condensation {
  /// The component that each point is in. Arrows lead from higher to lower ones, or stay inside.
  private(set) var component: [Int]
  private(set) var count = 0
  /// Whether what passes a point of the component can come by it again.
  private(set) var isCyclic: [Bool] = []
  /// Where each component's arrows to others begin.
  private var starts: [Int] = []
  private var targets: [Int] = []

  /// - Parameter arrows: where each point leads.
  init(_ arrows: [[Int]]) {
    component = Array(repeating: -1, count: arrows.count)
    findComponents(arrows)
    connect(arrows)
  }

  /// Tarjan's algorithm, with a stack of its own: a chain of frames may be as long as a file allows.
  private mutating func findComponents(_ arrows: [[Int]]) {
    var number = Array(repeating: -1, count: arrows.count)
    var lowest = Array(repeating: 0, count: arrows.count)
    var open: [Int] = []
    var way: [(point: Int, next: Int)] = []
    var numbers = 0
    for start in arrows.indices where number[start] < 0 {
      way.append((start, 0))
      while let (point, next) = way.last {
        if next == 0 {
          number[point] = numbers
          lowest[point] = numbers
          numbers += 1
          open.append(point)
        }
        if next < arrows[point].count {
          way[way.count - 1].next += 1
          let target = arrows[point][next]
          if number[target] < 0 {
            way.append((target, 0))
          } else if component[target] < 0 {
            lowest[point] = min(lowest[point], number[target])
          }
          continue
        }
        way.removeLast()
        if let above = way.last?.point { lowest[above] = min(lowest[above], lowest[point]) }
        guard lowest[point] == number[point] else { continue }
        var size = 0
        while let member = open.popLast() {
          component[member] = count
          size += 1
          if member == point { break }
        }
        isCyclic.append(size > 1)
        count += 1
      }
    }
  }

  private mutating func connect(_ arrows: [[Int]]) {
    var counts = Array(repeating: 0, count: count + 1)
    for (point, leads) in arrows.enumerated() {
      for target in leads {
        if component[target] == component[point] {
          isCyclic[component[point]] = true
        } else {
          counts[component[point] + 1] += 1
        }
      }
    }
    for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
    starts = counts
    targets = Array(repeating: 0, count: counts[count])
    for (point, leads) in arrows.enumerated() {
      for target in leads where component[target] != component[point] {
        targets[counts[component[point]]] = component[target]
        counts[component[point]] += 1
      }
    }
  }

  /// For each component, the bits of those that lead to it; its own too if it leads to itself.
  func arrivals(of seeds: [UInt64]) -> [UInt64] {
    var arrived = Array(repeating: UInt64(0), count: count)
    for index in (0..<count).reversed() {
      let bits = arrived[index] | seeds[index]
      if isCyclic[index] { arrived[index] = bits }
      guard bits != 0 else { continue }
      for place in starts[index]..<starts[index + 1] { arrived[targets[place]] |= bits }
    }
    return arrived
  }

  /// For each component, its own bits and those of all that it leads to.
  func prospects(of seeds: [UInt64]) -> [UInt64] {
    var ahead = seeds
    for index in 0..<count {
      for place in starts[index]..<starts[index + 1] { ahead[index] |= ahead[targets[place]] }
    }
    return ahead
  }
}
