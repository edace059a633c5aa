import RasaCore

/// The wire formats that the provider speaks, and their peculiarities.
package enum WireFormat: String, Sendable, Hashable, CaseIterable {
  case openAI, anthropic, gemini, ollama

  /// The format of a request's path; nil for an unknown path.
  init?(path: String, isAnthropic: Bool) {
    let path = path.prefix { $0 != "?" }
    switch path {
    case "/v1/chat/completions", "/v1/embeddings": self = .openAI
    case "/v1/messages": self = .anthropic
    case "/v1/models": self = isAnthropic ? .anthropic : .openAI
    case "/api/chat", "/api/embed", "/api/tags", "/api/ps": self = .ollama
    case "/v1beta/models": self = .gemini
    default:
      guard path.hasPrefix("/v1beta/models/"),
        path.hasSuffix(":streamGenerateContent") || path.hasSuffix(":generateContent")
          || path.hasSuffix(":batchEmbedContents")
      else { return nil }
      self = .gemini
    }
  }

  func stream(_ script: Script, _ facts: AnswerFacts) -> StreamFormat {
    switch self {
    case .openAI: OpenAIFormat.stream(script, facts)
    case .anthropic: AnthropicFormat.stream(script, facts)
    case .gemini: GeminiFormat.stream(script, facts)
    case .ollama: OllamaFormat.stream(script, facts)
    }
  }

  /// An answer that is not streamed.
  func whole(_ text: String, _ script: Script, _ facts: AnswerFacts) -> Value {
    switch self {
    case .openAI: OpenAIFormat.whole(text, script, facts)
    case .anthropic: AnthropicFormat.whole(text, script, facts)
    case .gemini: GeminiFormat.whole(text, script, facts)
    case .ollama: OllamaFormat.whole(text, script, facts)
    }
  }

  func error(_ script: Script) -> Value {
    switch self {
    case .openAI: OpenAIFormat.error(script)
    case .anthropic: AnthropicFormat.error(script)
    case .gemini: GeminiFormat.error(script)
    case .ollama: OllamaFormat.error(script)
    }
  }

  func models(_ names: [String]) -> Value {
    switch self {
    case .openAI: OpenAIFormat.models(names)
    case .anthropic: AnthropicFormat.models(names)
    case .gemini: GeminiFormat.models(names)
    case .ollama: OllamaFormat.models(names)
    }
  }

  /// The format's word for a finish reason that scripts give in OpenAI's terms. Other words are
  /// sent unchanged.
  func finishReason(_ script: Script) -> String {
    var word = script.finishReason
    if word == "stop", !script.toolCalls.isEmpty { word = "tool_calls" }
    switch (self, word) {
    case (.anthropic, "stop"): return "end_turn"
    case (.anthropic, "length"): return "max_tokens"
    case (.anthropic, "tool_calls"): return "tool_use"
    case (.anthropic, "content_filter"): return "refusal"
    case (.gemini, "stop"), (.gemini, "tool_calls"): return "STOP"
    case (.gemini, "length"): return "MAX_TOKENS"
    case (.gemini, "content_filter"): return "SAFETY"
    case (.ollama, "tool_calls"): return "stop"
    default: return word
    }
  }
}
