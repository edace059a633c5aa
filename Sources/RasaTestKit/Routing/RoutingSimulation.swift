import RasaCore
package import RasaLearning

/// Agents whose quality in each category is known here and hidden from who chooses among them.
package struct RoutingSimulation: Sendable {
  /// How agents are chosen.
  package enum Rule: Sendable {
    case policy(RoutingPolicy)
    /// Always the best of relevance × success rate, where a rate of fewer than five runs counts as this.
    case greedy(untrusted: Double)
    case random
  }

  package struct Outcome: Sendable {
    /// The expected successes, as a share of what the best agent of each category would have had.
    package var share: Double
    /// The same of the last quarter of the tasks.
    package var lastShare: Double
    package var decisions: [RoutingDecision] = []
    package var outcomes: [RoutingOutcome] = []
  }

  /// By agent, then category.
  package let quality: [[Double]]
  private let relevance: [[Double]]
  private let seed: UInt64

  package init(agents: Int, categories: Int, seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    quality = (0..<agents).map { _ in
      let usual = 0.3 + 0.4 * numbers.unit()
      return (0..<categories).map { _ in
        min(0.98, max(0.02, usual + 0.6 * (numbers.unit() - 0.5)))
      }
    }
    // A description tells a little of the quality.
    relevance = quality.map { row in
      row.map { min(100, max(0, 100 * ($0 + numbers.unit() - 0.5))) }
    }
    self.seed = seed
  }

  /// Tasks of all categories in turn, so many of each.
  package func run(_ rule: Rule, tasks: Int, keepsDecisions: Bool = false) -> Outcome {
    var numbers = SeededNumbers(seed: seed &+ 1)
    var history = RoutingHistory()
    var outcome = Outcome(share: 0, lastShare: 0)
    var reached = [0.0, 0.0]
    var possible = [0.0, 0.0]
    let categories = quality[0].count
    for number in 0..<(tasks * categories) {
      let category = number % categories
      let arms = quality.indices.map { agent in
        history.filled(
          RoutingArm(
            agent: "agent-\(agent)", model: "model", relevance: relevance[agent][category],
            price: 0.01),
          category: "\(category)")
      }
      let task = RoutingTask(text: "", category: "\(category)", seed: numbers.next())
      var decision: RoutingDecision? = nil
      let chosen: Int
      switch rule {
      case .policy(let policy):
        let made = Router(policy).decide(
          task, among: arms, at: Timestamp(milliseconds: Int64(number)))
        decision = made
        chosen = made.chosen ?? 0
      case .greedy(let untrusted):
        let scores = arms.map { arm in
          (arm.relevance ?? 0)
            * (arm.inCategory.runs < 5
              ? untrusted : Double(arm.inCategory.succeeded) / Double(arm.inCategory.runs))
        }
        chosen = scores.indices.max { scores[$0] < scores[$1] } ?? 0
      case .random: chosen = numbers.upTo(arms.count)
      }
      let rate = quality[chosen][category]
      let result = RoutingOutcome(
        succeeded: numbers.unit() < rate, cost: 0.01, seconds: 1)
      let part = number >= tasks * categories * 3 / 4 ? 1 : 0
      reached[part] += rate
      possible[part] += quality.map { $0[category] }.max() ?? 1
      history.add(
        result, agent: arms[chosen].agent, model: "model", category: "\(category)")
      if keepsDecisions, let decision {
        outcome.decisions.append(decision)
        outcome.outcomes.append(result)
      }
    }
    outcome.share = (reached[0] + reached[1]) / (possible[0] + possible[1])
    outcome.lastShare = reached[1] / possible[1]
    return outcome
  }
}

extension SeededNumbers {
  /// From 0 to below 1.
  package mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53 as UInt64) }
}
