import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaPersona

/// Messages over streamable HTTP: each request is a POST, whose answer is JSON or a stream of events.
///
/// In the era of `initialize` the server may hand out a session, may ask things on the stream of an answer, may let a
/// stream that broke be continued, and may offer a stream of notices; in the stateless one it does none of that, and
/// hanging up cancels.
final class MCPHTTPTransport: MCPTransport {
  struct State: Sendable {
    var session: MCPSession
    /// Where requests go: the declared address, or another path of that server, to which it has redirected.
    var url: String
    /// Of the era of `initialize`.
    var sessionID: String?
    /// Set when the server no longer knew it, so that those who used it at the same time learn the same.
    var hasLostSession = false
    var version: String?
    var isModern = false
    var isClosed = false
    /// What is under way, for what the stream of notices has about it.
    var waiting: [Int64: Waiting] = [:]
    /// Short requests that nobody waits for: a cancellation is told even where its task is gone.
    var farewells: [Int64: Task<Void, Never>] = [:]
    /// Reads the stream of notices.
    var listener: Task<Void, Never>?
  }

  struct Waiting: Sendable {
    var request: MCPRequest
    var inbox: MCPInbox?
    var task: Task<Void, Never>?
  }

  /// The server no longer knows the session: nothing has been done.
  struct SessionLost: Error {}

  let name: String
  private let declaredURL: String
  private let headers: [Header]
  private let client: HTTPClient
  private let addresses: AddressPolicy
  private let authorizer: (any RequestAuthorizer)?
  let time: TimeSource
  let limits: MCPLimits
  let toolsChanged: @Sendable () -> Void
  let state: Locked<State>

  static let resumptions = 5
  private static let refusals = 3
  private static let redirects = 3

  /// - Parameter allowsPrivate: hosts on this machine or in private networks that it may reach beside the one that
  ///   the address itself names.
  init(
    name: String, url: String, headers: [Header], allowsPrivate: [String], client: HTTPClient,
    authorizer: (any RequestAuthorizer)?, time: TimeSource, limits: MCPLimits,
    toolsChanged: @escaping @Sendable () -> Void
  ) {
    self.name = name
    declaredURL = url
    self.headers = headers
    self.client = client
    addresses = AddressPolicy(forWritten: url, allowsPrivate: allowsPrivate)
    self.authorizer = authorizer
    self.time = time
    self.limits = limits
    self.toolsChanged = toolsChanged
    state = Locked(State(session: MCPSession(name: name, limits: limits), url: url))
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
    let id = state.withLock { state in
      let id = state.session.begin(request.method, mayBeAsked: request.ask != nil)
      state.waiting[id] = Waiting(request: request)
      return id
    }
    defer {
      let task = state.withLock { state in
        state.session.forget(id)
        return state.waiting.removeValue(forKey: id)?.task
      }
      task?.cancel()
    }
    let trace = RequestTrace()
    do {
      let message = envelope.message(id, request)
      let response = try await post(message, request, envelope, trace)
      return try await read(response, id, request, envelope)
    } catch {
      let isRefused = error is SessionLost || (error as? Failure)?.kind == .authentication
      if request.mayBeCancelled, trace.isSent, !isRefused { tellCancelled(id, envelope) }
      guard let error = error as? HTTPError else { throw error }
      if error.code == .cancelled, Task.isCancelled { throw CancellationError() }
      throw failure(error, request, isSent: trace.isSent)
    }
  }

  func notify(_ method: String, _ params: Value, _ envelope: MCPEnvelope) async throws {
    let request = MCPRequest(
      method: method, params: ValueObject(), secondsLeft: { [limits] in limits.list })
    try await tell(.notification(method: method, params: params), request, envelope)
  }

