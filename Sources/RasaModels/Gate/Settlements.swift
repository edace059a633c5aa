import RasaCore

/// Tells calls that wait for money when some has been settled here. What other processes settle is
/// found by looking again now and then.
final class Settlements: Sendable {
  private struct State {
    var count: UInt64 = 0
    var nextWaiter: UInt64 = 0
    var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    /// Those whose task was cancelled before they waited.
    var cancelled: Set<UInt64> = []
  }
  private let state = Locked(State())

  /// How many there have been: what is asked before looking, so that none is missed.
  var count: UInt64 { state.withLock { $0.count } }

  func note() {
    let waiters = state.withLock { state in
      state.count &+= 1
      defer { state.waiters = [:] }
      return state.waiters
    }
    for waiter in waiters.values { waiter.resume() }
  }

  /// Returns when there has been one more, or when the time is up; throws when the task is cancelled.
  func wait(after count: UInt64, atMost patience: Duration, _ time: TimeSource) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await self.next(after: count) }
      group.addTask { try await time.sleep(patience) }
      try await group.next()
      group.cancelAll()
    }
    try Task.checkCancellation()
  }

  private func next(after count: UInt64) async {
    let waiter = state.withLock { state in
      state.nextWaiter &+= 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.count != count || state.cancelled.remove(waiter) != nil { return true }
          state.waiters[waiter] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      let continuation = state.withLock { state in
        if let waiting = state.waiters.removeValue(forKey: waiter) { return Optional(waiting) }
        state.cancelled.insert(waiter)
        return nil
      }
      continuation?.resume()
    }
    state.withLock { _ = $0.cancelled.remove(waiter) }
  }
}
