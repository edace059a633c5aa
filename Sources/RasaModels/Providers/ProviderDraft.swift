package import RasaCore
import RasaPersona

/// A provider while it is put together: what was said first counts.
struct ProviderDraft {
  private let name: String
  private let builtIn: BuiltIn?
  private var address: String?
  /// What messages call the address: a variable, or a place in a file.
  private var addressVariable: String
  private var addressLocation: SourceLocation?
  private var isBareAddress = true
  private var key: String?
  private var keyVariable: String?
  private var definition: ProviderDefinition?
  private var origins: [String] = []

  init(name: String, builtIn: BuiltIn?) {
    self.name = name
    self.builtIn = builtIn
    addressVariable = builtIn?.addressVariable ?? "base_url"
    keyVariable = builtIn?.keyVariables.first
  }

  var hasKey: Bool { key != nil }
  var isEmpty: Bool { key == nil && address == nil }

  mutating func setAddress(_ text: String, from variable: String) {
    address = text
    addressVariable = variable
    origins.append(variable)
  }

  mutating func setKey(_ text: String, from variable: String) {
    key = text
    keyVariable = variable
    origins.append(variable)
  }

  /// Takes what an entry of a file says where nothing else has said it. A key that the entry names
  /// goes with it, since it is the environment that holds it.
  mutating func take(
    _ definition: ProviderDefinition, environment: [String: String]
  ) throws(Failure) {
    self.definition = definition
    origins.append(definition.location.description)
    let base = definition.baseURL.trimmingBlanks
    if address == nil, !base.isEmpty {
      address = base
      addressVariable = "base_url of \(name)"
      addressLocation = definition.location
      isBareAddress = false
    }
    if let variable = definition.keyVariable {
      keyVariable = variable
      key = environment[variable]?.trimmingBlanks.nonEmpty
      if key != nil { origins.append(variable) }
    }
  }

  func settings() throws(Failure) -> ProviderSettings {
    do {
      return try build()
    } catch {
      var failure = error
      failure.location = failure.location ?? addressLocation
      throw failure
    }
  }

  private func build() throws(Failure) -> ProviderSettings {
    let address = try address(dialect)
    let host = address.host.lowercased()
    let seller = BuiltIn.allCases.first { $0.host == host }
    let isVendor = seller != nil
    let vendor = definition?.vendor ?? seller?.vendor
    var settings = ProviderSettings(
      name: name, dialect: dialect, baseURL: address.url,
      key: try secret(), isLocal: definition?.isLocal ?? address.isLoopback,
      allowsPlainHTTP: address.scheme == "http" && !isVendor, isVendor: isVendor, vendor: vendor,
      keyVariable: keyVariable, addressVariable: addressVariable, origins: origins)
    settings.wantsKey = isVendor || definition?.keyVariable != nil
    settings.isProject = definition?.isProject ?? false
    settings.isFree =
      !settings.isProject
      && (definition?.isLocal ?? (address.isLoopback && key == nil && !settings.wantsKey))
    settings.maxTokensField =
      definition?.maxTokensField
      ?? (dialect == .openAI && vendor == "openai" ? .maxCompletionTokens : .maxTokens)
    settings.structuredOutput = definition?.structuredOutput ?? .jsonSchema
    settings.extraHeaders = definition?.headers ?? []
    settings.keyHeader = definition?.keyHeader
    settings.query = definition?.query ?? []
    // Of a request that was copied whole: it is said anew with each.
    let copied = address.query.filter { $0.name != "alt" && $0.name != "beta" }
    settings.query += copied.filter { item in
      !settings.query.contains { $0.name == item.name }
    }.map { ($0.name, $0.value) }
    settings.defaultModel = definition?.defaultModel
    settings.takesImages = definition?.takesImages
    settings.takesPDFs = definition?.takesPDFs
    settings.imageDetail = definition?.imageDetail
    settings.connectTimeout = try seconds(definition?.connectTimeout, "connect")
    settings.firstContentTimeout = try seconds(definition?.firstContentTimeout, "first_content")
    settings.idleTimeout = try seconds(definition?.idleTimeout, "idle")
    return settings
  }

  private var dialect: ProviderSettings.Dialect {
    // What a built-in name speaks is known, unless its entry says that another server speaks for it.
    guard let definition, builtIn == nil || !definition.baseURL.isEmpty else {
      return builtIn?.dialect ?? .openAI
    }
    return definition.dialect
  }

  // MARK: Address