  /// A message that has no answer.
  func tell(
    _ message: JSONRPC.Message, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws {
    do {
      let response = try await post(message, request, envelope, RequestTrace())
      response.body.cancel()
    } catch let error as HTTPError {
      throw failure(error, request, isSent: false)
    }
  }

  /// Tells the server, where hanging up does not, that nobody waits for the answer any more: in the era of
  /// `initialize`.
  private func tellCancelled(_ id: Int64, _ envelope: MCPEnvelope) {
    state.withLock { state in
      let actions = state.session.cancel(id, because: "the client gave it up")
      guard !state.isModern, state.version != nil, !state.isClosed else { return }
      for case .send(let message) in actions {
        let request = MCPRequest(
          method: "notifications/cancelled", params: ValueObject(), secondsLeft: { 2 })
        state.farewells[id] = Task {
          try? await self.tell(message, request, envelope)
          self.state.withLock { $0.farewells[id] = nil }
        }
      }
    }
  }

  func close() async {
    let (sessionID, farewells, listener) = state.withLock { state in
      defer {
        state.isClosed = true
        state.sessionID = nil
        state.farewells = [:]
        state.listener = nil
      }
      return (state.isClosed ? nil : state.sessionID, Array(state.farewells.values), state.listener)
    }
    listener?.cancel()
    await listener?.value
    for farewell in farewells { await farewell.value }
    guard let sessionID else { return }
    let headers = [("Mcp-Session-Id", sessionID)]
    let response = try? await send(
      "DELETE", [], headers, deadline: { self.deadline(2) }, RequestTrace())
    response?.body.cancel()
  }

  func deadline(_ seconds: Double) -> UInt64 {
    time.monotonic() &+ UInt64(max(0, min(seconds, 1_000_000_000)) * 1_000_000_000)
  }
}

// MARK: - Requests

extension MCPHTTPTransport {
  private func post(
    _ message: JSONRPC.Message, _ request: MCPRequest, _ envelope: MCPEnvelope,
    _ trace: RequestTrace
  ) async throws -> HTTPResponse {
    if state.withLock({ $0.hasLostSession }), request.isUse || request.method == "tools/list" {
      throw SessionLost()
    }
    var headers = headers(of: request, envelope)
    headers.append(("Content-Type", "application/json"))
    headers.append(("Accept", "application/json, text/event-stream"))
    let response = try await send(
      "POST", message.bytes, headers, deadline: { self.deadline(request.secondsLeft()) }, trace)
    if request.method == "initialize" { noteSession(response) }
    return response
  }

  /// A stream of the era of `initialize`: the rest of one that broke, or the notices.
  func stream(
    after lastID: String, _ envelope: MCPEnvelope, deadline: () -> UInt64
  ) async throws -> HTTPResponse {
    let request = MCPRequest(method: "", params: ValueObject(), secondsLeft: { 0 })
    var headers = headers(of: request, envelope)
    headers.append(("Accept", "text/event-stream"))
    if !lastID.isEmpty { headers.append(("Last-Event-ID", lastID)) }
    return try await send("GET", [], headers, deadline: deadline, RequestTrace())
  }

  /// Sends it to where the server wants it, with what proves who rasa is.
  private func send(
    _ method: String, _ body: [UInt8], _ fields: [(name: String, value: String)],
    deadline: () -> UInt64, _ trace: RequestTrace
  ) async throws -> HTTPResponse {
    var refusals = 0
    var redirects = 0
    while true {
      let url = state.withLock(\.url)
      var headers = fields + self.headers.map { ($0.name, $0.value) }
      if let authorizer {
        headers += try await authorizer.headers(for: declaredURL).map { ($0.name, $0.value) }
      }
      let response = try await client.send(
        HTTPRequest(
          method: method, url: url, headers: headers, body: body, allowsPlainHTTP: true,
          headerDeadline: deadline(), trace: trace, addressPolicy: addresses))
      if redirects < Self.redirects, let target = Self.redirect(response, from: url) {
        response.body.cancel()
        redirects += 1
        state.withLock { $0.url = target }
        continue
      }
      guard response.status == 401 || response.status == 403 else { return response }
      let challenge = response.headers.first(named: "www-authenticate") ?? ""
      if response.status == 403, challenge.isEmpty { return response }
      response.body.cancel()
      refusals += 1
      let goesOn =
        refusals < Self.refusals
        ? try await authorizer?.answer(
          challenge: challenge, status: response.status, of: declaredURL) : false
      guard goesOn == true else { throw unauthorized(response.status, challenge) }
    }
  }

