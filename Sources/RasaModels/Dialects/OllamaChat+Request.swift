import RasaCore
import RasaEngine
import RasaPersona

/// Ollama's own chat format.
enum OllamaChat {
  static func request(_ call: WireCall) -> WireRequest {
    let request = call.request
    let quirks = call.quirks
    var options = ValueObject()
    if let cap = call.cap { options["num_predict"] = .int(cap) }
    if let temperature = request.temperature, quirks.sendsTemperature {
      options["temperature"] = .double(temperature)
    }
    if let topP = request.topP { options["top_p"] = .double(topP) }
    if !request.stop.isEmpty { options["stop"] = .array(request.stop.map(Value.string)) }
    if let window = window(
      for: call.inputEstimate + (call.cap ?? call.expectedOutput), atMost: call.context)
    {
      options["num_ctx"] = .int(window)
    }
    var body: ValueObject = ["model": .string(call.model)]
    var messages = request.messages
    // It goes on from the assistant's own words, without being told to.
    if request.continuation != nil, messages.count > 1, messages.last?.role == .user,
      messages[messages.count - 2].role == .assistant
    {
      messages.removeLast()
    }
    if let schema = request.schema {
      // A model that is held to a form cannot call a tool.
      let form: ProviderSettings.StructuredOutput =
        request.mayCallTools ? .prompt : quirks.structuredOutput
      if form != .jsonSchema {
        messages = StructuredOutput.instruct(messages, schema)
      }
      switch form {
      case .jsonSchema: body["format"] = schema
      case .jsonObject: body["format"] = "json"
      case .prompt: break
      }
    }
    body["messages"] = Self.messages(messages)
    // It cannot be told to call none; without definitions it does not.
    if request.mayCallTools { body["tools"] = OpenAIChat.tools(request.tools) }
    body["stream"] = true
    // Without this a prompt that is too long loses its beginning, and nobody is told.
    body["truncate"] = false
    switch quirks.thinking {
    // Models that know no degrees take any of them for yes.
    case .effort:
      if let effort = call.effort {
        body["think"] = .string(effort.rawValue)
      } else if call.isThinking {
        body["think"] = true
      }
    case .budget: if call.effort != nil || call.isThinking { body["think"] = true }
    case .none: break
    }
    if !options.isEmpty { body["options"] = .object(options) }
    return WireRequest(path: "/api/chat", body: Value.object(body).jsonBytes())
  }

  private static func messages(_ messages: [ChatMessage]) -> Value {
    .array(
      messages.indices.map { index in
        let message = messages[index]
        var body: ValueObject = [
          "role": .string(message.role.rawValue), "content": .string(message.text),
        ]
        if !message.attachments.isEmpty {
          body["images"] = .array(message.attachments.map { .string($0.payload) })
        }
        if message.role == .tool {
          body["tool_name"] = .string(messages.toolName(answeredAt: index))
        }
        if !message.toolCalls.isEmpty {
          body["tool_calls"] = .array(
            message.toolCalls.map { call in
              ["function": ["name": .string(call.name), "arguments": call.arguments]]
            })
        }
        return .object(body)
      })
  }

  /// Ollama cuts the beginning of a prompt off, silently, when it is longer than the window it
  /// was loaded with, 4096 tokens by default. Nil where that is enough, because asking for another
  /// window loads the model anew.
  ///
  /// - Parameter most: the model's own window, where that is known.
  static func window(for tokens: Int64, atMost most: Int64? = nil) -> Int64? {
    guard tokens > 4_096 else { return nil }
    var window: Int64 = 8_192
    while window < tokens, window < 131_072 { window *= 2 }
    return most.map { min(window, max($0, 4_096)) } ?? window
  }
}
