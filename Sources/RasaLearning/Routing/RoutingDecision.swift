package import RasaCore

/// A choice with everything that it rests on.
package struct RoutingDecision: Sendable, Hashable {
  package var task: RoutingTask
  package var arms: [RoutingArm]
  /// One for each arm.
  package var assessments: [ArmAssessment]
  /// The index of the chosen arm; nil where all were excluded.
  package var chosen: Int?
  package var policy: RoutingPolicy
  package var time: Timestamp

  package init(
    task: RoutingTask, arms: [RoutingArm], assessments: [ArmAssessment], chosen: Int?,
    policy: RoutingPolicy, time: Timestamp
  ) {
    self.task = task
    self.arms = arms
    self.assessments = assessments
    self.chosen = chosen
    self.policy = policy
    self.time = time
  }

  /// The indices of the arms, the likeliest first, excluded ones last.
  package var order: [Int] {
    arms.indices.sorted { left, right in
      let (a, b) = (assessments[left], assessments[right])
      if (a.exclusion == nil) != (b.exclusion == nil) { return a.exclusion == nil }
      if a.probability != b.probability { return a.probability > b.probability }
      if a.score != b.score { return a.score > b.score }
      return (arms[left].agent, arms[left].model) < (arms[right].agent, arms[right].model)
    }
  }
}
