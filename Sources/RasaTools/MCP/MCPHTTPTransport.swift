import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaPersona

/// Messages over streamable HTTP: each request is a POST, whose answer is JSON or a stream of events.
///
/// In the era of `initialize` the server may hand out a session, may ask things on the stream of an answer, and may let
/// a stream that broke be continued; in the stateless one it does none of that, and hanging up cancels.
final class MCPHTTPTransport: MCPTransport {
  private struct State: Sendable {
    var session: MCPSession
    /// Of the era of `initialize`.
    var sessionID: String?
    var version: String?
    var isModern = false
    var isClosed = false
    /// Short requests that nobody waits for: a cancellation is told even where its task is gone.
    var farewells: [Task<Void, Never>] = []
  }

  /// The server no longer knows the session: nothing has been done.
  struct SessionLost: Error {}

  private let name: String
  private let url: String
  private let headers: [Header]
  private let client: HTTPClient
  private let authorizer: (any RequestAuthorizer)?
  private let time: TimeSource
  private let limits: MCPLimits
  private let toolsChanged: @Sendable () -> Void
  private let state: Locked<State>

  private static let resumptions = 5
  private static let refusals = 3

  init(
    name: String, url: String, headers: [Header], client: HTTPClient,
    authorizer: (any RequestAuthorizer)?, time: TimeSource, limits: MCPLimits,
    toolsChanged: @escaping @Sendable () -> Void
  ) {
    self.name = name
    self.url = url
    self.headers = headers
    self.client = client
    self.authorizer = authorizer
    self.time = time
    self.limits = limits
    self.toolsChanged = toolsChanged
    state = Locked(State(session: MCPSession(name: name, limits: limits)))
  }

  var isOpen: Bool { state.withLock { !$0.isClosed } }
  var lastWords: [String] { [] }

  func adopt(_ agreement: MCPAgreement) {
    state.withLock { state in
      state.session.isModern = agreement.isModern
      state.isModern = agreement.isModern
      state.version = agreement.version
      if agreement.isModern { state.sessionID = nil }
    }
  }

  func exchange(_ request: MCPRequest, _ envelope: MCPEnvelope) async throws -> MCPReply {
    let id = state.withLock {
      $0.session.begin(request.method, mayBeAsked: request.ask != nil)
    }
    defer { state.withLock { $0.session.forget(id) } }
    let trace = RequestTrace()
    do {
      let message = envelope.message(id, request)
      let response = try await post(message, request, envelope, trace)
      return try await read(response, id, request, envelope)
    } catch let error as CancellationError {
      tellCancelled(id, envelope)
      throw error
    } catch let error as HTTPError {
      if error.code == .cancelled, Task.isCancelled {
        tellCancelled(id, envelope)
        throw CancellationError()
      }
      if error.code == .timeout { tellCancelled(id, envelope) }
      throw failure(error, request, isSent: trace.isSent)
    }
  }

  func notify(_ method: String, _ params: Value, _ envelope: MCPEnvelope) async throws {
    let request = MCPRequest(
      method: method, params: ValueObject(), secondsLeft: { [limits] in limits.list })
    try await tell(.notification(method: method, params: params), request, envelope)
  }

