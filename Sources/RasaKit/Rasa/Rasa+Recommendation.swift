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

    /// What of the task the agent meets, with what, and how.
    public struct Match: Sendable, Hashable {
      /// What of the task is met.
      public var requirement: String
      /// What of the agent meets it.
      public var with: String
      /// How: `exact`, `partial` or `related`.
      public var kind: String
      /// How much that counts.
      public var points: Double
      /// How near the vectors are, from 0 to 1, where vectors and not words met it.
      public var nearness: Double?

      init(_ match: RasaAgents.Recommendation.Match) {
        requirement = match.requirement
        with = match.with
        kind = match.kind.rawValue
        points = match.kind.points
        nearness = match.nearness
        kindText = match.kindText
      }

      /// How, with the nearness of vectors: `exact`, or `related (0.83 near)`.
      public let kindText: String
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
    /// How much of the task its skills meet, from 0 to 100.
    public var skills: Double
    /// How much of what all agents' texts know about the task its own text covers, from 0 to 100.
    public var relevance: Double
    /// What it can do by its text, beside the capabilities that it declares.
    public var derivedCapabilities: [String]

    /// The score as people are shown it: never rounded up past a threshold of the verdict.
    public var shownScore: Int { Int(score.rounded(.down)) }
    /// The least score of an agent that could do the task.
    public static var acceptableScore: Double { RasaAgents.Recommendation.acceptable }
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
    var options = RecommendOptions()
    options.profile = profile
    options.maxCost = maxCost
    options.limit = limit
    options.includesUnfit = includingUnfit
    return try await recommendations(for: task, options: options).agents
  }
}

extension Rasa.Recommendation {
  init(_ found: RasaAgents.Recommendation, _ entry: AgentRegistry.Entry) {
    func term(_ term: RasaAgents.Recommendation.Term) -> Term {
      Term(value: term.value, most: term.most, reason: term.reason)
    }
    agent = Rasa.Agent(entry.agent)
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
    matches = found.matches.map { Match($0) }
    estimatedCost = found.estimatedCost.map { Rasa.Dollars($0) }
    partners = found.partners
    skills = found.skills
    relevance = found.relevance
    derivedCapabilities = AgentTerms.derivedSkills(in: entry.relevance)
  }
}
