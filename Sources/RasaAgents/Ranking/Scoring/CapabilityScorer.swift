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
    var relevance: Double
    var profile: Double

    /// The factor of the other terms: being cheap does not help an agent that does not fit.
    var share: Double { capability / 100 }

    /// The score if it is free and available.
    var highestScore: Double {
      capability + share * (profile + CostEfficiency.most + AvailabilityBonus.most)
    }
  }

  /// What a match counts where nothing but the prompt has it: so little that, with all other terms at their best, the
  /// score stays below that of an acceptable agent. So the score alone says the order and the verdict.
  private static let shareOfPrompt: Double = {
    let others = 20 + CostEfficiency.most + AvailabilityBonus.most
    return (Recommendation.acceptable - 0.01) / (100 + others)
  }()

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
    let scale = RelevanceScale(scan, among: entries.count)
    self.scale = scale
    let requirements = scan.requirements
    var matches = TermMatches(scan)
    for agentIndex in entries.indices {
      let near = nearness.isEmpty ? nil : nearness[entries[agentIndex].agent.id]
      let isNear = near?.isNear ?? false
      let hits = scan.hits(of: agentIndex)
      // Vectors can speak for an agent that shares no word with the task.
      let isNearer = (near?.counts ?? 0) > 0
      guard isNear || isNearer || !hits.isEmpty else { continue }
      matches.read(hits, scan, scale)
      var points = 0.0
      for requirement in requirements {
        var level = matches.levels[requirement]
        if isNear, level < .related { level = .related }
        points += level.kind?.points ?? 0
      }
      // A task without a known word can still be similar to an agent.
      let most = Recommendation.Match.Kind.exact.points * Double(max(1, requirements.count))
      if isNear, requirements.isEmpty { points = Recommendation.Match.Kind.related.points }
      let skills = 100 * points / most
      let isCapable = isNear || isNearer || matches.isCapable
      let capability = scale.fit(
        sum: matches.sum, skills: skills, nearness: near?.counts ?? 0,
        TermVector.flags(in: entries[agentIndex].relevance))
      fits.append(
        Fit(
          agentIndex: agentIndex, skills: skills,
          capability: isCapable ? capability : capability * Self.shareOfPrompt,
          relevance: scale.relevance(matches.sum),
          profile: ProfileMatch.value(of: entries[agentIndex].agent.profile, complexity)))
    }
  }

  func mostPromisingFirst() -> [Fit] {
    let bounds = fits.map(\.highestScore)
    return fits.indices.sorted { (bounds[$1], $0) < (bounds[$0], $1) }.map { fits[$0] }
  }

  // MARK: In words

  /// The match of each requirement, for people.
  func matches(ofAgent agentIndex: Int, _ entry: AgentRegistry.Entry) -> [Recommendation.Match] {
    let terms = scan.task.terms
    var matches = TermMatches(scan)
    matches.read(scan.hits(of: agentIndex), scan, scale)
    let levels = matches.levels
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
        case .related: words.capability(with: term.related.map(\.hash), whole: false)
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
    if recommendation.score >= Recommendation.acceptable {
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
