import RasaCore
package import RasaEngine
package import RasaStore

/// The status of a run as people see it: the recorded one, refined by whether a process is running it and
/// what it waits for.
package enum RunCondition: String, Sendable, CaseIterable {
  case running, parked, answered, interrupted, died, done, failed, cancelled

  /// - Parameter reason: why the run was parked last.
  package init(_ run: RunListing, parkedFor reason: Parking.Reason?) {
    switch run.record.status {
    case .running: self = run.isAlive ? .running : .died
    case .parked where run.waiting > 0: self = .parked
    case .parked: self = reason == .interrupted ? .interrupted : .answered
    case .done: self = .done
    case .failed: self = .failed
    case .cancelled: self = .cancelled
    }
  }

  /// The status that runs of this condition have in the store.
  package var status: RunRecord.Status {
    switch self {
    case .running, .died: .running
    case .parked, .answered, .interrupted: .parked
    case .done: .done
    case .failed: .failed
    case .cancelled: .cancelled
    }
  }

  /// Whether it can be resumed at once: nothing has to be decided or fixed first.
  package var canGoOn: Bool {
    switch self {
    case .answered, .interrupted, .died: true
    case .running, .parked, .done, .failed, .cancelled: false
    }
  }

  /// The word, and how many questions are open.
  package func text(waiting: Int) -> String {
    self == .parked ? "parked, \(waiting) open" : rawValue
  }
}
