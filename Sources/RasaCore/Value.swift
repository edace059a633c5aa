/// A JSON value: in states, in what operators read and write, and in requests.
package enum Value: Sendable, Hashable {
  case null
  case bool(Bool)
  case int(Int64)
  case double(Double)
  case string(String)
  case array([Value])
  case object(ValueObject)
}

extension Value {
  package static let emptyObject = Value.object(ValueObject())

  package var isNull: Bool { self == .null }

  package var bool: Bool? {
    if case .bool(let value) = self { value } else { nil }
  }

  package var string: String? {
    if case .string(let value) = self { value } else { nil }
  }

  package var array: [Value]? {
    if case .array(let value) = self { value } else { nil }
  }

  package var object: ValueObject? {
    if case .object(let value) = self { value } else { nil }
  }

  /// A whole number, also when it was written as `3.0`: servers and YAML files do both.
  package var int: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }

  package var double: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }

  /// The member of that name; null if it is missing or this is no object.
  package subscript(key: String) -> Value {
    if case .object(let object) = self { object[key] ?? .null } else { .null }
  }

  /// The value at a path, or null when any part of it is missing.
  package subscript(path: StatePath) -> Value {
    var value = self
    for component in path.components { value = value[component] }
    return value
  }

  /// The name of the type in schemas and messages.
  package var typeName: String {
    switch self {
    case .null: "null"
    case .bool: "boolean"
    case .int: "integer"
    case .double: "number"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  /// The value in a prompt: text as it is, null as nothing, everything else as JSON.
  package var promptText: String {
    switch self {
    case .null: ""
    case .string(let text): text
    default: json(.pretty, escaping: .onlyNeeded)
    }
  }
}

// No nil literal: it would make `condition ? value : nil` a null where an absence was meant.
extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int64) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(arrayLiteral elements: Value...) { self = .array(elements) }
  package init(dictionaryLiteral elements: (String, Value)...) {
    self = .object(ValueObject(elements))
  }
}

/// A dotted path into the state, such as `critique.verdict`.
package struct StatePath: Sendable, Hashable, CustomStringConvertible {
  package let components: [String]

  package init(_ components: [String]) { self.components = components }
  package init(_ text: String) {
    components = text.split(atByte: ".").map(String.init)
  }

  /// The first component: the key that an operator declares to read or write.
  package var key: String { components.first ?? "" }
  package var description: String { components.joined(separator: ".") }

  /// Whether reading one of the two can see a change of the other.
  package func overlaps(_ other: StatePath) -> Bool {
    zip(components, other.components).allSatisfy { $0 == $1 }
  }
}

extension StatePath: ExpressibleByStringLiteral {
  package init(stringLiteral value: String) { self.init(value) }
}
