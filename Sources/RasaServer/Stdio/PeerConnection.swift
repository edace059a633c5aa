import RasaCore
import RasaDocuments
import RasaSystem

/// A request of the client at the other end.
struct PeerRequest: Sendable {
  var id: JSONRPC.ID
  var method: String
  var params: Value
}

/// A client at the other end of two pipes, with a JSON-RPC message in each line.
///
/// Requests are answered at the same time, each in a task of its own. The end of the input is the end of the connection:
/// what is still under way is cancelled, which parks its run.
final class PeerConnection: Sendable {
  /// What answers a client.
  struct Handler: Sendable {
    /// The result. Throws a `JSONRPC.Problem` to refuse, and `CancellationError` where nobody waits for an answer.
    var answer: @Sendable (PeerRequest, PeerConnection) async throws -> Value
    /// Takes what has no answer.
    var note: @Sendable (_ method: String, _ params: Value, PeerConnection) -> Void
    /// Methods after which other messages have another meaning, so that these wait for them.
    var first: Set<String>
    /// The method whose requests are runs.
    var run: String
  }

  private struct Running {
    var request: PeerRequest
    var task: Task<Void, Never>
  }

  private struct State {
    var running: [JSONRPC.ID: Running] = [:]
    var questions: [Int64: Arrival<Value>] = [:]
    var lastQuestion: Int64 = 0
    var isClosed = false
  }

  /// Attachments travel in messages.
  private static let longestMessage = 64 << 20
  private static let mostRequests = 256

  private let input: StreamReader
  private let output: Output
  private let handler: Handler
  private let turn = Turn()
  private let state = Locked(State())
  /// Ends the wait for input once nobody reads what is written.
  private let reading = Locked<Task<Void, any Error>?>(nil)

  init(input: StreamReader, output: Output, _ handler: Handler) {
    self.input = input
    self.output = output
    self.handler = handler
  }

  /// Answers until the input ends, the client reads no more, or the task is cancelled.
  ///
  /// - Returns: how many runs were still under way.
  func serve() async throws -> Int {
    let task = Task { try await self.readAll() }
    reading.withLock { $0 = task }
    let result = await withTaskCancellationHandler {
      await task.result
    } onCancel: {
      task.cancel()
    }
    let (running, questions) = state.withLock { state in
      state.isClosed = true
      defer { state.questions = [:] }
      return (Array(state.running.values), Array(state.questions.values))
    }
    for one in running { one.task.cancel() }
    for question in questions { question.set(.failure(CancellationError())) }
    for one in running { await one.task.value }
    try result.get()
    return running.count { $0.request.method == handler.run }
  }

  // MARK: Messages in

  private func readAll() async throws {
    var lines = LineSplitter(longestLine: Self.longestMessage)
    while let chunk = try await input.next() {
      var found: [[UInt8]] = []
      try lines.feed(chunk) { bytes, range, _ in found.append(Array(bytes[range])) }
      for line in found where line.contains(where: { $0 > 32 }) { await take(line) }
      if Task.isCancelled { return }
    }
  }

  private func take(_ line: [UInt8]) async {
    let document: Value
    do throws(Failure) {
      document = try JSON.parse(
        line, named: "the message", limits: JSONLimits(bytes: Self.longestMessage))
    } catch {
      return await send(
        .failure(nil, .init(code: JSONRPC.Problem.parseError, message: error.description)))
    }
    guard let messages = JSONRPC.messages(in: document) else {
      let id = JSONRPC.ID(document["id"])
      return await send(
        .failure(
          id, .init(code: JSONRPC.Problem.invalidRequest, message: "it is no JSON-RPC message")))
    }
    for message in messages {
      switch message {
      case .request(let id, let method, let params):
        await begin(PeerRequest(id: id, method: method, params: params))
      case .notification(let method, let params): handler.note(method, params, self)
      case .result(let id, let result): settle(id, .success(result))
      case .failure(let id?, let problem): settle(id, .failure(problem))
      case .failure(nil, _): break
      }
    }
  }

  private func begin(_ request: PeerRequest) async {
    let problem = state.withLock { state -> JSONRPC.Problem? in
      if state.running[request.id] != nil {
        return .init(
          code: JSONRPC.Problem.invalidRequest, message: "a request of this id is under way")
      }
      guard state.running.count < Self.mostRequests else {
        return .init(
          code: JSONRPC.Problem.internalError,
          message: "\(Self.mostRequests) requests are under way, which is the most")
      }
      // The task waits for this lock before it is over, so that it finds itself in the table.
      let task = Task {
        await self.answer(request)
        self.state.withLock { $0.running[request.id] = nil }
      }
      state.running[request.id] = Running(request: request, task: task)
      return nil
    }
    if let problem { return await send(.failure(request.id, problem)) }
    guard handler.first.contains(request.method) else { return }
    await state.withLock { $0.running[request.id]?.task }?.value
  }

  private func answer(_ request: PeerRequest) async {
    do {
      await send(.result(request.id, try await handler.answer(request, self)))
    } catch let problem as JSONRPC.Problem {
      await send(.failure(request.id, problem))
    } catch is CancellationError {
      // Nobody waits for the answer.
    } catch {
      await send(
        .failure(request.id, .init(code: JSONRPC.Problem.internalError, message: "\(error)")))
    }
  }

  /// Ends the requests that fit; nothing answers them, unless their handler does.
  func cancel(where fits: @Sendable (PeerRequest) -> Bool) {
    let tasks = state.withLock { state in
      state.running.values.filter { fits($0.request) }.map(\.task)
    }
    for task in tasks { task.cancel() }
  }

  // MARK: Messages out

  func notify(_ method: String, _ params: Value) async {
    await send(.notification(method: method, params: params))
  }

  /// Asks the client something, and waits for its answer.
  ///
  /// - Throws: the client's `JSONRPC.Problem`; `CancellationError` when the task is cancelled or the client has gone.
  func ask(_ method: String, _ params: Value) async throws -> Value {
    let answer = Arrival<Value>()
    let number = state.withLock { state -> Int64? in
      guard !state.isClosed else { return nil }
      state.lastQuestion += 1
      state.questions[state.lastQuestion] = answer
      return state.lastQuestion
    }
    guard let number else { throw CancellationError() }
    defer { _ = state.withLock { $0.questions.removeValue(forKey: number) } }
    await send(.request(.number(number), method: method, params: params))
    return try await answer.value()
  }

  private func settle(_ id: JSONRPC.ID, _ result: Result<Value, any Error>) {
    guard case .number(let number) = id else { return }
    // An answer to nothing is ignored: the question was withdrawn meanwhile.
    state.withLock { $0.questions[number] }?.set(result)
  }

  private func send(_ message: JSONRPC.Message) async {
    let bytes = message.bytes + [UInt8(ascii: "\n")]
    do {
      try await turn.take { [output] in
        try await onOwnThread { Result { try output.write(bytes) } }.get()
      }
    } catch {
      // It reads no more, so nobody waits for anything.
      reading.withLock { $0 }?.cancel()
    }
  }
}
