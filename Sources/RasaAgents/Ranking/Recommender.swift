package import RasaCore
package import RasaPersona

/// Ranks agents for a task.
package struct Recommender: Sendable {
  package struct Request: Sendable {
    package var task: String
    /// The wanted kind of agent; nil derives it from the task.
    package var profile: PerformanceProfile?
    /// Excludes agents whose typical answer costs more, and those of unknown cost.
    package var maxCost: Money?
    package var limit: Int
    /// Whether to list agents that do not fit, too.
    package var includesUnfit: Bool
    /// The similarity of each agent by embeddings: see `VectorSimilarity`.
    package var nearness: [String: VectorSimilarity.Value]

    package init(
      task: String, profile: PerformanceProfile? = nil, maxCost: Money? = nil, limit: Int = 5,
      includesUnfit: Bool = false, nearness: [String: VectorSimilarity.Value] = [:]
    ) {
      self.task = task
      self.profile = profile
      self.maxCost = maxCost
      self.limit = limit
      self.includesUnfit = includesUnfit
      self.nearness = nearness
    }
  }

  package var related: RelatedTerms
  /// The cost of an agent's typical answer; nil if no price is known.
  package var estimatedCost: @Sendable (Agent) -> Money?
  package var availability: @Sendable (Agent) -> Recommendation.Availability

  package init(
    related: RelatedTerms,
    estimatedCost: @escaping @Sendable (Agent) -> Money? = { _ in nil },
    availability: @escaping @Sendable (Agent) -> Recommendation.Availability = { _ in .unknown }
  ) {
    self.related = related
    self.estimatedCost = estimatedCost
    self.availability = availability
  }

  /// How many are shown if none fits.
  private static let nearestShown = 3

  /// The agents that fit, the best first. The same agents and task give the same order.
  package func recommend(
    _ request: Request, among registry: AgentRegistry
  ) -> Recommendations {
    let entries = registry.entries
    let task = TaskTerms(request.task, related: related)
    let scan = CorpusScan(task, among: entries)
    var complexity = TaskComplexity(task)
    if let profile = request.profile {
      complexity = TaskComplexity(profile: profile, reason: "it was asked for")
    }
    let fits = CapabilityScorer(scan, entries, complexity, nearness: request.nearness)
    var found = Recommendations(
      requirements: scan.requirements.map { task.terms[$0].text }, complexity: complexity,
      agents: [], among: entries.count, tooExpensive: 0, unpriced: 0)
    var best = Best(limit: request.limit)
    var nearest = Best(limit: Self.nearestShown)
    // Price and availability are looked up only while they can still change the first places.
    for fit in fits.mostPromisingFirst() {
      let canFit = request.includesUnfit || fit.highestScore >= Recommendation.acceptable
      guard canFit ? !best.isBeyond(fit) : best.isEmpty && !nearest.isBeyond(fit) else { break }
      let agent = entries[fit.agentIndex].agent
      let cost = estimatedCost(agent)
      let recommendation = fit.recommendation(
        agent, cost: cost, availability: availability(agent), complexity)
      let isListed = request.includesUnfit || recommendation.verdict != .not
      if let limit = request.maxCost, isListed {
        guard let cost else {
          found.unpriced += 1
          continue
        }
        guard cost <= limit else {
          found.tooExpensive += 1
          continue
        }
      }
      if isListed {
        best.add(recommendation, index: fit.agentIndex)
      } else {
        nearest.add(recommendation, index: fit.agentIndex)
      }
    }
    func explained(_ best: Best) -> [Recommendation] {
      best.sorted().map { recommendation, index in
        var recommendation = recommendation
        recommendation.matches = fits.matches(ofAgent: index, entries[index])
        recommendation.capability.reason = fits.capabilityReason(recommendation)
        recommendation.partners = entries[index].agent.worksWellWith.filter { registry[$0] != nil }
        return recommendation
      }
    }
    found.agents = explained(best)
    if best.isEmpty { found.nearest = explained(nearest) }
    return found
  }
}

/// The best few of many, collected in one pass.
private struct Best {
  let limit: Int
  private var kept: [(recommendation: Recommendation, index: Int)] = []
  /// The value of the last of them; anything below it can be skipped.
  private var floor = -Double.infinity

  var isEmpty: Bool { kept.isEmpty }

  init(limit: Int) { self.limit = max(1, limit) }

  func isBeyond(_ fit: CapabilityScorer.Fit) -> Bool { fit.highestScore < floor }

  mutating func add(_ recommendation: Recommendation, index: Int) {
    kept.append((recommendation, index))
    guard kept.count >= 2 * limit else { return }
    kept = Array(sorted())
    floor = kept.last?.recommendation.score ?? floor
  }

  func sorted() -> ArraySlice<(recommendation: Recommendation, index: Int)> {
    kept.sorted {
      ($1.recommendation.score, $0.index) < ($0.recommendation.score, $1.index)
    }.prefix(limit)
  }
}
