import RasaCore
package import RasaEngine
package import RasaPersona

/// How one provider is reached and spoken to.
package struct ProviderSettings: Sendable {
  package typealias Dialect = ProviderDefinition.Dialect
  package typealias MaxTokensField = ProviderDefinition.MaxTokensField
  package typealias ImageDetail = ProviderDefinition.ImageDetail
  package typealias StructuredOutput = ProviderDefinition.StructuredOutput

  /// What the engine in `engine:model` and in messages calls it.
  package var name: String
  package var dialect: Dialect
  /// Without a slash at its end; for OpenAI-compatible servers with the version in its path, for all
  /// others without it.
  package var baseURL: String
  package var key: Secret?
  package var maxTokensField: MaxTokensField
  package var structuredOutput: StructuredOutput
  package var extraHeaders: [(name: String, value: String)]
  /// It runs on this machine.
  package var isLocal: Bool
  /// What the catalogue does not price costs nothing. A server that wants a key may pass on what is
  /// asked to somebody who is paid for it, and what a project adds is nobody's word for it.
  package var isFree: Bool
  /// Whether a project's file names it.
  package var isProject = false
  package var allowsPlainHTTP: Bool
  /// The server is the vendor's own, which sells its own models only.
  package var isVendor: Bool
  /// Whose models the catalogue is to reckon its models as; nil for a server of many vendors'.
  package var vendor: String?
  /// The variables that hold the key and name another address, for messages.
  package var keyVariable: String?
  package var addressVariable: String
  /// The header that carries the key, when it is not the dialect's own.
  package var keyHeader: String?
  /// Added to every address.
  package var query: [(name: String, value: String)]
  package var defaultModel: String?
  package var connectTimeout: Duration?
  package var firstContentTimeout: Duration?
  package var idleTimeout: Duration?
  /// What made it known: names of variables, the place in a file.
  package var origins: [String]
  /// Whether its models take images and PDFs, where the configuration says so.
  package var takesImages: Bool?
  package var takesPDFs: Bool?
  package var imageDetail: ImageDetail?
  /// It is a part of the program, and is asked by a call instead of over a wire.
  package var native: (any NativeProvider)?
  /// A key was named for it, or its vendor sells nothing without one.
  package var wantsKey = false

  package init(
    name: String, dialect: Dialect, baseURL: String, key: Secret? = nil,
    maxTokensField: MaxTokensField = .maxTokens, structuredOutput: StructuredOutput = .jsonSchema,
    extraHeaders: [(name: String, value: String)] = [], isLocal: Bool = false,
    allowsPlainHTTP: Bool = false, isVendor: Bool = false, vendor: String? = nil,
    keyVariable: String? = nil, addressVariable: String = "", keyHeader: String? = nil,
    query: [(name: String, value: String)] = [], defaultModel: String? = nil,
    firstContentTimeout: Duration? = nil, idleTimeout: Duration? = nil, origins: [String] = []
  ) {
    self.origins = origins
    self.vendor = vendor
    self.keyVariable = keyVariable
    self.addressVariable = addressVariable
    self.keyHeader = keyHeader
    self.query = query
    self.defaultModel = defaultModel
    self.firstContentTimeout = firstContentTimeout
    self.idleTimeout = idleTimeout
    self.name = name
    self.dialect = dialect
    self.baseURL = baseURL
    self.key = key
    self.maxTokensField = maxTokensField
    self.structuredOutput = structuredOutput
    self.extraHeaders = extraHeaders
    self.isLocal = isLocal
    isFree = isLocal
    self.allowsPlainHTTP = allowsPlainHTTP
    self.isVendor = isVendor
  }
}

extension ProviderSettings {
  /// What is remembered of a model here, asked with this key; without a model, of all of them.
  package func modelKey(_ model: String = "") -> ModelKey {
    ModelKey(provider: name, account: key?.fingerprint ?? "", model: model)
  }

  /// What an adaptation of requests depends on: a digest, for addresses may hold what is secret.
  var wireForm: String {
    let parts = [
      dialect.rawValue, baseURL, maxTokensField.rawValue, structuredOutput.rawValue,
      isLocal ? "local" : "",
    ]
    return String(Digest.sha256(Array(parts.joined(separator: "\n").utf8)).prefix(12))
  }

  /// Placeholder settings of the mock; nothing is sent with them.
  static let mock = ProviderSettings(name: "mock", dialect: .openAI, baseURL: "")
}
