import RasaCore
import RasaPersona

/// Where requests may be passed on to: endpoints whose answers report what they took.
enum ForwardedEndpoint: Sendable, Hashable {
  case openAIChat, openAIResponses, openAIEmbeddings
  case anthropicMessages, anthropicCount
  case ollamaChat, ollamaGenerate, ollamaEmbeddings
  case gemini(isStream: Bool)

  /// Nil for a place whose cost is not known.
  init?(_ dialect: ProviderSettings.Dialect, path: String) {
    let plain = String(path.prefix { $0 != "?" })
    switch (dialect, plain) {
    case (.openAI, "/chat/completions"): self = .openAIChat
    case (.openAI, "/responses"): self = .openAIResponses
    case (.openAI, "/embeddings"): self = .openAIEmbeddings
    case (.anthropic, "/messages"): self = .anthropicMessages
    case (.anthropic, "/messages/count_tokens"): self = .anthropicCount
    case (.ollama, "/api/chat"): self = .ollamaChat
    case (.ollama, "/api/generate"): self = .ollamaGenerate
    case (.ollama, "/api/embed"): self = .ollamaEmbeddings
    case (.gemini, _) where plain.hasPrefix("/models/"):
      if plain.hasSuffix(":generateContent") {
        self = .gemini(isStream: false)
      } else if plain.hasSuffix(":streamGenerateContent") {
        self = .gemini(isStream: true)
      } else {
        return nil
      }
    default: return nil
    }
  }

  /// Counting tokens costs nothing anywhere.
  var isFree: Bool { self == .anthropicCount }

  /// No token is written for it.
  var hasNoOutput: Bool {
    switch self {
    case .openAIEmbeddings, .ollamaEmbeddings, .anthropicCount: true
    default: false
    }
  }

  /// Whether the answer comes in pieces, so that it can be cut off.
  func streams(_ words: ForwardedWords) -> Bool {
    switch self {
    case .openAIChat, .openAIResponses, .anthropicMessages: words.stream == true
    case .ollamaChat, .ollamaGenerate: words.stream != false
    case .gemini(let isStream): isStream
    case .openAIEmbeddings, .ollamaEmbeddings, .anthropicCount: false
    }
  }

  /// Reads what an answer says of itself, while its bytes pass.
  func decoder(contentType: String?) -> any ChatDecoder {
    switch self {
    case .openAIChat: OpenAIChatDecoder(contentType: contentType)
    case .openAIResponses: OpenAIResponsesDecoder(contentType: contentType)
    case .anthropicMessages: AnthropicDecoder(contentType: contentType)
    case .ollamaChat, .ollamaGenerate: OllamaChatDecoder()
    case .gemini: GeminiDecoder(contentType: contentType)
    case .openAIEmbeddings, .ollamaEmbeddings, .anthropicCount: CountDecoder()
    }
  }
}

extension OpenAIChatDecoder {
  fileprivate init(contentType: String?) { self.init(contentType: contentType, callPrefix: "0") }
}

extension AnthropicDecoder {
  fileprivate init(contentType: String?) { self.init(contentType: contentType, callPrefix: "0") }
}

extension GeminiDecoder {
  fileprivate init(contentType: String?) { self.init(contentType: contentType, callPrefix: "0") }
}

extension ProviderSettings {
  /// The model in the path of a request whose body names none: `/models/MODEL:generateContent`.
  func model(inPath path: String) -> String? {
    let folder = "/models/"
    guard dialect == .gemini, path.hasPrefix(folder) else { return nil }
    let name = path.dropFirst(folder.count).prefix { $0 != ":" && $0 != "?" }
    return name.isEmpty ? nil : String(name)
  }

  /// Only endpoints whose answers report their usage can be paid for.
  func endpoint(at path: String) throws(Failure) -> ForwardedEndpoint {
    if let endpoint = ForwardedEndpoint(dialect, path: path) { return endpoint }
    throw Failure(
      .usage, "\(quoted(path)) is not an endpoint of \(name) whose cost is known",
      suggestion: "forward only requests for model answers, such as /chat/completions")
  }
}