  /// A message that has no answer.
  private func tell(
    _ message: JSONRPC.Message, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws {
    do {
      let response = try await post(message, request, envelope, RequestTrace())
      response.body.cancel()
    } catch let error as HTTPError {
      throw failure(error, request, isSent: false)
    }
  }

  /// In the era of `initialize`, where hanging up does not cancel.
  private func tellCancelled(_ id: Int64, _ envelope: MCPEnvelope) {
    state.withLock { state in
      let actions = state.session.cancel(id, because: "the client gave it up")
      guard !state.isModern, state.version != nil, !state.isClosed else { return }
      for case .send(let message) in actions {
        let request = MCPRequest(
          method: "notifications/cancelled", params: ValueObject(), secondsLeft: { 2 })
        state.farewells.append(Task { try? await self.tell(message, request, envelope) })
      }
    }
  }

  func close() async {
    let (sessionID, farewells) = state.withLock { state in
      defer {
        state.isClosed = true
        state.sessionID = nil
        state.farewells = []
      }
      return (state.isClosed ? nil : state.sessionID, state.farewells)
    }
    for farewell in farewells { await farewell.value }
    guard sessionID != nil else { return }
    var headers = (try? await authorizer?.headers(for: url)) ?? []
    headers += self.headers
    headers.append(Header(name: "Mcp-Session-Id", value: sessionID ?? ""))
    let request = HTTPRequest(
      method: "DELETE", url: url, headers: headers.map { ($0.name, $0.value) },
      allowsPlainHTTP: true, headerDeadline: deadline(2))
    let response = try? await client.send(request)
    response?.body.cancel()
  }

  private func deadline(_ seconds: Double) -> UInt64 {
    time.monotonic() &+ UInt64(max(0, min(seconds, 1_000_000_000)) * 1_000_000_000)
  }
}

// MARK: - Requests

extension MCPHTTPTransport {
  private func post(
    _ message: JSONRPC.Message, _ request: MCPRequest, _ envelope: MCPEnvelope,
    _ trace: RequestTrace
  ) async throws -> HTTPResponse {
    let body = message.bytes
    for attempt in 1...Self.refusals {
      let response = try await client.send(
        HTTPRequest(
          url: url, headers: try await headers(of: request, envelope), body: body,
          allowsPlainHTTP: true, headerDeadline: deadline(request.secondsLeft()),
          trace: trace))
      guard response.status == 401 || response.status == 403 else {
        noteSession(response)
        return response
      }
      let challenge = response.headers.first(named: "www-authenticate") ?? ""
      if response.status == 403, challenge.isEmpty { return response }
      response.body.cancel()
      let goesOn =
        attempt < Self.refusals
        ? try await authorizer?.answer(challenge: challenge, status: response.status, of: url)
        : false
      guard goesOn == true else { throw unauthorized(response.status, challenge) }
    }
    throw unauthorized(401, "")
  }

  private func headers(
    of request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws(Failure) -> [(name: String, value: String)] {
    var all: [(name: String, value: String)] = [
      ("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
    ]
    let (version, sessionID) = state.withLock { ($0.version, $0.sessionID) }
    if let version = envelope.version ?? envelope.headerVersion ?? version {
      all.append(("MCP-Protocol-Version", version))
    }
    if envelope.version != nil {
      all.append(("Mcp-Method", request.method))
      if let name = request.name { all.append(("Mcp-Name", headerText(name))) }
      for header in request.headers {
        all.append(("Mcp-Param-\(header.name)", headerText(header.value)))
      }
    } else if let sessionID {
      all.append(("Mcp-Session-Id", sessionID))
    }
    all += headers.map { ($0.name, $0.value) }
    if let authorizer {
      all += try await authorizer.headers(for: url).map { ($0.name, $0.value) }
    }
    return all
  }

  private func noteSession(_ response: HTTPResponse) {
    guard let id = response.headers.first(named: "mcp-session-id"), id.utf8.count <= 1_024,
      id.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return }
    state.withLock { state in
      if !state.isModern { state.sessionID = id }
    }
  }
}

/// A value as it can stand in a header: as it is, or in base64 where it has other characters, or looks like that.
func headerText(_ value: String) -> String {
  let bytes = Array(value.utf8)
  let isPlain =
    bytes.allSatisfy { (0x20...0x7E).contains($0) || $0 == 0x09 }
    && bytes.first != 0x20 && bytes.first != 0x09 && bytes.last != 0x20 && bytes.last != 0x09
    && !(value.hasBytePrefix("=?base64?") && value.hasByteSuffix("?="))
  return isPlain ? value : "=?base64?\(Base64.encode(bytes))?="
}

// MARK: - Answers

extension MCPHTTPTransport {
  private func read(
    _ response: HTTPResponse, _ id: Int64, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> MCPReply {
    let type = response.headers.first(named: "content-type")?.lowercased() ?? ""
    if response.status == 200, type.hasPrefix("text/event-stream") {
      return try await readEvents(response, id, request, envelope)
    }
    if response.status == 404, envelope.version == nil,
      state.withLock({ state in
        defer { if request.method != "initialize" { state.sessionID = nil } }
        return state.sessionID != nil && request.method != "initialize"
      })
    {
      response.body.cancel()
      throw SessionLost()
    }
    let body = try await collect(response.body, request)
    for message in state.withLock({ $0.session.messages(in: body[...]) }) ?? [] {
      if let reply = try await take(message, id, request, envelope) { return reply }
    }
    return try refused(response, body, request)
  }

  private func collect(_ body: HTTPBody, _ request: MCPRequest) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let chunk = try await body.next(deadline: deadline(request.secondsLeft())) {
      bytes += chunk
      guard bytes.count <= limits.message else {
        body.cancel()
        throw tooLong(request)
      }
    }
    return bytes
  }

