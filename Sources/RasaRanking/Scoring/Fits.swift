import RasaCore
import RasaPersona

/// How far each agent meets a task's terms, before anybody is asked for prices.
struct Fits {
  /// One agent.
  struct Fit {
    var place: Int
    /// Of 100.
    var capability: Double
    /// Whether any of its capabilities has to do with the task.
    var isCapable: Bool
    var relevance: Double
    var profile: Double

    /// The rank that it has when it is free and available.
    var highestRank: Double {
      RankWeights.rank(
        capability: capability, relevance: relevance,
        rest: profile + CostEfficiency.most
          + AvailabilityBonus.most)
    }
  }

  private enum Level: UInt8, Comparable {
    case none, mentioned, related, partial, exact

    var kind: Recommendation.Match.Kind? {
      switch self {
      case .none: nil
      case .mentioned, .related: .related
      case .partial: .partial
      case .exact: .exact
      }
    }

    static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  private let survey: Survey
  private let scale: RelevanceScale
  private let nearness: [String: Double]
  private var fits: [Fit] = []

  init(
    _ survey: Survey, _ entries: [AgentRegistry.Entry], _ complexity: TaskComplexity,
    nearness: [String: Double]
  ) {
    self.survey = survey
    self.nearness = nearness
    scale = RelevanceScale(survey, agents: entries.count)
    let requirements = survey.requirements
    var levels = [Level](repeating: .none, count: survey.task.terms.count)
    var values = [Double](repeating: 0, count: levels.count)
    for place in entries.indices {
      let nearness = nearness.isEmpty ? nil : nearness[entries[place].agent.id]
      let near = nearness != nil
      let hits = survey.hits(ofAgent: place)
      guard near || !hits.isEmpty else { continue }
      for index in levels.indices {
        levels[index] = .none
        values[index] = 0
      }
      for hit in hits {
        for use in survey.slots.uses[Int(hit.slot)] {
          levels[use.term] = max(levels[use.term], Self.level(of: hit, use))
          values[use.term] = max(values[use.term], scale.value(of: hit, for: use, in: survey.task))
        }
      }
      var points = 0.0
      var isCapable = near
      for requirement in requirements {
        var level = levels[requirement]
        if near, level < .related { level = .related }
        points += level.kind?.points ?? 0
        if level >= .related { isCapable = true }
      }
      // A task of which nobody knows a word can still be near to an agent.
      let most = Recommendation.Match.Kind.exact.points * Double(max(1, requirements.count))
      if near, requirements.isEmpty { points = Recommendation.Match.Kind.related.points }
      fits.append(
        Fit(
          place: place, capability: 100 * points / most, isCapable: isCapable,
          // Vectors see what words do not, so the nearer of both counts.
          relevance: max(
            scale.relevance(values.reduce(0, +)), 100 * (nearness ?? 0)),
          profile: ProfileMatch.value(of: entries[place].agent.profile, complexity)))
    }
  }

  private static func level(of hit: Survey.Hit, _ use: TermSlots.Use) -> Level {
    if use.isRelated { return hit.places.isDisjoint(with: .capability) ? .none : .related }
    if hit.places.contains(.whole) { return .exact }
    if hit.places.contains(.part) { return .partial }
    return hit.places.isDisjoint(with: [.name, .description]) ? .none : .mentioned
  }

  func mostPromisingFirst() -> [Fit] {
    let bounds = fits.map(\.highestRank)
    return fits.indices.sorted { (bounds[$1], $0) < (bounds[$0], $1) }.map { fits[$0] }
  }

  // MARK: In words

  /// What meets each requirement, for people.
  func matches(ofAgent place: Int, _ agent: Agent) -> [Recommendation.Match] {
    let terms = survey.task.terms
    var levels = [Level](repeating: .none, count: terms.count)
    for hit in survey.hits(ofAgent: place) {
      for use in survey.slots.uses[Int(hit.slot)] {
        levels[use.term] = max(levels[use.term], Self.level(of: hit, use))
      }
    }
    let words = AgentWords(agent)
    return survey.requirements.compactMap { index in
      let term = terms[index]
      if levels[index] < .related, let near = nearness[agent.id] {
        return .init(
          requirement: term.text, kind: .related, with: "the agent as a whole", nearness: near)
      }
      guard let kind = levels[index].kind else { return nil }
      let with: String? =
        switch levels[index] {
        case .mentioned: words.mention(of: term.hashes)
        case .related: words.capability(with: term.related, whole: false)
        case .partial: words.capability(with: term.hashes, whole: false)
        default: words.capability(with: term.hashes, whole: true)
        }
      return .init(requirement: term.text, kind: kind, with: with ?? "its words")
    }
  }

  func capabilityReason(_ recommendation: Recommendation) -> String {
    let count = survey.requirements.count
    guard count > 0 else {
      return nearness[recommendation.agent].map { "related (\(Nearness.text($0)))" }
        ?? "no agent knows a word of the task"
    }
    let points = recommendation.matches.reduce(0) { $0 + Int($1.kind.points) }
    return "\(points) of \(10 * count) points"
  }
}

extension Fits.Fit {
  func recommendation(
    _ agent: Agent, cost: Money?, availability: Recommendation.Availability,
    _ complexity: TaskComplexity
  ) -> Recommendation {
    let profile = ProfileMatch.term(of: agent, complexity)
    let price = CostEfficiency.term(of: agent, cost: cost)
    let bonus = AvailabilityBonus.term(of: agent, availability)
    var recommendation = Recommendation(
      agent: agent.id, verdict: .not, capability: .init(capability, of: 100, ""), profile: profile,
      cost: price, availability: bonus, matches: [], estimatedCost: cost, relevance: relevance,
      rank: RankWeights.rank(
        capability: capability, relevance: relevance,
        rest: profile.value + price.value + bonus.value))
    if isCapable, recommendation.score >= 30 {
      recommendation.verdict = recommendation.score >= 50 ? .recommended : .acceptable
    }
    return recommendation
  }
}

/// What the order goes by. The printed score alone ties many agents of a large registry, and does
/// not know examples and prompts.
enum RankWeights {
  static let relevance = 1.0
  static let capability = 0.06
  static let rest = 0.03

  static func rank(capability: Double, relevance: Double, rest: Double) -> Double {
    Self.capability * capability + Self.relevance * relevance + Self.rest * rest
  }
}