  /// Where a server has the same request sent, if that is another path of its own. Nothing is sent to another origin:
  /// not a token, and not the arguments of a call either.
  private static func redirect(_ response: HTTPResponse, from url: String) -> String? {
    guard [307, 308].contains(response.status),
      let location = response.headers.first(named: "location"), location.utf8.count <= 8_192,
      let target = URLParts.resolve(location, at: url), target != url,
      let old = URLParts(url), let new = URLParts(target), new.origin == old.origin, !new.hasUser
    else { return nil }
    return target
  }

  private func headers(
    of request: MCPRequest, _ envelope: MCPEnvelope
  ) -> [(name: String, value: String)] {
    var all: [(name: String, value: String)] = []
    let (version, sessionID) = state.withLock { ($0.version, $0.sessionID) }
    if let version = envelope.version ?? version {
      all.append(("MCP-Protocol-Version", version))
    }
    if envelope.version != nil {
      all.append(("Mcp-Method", request.method))
      if let name = request.name { all.append(("Mcp-Name", headerText(name))) }
      for header in request.headers {
        all.append(("Mcp-Param-\(header.name)", headerText(header.value)))
      }
    } else if let sessionID, request.method != "initialize" {
      all.append(("Mcp-Session-Id", sessionID))
    }
    return all
  }

  private func noteSession(_ response: HTTPResponse) {
    guard let id = response.headers.first(named: "mcp-session-id"), id.utf8.count <= 1_024,
      id.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
    else { return }
    state.withLock { $0.sessionID = id }
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
    if isEventStream(response) {
      return try await readEvents(response, id, request, envelope)
    }
    if response.status == 404, envelope.version == nil,
      request.method != "initialize",
      state.withLock({ state in
        if state.sessionID != nil { state.hasLostSession = true }
        state.sessionID = nil
        return state.hasLostSession
      })
    {
      response.body.cancel()
      throw SessionLost()
    }
    let body = try await collect(response.body, request)
    // It is answered, and nothing of it is left to cancel.
    defer { state.withLock { $0.session.forget(id) } }
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
    let actions = state.withLock { $0.session.receive(message, on: .answer(to: id)) }
    for action in actions {
      switch action {
      case .deliver(.replied(let reply), id): return reply
      case .deliver(.progress(let progress), id): try await request.progress(progress)
      case .deliver(.asked(let question, let params), id):
        try await answer(question, params, request, envelope)
      case .send(let message): try await tell(message, farewell(request), envelope)
      case .toolsChanged: toolsChanged()
      // What belongs to another request has no place on this stream.
      case .deliver, .end: break
      }
    }
    return nil
  }

  func answer(
    _ question: JSONRPC.ID, _ params: Value, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws {
    guard let ask = request.ask else { return }
    do {
      let answer = try await ask(params)
      try await tell(.result(question, answer), farewell(request), envelope)
    } catch let failure as Failure where failure.kind == .usage {
      let problem = JSONRPC.Problem(
        code: JSONRPC.Problem.invalidParams, message: failure.message)
      try await tell(.failure(question, problem), farewell(request), envelope)
    }
  }

  /// For what is sent beside a request: as much time, and nothing of its headers.
  private func farewell(_ request: MCPRequest) -> MCPRequest {
    MCPRequest(method: "", params: ValueObject(), secondsLeft: request.secondsLeft)
  }
}

// MARK: - Streams

extension MCPHTTPTransport {
  /// A stream of events over all the connections that it takes.
  struct Stream: Sendable {
    /// The last event that had an ID; empty if none had.
    var lastID = ""
    /// In milliseconds, as the server wants it.
    var retry: Int?
    var total = 0

    mutating func note(_ events: ServerSentEvents) {
      if !events.lastID.isEmpty { lastID = String(decoding: events.lastID, as: UTF8.self) }
      retry = events.retry ?? retry
    }

