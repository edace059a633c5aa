import RasaCore
import RasaEngine
import RasaPersona

/// Anthropic's messages.
enum AnthropicMessages {
  static let version = "2023-06-01"
  /// No request is taken without a cap. Where neither operator, model nor budget says what it is,
  /// it is as much as all current models write.
  static let usualCap: Int64 = 32_000

  static func request(_ call: WireCall) -> WireRequest {
    let request = call.request
    let quirks = call.quirks
    var messages = request.messages
    var configuration = ValueObject()
    if let schema = request.schema {
      // A tool that the model is forced to call would do for older models too, but not for one that
      // thinks; the schema in the prompt does for all, and the answer is checked in any case.
      if quirks.structuredOutput == .jsonSchema, let closed = StructuredOutput.closed(schema) {
        configuration["format"] = ["type": "json_schema", "schema": closed]
      } else {
        messages = StructuredOutput.instruct(messages, schema)
      }
    }
    let system = messages.filter { $0.role == .system }.map(\.text).filter { !isBlank($0) }
    let cap = call.cap ?? usualCap
    var body: ValueObject = ["model": .string(call.model), "max_tokens": .int(cap)]
    if !system.isEmpty { body["system"] = .string(system.joined(separator: "\n\n")) }
    body["messages"] = Self.messages(messages.filter { $0.role != .system })
    if !request.tools.isEmpty {
      body["tools"] = .array(
        request.tools.map { tool in
          [
            "name": .string(tool.name), "description": .string(tool.description),
            "input_schema": tool.parameters,
          ]
        })
      // A conversation that tells of tools needs them named.
      switch request.requiredCall {
      case _ where !request.allowsToolCalls: body["tool_choice"] = ["type": "none"]
      case .any: body["tool_choice"] = ["type": "any"]
      case .named(let name): body["tool_choice"] = ["type": "tool", "name": .string(name)]
      case nil: break
      }
    }
    var thinks = false
    // A model that has to call a tool is not allowed to think first.
    if let effort = call.effort, request.requiredCall == nil {
      switch quirks.thinking {
      case .effort:
        body["thinking"] = ["type": "adaptive", "display": "summarized"]
        configuration["effort"] = .string(effort.rawValue)
        thinks = true
      case .budget:
        if let budget = budget(effort, cap: cap) {
          body["thinking"] = ["type": "enabled", "budget_tokens": .int(budget)]
          thinks = true
        }
      case .none: break
      }
    }
    if !configuration.isEmpty { body["output_config"] = .object(configuration) }
    // A model that thinks takes no temperature, and none takes more than 1.
    if let temperature = request.temperature, quirks.sendsTemperature, !thinks {
      body["temperature"] = .double(min(max(0, temperature), 1))
    }
    // While it thinks, it takes 0.95 and more.
    if let topP = request.topP, quirks.sendsTopP, !thinks || topP >= 0.95 {
      body["top_p"] = .double(min(max(0, topP), 1))
    }
    if !request.stop.isEmpty { body["stop_sequences"] = .array(request.stop.map(Value.string)) }
    body["stream"] = true
    return WireRequest(path: "/messages", body: Value.object(body).jsonBytes())
  }

  /// How many of the answer's tokens may be thoughts. At least 1,024, and some have to be left for
  /// the answer itself; nil when there is no room for both.
  static func budget(_ effort: ReasoningEffort, cap: Int64) -> Int64? {
    guard cap >= 1_280 else { return nil }
    let share: Int64
    switch effort {
    case .low: share = cap / 4
    case .medium: share = cap / 2
    case .high: share = cap / 5 * 4
    }
    return min(max(1_024, share), cap - 256)
  }

  // MARK: Messages

  /// Turns of blocks. What one side says in a row is one turn: the answers to several tools have to
  /// come together.
  private static func messages(_ messages: [ChatMessage]) -> Value {
    var turns: [(role: String, blocks: [Value])] = []
    for message in messages {
      let blocks = blocks(message)
      guard !blocks.isEmpty else { continue }
      let role = message.role == .assistant ? "assistant" : "user"
      if turns.last?.role == role {
        turns[turns.count - 1].blocks += blocks
      } else {
        turns.append((role, blocks))
      }
    }
    // There has to be something to answer, and it may not be empty.
    if turns.isEmpty { turns = [("user", [text("Go on.")])] }
    return .array(turns.map { ["role": .string($0.role), "content": .array($0.blocks)] })
  }

  private static func blocks(_ message: ChatMessage) -> [Value] {
    if message.role == .tool {
      var result: ValueObject = [
        "type": "tool_result", "tool_use_id": .string(message.toolCallID ?? ""),
        "content": .string(message.text),
      ]
      if !message.attachments.isEmpty {
        let words = isBlank(message.text) ? [] : [text(message.text)]
        result["content"] = .array(words + message.attachments.map(block))
      }
      if message.isError { result["is_error"] = true }
      return [.object(result)]
    }
    var blocks: [Value] = []
    for part in message.reasoning {
      if let data = part.redacted {
        blocks.append(["type": "redacted_thinking", "data": .string(data)])
      } else if let signature = part.signature {
        blocks.append([
          "type": "thinking", "thinking": .string(part.text), "signature": .string(signature),
        ])
      }
    }
    // What is looked at goes before what is asked about it, as Anthropic advises.
    blocks += message.attachments.map(block)
    if !isBlank(message.text) { blocks.append(text(message.text)) }
    for call in message.toolCalls {
      blocks.append([
        "type": "tool_use", "id": .string(call.id), "name": .string(call.name),
        "input": call.arguments,
      ])
    }
    return blocks
  }

  private static func block(_ attachment: Attachment) -> Value {
    var block: ValueObject = [
      "type": attachment.kind == .pdf ? "document" : "image",
      "source": [
        "type": "base64", "media_type": .string(attachment.type.rawValue),
        "data": .string(attachment.payload),
      ],
    ]
    if attachment.kind == .pdf { block["title"] = .string(attachment.name) }
    return .object(block)
  }

  private static func text(_ text: String) -> Value { ["type": "text", "text": .string(text)] }

  /// Blocks of nothing but white space are refused.
  private static func isBlank(_ text: String) -> Bool { text.allSatisfy(\.isWhitespace) }
}
