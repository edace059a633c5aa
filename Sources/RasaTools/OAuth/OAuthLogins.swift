package import RasaCore
package import RasaHTTPClient
package import RasaPersona
package import RasaSystem

/// The logins to remote MCP servers: what a program that uses them needs.
package struct OAuthLogins: Sendable {
  private let client: HTTPClient
  private let file: OAuthTokenFile
  private let environment: Environment
  private let time: TimeSource
  /// Nil where nobody can log in, as in a run without a terminal.
  private let person: OAuthInteraction?

  /// - Parameter folder: that of the state.
  package init(
    client: HTTPClient, folder: String, environment: Environment, time: TimeSource = .system,
    person: OAuthInteraction? = nil
  ) {
    self.client = client
    file = OAuthTokenFile(folder: folder, time: time)
    self.environment = environment
    self.time = time
    self.person = person
  }

  /// Nil for a server that is none of HTTP, or whose declaration sends a token of its own.
  package func authorizer(for declaration: ToolDeclaration) -> OAuthAuthorizer? {
    guard case .mcp(let server) = declaration.kind,
      case .http(_, let headers, _) = server.transport,
      !headers.contains(where: { $0.name.lowercased() == "authorization" }),
      let flow = try? flow(for: declaration)
    else { return nil }
    return OAuthAuthorizer(flow, with: person)
  }

  /// Has a person log in now.
  package func login(
    to declaration: ToolDeclaration, with person: OAuthInteraction
  ) async throws(Failure) {
    try await flow(for: declaration).login(with: person)
  }

  /// Forgets the login. False if there was none.
  package func logout(from declaration: ToolDeclaration) async throws(Failure) -> Bool {
    try await flow(for: declaration).logout()
  }

  private func flow(for declaration: ToolDeclaration) throws(Failure) -> OAuthFlow {
    guard case .mcp(let server) = declaration.kind,
      case .http(let text, _, let settings) = server.transport
    else {
      throw Failure(
        .configuration,
        "`\(declaration.name)` is no remote server, so there is nothing to log in to",
        at: declaration.location)
    }
    let url = try VariableTemplate(
      text, of: "the URL of `\(declaration.name)`", at: declaration.location
    )
    .expand(environment)
    var flow = try OAuthFlow(
      server: declaration.name, url: url, settings: settings, client: client, file: file,
      environment: environment, time: time)
    flow.loginCommand = declaration.commandLine("login")
    return flow
  }
}
