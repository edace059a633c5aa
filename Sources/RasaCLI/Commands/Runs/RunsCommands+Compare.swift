import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

extension RunsCommands {
  func compare(_ first: String, _ second: String) async throws {
    let left = try await archive.account(of: try await archive.find(first))
    let right = try await archive.account(of: try await archive.find(second))
    guard left.found.id != right.found.id else {
      throw Failure(
        .usage, "\(quoted(first)) and \(quoted(second)) are the same run",
        suggestion: "name two; `rasa runs list` shows them")
    }
    let comparison = RunComparison(
      ComparedRun(timeline: left.timeline, walk: left.walk),
      ComparedRun(timeline: right.timeline, walk: right.walk))
    if print.isJSON {
      try print(comparison.document(left, right))
    } else {
      let text = ComparisonText(
        comparison: comparison, left: left, right: right, style: style, width: print.width,
        others: print.others)
      try print.output.write(text.lines.joined(separator: "\n") + "\n")
    }
    // What could be read has been compared; what could not is still an error.
    if let damage = left.damage ?? right.damage { throw damage }
  }
}

extension RunComparison {
  func document(_ left: RunArchive.Account, _ right: RunArchive.Account) -> Value {
    var object: ValueObject = [
      "a": left.summary, "b": right.summary, "same_steps": .int(Int64(same.count)),
      "knows_prompts": .bool(knowsPrompts),
      "begin": .array(start.map(\.value)),
      "output_equal": isOutputEqual(left, right).map { .bool($0) } ?? .null,
      "parts_at": .null,
    ]
    if let parting {
      object["parts_at"] = [
        "a": parting.left?.document ?? .null, "b": parting.right?.document ?? .null,
        "differences": .array(parting.differences.map(\.value)),
        "steps_after": ["a": .int(Int64(after.left)), "b": .int(Int64(after.right))],
      ]
    }
    return .object(object)
  }

  /// Nil unless both have come to an answer.
  func isOutputEqual(_ left: RunArchive.Account, _ right: RunArchive.Account) -> Bool? {
    guard case .finished(let first) = left.timeline.end,
      case .finished(let second) = right.timeline.end
    else { return nil }
    return first == second
  }
}

extension RunArchive.Account {
  fileprivate var summary: Value {
    let totals = timeline.totals
    return [
      "run": .string(found.id.text), "persona": .string(found.run.record.persona),
      "status": .string(found.run.record.status.rawValue),
      "condition": .string(found.condition.rawValue),
      "calls": .int(Int64(totals.answered)), "reused": .int(Int64(totals.reused)),
      "failed": .int(Int64(totals.failed)), "in_doubt": .int(Int64(totals.doubted)),
      "usage": totals.usage.document,
      "cost_usd": .string(found.run.cost.decimalText),
      "active_ms": .int(timeline.activeMilliseconds),
    ]
  }
}

extension Step {
  fileprivate var document: Value {
    [
      "frame": .string(frame), "visit": .int(Int64(visit)), "operator": .string(operatorName),
      "round": .int(Int64(round)),
    ]
  }
}

extension RunComparison.Difference {
  fileprivate var value: Value {
    ["what": .string(subject.name), "path": .string(subject.path), "a": left, "b": right]
  }
}

extension RunComparison.Subject {
  var name: String {
    switch self {
    case .start: "start"
    case .prompt: "prompt"
    case .schema: "schema"
    case .model: "model"
    case .answer: "answer"
    case .state: "state"
    case .decision: "decision"
    case .path: "path"
    }
  }

  var path: String {
    switch self {
    case .start(let path), .prompt(let path), .state(let path): path
    case .schema, .model, .answer, .decision, .path: ""
    }
  }
}
