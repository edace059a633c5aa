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
  /// What a reader has to know of the figures.
  var notes: [String] {
    var notes: [String] = []
    if rows.isEmpty { return notes }
    if askedMeasure != measure {
      notes.append(
        "nobody has judged any of these runs, so they are ranked by success alone: `rasa feedback` rates one"
      )
    }
    let unranked = rows.count { $0.rank == nil }
    if unranked > 0 {
      notes.append(
        "\(unranked == 1 ? "1 has" : "\(unranked) have") no rank: one takes \(rankedFrom) runs"
          + (measure == .score ? ", and a score" : ""))
    }
    let mock = rows.reduce(0) { $0 + $1.totals.mock }
    let all = rows.reduce(0) { $0 + $1.totals.runs }
    if mock > 0 {
      notes.append(
        "the mock answered \(mock) of these \(all) runs: they say nothing about a real model")
    }
    return notes
  }

  var document: ValueObject {
    [
      "by": .string(measure.rawValue), "asked_by": .string(askedMeasure.rawValue),
      "ranked_from_runs": .int(Int64(rankedFrom)),
      "rows": .array(
        rows.map { row in
          var object: ValueObject = [
            "agent": .string(row.agent), "rank": .orNull(row.rank),
            "best_rank": .orNull(row.bestRank), "worst_rank": .orNull(row.worstRank),
            "value": .orNull(row.figure?.value), "low": .orNull(row.figure?.low),
            "high": .orNull(row.figure?.high), "rests_on_runs": .orNull(row.figure?.runs),
            "trend": .string(row.trend),
          ]
          for (key, value) in row.totals.document { object[key] = value }
          return .object(object)
        }),
      "notes": .array(notes.map { .string($0) }),
    ]
  }

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

extension Rasa.RunTotals {
  var document: ValueObject {
    [
      "runs": .int(runs), "done": .int(done), "failed": .int(failed), "cancelled": .int(cancelled),
      "cut": .int(cut), "mock": .int(mock), "success_rate": .orNull(successRate),
      "score": .orNull(score), "scored": .int(scored), "stars": .orNull(stars),
      "rated": .int(rated), "cost_usd": .string(cost.decimalText),
      "mean_cost_usd": .dollars(meanCost), "cost_per_point_usd": .dollars(costPerPoint),
      "mean_seconds": .orNull(seconds), "mean_first_token_seconds": .orNull(firstTokenSeconds),
      "tokens": .int(tokens), "mean_reward": .orNull(reward),
    ]
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

  var document: ValueObject {
    func parts(_ parts: [Part], _ key: String) -> Value {
      .array(
        parts.map { part in
          var object: ValueObject = [
            key: .string(part.name), "since_ms": .int(part.since), "until_ms": .int(part.until),
          ]
          for (key, value) in part.totals.document { object[key] = value }
          return .object(object)
        })
    }
    return [
      "agent": agent.map { .string($0) } ?? .null, "since_ms": .orNull(since),
      "is_new": .bool(isNew), "in_flight": .int(Int64(inFlight)),
      "totals": .object(totals.document), "categories": parts(categories, "category"),
      "models": parts(models, "model"),
      "nodes": .array(
        nodes.map { node in
          [
            "agent": .string(node.agent), "kind": .string(node.kind), "name": .string(node.name),
            "uses": .int(node.uses), "failed": .int(node.failed),
            "mean_seconds": .double(node.seconds), "tokens": .int(node.tokens),
            "cost_usd": .string(node.cost.decimalText),
          ]
        }),
      "success": .array(
        success.map { measure in
          [
            "measure": .string(measure.name), "value": .orNull(measure.value),
            "last_month": .orNull(measure.before), "aim": .orNull(measure.aim),
            "is_reached": measure.isReached.map { .bool($0) } ?? .null,
            "rests_on_runs": .int(measure.runs),
          ]
        }),
    ]
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

extension Rasa.TaskCategory {
  var document: ValueObject {
    [
      "name": .string(name), "description": .string(description), "criteria": .string(criteria),
      "words": .array(words.map { .string($0) }), "agents": .array(agents.map { .string($0) }),
      "is_yours": .bool(isUsers),
    ]
  }
}

extension Value {
  static func orNull(_ number: Int?) -> Value { number.map { .int(Int64($0)) } ?? .null }
  static func orNull(_ number: Int64?) -> Value { number.map { .int($0) } ?? .null }
  static func orNull(_ number: Double?) -> Value { number.map { .double($0) } ?? .null }
  /// A mean, to a millionth of a dollar.
  static func dollars(_ number: Double?) -> Value {
    number.map { .string(Rasa.Dollars(($0 * 1e6).rounded() / 1e6).decimalText) } ?? .null
  }
}
