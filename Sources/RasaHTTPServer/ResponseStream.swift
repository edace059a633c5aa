import RasaCore

/// The bytes of a response between the task that writes them and the loop that sends them.
final class ResponseStream: Sendable {
  /// Bytes that may wait for a slow client; beyond it the writer is made to wait.
  static let limit = 64 * 1024

  private enum Ending { case complete, broken }

  private struct State {
    var bytes: [UInt8] = []
    /// How much of them has been sent.
    var sent = 0
    var ending: Ending?
    /// The client has gone, so nothing is sent any more.
    var isAbandoned = false
    /// The loop waits to be told about more.
    var isLoopWaiting = false
    var writer: CheckedContinuation<Void, any Error>?

    var waiting: Int { bytes.count - sent }

    mutating func takeWriter() -> CheckedContinuation<Void, any Error>? {
      defer { writer = nil }
      return writer
    }
  }

  enum Piece: Equatable {
    case bytes(Int)
    case end, brokenEnd
    /// There is nothing yet; the loop is woken when there is.
    case nothing
  }

  private let state = Locked(State())
  private let wake: @Sendable () -> Void

  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }
}

// MARK: - The writer

extension ResponseStream {
  func write(_ bytes: [UInt8]) async throws {
    try Task.checkCancellation()
    let (isGone, wakes, isFull) = state.withLock { state in
      guard !state.isAbandoned, state.ending == nil else { return (true, false, false) }
      if state.sent == state.bytes.count {
        state.bytes = []
        state.sent = 0
      }
      state.bytes += bytes
      let wakes = state.isLoopWaiting && state.waiting > 0
      if wakes { state.isLoopWaiting = false }
      return (false, wakes, state.waiting >= Self.limit)
    }
    if isGone { throw CancellationError() }
    if wakes { wake() }
    if isFull { try await room() }
  }

  private func room() async throws {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<Void, any Error>? in
          if state.isAbandoned || Task.isCancelled { return .failure(CancellationError()) }
          if state.waiting < Self.limit { return .success(()) }
          state.writer = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      state.withLock { $0.takeWriter() }?.resume(throwing: CancellationError())
    }
  }

  func end(isComplete: Bool) {
    let wakes = state.withLock { state in
      if state.ending == nil { state.ending = isComplete ? .complete : .broken }
      defer { state.isLoopWaiting = false }
      return state.isLoopWaiting
    }
    if wakes { wake() }
  }
}

// MARK: - The loop

extension ResponseStream {
  func read(into buffer: UnsafeMutableRawBufferPointer) -> Piece {
    let (piece, writer) = state.withLock {
      state -> (Piece, CheckedContinuation<Void, any Error>?) in
      guard !state.isAbandoned else { return (.brokenEnd, nil) }
      guard state.waiting > 0 else {
        switch state.ending {
        case .complete: return (.end, nil)
        case .broken: return (.brokenEnd, nil)
        case nil:
          state.isLoopWaiting = true
          return (.nothing, nil)
        }
      }
      let count = min(buffer.count, state.waiting)
      unsafe buffer.copyBytes(from: state.bytes[state.sent..<state.sent + count])
      state.sent += count
      return (.bytes(count), state.waiting < Self.limit / 2 ? state.takeWriter() : nil)
    }
    writer?.resume()
    return piece
  }

  func abandon() {
    let writer = state.withLock { state in
      state.isAbandoned = true
      state.bytes = []
      state.sent = 0
      return state.takeWriter()
    }
    writer?.resume(throwing: CancellationError())
  }
}
