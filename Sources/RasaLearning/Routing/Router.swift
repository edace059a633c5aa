package import RasaCore

/// Chooses an agent and a model for a task.
package struct Router: Sendable {
  package let policy: RoutingPolicy

  package init(_ policy: RoutingPolicy = RoutingPolicy()) { self.policy = policy }

  /// Every arm with the parts of its score and the probability of its choice. The probabilities sum up to 1, unless all
  /// arms are excluded.
  package func assess(_ arms: [RoutingArm], for task: RoutingTask) -> [ArmAssessment] {
    var assessments: [ArmAssessment] = []
    assessments.reserveCapacity(arms.count)
    var eligible: [Int] = []
    for (index, arm) in arms.enumerated() {
      let assessment = policy.assessment(of: arm, for: task)
      if assessment.exclusion == nil { eligible.append(index) }
      assessments.append(assessment)
    }
    guard !eligible.isEmpty else { return assessments }
    // While nothing is known of any of them, there is nothing to weigh: the one that fits best begins.
    let isCold = eligible.allSatisfy { arms[$0].overall.runs == 0 }
    let even = policy.explores ? policy.floor / Double(eligible.count) : 0
    guard policy.explores, !isCold else {
      // Of equal ones the first.
      var best = eligible[0]
      func value(_ index: Int) -> Double {
        let one = assessments[index]
        return isCold ? (arms[index].relevance ?? 50) * one.availability : one.score
      }
      for index in eligible where value(index) > value(best) { best = index }
      for index in eligible { assessments[index].probability = even }
      assessments[best].probability += policy.explores ? 1 - policy.floor : 1
      return assessments
    }
    // Confidence grows with the runs that it rests on; exploration divides them.
    let scale = 1 / max(policy.exploration, 1e-6)
    let chances = BestArm.probabilities(
      eligible.map { index in
        let one = assessments[index]
        return BelievedValue(
          rate: BetaDistribution(alpha: one.success.alpha * scale, beta: one.success.beta * scale),
          weight: one.weight, penalty: one.penalty)
      })
    for (index, chance) in zip(eligible, chances) {
      assessments[index].probability = (1 - policy.floor) * chance + even
    }
    return assessments
  }

  package func decide(
    _ task: RoutingTask, among arms: [RoutingArm], at time: Timestamp
  ) -> RoutingDecision {
    let assessments = assess(arms, for: task)
    return RoutingDecision(
      task: task, arms: arms, assessments: assessments,
      chosen: Self.draw(assessments, task.seed), policy: policy, time: time)
  }

  /// By the probabilities; nil where nothing can be chosen.
  private static func draw(_ assessments: [ArmAssessment], _ seed: UInt64) -> Int? {
    var rest = unitInterval(seed)
    var last: Int? = nil
    for (index, assessment) in assessments.enumerated() where assessment.probability > 0 {
      last = index
      rest -= assessment.probability
      if rest < 0 { break }
    }
    return last
  }

  /// A number from 0 to below 1, spread evenly over all seeds (SplitMix64).
  private static func unitInterval(_ seed: UInt64) -> Double {
    var mixed = seed &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    mixed ^= mixed >> 31
    return Double(mixed >> 11) / Double(1 << 53 as UInt64)
  }
}
