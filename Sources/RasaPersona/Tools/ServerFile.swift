import RasaCore
import RasaDocuments

/// MCP servers in the JSON files of other clients: `mcpServers` as Claude Code, Claude Desktop, Cursor and Gemini write
/// it, and `servers` as VS Code does.
///
/// One entry that cannot be used is reported, and hides none of the others: the file is not written for rasa.
package enum ServerFile {
  /// - Parameter isProject: whether the file belongs to a project and not to the user.
  package static func load(
    _ document: SourceDocument, isProject: Bool
  ) -> Reading<[ToolDeclaration]> {
    let bytes = JSON.withoutComments(document.bytes)
    var reader = DocumentReader(text: SourceText(document))
    do {
      let node = try JSON.document(
        bytes, file: document.path, limits: JSONLimits(bytes: DocumentLimits().bytes))
      let declarations = reader.servers(node, isProject: isProject)
      return Reading(
        read: declarations, failures: reader.failures, warnings: reader.warnings,
        partial: declarations)
    } catch {
      return Reading(failure: error)
    }
  }
}

extension DocumentReader {
  private static let programFields = ["command", "args", "env", "cwd", "envFile"]
  private static let addressFields = ["url", "serverUrl", "httpUrl", "headers", "oauth"]
  /// What other clients keep beside: rasa's own rules and declarations decide about these things.
  private static let otherFields = [
    "type", "transport", "disabled", "enabled", "name", "description", "timeout", "alwaysAllow",
    "autoApprove",
    "trust", "dev", "gallery", "version", "sandboxEnabled", "sandbox", "includeTools",
    "excludeTools",
    "disabledTools", "note",
  ]

  fileprivate mutating func servers(_ node: DocumentNode, isProject: Bool) -> [ToolDeclaration] {
    guard case .mapping(let entries) = node.content else {
      fail(
        node, "the file must be an object, but is \(Self.kindName(node))",
        suggestion: "write it as `{\"mcpServers\": {…}}`")
      return []
    }
    let keys = ["mcpServers", "servers"]
    let lists = entries.filter { keys.contains($0.key) }
    if lists.isEmpty {
      for entry in entries {
        guard let nearest = nearestName(to: entry.key, among: keys) else { continue }
        warn(
          "`\(Self.printable(entry.key))` is unknown and ignored; did you mean `\(nearest)`?",
          at: entry.keyLocation)
      }
    }
    var declarations: [ToolDeclaration] = []
    for list in lists {
      for entry in self.entries(
        list.value, list.key, mustBe: "an object with a member for each server")
      {
        guard var declaration = server(entry) else { continue }
        declaration.isProject = isProject
        if let other = declarations.first(where: { $0.name == declaration.name }) {
          warn(
            "`\(Self.printable(entry.key))` is ignored: the server in line \(other.location.line) is called "
              + "`\(other.name)` here, too", at: entry.keyLocation)
        } else {
          declarations.append(declaration)
        }
      }
    }
    return declarations
  }

  private mutating func server(_ entry: DocumentNode.Entry) -> ToolDeclaration? {
    let name = serverName(entry)
    let known = Self.programFields + Self.addressFields + Self.otherFields
    guard let fields = fields(entry.value, of: "the server `\(name)`", known: known) else {
      return nil
    }
    if fields["disabled"]?.value.bool == true || fields["enabled"]?.value.bool == false {
      return nil
    }
    let kind = fields["type"] ?? fields["transport"]
    if let kind, kind.value.string == "sse" {
      warn(
        "the server `\(name)` speaks the HTTP+SSE transport of 2024, which rasa does not; most such servers also "
          + "have an address for streamable HTTP, often one that ends in /mcp", at: kind.location)
      return nil
    }
    if let node = fields["envFile"] {
      warn(
        "`envFile` is not read; name the variables in `env`, or start rasa with `--env-file`",
        at: node.location)
    }
    let server: MCPServer?
    if let url = fields["url"] ?? fields["serverUrl"] ?? fields["httpUrl"] {
      server = remote(url, fields)
    } else if let program = fields["command"] {
      server = local(program, fields)
    } else {
      fail(
        entry.value, "the server `\(name)` has neither `command` nor `url`",
        suggestion: "add the program that it is, or its address")
      return nil
    }
    guard let server else { return nil }
    var declaration = ToolDeclaration(name: name, kind: .mcp(server), location: entry.keyLocation)
    if case .scalar(.string(let text)) = fields["description"]?.content {
      declaration.description = text
    }
    return declaration
  }

