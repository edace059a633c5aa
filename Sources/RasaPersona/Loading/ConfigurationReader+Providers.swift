import RasaCore
import RasaDocuments

/// The providers that need no configuration entry.
enum BuiltInProvider: String, CaseIterable {
  case openai, anthropic, gemini, google, ollama, mock

  static let names = Set(allCases.map(\.rawValue))

  var dialect: ProviderDefinition.Dialect {
    switch self {
    case .anthropic: .anthropic
    case .gemini, .google: .gemini
    case .ollama: .ollama
    case .openai, .mock: .openAI
    }
  }
}

extension ConfigurationReader {
  private static let keys = [
    "base_url", "key", "dialect", "key_header", "headers", "query", "max_tokens_field",
    "structured_output", "vendor", "default_model", "local", "timeouts", "vision", "pdf",
    "image_detail",
  ]

  mutating func providers(_ node: DocumentNode?) -> [ProviderDefinition] {
    reader.entries(node, "providers", mustBe: "a mapping of names to providers").compactMap {
      provider($0)
    }
  }

  private mutating func provider(_ entry: DocumentNode.Entry) -> ProviderDefinition? {
    let builtIn = BuiltInProvider(rawValue: entry.key)
    guard DocumentReader.isName(entry.key), builtIn != .mock else {
      reader.fail(
        Failure(
          .configuration,
          builtIn == .mock
            ? "the mock is built in and cannot be redefined"
            : "a provider's name may contain only lowercase letters, digits, `_` and `-`",
          suggestion: "give the provider another name, such as `groq`", at: entry.keyLocation))
      return nil
    }
    let label = "the provider `\(entry.key)`"
    guard let fields = reader.fields(entry.value, of: label, known: Self.keys) else { return nil }
    let dialect: ProviderDefinition.Dialect? = reader.choice(fields["dialect"], "dialect")
    let address = address(fields, isBuiltIn: builtIn != nil, name: entry.key)
    var definition = ProviderDefinition(
      name: entry.key, dialect: dialect ?? builtIn?.dialect ?? .openAI,
      baseURL: fields["base_url"]?.value.string ?? "", location: entry.keyLocation)
    definition.keyVariable = keyVariable(fields["key"], of: entry.key)
    definition.keyHeader = header(fields["key_header"])
    definition.headers = pairs(fields["headers"], "headers", areHeaders: true)
    definition.query = pairs(fields["query"], "query", areHeaders: false)
    definition.maxTokensField = reader.choice(fields["max_tokens_field"], "max_tokens_field")
    definition.structuredOutput = reader.choice(fields["structured_output"], "structured_output")
    definition.vendor = reader.name(fields["vendor"], "vendor")
    definition.defaultModel = reader.text(fields["default_model"], "default_model")
    definition.isLocal = flag(fields["local"], "local")
    definition.takesImages = flag(fields["vision"], "vision")
    definition.takesPDFs = flag(fields["pdf"], "pdf")
    definition.imageDetail = reader.choice(fields["image_detail"], "image_detail")
    if let node = fields["timeouts"],
      let timeouts = reader.fields(
        node, of: "`timeouts`", known: ["connect", "first_content", "idle"])
    {
      definition.connectTimeout = seconds(timeouts["connect"], "connect")
      definition.firstContentTimeout = seconds(timeouts["first_content"], "first_content")
      definition.idleTimeout = seconds(timeouts["idle"], "idle")
    }
    return isAllowed(definition, address, hasKey: fields["key"] != nil) ? definition : nil
  }

  private mutating func seconds(_ node: DocumentNode?, _ label: String) -> Double? {
    reader.number(node, label, in: 0.1...86_400, unit: " of seconds")
  }

