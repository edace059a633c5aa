import RasaCore
import RasaDocuments
import RasaHTTPServer
import RasaKit

/// `/mcp`: streamable HTTP, in both eras.
struct MCPDoor: Sendable {
  let call: Call
  private var service: MCPService { call.context.mcp }
  private var sessions: MCPHTTPSessions { call.context.mcpSessions }

  static let routes: [Route] = [
    Route(
      "POST", "/mcp", .scope(.run),
      RouteDescription(
        "A message of the Model Context Protocol, revisions 2024-11-05 to 2026-07-28.",
        body: ["type": "object", "required": ["jsonrpc", "method"]])
    ) { try await MCPDoor(call: $0).answer() },
    Route(
      "DELETE", "/mcp", .scope(.run),
      RouteDescription("Ends the MCP session that `Mcp-Session-Id` names.")
    ) { try MCPDoor(call: $0).end() },
  ]

  private static let heartbeat = Duration.seconds(15)

  // MARK: One message

  private func answer() async throws -> ServerResponse {
    guard let document = try? JSON.parse(call.request.body, limits: JSONLimits(bytes: 64 << 20))
    else {
      return refusal(
        nil, .init(code: JSONRPC.Problem.parseError, message: "the body is no JSON"), 400)
    }
    guard let messages = JSONRPC.messages(in: document), let first = messages.first else {
      return refusal(
        nil,
        .init(code: JSONRPC.Problem.invalidRequest, message: "the body is no JSON-RPC message"), 400
      )
    }
    if messages.count == 1, case .request(let id, let method, let params) = first {
      let request = PeerRequest(id: id, method: method, params: params)
      if method == "initialize" { return initialize(request) }
      if isStateless(params) { return await stateless(request) }
    }
    return try inSession(messages)
  }

  private func refusal(
    _ id: JSONRPC.ID?, _ problem: JSONRPC.Problem, _ status: Int
  ) -> ServerResponse {
    .json(JSONRPC.Message.failure(id, problem).value, status: status)
  }

  /// A stream in which `answers` writes, and that ends with it. The client that hangs up cancels it.
  private func events(
    _ answers: @escaping @Sendable (EventWriter) async throws -> Void
  ) -> ServerResponse {
    ServerResponse(
      headers: [
        ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"),
        ("X-Accel-Buffering", "no"),
      ],
      body: .stream { writer in
        let writer = EventWriter(writer)
        try await withThrowingTaskGroup(of: Void.self) { group in
          group.addTask {
            while true {
              try await Task.sleep(for: Self.heartbeat)
              try await writer.beat()
            }
          }
          group.addTask { try await answers(writer) }
          defer { group.cancelAll() }
          try await group.next()
        }
      })
  }

  private func message(
    _ request: PeerRequest, _ caller: MCPCaller, _ outlet: MCPOutlet
  ) async throws -> JSONRPC.Message {
    do {
      guard request.method == "tools/call" else {
        return .result(request.id, try await service.answer(request, caller, outlet))
      }
      let place = try await call.context.admission.enter(call.client)
      defer { place.leave() }
      call.context.audit.note(call, "mcp.call", request.params["name"].string ?? "")
      return .result(request.id, try await service.answer(request, caller, outlet))
    } catch let problem as JSONRPC.Problem {
      return .failure(request.id, problem)
    } catch let problem as ServerProblem {
      // It has asked too often, or too many wait already.
      return .failure(
        request.id, .init(code: JSONRPC.Problem.internalError, message: problem.message))
    }
  }

  private func isLong(_ request: PeerRequest) -> Bool {
    ["tools/call", "subscriptions/listen"].contains(request.method)
  }

  // MARK: Requests that stand for themselves

  private func isStateless(_ params: Value) -> Bool {
    if MCPCaller.isStateless(params) { return true }
    let version = call.request.header("mcp-protocol-version")
    return version.map { !MCPRevision.sessions.contains($0) } ?? false
  }

