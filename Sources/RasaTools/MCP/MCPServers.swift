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
    package var attachment: MCPContent.AttachmentReading
    /// What rasa calls itself.
    package var client: Value = ["name": "rasa", "version": "0"]

    package init(
      http: HTTPClient, environment: [String: String], time: TimeSource,
      attachment: @escaping MCPContent.AttachmentReading,
      start:
        @escaping @Sendable (_ command: ChildCommand, _ declaration: ToolDeclaration)
        async throws(Failure) -> any MCPPipe
    ) {
      self.start = start
      self.http = http
      self.environment = environment
      self.time = time
      self.attachment = attachment
    }

    /// Servers start in the sandbox of their declaration.
    package init(
      http: HTTPClient, environment: [String: String], time: TimeSource,
      attachment: @escaping MCPContent.AttachmentReading, launcher: any ProcessLauncher
    ) {
      self.init(http: http, environment: environment, time: time, attachment: attachment) {
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
    /// What a person approves of it.
    package var offer: ServerOffer
  }

  /// Looks at what a server offers when that has changed since its tools were listed. If it throws, the tool is not used.
  package typealias Watch = @Sendable (ServerOffer) throws -> Void

  private struct State: Sendable {
    var connections: [ToolDeclaration: MCPConnection] = [:]
    var hasEnded = false
  }

  private let setting: Setting
  private let state = Locked(State())

  package init(_ setting: Setting) { self.setting = setting }

  /// The tools of a server, which is started for that if it does not run yet. Hidden ones are not among them.
  ///
  /// - Parameter watch: is asked before a use if the server offers something else by then.
  package func tools(
    of declaration: ToolDeclaration, watch: Watch? = nil
  ) async throws -> Listing {
    let (connection, server) = try connection(to: declaration)
    let listing = try await connection.listing()
    return Listing(
      tools: listing.tools.filter { server.tools[$0.name]?.isHidden != true }
        .map {
          MCPTool($0, of: connection, server, setting, offer: listing.number, watch: watch)
        },
      refused: listing.refused, agreement: connection.agreement,
      offer: ServerOffer(listing, of: declaration))
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
          allowsPrivate: server.allowsPrivate, client: setting.http,
          authorizer: setting.authorizer(declaration), time: setting.time,
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
