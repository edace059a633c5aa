package import RasaCore

/// One agent for a task, with every term of its score.
package struct Recommendation: Sendable, Hashable {
  package enum Verdict: String, Sendable, Hashable {
    case recommended, acceptable, not = "not recommended"
  }

  /// How a requirement of the task is met.
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
    /// What of the agent it matches.
    package var with: String
    /// The cosine, where it is vectors that say so and not words.
    package var nearness: Double?
    package init(requirement: String, kind: Kind, with: String, nearness: Double? = nil) {
      self.requirement = requirement
      self.kind = kind
      self.with = with
      self.nearness = nearness
    }

    /// `exact`, or `related (0.83 near)`.
    package var kindText: String {
      nearness.map { "\(kind.rawValue) (\(Nearness.text($0)))" } ?? kind.rawValue
    }
  }

  /// A part of the score: what it came to, of how much, and why.
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

  /// How the agent's model stood when it was last asked.
  package enum Availability: String, Sendable, Hashable { case available, unknown, unavailable }

  package var agent: String
  package var verdict: Verdict
  package var capability: Term
  package var profile: Term
  package var cost: Term
  package var availability: Term
  /// In the order of the task; requirements that the agent does not meet are left out.
  package var matches: [Match]
  /// Nil where no price is known.
  package var estimatedCost: Money?
  /// The share of the task's requirements that its skills meet, 0 to 100.
  package var skills: Double
  /// How much of what agents know of the task all that is written of this one has, 0 to 100.
  package var relevance: Double
  /// Agents that it works well with, of those that there are.
  package var partners: [String] = []

  /// From which score on an agent is recommended, and acceptable.
  package static let recommended = 50.0
  package static let acceptable = 30.0

  /// What orders, is shown and is judged.
  package var score: Double { capability.value + profile.value + cost.value + availability.value }

  /// The score as people read it. It is never shown as more than it was judged by.
  package var shownScore: Int { Int(score.rounded(.down)) }
}

/// What was found for a task.
package struct Recommendations: Sendable, Hashable {
  /// The words and pairs of the task that count: those that some agent knows.
  package var requirements: [String]
  /// What kind of agent the task asks for.
  package var complexity: TaskComplexity
  /// The best first.
  package var agents: [Recommendation]
  /// Where none fits, those that come nearest.
  package var nearest: [Recommendation] = []
  /// How many agents were looked at.
  package var among: Int
  /// Left out because they cost more than was allowed, or because nobody knows what they cost.
  package var tooExpensive: Int
  package var unpriced: Int

  package var isEmpty: Bool { agents.isEmpty }
}
