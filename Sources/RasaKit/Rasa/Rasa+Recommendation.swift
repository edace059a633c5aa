import RasaCore
import RasaPersona
import RasaAgents

extension Rasa {
  /// One agent for a task, with every part of its score.
  public struct Recommendation: Sendable, Hashable {
    /// How well an agent fits.
    @nonexhaustive
    public enum Verdict: String, Sendable, Hashable, Codable {
      /// It fits the task.
      case recommended
      /// It could do the task.
      case acceptable
      /// It does not fit the task.
      case unfit
    }

    /// A part of the score: what it came to, of how much, and why.
    public struct Term: Sendable, Hashable {
      /// What it came to.
      public var value: Double
      /// The most that it can come to.
      public var most: Double
      /// Why, as one clause.
      public var reason: String
    }

    /// What of the task the agent meets, with what, and how: `exact`, `partial` or `related`.
    public struct Match: Sendable, Hashable {
      /// What of the task is met.
      public var requirement: String
      /// What of the agent meets it.
      public var with: String
      /// How: `exact`, `partial` or `related`.
      public var kind: String
    }

    /// The agent.
    public var agent: Agent
    /// How well it fits, in a word.
    public var verdict: Verdict
    /// The sum of the four terms, from 0 to 140.
    public var score: Double
    /// Whether it can do what the task asks for, of 100.
    public var capability: Term
    /// Whether it is the kind of agent that the task wants, of 20.
    public var profile: Term
    /// Whether it is cheap, of 10.
    public var cost: Term
    /// Whether its models can be reached, of 10.
    public var availability: Term
    /// What of the task it meets, and with what.
    public var matches: [Match]
    /// What a usual answer costs; nil where no price is known.
    public var estimatedCost: Dollars?
    /// Agents that it works well with, of those that there are.
    public var partners: [String]
  }

  /// The agents that fit a task, the best first.
  ///
  /// - Parameters:
  ///   - task: What is to be done.
  ///   - profile: what kind of agent is wanted; nil leaves it to the task.
  ///   - maxCost: agents whose usual answer costs more are left out, and those of unknown cost.
  ///   - limit: The most that are returned.
  ///   - includingUnfit: whether agents that do not fit are listed too.
  public func recommend(
    _ task: String, profile: Profile? = nil, maxCost: Dollars? = nil, limit: Int = 5,
    includingUnfit: Bool = false
  ) async throws(RasaError) -> [Recommendation] {
    try await redacted {
      let recommender = try await house.recommender(history: store, onWarning: warn)
      let registry = registered.registry.narrowed(to: house.narrowing)
      let request = Recommender.Request(
        task: task, profile: profile?.own, maxCost: maxCost?.money, limit: max(1, limit),
        includesUnfit: includingUnfit)
      return recommender.recommend(request, among: registry).agents.compactMap { found in
        registry[found.agent].map { Recommendation(found, Agent($0.agent)) }
      }
    }
  }
}

extension Rasa.Recommendation {
  fileprivate init(_ found: RasaAgents.Recommendation, _ agent: Rasa.Agent) {
    func term(_ term: RasaAgents.Recommendation.Term) -> Term {
      Term(value: term.value, most: term.most, reason: term.reason)
    }
    self.agent = agent
    verdict =
      switch found.verdict {
      case .recommended: .recommended
      case .acceptable: .acceptable
      case .not: .unfit
      }
    score = found.score
    capability = term(found.capability)
    profile = term(found.profile)
    cost = term(found.cost)
    availability = term(found.availability)
    matches = found.matches.map {
      Match(requirement: $0.requirement, with: $0.with, kind: $0.kind.rawValue)
    }
    estimatedCost = found.estimatedCost.map { Rasa.Dollars($0) }
    partners = found.partners
  }
}
