import RasaCore
import RasaSystem

/// Text of a declaration with arguments as `{name}` and variables as `${NAME}`.
///
/// Braces around anything but the name of an argument are text, as in GraphQL.
struct ArgumentTemplate: Sendable, Hashable {
  enum Part: Sendable, Hashable {
    case text(String)
    case argument(String)
    case variable(VariableTemplate.Variable)
  }

  var parts: [Part]

  init(_ parts: [Part]) { self.parts = parts }

  /// - Parameter known: the names that are arguments; nil for all.
  init(
    _ text: String, known: Set<String>? = nil, of owner: String, at location: SourceLocation?
  ) throws(Failure) {
    let variables = try VariableTemplate(text, of: owner, at: location)
    parts = variables.parts.flatMap { part -> [Part] in
      switch part {
      case .text(let text): Self.split(text, known)
      case .variable(let variable): [.variable(variable)]
      }
    }
  }

  private static func split(_ text: String, _ known: Set<String>?) -> [Part] {
    var parts: [Part] = []
    var literal: [UInt8] = []
    var rest = Array(text.utf8)[...]
    func flush() {
      guard !literal.isEmpty else { return }
      parts.append(.text(String(decoding: literal, as: UTF8.self)))
      literal = []
    }
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")),
        isName(rest[..<end]),
        known?.contains(String(decoding: rest[..<end], as: UTF8.self)) ?? true
      {
        flush()
        parts.append(.argument(String(decoding: rest[..<end], as: UTF8.self)))
        rest = rest[(end + 1)...]
      } else {
        literal.append(byte)
      }
    }
    flush()
    return parts
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first, isWordByte(first), !(48...57).contains(first) else {
      return false
    }
    return bytes.allSatisfy(isWordByte)
  }

  var arguments: [String] {
    parts.compactMap { if case .argument(let name) = $0 { name } else { nil } }
  }
  var variables: [String] {
    parts.compactMap { if case .variable(let variable) = $0 { variable.name } else { nil } }
  }
  /// The argument that is all of it.
  var onlyArgument: String? {
    if parts.count == 1, case .argument(let name) = parts[0] { name } else { nil }
  }
}

/// An argument that does not fit where the declaration puts it: for the one who gave it.
struct UnfitArgument: Error, Hashable {
  var message: String
  init(_ message: String) { self.message = message }
}

/// The arguments of one use.
struct ArgumentValues {
  let values: ValueObject

  /// Nil for one that is missing or null.
  subscript(name: String) -> Value? {
    guard let value = values[name], !value.isNull else { return nil }
    return value
  }

  /// As it stands in text: numbers and truth values as JSON writes them.
  func text(_ name: String) throws(UnfitArgument) -> String {
    guard let value = self[name] else { throw UnfitArgument("the argument `\(name)` is missing") }
    return Self.text(value)
  }

  static func text(_ value: Value) -> String {
    value.string ?? value.json(.compact, escaping: .onlyNeeded)
  }
}

/// A JSON body, compiled once: arguments keep their type where a text is nothing but `{name}`.
indirect enum BodyTemplate: Sendable, Hashable {
  case literal(Value)
  case text(ArgumentTemplate, owner: String)
  case array([BodyTemplate])
  case object([Member])

  struct Member: Sendable, Hashable {
    var name: String
    var value: BodyTemplate
  }

  init(
    _ value: Value, known: Set<String>, of owner: String, at location: SourceLocation?
  ) throws(Failure) {
    switch value {
    case .string(let text):
      let template = try ArgumentTemplate(text, known: known, of: owner, at: location)
      self = .text(template, owner: owner)
    case .array(let elements):
      var parts: [BodyTemplate] = []
      for element in elements {
        parts.append(try BodyTemplate(element, known: known, of: owner, at: location))
      }
      self = .array(parts)
    case .object(let object):
      var members: [Member] = []
      for (name, value) in object {
        members.append(
          Member(name: name, value: try BodyTemplate(value, known: known, of: owner, at: location)))
      }
      self = .object(members)
    default: self = .literal(value)
    }
  }

  var templates: [ArgumentTemplate] {
    switch self {
    case .literal: []
    case .text(let template, _): [template]
    case .array(let parts): parts.flatMap(\.templates)
    case .object(let members): members.flatMap(\.value.templates)
    }
  }

  /// Nil where the argument that is all of it is missing: the member is left out then.
  func value(_ arguments: ArgumentValues, _ environment: Environment) throws -> Value? {
    switch self {
    case .literal(let value): return value
    case .text(let template, let owner):
      if let name = template.onlyArgument { return arguments[name] }
      var text = ""
      for part in template.parts {
        switch part {
        case .text(let literal): text += literal
        case .argument(let name): text += try arguments.text(name)
        case .variable(let variable): text += try variable.value(environment, of: owner, at: nil)
        }
      }
      return .string(text)
    case .array(let parts):
      return .array(try parts.compactMap { try $0.value(arguments, environment) })
    case .object(let members):
      var object = ValueObject()
      for member in members { object[member.name] = try member.value.value(arguments, environment) }
      return .object(object)
    }
  }
}
