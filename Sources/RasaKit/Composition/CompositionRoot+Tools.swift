import RasaAgents
import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTools

extension CompositionRoot {
  /// The tools of a process. Nothing is read, started or connected before one of them is used.
  ///
  /// - Parameters:
  ///   - client: makes the connections, when they are first needed.
  ///   - onWarning: is told of programs that run without a sandbox.
  func toolBox(
    onWarning: @escaping @Sendable (Warning) -> Void,
    _ client: @escaping @Sendable () throws(Failure) -> HTTPClient
  ) -> ToolBox {
    let registered = registered
    let launcher = self.launcher(onWarning: onWarning)
    let servers = ServerConnections(
      launcher: launcher, environment: environment.variables, time: time, version: BuiltWith.rasa,
      attachment: { bytes, name throws(Failure) in try attachment(bytes, named: name) },
      authorizer: { declaration in
        // Nobody logs in while a run goes on: `rasa tools login` does that before.
        guard let client = try? client() else { return nil }
        return logins(client).authorizer(for: declaration)
      }, client: client)
    note(servers)
    var parts = ToolBox.Parts(
      servers: servers, pins: PinStore(folders, project: project), now: time.now,
      requestTool: { declaration, _ throws(Failure) in
        try HTTPRequestTool(declaration, client: try client(), environment: environment, time: time)
      },
      programTool: { declaration, _ throws(Failure) in
        guard
          let tool = ProgramToolRunner(
            declaration, launcher: launcher, environment: environment, time: time)
        else { throw Self.missing(declaration) }
        return tool
      })
    parts.folder = FileSystem.realPath(project) ?? project
    parts.functions = { registered?.tools ?? [:] }
    parts.declared = { () throws(Failure) in try declaredTools().layers }
    // The user's own words that go together count among tools, too.
    let search = ToolSearch { (try? relatedTerms()) ?? RelatedTerms.shipped() }
    parts.search = { search.search($0, among: $1, limit: $2) }
    parts.requireTrust = { () throws(Failure) in try requireTrust(startingTools: true) }
    return ToolBox(parts)
  }

  /// An image or a document in a result is read like one that a person attaches.
  private func attachment(_ bytes: [UInt8], named name: String) throws(Failure) -> Attachment {
    let attachment = try attachmentReader().read(bytes, named: name).attachment
    guard attachment.type != .text else { throw Failure(.run, "it is neither an image nor a PDF") }
    return attachment
  }

  /// The logins to remote servers.
  func logins(_ client: HTTPClient) -> OAuthLogins {
    OAuthLogins(client: client, folder: folders.state, environment: environment, time: time)
  }

  private static func missing(_ declaration: ToolDeclaration) -> Failure {
    Failure(
      .configuration, "`\(declaration.name)` is of kind `\(declaration.kindName)`, and no program",
      at: declaration.location)
  }
}
