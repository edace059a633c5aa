import RasaCore

extension TimeSource {
  /// Runs `work` in a task of its own and returns its result, or nil if the time runs out first.
  ///
  /// Work that ignores its cancellation is abandoned: it can neither keep a run from ending nor report anything
  /// to it any more.
  ///
  /// - Parameter secondsLeft: asked again whenever that time has passed, because the clock of a run stands
  ///   while a person is asked.
  func result<Output: Sendable>(
    of work: @escaping @Sendable () async throws -> Output,
    within secondsLeft: @escaping @Sendable () -> Double
  ) async throws -> Output? {
    try Task.checkCancellation()
    let race = Race<Output>()
    let worker = Task {
      do { race.end(.success(try await work())) } catch { race.end(.failure(error)) }
    }
    let timer = Task {
      while true {
        let left = secondsLeft()
        guard left > 0 else { return race.end(.success(nil)) }
        try await sleep(.seconds(min(left, 1_000_000_000)))
      }
    }
    defer {
      worker.cancel()
      timer.cancel()
    }
    return try await withTaskCancellationHandler {
      try await race.outcome()
    } onCancel: {
      race.end(.failure(CancellationError()))
    }
  }
}

/// The first of several outcomes; those that come later count for nothing.
private final class Race<Output: Sendable>: Sendable {
  private struct State {
    var outcome: Result<Output?, any Error>?
    var waiter: CheckedContinuation<Output?, any Error>?
  }
  private let state = Locked(State())

  func end(_ outcome: Result<Output?, any Error>) {
    let waiter = state.withLock { state -> CheckedContinuation<Output?, any Error>? in
      guard state.outcome == nil else { return nil }
      state.outcome = outcome
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume(with: outcome)
  }

  func outcome() async throws -> Output? {
    try await withCheckedThrowingContinuation { continuation in
      let outcome = state.withLock { state in
        if state.outcome == nil { state.waiter = continuation }
        return state.outcome
      }
      if let outcome { continuation.resume(with: outcome) }
    }
  }
}
