import RasaCore
import RasaEngine

/// How an answer's schema reaches a model that cannot be held to it, and how it has to be worded for
/// one that can.
enum StructuredOutput {
  /// The prompt says it instead, and the caller checks the answer.
  static func instruct(_ messages: [ChatMessage], _ schema: Value) -> [ChatMessage] {
    let instruction =
      "Answer with one JSON object and nothing else. It has to fit this JSON Schema:\n"
      + schema.json()
    var messages = messages
    if let index = messages.firstIndex(where: { $0.role == .system }) {
      messages[index].text += "\n\n" + instruction
    } else {
      messages.insert(ChatMessage(.system, instruction), at: 0)
    }
    return messages
  }

  /// Whether the schema keeps the rules of OpenAI's strict mode, where a violation is refused with
  /// 400: every object closed, and every property required. A schema is not bent to fit them:
  /// optional members would come back as nulls, which the schema itself does not allow.
  static func isStrict(_ schema: Value, depth: Int = 0) -> Bool {
    guard let object = schema.object, depth < 16 else { return false }
    let known: Set = [
      "type", "properties", "required", "additionalProperties", "items", "enum", "description",
      "title", "anyOf",
    ]
    guard object.keys.allSatisfy(known.contains) else { return false }
    if let options = object["anyOf"] {
      return (options.array ?? []).allSatisfy { isStrict($0, depth: depth + 1) }
    }
    if let items = object["items"], !isStrict(items, depth: depth + 1) { return false }
    guard schema["type"].string == "object" else { return object["type"] != nil }
    let properties = schema["properties"].object ?? ValueObject()
    let required = Set((schema["required"].array ?? []).compactMap(\.string))
    return schema["additionalProperties"] == false && required == Set(properties.keys)
      && properties.allSatisfy { isStrict($0.value, depth: depth + 1) }
  }

  /// The schema as Anthropic takes it: every object closed, no bounds. What is left out is checked
  /// in the answer all the same. Nil for what cannot be said so: free-form objects, references that
  /// may lead in a circle.
  static func closed(_ schema: Value, depth: Int = 0) -> Value? {
    guard let object = schema.object, depth < 16 else { return nil }
    var closed = ValueObject()
    for keyword in ["type", "title", "description", "enum", "const", "required"] {
      closed[keyword] = object[keyword]
    }
    if object["$ref"] != nil || object["allOf"] != nil { return nil }
    if let options = (object["anyOf"] ?? object["oneOf"])?.array {
      let forms = options.compactMap { Self.closed($0, depth: depth + 1) }
      guard forms.count == options.count else { return nil }
      closed["anyOf"] = .array(forms)
    }
    if let items = object["items"] {
      guard let form = Self.closed(items, depth: depth + 1) else { return nil }
      closed["items"] = form
    }
    if schema["type"] == "object" || object["properties"] != nil {
      guard let properties = object["properties"]?.object,
        object["additionalProperties"]?.object == nil
      else { return nil }
      var members = ValueObject()
      for (name, property) in properties {
        guard let form = Self.closed(property, depth: depth + 1) else { return nil }
        members[name] = form
      }
      closed["properties"] = .object(members)
      closed["additionalProperties"] = false
    }
    return .object(closed)
  }

  /// The schema's name on the wire: at most 64 letters, digits, `_` and `-`.
  static func name(_ name: String) -> String {
    let allowed = name.utf8.prefix(64).map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        byte
      default: UInt8(ascii: "_")
      }
    }
    return String(decoding: allowed, as: UTF8.self).nonEmpty ?? "answer"
  }
}
