import RasaCore

/// The smallest value that satisfies a JSON Schema, as far as scripted answers need it: what a
/// model that follows its schema would return.
struct SchemaAnswer {
  /// Used for the first unrestricted text, so that an answer can be made long.
  private var filler: String?
  private let root: Value

  private init(root: Value, filler: String?) {
    self.root = root
    self.filler = filler
  }

  static func value(for schema: Value, filler: String? = nil) -> Value {
    var answer = SchemaAnswer(root: schema, filler: filler)
    return answer.value(schema, depth: 0)
  }

  private mutating func value(_ schema: Value, depth: Int) -> Value {
    guard depth < 32 else { return .null }
    if schema["const"] != .null { return schema["const"] }
    if let first = schema["enum"].array?.first { return first }
    if schema["default"] != .null { return schema["default"] }
    if let reference = schema["$ref"].string { return value(resolve(reference), depth: depth + 1) }
    for keyword in ["anyOf", "oneOf", "allOf"] {
      if let first = schema[keyword].array?.first { return value(first, depth: depth + 1) }
    }
    let type = schema["type"].string ?? schema["type"].array?.first?.string
    switch type ?? (schema["properties"].isNull ? "string" : "object") {
    case "object": return object(schema, depth: depth)
    case "array":
      let count = min(max(0, schema["minItems"].int ?? 0), 100)
      return .array((0..<count).map { _ in value(schema["items"], depth: depth + 1) })
    case "integer": return .int(Int64(exactly: number(schema).rounded()) ?? 0)
    case "number": return .double(number(schema))
    case "boolean": return true
    case "null": return .null
    default: return .string(text(schema))
    }
  }

  private mutating func object(_ schema: Value, depth: Int) -> Value {
    var object = ValueObject()
    for name in schema["properties"].object?.keys ?? [] {
      object[name] = value(schema["properties"][name], depth: depth + 1)
    }
    return .object(object)
  }

  private func number(_ schema: Value) -> Double {
    schema["minimum"].double ?? schema["exclusiveMinimum"].double.map { $0 + 1 }
      ?? min(1, schema["maximum"].double ?? 1)
  }

  private mutating func text(_ schema: Value) -> String {
    var text = filler ?? "text"
    filler = nil
    if let limit = schema["maxLength"].int { text = String(text.prefix(Int(clamping: limit))) }
    let least = min(Int(clamping: schema["minLength"].int ?? 0), 10_000)
    while text.count < least { text += "x" }
    return text
  }

  private func resolve(_ reference: String) -> Value {
    reference.split(separator: "/").dropFirst().reduce(root) { $0[String($1)] }
  }
}
