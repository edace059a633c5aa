package import RasaCore
package import RasaDocuments
package import RasaEngine

/// What became of a request.
package enum MCPReply: Sendable, Hashable {
  case result(Value)
  case problem(JSONRPC.Problem)
  /// Something that is no message: an HTTP status with the beginning of its page.
  case foreign(status: Int, String)
}

/// The client's side of a connection as a value: bytes and messages in, what to do out.
///
/// It neither waits nor reads a clock. Requests are known by their numbers; what arrives for one is delivered to it,
/// everything else is answered, ignored or counted here. A server that only talks is told from one that answers by
/// what arrives between two answers.
package struct MCPSession: Sendable {
  /// What arrives for a request.
  package enum Event: Sendable, Hashable {
    case progress(ToolProgress)
    /// The server asks the user something before it goes on; it waits for the answer.
    case asked(JSONRPC.ID, Value)
    case replied(MCPReply)
    case failed(Failure)
  }

  package enum Action: Sendable, Hashable {
    case send(JSONRPC.Message)
    case deliver(Event, to: Int64)
    case toolsChanged
    /// The connection is of no use any more.
    case end(Failure)
  }

  /// Where a message arrived.
  package enum Channel: Sendable, Hashable {
    /// The only way there is, which carries everything.
    case pipe
    /// The stream of the answer to that request.
    case answer(to: Int64)
    /// The stream on which a server says what is no answer.
    case notices
  }

  private struct Pending: Sendable {
    var method: String
    /// Whether a question of the server may be put to whoever made the request.
    var mayBeAsked: Bool
    var questions = 0
  }

  /// Set once the era is known. Servers of the stateless era send no requests, and are sent no responses.
  package var isModern = false

  private let name: String
  private let limits: MCPLimits
  private var lines: LineSplitter
  private var pending: [Int64: Pending] = [:]
  private var nextID: Int64 = 1
  /// Since the last answer.
  private var received = 0
  private var garbage = 0
  private var hasEnded = false
  /// How the first line began that was no message, for errors.
  package private(set) var oddLine: String?

  package init(name: String, limits: MCPLimits) {
    self.name = name
    self.limits = limits
    lines = LineSplitter(longestLine: limits.message)
  }

  package var isIdle: Bool { pending.isEmpty }

  /// A new request's number.
  package mutating func begin(_ method: String, mayBeAsked: Bool = false) -> Int64 {
    let id = nextID
    nextID += 1
    pending[id] = Pending(method: method, mayBeAsked: mayBeAsked)
    return id
  }

  /// Nobody waits for the answer any more.
  package mutating func cancel(_ id: Int64, because reason: String) -> [Action] {
    guard pending.removeValue(forKey: id) != nil, !hasEnded else { return [] }
    return [
      .send(
        .notification(
          method: "notifications/cancelled",
          params: ["requestId": .int(id), "reason": .string(reason)]))
    ]
  }

  /// Forgets a request without telling the server.
  package mutating func forget(_ id: Int64) { pending[id] = nil }

  /// Bytes of a stream of lines.
  package mutating func feed(_ chunk: [UInt8]) -> [Action] {
    guard !hasEnded else { return [] }
    var actions: [Action] = []
    received += chunk.count
    // Taken out, so that what it calls may change everything else.
    var lines = lines
    self.lines = LineSplitter()
    do throws(Failure) {
      try lines.feed(chunk) { (bytes, line, _) throws(Failure) in
        guard !hasEnded else { return }
        take(bytes[line], &actions)
      }
    } catch {
      end(
        Failure(
          .run,
          "the MCP server `\(name)` sent a message of more than "
            + "\(limits.message >> 20) MB"),
        &actions)
    }
    self.lines = lines
    if !hasEnded, received > limits.unanswered {
      end(
        Failure(
          .run,
          "the MCP server `\(name)` sent more than \(limits.unanswered >> 20) MB without "
            + "answering a request"),
        &actions)
    }
    return actions
  }

  private mutating func take(_ line: ArraySlice<UInt8>, _ actions: inout [Action]) {
    guard let first = line.first(where: { $0 != 0x20 && $0 != 0x09 }) else { return }
    guard first == UInt8(ascii: "{") || first == UInt8(ascii: "["),
      let messages = messages(in: line)
    else { return note(line, &actions) }
    for message in messages { take(message, on: .pipe, &actions) }
  }

  /// The messages of a document; nil where it is none.
  package func messages(in document: ArraySlice<UInt8>) -> [JSONRPC.Message]? {
    let limits = JSONLimits(depth: limits.depth, bytes: limits.message)
    guard let value = try? JSON.parse(document, named: "message", limits: limits) else {
      return nil
    }
    return JSONRPC.messages(in: value)
  }

  /// A message that arrived by itself, where streams of events carry them.
  package mutating func receive(_ message: JSONRPC.Message, on channel: Channel) -> [Action] {
    var actions: [Action] = []
    take(message, on: channel, &actions)
    return actions
  }

  private mutating func take(
    _ message: JSONRPC.Message, on channel: Channel, _ actions: inout [Action]
  ) {
    switch message {
    case .result(let id, let result): reply(id, .result(result), on: channel, &actions)
    case .failure(let id?, let problem): reply(id, .problem(problem), on: channel, &actions)
    case .failure(nil, let problem):
      // Without a number it can only belong to the one that waits.
      let waiting: [Int64]
      switch channel {
      case .pipe: waiting = Array(pending.keys)
      case .answer(let id): waiting = [id]
      case .notices: waiting = []
      }
      guard waiting.count == 1, let only = waiting.first else {
        return note(Array(message.bytes)[...], &actions)
      }
      reply(.number(only), .problem(problem), on: channel, &actions)
    case .notification(let method, let params):
      take(notification: method, params, &actions)
    case .request(let id, let method, let params):
      take(request: id, method, params, on: channel, &actions)
    }
  }

  private mutating func reply(
    _ id: JSONRPC.ID, _ reply: MCPReply, on channel: Channel, _ actions: inout [Action]
  ) {
    // Late, twice, to nothing that was ever asked, or where the answer to another request belongs: that counts as
    // silence.
    guard case .number(let number) = id, channel == .pipe || channel == .answer(to: number),
      pending.removeValue(forKey: number) != nil
    else { return }
    received = 0
    garbage = 0
    actions.append(.deliver(.replied(reply), to: number))
  }

  private mutating func take(
    notification method: String, _ params: Value, _ actions: inout [Action]
  ) {
    switch method {
    case "notifications/progress":
      guard let token = params["progressToken"].int, pending[token] != nil else { return }
      let progress = ToolProgress(
        done: params["progress"].double, total: params["total"].double,
        message: params["message"].string ?? "")
      actions.append(.deliver(.progress(progress), to: token))
    case "notifications/tools/list_changed": actions.append(.toolsChanged)
    case "notifications/cancelled":
      // Only a subscription can be ended from there.
      guard let id = params["requestId"].int, pending[id]?.method == "subscriptions/listen" else {
        return
      }
      pending[id] = nil
    default: break
    }
  }

  private mutating func take(
    request id: JSONRPC.ID, _ method: String, _ params: Value, on channel: Channel,
    _ actions: inout [Action]
  ) {
    guard !isModern else { return }
    switch method {
    case "ping": actions.append(.send(.result(id, .emptyObject)))
    case "elicitation/create":
      // On a stream of its own it is clear which request it belongs to; else it is the oldest that may be asked.
      var asked = pending.filter { $0.value.mayBeAsked }.keys.min()
      if case .answer(let id) = channel { asked = id }
      guard let asked, let waiting = pending[asked], waiting.mayBeAsked else {
        return refuse(id, "no question may be put to the user here", &actions)
      }
      guard waiting.questions < limits.rounds else {
        return refuse(id, "too many questions for one call", &actions)
      }
      pending[asked]?.questions += 1
      actions.append(.deliver(.asked(id, params), to: asked))
    default: refuse(id, "rasa does not offer \(method.printable(atMost: 60))", &actions)
    }
  }

  private func refuse(_ id: JSONRPC.ID, _ reason: String, _ actions: inout [Action]) {
    actions.append(
      .send(.failure(id, JSONRPC.Problem(code: JSONRPC.Problem.methodNotFound, message: reason))))
  }

  private mutating func note(_ line: ArraySlice<UInt8>, _ actions: inout [Action]) {
    garbage += 1
    if oddLine == nil {
      oddLine = String(decoding: line.prefix(400), as: UTF8.self)
        .printable(atMost: 120, ellipsis: "…")
    }
    guard garbage > limits.garbageLines else { return }
    end(
      Failure(
        .run,
        "the MCP server `\(name)` printed more than \(limits.garbageLines) lines that are no "
          + "messages"),
      &actions)
  }

  private mutating func end(_ failure: Failure, _ actions: inout [Action]) {
    hasEnded = true
    var failure = failure
    if let oddLine { failure.details.append("it printed: \(oddLine)") }
    actions.append(.end(failure))
  }
}