    /// How long to wait before the next connection.
    func pause(usual: Int, atMost seconds: Double) -> Duration {
      .milliseconds(min(max(retry ?? usual, 50), 30_000, Int(max(0, min(seconds, 60)) * 1_000)))
    }
  }

  private struct TooMuch: Error {}

  /// Reads a connection to its end, and hands on the data of each event until one is enough.
  ///
  /// - Returns: what was enough; nil if the connection ended before.
  func read<Found>(
    _ body: HTTPBody, into stream: inout Stream, deadline: () -> UInt64?,
    _ take: (_ event: [UInt8]) async throws -> Found?
  ) async throws -> Found? {
    var events = ServerSentEvents(longestEvent: limits.message)
    defer { stream.note(events) }
    while true {
      let chunk = try await body.next(deadline: deadline())
      var documents: [[UInt8]] = []
      do throws(Failure) {
        if let chunk {
          stream.total += chunk.count
          try events.feed(chunk) { (bytes, data) throws(Failure) in
            documents.append(Array(bytes[data]))
          }
        } else {
          try events.finish { (bytes, data) throws(Failure) in
            documents.append(Array(bytes[data]))
          }
        }
      } catch {
        throw TooMuch()
      }
      for document in documents {
        if let found = try await take(document) { return found }
      }
      if chunk == nil { return nil }
      if stream.total > limits.unanswered { throw TooMuch() }
    }
  }

  private func readEvents(
    _ response: HTTPResponse, _ id: Int64, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> MCPReply {
    var stream = Stream()
    var body: HTTPBody? = response.body
    var fruitless = 0
    while true {
      var broken: HTTPError?
      let before = stream.lastID
      if let body {
        defer { body.cancel() }
        do {
          let reply = try await read(
            body, into: &stream, deadline: { deadline(request.secondsLeft()) }
          ) { document in
            for message in state.withLock({ $0.session.messages(in: document[...]) }) ?? [] {
              if let reply = try await take(message, id, request, envelope) { return reply }
            }
            return nil as MCPReply?
          }
          if let reply { return reply }
        } catch is TooMuch {
          throw tooLong(request)
        } catch let error as HTTPError where error.code != .timeout && error.code != .cancelled {
          broken = error
        }
      }
      // A server may close the connection of a long call as often as it likes, as long as the call goes on.
      fruitless = stream.lastID == before ? fruitless + 1 : 0
      guard envelope.version == nil, !stream.lastID.isEmpty, fruitless < Self.resumptions else {
        throw inDoubtIfSent(
          Failure(
            .run,
            "the answer of the MCP server `\(name)` to `\(request.method)` broke off"
              + (broken.map { ": \($0.message)" } ?? "")), request)
      }
      try await time.sleep(stream.pause(usual: 200, atMost: request.secondsLeft()))
      body = try await resume(stream, request, envelope)
    }
  }

  /// Goes on with a stream that broke, as the era of `initialize` has it; nil if the server cannot be reached now.
  private func resume(
    _ stream: Stream, _ request: MCPRequest, _ envelope: MCPEnvelope
  ) async throws -> HTTPBody? {
    let response: HTTPResponse
    do {
      response = try await self.stream(
        after: stream.lastID, envelope, deadline: { self.deadline(request.secondsLeft()) })
    } catch let error as HTTPError where !error.isLasting && error.code != .cancelled {
      if error.code == .timeout, request.secondsLeft() <= 0 { throw error }
      return nil
    }
    if isEventStream(response) { return response.body }
    response.body.cancel()
    if response.status >= 500 || response.status == 429 { return nil }
    throw inDoubtIfSent(
      Failure(
        .run,
        "the answer of the MCP server `\(name)` to `\(request.method)` broke off, and it does not "
          + "continue it: HTTP \(response.status)"), request)
  }

  func isEventStream(_ response: HTTPResponse) -> Bool {
    response.status == 200
      && response.headers.first(named: "content-type")?.lowercased()
        .hasBytePrefix("text/event-stream") == true
  }
}
