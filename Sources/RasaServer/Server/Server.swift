package import RasaCore
import RasaHTTPServer
package import RasaKit
import RasaSystem

/// Makes personas, agents and the gate reachable over HTTP.
package final class Server: Sendable {
  package let port: UInt16
  /// Where the token is; nil where it was given.
  package let tokenFile: String?
  private let http: HTTPServer
  private let context: ServerContext

  private init(_ http: HTTPServer, _ context: ServerContext, tokenFile: String?) {
    self.http = http
    self.context = context
    self.tokenFile = tokenFile
    port = http.port
  }

  /// Binds, and returns when requests are taken.
  package static func start(_ rasa: Rasa, _ settings: ServerSettings) throws(Failure) -> Server {
    let folder = rasa.folders.data
    let tokenFile = settings.token == nil ? FileSystem.path("server.token", in: folder) : nil
    let token: String
    if let given = settings.token {
      token = given
    } else {
      token = try ownToken(in: tokenFile ?? "")
    }
    var configuration = HTTPServer.Configuration()
    configuration.address = settings.address
    configuration.port = settings.port
    configuration.hosts = settings.hosts
    configuration.limits.connections = 12_000
    configuration.limits.connectionsPerAddress = 12_000
    configuration.limits.body = 64_000_000
    let tokens = try TokenStore(
      owner: token, file: TokenFile(path: FileSystem.path("tokens.json", in: folder)),
      openClient: Client(name: "ollama-open", scopes: [.run]))
    // The port is known once the server listens, and nothing is answered before the router is there.
    let router = Locked<Router?>(nil)
    let http = try HTTPServer.start(configuration) { request in
      guard let router = router.withLock({ $0 }) else {
        return .problem(
          ServerProblem(503, "starting", "the server is starting", retryAfter: 1), .rasa)
      }
      return await router.answer(request)
    }
    let names = ["localhost", "127.0.0.1", "[::1]"] + settings.hosts
    let context = ServerContext(
      rasa: rasa, settings: settings,
      access: Access(
        tokens: tokens, cookies: CookieStore(now: TimeSource.system.monotonic), settings: settings,
        ownOrigins: Set(names.map { "http://\($0.lowercased()):\(http.port)" })),
      mcp: MCPService(rasa))
    router.withLock { $0 = Router(context, Routes.all) }
    return Server(http, context, tokenFile: tokenFile)
  }

  /// Takes no more requests, and returns when all that were taken are answered or that time is over.
  package func stop(grace: Duration) async {
    await http.stop(grace: grace)
    _ = await context.mcp.close()
  }

  private static func ownToken(in path: String) throws(Failure) -> String {
    if let bytes = try FileSystem.readIfPresent(path, limit: 4_096) {
      let text = String(decoding: bytes, as: UTF8.self)
      let token = text.split(whereSeparator: { $0 == "\n" || $0 == "\r" || $0 == " " }).first
      guard let token, token.utf8.count >= 20 else {
        throw Failure(
          .configuration, "\(path) holds no token",
          suggestion: "remove the file: the next start makes a new token")
      }
      return String(token)
    }
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    let token = newSecret("rasa_")
    try FileSystem.write(Array((token + "\n").utf8), to: path, mode: 0o600)
    return token
  }
}
