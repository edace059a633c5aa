package import RasaCore

extension Schema {
  /// The schema as providers with a strict mode want it: every object closed and every property
  /// required, so an optional one becomes one that may be null. Bounds are left out, because not
  /// every provider takes them; the answer is checked against the schema itself anyway. Nil when
  /// strict mode cannot say it: free-form objects, values of any type, `allOf`.
  ///
  /// What comes back goes through `withoutStrictNulls(_:)` before it is checked.
  package var strictForm: Value? {
    guard case .object(let strict)? = StrictForm.of(source), strict["type"] == "object",
      strict["anyOf"] == nil
    else { return nil }
    return .object(strict)
  }

  /// The value without the nulls that only strict mode asked for.
  package func withoutStrictNulls(_ value: Value) -> Value {
    var removal = StrictNullRemoval(schema: self)
    return removal.value(value, at: 0, depth: 0)
  }
}

private struct StrictNullRemoval {
  let schema: Schema
  /// Alternatives inside alternatives multiply; this bounds what they may cost.
  private var steps = 0

  init(schema: Schema) { self.schema = schema }

  mutating func value(_ value: Value, at index: Int, depth: Int) -> Value {
    steps += 1
    guard steps < 100_000, depth < 256 else { return value }
    let node = schema.nodes[index]
    var value = value
    if let reference = node.reference {
      value = self.value(value, at: reference, depth: depth + 1)
    }
    for alternative in node.anyOf + node.oneOf {
      let candidate = self.value(value, at: alternative, depth: depth + 1)
      if schema.accepts(candidate, at: alternative) {
        value = candidate
        break
      }
    }
    switch value {
    case .array(var elements):
      guard let items = node.items else { return value }
      for position in elements.indices {
        elements[position] = self.value(elements[position], at: items, depth: depth + 1)
      }
      return .array(elements)
    case .object(var object):
      for (name, property) in node.properties {
        guard let member = object[name] else { continue }
        let isOptional = !node.required.contains(name)
        if member.isNull, isOptional, !schema.accepts(.null, at: property) {
          object[name] = nil
        } else {
          object[name] = self.value(member, at: property, depth: depth + 1)
        }
      }
      return .object(object)
    default: return value
    }
  }
}

private enum StrictForm {
  static func of(_ schema: Value) -> Value? {
    guard let schema = schema.object, schema["allOf"] == nil else { return nil }
    var strict = ValueObject()
    for keyword in ["description", "type", "enum", "const", "$ref"] {
      strict[keyword] = schema[keyword]
    }
    for keyword in ["$defs", "definitions"] {
      guard let definitions = schema[keyword]?.object else { continue }
      guard let members = map(definitions, of) else { return nil }
      strict[keyword] = .object(members)
    }
    if let alternatives = (schema["anyOf"] ?? schema["oneOf"])?.array {
      let forms = alternatives.compactMap(of)
      guard forms.count == alternatives.count else { return nil }
      strict["anyOf"] = .array(forms)
    }
    if isOrContains(strict["type"], "object"), schema["$ref"] == nil {
      guard let properties = schema["properties"]?.object,
        (schema["additionalProperties"] ?? false) == false
      else { return nil }
      let required = Set(schema["required"]?.array?.compactMap(\.string) ?? [])
      var members = ValueObject()
      for (name, property) in properties {
        guard let form = of(property) else { return nil }
        members[name] = required.contains(name) ? form : nullable(form)
      }
      strict["properties"] = .object(members)
      strict["required"] = .array(properties.keys.map { .string($0) })
      strict["additionalProperties"] = false
    }
    if isOrContains(strict["type"], "array") {
      guard let items = schema["items"], let form = of(items) else { return nil }
      strict["items"] = form
    }
    let saysWhat = ["type", "enum", "const", "$ref", "anyOf"].contains { strict[$0] != nil }
    guard saysWhat else { return nil }
    return schema["nullable"] == true ? nullable(.object(strict)) : .object(strict)
  }

  private static func map(_ object: ValueObject, _ body: (Value) -> Value?) -> ValueObject? {
    var mapped = ValueObject()
    for (name, member) in object {
      guard let value = body(member) else { return nil }
      mapped[name] = value
    }
    return mapped
  }

  private static func nullable(_ schema: Value) -> Value {
    guard var object = schema.object else { return schema }
    if isOrContains(object["type"], "null") { return schema }
    if let type = object["type"], object["const"] == nil {
      object["type"] = .array((type.array ?? [type]) + ["null"])
      if let values = object["enum"]?.array { object["enum"] = .array(values + [.null]) }
      return .object(object)
    }
    if let alternatives = object["anyOf"]?.array, object["$ref"] == nil {
      object["anyOf"] = .array(alternatives + [["type": "null"]])
      return .object(object)
    }
    return ["anyOf": [schema, ["type": "null"]]]
  }

  private static func isOrContains(_ type: Value?, _ name: Value) -> Bool {
    type == name || type?.array?.contains(name) == true
  }
}
