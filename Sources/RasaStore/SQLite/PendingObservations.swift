import RasaCore
import RasaEngine

/// Observations about models that are not written yet. Writing three rows a call would make each settlement slower,
/// and nobody needs averages to the second. They are written with the end of the process's last run, and every ten
/// seconds before that; a model's failure is written at once.
final class PendingObservations: Sendable {
  fileprivate struct State {
    var waiting: [ModelObservation] = []
    var writtenAt: Timestamp
  }

  private let state: Locked<State>
  private static let interval: Int64 = 10_000
  /// A bound for clocks that stand still.
  private static let most = 256

  init(from start: Timestamp) { state = Locked(State(writtenAt: start)) }

  /// What to write together with a settlement that has this observation; nil if all of it can wait.
  func due(with observation: ModelObservation, at now: Timestamp) -> [ModelObservation]? {
    state.withLock { state in
      let age = now.milliseconds.subtractingReportingOverflow(state.writtenAt.milliseconds)
      let isLate = age.overflow || age.partialValue < 0 || age.partialValue >= Self.interval
      let isFailure = if case .failed = observation.outcome { true } else { false }
      guard isLate || isFailure || state.waiting.count >= Self.most else { return nil }
      return state.take(at: now)
    }
  }

  func takeAll(at now: Timestamp) -> [ModelObservation] {
    state.withLock { $0.waiting.isEmpty ? [] : $0.take(at: now) }
  }

  func add(_ observation: ModelObservation) {
    state.withLock { $0.waiting.append(observation) }
  }

  /// Keeps observations that could not be written.
  func putBack(_ observations: [ModelObservation]) {
    if observations.isEmpty { return }
    state.withLock { $0.waiting.insert(contentsOf: observations, at: 0) }
  }
}

extension PendingObservations.State {
  fileprivate mutating func take(at now: Timestamp) -> [ModelObservation] {
    writtenAt = now
    defer { waiting = [] }
    return waiting
  }
}