  /// What came instead of an answer.
  private func refused(
    _ response: HTTPResponse, _ body: [UInt8], _ request: MCPRequest
  ) throws -> MCPReply {
    let page = String(decoding: body.prefix(600), as: UTF8.self)
      .printable(atMost: 160, replacement: " ", ellipsis: "…")
    switch response.status {
    case 300..<400:
      let target = response.headers.first(named: "location") ?? "another address"
      throw Failure(
        .configuration,
        "the MCP server `\(name)` redirects to \(target.printable(atMost: 200)), where nothing is sent",
        suggestion: "put that address where the server is declared, if you trust it")
    case 200..<300:
      throw inDoubtIfSent(
        Failure(
          .run, "the MCP server `\(name)` answered `\(request.method)` with no message",
          details: page.isEmpty ? [] : ["it sent: \(page)"]), request)
    case 429, 503:
      let wait = response.headers.first(named: "retry-after").map {
        "; it asks to wait \($0.printable(atMost: 40)) (seconds, or until then)"
      }
      throw Failure(
        .run,
        "the MCP server `\(name)` is too busy: HTTP \(response.status)\(wait ?? "")")
    case 500... where request.isUse:
      throw inDoubtIfSent(
        Failure(
          .run, "the MCP server `\(name)` failed: HTTP \(response.status)",
          details: page.isEmpty ? [] : ["it sent: \(page)"]), request)
    default:
      return .foreign(
        status: response.status,
        "HTTP \(response.status)" + (page.isEmpty ? "" : ": \(page)"))
    }
  }

