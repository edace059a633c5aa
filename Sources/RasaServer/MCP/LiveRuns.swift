import RasaCore
import RasaKit

/// A run that goes on whether or not somebody waits for it.
final class LiveRun: Sendable {
  private struct State {
    var result: Result<Rasa.RunResult, any Error>?
    var message = ""
    var task: Task<Void, Never>?
    var isJournaled = false
    var isLate = false
    var isWaiterGone = false
    var waiter: CheckedContinuation<Void, Never>?

    /// Whoever waits has something to be told.
    mutating func wakesWaiter() -> CheckedContinuation<Void, Never>? {
      guard result != nil || isWaiterGone || (isLate && isJournaled) else { return nil }
      defer { waiter = nil }
      return waiter
    }
  }

  let id: String
  private let state = Locked(State())

  init(_ id: String) { self.id = id }

  /// What it is doing, for people.
  var message: String { state.withLock { $0.message } }

  func begin(
    _ work: @escaping @Sendable () async throws -> Rasa.RunResult,
    atEnd: @escaping @Sendable () -> Void
  ) {
    let task = Task {
      let result: Result<Rasa.RunResult, any Error>
      do { result = .success(try await work()) } catch { result = .failure(error) }
      change { $0.result = result }
      atEnd()
    }
    state.withLock { $0.task = task }
  }

  /// It is on the disk, so that its ID can be relied on.
  func noteJournaled() { change { $0.isJournaled = true } }
  func note(_ message: String) { state.withLock { $0.message = message } }

  func cancel() { state.withLock { $0.task }?.cancel() }
  func end() async { await state.withLock { $0.task }?.value }

  /// Its result; nil when the time is over or the waiting task is cancelled, while it goes on.
  func result(within limit: Duration) async -> Result<Rasa.RunResult, any Error>? {
    let timer = Task {
      guard (try? await Task.sleep(for: limit)) != nil else { return }
      change { $0.isLate = true }
    }
    defer { timer.cancel() }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        change { $0.waiter = continuation }
      }
    } onCancel: {
      change { $0.isWaiterGone = true }
    }
    return state.withLock { $0.result }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiter = state.withLock { state in
      body(&state)
      return state.wakesWaiter()
    }
    waiter?.resume()
  }
}

/// The runs of tasks, by their IDs, which outlive the requests that began them.
final class LiveRuns: Sendable {
  private let runs = Locked<(live: [String: LiveRun], isClosed: Bool)>(([:], false))

  subscript(id: String) -> LiveRun? { runs.withLock { $0.live[id] } }

  /// - Throws: `CancellationError` once everything is being stopped.
  func begin(
    _ id: String, _ work: @escaping @Sendable (LiveRun) async throws -> Rasa.RunResult
  ) throws -> LiveRun {
    let run = LiveRun(id)
    let isClosed = runs.withLock { state in
      if !state.isClosed {
        state.live[id] = run
        // It waits for this lock before it takes itself out of the table.
        run.begin({ try await work(run) }) { [runs] in
          runs.withLock { $0.live[id] = nil }
        }
      }
      return state.isClosed
    }
    if isClosed { throw CancellationError() }
    return run
  }

  /// Parks all of them, and returns how many there were.
  func close() async -> Int {
    let live = runs.withLock { runs in
      runs.isClosed = true
      return Array(runs.live.values)
    }
    for run in live { run.cancel() }
    for run in live { await run.end() }
    return live.count
  }
}
