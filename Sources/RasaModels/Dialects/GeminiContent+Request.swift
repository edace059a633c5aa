import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona

/// Gemini's content generation.
enum GeminiContent {
  /// What Google takes in place of the signature of a call that another model made.
  private static let foreignSignature = "skip_thought_signature_validator"
  private static let largestBudget: Int64 = 24_576

  static func request(_ call: WireCall) -> WireRequest {
    let request = call.request
    let quirks = call.quirks
    var generation = ValueObject()
    if let cap = call.cap { generation["maxOutputTokens"] = .int(cap) }
    if let temperature = request.temperature, quirks.sendsTemperature {
      generation["temperature"] = .double(temperature)
    }
    if let topP = request.topP, quirks.sendsTopP { generation["topP"] = .double(topP) }
    if !request.stop.isEmpty {
      generation["stopSequences"] = .array(request.stop.map(Value.string))
    }
    var messages = request.messages
    if let schema = request.schema {
      // Most of its models take no form of an answer beside tools.
      let form: ProviderSettings.StructuredOutput =
        request.tools.isEmpty ? quirks.structuredOutput : .prompt
      if form != .jsonSchema {
        messages = StructuredOutput.instruct(messages, schema)
      }
      if form != .prompt { generation["responseMimeType"] = "application/json" }
      if form == .jsonSchema { generation["responseJsonSchema"] = schema }
    }
    if let thinking = thinking(call) { generation["thinkingConfig"] = thinking }
    var body = ValueObject()
    let system = messages.filter { $0.role == .system }.map(\.text).filter { !$0.isEmpty }
    if !system.isEmpty {
      body["systemInstruction"] = ["parts": [["text": .string(system.joined(separator: "\n\n"))]]]
    }
    body["contents"] = contents(messages, signsForeignCalls: quirks.signsForeignCalls)
    if !request.tools.isEmpty {
      body["tools"] = [["functionDeclarations": .array(request.tools.map(declaration))]]
      switch request.requiredCall {
      case _ where !request.allowsToolCalls:
        body["toolConfig"] = ["functionCallingConfig": ["mode": "NONE"]]
      case .any: body["toolConfig"] = ["functionCallingConfig": ["mode": "ANY"]]
      case .named(let name):
        body["toolConfig"] = [
          "functionCallingConfig": ["mode": "ANY", "allowedFunctionNames": [.string(name)]]
        ]
      case nil: break
      }
    }
    if !generation.isEmpty { body["generationConfig"] = .object(generation) }
    return WireRequest(
      path: "/\(resource(call.model)):streamGenerateContent?alt=sse",
      body: Value.object(body).jsonBytes())
  }

  private static func thinking(_ call: WireCall) -> Value? {
    guard call.effort != nil || call.isThinking, call.quirks.thinking != .none else { return nil }
    var thinking: ValueObject = ["includeThoughts": true]
    if let effort = call.effort {
      switch call.quirks.thinking {
      case .effort: thinking["thinkingLevel"] = .string(effort.rawValue)
      case .budget:
        guard let budget = AnthropicMessages.budget(effort, cap: call.cap ?? largestBudget) else {
          break
        }
        thinking["thinkingBudget"] = .int(min(budget, largestBudget))
      case .none: break
      }
    }
    return .object(thinking)
  }

  private static func declaration(_ tool: ToolDefinition) -> Value {
    var declaration: ValueObject = [
      "name": .string(tool.name), "description": .string(tool.description),
    ]
    // An object without members is refused; without parameters it is the same.
    if tool.parameters["properties"].object?.isEmpty == false {
      declaration["parametersJsonSchema"] = tool.parameters
    }
    return .object(declaration)
  }

  /// The model's place below the version: `models/NAME`, or as it is where a place is part of it.
  static func resource(_ model: String) -> String {
    // Steps such as `..` would lead to another place of the host.
    let steps = model.split(separator: "/", omittingEmptySubsequences: false)
    let isPlace = steps.count > 1 && steps.allSatisfy { !$0.allSatisfy { $0 == "." } }
    guard isPlace else { return "models/" + escaped(model, keeping: []) }
    return escaped(model, keeping: [UInt8(ascii: "/")])
  }

  private static func escaped(_ text: String, keeping kept: [UInt8]) -> String {
    if !text.isEmpty, text.allSatisfy({ $0 == "." }) {
      return String(repeating: "%2E", count: text.count)
    }
    return text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "_"), UInt8(ascii: "~"):
        String(Unicode.Scalar(byte))
      case let byte where kept.contains(byte): String(Unicode.Scalar(byte))
      default:
        "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }

  // MARK: Contents

  private static func contents(_ messages: [ChatMessage], signsForeignCalls: Bool) -> Value {
    var turns: [(role: String, parts: [Value])] = []
    for index in messages.indices where messages[index].role != .system {
      let parts = parts(messages, index, signsForeignCalls)
      guard !parts.isEmpty else { continue }
      let role = messages[index].role == .assistant ? "model" : "user"
      if turns.last?.role == role {
        turns[turns.count - 1].parts += parts
      } else {
        turns.append((role, parts))
      }
    }
    if turns.isEmpty { turns = [("user", [["text": "Go on."]])] }
    return .array(turns.map { ["role": .string($0.role), "parts": .array($0.parts)] })
  }

  private static func parts(
    _ messages: [ChatMessage], _ index: Int, _ signsForeignCalls: Bool
  ) -> [Value] {
    let message = messages[index]
    if message.role == .tool {
      // The answer of a tool has to be an object.
      let answer = try? JSON.parse(message.text)
      var response: ValueObject = [
        "name": .string(messages.toolName(answeredAt: index)),
        "response": answer?.object != nil
          ? answer ?? .emptyObject
          : [message.isError ? "error" : "result": .string(message.text)],
      ]
      identify(&response, message.toolCallID)
      return [["functionResponse": .object(response)]] + message.attachments.map(inline)
    }
    var parts = message.attachments.map(inline)
    if !message.text.isEmpty { parts.append(["text": .string(message.text)]) }
    for (position, call) in message.toolCalls.enumerated() {
      var body: ValueObject = ["name": .string(call.name), "args": call.arguments]
      identify(&body, call.id)
      var part: ValueObject = ["functionCall": .object(body)]
      if let signature = call.signature {
        part["thoughtSignature"] = .string(signature)
      } else if signsForeignCalls, position == 0 {
        part["thoughtSignature"] = .string(foreignSignature)
      }
      parts.append(.object(part))
    }
    return parts
  }

  private static func inline(_ attachment: Attachment) -> Value {
    [
      "inlineData": [
        "mimeType": .string(attachment.type.rawValue), "data": .string(attachment.payload),
      ]
    ]
  }

  private static func identify(_ object: inout ValueObject, _ id: String?) {
    guard let id = id?.nonEmpty, !MadeUpIdentifier.isOne(id) else { return }
    object["id"] = .string(id)
  }
}
