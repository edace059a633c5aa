import RasaCore
import RasaEngine

/// OpenAI-compatible chat completions.
enum OpenAIChat {
  static func request(_ call: WireCall) -> WireRequest {
    let request = call.request
    var body: ValueObject = ["model": .string(call.model)]
    var messages = request.messages
    if let schema = request.schema {
      switch call.quirks.structuredOutput {
      case .jsonSchema:
        body["messages"] = Self.messages(messages)
        body["response_format"] = [
          "type": "json_schema",
          "json_schema": [
            "name": .string(schemaName(request.name)), "schema": schema,
            "strict": .bool(isStrict(schema)),
          ],
        ]
      case .jsonObject:
        messages = withSchemaInPrompt(messages, schema)
        body["messages"] = Self.messages(messages)
        body["response_format"] = ["type": "json_object"]
      case .prompt:
        body["messages"] = Self.messages(withSchemaInPrompt(messages, schema))
      }
    } else {
      body["messages"] = Self.messages(messages)
    }
    body["stream"] = true
    if call.quirks.asksForUsage { body["stream_options"] = ["include_usage": true] }
    body[call.quirks.maxTokensField.rawValue] = .int(call.cap)
    if let temperature = request.temperature, call.quirks.sendsTemperature {
      body["temperature"] = .double(temperature)
    }
    return WireRequest(path: "/chat/completions", body: Value.object(body).jsonBytes())
  }

  private static func messages(_ messages: [ChatMessage]) -> Value {
    .array(messages.map { ["role": .string($0.role.rawValue), "content": .string($0.text)] })
  }

  /// The schema's name on the wire: at most 64 letters, digits, `_` and `-`.
  static func schemaName(_ name: String) -> String {
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

  /// Whether the schema keeps the rules of strict mode, where a violation is refused with 400:
  /// every object closed, and every property required.
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

  /// For servers that cannot enforce a schema: the model is told instead, and the answer is checked
  /// by whoever asked.
  static func withSchemaInPrompt(_ messages: [ChatMessage], _ schema: Value) -> [ChatMessage] {
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
}
