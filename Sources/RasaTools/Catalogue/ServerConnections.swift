package import RasaCore
import RasaEngine
package import RasaHTTPClient
package import RasaPersona
import RasaSystem

/// The servers of the Model Context Protocol that a process uses. Nothing is made before the first is connected.
package final class ServerConnections: ToolServers {
  private let launcher: any ProcessLauncher
  private let client: @Sendable () throws(Failure) -> HTTPClient
  private let authorizer: @Sendable (ToolDeclaration) -> (any RequestAuthorizer)?
  private let environment: [String: String]
  private let time: TimeSource
  private let version: String
  private let attachment: MCPContent.AttachmentReading
  private let made = Locked<MCPServers?>(nil)

  /// - Parameters:
  ///   - client: makes the connections to servers that are reached over a network.
  ///   - attachment: makes an attachment of an image or a document in a result.
  ///   - authorizer: who answers a server's demand for tokens.
  ///   - version: of rasa, which servers are told.
  package init(
    launcher: any ProcessLauncher, environment: [String: String], time: TimeSource, version: String,
    attachment: @escaping MCPContent.AttachmentReading,
    authorizer: @escaping @Sendable (ToolDeclaration) -> (any RequestAuthorizer)? = { _ in nil },
    client: @escaping @Sendable () throws(Failure) -> HTTPClient
  ) {
    self.launcher = launcher
    self.environment = environment
    self.time = time
    self.version = version
    self.attachment = attachment
    self.authorizer = authorizer
    self.client = client
  }

  package func connect(
    _ declaration: ToolDeclaration, watch: MCPServers.Watch?
  ) async throws -> ConnectedServer {
    if let home = environment["HOME"] {
      for path in ServerPin.cacheFolders where declaration.sandbox.write.contains(path) {
        try FileSystem.makeFolder(home + path.dropFirst())
      }
    }
    let listing = try await servers().tools(of: declaration, watch: watch)
    let server = listing.agreement?.server ?? .null
    var connected = ConnectedServer(
      tools: listing.tools, revision: listing.agreement?.version ?? "",
      title: server["title"].string ?? server["name"].string ?? "",
      version: server["version"].string ?? "")
    connected.refused = listing.refused
    connected.offer = listing.offer
    return connected
  }

  package func end() async { await made.withLock(\.self)?.end() }

  private func servers() throws(Failure) -> MCPServers {
    if let servers = made.withLock(\.self) { return servers }
    var setting = MCPServers.Setting(
      http: try client(), environment: environment, time: time, attachment: attachment,
      launcher: launcher)
    setting.client = ["name": "rasa", "version": .string(version)]
    setting.authorizer = authorizer
    let new = MCPServers(setting)
    return made.withLock { servers in
      if let servers { return servers }
      servers = new
      return new
    }
  }
}
