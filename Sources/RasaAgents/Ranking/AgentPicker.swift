package import RasaCore
package import RasaPersona

/// Chooses an agent for a task if none is named.
package struct AgentPicker: Sendable {
  package struct Pick: Sendable {
    package var agent: Agent
    package var recommendation: Recommendation
    /// Equally good agents that were not chosen.
    package var others: [Recommendation]
    /// Describes the choice and its reason.
    package var sentence: String
  }

  package var recommender: Recommender

  package init(_ recommender: Recommender) { self.recommender = recommender }

  package func pick(
    _ request: Recommender.Request, among registry: AgentRegistry
  ) throws(Failure) -> Pick {
    guard !registry.entries.isEmpty else {
      throw Failure(
        .configuration, "there is no agent to choose from",
        suggestion:
          "`rasa agents create` writes one; `rasa agents list` shows the folders that are "
          + "searched")
    }
    var request = request
    request.limit = 3
    request.includesUnfit = false
    let found = recommender.recommend(request, among: registry)
    guard let best = found.agents.first, let entry = registry[best.agent] else {
      throw nothingFits(found)
    }
    let others = Array(found.agents.dropFirst())
    return Pick(
      agent: entry.agent, recommendation: best, others: others, sentence: sentence(best, others))
  }

  private func sentence(_ best: Recommendation, _ others: [Recommendation]) -> String {
    let matches = best.matches.filter { $0.kind != .related }
      .reduce(into: [String]()) { if !$0.contains($1.with) { $0.append($1.with) } }
    let reason = matches.isEmpty ? "" : ": \(matches.prefix(4).joined(separator: ", "))"
    let over =
      others.isEmpty
      ? ", no other agent fits"
      : " over " + others.map { "\($0.agent) (\($0.shownScore))" }.joined(separator: ", ")
    return "chose \(best.agent) (\(best.shownScore))\(over)\(reason)"
  }

  private func nothingFits(_ found: Recommendations) -> Failure {
    let suggestion =
      "name one with `--agent ID`, or a persona with `--persona NAME`; `rasa agents search WORD` finds "
      + "agents, and `rasa agents recommend --all \u{2026}` shows every score"
    let details =
      found.nearest.isEmpty
      ? []
      : [
        "closest, but below \(Int(Recommendation.acceptable)): "
          + found.nearest.map { "\($0.agent) (\($0.shownScore))" }.joined(separator: ", ")
      ]
    if found.tooExpensive + found.unpriced > 0 {
      return Failure(
        .configuration, "no agent fits this task at that cost",
        suggestion: "raise --max-cost, or \(suggestion)", details: details)
    }
    return Failure(
      .configuration, "no agent fits this task", suggestion: suggestion, details: details)
  }
}
