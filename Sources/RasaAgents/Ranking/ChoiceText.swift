package import RasaCore

/// The sentence that explains which agent was chosen, and why.
extension Recommendation {
  /// That it was chosen, over which others, and why.
  package func choice(over others: [Recommendation]) -> String {
    let matches = matches.filter { $0.kind != .related }
      .reduce(into: [String]()) { if !$0.contains($1.with) { $0.append($1.with) } }
    let reason = matches.isEmpty ? "" : ": \(matches.prefix(4).joined(separator: ", "))"
    let over =
      others.isEmpty
      ? ", no other agent fits"
      : " over " + others.map { "\($0.agent) (\($0.shownScore))" }.joined(separator: ", ")
    return "chose \(agent) (\(shownScore))\(over)\(reason)"
  }
}

extension Recommendations {
  /// Why no agent can be chosen.
  package var failure: Failure {
    guard among > 0 else {
      return Failure(
        .configuration, "there is no agent to choose from",
        suggestion:
          "`rasa agents create` writes one; `rasa agents list` shows the folders that are searched")
    }
    var failure = Failure(
      .configuration, "no agent fits this task", suggestion: Self.howToNameOne)
    if !nearest.isEmpty {
      failure.details = [
        "closest, but below \(Int(Recommendation.acceptable)): "
          + nearest.map { "\($0.agent) (\($0.shownScore))" }.joined(separator: ", ")
      ]
    }
    return failure
  }

  package static let howToNameOne =
    "name one with `--agent ID`, or a persona with `--persona NAME`; `rasa agents search WORD` finds "
    + "agents, and `rasa agents recommend --all \u{2026}` shows every score"
}
