import RasaCore

/// What another policy would have come to on stored decisions, as far as their outcomes tell.
///
/// Each decision's outcome counts by how much likelier the other policy would have made that choice (inverse
/// propensity); the doubly robust estimate starts from what was expected of each arm when the decision was made, and
/// corrects that by the outcomes.
package struct RoutingReplay: Sendable, Hashable {
  package struct Estimate: Sendable, Hashable {
    package var value: Double
    /// Where it lies with 95 % confidence.
    package var interval: Interval
  }

  /// One quantity: of the choices that were made, and of those that the other policy would have made.
  package struct Measure: Sendable, Hashable {
    package var count: Int
    package var logged: Estimate
    package var inversePropensity: Estimate
    package var doublyRobust: Estimate
    /// The doubly robust estimate less what was logged.
    package var difference: Estimate

    /// Whether the two differ for all that is known.
    package var isDifferent: Bool { difference.interval.low > 0 || difference.interval.high < 0 }
  }

  /// Decisions with an outcome.
  package var decisions: Int
  /// How many decisions of the other policy's own these are worth.
  package var effectiveDecisions: Double
  /// The share of the other policy's choices that had no chance of being made.
  package var uncovered: Double
  package var success: Measure
  /// In dollars; nil where no cost is known.
  package var cost: Measure?
  package var seconds: Measure?
  /// Why nothing can be claimed; empty where something can.
  package var doubts: [String]

  fileprivate init(
    decisions: Int, effectiveDecisions: Double, uncovered: Double, success: Measure,
    cost: Measure?, seconds: Measure?, doubts: [String]
  ) {
    self.decisions = decisions
    self.effectiveDecisions = effectiveDecisions
    self.uncovered = uncovered
    self.success = success
    self.cost = cost
    self.seconds = seconds
    self.doubts = doubts
  }

  package static let fewestDecisions = 30
  package static let fewestEffectiveDecisions = 30.0
  package static let mostUncovered = 0.01

  package init(
    _ policy: RoutingPolicy, on log: [(decision: RoutingDecision, outcome: RoutingOutcome)]
  ) {
    var sums = RoutingReplaySums(policy)
    for (decision, outcome) in log { sums.add(decision, outcome) }
    self = sums.replay
  }

  fileprivate static func doubts(_ replay: RoutingReplay) -> [String] {
    var doubts: [String] = []
    if replay.decisions < fewestDecisions {
      doubts.append(
        "only \(replay.decisions) decisions have an outcome, and at least \(fewestDecisions) are needed"
      )
    }
    if replay.uncovered > mostUncovered {
      doubts.append(
        "\((100 * replay.uncovered).fixed(1)) % of what the policy would choose had no chance of being "
          + "chosen, so there are no outcomes of it")
    }
    if replay.decisions >= fewestDecisions, replay.effectiveDecisions < fewestEffectiveDecisions {
      doubts.append(
        "what the policy would choose was chosen too rarely: the \(replay.decisions) decisions are worth "
          + "\(replay.effectiveDecisions.fixed(1)), and at least \(fewestEffectiveDecisions.fixed(0)) are "
          + "needed")
    }
    return doubts
  }
}

/// Another policy on decisions that come one after the other, so that a long log need not be in memory.
package struct RoutingReplaySums {
  private let router: Router
  private var success = Terms(isRate: true)
  private var cost = Terms(isRate: false)
  private var seconds = Terms(isRate: false)
  private var weights = 0.0
  private var squares = 0.0
  private var uncovered = 0.0
  private var count = 0

  package init(_ policy: RoutingPolicy) { router = Router(policy) }

  package mutating func add(_ decision: RoutingDecision, _ outcome: RoutingOutcome) {
    guard let chosen = decision.chosen, decision.assessments[chosen].probability > 0 else { return }
    let would = router.assess(decision.arms, for: decision.task)
    let known = decision.assessments
    count += 1
    let weight = would[chosen].probability / known[chosen].probability
    weights += weight
    squares += weight * weight
    var reward = Terms.Expectation()
    var price = Terms.Expectation()
    var time = Terms.Expectation()
    for index in would.indices {
      let (other, own) = (would[index].probability, known[index].probability)
      if own == 0 { uncovered += other }
      if other == 0, own == 0 { continue }
      reward.add(known[index].success.mean, other, own, isChosen: index == chosen)
      price.add(known[index].cost ?? 0, other, own, isChosen: index == chosen)
      time.add(known[index].seconds ?? 0, other, own, isChosen: index == chosen)
    }
    success.add(outcome.succeeded ? 1 : 0, weight, reward)
    if let value = outcome.cost { cost.add(value, weight, price) }
    if let value = outcome.seconds { seconds.add(value, weight, time) }
  }

  package var replay: RoutingReplay {
    var replay = RoutingReplay(
      decisions: count, effectiveDecisions: squares > 0 ? weights * weights / squares : 0,
      uncovered: count > 0 ? uncovered / Double(count) : 0, success: success.measure,
      cost: cost.isEmpty ? nil : cost.measure, seconds: seconds.isEmpty ? nil : seconds.measure,
      doubts: [])
    replay.doubts = RoutingReplay.doubts(replay)
    return replay
  }
}

