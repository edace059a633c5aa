package import RasaCore

extension Rasa.Route {
  /// What `rasa route --json` prints.
  ///
  /// - Parameter line: The command that runs the choice.
  package func document(running line: String) -> ValueObject {
    [
      "decision": id.map { .string($0) } ?? .null, "agent": .string(chosen.agent),
      "model": .string(chosen.model), "probability": .double(chosen.probability),
      "category": .string(category), "complexity": .int(Int64(complexity)),
      "seed": .int(Int64(clamping: seed)), "explored": .bool(isExplored), "learns": .bool(learns),
      "reason": .string(reason), "command": .string(line),
      "candidates": .array(
        candidates.map { one in
          [
            "agent": .string(one.agent), "model": .string(one.model),
            "is_chosen": .bool(one == chosen), "relevance": .double(one.relevance),
            "success": .orNull(one.success?.value), "low": .orNull(one.success?.low),
            "high": .orNull(one.success?.high),
            "rests_on_runs": .int(Int64(one.success?.runs ?? 0)),
            "succeeded": .int(Int64(one.succeeded)), "other_runs": .int(Int64(one.otherRuns)),
            "other_succeeded": .int(Int64(one.otherSucceeded)),
            "expected_success": .double(one.expectedSuccess), "load": .double(one.load),
            "expected_cost_usd": one.cost.map { .string($0.decimalText) } ?? .null,
            "expected_seconds": .orNull(one.seconds), "penalty": .double(one.penalty),
            "score": .double(one.score), "probability": .double(one.probability),
            "excluded": one.exclusion.map { .string($0) } ?? .null,
          ]
        }),
      "not_considered": .array(
        others.map { ["agent": .string($0.agent), "reason": .string($0.reason)] }),
    ]
  }
}
