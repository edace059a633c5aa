import RasaCore
package import RasaEngine
import RasaHTTPClient
package import RasaPersona

/// A provider that is a part of the program: it is asked by a call instead of over a wire, and its
/// money is held, settled and journalled as everybody's is.
package protocol NativeProvider: Sendable {
  var name: String { get }
  /// The first is the default.
  var models: [String] { get }
  /// Nil where it is unknown.
  func price(of model: String) -> Price?
  /// Emits the answer while it comes, and returns how it ended.
  func answer(
    _ call: NativeCall, emit: @escaping @Sendable (NativePiece) async throws -> Void
  ) async throws -> NativeEnd
}

package struct NativeCall: Sendable {
  package var request: ModelRequest
  package var model: String
  /// The most tokens that the answer may have; nil where nothing bounds it.
  package var cap: Int64?
  package var effort: ReasoningEffort?
  /// Unchanged when a call with an unknown outcome is repeated.
  package var idempotencyKey: String
}

package enum NativePiece: Sendable, Hashable {
  case text(String)
  case reasoning(String)
}

package struct NativeEnd: Sendable, Hashable {
  package var finish: FinishReason
  /// Nil where the provider does not count.
  package var inputTokens: Int64?
  package var outputTokens: Int64?

  package init(finish: FinishReason, inputTokens: Int64?, outputTokens: Int64?) {
    self.finish = finish
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
  }
}

extension ProviderSettings {
  /// A provider of the program's own.
  package init(_ provider: any NativeProvider) {
    self.init(
      name: provider.name, dialect: .openAI, baseURL: "", defaultModel: provider.models.first,
      origins: ["this program"])
    native = provider
    // Its calls carry words alone.
    takesImages = false
    takesPDFs = false
  }
}

extension ModelConfiguration {
  /// Puts a program's own providers before all others.
  package mutating func add(_ own: [any NativeProvider]) {
    let names = Set(own.map(\.name))
    providers = own.map { ProviderSettings($0) } + providers.filter { !names.contains($0.name) }
  }
}

struct NativeAdapter: ChatAdapter {
  let provider: any NativeProvider
  let time: TimeSource

  func ask(
    _ call: WireCall, under hold: borrowing Hold, deadline: UInt64
  ) async throws -> any ChatStream {
    hold.trace.markSent()
    let native = NativeCall(
      request: call.request, model: call.model, cap: call.cap, effort: call.effort,
      idempotencyKey: hold.idempotencyKey)
    let pipe = NativePipe()
    let provider = provider
    let task = Task {
      do {
        let end = try await provider.answer(native) { try await pipe.send($0) }
        pipe.finish(.success(end))
      } catch {
        pipe.finish(.failure(error))
      }
    }
    return NativeStream(name: provider.name, pipe: pipe, task: task, time: time)
  }
}

struct NativeStream: ChatStream {
  let name: String
  let pipe: NativePipe
  let task: Task<Void, Never>
  let time: TimeSource
  var progress = ChatProgress()

  init(name: String, pipe: NativePipe, task: Task<Void, Never>, time: TimeSource) {
    self.name = name
    self.pipe = pipe
    self.task = task
    self.time = time
  }

  mutating func advance(deadline: UInt64) async throws -> Bool {
    switch await next(by: deadline) {
    case .pieces(let pieces):
      for piece in pieces {
        switch piece {
        case .text(let text): progress.add(text: text)
        case .reasoning(let text): progress.add(reasoning: text)
        }
      }
      progress.endChunk()
      return true
    case .end(.success(let end)):
      progress.endText()
      progress.usage = ReportedUsage(input: end.inputTokens, output: end.outputTokens)
      progress.end(with: end.finish)
      progress.isDone = true
      return false
    case .end(.failure(let error)):
      cancel()
      if Task.isCancelled { throw CancellationError() }
      throw problem(of: error)
    case .late:
      cancel()
      throw ProviderProblem(.timeout, "nothing arrived for too long")
    case .cancelled:
      cancel()
      throw CancellationError()
    }
  }

