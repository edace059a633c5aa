package import RasaCore
package import RasaEngine

extension ModelRequest {
  /// What the mock answers where a schema is given; nil for a text.
  package var mockValue: Value? { schema.map { MockInstance.value(for: $0, MockPrompt(self)) } }
}

/// A small value that fits a JSON Schema. A schema with a `verdict` to choose is a critic's: it
/// asks for one revision and lets the revised draft pass.
struct MockInstance {
  private static let deepest = 12
  private static let approving = [
    "pass", "approve", "approved", "accept", "accepted", "ok", "good",
  ]
  private static let revising = ["revise", "revision", "rework", "redo"]

  private let root: Value
  private let prompt: MockPrompt
  private let isCritic: Bool

  static func value(for schema: Value, _ prompt: MockPrompt) -> Value {
    let isCritic = schema["properties"]["verdict"]["enum"].array != nil
    return MockInstance(root: schema, prompt: prompt, isCritic: isCritic)
      .value(schema, name: "answer", depth: 0)
  }

  private func value(_ schema: Value, name: String, depth: Int) -> Value {
    guard depth < Self.deepest else { return .null }
    if let constant = schema.object?["const"] { return constant }
    if let options = schema["enum"].array { return choice(options, name: name) }
    if let reference = schema["$ref"].string {
      return value(resolve(reference), name: name, depth: depth + 1)
    }
    for keyword in ["anyOf", "oneOf", "allOf"] {
      if let first = schema[keyword].array?.first {
        return value(first, name: name, depth: depth + 1)
      }
    }
    let type = schema["type"].string ?? schema["type"].array?.first?.string
    switch type ?? (schema["properties"].isNull ? "string" : "object") {
    case "object": return object(schema, depth: depth)
    case "array":
      let least = min(max(schema["minItems"].int ?? 0, 0), 20)
      let most = schema["maxItems"].int ?? 1
      // A critic that is content has nothing to list.
      let wanted: Int64 = isCritic && prompt.showsRevisedDraft ? 0 : 1
      let count = max(least, min(wanted, most))
      return .array(
        (0..<count).map { _ in value(schema["items"], name: name, depth: depth + 1) })
    case "integer": return .int(Int64(exactly: number(schema).rounded(.up)) ?? 0)
    case "number": return .double(number(schema))
    case "boolean": return .bool(isCritic ? prompt.showsRevisedDraft : false)
    case "null": return .null
    default: return .string(text(schema, name: name))
    }
  }

  private func object(_ schema: Value, depth: Int) -> Value {
    var object = ValueObject()
    let required = Set((schema["required"].array ?? []).compactMap(\.string))
    for (name, property) in schema["properties"].object ?? ValueObject() {
      // A schema may contain itself; only what it insists on is followed far down.
      guard depth < 3 || required.contains(name) else { continue }
      object[name] = value(property, name: name, depth: depth + 1)
    }
    for name in required.sorted() where object[name] == nil { object[name] = "made up" }
    return .object(object)
  }

  private func choice(_ options: [Value], name: String) -> Value {
    if isCritic, name == "verdict" {
      let wanted = prompt.showsRevisedDraft ? Self.approving : Self.revising
      for word in wanted where options.contains(.string(word)) { return .string(word) }
    }
    return options.first { $0.string.map(isPreferred) ?? false } ?? options.first ?? .null
  }

  private func isPreferred(_ value: String) -> Bool {
    prompt.preferences.contains { $0.value == value }
  }

  private func number(_ schema: Value) -> Double {
    let least = schema["minimum"].double ?? schema["exclusiveMinimum"].double.map { $0 + 1 }
    let most = schema["maximum"].double ?? schema["exclusiveMaximum"].double.map { $0 - 1 }
    return least ?? most.map { min(1, $0) } ?? 1
  }

  private func text(_ schema: Value, name: String) -> String {
    var text: String
    if isCritic {
      text = prompt.showsRevisedDraft ? "nothing is missing" : MockPrompt.wish
    } else if let known = prompt.preferences.first(where: { $0.key == name })?.value {
      text = known
    } else {
      text = "made-up \(name.map { $0 == "_" ? " " : String($0) }.joined())"
    }
    if let most = schema["maxLength"].int {
      text = String(text.prefix(Int(clamping: max(0, most))))
    }
    let least = min(Int(clamping: schema["minLength"].int ?? 0), 10_000)
    if text.count < least { text += String(repeating: ".", count: least - text.count) }
    return text
  }

  private func resolve(_ reference: String) -> Value {
    reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] }
  }
}
