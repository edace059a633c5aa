import RasaCore
import RasaPersona

/// How well each agent matches a task's terms, before prices are looked up.
struct CapabilityScorer {
  /// One agent.
  struct Fit {
    var agentIndex: Int
    /// The share of the requirements that its skills match, of 100.
    var skills: Double
    /// Of 100: the first term of the score.
    var capability: Double
    /// Whether anything but its prompt matches the task.
    var isCapable: Bool
    var relevance: Double
    var profile: Double

    /// The factor of the other terms: being cheap does not help an agent that does not fit.
    var share: Double { capability / 100 }

    /// The score if it is free and available.
    var highestScore: Double {
      capability + share * (profile + CostEfficiency.most + AvailabilityBonus.most)
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

  private let scan: CorpusScan
  private let scale: RelevanceScale
  private let nearness: [String: VectorSimilarity.Value]
  private var fits: [Fit] = []

  init(
    _ scan: CorpusScan, _ entries: [AgentRegistry.Entry], _ complexity: TaskComplexity,
    nearness: [String: VectorSimilarity.Value]
  ) {
    self.scan = scan
    self.nearness = nearness
    let scale = RelevanceScale(scan, agents: entries.count)
    self.scale = scale
    let requirements = scan.requirements
    var levels = [Level](repeating: .none, count: scan.task.terms.count)
    var values = [Double](repeating: 0, count: levels.count)
    var coverage = values
    for agentIndex in entries.indices {
      let near = nearness.isEmpty ? nil : nearness[entries[agentIndex].agent.id]
      let isNear = near?.isNear ?? false
      let hits = scan.hits(ofAgent: agentIndex)
      guard isNear || !hits.isEmpty else { continue }
      for index in levels.indices {
        levels[index] = .none
        values[index] = 0
        coverage[index] = 0
      }
      var isCapable = isNear
      for hit in hits {
        for use in scan.slots.uses[Int(hit.slot)] {
          let isMatch = use.isRelated ? TermVector.Places.capability : .skill
          if !hit.places.isDisjoint(with: isMatch) { isCapable = true }
          levels[use.term] = max(levels[use.term], Self.level(of: hit, use))
          values[use.term] = max(values[use.term], scale.value(of: hit, for: use, in: scan.task))
          coverage[use.term] = max(
            coverage[use.term], scale.coverage(of: use.term, byRelated: use.isRelated))
        }
      }
      var points = 0.0
      for requirement in requirements {
        var level = levels[requirement]
        if isNear, level < .related { level = .related }
        points += level.kind?.points ?? 0
      }
      // A task without a known word can still be similar to an agent.
      let most = Recommendation.Match.Kind.exact.points * Double(max(1, requirements.count))
      if isNear, requirements.isEmpty { points = Recommendation.Match.Kind.related.points }
      let skills = 100 * points / most
      let sum = values.reduce(0, +)
      fits.append(
        Fit(
          agentIndex: agentIndex, skills: skills,
          capability: scale.fit(
            sum: sum, coverage: coverage.reduce(0, +), skills: skills, nearness: near?.counts ?? 0,
            TermVector.flags(in: entries[agentIndex].relevance)),
          isCapable: isCapable, relevance: scale.relevance(sum),
          profile: ProfileMatch.value(of: entries[agentIndex].agent.profile, complexity)))
    }
  }

  private static func level(of hit: CorpusScan.Hit, _ use: TermSlots.Use) -> Level {
    if use.isRelated { return hit.places.isDisjoint(with: .capability) ? .none : .related }
    if hit.places.contains(.whole) { return .exact }
    if hit.places.contains(.part) { return .partial }
    return hit.places.isDisjoint(with: [.name, .description]) ? .none : .mentioned
  }

  func mostPromisingFirst() -> [Fit] {
    let bounds = fits.map(\.highestScore)
    return fits.indices.sorted { (bounds[$1], $0) < (bounds[$0], $1) }.map { fits[$0] }
  }

  // MARK: In words

  /// The match of each requirement, for people.
  func matches(ofAgent agentIndex: Int, _ entry: AgentRegistry.Entry) -> [Recommendation.Match] {
    let terms = scan.task.terms
    var levels = [Level](repeating: .none, count: terms.count)
    for hit in scan.hits(ofAgent: agentIndex) {
      for use in scan.slots.uses[Int(hit.slot)] {
        levels[use.term] = max(levels[use.term], Self.level(of: hit, use))
      }
    }
    let words = AgentWords(entry)
    return scan.requirements.compactMap { index in
      let term = terms[index]
      if levels[index] < .related, let near = nearness[entry.agent.id], near.isNear {
        return .init(
          requirement: term.text, kind: .related, with: "the agent as a whole",
          nearness: near.cosine)
      }
      guard let kind = levels[index].kind else { return nil }
      let with: String =
        switch levels[index] {
        case .mentioned: words.mention(of: term.hashes)
        case .related: words.capability(with: term.related, whole: false)
        case .partial: words.capability(with: term.hashes, whole: false)
        default: words.capability(with: term.hashes, whole: true)
        }
      return .init(requirement: term.text, kind: kind, with: with)
    }
  }

  func capabilityReason(_ recommendation: Recommendation) -> String {
    let near = nearness[recommendation.agent]
    let count = scan.requirements.count
    guard count > 0 else {
      let related = near.map { "related (\(VectorSimilarity.text($0.cosine))), though " } ?? ""
      return "\(related)no agent knows a word of the task"
    }
    let points = recommendation.matches.reduce(0) { $0 + Int($1.kind.points) }
    return
      "its text has \(Int(recommendation.relevance.rounded())) of 100 of what agents know about the "
      + "task, its skills score \(points) of \(10 * count) points"
      + (near.map { ", it is \(VectorSimilarity.text($0.cosine))" } ?? "")
  }
}

extension CapabilityScorer.Fit {
  func recommendation(
    _ agent: Agent, cost: Money?, availability: Recommendation.Availability,
    _ complexity: TaskComplexity
  ) -> Recommendation {
    func counted(_ term: Recommendation.Term) -> Recommendation.Term {
      let full = term.value == term.value.rounded() ? "\(Int(term.value))" : nil
      let percent = Int(capability.rounded())
      return .init(
        term.value * share, of: term.most,
        term.reason + "; \(full ?? term.value.tenths) for a full match, \(percent) % here")
    }
    var recommendation = Recommendation(
      agent: agent.id, verdict: .not, capability: .init(capability, of: 100, ""),
      profile: counted(ProfileMatch.term(of: agent, complexity)),
      cost: counted(CostEfficiency.term(of: agent, cost: cost)),
      availability: counted(AvailabilityBonus.term(of: agent, availability)), matches: [],
      estimatedCost: cost, skills: skills, relevance: relevance)
    if isCapable, recommendation.score >= Recommendation.acceptable {
      recommendation.verdict =
        recommendation.score >= Recommendation.recommended ? .recommended : .acceptable
    }
    return recommendation
  }
}

extension Double {
  /// With one decimal.
  fileprivate var tenths: String {
    let tenths = Int((self * 10).rounded())
    return "\(tenths / 10).\(abs(tenths % 10))"
  }
}
