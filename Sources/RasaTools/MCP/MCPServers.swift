package import RasaCore
import RasaEngine
package import RasaHTTPClient
package import RasaPersona
package import RasaProcess
import RasaSystem

/// The MCP servers of a process: each is started when a tool of it is first needed, shared by all runs, and ended with
/// the process.
package final class MCPServers: Sendable {
  package struct Setting: Sendable {
    /// Starts a server's program.
    package var start:
      @Sendable (_ command: ChildCommand, _ declaration: ToolDeclaration) async throws(Failure) ->
        any MCPPipe
    package var http: HTTPClient
    /// Who answers a server's demand for tokens; nil if nobody does.
    package var authorizer: @Sendable (ToolDeclaration) -> (any RequestAuthorizer)? = { _ in nil }
    /// Variables for programs and in declarations.
    package var environment: [String: String]
    package var time: TimeSource
    package var limits = MCPLimits()
    /// Makes an attachment of an image or a document that a tool returned.
    package var attachment: MCPContent.AttachmentReading = MCPContent.plainAttachment
    /// What rasa calls itself.
    package var client: Value = ["name": "rasa", "version": "0"]

    package init(
      http: HTTPClient, environment: [String: String], time: TimeSource,
      start:
        @escaping @Sendable (_ command: ChildCommand, _ declaration: ToolDeclaration)
        async throws(Failure) -> any MCPPipe
    ) {
      self.start = start
      self.http = http
      self.environment = environment
      self.time = time
    }

    /// Servers start in the sandbox of their declaration.
    package init(
      http: HTTPClient, environment: [String: String], time: TimeSource,
      launcher: any ProcessLauncher
    ) {
      self.init(http: http, environment: environment, time: time) {
        (command, declaration) throws(Failure) in
        try await launcher.start(command, in: declaration.sandbox)
      }
    }
  }

  /// The tools of a server.
  package struct Listing: Sendable {
    package var tools: [MCPTool]
    /// Those that are not offered, and why.
    package var refused: [MCPToolDefinition.Refusal]
    package var agreement: MCPAgreement?
  }

  /// What a person approves about a server, and what may not change afterwards.
  package struct Surface: Sendable, Hashable {
    /// How it is started or reached, and each tool with its description and schemas.
    package var value: Value
    package var digest: String { Digest.of(value) }
  }

  private struct State: Sendable {
    var connections: [ToolDeclaration: MCPConnection] = [:]
    var hasEnded = false
  }

  private let setting: Setting
  private let state = Locked(State())

  package init(_ setting: Setting) { self.setting = setting }

  /// The tools of a server, which is started for that if it does not run yet. Hidden ones are not among them.
  package func tools(of declaration: ToolDeclaration) async throws -> Listing {
    let (connection, server) = try connection(to: declaration)
    let listing = try await connection.listing()
    return Listing(
      tools: listing.tools.filter { server.tools[$0.name]?.isHidden != true }
        .map { MCPTool($0, of: connection, server, setting) },
      refused: listing.refused, agreement: connection.agreement)
  }

  /// The same for pins. Hidden tools are part of it: whoever shows them later has approved them.
  package func surface(of declaration: ToolDeclaration) async throws -> Surface {
    let (connection, server) = try connection(to: declaration)
    let listing = try await connection.listing()
    var value = Self.way(to: server)
    value["tools"] = .array(
      listing.tools.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        .map(\.surface))
    if let instructions = connection.agreement?.instructions {
      value["instructions"] = .string(instructions)
    }
    return Surface(value: .object(value))
  }

  /// How a server is started or reached. Of variables and headers only the names: their values may be secrets, and
  /// change.
  private static func way(to server: MCPServer) -> ValueObject {
    switch server.transport {
    case .stdio(let command, let environment, let folder):
      var way: ValueObject = ["command": .array(command.map { .string($0) })]
      if !environment.isEmpty {
        way["environment"] = .array(environment.keys.sorted().map { .string($0) })
      }
      if let folder { way["folder"] = .string(folder) }
      return way
    case .http(let url, let headers, _):
      var way: ValueObject = ["url": .string(url)]
      if !headers.isEmpty {
        way["headers"] = .array(headers.map(\.name).sorted().map { .string($0) })
      }
      return way
    }
  }

  /// Ends all of them: inputs closed, then asked to end, then killed. Nothing can be used afterwards.
  package func end() async {
    let connections = state.withLock { state in
      state.hasEnded = true
      defer { state.connections = [:] }
      return Array(state.connections.values)
    }
    await withTaskGroup(of: Void.self) { group in
      for connection in connections { group.addTask { await connection.end() } }
    }
  }

  // MARK: Connections

  private func connection(
    to declaration: ToolDeclaration
  ) throws(Failure) -> (MCPConnection, MCPServer) {
    guard case .mcp(let server) = declaration.kind else {
      throw Failure(
        .configuration, "`\(declaration.name)` is no MCP server", at: declaration.location)
    }
    let made = MCPConnection(
      declaration, isHTTP: server.isHTTP, setting, open: opening(declaration, server))
    let connection = state.withLock { state -> MCPConnection? in
      if state.hasEnded { return nil }
      if let known = state.connections[declaration] { return known }
      state.connections[declaration] = made
      return made
    }
    guard let connection else {
      throw Failure(.cancelled, "the MCP server `\(declaration.name)` was ended with the program")
    }
    return (connection, server)
  }

  private func opening(
    _ declaration: ToolDeclaration, _ server: MCPServer
  ) -> @Sendable (@escaping @Sendable () -> Void) async throws -> any MCPTransport {
    let setting = setting
    return { toolsChanged in
      let name = declaration.name
      func expand(_ text: String, _ what: String) throws(Failure) -> String {
        try VariableTemplate(
          text, of: "\(what) of the MCP server `\(name)`", at: declaration.location
        ).expand(Environment(setting.environment))
      }
      switch server.transport {
      case .stdio(let command, let environment, let folder):
        guard !command.isEmpty else {
          throw Failure(
            .configuration, "the MCP server `\(name)` has no command",
            at: declaration.location)
        }
        var variables = usualVariables(of: setting.environment)
        for (key, value) in environment { variables[key] = try expand(value, "`\(key)`") }
        var arguments: [String] = []
        for argument in command { arguments.append(try expand(argument, "the command")) }
        let pipe = try await setting.start(
          ChildCommand(
            arguments, environment: variables,
            folder: try folder.map { try expand($0, "the folder") }),
          declaration)
        return MCPProgramTransport(
          name: name, pipe: pipe, time: setting.time, limits: setting.limits,
          toolsChanged: toolsChanged)
      case .http(let url, let headers, _):
        let expanded = try HeaderTemplate(
          headers, of: "the MCP server `\(name)`", at: declaration.location
        ).headers(Environment(setting.environment))
        return MCPHTTPTransport(
          name: name, url: try expand(url, "the address"), headers: expanded,
          client: setting.http, authorizer: setting.authorizer(declaration), time: setting.time,
          limits: setting.limits, toolsChanged: toolsChanged)
      }
    }
  }
}

extension MCPServer {
  fileprivate var isHTTP: Bool {
    if case .http = transport { true } else { false }
  }
}

/// What any program needs, and nothing that may be secret.
private func usualVariables(of environment: [String: String]) -> [String: String] {
  let names: Set = [
    "HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR",
    "TZ", "USER",
  ]
  return environment.filter { names.contains($0.key) }
}
