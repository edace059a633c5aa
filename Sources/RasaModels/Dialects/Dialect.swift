package import RasaCore
import RasaDocuments
import RasaPersona

/// What each dialect has of its own.
extension ProviderSettings.Dialect {
  func request(_ call: WireCall) -> WireRequest {
    switch self {
    case .openAI: OpenAIChat.request(call)
    case .anthropic: AnthropicMessages.request(call)
    case .gemini: GeminiContent.request(call)
    case .ollama: OllamaChat.request(call)
    }
  }

  /// Reads one answer. What it makes up to call a tool call by begins with `callPrefix`.
  func decoder(contentType: String? = nil, callPrefix: String = "0") -> any ChatDecoder {
    switch self {
    case .openAI: OpenAIChatDecoder(contentType: contentType, callPrefix: callPrefix)
    case .anthropic: AnthropicDecoder(contentType: contentType, callPrefix: callPrefix)
    case .gemini: GeminiDecoder(contentType: contentType, callPrefix: callPrefix)
    case .ollama: OllamaChatDecoder(callPrefix: callPrefix)
    }
  }

  /// Where the models are listed, all in one page: nobody has more than a thousand.
  var listPath: String {
    switch self {
    case .openAI: "/models"
    case .anthropic: "/models?limit=1000"
    case .gemini: "/models?pageSize=1000"
    case .ollama: "/api/tags"
    }
  }
}

/// For measuring, as the gate reads: what has come is taken after each chunk.
extension ProviderSettings.Dialect {
  package func read(_ chunks: [[UInt8]]) throws(ProviderProblem) -> (events: Int64, bytes: Int) {
    var decoder = decoder()
    var bytes = 0
    for chunk in chunks {
      decoder.feed(chunk)
      let content = decoder.progress.takeContent()
      bytes += content.text.utf8.count + content.reasoning.utf8.count
    }
    decoder.finish()
    if let problem = decoder.progress.problem { throw problem }
    return (decoder.progress.contentEvents, bytes)
  }

  /// Only cuts the stream into events, and says how many there were.
  package func cut(_ chunks: [[UInt8]]) throws(Failure) -> Int {
    self == .ollama ? try Self.cut(chunks, JSONLines()) : try Self.cut(chunks, ServerSentEvents())
  }

  private static func cut(
    _ chunks: [[UInt8]], _ framing: consuming some EventFraming
  ) throws(Failure) -> Int {
    var count = 0
    for chunk in chunks { try framing.feed(chunk) { (_, _) throws(Failure) in count += 1 } }
    try framing.finish { (_, _) throws(Failure) in count += 1 }
    return count
  }
}
