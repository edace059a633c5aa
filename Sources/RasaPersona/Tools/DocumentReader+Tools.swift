package import RasaCore
import RasaDocuments

/// Reads `tools:` of a persona or of a configuration.
extension DocumentReader {
  private static let commonToolKeys = [
    "kind", "description", "side_effects", "data", "timeout", "sandbox",
  ]
  private static let serverKeys = [
    "command", "args", "env", "folder", "url", "headers", "oauth", "tools", "may_ask",
    "allow_private",
  ]
  private static let requestKeys = [
    "method", "url", "headers", "body", "answer", "parameters", "output", "hosts",
    "allow_private",
  ]
  private static let programKeys = ["command", "args", "env", "folder", "parameters", "output"]

  enum ToolKind: String, CaseIterable { case mcp, http, process }

  /// - Parameters:
  ///   - isProject: whether the file belongs to a project and not to the user.
  ///   - isUsers: whether it is the user's own configuration, which alone may do without a sandbox.
  mutating func toolDeclarations(
    _ node: DocumentNode?, isProject: Bool = false, isUsers: Bool = false
  ) -> [ToolDeclaration] {
    guard let node else { return [] }
    let expected = "a mapping of names to tools"
    if case .sequence = node.content {
      fail(
        node, "tools", mustBe: expected,
        suggestion:
          "declare them as `tools: {time: {kind: mcp, command: [mcp-server-time]}}`; the tools that an "
          + "operator uses are listed in the operator")
      return []
    }
    return entries(node, "tools", mustBe: expected).compactMap { entry in
      guard Self.isName(entry.key) else {
        let nearest = Self.name(like: entry.key).map { "write `\($0)`: " } ?? ""
        fail(
          Failure(
            .configuration, "`\(Self.printable(entry.key))` cannot be the name of a tool",
            suggestion: nearest + "names consist of lowercase letters, digits, `_` and `-`",
            at: entry.keyLocation))
        return nil
      }
      return toolDeclaration(entry, isProject: isProject, isUsers: isUsers)
    }
  }

  private mutating func toolDeclaration(
    _ entry: DocumentNode.Entry, isProject: Bool, isUsers: Bool
  ) -> ToolDeclaration? {
    guard case .mapping(let entries) = entry.value.content else {
      fail(
        entry.value, entry.key, mustBe: "a mapping",
        suggestion: "write it as `\(entry.key): {kind: mcp, command: […]}`")
      return nil
    }
    guard let kind = toolKind(entry, Set(entries.map(\.key))) else { return nil }
    let own =
      switch kind {
      case .mcp: Self.serverKeys
      case .http: Self.requestKeys
      case .process: Self.programKeys
      }
    let label = "the tool `\(entry.key)` of kind `\(kind.rawValue)`"
    guard let fields = fields(entry.value, of: label, known: Self.commonToolKeys + own) else {
      return nil
    }
    let declared: ToolDeclaration.Kind? =
      switch kind {
      case .mcp: serverTool(fields).map { .mcp($0) }
      case .http: requestTool(fields).map { .http($0) }
      case .process: programTool(fields).map { .process($0) }
      }
    var declaration = ToolDeclaration(
      name: entry.key, kind: declared ?? .http(HTTPTool(url: "", parameters: .emptyObject)),
      location: entry.keyLocation)
    declaration.isProject = isProject
    declaration.description = text(fields["description"], "description") ?? ""
    declaration.sideEffects = choice(fields["side_effects"], "side_effects")
    declaration.dataFlow = dataFlow(fields["data"])
    declaration.timeout = number(
      fields["timeout"], "timeout", in: 0.001...86_400, unit: " of seconds")
    declaration.mayAsk = flag(fields["may_ask"], "may_ask") ?? false
    declaration.sandbox = toolSandbox(fields["sandbox"], isUsers: isUsers)
    if let node = fields["sandbox"], declaration.command == nil {
      warn("`sandbox` counts only for programs, and this tool starts none", at: node.location)
    }
    return declared == nil ? nil : declaration
  }

