package import RasaCore

extension ToolDeclaration {
  package var isServer: Bool { if case .mcp = kind { true } else { false } }

  /// The word that files use for its kind.
  package var kindName: String {
    switch kind {
    case .mcp: "mcp"
    case .http: "http"
    case .process: "process"
    }
  }

  /// What operators write to use it.
  package var reference: String {
    if case .mcp = kind { return "mcp:\(name)" }
    return name
  }

  /// Everything that decides what it does. Two entries with one digest do the same.
  package var digest: String {
    var value = value(showsSecrets: true)
    // Words for people change nothing.
    value["description"] = nil
    return Digest.sha256(Value.object(value).jsonBytes(.canonical))
  }

  /// The entry in the words of its file, for people and for graphs: literal values of variables and headers are
  /// secrets.
  package var shown: ValueObject { value(showsSecrets: false) }

  /// The entry in the words of its file, with everything that is in it.
  package var whole: ValueObject { value(showsSecrets: true) }

  private func value(showsSecrets: Bool) -> ValueObject {
    func secret(_ text: String) -> Value {
      showsSecrets || text.hasBytePrefix("${") ? .string(text) : "***"
    }
    func pairs(_ texts: [String: String]) -> Value {
      .object(ValueObject(texts.sorted { $0.key < $1.key }.map { ($0.key, secret($0.value)) }))
    }
    func list(_ headers: [Header]) -> Value {
      .object(
        ValueObject(
          headers.map { header in
            // `Authorization: Bearer ${TOKEN}` hides nothing.
            (
              header.name,
              VariableText.names(in: header.value).isEmpty
                ? secret(header.value) : .string(header.value)
            )
          }))
    }
    var value: ValueObject = ["kind": .string(kindName)]
    if !description.isEmpty { value["description"] = .string(description) }
    switch kind {
    case .mcp(let server):
      switch server.transport {
      case .stdio(let command, let environment, let folder):
        value["command"] = .array(command.map { .string($0) })
        if !environment.isEmpty { value["env"] = pairs(environment) }
        if let folder { value["folder"] = .string(folder) }
      case .http(let url, let headers, let oauth):
        value["url"] = .string(url)
        if !headers.isEmpty { value["headers"] = list(headers) }
        if let oauth { value["oauth"] = .object(oauth.value) }
        if !server.allowsPrivate.isEmpty {
          value["allow_private"] = .array(server.allowsPrivate.map { .string($0) })
        }
      }
      if !server.tools.isEmpty {
        value["tools"] = .object(
          ValueObject(
            server.tools.sorted { $0.key < $1.key }.map { ($0.key, .object($0.value.value)) }))
      }
      if mayAsk { value["may_ask"] = true }
    case .http(let tool):
      value["method"] = .string(tool.method)
      value["url"] = .string(tool.url)
      if !tool.headers.isEmpty { value["headers"] = list(tool.headers) }
      if let body = tool.body { value["body"] = body }
      if let answer = tool.answer { value["answer"] = .string(answer) }
      value["parameters"] = tool.parameters
      if let output = tool.output { value["output"] = output }
      if !tool.hosts.isEmpty { value["hosts"] = .array(tool.hosts.map { .string($0) }) }
      if !tool.allowsPrivate.isEmpty {
        value["allow_private"] = .array(tool.allowsPrivate.map { .string($0) })
      }
    case .process(let tool):
      value["command"] = .array(tool.command.map { .string($0) })
      if !tool.environment.isEmpty { value["env"] = pairs(tool.environment) }
      if let folder = tool.folder { value["folder"] = .string(folder) }
      value["parameters"] = tool.parameters
      if let output = tool.output { value["output"] = output }
    }
    if let sideEffects { value["side_effects"] = .string(sideEffects.rawValue) }
    if let dataFlow { value["data"] = dataFlow.value }
    if let timeout { value["timeout"] = .double(timeout) }
    if sandbox != ToolSandbox() { value["sandbox"] = .object(sandbox.value) }
    return value
  }

