import RasaCore
import RasaEngine
import RasaPersona

/// OpenAI-compatible chat completions.
enum OpenAIChat {
  static func request(_ call: WireCall) -> WireRequest {
    let request = call.request
    let quirks = call.quirks
    var body: ValueObject = ["model": .string(call.model)]
    var messages = request.messages
    if let schema = request.schema {
      if quirks.structuredOutput != .jsonSchema {
        messages = StructuredOutput.instruct(messages, schema)
      }
      body["messages"] = Self.messages(messages, quirks, call.imageDetail)
      switch quirks.structuredOutput {
      case .jsonSchema:
        body["response_format"] = [
          "type": "json_schema",
          "json_schema": [
            "name": .string(StructuredOutput.name(request.name)), "schema": schema,
            "strict": .bool(StructuredOutput.isStrict(schema)),
          ],
        ]
      case .jsonObject: body["response_format"] = ["type": "json_object"]
      case .prompt: break
      }
    } else {
      body["messages"] = Self.messages(messages, quirks, call.imageDetail)
    }
    if !request.tools.isEmpty {
      body["tools"] = tools(request.tools)
      switch request.requiredCall {
      case _ where !request.allowsToolCalls: body["tool_choice"] = "none"
      case .any: body["tool_choice"] = "required"
      case .named(let name):
        body["tool_choice"] = ["type": "function", "function": ["name": .string(name)]]
      case nil: break
      }
    }
    body["stream"] = true
    if quirks.asksForUsage { body["stream_options"] = ["include_usage": true] }
    if let cap = call.cap { body[quirks.maxTokensField.rawValue] = .int(cap) }
    if let effort = call.effort, call.isThinking, quirks.thinking != .none {
      body["reasoning_effort"] = .string(effort.rawValue)
    }
    if quirks.sendsRepeatPenalty { body["repeat_penalty"] = 1.1 }
    if let temperature = request.temperature, quirks.sendsTemperature {
      body["temperature"] = .double(temperature)
    }
    if let topP = request.topP, quirks.sendsTopP { body["top_p"] = .double(topP) }
    if !request.stop.isEmpty { body["stop"] = .array(request.stop.map(Value.string)) }
    return WireRequest(path: "/chat/completions", body: Value.object(body).jsonBytes())
  }

  /// Tools as OpenAI words them, and Ollama after it.
  static func tools(_ tools: [ToolDefinition]) -> Value {
    .array(
      tools.map { tool in
        [
          "type": "function",
          "function": [
            "name": .string(tool.name), "description": .string(tool.description),
            "parameters": tool.parameters,
          ],
        ]
      })
  }

  /// A text alone stays a text: not every compatible server takes parts.
  private static func content(
    of message: ChatMessage, _ detail: ProviderDefinition.ImageDetail?
  ) -> Value {
    guard !message.attachments.isEmpty else { return .string(message.text) }
    let text: [Value] =
      message.text.isEmpty ? [] : [["type": "text", "text": .string(message.text)]]
    return .array(
      text
        + message.attachments.map { attachment in
          let url = Value.string(
            "data:\(attachment.type.rawValue);base64,\(attachment.payload)")
          if attachment.kind == .pdf {
            return [
              "type": "file", "file": ["filename": .string(attachment.name), "file_data": url],
            ]
          }
          var image: ValueObject = ["url": url]
          if let detail { image["detail"] = .string(detail.rawValue) }
          return ["type": "image_url", "image_url": .object(image)]
        })
  }

  /// Only a user can show something: what tools returned follows the last of their results.
  private static func withMediaOfResultsBehind(_ messages: [ChatMessage]) -> [ChatMessage] {
    guard messages.contains(where: { $0.role == .tool && !$0.attachments.isEmpty }) else {
      return messages
    }
    var all: [ChatMessage] = []
    var media: [Attachment] = []
    func text() -> String {
      "Returned by the tools: " + media.map { "`\($0.name)`" }.joined(separator: ", ")
    }
    for message in messages {
      if message.role != .tool, !media.isEmpty {
        all.append(ChatMessage(.user, text(), attachments: media))
        media = []
      }
      var message = message
      if message.role == .tool {
        media += message.attachments
        message.attachments = []
      }
      all.append(message)
    }
    if !media.isEmpty { all.append(ChatMessage(.user, text(), attachments: media)) }
    return all
  }

  private static func messages(
    _ messages: [ChatMessage], _ quirks: WireQuirks, _ detail: ProviderDefinition.ImageDetail?
  ) -> Value {
    .array(
      withMediaOfResultsBehind(messages).map { message in
        var body: ValueObject = [
          "role": .string(message.role.rawValue), "content": content(of: message, detail),
        ]
        if let id = message.toolCallID { body["tool_call_id"] = .string(id) }
        guard !message.toolCalls.isEmpty else { return .object(body) }
        if message.text.isEmpty { body["content"] = .null }
        if quirks.returnsReasoning {
          body["reasoning_content"] = .string(message.reasoning.map(\.text).joined())
        }
        body["tool_calls"] = .array(
          message.toolCalls.map { call in
            [
              "id": .string(call.id), "type": "function",
              "function": [
                "name": .string(call.name), "arguments": .string(call.arguments.json()),
              ],
            ]
          })
        return .object(body)
      })
  }
}