  /// The kind that the entry names, or the only one that has its fields.
  private mutating func toolKind(
    _ entry: DocumentNode.Entry, _ keys: Set<String>
  ) -> ToolKind? {
    if let node = entry.value["kind"] {
      if case .scalar(.null) = node.content {} else { return choice(node, "kind") }
    }
    let ofServer = !keys.isDisjoint(with: ["oauth", "tools", "may_ask"])
    let ofRequest =
      !keys.isDisjoint(with: ["method", "body", "answer", "hosts"])
      || (keys.contains("allow_private") && !ofServer)
    let takesArguments = !keys.isDisjoint(with: ["parameters", "output"])
    if keys.contains("url"), ofRequest || takesArguments, !ofServer { return .http }
    if keys.contains("url") || keys.contains("command"), ofServer, !ofRequest, !takesArguments {
      return .mcp
    }
    if keys.contains("command"), takesArguments, !ofServer, !ofRequest { return .process }
    let suggestion =
      keys.contains("url")
      ? "add `kind: mcp` for a server, or `kind: http` for one request"
      : keys.contains("command")
        ? "add `kind: mcp` for a server, or `kind: process` for a program with JSON in and out"
        : "add one of \(Self.listed(ToolKind.allCases.map(\.rawValue)))"
    fail(
      Failure(
        .configuration, "the tool `\(entry.key)` has no `kind`", suggestion: suggestion,
        at: entry.keyLocation))
    return nil
  }

  // MARK: The three kinds

  private mutating func serverTool(_ fields: Fields) -> MCPServer? {
    if let url = fields["url"] {
      for key in ["command", "args", "env", "folder"] where fields[key] != nil {
        fail(
          fields[key] ?? url, "`url` and `\(key)` are both given",
          suggestion: "a server is started with `command`, or reached at `url`")
      }
      guard let address = address(url) else { return nil }
      var server = MCPServer(
        .http(
          url: address, headers: headers(fields["headers"]), oauth: oauth(fields["oauth"])))
      server.tools = overrides(fields["tools"])
      server.allowsPrivate = texts(fields["allow_private"], "allow_private")
      return server
    }
    for key in ["headers", "oauth", "allow_private"] {
      if let entry = fields.entries.first(where: { $0.key == key }) {
        warn(
          "`\(key)` has no effect on a server that is started with `command`", at: entry.keyLocation
        )
      }
    }
    guard
      let command = command(fields, orElse: "`command`, or `url` for one that is reached over HTTP")
    else { return nil }
    var server = MCPServer(
      .stdio(
        command: command, environment: variables(fields["env"]),
        folder: text(fields["folder"], "folder")))
    server.tools = overrides(fields["tools"])
    return server
  }