/// The sums behind one measure.
private struct Terms {
  /// What was expected of a decision's arms, weighted by how likely each policy chooses them.
  struct Expectation {
    var other = 0.0
    var own = 0.0
    var chosen = 0.0

    mutating func add(
      _ expected: Double, _ otherChance: Double, _ ownChance: Double, isChosen: Bool
    ) {
      other += otherChance * expected
      own += ownChance * expected
      if isChosen { chosen = expected }
    }
  }

  let isRate: Bool
  private var logged: [Double] = []
  private var robust: [Double] = []
  private var difference: [Double] = []
  private var weights: [Double] = []
  private var values: [Double] = []

  init(isRate: Bool) { self.isRate = isRate }

  var isEmpty: Bool { logged.isEmpty }

  mutating func add(_ value: Double, _ weight: Double, _ expected: Expectation) {
    let error = value - expected.chosen
    logged.append(value)
    robust.append(expected.other + weight * error)
    // The same correction for both: what the two have in common cancels out.
    difference.append(expected.other - expected.own + (weight - 1) * error)
    weights.append(weight)
  }

  var measure: RoutingReplay.Measure {
    RoutingReplay.Measure(
      count: logged.count, logged: estimate(logged), inversePropensity: weighted,
      doublyRobust: widened(estimate(robust), effectiveCount),
      difference: estimate(difference, isDifference: true))
  }

  /// The weighted mean.
  private var weighted: RoutingReplay.Estimate {
    let sum = weights.reduce(0, +)
    let squares = weights.reduce(0) { $0 + $1 * $1 }
    let effective = effectiveCount
    guard sum > 0, squares > 0, effective > 1 else { return unknown }
    let mean = zip(weights, logged).reduce(0) { $0 + $1.0 * $1.1 } / sum
    let parts = zip(weights, logged).map { $0 * ($1 - mean) }
    let error = parts.reduce(0) { $0 + $1 * $1 }.squareRoot() / sum
    let reach =
      error * (effective / (effective - 1)).squareRoot()
      * StudentT(degreesOfFreedom: degrees(parts)).criticalValue(twoSided: 0.05)
    let interval = Interval(low: mean - reach, high: mean + reach)
    return widened(RoutingReplay.Estimate(value: mean, interval: interval), effective)
  }

  /// How many values of the other policy's own the weighted ones are worth.
  private var effectiveCount: Double {
    let sum = weights.reduce(0, +)
    let squares = weights.reduce(0) { $0 + $1 * $1 }
    return squares > 0 ? sum * sum / squares : 0
  }

  /// Where nearly all have succeeded, or none, their spread says too little.
  private func widened(
    _ estimate: RoutingReplay.Estimate, _ effective: Double
  ) -> RoutingReplay.Estimate {
    guard isRate else { return estimate }
    let wilson = Interval.wilson(
      successes: Int((estimate.value * effective).rounded()), of: Int(max(1, effective.rounded())))
    var estimate = estimate
    estimate.interval = Interval(
      low: max(0, min(estimate.interval.low, wilson.low)),
      high: min(1, max(estimate.interval.high, wilson.high)))
    return estimate
  }

  private func estimate(
    _ numbers: [Double], isDifference: Bool = false
  ) -> RoutingReplay.Estimate {
    let sample = Sample(numbers)
    let mean = sample.mean
    guard let error = sample.standardError else {
      return RoutingReplay.Estimate(
        value: numbers.isEmpty ? unknown.value : mean, interval: unknown.interval)
    }
    let reach =
      error
      * StudentT(degreesOfFreedom: degrees(numbers.map { $0 - mean }))
      .criticalValue(twoSided: 0.05)
    guard isRate else {
      return RoutingReplay.Estimate(
        value: mean, interval: Interval(low: mean - reach, high: mean + reach))
    }
    // No rate lies outside of its range, though the sum of corrections may.
    let least = isDifference ? -1.0 : 0
    func bounded(_ rate: Double) -> Double { min(1, max(least, rate)) }
    return RoutingReplay.Estimate(
      value: bounded(mean),
      interval: Interval(low: bounded(mean - reach), high: bounded(mean + reach)))
  }

  /// How well the spread of such distances from the mean is known: where a few large ones make it up, hardly.
  private func degrees(_ distances: [Double]) -> Double {
    var squares = 0.0
    var fourths = 0.0
    for distance in distances {
      let square = distance * distance
      squares += square
      fourths += square * square
    }
    guard fourths > 0 else { return Double(max(1, distances.count - 1)) }
    return max(1, squares * squares / fourths - 1)
  }

  private var unknown: RoutingReplay.Estimate {
    RoutingReplay.Estimate(
      value: isRate ? 0.5 : 0,
      interval: isRate ? Interval(low: 0, high: 1) : Interval(low: -.infinity, high: .infinity))
  }
}
