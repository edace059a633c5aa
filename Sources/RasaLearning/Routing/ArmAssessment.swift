import RasaCore

/// What a policy makes of an arm: each part of its score, and how likely it is to be chosen.
package struct ArmAssessment: Sendable, Hashable {
  /// Why an arm cannot be chosen.
  package enum Exclusion: Sendable, Hashable {
    case tooExpensive(expected: Double, limit: Double)
    case unknownCost
    case tooSlow(expected: Double, limit: Double)
    case busy
  }

  /// What is believed of its rate of success in the category.
  package var success: BetaDistribution
  /// Whether so many runs stand behind the rate that it is trusted without exploration.
  package var isTrusted: Bool
  /// The factor that relevance makes, from 0 to 1.
  package var base: Double
  /// The factor that is left by load, from 0 to 1.
  package var availability: Double
  /// Dollars that an answer is expected to cost; nil if unknown.
  package var cost: Double?
  /// Seconds that it is expected to take; nil if unknown.
  package var seconds: Double?
  /// What cost and time take off, in successes.
  package var penalty: Double
  package var exclusion: Exclusion?
  package var probability = 0.0

  package init(
    success: BetaDistribution, isTrusted: Bool, base: Double, availability: Double, cost: Double?,
    seconds: Double?, penalty: Double, exclusion: Exclusion? = nil, probability: Double = 0
  ) {
    self.success = success
    self.isTrusted = isTrusted
    self.base = base
    self.availability = availability
    self.cost = cost
    self.seconds = seconds
    self.penalty = penalty
    self.exclusion = exclusion
    self.probability = probability
  }

  /// Base × success × (1 − load), less what cost and time are worth.
  package var score: Double { weight * success.mean - penalty }

  var weight: Double { base * availability }
}

extension RoutingPolicy {
  /// Every part of an arm's score but its probability, which depends on the other arms.
  package func assessment(of arm: RoutingArm, for task: RoutingTask) -> ArmAssessment {
    let relevance = min(100, max(0, arm.relevance ?? 50)) / 100
    let cost = expected(arm.inCategory.cost, arm.overall.cost, otherwise: arm.price)
    let seconds = expected(arm.inCategory.seconds, arm.overall.seconds, otherwise: nil)
    return ArmAssessment(
      success: success(of: arm, relevance: relevance),
      isTrusted: arm.inCategory.runs >= trustedFrom,
      base: 1 - self.relevance * (1 - relevance),
      availability: 1 - load * min(1, max(0, arm.load)), cost: cost, seconds: seconds,
      penalty: ((cost ?? 0) + second * (seconds ?? 0)) / worth,
      exclusion: exclusion(of: arm, cost: cost, seconds: seconds, task))
  }

  /// The category's runs, added to what the arm's other runs and its description let expect.
  private func success(of arm: RoutingArm, relevance: Double) -> BetaDistribution {
    let described = 0.3 + 0.5 * relevance
    let otherRuns = Double(max(0, arm.overall.runs - arm.inCategory.runs))
    let otherSuccesses = Double(max(0, arm.overall.succeeded - arm.inCategory.succeeded))
    var expected = described
    var strength = prior
    if otherRuns > 0, explores || arm.overall.runs >= trustedFrom {
      expected = (prior * described + otherSuccesses) / (prior + otherRuns)
      strength = min(max(pooling, prior), prior + otherRuns)
    }
    // Without exploration a few runs of luck would decide for good.
    let counts = explores || arm.inCategory.runs >= trustedFrom
    let runs = counts ? Double(arm.inCategory.runs) : 0
    let successes = counts ? Double(arm.inCategory.succeeded) : 0
    if strength + runs == 0 { strength = 1e-3 }
    return BetaDistribution(
      alpha: strength * expected + successes, beta: strength * (1 - expected) + runs - successes)
  }

  /// The mean in the category, as far as it is known, then the mean of all runs, then the price.
  private func expected(
    _ inCategory: RunningMean, _ overall: RunningMean, otherwise known: Double?
  ) -> Double? {
    var expected = known
    for mean in [overall, inCategory] where mean.count > 0 {
      let weight = Double(trustedFrom)
      expected =
        expected.map { (weight * $0 + mean.total) / (weight + Double(mean.count)) } ?? mean.value
    }
    return expected
  }

  private func exclusion(
    of arm: RoutingArm, cost: Double?, seconds: Double?, _ task: RoutingTask
  ) -> ArmAssessment.Exclusion? {
    if arm.load >= 1 { return .busy }
    if let limit = task.maxCost {
      guard let cost else { return .unknownCost }
      if cost > limit { return .tooExpensive(expected: cost, limit: limit) }
    }
    // How long a new arm takes, only a run can tell.
    if let limit = task.maxSeconds, let seconds, seconds > limit {
      return .tooSlow(expected: seconds, limit: limit)
    }
    return nil
  }
}

extension ArmAssessment.Exclusion {
  package var text: String {
    switch self {
    case .tooExpensive(let expected, let limit):
      "costs about $\(expected.fixed(4)), more than $\(limit.fixed(4))"
    case .unknownCost: "its cost is unknown"
    case .tooSlow(let expected, let limit):
      "takes about \(expected.fixed(1)) s, more than \(limit.fixed(1)) s"
    case .busy: "all its places for tasks at the same time are taken"
    }
  }
}
