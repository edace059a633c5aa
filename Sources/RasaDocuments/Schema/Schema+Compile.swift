package import RasaCore

extension Schema {
  package static func compile(_ value: Value) throws(Failure) -> Schema {
    var compiler = SchemaCompiler(root: value)
    try compiler.run()
    return Schema(source: value, warnings: compiler.warnings, nodes: compiler.nodes)
  }
}

/// Works through a list of places instead of recursing, so that neither a deep schema nor a long
/// chain of references can exhaust the stack.
private struct SchemaCompiler {
  let root: Value
  var nodes: [Schema.Node] = []
  var warnings: [String] = []
  private var indexes: [String: Int] = [:]
  private var due: [(index: Int, value: Value, pointer: String)] = []
  private static let nodeLimit = 10_000

  /// Keywords that do not constrain values.
  private static let annotations: Set<String> = [
    "title", "description", "default", "examples", "example", "$schema", "$id", "$comment",
    "$defs", "definitions", "format", "deprecated", "readOnly", "writeOnly",
  ]

  init(root: Value) { self.root = root }

  mutating func run() throws(Failure) {
    _ = try index(of: root, at: "#")
    while let next = due.popLast() {
      nodes[next.index] = try node(next.value, at: next.pointer)
    }
  }

  /// The index that the schema at this pointer has or will have.
  private mutating func index(of value: Value, at pointer: String) throws(Failure) -> Int {
    if let index = indexes[pointer] { return index }
    guard nodes.count < Self.nodeLimit else {
      throw Failure(
        .configuration, "the schema has more than \(Self.nodeLimit) parts",
        suggestion: "simplify it")
    }
    let index = nodes.count
    nodes.append(Schema.Node())
    indexes[pointer] = index
    due.append((index, value, pointer))
    return index
  }

  private mutating func node(
    _ value: Value, at pointer: String
  ) throws(Failure) -> Schema.Node {
    var node = Schema.Node()
    if let flag = value.bool {
      node.isNever = !flag
      return node
    }
    guard let object = value.object else {
      throw failure("a schema is an object or a boolean, not \(value.typeName)", at: pointer)
    }
    for (keyword, value) in object {
      try apply(keyword, value, to: &node, at: pointer)
    }
    return node
  }

  private mutating func apply(
    _ keyword: String, _ value: Value, to node: inout Schema.Node, at pointer: String
  ) throws(Failure) {
    let place = "\(pointer)/\(escape(keyword))"
    switch keyword {
    case "type": node.types = try types(value, at: place)
    case "nullable": node.isNullable = value.bool ?? false
    case "enum": node.enumeration = try array(value, at: place)
    case "const": node.enumeration = [value]
    case "properties":
      guard let object = value.object else { throw mismatch("an object", value, at: place) }
      for (name, schema) in object {
        let index = try index(of: schema, at: "\(place)/\(escape(name))")
        node.properties.append((name, index))
      }
    case "required":
      for name in try array(value, at: place) {
        guard let name = name.string else { throw mismatch("a list of names", value, at: place) }
        node.required.append(name)
      }
    case "additionalProperties":
      switch value.bool {
      case true: node.additional = .allowed
      case false: node.additional = .refused
      case nil: node.additional = .checked(try index(of: value, at: place))
      }
    case "items": node.items = try index(of: value, at: place)
    case "minimum": node.minimum = try number(value, at: place)
    case "maximum": node.maximum = try number(value, at: place)
    case "exclusiveMinimum": node.exclusiveMinimum = try number(value, at: place)
    case "exclusiveMaximum": node.exclusiveMaximum = try number(value, at: place)
    case "minLength": node.lengths = try range(value, nil, node.lengths, at: place)
    case "maxLength": node.lengths = try range(nil, value, node.lengths, at: place)
    case "minItems": node.counts = try range(value, nil, node.counts, at: place)
    case "maxItems": node.counts = try range(nil, value, node.counts, at: place)
    case "allOf": node.allOf = try schemas(value, at: place)
    case "anyOf": node.anyOf = try schemas(value, at: place)
    case "oneOf": node.oneOf = try schemas(value, at: place)
    case "$ref": node.reference = try reference(value, at: place)
    default:
      if !Self.annotations.contains(keyword), !keyword.hasPrefix("x-") {
        warnings.append("\(place): '\(keyword)' is not checked")
      }
    }
  }
}

