package import RasaCore

/// One agent for a task, with every term of its score.
package struct Recommendation: Sendable, Hashable {
  package enum Verdict: String, Sendable, Hashable {
    case recommended, acceptable, not = "not recommended"
  }

  /// How a requirement of the task is matched.
  package struct Match: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
      case exact, partial, related

      package var points: Double {
        switch self {
        case .exact: 10
        case .partial: 5
        case .related: 2
        }
      }
    }
    package var requirement: String
    package var kind: Kind
    /// The matched text of the agent.
    package var with: String
    /// The cosine, if the match comes from embeddings instead of words.
    package var nearness: Double?
    package init(requirement: String, kind: Kind, with: String, nearness: Double? = nil) {
      self.requirement = requirement
      self.kind = kind
      self.with = with
      self.nearness = nearness
    }

    /// `exact`, or `related (0.83 near)`.
    package var kindText: String {
      nearness.map { "\(kind.rawValue) (\(VectorSimilarity.text($0)))" } ?? kind.rawValue
    }
  }

  /// A part of the score: its value, its maximum, and the reason.
  package struct Term: Sendable, Hashable {
    package var value: Double
    package var most: Double
    package var reason: String
    package init(_ value: Double, of most: Double, _ reason: String) {
      self.value = value
      self.most = most
      self.reason = reason
    }
  }

  /// The state of the agent's model when it was last called.
  package enum Availability: String, Sendable, Hashable { case available, unknown, unavailable }

  package var agent: String
  package var verdict: Verdict
  package var capability: Term
  package var profile: Term
  package var cost: Term
  package var availability: Term
  /// In the order of the task; unmatched requirements are omitted.
  package var matches: [Match]
  /// Nil if no price is known.
  package var estimatedCost: Money?
  /// The share of the task's requirements that its skills match, 0 to 100.
  package var skills: Double
  /// How much of what agents know about the task this agent's text covers, 0 to 100.
  package var relevance: Double
  /// Agents that it works well with, if they exist.
  package var partners: [String] = []

  /// The minimum scores of recommended and acceptable agents.
  package static let recommended = 50.0
  package static let acceptable = 30.0

  /// The score for order, display and verdict.
  package var score: Double { capability.value + profile.value + cost.value + availability.value }

  /// The score for display. It is never rounded up past a threshold of the verdict.
  package var shownScore: Int { Int(score.rounded(.down)) }
}

/// The result for a task.
package struct Recommendations: Sendable, Hashable {
  /// The words and pairs of the task that count: those that occur in some agent.
  package var requirements: [String]
  /// The kind of agent that the task needs.
  package var complexity: TaskComplexity
  /// The best first.
  package var agents: [Recommendation]
  /// If none fits, the closest ones.
  package var nearest: [Recommendation] = []
  /// How many agents were considered.
  package var among: Int
  /// Excluded because they cost too much, or because their cost is unknown.
  package var tooExpensive: Int
  package var unpriced: Int

  package var isEmpty: Bool { agents.isEmpty }
}
