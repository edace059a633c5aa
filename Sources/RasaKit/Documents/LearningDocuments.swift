package import RasaCore

// How runs went, as programs read it.

extension Rasa.Leaderboard {
  /// What a reader has to know of the figures.
  package var notes: [String] {
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

  package var document: ValueObject {
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
}

extension Rasa.RunTotals {
  package var document: ValueObject {
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
  package var document: ValueObject {
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

extension Rasa.TaskCategory {
  package var document: ValueObject {
    [
      "name": .string(name), "description": .string(description), "criteria": .string(criteria),
      "words": .array(words.map { .string($0) }), "agents": .array(agents.map { .string($0) }),
      "is_yours": .bool(isUsers),
    ]
  }
}

extension Rasa.RunReport {
  package var document: ValueObject {
    func named(_ values: [String: Double]) -> Value {
      .object(ValueObject(values.sorted { $0.key < $1.key }.map { ($0.key, .double($0.value)) }))
    }
    return [
      "run": .string(run), "agent": .string(agent), "category": .string(category),
      "complexity": .int(Int64(complexity)), "status": .string(status), "finish": .string(finish),
      "model": .string(model), "is_mock": .bool(isMock), "temperature": .orNull(temperature),
      "input_tokens": .int(inputTokens), "output_tokens": .int(outputTokens),
      "cost_usd": .string(cost.decimalText), "is_cost_known": .bool(isCostKnown),
      "seconds": .double(seconds), "first_token_seconds": .orNull(firstTokenSeconds),
      "criteria": named(criteria), "efficiency": .double(efficiency), "score": .orNull(score),
      "basis": .string(basis), "is_success": isSuccess.map { .bool($0) } ?? .null,
      "cost_per_point_usd": .dollars(costPerPoint), "stars": .orNull(stars),
      "comment": .string(comment), "peers": .orNull(peers), "reward": .int(Int64(reward)),
      "terms": .array(
        terms.map {
          ["name": .string($0.name), "points": .double($0.points), "reason": .string($0.reason)]
        }),
      "nodes": .array(
        nodes.map {
          [
            "kind": .string($0.kind), "name": .string($0.name), "seconds": .double($0.seconds),
            "tokens": .int($0.tokens), "cost_usd": .string($0.cost.decimalText),
            "error": $0.error.map { .string($0) } ?? .null,
          ]
        }),
      "evaluations": .array(
        evaluations.map {
          [
            "kind": .string($0.kind), "name": .string($0.name), "model": .string($0.model),
            "score": .orNull($0.score), "criteria": named($0.criteria),
            "feedback": .string($0.feedback), "cost_usd": .string($0.cost.decimalText),
          ]
        }),
      "ended_at_ms": .int(endedAt),
    ]
  }
}

extension Rasa.Alert {
  package var document: ValueObject {
    [
      "kind": .string(kind), "agent": .string(agent), "subject": .string(subject),
      "before": .double(before), "after": .double(after), "runs_before": .int(Int64(runsBefore)),
      "runs_after": .int(Int64(runsAfter)), "p": .double(p),
    ]
  }
}
