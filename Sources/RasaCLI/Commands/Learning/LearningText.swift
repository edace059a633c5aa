import RasaCore
import RasaKit

/// A share of one, in whole percent.
func share(_ value: Double?) -> String { value.map { "\(($0 * 100).fixed(0))%" } ?? "-" }

/// A score from 0 to 1.
func figure(_ value: Double) -> String { value.fixed(2) }

/// Dollars that may be a small part of a cent.
func dollars(_ value: Double) -> String {
  value == 0 ? "$0" : value < 0.000_05 ? "<$0.0001" : "$\(value.fixed(value < 0.1 ? 4 : 2))"
}

extension Rasa.Leaderboard.Measure {
  var title: String {
    switch self {
    case .score: "SCORE"
    case .success: "SUCCESS RATE"
    case .reward: "POINTS"
    case .cost: "COST/RUN"
    case .speed: "TIME/RUN"
    }
  }

  func text(_ value: Double) -> String {
    switch self {
    case .success: share(value)
    case .reward: value.fixed(0)
    case .cost: dollars(value)
    case .speed: value.fixed(1)
    case .score: figure(value)
    }
  }
}

extension Rasa.Leaderboard.Row {
  /// `2`, or `1-3` where the figures leave open which it is.
  var rankText: String {
    guard let rank else { return "-" }
    guard let bestRank, let worstRank, bestRank < worstRank else { return "\(rank)" }
    return "\(rank) (\(bestRank)-\(worstRank))"
  }

  func figureText(_ measure: Rasa.Leaderboard.Measure) -> String {
    figure.map { measure.text($0.value) } ?? "-"
  }

  func intervalText(_ measure: Rasa.Leaderboard.Measure) -> String {
    guard let figure, let low = figure.low, let high = figure.high else { return "-" }
    return "\(measure.text(low))–\(measure.text(high))"
  }
}

extension Rasa.Leaderboard {

  /// As RFC 4180 has it.
  var csv: String {
    let rows = (document["rows"]?.array ?? []).compactMap(\.object)
    guard let first = rows.first else { return "" }
    let lines =
      [first.map(\.key)]
      + rows.map { row in
        row.map { $0.value.string.map(csvField) ?? $0.value.promptText }
      }
    return lines.map { $0.joined(separator: ",") + "\r\n" }.joined()
  }
}

extension Rasa.Statistics {
  var headline: String {
    let who = agent ?? "all personas and agents"
    var facts = [
      totals.runs == 1 ? "1 run" : "\(totals.runs) runs", "\(totals.done) done",
      "\(totals.failed) failed",
    ]
    if totals.cancelled > 0 { facts.append("\(totals.cancelled) cancelled") }
    if totals.cut > 0 { facts.append("\(totals.cut) cut off") }
    if totals.mock > 0 { facts.append("\(totals.mock) answered by the mock") }
    facts.append(totals.cost.centsText)
    if inFlight > 0 { facts.append("\(inFlight) under way") }
    return "\(who): \(facts.joined(separator: ", "))"
      + (isNew ? " · new: less than seven days" : "")
  }
}

extension Rasa.Statistics.Success {
  var title: String {
    switch name {
    case "routing_accuracy": "routed runs that were a success"
    case "rated": "runs that somebody rated"
    case "score": "score"
    case "cost_per_point": "cost for a point of the score"
    default: "time"
    }
  }

  func text(_ value: Double?) -> String {
    guard let value else { return "-" }
    switch name {
    case "routing_accuracy", "rated": return share(value)
    case "cost_per_point": return dollars(value)
    case "seconds": return "\(value.fixed(1)) s"
    default: return figure(value)
    }
  }

  var verdict: String {
    let wanted =
      aim.map { "above \(share($0))" }
      ?? (name == "score" ? "better than last month" : "less than last month")
    guard let isReached else { return "\(wanted): too little is known" }
    return isReached ? "\(wanted): yes" : "\(wanted): no"
  }
}