  /// What a provider throws, as the gate understands it: another model may answer where waiting or
  /// another provider can help.
  private func problem(of error: any Error) -> any Error {
    guard let failure = error as? Failure else {
      return ProviderProblem(.server, "\(name) failed: \(error)")
    }
    let kind: ProviderProblem.Kind =
      switch failure.kind {
      case .authentication: .authentication
      case .usage, .configuration: .rejected
      case .timeout: .timeout
      default: .server
      }
    var problem = ProviderProblem(kind, failure.message)
    if !failure.suggestion.isEmpty { problem.suggestion = failure.suggestion }
    return problem
  }

  private func next(by deadline: UInt64) async -> NativePipe.Reading {
    if let ready = pipe.ready() { return ready }
    let now = time.monotonic()
    guard deadline > now else { return .late }
    let (pipe, time) = (pipe, time)
    let turn = pipe.beginWaiting()
    let clock = Task {
      try await time.sleep(.nanoseconds(Int64(clamping: deadline - now)))
      pipe.wake(.late, in: turn)
    }
    defer { clock.cancel() }
    return await withTaskCancellationHandler {
      await pipe.next()
    } onCancel: {
      pipe.wake(.cancelled, in: turn)
    }
  }

  mutating func drain(deadline: UInt64) async {}

  func cancel() {
    task.cancel()
    pipe.close()
  }
}

/// Pieces between a provider's task and the reader of its answer.
final class NativePipe: Sendable {
  enum Reading: Sendable {
    case pieces([NativePiece])
    case end(Result<NativeEnd, any Error>)
    case late, cancelled
  }

  private struct State {
    var pieces: [NativePiece] = []
    var end: Result<NativeEnd, any Error>?
    var reader: CheckedContinuation<Reading, Never>?
    var senders: [CheckedContinuation<Void, Never>] = []
    /// Counts the waits, so that a late timeout does not end the next one.
    var turn = 0
    /// Somebody was woken who had not begun to wait.
    var woken: Reading?
    var isClosed = false

    mutating func take() -> Reading? {
      if !pieces.isEmpty {
        defer { pieces = [] }
        return .pieces(pieces)
      }
      return end.map(Reading.end)
    }
  }

  private let state = Locked(State())
  private static let room = 64

  /// Returns when there is room for more; throws when nobody reads any more.
  func send(_ piece: NativePiece) async throws {
    try Task.checkCancellation()
    await withCheckedContinuation { continuation in
      let (reader, isToWait) = state.withLock {
        state -> (CheckedContinuation<Reading, Never>?, Bool) in
        if state.isClosed { return (nil, false) }
        if let reader = state.reader {
          state.reader = nil
          return (reader, false)
        }
        state.pieces.append(piece)
        guard state.pieces.count >= Self.room else { return (nil, false) }
        state.senders.append(continuation)
        return (nil, true)
      }
      reader?.resume(returning: .pieces([piece]))
      if !isToWait { continuation.resume() }
    }
    try Task.checkCancellation()
  }

  func finish(_ end: Result<NativeEnd, any Error>) {
    let reader = state.withLock { state in
      state.end = end
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: .end(end))
  }

  func ready() -> Reading? {
    let (reading, senders) = state.withLock {
      state -> (Reading?, [CheckedContinuation<Void, Never>]) in
      guard let reading = state.take() else { return (nil, []) }
      defer { state.senders = [] }
      return (reading, state.senders)
    }
    for sender in senders { sender.resume() }
    return reading
  }

  func beginWaiting() -> Int {
    state.withLock { state in
      state.turn += 1
      state.woken = nil
      return state.turn
    }
  }

  func next() async -> Reading {
    if let reading = ready() { return reading }
    return await withCheckedContinuation { continuation in
      let reading = state.withLock { state -> Reading? in
        if let reading = state.take() { return reading }
        if let woken = state.woken {
          state.woken = nil
          return woken
        }
        state.reader = continuation
        return nil
      }
      if let reading { continuation.resume(returning: reading) }
    }
  }

  /// Ends the waiting without anything to read.
  func wake(_ reading: Reading, in turn: Int) {
    let reader = state.withLock { state -> CheckedContinuation<Reading, Never>? in
      guard turn == state.turn else { return nil }
      if state.reader == nil { state.woken = reading }
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: reading)
  }

  /// Nobody reads any more: senders no longer wait.
  func close() {
    let senders = state.withLock { state in
      state.isClosed = true
      state.pieces = []
      defer { state.senders = [] }
      return state.senders
    }
    for sender in senders { sender.resume() }
  }
}
