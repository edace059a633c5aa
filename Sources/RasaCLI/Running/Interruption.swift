import RasaCore
import RasaSystem

/// Runs work that Ctrl-C and a request to end cancel: the first signal cancels and lets the work
/// write down where it stopped, the second leaves at once.
func interruptible<Result: Sendable>(
  _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result {
  let task = Task { try await work() }
  let received = Locked<Signal?>(nil)
  let watch = try SignalWatch([.interrupt, .terminate, .hangUp]) { signal in
    let isSecond = received.withLock { received in
      defer { received = received ?? signal }
      return received != nil
    }
    if isSecond { leaveNow(signal.exitCode) }
    task.cancel()
  }
  defer { withExtendedLifetime(watch) {} }
  do {
    return try await task.value
  } catch {
    guard let signal = received.withLock({ $0 }) else { throw error }
    throw Interrupted(signal: signal)
  }
}

/// The work ended because of a signal.
struct Interrupted: Error {
  var signal: Signal
}
