package import RasaCore

/// Sums over runs, in whole numbers, so that what is added one by one is the same as what is added up anew.
package struct PerformanceSums: Sendable, Hashable {
  /// The raw value is the name of the column in a database.
  package enum Column: String, Sendable, CaseIterable {
    case runs, done, failed, cancelled
    /// Done, with an answer whose end is missing.
    case cut
    /// Answered by the mock.
    case mock
    case succeeded
    /// Runs that are done and have a score. Failed ones are apart: nobody has to judge them, so that they would outweigh
    /// the others where few of these are judged.
    case scored
    /// Those of them whose score is a judge's or a peer's.
    case judged
    /// In ten-thousandths, and squares of that.
    case score
    case scoreSquares = "score_squares"
    /// Runs with stars, and their stars.
    case rated, stars
    /// Runs with peers' scores, and these in ten-thousandths.
    case peered, peers
    /// Runs whose cost is known.
    case priced
    /// In trillionths of a dollar, as far as it is known.
    case cost
    /// Squares of ten-thousandths of a dollar, of runs whose cost is known.
    case costSquares = "cost_squares"
    case tokens
    /// In milliseconds.
    case duration
    /// Squares of tenths of a second.
    case durationSquares = "duration_squares"
    /// Runs whose first token is known, and the milliseconds until then.
    case streamed
    case firstToken = "first_token"
    /// In ten-thousandths, of runs that are done.
    case efficiency
    case reward
    case rewardSquares = "reward_squares"
  }

  private var values: [Int64]

  package init() { values = Array(repeating: 0, count: Self.places.count) }

  private static let places: [Column: Int] = Dictionary(
    uniqueKeysWithValues: Column.allCases.enumerated().map { ($1, $0) })

  /// - Parameter values: one for each column, in their order.
  package init(_ values: [Int64]) {
    self.init()
    for (place, value) in values.prefix(self.values.count).enumerated() {
      self.values[place] = value
    }
  }

  package subscript(column: Column) -> Int64 {
    get { values[Self.places[column] ?? 0] }
    set { values[Self.places[column] ?? 0] = newValue }
  }

  /// In the order of the columns.
  package var all: [Int64] { values }

  /// What one run adds.
  package init(_ run: RunPerformance, _ score: RunScore) {
    self.init()
    self[.runs] = 1
    switch run.status {
    case .done: self[.done] = 1
    case .failed: self[.failed] = 1
    case .cancelled: self[.cancelled] = 1
    }
    self[.cut] = run.isCut ? 1 : 0
    self[.mock] = run.isMock ? 1 : 0
    self[.succeeded] = score.isSuccess == true ? 1 : 0
    if run.status == .done, let overall = score.overall {
      self[.scored] = 1
      self[.judged] = score.basis == .judge || score.basis == .peers ? 1 : 0
      let value = Self.tenThousandths(overall)
      (self[.score], self[.scoreSquares]) = (value, value * value)
    }
    if let stars = run.stars { (self[.rated], self[.stars]) = (1, Int64(stars)) }
    if let peers = run.peers { (self[.peered], self[.peers]) = (1, Self.tenThousandths(peers)) }
    if run.isCostKnown {
      self[.priced] = 1
      let small = Self.rounded(run.cost.picoDollars, 100_000_000)
      self[.costSquares] = small * small
    }
    // The bounds are far beyond any run, and sums of a million of them still fit.
    self[.cost] = Self.nanoDollars(run.cost)
    self[.tokens] = Self.bounded(run.tokens, 9_000_000_000_000)
    self[.duration] = Self.bounded(run.milliseconds, 100_000_000_000)
    let tenths = Self.rounded(run.milliseconds, 100)
    self[.durationSquares] = tenths * tenths
    if let first = run.firstTokenMilliseconds {
      (self[.streamed], self[.firstToken]) = (1, Self.bounded(first, 100_000_000_000))
    }
    if run.status == .done { self[.efficiency] = Self.tenThousandths(run.efficiency) }
    let points = min(max(Int64(score.reward.points), -1_000_000), 1_000_000)
    (self[.reward], self[.rewardSquares]) = (points, points * points)
  }

  package static func + (left: PerformanceSums, right: PerformanceSums) -> PerformanceSums {
    PerformanceSums(zip(left.values, right.values).map { $0 &+ $1 })
  }

  package static func - (left: PerformanceSums, right: PerformanceSums) -> PerformanceSums {
    PerformanceSums(zip(left.values, right.values).map { $0 &- $1 })
  }

  package static func tenThousandths(_ value: Double) -> Int64 {
    Int64((min(max(value, 0), 1) * 10_000).rounded())
  }

  /// Sums are in billionths of a dollar, so that a million runs of thousands of dollars each still fit.
  package static func nanoDollars(_ cost: Money) -> Int64 {
    bounded(cost.picoDollars / 1_000 + (cost.picoDollars % 1_000 >= 500 ? 1 : 0), 9_000_000_000_000)
  }

  package static func money(nanoDollars: Int64) -> Money {
    let (pico, isTooMuch) = nanoDollars.multipliedReportingOverflow(by: 1_000)
    return Money(picoDollars: isTooMuch ? .max : pico)
  }

  /// In whole units, at most a million of them, so that sums of squares still fit.
  fileprivate static func rounded(_ value: Int64, _ unit: Int64) -> Int64 {
    (bounded(value, unit * 1_000_000) + unit / 2) / unit
  }

  private static func bounded(_ value: Int64, _ most: Int64) -> Int64 { min(max(value, 0), most) }
}

