import RasaCore

/// Holds back the events of a new run until it is on disk: whoever reads its name after that
/// finds it, also after a crash.
///
/// The beginning is committed together with the first call's hold or the first question, so nothing is
/// waited for: earlier events are passed on a moment later, in order.
package final class JournalingObserver: Sendable {
  private struct State {
    var isKept = false
    var waiting: [RunProgress] = []
  }

  private let observer: RunObserver
  private let state = Locked(State())

  package init(_ observer: @escaping RunObserver) { self.observer = observer }

  package func emit(_ progress: RunProgress) async throws {
    // About money that is waited for before anything is committed; the reader wants to know why.
    if case .notice = progress { return try await observer(progress) }
    let isKept = state.withLock { state in
      if !state.isKept, !progress.provesCommit { state.waiting.append(progress) }
      return state.isKept || progress.provesCommit
    }
    guard isKept else { return }
    try await release()
    try await observer(progress)
  }

  /// The run is on the disk, or will never be.
  package func release() async throws {
    let waiting = state.withLock { state in
      state.isKept = true
      defer { state.waiting = [] }
      return state.waiting
    }
    for progress in waiting { try await observer(progress) }
  }
}

extension RunProgress {
  /// Whether this can only happen after a commit.
  fileprivate var provesCommit: Bool {
    switch self {
    case .modelChosen, .textArrived, .reasoning, .restarted, .sentBack, .tool: true
    case .event(.asked), .event(.answered), .event(.parked), .event(.finished), .event(.failed):
      true
    case .event, .operatorStarted, .operatorEnded, .output, .notice: false
    }
  }
}
