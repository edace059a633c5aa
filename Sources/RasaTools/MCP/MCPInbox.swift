import RasaCore

/// What arrives for one request, in order, for the one task that waits for it.
final class MCPInbox: Sendable {
  enum Event: Sendable {
    case of(MCPSession.Event)
    /// Its time is up.
    case late
  }

  private struct State: Sendable {
    var events: [Event] = []
    var waiter: CheckedContinuation<Event, any Error>?
    var isCancelled = false
  }

  private let state = Locked(State())

  func post(_ event: Event) {
    let waiter = state.withLock { state -> CheckedContinuation<Event, any Error>? in
      if let waiter = state.waiter {
        state.waiter = nil
        return waiter
      }
      // Progress that nobody has read yet is out of date: a flood of it takes one place.
      if case .of(.progress) = event, case .of(.progress)? = state.events.last {
        state.events.removeLast()
      }
      state.events.append(event)
      return nil
    }
    waiter?.resume(returning: event)
  }

  /// Throws when the task is cancelled.
  func next() async throws -> Event {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result = state.withLock { state -> Result<Event, any Error>? in
          if state.isCancelled { return .failure(CancellationError()) }
          guard state.events.isEmpty else { return .success(state.events.removeFirst()) }
          state.waiter = continuation
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let waiter = state.withLock { state in
        state.isCancelled = true
        defer { state.waiter = nil }
        return state.waiter
      }
      waiter?.resume(throwing: CancellationError())
    }
  }
}