/// What the sums come to; nil where they rest on nothing.
extension PerformanceSums {
  private func mean(_ sum: Column, over count: Column, by scale: Double = 1) -> Double? {
    self[count] > 0 ? Double(self[sum]) / Double(self[count]) / scale : nil
  }

  /// Runs that say something about success: all that were not cancelled.
  package var tried: Int64 { self[.done] + self[.failed] }
  package var successRate: Double? { tried > 0 ? Double(self[.succeeded]) / Double(tried) : nil }
  package var successInterval: Interval {
    .wilson(successes: Int(self[.succeeded]), of: Int(tried))
  }
  /// Of those that are done the mean, by the share of runs that are: a failed run has a score of nothing.
  package var meanScore: Double? {
    guard let mean = mean(.score, over: .scored, by: 10_000), tried > 0 else { return nil }
    return mean * Double(self[.done]) / Double(tried)
  }
  package var meanStars: Double? { mean(.stars, over: .rated) }
  package var meanPeers: Double? { mean(.peers, over: .peered, by: 10_000) }
  package var meanEfficiency: Double? { mean(.efficiency, over: .done, by: 10_000) }
  package var meanReward: Double? { mean(.reward, over: .runs) }
  /// In dollars.
  package var meanCost: Double? { mean(.cost, over: .priced, by: 1e9) }
  package var meanSeconds: Double? { mean(.duration, over: .runs, by: 1000) }
  package var meanFirstTokenSeconds: Double? { mean(.firstToken, over: .streamed, by: 1000) }
  package var totalCost: Money { Self.money(nanoDollars: self[.cost]) }
  /// Dollars for a whole point of the score.
  package var costPerPoint: Double? {
    guard let meanCost, let meanScore, meanScore > 0 else { return nil }
    return meanCost / meanScore
  }
}

/// Sums over the uses of a node.
package struct NodeSums: Sendable, Hashable {
  package var uses: Int64 = 0
  package var failed: Int64 = 0
  package var milliseconds: Int64 = 0
  /// Squares of tenths of a second.
  package var durationSquares: Int64 = 0
  package var tokens: Int64 = 0
  /// In billionths of a dollar.
  package var cost: Int64 = 0

  package init() {}

  package mutating func add(_ use: NodeUse) {
    uses += 1
    failed += use.error == nil ? 0 : 1
    let tenths = PerformanceSums.rounded(use.milliseconds, 100)
    milliseconds += min(max(use.milliseconds, 0), 100_000_000_000)
    durationSquares += tenths * tenths
    tokens += min(max(use.tokens, 0), 9_000_000_000_000)
    cost += PerformanceSums.nanoDollars(use.cost)
  }

  package var negated: NodeSums {
    var sums = self
    sums.uses = -uses
    sums.failed = -failed
    sums.milliseconds = -milliseconds
    sums.durationSquares = -durationSquares
    sums.tokens = -tokens
    sums.cost = -cost
    return sums
  }
}

package struct NodeKey: Sendable, Hashable {
  package var kind: NodeUse.Kind
  package var name: String

  package init(_ kind: NodeUse.Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }
}

extension RunPerformance {
  /// The uses of each node, added up.
  package var nodeSums: [NodeKey: NodeSums] {
    var sums: [NodeKey: NodeSums] = [:]
    for use in nodes { sums[NodeKey(use.kind, use.name), default: NodeSums()].add(use) }
    return sums
  }
}