  private mutating func requestTool(_ fields: Fields) -> HTTPTool? {
    guard let node = fields["url"] else {
      fail(fields.node, "the tool has no `url`", suggestion: "add `url: https://…`")
      return nil
    }
    let hosts = texts(fields["hosts"], "hosts")
    guard let url = address(node, isTemplate: true, hosts: hosts) else { return nil }
    var tool = HTTPTool(url: url, parameters: ["type": "object"])
    tool.hosts = hosts
    if let method = text(fields["method"], "method") {
      let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
      if known.contains(method.uppercased()) {
        tool.method = method.uppercased()
      } else if let node = fields["method"] {
        fail(
          node, "method", mustBe: Self.listed(known),
          suggestion: nearestName(to: method, among: known).map { "did you mean `\($0)`?" } ?? "")
      }
    }
    tool.headers = headers(fields["headers"])
    tool.body = fields["body"]?.value
    if tool.body != nil, ["GET", "HEAD"].contains(tool.method), let node = fields["body"] {
      fail(
        node, "a \(tool.method) request has no body", suggestion: "add `method: POST`")
    }
    tool.answer = pointer(fields["answer"])
    tool.output = toolSchema(fields["output"], "output", ofObject: false)
    tool.hosts = hosts
    tool.allowsPrivate = texts(fields["allow_private"], "allow_private")
    let inURL = Placeholders.names(in: url)
    let inBody = Placeholders.names(in: tool.body ?? .null)
    if let node = fields["parameters"] {
      guard let schema = toolSchema(node, "parameters", ofObject: true) else { return nil }
      tool.parameters = schema
      let known = (schema["properties"].object ?? ValueObject()).map { $0.0 }
      for name in inURL where !known.contains(name) {
        fail(
          fields["url"] ?? node, "`url` inserts `{\(name)}`, which is not among the `parameters`",
          suggestion: nearestName(to: name, among: known).map { "did you mean `{\($0)}`?" }
            ?? "add `\(name)` to `parameters`")
      }
      for name in inBody where !known.contains(name) {
        warn(
          "`body` has `{\(name)}`, which is not among the `parameters` and is sent as it is",
          at: fields["body"]?.location ?? node.location)
      }
    } else {
      // Whatever the request inserts is a text that it needs.
      var names: [String] = []
      for name in inURL + inBody where !names.contains(name) { names.append(name) }
      tool.parameters = [
        "type": "object",
        "properties": .object(ValueObject(names.map { ($0, ["type": "string"]) })),
        "required": .array(names.map { .string($0) }), "additionalProperties": false,
      ]
    }
    return tool
  }

  private mutating func programTool(_ fields: Fields) -> ProgramTool? {
    guard let command = command(fields, orElse: "`command: [program, argument]`") else {
      return nil
    }
    var tool = ProgramTool(command: command, parameters: ["type": "object"])
    tool.environment = variables(fields["env"])
    tool.folder = text(fields["folder"], "folder")
    if let node = fields["parameters"] {
      guard let schema = toolSchema(node, "parameters", ofObject: true) else { return nil }
      tool.parameters = schema
    }
    tool.output = toolSchema(fields["output"], "output", ofObject: false)
    return tool
  }

  // MARK: Fields

  /// `command: [program, argument]`, or `command: program` beside `args: [argument]`.
  private mutating func command(_ fields: Fields, orElse missing: String) -> [String]? {
    guard let node = fields["command"] else {
      fail(fields.node, "the tool does not say what it starts", suggestion: "add \(missing)")
      return nil
    }
    let before = failures.count
    var command: [String]
    if case .sequence(let elements) = node.content {
      command = elements.compactMap { word($0, "command") }
    } else {
      command = word(node, "command").map { [$0] } ?? []
      if fields["args"] == nil, let text = command.first, text.utf8.contains(0x20) {
        let words = text.split(atByte: " ").filter { !$0.isEmpty }.map { "\"\($0)\"" }
        fail(
          node, "`command` is one text with blanks, and no shell reads it",
          suggestion: "write a list: `command: [\(words.joined(separator: ", "))]`")
      }
    }
    command += elements(fields["args"], "args", of: "texts").compactMap { word($0, "args") }
    guard failures.count == before else { return nil }
    guard let program = command.first, !program.isEmpty else {
      fail(node, "`command` names no program", suggestion: "add \(missing)")
      return nil
    }
    return command
  }

  /// An argument: numbers and truth values count as they are written.
  private mutating func word(_ node: DocumentNode, _ label: String) -> String? {
    guard case .scalar(let value) = node.content, !value.isNull else {
      fail(node, label, mustBe: "text")
      return nil
    }
    let text = value.string ?? node.rawText ?? value.json()
    guard !text.utf8.contains(0) else {
      fail(node, "`\(label)` contains a NUL, which no argument can have")
      return nil
    }
    return text
  }

