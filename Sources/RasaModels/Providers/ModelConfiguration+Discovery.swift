package import RasaCore
package import RasaPersona

extension ModelConfiguration {
  /// What the environment and the configuration files say. Where both say something of the same
  /// provider, each setting is taken from the environment first.
  ///
  /// `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL`,
  /// `GEMINI_API_KEY` or `GOOGLE_API_KEY`, `GEMINI_BASE_URL`, `OLLAMA_HOST`; `LLM_PROVIDER`,
  /// `LLM_MODEL`, `LLM_HOST`.
  package static func discover(
    _ environment: [String: String], configuration files: Configuration = Configuration()
  ) throws(Failure) -> ModelConfiguration {
    let discovery = Discovery(environment: environment, files: files)
    var configuration = ModelConfiguration()
    configuration.providers = try discovery.providers()
    let withheld = configuration.withholdProjectsOwn()
    let model = discovery.read("LLM_MODEL").map { ModelReference(model: $0) } ?? files.model
    configuration.model = model.map { configuration.resolved($0) }
    try configuration.prefer(discovery.preferred)
    configuration.warnings = configuration.providers.compactMap(\.plainKeyWarning) + withheld
    return configuration
  }

  /// Takes out what a project's file names by a second name: the user's own entry says what may be
  /// asked there, and for how much.
  private mutating func withholdProjectsOwn() -> [Warning] {
    var warnings: [Warning] = []
    let own = providers.filter { !$0.isProject }
    providers.removeAll { provider in
      guard provider.isProject, let place = provider.place,
        let same = own.first(where: { $0.place == place })
      else { return false }
      warnings.append(
        Warning(
          "the provider `\(provider.name)` is ignored in a project's file: it is at the address of "
            + "your own `\(same.name)`; name that instead"))
      return true
    }
    return warnings
  }

  private mutating func prefer(_ name: String?) throws(Failure) {
    guard let name else { return }
    if name == "mock" {
      prefersMock = true
    } else if let index = providers.firstIndex(where: { $0.name == name }) {
      providers.insert(providers.remove(at: index), at: 0)
    } else if let builtIn = BuiltIn(rawValue: name) {
      throw Failure(
        .configuration, "LLM_PROVIDER is \(name), but that provider has no address",
        suggestion: builtIn == .openAI
          ? "set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server"
          : "set \(builtIn.keyVariables.first ?? builtIn.addressVariable)")
    } else {
      let known = engines.sorted()
      throw Failure(
        .configuration, "LLM_PROVIDER names '\(name)', which is not a known provider",
        suggestion: nearestName(to: name, among: known).map { "did you mean \($0)?" }
          ?? "use one of \(known.joined(separator: ", "))")
    }
  }
}

/// The providers that need no entry in a file.
enum BuiltIn: String, CaseIterable {
  case openAI = "openai"
  case anthropic, gemini, ollama

  var dialect: ProviderSettings.Dialect {
    switch self {
    case .openAI: .openAI
    case .anthropic: .anthropic
    case .gemini: .gemini
    case .ollama: .ollama
    }
  }

  /// Whose models the vendor's own server sells.
  var vendor: String? {
    switch self {
    case .openAI: "openai"
    case .anthropic: "anthropic"
    case .gemini: "google"
    case .ollama: nil
    }
  }

  /// The vendor's own server; nil where everybody has one.
  var host: String? {
    switch self {
    case .openAI: "api.openai.com"
    case .anthropic: "api.anthropic.com"
    case .gemini: "generativelanguage.googleapis.com"
    case .ollama: nil
    }
  }

  var keyVariables: [String] {
    switch self {
    case .openAI: ["OPENAI_API_KEY"]
    case .anthropic: ["ANTHROPIC_API_KEY"]
    case .gemini: ["GEMINI_API_KEY", "GOOGLE_API_KEY"]
    case .ollama: []
    }
  }