  private func stateless(_ request: PeerRequest) async -> ServerResponse {
    do {
      if let problem = mismatch(request) { throw problem }
      let caller = try MCPCaller(stateless: request.params, call.client)
      if isLong(request), call.wantsEvents {
        return events { writer in
          let outlet = MCPOutlet { method, params in
            try? await writer.write(.notification(method: method, params: params))
          }
          try await writer.write(try await message(request, caller, outlet))
        }
      }
      let reply = try await message(request, caller, MCPOutlet { _, _ in })
      if case .failure(_, let problem) = reply { throw problem }
      return .json(reply.value)
    } catch let problem as JSONRPC.Problem {
      let status = problem.code == JSONRPC.Problem.methodNotFound ? 404 : 400
      return refusal(request.id, problem, status)
    } catch {
      return refusal(
        request.id, .init(code: JSONRPC.Problem.internalError, message: "\(error)"), 500)
    }
  }

  /// What the headers say to routers on the way must be what the body says.
  private func mismatch(_ request: PeerRequest) -> JSONRPC.Problem? {
    var expected = [("MCP-Protocol-Version", ""), ("Mcp-Method", request.method)]
    let version = request.params["_meta"]["\(MCPCaller.metaPrefix)protocolVersion"].string
    // A body without a version is refused for that.
    if let version { expected[0].1 = version } else { expected.removeFirst() }
    if request.method == "tools/call", let name = request.params["name"].string {
      expected.append(("Mcp-Name", name))
    } else if request.method.hasBytePrefix("tasks/"), let task = request.params["taskId"].string {
      expected.append(("Mcp-Name", task))
    }
    for (name, value) in expected {
      let found = call.request.header(name).flatMap(Self.decoded)
      guard found != value else { continue }
      let what = found.map { "says \(quoted($0))" } ?? "is missing"
      return JSONRPC.Problem(
        code: JSONRPC.Problem.headerMismatch,
        message: "Header mismatch: \(name) \(what), and the body says \(quoted(value))")
    }
    return nil
  }

  /// A header's value; nil for base64 that is none.
  private static func decoded(_ value: String) -> String? {
    guard value.hasBytePrefix("=?base64?"), value.hasByteSuffix("?=") else { return value }
    return Base64.decode(String(value.dropFirst(9).dropLast(2)))
      .flatMap { String(validating: $0, as: UTF8.self) }
  }

  // MARK: Sessions of the era of `initialize`

  private func initialize(_ request: PeerRequest) -> ServerResponse {
    let caller = MCPCaller(initializing: request.params, call.client)
    return .json(
      JSONRPC.Message.result(request.id, service.greeting(caller)).value,
      headers: [("Mcp-Session-Id", sessions.begin(caller))])
  }

  private func session() throws -> MCPHTTPSession {
    guard let id = call.request.header("mcp-session-id") else {
      throw ServerProblem.invalid(
        "the request names no session", suggestion: "send `Mcp-Session-Id`, as `initialize` gave it"
      )
    }
    guard let session = sessions.session(id, of: call.client) else {
      throw ServerProblem.notFound("there is no such session", suggestion: "`initialize` again")
    }
    return session
  }

  private func inSession(_ messages: [JSONRPC.Message]) throws -> ServerResponse {
    let session = try session()
    var requests: [PeerRequest] = []
    for message in messages {
      switch message {
      case .request(let id, let method, let params):
        requests.append(PeerRequest(id: id, method: method, params: params))
      case .notification("notifications/cancelled", let params):
        if let id = JSONRPC.ID(params["requestId"]) { session.cancel(id) }
      case .notification: break
      case .result(let id, let result): _ = session.settle(id, .success(result))
      case .failure(let id?, let problem): _ = session.settle(id, .failure(problem))
      case .failure(nil, _): break
      }
    }
    guard !requests.isEmpty else { return ServerResponse(status: 202, body: .bytes([])) }
    var caller = session.caller
    // A token may allow less by now.
    caller.client = call.client
    return events { [requests, caller] writer in
      for request in requests {
        let outlet = MCPOutlet(
          notify: { method, params in
            try? await writer.write(.notification(method: method, params: params))
          },
          ask: { method, params in try await session.ask(method, params, on: writer) })
        do {
          try await session.running(request.id) {
            try await writer.write(try await message(request, caller, outlet))
          }
        } catch is CancellationError where !Task.isCancelled {
          // The client has cancelled it, and waits for no answer.
        }
      }
    }
  }

  private func end() throws -> ServerResponse {
    _ = try session()
    sessions.end(call.request.header("mcp-session-id") ?? "")
    return ServerResponse(status: 204, body: .bytes([]))
  }
}
