package import RasaCore
package import RasaPersona

/// Which providers there are and what the user said about them.
package struct ModelConfiguration: Sendable {
  /// The first one answers where nothing says otherwise.
  package var providers: [ProviderSettings]
  /// The model to take where a persona recommends none.
  package var model: ModelReference?
  /// The mock was asked for by name, so it answers even where providers are configured.
  package var prefersMock: Bool
  package var warnings: [Warning]

  package init(
    providers: [ProviderSettings] = [], model: ModelReference? = nil, prefersMock: Bool = false,
    warnings: [Warning] = []
  ) {
    self.providers = providers
    self.model = model
    self.prefersMock = prefersMock
    self.warnings = warnings
  }

  /// Nobody configured anything: Ollama is looked for on its usual port, else the mock answers.
  package var isEmpty: Bool { providers.isEmpty && !prefersMock }

  /// What stands before the colon in `engine:model`.
  package static let engines: Set<String> = [
    "openai", "ollama", "mock", "anthropic", "gemini", "google",
  ]

  /// Reads `engine:model`, or a model alone: `llama3:8b` has a colon too.
  package static func reference(_ text: String) -> ModelReference {
    let text = text.trimmingBlanks
    if let colon = text.firstIndex(of: ":") {
      let engine = text[..<colon].lowercased()
      if engines.contains(engine) {
        return ModelReference(engine: engine, model: String(text[text.index(after: colon)...]))
      }
    }
    return text == "mock"
      ? ModelReference(engine: "mock", model: "mock") : ModelReference(model: text)
  }
}

extension ModelConfiguration {
  /// What the environment says: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OLLAMA_HOST`,
  /// `LLM_PROVIDER`, `LLM_MODEL`, `LLM_HOST`.
  package static func discover(
    _ environment: [String: String]
  ) throws(Failure) -> ModelConfiguration {
    func read(_ name: String) -> String? {
      environment[name]?.trimmingBlanks.nonEmpty
    }
    var configuration = ModelConfiguration()
    configuration.model = read("LLM_MODEL").map(reference)
    let preferred = read("LLM_PROVIDER")?.lowercased()
    var address = (openAI: read("OPENAI_BASE_URL"), ollama: read("OLLAMA_HOST"))
    var variable = (openAI: "OPENAI_BASE_URL", ollama: "OLLAMA_HOST")
    if let host = read("LLM_HOST") {
      let isOpenAI = preferred == "openai" || (preferred == nil && host.hasSuffix("/v1"))
      if isOpenAI {
        address.openAI = host
        variable.openAI = "LLM_HOST"
      } else {
        address.ollama = host
        variable.ollama = "LLM_HOST"
      }
    }
    let key = read("OPENAI_API_KEY")
    if key != nil || address.openAI != nil {
      configuration.providers.append(
        try .openAI(baseURL: address.openAI, key: key, variable: variable.openAI))
    }
    if let host = address.ollama ?? (preferred == "ollama" ? "127.0.0.1" : nil) {
      configuration.providers.append(try .ollama(host: host, variable: variable.ollama))
    }
    try configuration.prefer(preferred)
    configuration.warnings = configuration.providers.compactMap(\.plainKeyWarning)
    return configuration
  }

  private mutating func prefer(_ name: String?) throws(Failure) {
    guard let name else { return }
    switch name {
    case "mock":
      prefersMock = true
    case "openai", "ollama":
      guard let index = providers.firstIndex(where: { $0.name == name }) else {
        throw Failure(
          .configuration, "LLM_PROVIDER is \(name), but nothing says where it is",
          mend: "set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server")
      }
      providers.insert(providers.remove(at: index), at: 0)
    default:
      let nearest = nearestName(to: name, among: ["openai", "ollama", "mock"])
      throw Failure(
        .configuration, "LLM_PROVIDER names '\(name)', which is no provider known here",
        mend: nearest.map { "did you mean \($0)?" } ?? "use openai, ollama or mock")
    }
  }
}

extension ProviderSettings {
  static let openAIHost = "api.openai.com"

  /// An OpenAI-compatible server; without an address OpenAI itself.
  package static func openAI(
    baseURL: String?, key: String?, variable: String = "OPENAI_BASE_URL"
  ) throws(Failure) -> ProviderSettings {
    var address = try ProviderAddress(baseURL ?? "https://\(openAIHost)/v1", variable: variable)
    if !address.hasScheme, !address.isLoopback { address.scheme = "https" }
    let hasVersion = address.path.split(separator: "/").contains { component in
      component.first == "v" && component.dropFirst().first?.isNumber == true
    }
    if !hasVersion { address.path += "/v1" }
    let isVendor = address.host.lowercased() == openAIHost
    return ProviderSettings(
      name: "openai", dialect: .openAI, baseURL: address.url, key: try secret(key),
      maxTokensField: isVendor ? .maxCompletionTokens : .maxTokens, isLocal: address.isLoopback,
      allowsPlainHTTP: address.scheme == "http" && !isVendor, isVendor: isVendor,
      vendor: isVendor ? "openai" : nil, keyVariable: "OPENAI_API_KEY", addressVariable: variable)
  }

  package static func ollama(
    host: String, variable: String = "OLLAMA_HOST"
  ) throws(Failure) -> ProviderSettings {
    var address = try ProviderAddress(host, variable: variable)
    if address.port == nil, !address.hasScheme { address.port = 11_434 }
    if address.path.hasSuffix("/api") { address.path.removeLast(4) }
    return ProviderSettings(
      name: "ollama", dialect: .ollama, baseURL: address.url, isLocal: address.isLoopback,
      allowsPlainHTTP: address.scheme == "http", addressVariable: variable)
  }

  private static func secret(_ key: String?) throws(Failure) -> Secret? {
    guard let key = key?.trimmingBlanks.nonEmpty else { return nil }
    guard key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
      throw Failure(
        .configuration, "OPENAI_API_KEY has a space or a character in it that no key has",
        mend: "copy the key again, on one line")
    }
    return Secret(key)
  }

  fileprivate var plainKeyWarning: Warning? {
    guard key != nil, allowsPlainHTTP, !isLocal else { return nil }
    return Warning("the key for \(name) travels unencrypted to \(baseURL); use https")
  }
}

extension String {
  var nonEmpty: String? { isEmpty ? nil : self }
}
