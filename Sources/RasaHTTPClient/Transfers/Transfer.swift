import RasaCore

/// One request and its response, as both sides hold it.
final class Transfer: Sendable {
  let request: HTTPRequest
  let route: ProxyRoute
  let addressCheck: AddressCheck
  /// TLS is spoken with somebody.
  var needsCertificates: Bool {
    route.proxy?.kind == .https || request.isSecure
  }
  private let mailbox: Mailbox
  private let state = Locked(TransferState())

  init(
    request: HTTPRequest, route: ProxyRoute, addressCheck: AddressCheck, mailbox: Mailbox
  ) {
    self.request = request
    self.route = route
    self.addressCheck = addressCheck
    self.mailbox = mailbox
  }
}

// MARK: - The consumer

extension Transfer {
  func start() async throws -> HTTPResponseHead {
    guard mailbox.post(.start(self)) else { throw HTTPError.shutDown }
    let deadline = request.headerDeadline
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        perform(state.withLock { $0.waitForHead(continuation, deadline: deadline) })
        if let deadline { mailbox.watch(deadline) }
      }
    } onCancel: {
      cancel()
    }
  }

  func next(deadline: UInt64?) async throws -> [UInt8]? {
    if Task.isCancelled { cancel() }
    let (ready, errand) = state.withLock {
      $0.take(deadline: deadline, now: monotonicNanoseconds)
    }
    post(errand)
    if let ready { return try ready.get() }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        perform(state.withLock { $0.waitForBody(continuation, deadline: deadline) })
        if let deadline { mailbox.watch(deadline) }
      }
    } onCancel: {
      cancel()
    }
  }

  func cancel() { perform(state.withLock { $0.abandon(.cancelledByCaller) }) }

  private func perform(_ step: TransferState.Step) {
    post(step.errand)
    step.wake.perform()
  }

  private func post(_ errand: TransferState.LoopCommand) {
    switch errand {
    case .none: break
    case .unpause: mailbox.post(.unpause(self))
    case .stop: mailbox.post(.stop(self))
    }
  }
}

// MARK: - The loop

extension Transfer {
  /// Notes that the request is about to leave; false when nobody wants it any more.
  func beginSending() -> Bool {
    state.withLock { state in
      guard !state.hasEnded else { return false }
      request.trace?.markSent()
      return true
    }
  }

  func receive(head: HTTPResponseHead) { state.withLock { $0.receive(head: head) } }

  /// Hands the bytes over and leaves the array empty. Returns how many bytes wait for the consumer,
  /// and whether a transfer that has paused itself may go on.
  func receive(_ bytes: inout [UInt8], isPaused: Bool) -> (buffered: Int, unpause: Bool) {
    let (step, buffered) = state.withLock { state in
      (state.receive(&bytes, isPaused: isPaused), state.bufferedBytes)
    }
    step.wake.perform()
    return (buffered, step.errand == .unpause)
  }

  func finish(_ result: Result<Void, HTTPError>) {
    state.withLock { $0.finish(result) }.wake.perform()
  }

  /// The last bytes and the end in one step, so that the reader finds the end after the bytes.
  func finish(_ result: Result<Void, HTTPError>, after bytes: inout [UInt8]) {
    state.withLock { $0.finish(result, after: &bytes) }.wake.perform()
  }

  /// Ends the transfer when its consumer has waited too long; returns the deadline that is still
  /// to come.
  ///
  /// - Parameter headLate: what it was that did not come, where not even a response had begun.
  func checkDeadline(
    now: UInt64, headLate: () -> HTTPError
  ) -> (next: UInt64?, stop: Bool) {
    let (deadline, step) = state.withLock { state -> (UInt64?, TransferState.Step) in
      guard let deadline = state.deadline else { return (nil, TransferState.Step()) }
      guard deadline <= now else { return (deadline, TransferState.Step()) }
      return (nil, state.abandon(state.isWaitingForHead ? headLate() : .bodyLate))
    }
    step.wake.perform()
    return (deadline, step.errand == .stop)
  }
}