  /// The reply, if this message is it.
  private func take(
    _ message: JSONRPC.Message, _ id: Int64, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> MCPReply? {
    let actions = state.withLock { $0.session.receive(message, during: id) }
    for action in actions {
      switch action {
      case .deliver(.replied(let reply), id): return reply
      case .deliver(.progress(let progress), id): try await request.progress(progress)
      case .deliver(.asked(let question, let params), id):
        guard let ask = request.ask else { continue }
        do {
          let answer = try await ask(params)
          try await tell(.result(question, answer), farewell(request), envelope)
        } catch let failure as Failure where failure.kind == .usage {
          let problem = JSONRPC.Problem(
            code: JSONRPC.Problem.invalidParams, message: failure.message)
          try await tell(.failure(question, problem), farewell(request), envelope)
        }
      case .send(let message): try await tell(message, farewell(request), envelope)
      case .toolsChanged: toolsChanged()
      // What belongs to another request has no place on this stream.
      case .deliver, .end: break
      }
    }
    return nil
  }

  /// For what is sent beside a request: as much time, and nothing of its headers.
  private func farewell(_ request: MCPRequest) -> MCPRequest {
    MCPRequest(method: "", params: ValueObject(), secondsLeft: request.secondsLeft)
  }

  private func readEvents(
    _ response: HTTPResponse, _ id: Int64, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> MCPReply {
    var body = response.body
    var lastID = ""
    var resumed = 0
    var total = 0
    while true {
      var events = ServerSentEvents(longestEvent: limits.message)
      var broken: HTTPError?
      do {
        while let chunk = try await body.next(deadline: deadline(request.secondsLeft())) {
          total += chunk.count
          var documents: [[UInt8]] = []
          do throws(Failure) {
            try events.feed(chunk) { (bytes, data) throws(Failure) in
              documents.append(Array(bytes[data]))
            }
          } catch {
            body.cancel()
            throw tooLong(request)
          }
          if let reply = try await take(documents, id, request, envelope) {
            body.cancel()
            return reply
          }
          guard total <= limits.unanswered else {
            body.cancel()
            throw tooLong(request)
          }
        }
        var documents: [[UInt8]] = []
        try? events.finish { (bytes, data) throws(Failure) in
          documents.append(Array(bytes[data]))
        }
        if let reply = try await take(documents, id, request, envelope) { return reply }
      } catch let error as HTTPError where error.code != .timeout && error.code != .cancelled {
        broken = error
      }
      if !events.lastID.isEmpty { lastID = String(decoding: events.lastID, as: UTF8.self) }
      guard envelope.version == nil, !lastID.isEmpty, resumed < Self.resumptions else {
        throw inDoubtIfSent(
          Failure(
            .run,
            "the answer of the MCP server `\(name)` to `\(request.method)` broke off"
              + (broken.map { ": \($0.message)" } ?? "")), request)
      }
      resumed += 1
      try await time.sleep(.milliseconds(min(max(events.retry ?? 200, 0), 30_000)))
      body = try await resume(after: lastID, request, envelope)
    }
  }

  private func take(
    _ documents: [[UInt8]], _ id: Int64, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> MCPReply? {
    for document in documents {
      for message in state.withLock({ $0.session.messages(in: document[...]) }) ?? [] {
        if let reply = try await take(message, id, request, envelope) { return reply }
      }
    }
    return nil
  }

  /// Goes on with a stream that broke, as the era of `initialize` has it.
  private func resume(
    after lastID: String, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> HTTPBody {
    var headers = try await headers(of: request, envelope).filter { $0.name != "Content-Type" }
    headers.append(("Last-Event-ID", lastID))
    let response = try await client.send(
      HTTPRequest(
        method: "GET", url: url, headers: headers, allowsPlainHTTP: true,
        headerDeadline: deadline(request.secondsLeft())))
    guard response.status == 200 else {
      response.body.cancel()
      throw inDoubtIfSent(
        Failure(
          .run,
          "the answer of the MCP server `\(name)` to `\(request.method)` broke off, and it does not "
            + "continue it: HTTP \(response.status)"), request)
    }
    return response.body
  }
}

// MARK: - Failures

extension MCPHTTPTransport {
  private func inDoubtIfSent(_ failure: Failure, _ request: MCPRequest) -> Failure {
    guard request.isUse else { return failure }
    var failure = failure
    failure.kind = .timeout
    failure.message += ", and it is not known whether the call was done"
    return failure
  }

  private func tooLong(_ request: MCPRequest) -> Failure {
    inDoubtIfSent(
      Failure(
        .run,
        "the MCP server `\(name)` sent more than \(limits.message >> 20) MB for an answer"),
      request)
  }

  private func unauthorized(_ status: Int, _ challenge: String) -> Failure {
    Failure(
      .authentication,
      "the MCP server `\(name)` requires authorization: HTTP \(status)"
        + (challenge.isEmpty ? "" : ", \(challenge.printable(atMost: 200, ellipsis: "…"))"),
      suggestion: "log in, or set a header with a token where the server is declared")
  }

  private func failure(_ error: HTTPError, _ request: MCPRequest, isSent: Bool) -> Failure {
    switch error.code {
    case .invalidURL, .refusedScheme:
      return Failure(
        .configuration, "the MCP server `\(name)` cannot be reached: \(error.message)",
        suggestion: "correct its address")
    case .timeout:
      let late = Failure(
        .timeout, "the MCP server `\(name)` did not answer `\(request.method)` in time",
        suggestion: request.isUse ? "raise `timeout:` where the server is declared" : "")
      // What never left was not done.
      guard request.isUse, !isSent else { return late }
      return Failure(.run, late.message)
    default:
      let failure = Failure(
        .run, "the MCP server `\(name)` cannot be reached: \(error.message)",
        suggestion: error.suggestion ?? "check its address, and that it runs")
      return isSent ? inDoubtIfSent(failure, request) : failure
    }
  }
}
