import RasaCore

/// All requests that the provider has received, and a way to wait until that changes.
package final class Invoice: Sendable {
  package struct Contents: Sendable {
    package internal(set) var requests: [ReceivedRequest] = []
    /// How many connections were accepted.
    package internal(set) var connections = 0
  }

  private struct Waiter {
    var condition: @Sendable (Contents) -> Bool
    var continuation: CheckedContinuation<Contents, any Error>
    var deadline: UInt64
    var description: String
  }

  private struct State {
    var contents = Contents()
    var waiters: [Waiter] = []
    var isClosed = false
  }

  private let state = Locked(State())
  /// Held by the loop while it works: it sends first and records afterwards. (The thread sanitizer
  /// does not understand a lock around nothing.)
  private let pass = Locked(false)
  /// Notifies the loop of a new deadline.
  private let wake: @Sendable () -> Void

  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Includes everything that the loop has sent: whoever has read an answer finds it on the
  /// invoice.
  package var contents: Contents {
    pass.withLock { _ in }
    return current
  }
  package var requests: [ReceivedRequest] { contents.requests }

  /// Returns when the condition is true; a test that waits in vain fails at the limit.
  @discardableResult
  package func wait(
    for description: String, limit: Duration = .seconds(60),
    until condition: @escaping @Sendable (Contents) -> Bool
  ) async throws -> Contents {
    try await withCheckedThrowingContinuation { continuation in
      let waiter = Waiter(
        condition: condition, continuation: continuation,
        deadline: monotonicNanoseconds() &+ nanoseconds(limit), description: description)
      let isClosed = state.withLock { state in
        state.waiters.append(waiter)
        if state.isClosed { state.waiters[state.waiters.count - 1].deadline = 0 }
        return state.isClosed
      }
      settle(now: monotonicNanoseconds())
      if !isClosed { wake() }
    }
  }
}

extension Invoice {
  /// Checks the conditions again: something besides the invoice has changed.
  package func recheck() { settle(now: monotonicNanoseconds()) }
}

// MARK: - The loop

extension Invoice {
  var current: Contents { state.withLock { $0.contents } }

  func duringPass(_ work: () -> Bool) -> Bool { pass.withLock { _ in work() } }

  func update(_ change: (inout Contents) -> Void) {
    let isWaitedFor = state.withLock { state in
      change(&state.contents)
      return !state.waiters.isEmpty
    }
    if isWaitedFor { settle(now: monotonicNanoseconds()) }
  }

  func update(request index: Int, _ change: (inout ReceivedRequest) -> Void) {
    update { change(&$0.requests[index]) }
  }

  var nextDeadline: UInt64 {
    state.withLock { $0.waiters.map(\.deadline).min() } ?? .max
  }

  /// Wakes waiters whose condition is true or whose time is over.
  func settle(now: UInt64) {
    let (contents, ready) = state.withLock { state in
      let contents = state.contents
      var ready: [(Waiter, isMet: Bool)] = []
      state.waiters.removeAll { waiter in
        let isMet = waiter.condition(contents)
        guard isMet || waiter.deadline <= now else { return false }
        ready.append((waiter, isMet))
        return true
      }
      return (contents, ready)
    }
    for (waiter, isMet) in ready {
      if isMet {
        waiter.continuation.resume(returning: contents)
      } else {
        waiter.continuation.resume(
          throwing: Failure(.timeout, "waited in vain for \(waiter.description)"))
      }
    }
  }

  func close() {
    state.withLock { state in
      state.isClosed = true
      for index in state.waiters.indices { state.waiters[index].deadline = 0 }
    }
    settle(now: monotonicNanoseconds())
  }
}
