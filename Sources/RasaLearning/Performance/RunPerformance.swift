package import RasaCore

/// How one run went: one for each run that came to an end, whatever the end was.
package struct RunPerformance: Sendable, Hashable {
  package enum Status: Int, Sendable, Hashable, CaseIterable {
    case done, failed, cancelled

    package var name: String {
      switch self {
      case .done: "done"
      case .failed: "failed"
      case .cancelled: "cancelled"
      }
    }
  }

  /// What the score of a run rests on, the strongest that there is.
  package enum Basis: Int, Sendable, Hashable, CaseIterable {
    /// Nobody has judged it: it has no score.
    case nothing
    case stars, peers, judge
    /// It failed: its score is nothing.
    case failure

    package var name: String {
      switch self {
      case .nothing: "none"
      case .stars: "stars"
      case .peers: "peers"
      case .judge: "judge"
      case .failure: "failure"
      }
    }
  }

  package var run: Identifier
  /// The persona or agent.
  package var agent: String
  /// Nil once the user has been forgotten.
  package var user: String?
  package var category: String
  /// From 1 to 5.
  package var complexity: Int
  package var status: Status
  /// How it ended: `stop`, `length` where the end of the answer is missing, the kind of a failure such as `budget`,
  /// `cancelled`.
  package var finish: String
  /// Who wrote the answer, as `provider:model`; empty where nobody did.
  package var model = ""
  package var isMock = false
  package var temperature: Double?
  package var inputTokens: Int64 = 0
  package var outputTokens: Int64 = 0
  package var cost = Money.zero
  /// Whether the price of every call is known; where it is not, the cost is too low.
  package var isCostKnown = true
  /// How long it worked, without the time in which it waited for people or was parked.
  package var milliseconds: Int64 = 0
  /// From its start to the first text of its answer.
  package var firstTokenMilliseconds: Int64?
  /// The day of its end, where the user is.
  package var day: LocalDay
  package var endedAt: Timestamp
  package var nodes: [NodeUse] = []

  /// What a judge found.
  package var quality = Quality()
  /// The mean of the peers' scores.
  package var peers: Double?
  /// From 1 to 5.
  package var stars: Int?
  /// The set of weights that it is scored with.
  package var weights = ScoringWeights.standardName

  package init(
    run: Identifier, agent: String, user: String?, category: String, complexity: Int,
    status: Status, finish: String, day: LocalDay, endedAt: Timestamp
  ) {
    self.run = run
    self.agent = agent
    self.user = user
    self.category = category
    self.complexity = complexity
    self.status = status
    self.finish = finish
    self.day = day
    self.endedAt = endedAt
  }

  package var tokens: Int64 { inputTokens &+ outputTokens }
  package var seconds: Double { Double(milliseconds) / 1000 }
  /// Whether the end of its answer is missing.
  package var isCut: Bool { status == .done && finish != "stop" }
  package var efficiency: Double { efficiencyScore(tokens: tokens, seconds: seconds) }
}

/// One thing that a run used: a frame, an operator, a model, a tool.
package struct NodeUse: Sendable, Hashable {
  package enum Kind: Int, Sendable, Hashable, CaseIterable {
    case frame, `operator`, model, tool

    package var name: String {
      switch self {
      case .frame: "frame"
      case .operator: "operator"
      case .model: "model"
      case .tool: "tool"
      }
    }
  }
  package var kind: Kind
  package var name: String
  package var milliseconds: Int64 = 0
  package var tokens: Int64 = 0
  package var cost = Money.zero
  /// Why it failed, as a kind of failure; nil where it did not.
  package var error: String?

  package init(_ kind: Kind, _ name: String) {
    self.kind = kind
    self.name = name
  }
}

/// A set of weights, under a name.
package struct ScoringWeights: Sendable, Hashable {
  package static let standardName = "standard"
  package var name = standardName
  package var quality = QualityWeights()
  package var reward = RewardWeights()

  package init(name: String = standardName) { self.name = name }
}

/// What is worked out of a run's performance with a set of weights.
package struct RunScore: Sendable, Hashable {
  /// From 0 to 1; nil where nobody has judged the run.
  package var overall: Double?
  package var basis: RunPerformance.Basis
  package var reward: Reward
  /// Whether it was a success; nil for a run that was cancelled, which says nothing.
  package var isSuccess: Bool?
  /// Dollars for a whole point of the score; nil without a score or a known cost.
  package var costPerPoint: Double?

  package init(
    overall: Double?, basis: RunPerformance.Basis, reward: Reward, isSuccess: Bool? = nil,
    costPerPoint: Double? = nil
  ) {
    self.overall = overall
    self.basis = basis
    self.reward = reward
    self.isSuccess = isSuccess
    self.costPerPoint = costPerPoint
  }
}

extension RunPerformance {
  package func score(_ weights: ScoringWeights) -> RunScore {
    let (quality, basis) = judgedQuality(weights.quality)
    let overall: Double? =
      switch basis {
      case .nothing: nil
      case .failure: 0
      case .stars, .peers, .judge:
        weights.quality.overall(quality: quality ?? 0, efficiency: efficiency).inTenThousandths
      }
    return RunScore(
      overall: overall, basis: basis, reward: reward(weights.reward, withScore: overall),
      isSuccess: isSuccess(withScore: overall), costPerPoint: costPerPoint(ofScore: overall))
  }

  package func reward(_ weights: RewardWeights, withScore overall: Double?) -> Reward {
    weights.reward(
      for: Reward.Facts(
        isCompleted: status == .done, hasFailed: status == .failed, overall: overall,
        efficiency: efficiency, seconds: seconds, cost: cost, stars: stars, peers: peers))
  }

  /// A run that nobody has judged is a success if it came to its end.
  package func isSuccess(withScore overall: Double?) -> Bool? {
    switch status {
    case .done: (overall ?? 1) >= successThreshold
    case .failed: false
    case .cancelled: nil
    }
  }

  package func costPerPoint(ofScore overall: Double?) -> Double? {
    guard isCostKnown, let overall, overall > 0 else { return nil }
    return Double(cost.picoDollars) / 1e12 / overall
  }

  private func judgedQuality(_ weights: QualityWeights) -> (Double?, Basis) {
    switch status {
    case .failed: return (nil, .failure)
    case .cancelled: return (nil, .nothing)
    case .done: break
    }
    if let judged = quality.mean(weights) { return (judged, .judge) }
    if let peers { return (peers, .peers) }
    if let stars { return (Double(stars) / 5, .stars) }
    return (nil, .nothing)
  }
}

extension Double {
  /// As scores are stored, so that what is read back says the same.
  package var inTenThousandths: Double {
    Double(PerformanceSums.tenThousandths(self)) / 10_000
  }
}
