package import RasaCore
import RasaEngine
package import RasaPersona

/// What a server offers that it did not offer when it was approved, and the other way round.
package struct PinDifference: Sendable, Hashable {
  package struct Change: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
      case added, removed, title, description, parameters, output, annotations, instructions
    }
    /// Nil for what concerns the whole server.
    package var tool: String?
    package var kind: Kind
    /// Nil for what was not there, or is not there now.
    package var before: Value?
    package var now: Value?
  }

  package private(set) var changes: [Change] = []
  package var isEmpty: Bool { changes.isEmpty }

  package init(from approved: ServerOffer, to offered: ServerOffer) {
    func text(_ text: String?) -> Value { text.map { .string($0) } ?? .null }
    func compare(_ kind: Change.Kind, of tool: String?, _ before: Value, _ now: Value) {
      guard !Self.isSame(before, now) else { return }
      changes.append(
        Change(
          tool: tool, kind: kind, before: before.isNull ? nil : before, now: now.isNull ? nil : now)
      )
    }
    let old = Dictionary(approved.tools.map { ($0.name, $0) }) { first, _ in first }
    let new = Dictionary(offered.tools.map { ($0.name, $0) }) { first, _ in first }
    compare(.instructions, of: nil, text(approved.instructions), text(offered.instructions))
    for name in Set(old.keys).union(new.keys).sorted() {
      switch (old[name], new[name]) {
      case (nil, let tool?):
        changes.append(Change(tool: name, kind: .added, before: nil, now: .object(tool.value)))
      case (let tool?, nil):
        changes.append(Change(tool: name, kind: .removed, before: .object(tool.value), now: nil))
      case (let before?, let now?):
        compare(.title, of: name, text(before.title), text(now.title))
        compare(.description, of: name, text(before.text), text(now.text))
        compare(.parameters, of: name, before.parameters, now.parameters)
        compare(.output, of: name, before.output ?? .null, now.output ?? .null)
        compare(.annotations, of: name, before.annotations ?? .null, now.annotations ?? .null)
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
      let tool = change.tool.map { "`\($0)`" } ?? "the server"
      return switch change.kind {
      case .added: ["\(tool) is new: \(Self.shortened(change.now?["description"] ?? .null))"]
      case .removed: ["\(tool) is gone"]
      default:
        Self.lines(
          from: change.before ?? .null, to: change.now ?? .null,
          in: "\(change.kind.rawValue) of \(tool)")
      }
    }
  }

  /// The members that differ, each with both values.
  package static func lines(from old: Value, to new: Value, in place: String) -> [String] {
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
      suggestion: "if you trust the change, `\(declaration.commandLine("approve"))` approves it",
      at: declaration.location, details: lines)
    failure.reason = Failure.changedServer
    return failure
  }

  package var value: Value {
    .array(
      changes.map { change in
        [
          "tool": change.tool.map { .string($0) } ?? .null, "change": .string(change.kind.rawValue),
          "before": change.before ?? .null, "now": change.now ?? .null,
        ]
      })
  }
}
