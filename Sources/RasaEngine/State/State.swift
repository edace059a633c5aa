package import RasaCore
package import RasaPersona

/// What a run knows: input, preferences, metadata, context, and the keys operators wrote.
package struct State: Sendable, Hashable {
  private var values: [String: Value]
  /// Beside the metadata's numbers, how they are written: what prompts say.
  var metadataAsWritten = ValueObject()

  package init(_ values: [String: Value] = [:]) { self.values = values }

  /// Keys that the runtime itself provides, so that nobody has to write them.
  package static let provided: Set<String> = [
    "input", "preferences", "metadata", "persona", "context", "feedback",
  ]
  /// All that an operator in a stateless frame sees.
  package static let stateless: Set<String> = ["input", "preferences", "metadata"]

  package subscript(path: StatePath) -> Value {
    guard var value = values[path.key] else { return .null }
    for component in path.components.dropFirst() { value = value[component] }
    return value
  }

  package mutating func write(_ value: Value, at path: StatePath) {
    if path.components.count == 1 {
      values[path.key] = value
    } else {
      values[path.key] = State.replacing(
        path.components.dropFirst(), in: values[path.key] ?? .null, with: value)
    }
  }

  private static func replacing(
    _ components: ArraySlice<String>, in container: Value, with value: Value
  ) -> Value {
    guard let first = components.first else { return value }
    var object = container.object ?? ValueObject()
    object[first] = replacing(components.dropFirst(), in: object[first] ?? .null, with: value)
    return .object(object)
  }

  package mutating func apply(_ updates: [Update]) {
    for update in updates { write(update.value, at: update.path) }
  }

  /// The state as a value, keys sorted.
  package var value: Value {
    .object(ValueObject(values.keys.sorted().map { ($0, values[$0] ?? .null) }))
  }

  /// Reads with the eyes of an operator in a frame of this kind.
  package func reader(in kind: FrameKind) -> (StatePath) -> Value {
    { path in
      if kind == .stateless, !State.stateless.contains(path.key) { return .null }
      return self[path]
    }
  }
}

extension State {
  /// Reads what a prompt says: as `reader(in:)`, with the metadata as it is written.
  package func promptReader(in kind: FrameKind) -> (StatePath) -> Value {
    let read = reader(in: kind)
    let written: Value = ["metadata": .object(metadataAsWritten)]
    return { path in
      let spelled = path.key == "metadata" ? written[path] : .null
      return spelled.isNull ? read(path) : spelled
    }
  }
}

/// One change of the state.
package struct Update: Sendable, Hashable {
  package var path: StatePath
  package var value: Value
  package init(_ path: StatePath, _ value: Value) {
    self.path = path
    self.value = value
  }
}

extension StatePath {
  static let input: StatePath = "input"
  static let preferences: StatePath = "preferences"
  static let conversation: StatePath = "context.session"
  static let memories: StatePath = "context.memories"
  static let remembered: StatePath = "context.remembered"
  static let draft: StatePath = "draft"
  static let output: StatePath = "output"
}
