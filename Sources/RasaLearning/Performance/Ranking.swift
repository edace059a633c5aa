/// What agents are ranked by.
package enum RankMeasure: String, Sendable, Hashable, CaseIterable {
  case score, success, reward, cost, speed

  /// Whether less is better.
  package var isLessBetter: Bool { self == .cost || self == .speed }
}

/// A figure, where it lies with 95 % confidence, and how many runs it rests on.
package struct Estimate: Sendable, Hashable {
  package var value: Double
  /// Nil where there are too few runs to tell.
  package var interval: Interval?
  package var count: Int

  package init(value: Double, interval: Interval?, count: Int) {
    self.value = value
    self.interval = interval
    self.count = count
  }
}

extension PerformanceSums {
  private func sample(_ count: Column, _ sum: Double, _ squares: Column) -> Sample {
    Sample(count: Int(self[count]), sum: sum, sumOfSquares: Double(self[squares]))
  }

  private func rounded(_ count: Column, _ sum: Double, _ squares: Column) -> Sample {
    Sample(count: Int(self[count]), sum: sum, roundedSquares: Double(self[squares]))
  }

  /// Scores of runs that are done and judged, in ten-thousandths.
  package var scores: Sample { sample(.scored, Double(self[.score]), .scoreSquares) }
  /// Points.
  package var rewards: Sample { sample(.runs, Double(self[.reward]), .rewardSquares) }
  /// In ten-thousandths of a dollar.
  package var costs: Sample {
    rounded(.priced, Double(self[.cost]) / 100_000, .costSquares)
  }
  /// In tenths of a second.
  package var durations: Sample {
    rounded(.runs, Double(self[.duration]) / 100, .durationSquares)
  }

  /// Nil where nothing is known.
  package func estimate(_ measure: RankMeasure) -> Estimate? {
    func of(_ sample: Sample, by scale: Double) -> Estimate? {
      guard sample.count > 0 else { return nil }
      let interval = sample.interval.map {
        Interval(low: $0.low / scale, high: $0.high / scale)
      }
      return Estimate(value: sample.mean / scale, interval: interval, count: sample.count)
    }
    switch measure {
    case .success:
      guard let rate = successRate else { return nil }
      return Estimate(value: rate, interval: successInterval, count: Int(tried))
    case .score:
      guard let score = meanScore else { return nil }
      return Estimate(value: score, interval: scoreInterval, count: Int(self[.scored]))
    case .reward: return of(rewards, by: 1)
    case .cost:
      guard var estimate = of(costs, by: 10_000) else { return nil }
      estimate.value = meanCost ?? estimate.value
      estimate.interval = estimate.interval?.atLeastNothing
      return estimate
    case .speed:
      guard var estimate = of(durations, by: 10) else { return nil }
      estimate.interval = estimate.interval?.atLeastNothing
      return estimate
    }
  }

  /// Of the mean of those that are judged and the share of those that are done together.
  private var scoreInterval: Interval? {
    let scores = scores
    guard let error = scores.standardError, let score = meanScore, tried > 0 else { return nil }
    let share = Double(self[.done]) / Double(tried)
    let mean = scores.mean / 10_000
    let variance =
      share * share * (error / 10_000) * (error / 10_000)
      + mean * mean * share * (1 - share) / Double(tried)
    let reach =
      variance.squareRoot()
      * StudentT(degreesOfFreedom: Double(scores.count - 1)).criticalValue(twoSided: 0.05)
    return Interval(low: max(0, score - reach), high: min(1, score + reach))
  }
}

extension Interval {
  /// No run costs or takes less than nothing.
  fileprivate var atLeastNothing: Interval { Interval(low: max(0, low), high: max(0, high)) }
}

/// An agent's place among others.
package struct Standing: Sendable, Hashable {
  package enum Trend: String, Sendable, Hashable, CaseIterable {
    case better, worse, steady
    /// One of the two weeks has too few runs.
    case unknown
  }

  package var agent: String
  package var sums: PerformanceSums
  package var estimate: Estimate?
  /// From 1; nil for an agent with too few runs to be ranked.
  package var rank: Int?
  /// Between which ranks it may be, as far as the intervals tell.
  package var ranks: ClosedRange<Int>?
  package var trend = Trend.unknown
}

/// From so many runs on an agent is ranked.
package let rankedFrom: Int64 = 5

/// Ranks agents by a measure: those with too few runs, or without the figure, stand behind the others.
///
/// - Parameters:
///   - recent: the sums of the last week, for trends.
///   - before: those of the week before.
package func standings(
  _ all: [(agent: String, sums: PerformanceSums)], by measure: RankMeasure,
  recent: [String: PerformanceSums], before: [String: PerformanceSums]
) -> [Standing] {
  var standings = all.map { agent, sums in
    Standing(agent: agent, sums: sums, estimate: sums.estimate(measure))
  }
  func isRanked(_ standing: Standing) -> Bool {
    standing.sums.tried >= rankedFrom && standing.estimate != nil
  }
  func goesFirst(_ left: Standing, _ right: Standing) -> Bool {
    if isRanked(left) != isRanked(right) { return isRanked(left) }
    let (one, other) = (left.estimate?.value, right.estimate?.value)
    if (one == nil) != (other == nil) { return one != nil }
    if let one, let other, one != other { return measure.isLessBetter ? one < other : one > other }
    if left.sums[.runs] != right.sums[.runs] { return left.sums[.runs] > right.sums[.runs] }
    let (cost, otherCost) = (left.sums.costPerPoint, right.sums.costPerPoint)
    if let cost, let otherCost, cost != otherCost { return cost < otherCost }
    return left.agent < right.agent
  }
  standings.sort(by: goesFirst)
  let ranked = standings.prefix(while: isRanked)
  for index in ranked.indices {
    standings[index].rank = index + 1
    guard let own = ranked[index].estimate?.interval else { continue }
    var better = 0
    var atMost = 0
    for other in ranked.indices where other != index {
      guard let interval = ranked[other].estimate?.interval else {
        atMost += 1
        continue
      }
      let isBetter = measure.isLessBetter ? interval.high < own.low : interval.low > own.high
      let isWorse = measure.isLessBetter ? interval.low > own.high : interval.high < own.low
      better += isBetter ? 1 : 0
      atMost += isWorse ? 0 : 1
    }
    standings[index].ranks = (better + 1)...(atMost + 1)
  }
  for index in standings.indices {
    standings[index].trend = trend(
      recent[standings[index].agent], before[standings[index].agent], measure)
  }
  return standings
}

private func trend(
  _ recent: PerformanceSums?, _ before: PerformanceSums?, _ measure: RankMeasure
) -> Standing.Trend {
  guard let recent, let before, recent.tried >= rankedFrom, before.tried >= rankedFrom,
    let new = recent.estimate(measure), let old = before.estimate(measure)
  else { return .unknown }
  // A tenth of what it was, or a twentieth of a share: less is no trend.
  let least = measure == .score || measure == .success ? 0.05 : old.value.magnitude * 0.1
  let change = (new.value - old.value) * (measure.isLessBetter ? -1 : 1)
  return change > least ? .better : change < -least ? .worse : .steady
}
