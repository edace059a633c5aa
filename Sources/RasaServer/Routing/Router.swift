import RasaCore
import RasaHTTPServer

/// From a request to its answer: the origin is checked, the route is found, the client is known and may ask, and what
/// goes wrong is told in the client's form.
struct Router: Sendable {
  let context: ServerContext
  let routes: [Route]
  /// Routes by the number of their parts, so that few are compared; those with a rest are in all.
  private let byLength: [Int: [Route]]
  private let open: [Route]

  init(_ context: ServerContext, _ routes: [Route]) {
    self.context = context
    self.routes = routes
    open = routes.filter { if case .rest = $0.segments.last { true } else { false } }
    byLength = Dictionary(
      grouping: routes.filter { if case .rest = $0.segments.last { false } else { true } },
      by: \.segments.count)
  }

  func answer(_ request: ServerRequest) async -> ServerResponse {
    var form = ErrorForm(guessedFor: request)
    var found: Route?
    do {
      let origin = try context.access.checkOrigin(request)
      if request.method == "OPTIONS", request.header("access-control-request-method") != nil {
        return preflight(origin)
      }
      let (route, parameters) = try route(for: request)
      form = route.errors
      found = route
      let client = try context.access.client(for: request, route.need)
      try context.access.check(client, route.need)
      if route.need != .nobody {
        await context.standing.begun()
        guard context.standing.phase != .stopping else {
          throw ServerProblem(503, "stopping", "the server stops", retryAfter: 5)
        }
      }
      var response = try await route.answer(
        Call(request: request, parameters: parameters, client: client, context: context))
      if case .foreign(let name) = origin { response.headers += Self.sharing(name) }
      context.metrics.count(route, status: response.status)
      return response
    } catch {
      let response = ServerResponse.problem(ServerProblem(error), form)
      context.metrics.count(found, status: response.status)
      return response
    }
  }

  private func route(
    for request: ServerRequest
  ) throws(ServerProblem) -> (Route, [String: String]) {
    let parts = request.pathParts
    var methods: [String] = []
    let method = request.method == "HEAD" ? "GET" : request.method
    for route in (byLength[parts.count] ?? []) + open {
      guard let values = route.match(parts) else { continue }
      if route.method == method { return (route, values) }
      methods.append(route.method)
    }
    guard methods.isEmpty else {
      throw ServerProblem(
        405, "usage", "\(request.method) is not possible at \(quoted(request.path))",
        suggestion: "use \(listed(methods, "or"))")
    }
    throw .notFound(
      "there is nothing at \(quoted(request.path))",
      suggestion: "`/openapi.json` lists what there is")
  }

  private func preflight(_ origin: Origin) -> ServerResponse {
    guard case .foreign(let name) = origin else {
      return ServerResponse(status: 204, body: .bytes([]))
    }
    return ServerResponse(
      status: 204,
      headers: Self.sharing(name) + [
        (name: "Access-Control-Allow-Methods", value: "GET, POST, PUT, DELETE"),
        (
          name: "Access-Control-Allow-Headers",
          value:
            "authorization, content-type, x-api-key, anthropic-version, x-rasa-session, last-event-id, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id"
        ),
        (name: "Access-Control-Max-Age", value: "600"),
      ], body: .bytes([]))
  }

  private static func sharing(_ origin: String) -> [(name: String, value: String)] {
    [(name: "Access-Control-Allow-Origin", value: origin), (name: "Vary", value: "Origin")]
  }
}

extension ErrorForm {
  /// For requests that end before their route is known.
  init(guessedFor request: ServerRequest) {
    if request.header("anthropic-version") != nil {
      self = .anthropic
    } else if request.path.hasBytePrefix("/v1/chat/") || request.path.hasBytePrefix("/v1/responses")
    {
      self = .openAI
    } else {
      self = .rasa
    }
  }
}