  /// The command that does something with it, as a person types it: `rasa tools approve git -p steward`.
  package func commandLine(_ verb: String) -> String {
    "rasa tools \(verb) \(name)" + (persona.map { " -p \($0)" } ?? "")
  }

  /// The program that it starts, with its arguments; nil for what is only reached over a network.
  package var command: [String]? {
    switch kind {
    case .mcp(let server):
      if case .stdio(let command, _, _) = server.transport { command } else { nil }
    case .http: nil
    case .process(let tool): tool.command
    }
  }

  /// Where that program starts.
  package var folder: String? {
    switch kind {
    case .mcp(let server):
      if case .stdio(_, _, let folder) = server.transport { folder } else { nil }
    case .http: nil
    case .process(let tool): tool.folder
    }
  }

  /// The address that it reaches.
  package var address: String? {
    switch kind {
    case .mcp(let server):
      if case .http(let url, _, _) = server.transport { url } else { nil }
    case .http(let tool): tool.url
    case .process: nil
    }
  }

  /// The hosts on this machine or in private networks that its address may lead to.
  package var privateHosts: [String] {
    switch kind {
    case .mcp(let server): server.allowsPrivate
    case .http(let tool): tool.allowsPrivate
    case .process: []
    }
  }

  /// The variables of the user's environment that it is given.
  package var variables: [String] {
    var texts: [String] = []
    switch kind {
    case .mcp(let server):
      switch server.transport {
      case .stdio(let command, let environment, let folder):
        texts = command + environment.values + [folder].compactMap(\.self)
      case .http(let url, let headers, let oauth):
        texts = [url] + headers.map(\.value)
        if let name = oauth?.clientSecretVariable { texts.append("${\(name)}") }
      }
    case .http(let tool): texts = [tool.url] + tool.headers.map(\.value) + tool.body.texts
    case .process(let tool):
      texts = tool.command + tool.environment.values + [tool.folder].compactMap(\.self)
    }
    return Set(texts.flatMap { VariableText.names(in: $0) }).sorted()
  }
}

extension Value? {
  fileprivate var texts: [String] {
    switch self {
    case .string(let text)?: [text]
    case .array(let elements)?: elements.flatMap { Value?.some($0).texts }
    case .object(let members)?: members.flatMap { Value?.some($0.1).texts }
    default: []
    }
  }
}

extension OAuthSettings {
  fileprivate var value: ValueObject {
    var value = ValueObject()
    if let clientID { value["client_id"] = .string(clientID) }
    if let clientSecretVariable { value["client_secret_env"] = .string(clientSecretVariable) }
    if let metadataURL { value["client_metadata_url"] = .string(metadataURL) }
    if let callbackPort { value["callback_port"] = .int(Int64(callbackPort)) }
    if !scopes.isEmpty { value["scopes"] = .array(scopes.map { .string($0) }) }
    return value
  }
}

extension ToolOverride {
  fileprivate var value: ValueObject {
    var value = ValueObject()
    if let sideEffects { value["side_effects"] = .string(sideEffects.rawValue) }
    if let dataFlow { value["data"] = dataFlow.value }
    if isHidden { value["hidden"] = true }
    return value
  }
}

extension DataFlow {
  private static let known: [(part: DataFlow, word: String)] = [
    (.privateData, "private"), (.untrustedContent, "untrusted"), (.wayOut, "outward"),
  ]

  /// The words that files and journals use.
  package var words: [String] { Self.known.filter { contains($0.part) }.map(\.word) }

  package var value: Value { .array(words.map { .string($0) }) }

  /// Words that it does not know count for nothing.
  package init(_ value: Value) {
    self = []
    for case .string(let word) in value.array ?? [] {
      if let known = Self.known.first(where: { $0.word == word }) { insert(known.part) }
    }
  }
}
