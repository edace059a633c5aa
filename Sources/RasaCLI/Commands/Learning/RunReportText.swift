import RasaCore
import RasaKit

extension Rasa.RunReport {
  /// What `rasa runs show RUN --reward` prints.
  var lines: [String] {
    var lines = [
      "\(run) of \(agent): \(status)" + (finish == "stop" ? "" : " (\(finish))")
        + ", \(category), complexity \(complexity) of 5"
    ]
    if !model.isEmpty { lines.append("  model         \(model)\(isMock ? " (mock)" : "")") }
    lines.append(
      "  needed        \(seconds.fixed(1)) s"
        + (firstTokenSeconds.map { ", first text after \($0.fixed(1)) s" } ?? "")
        + ", \(inputTokens) + \(outputTokens) tokens, \(cost)"
        + (isCostKnown ? "" : ", and what has no known price"))
    lines.append("  efficiency    \(efficiency.fixed(2))")
    for name in ["accuracy", "relevance", "completeness", "clarity"] {
      guard let value = criteria[name] else { continue }
      lines.append("  \(name)\(String(repeating: " ", count: 14 - name.count))\(value.fixed(2))")
    }
    for evaluation in evaluations {
      let score = evaluation.score.map { $0.fixed(2) } ?? "not readable"
      let who = evaluation.kind == "judge" ? "judge" : "peer \(evaluation.name)"
      lines.append("  \(who), \(evaluation.model): \(score)")
      if !evaluation.feedback.isEmpty { lines.append("    \(evaluation.feedback)") }
    }
    if let stars {
      lines.append("  stars         \(stars) of 5\(comment.isEmpty ? "" : ": \(comment)")")
    }
    lines.append("  score         \(scoreText)")
    lines.append("")
    for term in terms {
      let points = term.points.fixed(1)
      lines.append(
        "  \(String(repeating: " ", count: max(0, 7 - points.count)))\(points)  "
          + "\(term.name)\(String(repeating: " ", count: max(0, 13 - term.name.count)))\(term.reason)"
      )
    }
    let total = "\(reward)"
    lines.append("  \(String(repeating: " ", count: max(0, 7 - total.count)))\(total)  points")
    return lines
  }

  private var scoreText: String {
    switch basis {
    case "none":
      status == "cancelled"
        ? "none: it was cancelled"
        : "none: it has not been rated; `rasa feedback \(run) --stars N` does"
    case "failure": "0.00: it failed"
    case "stars": "\((score ?? 0).fixed(2)), by the user's stars"
    case "peers": "\((score ?? 0).fixed(2)), by its peers"
    default: "\((score ?? 0).fixed(2)), by a judge"
    }
  }
}
