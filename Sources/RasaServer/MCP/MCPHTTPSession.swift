import RasaCore
import RasaDocuments
import RasaHTTPServer

/// A connection of the era of `initialize` over HTTP: its requests name it in `Mcp-Session-Id`.
final class MCPHTTPSession: Sendable {
  private struct State {
    var questions: [Int64: Arrival<Value>] = [:]
    var lastQuestion: Int64 = 0
    var running: [JSONRPC.ID: Task<Void, any Error>] = [:]
  }

  let caller: MCPCaller
  private let state = Locked(State())

  init(_ caller: MCPCaller) { self.caller = caller }

  /// Asks on the stream of a request; the client answers in a request of its own.
  func ask(
    _ method: String, _ params: Value, on stream: EventWriter
  ) async throws -> Value {
    let answer = Arrival<Value>()
    let number = state.withLock { state in
      state.lastQuestion += 1
      state.questions[state.lastQuestion] = answer
      return state.lastQuestion
    }
    defer { _ = state.withLock { $0.questions.removeValue(forKey: number) } }
    try await stream.write(.request(.number(number), method: method, params: params))
    return try await answer.value()
  }

  /// False for an answer to nothing.
  func settle(_ id: JSONRPC.ID, _ result: Result<Value, any Error>) -> Bool {
    guard case .number(let number) = id,
      let question = state.withLock({ $0.questions[number] })
    else { return false }
    question.set(result)
    return true
  }

  /// Does the work of a request as something that `cancel` can end.
  func running(_ id: JSONRPC.ID, _ work: @escaping @Sendable () async throws -> Void) async throws {
    let task = Task { try await work() }
    state.withLock { $0.running[id] = task }
    defer { _ = state.withLock { $0.running.removeValue(forKey: id) } }
    try await withTaskCancellationHandler {
      try await task.value
    } onCancel: {
      task.cancel()
    }
  }

  func cancel(_ id: JSONRPC.ID) { state.withLock { $0.running[id] }?.cancel() }

  func end() {
    let running = state.withLock { Array($0.running.values) }
    for task in running { task.cancel() }
  }
}

/// The connections that are open; the one that was opened first makes room for more than there may be.
final class MCPHTTPSessions: Sendable {
  private static let most = 1_000
  private let open = Locked<[(id: String, session: MCPHTTPSession)]>([])

  func begin(_ caller: MCPCaller) -> String {
    let id = newSecret("")
    let oldest = open.withLock { open in
      open.append((id, MCPHTTPSession(caller)))
      return open.count > Self.most ? open.removeFirst().session : nil
    }
    oldest?.end()
    return id
  }

  /// The session, if it is that client's.
  func session(_ id: String, of client: Client) -> MCPHTTPSession? {
    open.withLock { open in
      open.first { equalInTime($0.id, id) && $0.session.caller.client.name == client.name }?.session
    }
  }

  func end(_ id: String) {
    let session = open.withLock { open -> MCPHTTPSession? in
      guard let index = open.firstIndex(where: { equalInTime($0.id, id) }) else { return nil }
      return open.remove(at: index).session
    }
    session?.end()
  }
}

/// A stream of server-sent events with a message in each.
struct EventWriter: Sendable {
  let writer: ResponseWriter
  private let turn = Turn()

  init(_ writer: ResponseWriter) { self.writer = writer }

  func write(_ message: JSONRPC.Message) async throws {
    let text = Array("event: message\ndata: ".utf8) + message.bytes + Array("\n\n".utf8)
    try await turn.take { [writer] in try await writer.write(text) }
  }

  /// Keeps the connection open, and notices that the client has gone.
  func beat() async throws { try await turn.take { [writer] in try await writer.write(": \n\n") } }
}
