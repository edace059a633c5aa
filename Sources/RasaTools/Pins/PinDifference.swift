package import RasaCore
package import RasaPersona

/// What a server offers that it did not offer when it was approved, and the other way round.
package struct PinDifference: Sendable, Hashable {
  package struct Change: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
      case added, removed, description, parameters, output
    }
    package var tool: String
    package var kind: Kind
    /// Nil for what was not there, or is not there now.
    package var before: Value?
    package var now: Value?
  }

  package private(set) var changes: [Change] = []
  package var isEmpty: Bool { changes.isEmpty }

  package init(from approved: [PinnedTool], to offered: [PinnedTool]) {
    let old = Dictionary(approved.map { ($0.name, $0) }) { first, _ in first }
    let new = Dictionary(offered.map { ($0.name, $0) }) { first, _ in first }
    for name in Set(old.keys).union(new.keys).sorted() {
      switch (old[name], new[name]) {
      case (nil, let tool?):
        changes.append(Change(tool: name, kind: .added, before: nil, now: .object(tool.value)))
      case (let tool?, nil):
        changes.append(Change(tool: name, kind: .removed, before: .object(tool.value), now: nil))
      case (let before?, let now?):
        if before.text != now.text {
          changes.append(
            Change(
              tool: name, kind: .description, before: .string(before.text), now: .string(now.text)))
        }
        if !Self.isSame(before.parameters, now.parameters) {
          changes.append(
            Change(tool: name, kind: .parameters, before: before.parameters, now: now.parameters))
        }
        if !Self.isSame(before.output ?? .null, now.output ?? .null) {
          changes.append(Change(tool: name, kind: .output, before: before.output, now: now.output))
        }
      case (nil, nil): break
      }
    }
  }

  /// Whatever the order of members.
  private static func isSame(_ one: Value, _ other: Value) -> Bool {
    one == other || one.jsonBytes(.canonical) == other.jsonBytes(.canonical)
  }

  /// A line for each change, for people.
  package var lines: [String] {
    changes.flatMap { change -> [String] in
      switch change.kind {
      case .added:
        ["`\(change.tool)` is new: \(Self.shortened(change.now?["description"] ?? .null))"]
      case .removed: ["`\(change.tool)` is gone"]
      default:
        Self.lines(
          from: change.before ?? .null, to: change.now ?? .null,
          in: "\(change.kind.rawValue) of `\(change.tool)`")
      }
    }
  }

  /// The members that differ, each with both values.
  static func lines(from old: Value, to new: Value, in place: String) -> [String] {
    if isSame(old, new) { return [] }
    guard let before = old.object, let now = new.object else {
      return ["\(place) was: \(shortened(old))", "\(place) is now: \(shortened(new))"]
    }
    var keys = before.map { $0.0 }
    for (key, _) in now where before[key] == nil { keys.append(key) }
    return keys.flatMap { key in
      lines(from: before[key] ?? .null, to: now[key] ?? .null, in: "\(place), \(key)")
    }
  }

  /// All of a text: an instruction may hide at its end.
  private static func shortened(_ value: Value) -> String {
    value.isNull
      ? "nothing" : (value.string ?? value.json()).printable(atMost: 4_000, ellipsis: "…")
  }

  package func refusal(of declaration: ToolDeclaration) -> Failure {
    var failure = Failure(
      .approval, "what the server `\(declaration.name)` offers has changed since it was approved",
      suggestion: "if you trust the change, `rasa tools approve \(declaration.name)` approves it",
      at: declaration.location, details: lines)
    failure.reason = "tools"
    return failure
  }

  package var value: Value {
    .array(
      changes.map { change in
        [
          "tool": .string(change.tool), "change": .string(change.kind.rawValue),
          "before": change.before ?? .null, "now": change.now ?? .null,
        ]
      })
  }
}