  /// Names in these files may have any characters; those of references may not.
  private mutating func serverName(_ entry: DocumentNode.Entry) -> String {
    var name = String.UnicodeScalarView()
    for scalar in entry.key.unicodeScalars.prefix(64) {
      let isKept =
        scalar.isASCII
        && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil || scalar == "_"
          || scalar == "-" || scalar == ".")
      name.append(isKept ? scalar : "-")
    }
    let text = name.isEmpty ? "server" : String(name)
    if text != entry.key {
      warn(
        "the server `\(Self.printable(entry.key))` is called `\(text)` here", at: entry.keyLocation)
    }
    return text
  }

  private mutating func local(_ program: DocumentNode, _ fields: Fields) -> MCPServer? {
    guard let text = text(program, "command") else { return nil }
    guard !text.isEmpty else {
      fail(program, "`command` is empty", suggestion: "name the program")
      return nil
    }
    var command = [clientText(text, program)]
    for element in elements(fields["args"], "args", of: "texts") {
      guard let word = clientWord(element, "args") else { return nil }
      command.append(word)
    }
    var environment: [String: String] = [:]
    for entry in entries(fields["env"], "env", mustBe: "an object of variables") {
      // An empty member is how VS Code takes a variable away, which has none here anyway.
      if case .scalar(.null) = entry.value.content { continue }
      guard VariableText.isVariableName(entry.key) else {
        warn(
          "`\(Self.printable(entry.key))` cannot be the name of a variable and is ignored",
          at: entry.keyLocation)
        continue
      }
      guard let word = clientWord(entry.value, entry.key) else { return nil }
      environment[entry.key] = word
    }
    let folder = fields["cwd"].flatMap { clientWord($0, "cwd") }
    return MCPServer(.stdio(command: command, environment: environment, folder: folder))
  }

  private mutating func remote(_ url: DocumentNode, _ fields: Fields) -> MCPServer? {
    guard let address = clientWord(url, "url") else { return nil }
    guard
      ["http://", "https://", "${"].contains(where: { address.lowercased().hasBytePrefix($0) }),
      address.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
    else {
      fail(url, "url", mustBe: "an address that begins with https:// or http://")
      return nil
    }
    var headers: [Header] = []
    for entry in entries(fields["headers"], "headers", mustBe: "an object of headers") {
      guard let value = clientWord(entry.value, entry.key) else { return nil }
      guard (entry.key + value).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), !entry.key.isEmpty
      else {
        fail(
          entry.value,
          "the header `\(Self.printable(entry.key))` has a line break or a control character")
        return nil
      }
      headers.append(Header(name: entry.key, value: value))
    }
    var oauth: OAuthSettings?
    if let node = fields["oauth"], case .mapping = node.content {
      var settings = OAuthSettings()
      settings.clientID = node["clientId"]?.value.string ?? node["client_id"]?.value.string
      settings.callbackPort = (node["callbackPort"] ?? node["callback_port"])?.value.int.flatMap {
        UInt16(exactly: $0)
      }
      settings.scopes = (node["scopes"]?.value.array ?? []).compactMap(\.string)
      oauth = settings
    }
    return MCPServer(.http(url: address, headers: headers, oauth: oauth))
  }

  private mutating func clientWord(_ node: DocumentNode, _ label: String) -> String? {
    guard case .scalar(let value) = node.content, !value.isNull else {
      fail(node, label, mustBe: "text")
      return nil
    }
    let text = value.string ?? node.rawText ?? value.json()
    guard !text.utf8.contains(0) else {
      fail(node, "`\(Self.printable(label))` contains a NUL")
      return nil
    }
    return clientText(text, node)
  }

  /// VS Code's own names of variables, as rasa has them: `${env:NAME}`, `${workspaceFolder}`, and `${input:api-key}`,
  /// which VS Code asks the user for.
  private mutating func clientText(_ text: String, _ node: DocumentNode) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var result = ""
    var rest = text[...]
    while let start = rest.utf8.firstIndex(of: UInt8(ascii: "$")) {
      result += rest[..<start]
      rest = rest[start...]
      guard rest.hasBytePrefix("${"), let end = rest.firstIndex(ofByte: "}") else {
        result += rest.prefix(1)
        rest = rest.dropFirst()
        continue
      }
      let inner = rest.dropFirst(2).prefix(upTo: end)
      rest = rest[rest.index(after: end)...]
      if inner.hasBytePrefix("env:") {
        result += "${\(inner.dropFirst(4))}"
      } else if inner == "workspaceFolder" {
        result += "."
      } else if inner == "userHome" {
        result += "${HOME}"
      } else if inner.hasBytePrefix("input:") {
        let id = inner.dropFirst(6)
        let variable = String(
          id.utf8.map { byte in
            let isWord =
              (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A) || (byte >= 0x30 && byte <= 0x39)
            return isWord ? Character(Unicode.Scalar(byte)) : "_"
          }
        ).uppercased()
        warn(
          "VS Code asks for `\(Self.printable(String(id)))`; rasa takes it from the variable \(variable)",
          at: node.location)
        result += "${\(variable)}"
      } else {
        result += "${\(inner)}"
      }
    }
    return result + rest
  }
}