  private mutating func variables(_ node: DocumentNode?) -> [String: String] {
    var variables: [String: String] = [:]
    for entry in entries(node, "env", mustBe: "a mapping of variables to texts") {
      guard VariableText.isVariableName(entry.key) else {
        fail(
          Failure(
            .configuration, "`\(Self.printable(entry.key))` cannot be the name of a variable",
            suggestion: "use letters, digits and `_`", at: entry.keyLocation))
        continue
      }
      if let text = word(entry.value, entry.key) { variables[entry.key] = text }
    }
    return variables
  }

  private mutating func headers(_ node: DocumentNode?) -> [Header] {
    entries(node, "headers", mustBe: "a mapping of names to texts").compactMap { entry in
      let isToken =
        !entry.key.isEmpty
        && entry.key.utf8.allSatisfy { byte in
          byte > 0x20 && byte < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte)
        }
      guard isToken else {
        fail(
          Failure(
            .configuration, "`\(Self.printable(entry.key))` cannot be the name of a header",
            suggestion: "write it as `Authorization`", at: entry.keyLocation))
        return nil
      }
      guard let value = word(entry.value, entry.key) else { return nil }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
        fail(
          entry.value, "the header `\(entry.key)` has a line break or a control character",
          suggestion: "write it in one line")
        return nil
      }
      return Header(name: entry.key, value: value)
    }
  }

  private mutating func oauth(_ node: DocumentNode?) -> OAuthSettings? {
    let known = [
      "client_id", "client_secret_env", "client_metadata_url", "callback_port", "scopes",
    ]
    guard let node, let fields = fields(node, of: "`oauth`", known: known) else { return nil }
    var settings = OAuthSettings()
    settings.clientID = text(fields["client_id"], "client_id")
    settings.clientSecretVariable = text(fields["client_secret_env"], "client_secret_env")
    if let name = settings.clientSecretVariable, let node = fields["client_secret_env"],
      !VariableText.isVariableName(name)
    {
      fail(
        node, "client_secret_env", mustBe: "the name of a variable",
        suggestion: "the secret itself belongs in the variable, not in the file")
    }
    if let url = fields["client_metadata_url"] {
      settings.metadataURL = address(url, "client_metadata_url")
    }
    settings.callbackPort = integer(fields["callback_port"], "callback_port", in: 1...65_535).map {
      UInt16($0)
    }
    settings.scopes =
      if case .scalar = fields["scopes"]?.content {
        (text(fields["scopes"], "scopes") ?? "").split(atByte: " ").filter { !$0.isEmpty }.map(
          String.init)
      } else { texts(fields["scopes"], "scopes") }
    return settings
  }

  /// `tools: {NAME: {side_effects, data, hidden}}` of a server.
  private mutating func overrides(_ node: DocumentNode?) -> [String: ToolOverride] {
    var overrides: [String: ToolOverride] = [:]
    for entry in entries(node, "tools", mustBe: "a mapping of the server's tools") {
      let label = "the tool `\(Self.printable(entry.key))`"
      guard
        let fields = fields(entry.value, of: label, known: ["side_effects", "data", "hidden"])
      else { continue }
      var override = ToolOverride()
      override.sideEffects = choice(fields["side_effects"], "side_effects")
      override.dataFlow = dataFlow(fields["data"])
      override.isHidden = flag(fields["hidden"], "hidden") ?? false
      overrides[entry.key] = override
    }
    return overrides
  }

  private enum DataWord: String, CaseIterable { case `private`, untrusted, outward }

  /// Nil where the file says nothing; an empty list says that it touches nothing of the kind.
  private mutating func dataFlow(_ node: DocumentNode?) -> DataFlow? {
    guard let node else { return nil }
    var flow: DataFlow = []
    for element in oneOrMore(node) {
      let word: DataWord? = choice(element, "data")
      switch word {
      case .private: flow.insert(.privateData)
      case .untrusted: flow.insert(.untrustedContent)
      case .outward: flow.insert(.wayOut)
      case nil: break
      }
    }
    return flow
  }

  /// A complete address. It may begin with a variable, and that of a request may have `{name}` in it.
  private mutating func address(
    _ node: DocumentNode, _ label: String = "url", isTemplate: Bool = false,
    hosts: [String] = []
  ) -> String? {
    guard let text = text(node, label) else { return nil }
    let isOpen = text.hasBytePrefix("${")
    let scheme = text.prefix { $0 != ":" }.lowercased()
    guard
      isOpen
        || (["http", "https"].contains(scheme)
          && text.hasBytePrefix("\(text.prefix(scheme.count))://")),
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      fail(
        node, label, mustBe: "an address that begins with https:// or http://",
        suggestion: "write it as `https://host/path`")
      return nil
    }
    guard !isOpen else { return text }
    let authority = text.dropFirst(scheme.count + 3).prefix { !"/?#".contains($0) }
    if authority.isEmpty || authority.contains("@") {
      fail(
        node,
        authority.isEmpty ? "`\(label)` has no host" : "`\(label)` contains a user name or a key",
        suggestion: authority.isEmpty
          ? "write it as `https://host/path`"
          : "put the key into `headers`, as `Authorization: Bearer ${NAME}`")
      return nil
    }
    if isTemplate, hosts.isEmpty, !Placeholders.names(in: String(authority)).isEmpty {
      fail(
        node, "an argument must not choose the host of `\(label)`",
        suggestion: "write the host, or list those that it may choose: `hosts: [api.example.com]`")
      return nil
    }
    return text
  }

  private mutating func pointer(_ node: DocumentNode?) -> String? {
    guard let node, let text = text(node, "answer") else { return nil }
    guard text.isEmpty || text.hasBytePrefix("/") else {
      fail(
        node, "answer", mustBe: "a JSON pointer such as `/results/0/price`",
        suggestion: "did you mean `/\(text.map { $0 == "." ? "/" : "\($0)" }.joined())`?")
      return nil
    }
    return text
  }

  private mutating func toolSchema(
    _ node: DocumentNode?, _ label: String, ofObject: Bool
  ) -> Value? {
    guard let node else { return nil }
    guard case .mapping = node.content else {
      fail(node, label, mustBe: "a JSON Schema", suggestion: "start it with `type: object`")
      return nil
    }
    if ofObject, node["type"]?.value.string != "object" {
      fail(
        node["type"] ?? node, "`\(label)` must be a schema of an object",
        suggestion: "add `type: object`, and the arguments below `properties`")
      return nil
    }
    do {
      for warning in try Schema.compile(node.value).warnings {
        warn("in `\(label)`, \(warning)", at: node.location)
      }
      return node.value
    } catch {
      fail(node, error.message, suggestion: error.suggestion)
      return nil
    }
  }
}

/// `{name}` in the parts of a request. `${NAME}` is a variable, and two braces or those around anything else are text.
package enum Placeholders {
  package static func names(in text: String) -> [String] {
    let bytes = Array(text.utf8)
    var names: [String] = []
    var index = 0
    while index < bytes.count {
      defer { index += 1 }
      // Two are a brace.
      if bytes[index] == UInt8(ascii: "{"), index + 1 < bytes.count,
        bytes[index + 1] == bytes[index]
      {
        index += 1
        continue
      }
      guard bytes[index] == UInt8(ascii: "{"),
        index == 0 || bytes[index - 1] != UInt8(ascii: "$"),
        let end = bytes[index...].firstIndex(of: UInt8(ascii: "}"))
      else { continue }
      let name = String(decoding: bytes[(index + 1)..<end], as: UTF8.self)
      if VariableText.isVariableName(name), !names.contains(name) { names.append(name) }
    }
    return names
  }

  package static func names(in value: Value) -> [String] {
    switch value {
    case .string(let text): names(in: text)
    case .array(let elements): elements.flatMap { names(in: $0) }
    case .object(let members): members.flatMap { names(in: $0.1) }
    default: []
    }
  }
}
