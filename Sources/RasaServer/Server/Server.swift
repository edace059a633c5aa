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
  let context: ServerContext
  private let beats = Locked<[Task<Void, Never>]>([])

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
    configuration.tls = settings.tls?.files
    configuration.limits.connections = 12_000
    configuration.limits.connectionsPerAddress = 12_000
    configuration.limits.body = 64_000_000
    var openClient = Client(name: Client.openName, scopes: [.run])
    openClient.daily = settings.ollamaDaily
    let tokens = try TokenStore(
      owner: token, file: TokenFile(path: FileSystem.path("tokens.json", in: folder)),
      openClient: openClient)
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
    let hub = RunHub(rasa)
    let now = TimeSource.system.monotonic
    let context = ServerContext(
      rasa: rasa, settings: settings,
      access: Access(
        tokens: tokens, cookies: CookieStore(now: now), settings: settings,
        ownOrigins: Set(names.map { "\(settings.scheme)://\($0.lowercased()):\(http.port)" })),
      admission: Admission(most: settings.mostAtOnce, mostWaiting: settings.mostWaiting, now: now),
      hub: hub, turns: Turns(hub),
      audit: AuditLog(
        path: FileSystem.path("audit.jsonl", in: folder), time: .system, onWarning: settings.warn),
      metrics: Metrics(), standing: ServerContext.Standing(), mcp: MCPService(rasa))
    router.withLock { $0 = Router(context, Routes.all) }
    let server = Server(http, context, tokenFile: tokenFile)
    server.begin()
    return server
  }

  /// The link by which a browser comes in, for a minute and once.
  package func newLink() -> String {
    "\(address)/#code=\(context.access.cookies.newCode())"
  }

  /// Where clients on this machine reach it.
  package var address: String {
    "\(context.settings.scheme)://\(context.settings.host):\(port)"
  }

  /// How many runs it carries out.
  package var liveRuns: Int { context.hub.count }

  /// Goes on with the runs that an earlier server left, and then says that it is ready.
  private func begin() {
    let context = context
    context.standing.begin { await context.takeUp() }
    beats.withLock { tasks in
      // A client that has gone is noticed when it is written to.
      tasks.append(
        Task {
          while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(15))
            for live in context.hub.all { live.log.beat() }
          }
        })
    }
  }

  /// Takes no more runs, parks those that are still going after that time, and returns when everything is closed. The next
  /// start goes on with them.
  ///
  /// - Returns: how many runs were parked.
  @discardableResult
  package func stop(grace: Duration) async -> Int {
    context.standing.phase = .stopping
    for task in beats.withLock({ $0 }) { task.cancel() }
    let parked = await context.park(within: grace)
    let tasks = await context.mcp.close()
    await http.stop(grace: .seconds(2))
    return parked + tasks
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