  var addressVariable: String {
    switch self {
    case .openAI: "OPENAI_BASE_URL"
    case .anthropic: "ANTHROPIC_BASE_URL"
    case .gemini: "GEMINI_BASE_URL"
    case .ollama: "OLLAMA_HOST"
    }
  }
}

/// Puts providers together from what two sources say of them.
private struct Discovery {
  let environment: [String: String]
  let files: Configuration
  let preferred: String?

  init(environment: [String: String], files: Configuration) {
    self.environment = environment
    self.files = files
    preferred = environment["LLM_PROVIDER"]?.trimmingBlanks.nonEmpty.map {
      ModelConfiguration.canonical($0)
    }
  }

  func read(_ name: String) -> String? { environment[name]?.trimmingBlanks.nonEmpty }

  /// Those of the environment first, then those of the files in their order.
  func providers() throws(Failure) -> [ProviderSettings] {
    var definitions: [(name: String, definition: ProviderDefinition)] = []
    for definition in files.providers {
      let name = ModelConfiguration.canonical(definition.name)
      guard name != "mock", !definitions.contains(where: { $0.name == name }) else { continue }
      definitions.append((name, definition))
    }
    var providers: [ProviderSettings] = []
    for builtIn in BuiltIn.allCases {
      let definition = definitions.first { $0.name == builtIn.rawValue }?.definition
      if let found = try inEnvironment(builtIn, definition) { providers.append(found) }
    }
    for (name, definition) in definitions where !providers.contains(where: { $0.name == name }) {
      var draft = ProviderDraft(name: name, builtIn: BuiltIn(rawValue: name))
      try draft.take(definition, environment: environment)
      providers.append(try draft.settings())
    }
    // One whose key is missing on this machine is no first choice.
    return providers.filter { !$0.lacksKey } + providers.filter(\.lacksKey)
  }

  private func inEnvironment(
    _ builtIn: BuiltIn, _ definition: ProviderDefinition?
  ) throws(Failure) -> ProviderSettings? {
    var draft = ProviderDraft(name: builtIn.rawValue, builtIn: builtIn)
    if let host = read("LLM_HOST"), builtIn == hostOwner(host) {
      draft.setAddress(host, from: "LLM_HOST")
    } else if let address = read(builtIn.addressVariable) {
      draft.setAddress(address, from: builtIn.addressVariable)
    } else if builtIn == .ollama, preferred == "ollama", definition == nil {
      draft.setAddress("127.0.0.1", from: "LLM_PROVIDER")
    }
    for variable in builtIn.keyVariables where !draft.hasKey {
      if let key = read(variable) { draft.setKey(key, from: variable) }
    }
    guard !draft.isEmpty else { return nil }
    if let definition { try draft.take(definition, environment: environment) }
    return try draft.settings()
  }

  /// Whose address `LLM_HOST` is: that of the provider that is preferred.
  private func hostOwner(_ host: String) -> BuiltIn? {
    if let preferred { return BuiltIn(rawValue: preferred) }
    return host.hasBytes("/v1") ? .openAI : .ollama
  }
}

extension ProviderSettings {
  /// It wants a key, and the variable that should hold it is not set.
  package var lacksKey: Bool { key == nil && wantsKey }

  /// Where it is reached, by whatever name: all names of this machine are one.
  fileprivate var place: String? {
    guard let address = try? ProviderAddress(baseURL, variable: "base_url") else { return nil }
    let host = address.isLoopback ? "this machine" : address.host.lowercased()
    return "\(host):\(address.port ?? (address.scheme == "https" ? 443 : 80))"
  }

  fileprivate var plainKeyWarning: Warning? {
    guard key != nil, allowsPlainHTTP, !isLocal else { return nil }
    return Warning("the key for \(name) travels unencrypted to \(baseURL); use https")
  }
}

extension String {
  var nonEmpty: String? { isEmpty ? nil : self }
}
