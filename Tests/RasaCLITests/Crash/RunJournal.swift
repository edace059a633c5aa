import RasaCore
import RasaDocuments

/// A run as `rasa runs events` tells it.
struct RunJournal: Sendable {
  var lines: [Value]

  init(_ text: String) throws {
    // After the lines of the journal may come one that tells of an error.
    lines = try text.split(separator: "\n").map { try JSON.parse(String($0)) }
      .filter { !$0["sequence"].isNull }
  }

  func lines(of kind: String) -> [Value] { lines.filter { $0["kind"].string == kind } }

  var isContiguous: Bool {
    lines.enumerated().allSatisfy { $0.element["sequence"].int == Int64($0.offset + 1) }
  }

  /// What operators wrote, the last word on each path.
  var state: [String: Value] {
    var state: [String: Value] = [:]
    for line in lines(of: "operator.finished") {
      for update in line["body"]["outcome"]["wrote"].array ?? [] {
        guard let path = update["path"].string else { continue }
        state[path] = path == "context.memories" ? known(update["value"]) : update["value"]
      }
    }
    return state
  }

  /// When something was remembered, and how recent that is, is another moment on each journey.
  private func known(_ memories: Value) -> Value {
    .array(
      (memories.array ?? []).map { ["text": $0["text"], "kind": $0["kind"], "trust": $0["trust"]] })
  }

  var output: Value? { lines(of: "run.finished").first?["body"]["output"] }

  /// The lines that end a call's attempt, and the money that each of them says.
  private static let ends: Set<String> = ["call.result", "call.failed", "call.uncertain"]

  var cost: Money {
    lines.filter { Self.ends.contains($0["kind"].string ?? "") }
      .compactMap { $0["body"]["cost"].string.flatMap { Money(decimal: $0) } }.reduce(.zero, +)
  }

  /// Attempts that have an intent and no end.
  var open: Set<String> {
    var open: Set<String> = []
    for line in lines {
      let body = line["body"]
      guard let attempt = body["reservation"].string ?? body["attempt"].string else { continue }
      switch line["kind"].string?.split(separator: ".").last {
      case "intent": open.insert(attempt)
      case "result", "failed", "uncertain": open.remove(attempt)
      default: break
      }
    }
    return open
  }

  /// How often a tool may have been used: once, and once more for each decision to try it again.
  var allowedUses: Int {
    let again = lines(of: "tool.uncertain").count { $0["body"]["decision"] == "retry" }
    return min(1, lines(of: "tool.intent").count) + again
  }

  /// How often a person decided about an attempt of the tool.
  var decidedUses: Int {
    lines(of: "human.answered").count {
      let key = $0["key"].string ?? ""
      return key.contains("/tool:note_down") && key.contains(".uncertain")
    }
  }

  /// How often each hook may have been asked, by the name of the question: once, and once more for each time that a
  /// process died over it.
  var hookIntents: [String: Int] {
    lines(of: "hook.intent").compactMap { $0["body"]["idempotency"].string }
      .reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  /// Hooks that were asked although their answer was on record.
  var hooksAskedAgain: [String] {
    var answered: Set<String> = []
    return lines.compactMap { line in
      guard let key = line["key"].string else { return nil }
      switch line["kind"] {
      case "hook.result": answered.insert(key)
      case "hook.intent" where answered.contains(key): return key
      default: break
      }
      return nil
    }
  }

  /// The places of effects that have more than one result: paid for twice.
  var repeated: [String] {
    let keys = ["call.result", "tool.result", "hook.result", "human.answered"].flatMap {
      lines(of: $0)
    }
    .compactMap(\.["key"].string)
    return Dictionary(grouping: keys, by: \.self).filter { $0.value.count > 1 }.map(\.key).sorted()
  }

  /// What the provider was told, so that it knows a request again, for every call of an effect that
  /// has a result.
  var answeredKeys: Set<String> {
    let answered = Set(lines(of: "call.result").compactMap(\.["key"].string))
    return keys { answered.contains($0["key"].string ?? "") }
  }

  var intendedKeys: Set<String> { keys { _ in true } }

  /// A call is known by its reservation, unless it repeats an earlier one.
  private func keys(where isMeant: (Value) -> Bool) -> Set<String> {
    Set(
      lines(of: "call.intent").filter(isMeant)
        .compactMap { $0["body"]["idempotency"].string ?? $0["body"]["reservation"].string })
  }

  /// Whether the other journal is this one with more lines.
  func isBeginning(of other: RunJournal) -> Bool { other.lines.starts(with: lines) }
}