  /// A cloned repository must not be able to send the user's keys or prompts elsewhere: it may only
  /// add a server on this machine that needs no key.
  private mutating func isAllowed(
    _ definition: ProviderDefinition, _ address: AddressText?, hasKey: Bool
  ) -> Bool {
    guard case .project(let providers) = origin else { return true }
    let reason: String
    if BuiltInProvider.names.contains(definition.name) {
      reason = "it would replace a known provider"
    } else if providers.contains(definition.name) {
      reason = "your own file has a provider with that name"
    } else if hasKey || definition.keyHeader != nil {
      reason = "it would receive one of your keys"
    } else if address?.isLoopback != true {
      reason = "it is not on this machine"
    } else {
      return true
    }
    reader.warn(
      "the provider `\(definition.name)` is ignored in a project's file: \(reason); to use it, put "
        + "it into your own file", at: definition.location)
    return false
  }

  // MARK: Address

  private mutating func address(
    _ fields: Fields, isBuiltIn: Bool, name: String
  ) -> AddressText? {
    guard let node = fields["base_url"] else {
      // A provider with an address of its own may only get other settings.
      if !isBuiltIn {
        reader.fail(
          fields.node, "the provider `\(name)` has no `base_url`",
          suggestion: "add its address, such as `base_url: https://api.example.com/v1`")
      }
      return nil
    }
    guard let text = reader.text(node, "base_url") else { return nil }
    do {
      return try AddressText(text, schemes: ["http", "https"])
    } catch {
      secrets.append(node.location)
      reader.fail(
        node, "`base_url` is not an address: \(error.problem)", suggestion: error.suggestion)
      return nil
    }
  }

  // MARK: Keys and headers

  private mutating func keyVariable(_ node: DocumentNode?, of provider: String) -> String? {
    guard let node else { return nil }
    let text = if case .scalar = node.content { node.rawText ?? "" } else { "" }
    if KeyText.isVariableName(text), !KeyText.looksLikeKey(text) { return text }
    secrets.append(node.location)
    let example = provider.uppercased().map { $0 == "-" ? "_" : String($0) }.joined() + "_API_KEY"
    var suggestion =
      "keep the key in a variable, as with `export \(example)=…`, and write `key: \(example)` here"
    if text.first == "$" {
      let name = text.drop { $0 == "$" || $0 == "{" }.prefix { $0 != "}" }
      if KeyText.isVariableName(String(name)) { suggestion = "write the name without the `$`" }
    }
    reader.fail(
      node,
      KeyText.looksLikeKey(text)
        ? "`key` takes the name of an environment variable, but this looks like a key"
        : "`key` takes the name of an environment variable, but this is not one",
      suggestion: suggestion)
    return nil
  }

  private mutating func header(_ node: DocumentNode?) -> String? {
    guard let node, let name = reader.text(node, "key_header") else { return nil }
    guard KeyText.isHeaderName(name) else {
      reader.fail(node, "key_header", mustBe: "the name of a header such as `api-key`")
      return nil
    }
    return name
  }

  private mutating func pairs(
    _ node: DocumentNode?, _ label: String, areHeaders: Bool
  ) -> [(name: String, value: String)] {
    reader.entries(node, label, mustBe: "a mapping of names to texts").compactMap { entry in
      guard case .scalar(let value) = entry.value.content, !value.isNull else {
        reader.fail(entry.value, entry.key, mustBe: "text")
        return nil
      }
      let text = value.string ?? entry.value.rawText ?? value.json()
      if KeyText.carriesKey(entry.key) || KeyText.beginsAsKey(text) {
        secrets.append(entry.value.location)
        reader.fail(
          entry.value, "`\(label)` contains a key, and keys do not belong in files",
          suggestion:
            "keep it in an environment variable and name that as `key`; `key_header` says in "
            + "which header it is sent")
        return nil
      }
      if areHeaders, !KeyText.isHeaderName(entry.key) {
        reader.fail(
          Failure(
            .configuration, "a header's name may contain only letters, digits and `-`",
            suggestion: "write it as `x-name: value`", at: entry.keyLocation))
        return nil
      }
      guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
        reader.fail(
          entry.value, "`\(entry.key)` must be plain text on one line",
          suggestion: "letters outside ASCII cannot be sent there")
        return nil
      }
      return (entry.key, text)
    }
  }
}
