/// How one provider is reached and spoken to.
package struct ProviderSettings: Sendable {
  /// The wire format.
  package enum Dialect: String, Sendable, Hashable, CaseIterable { case openAI, ollama }

  /// How an OpenAI-compatible server wants the output capped.
  package enum MaxTokensField: String, Sendable, Hashable {
    case maxTokens = "max_tokens"
    case maxCompletionTokens = "max_completion_tokens"
  }

  /// How a schema reaches the server: enforced, as "some JSON" with the schema in the prompt, or
  /// in the prompt alone.
  package enum StructuredOutput: String, Sendable, Hashable { case jsonSchema, jsonObject, prompt }

  /// What the engine in `engine:model` and in messages calls it.
  package var name: String
  package var dialect: Dialect
  /// Without a slash at its end; for OpenAI-compatible servers with the version in its path.
  package var baseURL: String
  package var key: Secret?
  package var maxTokensField: MaxTokensField
  package var structuredOutput: StructuredOutput
  package var extraHeaders: [(name: String, value: String)]
  /// It runs on this machine, so what the catalogue does not price is free.
  package var isLocal: Bool
  package var allowsPlainHTTP: Bool
  /// The server is the vendor's own, which sells its own models only.
  package var isVendor: Bool

  package init(
    name: String, dialect: Dialect, baseURL: String, key: Secret? = nil,
    maxTokensField: MaxTokensField = .maxTokens, structuredOutput: StructuredOutput = .jsonSchema,
    extraHeaders: [(name: String, value: String)] = [], isLocal: Bool = false,
    allowsPlainHTTP: Bool = false, isVendor: Bool = false
  ) {
    self.name = name
    self.dialect = dialect
    self.baseURL = baseURL
    self.key = key
    self.maxTokensField = maxTokensField
    self.structuredOutput = structuredOutput
    self.extraHeaders = extraHeaders
    self.isLocal = isLocal
    self.allowsPlainHTTP = allowsPlainHTTP
    self.isVendor = isVendor
  }

  /// The variable that would name another server, for messages.
  var addressVariable: String {
    switch dialect {
    case .openAI: "OPENAI_BASE_URL"
    case .ollama: "OLLAMA_HOST"
    }
  }
}

extension ProviderSettings {
  /// Stands where the mock needs settings: nothing of it reaches a wire.
  static let mock = ProviderSettings(name: "mock", dialect: .openAI, baseURL: "")
}