// MARK: Keywords

extension SchemaCompiler {
  private func types(_ value: Value, at place: String) throws(Failure) -> [Schema.ValueType] {
    var types: [Schema.ValueType] = []
    for name in value.array ?? [value] {
      guard let text = name.string else { throw mismatch("the name of a type", name, at: place) }
      guard let type = Schema.ValueType(rawValue: text) else {
        let names = Schema.ValueType.allCases.map(\.rawValue)
        let nearest = nearestName(to: text, among: names)
        throw failure(
          "unknown type '\(text)'", at: place,
          suggestion: nearest.map { "did you mean '\($0)'?" }
            ?? "the types are \(names.joined(separator: ", "))")
      }
      types.append(type)
    }
    return types
  }

  private func array(_ value: Value, at place: String) throws(Failure) -> [Value] {
    guard let array = value.array else { throw mismatch("an array", value, at: place) }
    return array
  }

  private func number(_ value: Value, at place: String) throws(Failure) -> Value {
    guard value.double != nil else { throw mismatch("a number", value, at: place) }
    return value
  }

  private func range(
    _ low: Value?, _ high: Value?, _ present: ClosedRange<Int>?, at place: String
  ) throws(Failure) -> ClosedRange<Int> {
    let bound = low ?? high ?? .null
    guard let number = bound.int, number >= 0 else {
      throw mismatch("a whole number from 0", bound, at: place)
    }
    let limit = Int(clamping: number)
    let lowest = low == nil ? (present?.lowerBound ?? 0) : limit
    let highest = high == nil ? (present?.upperBound ?? .max) : limit
    guard lowest <= highest else {
      throw failure("the minimum \(lowest) is greater than the maximum \(highest)", at: place)
    }
    return lowest...highest
  }

  private mutating func schemas(_ value: Value, at place: String) throws(Failure) -> [Int] {
    var indexes: [Int] = []
    for (position, schema) in try array(value, at: place).enumerated() {
      indexes.append(try index(of: schema, at: "\(place)/\(position)"))
    }
    if indexes.isEmpty { throw mismatch("a list of schemas", value, at: place) }
    return indexes
  }

  private mutating func reference(_ value: Value, at place: String) throws(Failure) -> Int {
    guard let pointer = value.string, pointer == "#" || pointer.hasPrefix("#/") else {
      throw failure(
        "only references inside the schema, such as '#/$defs/name', can be followed", at: place,
        suggestion: "put the schema under '$defs'")
    }
    var target = root
    for part in pointer.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      let name = unescape(part)
      if let elements = target.array, let position = Int(name), elements.indices.contains(position)
      {
        target = elements[position]
      } else if let member = target.object?[name] {
        target = member
      } else {
        throw failure("nothing is defined at '\(pointer)'", at: place)
      }
    }
    return try index(of: target, at: pointer)
  }

  private func escape(_ name: String) -> String {
    String(name.flatMap { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) })
  }

  private func unescape(_ part: Substring) -> String {
    var name = ""
    var isEscaped = false
    for character in part {
      if isEscaped {
        name += character == "1" ? "/" : character == "0" ? "~" : "~\(character)"
        isEscaped = false
      } else if character == "~" {
        isEscaped = true
      } else {
        name.append(character)
      }
    }
    return isEscaped ? name + "~" : name
  }

  private func mismatch(_ expected: String, _ value: Value, at place: String) -> Failure {
    failure("expected \(expected), got \(value.typeName)", at: place)
  }

  private func failure(_ message: String, at pointer: String, suggestion: String = "") -> Failure {
    Failure(.configuration, "the schema is wrong at \(pointer): \(message)", suggestion: suggestion)
  }
}
