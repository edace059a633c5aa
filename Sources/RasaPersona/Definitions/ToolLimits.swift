package import RasaCore

/// How far a model may go with the tools of its operator. Whatever is reached first ends it: the model then answers
/// with what it has.
package struct ToolLimits: Sendable, Hashable {
  /// Turns in which it calls tools.
  package var rounds = 16
  /// Calls in all of them.
  package var calls = 64
  /// Bytes of results that it is shown in all.
  package var bytes = 262_144
  /// Bytes of one result that it is shown at once.
  package var result = 32_768
  /// Tokens of definitions; where there are more, it searches among the tools. Nil for the usual share of the model's
  /// window.
  package var definitions: Int?

  package init() {}

  /// More is never sent unless the operator says so.
  private static let usualDefinitions = 2_000
  /// The part of a window that definitions may take.
  private static let share: Int64 = 10
  /// Where the definitions are no more than this, no model's window matters.
  package static let smallestShare = 400

  /// - Parameter window: the tokens of the model's window; nil where nobody knows.
  package func mostDefinitions(in window: Int64? = nil) -> Int {
    if let definitions { return definitions }
    guard let window else { return Self.usualDefinitions }
    return max(Self.smallestShare, min(Self.usualDefinitions, Int(clamping: window / Self.share)))
  }
}

/// One of the arguments that an operator of kind `tool` gives.
package struct ToolArgument: Sendable {
  package indirect enum Content: Sendable {
    case literal(Value)
    /// The value there, whatever its type.
    case path(StatePath)
    /// A text with values in it.
    case template(Template)
    case object([ToolArgument])
    case list([Content])
  }
  package var name: String
  package var content: Content

  package init(name: String, content: Content) {
    self.name = name
    self.content = content
  }
}

extension ToolArgument.Content {
  /// What it is in a state.
  package func value(_ read: (StatePath) -> Value) -> Value {
    switch self {
    case .literal(let value): value
    case .path(let path): read(path)
    case .template(let template): .string(template.render(read))
    case .object(let members): .object(members.value(read))
    case .list(let elements): .array(elements.map { $0.value(read) })
    }
  }

  package var paths: [StatePath] {
    switch self {
    case .literal: []
    case .path(let path): [path]
    case .template(let template): template.paths
    case .object(let members): members.flatMap(\.content.paths)
    case .list(let elements): elements.flatMap(\.paths)
    }
  }

  /// As the file says it.
  package var source: Value {
    switch self {
    case .literal(let value): value
    case .path(let path): .string("{{\(path)}}")
    case .template(let template): .string(template.source)
    case .object(let members): .object(members.source)
    case .list(let elements): .array(elements.map(\.source))
    }
  }
}

extension [ToolArgument] {
  /// Arguments without a value are left out, as if they had not been given.
  package func value(_ read: (StatePath) -> Value) -> ValueObject {
    ValueObject(
      compactMap { argument in
        let value = argument.content.value(read)
        if case .path = argument.content, value.isNull { return nil }
        return (argument.name, value)
      })
  }

  package var source: ValueObject { ValueObject(map { ($0.name, $0.content.source) }) }
}