  private func address(_ dialect: ProviderSettings.Dialect) throws(Failure) -> ProviderAddress {
    guard let text = address ?? builtIn?.host.map({ "https://\($0)" }) ?? ollamaHost else {
      throw Failure(
        .configuration, "the provider '\(name)' has no address",
        suggestion: "add `base_url: https://…`", at: definition?.location)
    }
    var address = try ProviderAddress(text, variable: addressVariable)
    let isWhole = address.dropEndpoint(of: dialect)
    switch dialect {
    case .openAI:
      if !address.hasScheme, !address.isLoopback { address.scheme = "https" }
      // What a file writes out is taken as it stands: some servers have their version elsewhere.
      let lacksVersion = isBareAddress ? !address.hasVersion : address.path.isEmpty
      if lacksVersion, !isWhole { address.path += "/v1" }
    case .anthropic, .gemini:
      if !address.hasScheme, !address.isLoopback { address.scheme = "https" }
      // The version belongs to the request here; people copy it along.
      if let slash = address.path.lastIndex(of: "/"),
        ProviderAddress.isVersion(address.path[address.path.index(after: slash)...])
      {
        address.path = String(address.path[..<slash])
      }
    case .ollama:
      if address.port == nil, !address.hasScheme { address.port = 11_434 }
    }
    return address
  }

  private var ollamaHost: String? { builtIn == .ollama ? "127.0.0.1" : nil }

  // MARK: Words and numbers

  private func secret() throws(Failure) -> Secret? {
    guard let key else { return nil }
    guard key.utf8.allSatisfy({ $0 > 32 && $0 < 127 }), key.utf8.count <= 8_192 else {
      throw Failure(
        .configuration,
        "\(keyVariable ?? "the key") has a space or a character in it that no key has",
        suggestion: "copy the key again, on one line")
    }
    return Secret(key)
  }

  private func seconds(_ number: Double?, _ what: String) throws(Failure) -> Duration? {
    guard let number else { return nil }
    guard number > 0, number <= 86_400 else {
      throw Failure(
        .configuration, "the timeout '\(what)' of '\(name)' is not from 0 to 86400 seconds",
        suggestion: "write it in seconds", at: definition?.location)
    }
    return .milliseconds(Int64((number * 1_000).rounded(.up)))
  }
}

extension ProviderAddress {
  /// Whether a component of the path is a version such as `v1` or `v1beta`.
  var hasVersion: Bool { path.split(separator: "/").contains(where: Self.isVersion) }

  static func isVersion(_ component: Substring) -> Bool {
    component.first == "v" && component.dropFirst().first?.isNumber == true
  }
}

extension ProviderSettings {
  /// An OpenAI-compatible server; without an address OpenAI itself.
  package static func openAI(
    baseURL: String?, key: String?, variable: String = "OPENAI_BASE_URL"
  ) throws(Failure) -> ProviderSettings {
    try builtIn(.openAI, address: baseURL, key: key, variable: variable)
  }

  package static func anthropic(
    baseURL: String?, key: String?, variable: String = "ANTHROPIC_BASE_URL"
  ) throws(Failure) -> ProviderSettings {
    try builtIn(.anthropic, address: baseURL, key: key, variable: variable)
  }

  package static func gemini(
    baseURL: String?, key: String?, variable: String = "GEMINI_BASE_URL"
  ) throws(Failure) -> ProviderSettings {
    try builtIn(.gemini, address: baseURL, key: key, variable: variable)
  }

  package static func ollama(
    host: String, variable: String = "OLLAMA_HOST"
  ) throws(Failure) -> ProviderSettings {
    try builtIn(.ollama, address: host, key: nil, variable: variable)
  }

  private static func builtIn(
    _ builtIn: BuiltIn, address: String?, key: String?, variable: String
  ) throws(Failure) -> ProviderSettings {
    var draft = ProviderDraft(name: builtIn.rawValue, builtIn: builtIn)
    if let address { draft.setAddress(address, from: variable) }
    if let key = key?.trimmingBlanks.nonEmpty, let variable = builtIn.keyVariables.first {
      draft.setKey(key, from: variable)
    }
    return try draft.settings()
  }
}

extension ProviderSettings {
  /// An address of the kind that has its version in it, without one.
  var lacksVersion: Bool {
    guard dialect == .openAI, let address = try? ProviderAddress(baseURL, variable: "base_url")
    else {
      return false
    }
    return !address.hasVersion
  }
}
