/// How runs of each agent and model have ended, by the category of their tasks.
package struct RoutingHistory: Sendable {
  private struct Key: Hashable {
    var agent: String
    var model: String
  }
  private var overall: [Key: RoutingTally] = [:]
  private var byCategory: [String: [Key: RoutingTally]] = [:]

  package init() {}

  package mutating func add(
    _ outcome: RoutingOutcome, agent: String, model: String, category: String
  ) {
    var tally = RoutingTally()
    tally.add(outcome)
    add(tally, agent: agent, model: model, category: category)
  }

  package mutating func add(
    _ tally: RoutingTally, agent: String, model: String, category: String
  ) {
    let key = Key(agent: agent, model: model)
    overall[key, default: RoutingTally()].add(tally)
    byCategory[category, default: [:]][key, default: RoutingTally()].add(tally)
  }

  /// The arm with what is known of its runs.
  package func filled(_ arm: RoutingArm, category: String) -> RoutingArm {
    var arm = arm
    let key = Key(agent: arm.agent, model: arm.model)
    arm.overall = overall[key] ?? RoutingTally()
    arm.inCategory = byCategory[category]?[key] ?? RoutingTally()
    return arm
  }
}
