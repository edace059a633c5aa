import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Runs work that Ctrl-C and a request to end cancel: the first signal cancels and lets the work
/// write down where it stopped, the second leaves at once. The work is given what cancels it.
func interruptible<Result: Sendable>(
  on executor: (any TaskExecutor)? = nil,
  _ work: @escaping @Sendable (_ cancel: @escaping @Sendable () -> Void) async throws -> Result
) async throws -> Result {
  BlockedWriters.hold()
  let begun = Locked<Task<Result, any Error>?>(nil)
  let isStopped = Locked(false)
  let cancel: @Sendable () -> Void = {
    isStopped.withLock { $0 = true }
    BlockedWriters.release()
    begun.withLock { $0 }?.cancel()
  }
  let task = Task(executorPreference: executor) { try await work(cancel) }
  begun.withLock { $0 = task }
  if isStopped.withLock({ $0 }) { task.cancel() }
  let received = Locked<Signal?>(nil)
  let watch = try SignalWatch([.interrupt, .terminate, .hangUp]) { signal in
    let isSecond = received.withLock { received in
      defer { received = received ?? signal }
      return received != nil
    }
    if isSecond { leaveNow(signal.exitCode) }
    // A reader that takes nothing must not keep the work from writing down where it stopped.
    BlockedWriters.release()
    task.cancel()
  }
  defer { withExtendedLifetime(watch) {} }
  do {
    return try await task.value
  } catch {
    guard let signal = received.withLock({ $0 }) else { throw error }
    throw Interrupted(
      signal: signal,
      suggestion: (error as? Failure)?.suggestion ?? (error as? RasaError)?.suggestion ?? "")
  }
}

/// The work ended because of a signal.
struct Interrupted: Error {
  var signal: Signal
  /// What to do to go on.
  var suggestion: String
  var run: FailedRun?

  /// The same, as programs are told of it.
  var failure: Failure {
    var failure = Failure(.cancelled, "it was stopped by \(signal.name)", suggestion: suggestion)
    failure.run = run
    return failure
  }
}

extension Signal {
  fileprivate var name: String {
    switch self {
    case .hangUp: "SIGHUP"
    case .interrupt: "SIGINT"
    case .terminate: "SIGTERM"
    case .windowChanged: "SIGWINCH"
    }
  }
}

extension LineReader {
  /// While a line is being edited the terminal is not as the shell left it: whoever ends the program
  /// then must still find it so afterwards.
  func nextLine(prompt: String) async throws -> Line {
    let watch = try SignalWatch([.terminate, .hangUp]) { signal in
      self.restoreTerminal()
      leaveNow(signal.exitCode)
    }
    defer { withExtendedLifetime(watch) {} }
    return try await readLine(prompt: prompt)
  }
}
