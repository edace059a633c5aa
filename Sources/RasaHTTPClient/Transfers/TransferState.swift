typealias HeadContinuation = CheckedContinuation<HTTPResponseHead, any Error>
typealias BodyContinuation = CheckedContinuation<[UInt8]?, any Error>

/// What the consumer of a transfer and the loop share. A value under a lock: its methods change it
/// and return what to do once the lock is released, because nothing is resumed under a lock.
struct TransferState {
  /// A waiting task and what it waited for.
  enum Wake {
    case nobody
    case head(HeadContinuation, Result<HTTPResponseHead, HTTPError>)
    case body(BodyContinuation, Result<[UInt8]?, HTTPError>)

    func perform() {
      switch self {
      case .nobody: break
      case .head(let waiter, let result): waiter.resume(with: result.mapError { $0 })
      case .body(let waiter, let result): waiter.resume(with: result.mapError { $0 })
      }
    }
  }

  /// What the loop's thread has to do about the transfer.
  enum LoopCommand {
    case none
    /// It has paused itself, and there is room again.
    case unpause
    /// It was ended from this side.
    case stop
  }

  struct Step {
    var wake = Wake.nobody
    var errand = LoopCommand.none
  }

  private enum Waiter {
    case head(HeadContinuation)
    case body(BodyContinuation)
  }

  private var head: HTTPResponseHead?
  private var buffer: [UInt8] = []
  private var ending: Result<Void, HTTPError>?
  /// At most one task: for the head first, then for chunks of the body.
  private var waiter: Waiter?
  /// When the task that waits no longer wants to.
  private(set) var deadline: UInt64?
  /// A deadline that had passed when buffered bytes were handed out nevertheless.
  private var forgivenDeadline: UInt64?
  private var isPaused = false

  var bufferedBytes: Int { buffer.count }
}

// MARK: - The consumer

extension TransferState {
  mutating func waitForHead(_ continuation: HeadContinuation, deadline: UInt64?) -> Step {
    waiter = .head(continuation)
    self.deadline = deadline
    return wake()
  }

  mutating func waitForBody(_ continuation: BodyContinuation, deadline: UInt64?) -> Step {
    guard waiter == nil else { return Step(wake: .body(continuation, .failure(.twoReaders))) }
    waiter = .body(continuation)
    self.deadline = deadline
    return wake()
  }

  /// What is there without waiting; a nil result means that nothing is. Bytes that are there are
  /// handed out even when the deadline has passed, but only once: a slow consumer is not to blame
  /// the peer, and a peer that never pauses must not keep a consumer beyond its deadline.
  mutating func take(
    deadline: UInt64?, now: () -> UInt64
  ) -> (result: Result<[UInt8]?, HTTPError>?, errand: LoopCommand) {
    guard waiter == nil else { return (.failure(.twoReaders), .none) }
    if let deadline, !buffer.isEmpty, deadline <= now() {
      if forgivenDeadline == deadline { return (.failure(.bodyLate), abandon(.bodyLate).errand) }
      forgivenDeadline = deadline
    }
    return takeReady()
  }

  /// Ends the transfer from this side: what is buffered no longer interests anyone.
  mutating func abandon(_ error: HTTPError) -> Step {
    buffer = []
    guard ending == nil else { return Step() }
    return Step(wake: finish(.failure(error)).wake, errand: .stop)
  }
}

// MARK: - The loop

extension TransferState {
  mutating func receive(head: HTTPResponseHead) { self.head = head }

  /// Takes over what has arrived; `isPaused` when the transfer has stopped taking more.
  mutating func receive(_ bytes: inout [UInt8], isPaused: Bool) -> Step {
    if isPaused { self.isPaused = true }
    if ending != nil {
      bytes.removeAll()
    } else if buffer.isEmpty {
      swap(&buffer, &bytes)
    } else {
      buffer += bytes
      bytes.removeAll(keepingCapacity: true)
    }
    var step = wake()
    if ending == nil, self.isPaused, buffer.isEmpty {
      self.isPaused = false
      step.errand = .unpause
    }
    return step
  }

  mutating func finish(_ result: Result<Void, HTTPError>) -> Step {
    if ending == nil { ending = result }
    return wake()
  }

  mutating func finish(_ result: Result<Void, HTTPError>, after bytes: inout [UInt8]) -> Step {
    if ending == nil {
      if buffer.isEmpty { swap(&buffer, &bytes) } else { buffer += bytes }
    }
    bytes = []
    return finish(result)
  }

  var hasEnded: Bool { ending != nil }

  var isWaitingForHead: Bool {
    if case .head = waiter { true } else { false }
  }
}

// MARK: - Waking

extension TransferState {
  /// Takes the waiting task out when what it waits for is there.
  private mutating func wake() -> Step {
    switch waiter {
    case nil: return Step()
    case .head(let continuation):
      let result: Result<HTTPResponseHead, HTTPError>
      if let head {
        result = .success(head)
      } else if case .failure(let error) = ending {
        result = .failure(error)
      } else {
        return Step()
      }
      release()
      return Step(wake: .head(continuation, result))
    case .body(let continuation):
      let (result, errand) = takeReady()
      guard let result else { return Step() }
      release()
      return Step(wake: .body(continuation, result), errand: errand)
    }
  }

  private mutating func takeReady() -> (result: Result<[UInt8]?, HTTPError>?, errand: LoopCommand) {
    guard !buffer.isEmpty else { return (ending?.map { nil }, .none) }
    var taken: [UInt8] = []
    swap(&taken, &buffer)
    defer { isPaused = false }
    return (.success(taken), isPaused ? .unpause : .none)
  }

  private mutating func release() {
    waiter = nil
    deadline = nil
  }
}
