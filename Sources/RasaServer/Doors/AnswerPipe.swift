import RasaCore
import RasaHTTPServer

/// The bytes of an answer between the task that makes it and the response that sends it.
///
/// The task runs ahead of the response: whether there is an answer at all decides about the status, so the response
/// begins with the first piece, and a failure before it is a plain error. A slow client makes the task wait.
final class AnswerPipe: Sendable {
  /// What the response begins with.
  enum Beginning: Sendable {
    case head(status: Int, headers: [(name: String, value: String)])
    case failure(ServerProblem)
  }

  /// Bytes that may wait for a slow client.
  private static let limit = 64 * 1_024

  private struct State {
    var beginning: Beginning?
    var bytes: [UInt8] = []
    var isOver = false
    /// What was sent is not whole, and must not look so.
    var isCut = false
    /// The response does not want more.
    var isAbandoned = false
    /// Something was sent since the last heartbeat.
    var isBusy = false
    var reader: CheckedContinuation<Void, Never>?
    var writer: CheckedContinuation<Void, Never>?

    mutating func takeReader() -> CheckedContinuation<Void, Never>? {
      defer { reader = nil }
      return reader
    }

    mutating func takeWriter() -> CheckedContinuation<Void, Never>? {
      defer { writer = nil }
      return writer
    }
  }

  private let state = Locked(State())

  // MARK: The task

  /// Sets how the response begins; what was set first counts.
  func begin(_ beginning: Beginning) {
    let reader = state.withLock { state in
      if state.beginning == nil { state.beginning = beginning }
      return state.takeReader()
    }
    reader?.resume()
  }

  /// Adds to what is sent, and returns at once. Throws once nobody wants it.
  func push(_ bytes: [UInt8]) throws {
    guard !bytes.isEmpty else { return }
    let reader = try state.withLock { state in
      guard !state.isAbandoned else { throw CancellationError() }
      state.bytes += bytes
      state.isBusy = true
      return state.takeReader()
    }
    reader?.resume()
  }

  /// Returns when there is room for more. Throws once nobody wants it.
  func room() async throws {
    try Task.checkCancellation()
    guard state.withLock({ $0.bytes.count >= Self.limit || $0.isAbandoned }) else { return }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waits = state.withLock { state in
          guard !state.isAbandoned, !Task.isCancelled, state.bytes.count >= Self.limit else {
            return false
          }
          state.writer = continuation
          return true
        }
        if !waits { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.takeWriter() }?.resume()
    }
    try Task.checkCancellation()
    if state.withLock({ $0.isAbandoned }) { throw CancellationError() }
  }

  /// Nothing more comes.
  func end() {
    let reader = state.withLock { state in
      state.isOver = true
      return state.takeReader()
    }
    reader?.resume()
  }

  /// What was sent so far is all that comes, and is not whole.
  func cut() { state.withLock { $0.isCut = true } }

  /// Whether nothing was sent since this was asked last, and nothing waits: then a sign of life is due. A connection on
  /// which nothing comes does not notice that its client has gone, and clients give up on one.
  func isIdle() -> Bool {
    state.withLock { state in
      defer { state.isBusy = false }
      return !state.isBusy && state.bytes.isEmpty && !state.isOver && !state.isAbandoned
    }
  }

  // MARK: The response

  /// How the response begins, once that is known.
  func beginning() async -> Beginning {
    while true {
      if let beginning = state.withLock({ $0.beginning }) { return beginning }
      guard await wait(until: { $0.beginning != nil || $0.isOver || $0.isAbandoned }) else {
        return .failure(ServerProblem(499, "cancelled", "the answer was cancelled"))
      }
      if state.withLock({ $0.beginning == nil && ($0.isOver || $0.isAbandoned) }) {
        return .failure(ServerProblem(499, "cancelled", "the answer was cancelled"))
      }
    }
  }

  /// The next bytes; nil at the end. Throws where the end is missing.
  func next() async throws -> [UInt8]? {
    while true {
      let (bytes, isOver, writer) = state.withLock {
        state -> ([UInt8], Bool, CheckedContinuation<Void, Never>?) in
        let bytes = state.bytes
        state.bytes = []
        return (bytes, state.isOver || state.isAbandoned, state.takeWriter())
      }
      writer?.resume()
      if !bytes.isEmpty { return bytes }
      if isOver {
        if state.withLock({ $0.isCut }) { throw CancellationError() }
        return nil
      }
      guard await wait(until: { !$0.bytes.isEmpty || $0.isOver || $0.isAbandoned }) else {
        return nil
      }
    }
  }

  /// False when the caller was cancelled.
  private func wait(until isThere: (State) -> Bool) async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let waits = state.withLock { state in
          guard !isThere(state), !Task.isCancelled else { return false }
          state.reader = continuation
          return true
        }
        if !waits { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.takeReader() }?.resume()
    }
    return !Task.isCancelled
  }

  /// Nobody wants the rest.
  func abandon() {
    let (reader, writer) = state.withLock { state in
      state.isAbandoned = true
      state.bytes = []
      return (state.takeReader(), state.takeWriter())
    }
    reader?.resume()
    writer?.resume()
  }
}

/// The task that makes an answer, for as long as somebody wants it: it is cancelled with its last owner.
final class AnswerTask: Sendable {
  let pipe: AnswerPipe
  private let task: Task<Void, Never>

  init(_ work: @escaping @Sendable (AnswerPipe) async -> Void) {
    let pipe = AnswerPipe()
    self.pipe = pipe
    task = Task {
      await work(pipe)
      pipe.end()
    }
  }

  deinit { cancel() }

  func cancel() {
    task.cancel()
    pipe.abandon()
  }

  /// Returns when nothing of it is under way any more.
  func finish() async { await task.value }

  /// Waits for the beginning, and sends the rest as it comes.
  func response(_ form: ErrorForm) async throws -> ServerResponse {
    let beginning = await withTaskCancellationHandler {
      await pipe.beginning()
    } onCancel: {
      cancel()
    }
    switch beginning {
    case .failure(let problem): return .refusal(problem, form)
    case .head(let status, let headers):
      return ServerResponse(
        status: status, headers: headers,
        body: .stream { writer in
          // Holds the task: once the response is let go of, nobody wants the answer.
          defer { self.cancel() }
          try await withTaskCancellationHandler {
            while let bytes = try await self.pipe.next() { try await writer.write(bytes) }
          } onCancel: {
            self.cancel()
          }
        })
    }
  }
}
