#if RASA_FAULTS
  import CSystem
  import Glibc
  import RasaCore

  /// What the environment of a test build says about its fault points:
  ///
  /// - `RASA_FAULT=name:n` ends the process with SIGKILL when it reaches the point for the n-th time;
  /// - `RASA_FAULT=name:n:stop` stops it there with SIGSTOP, and SIGCONT continues it;
  /// - `RASA_FAULT_TRACE=FILE` appends the name of every point that is reached, one a line.
  package final class FaultPlan: Sendable {
    package struct Fault: Sendable, Hashable {
      package var point: String
      package var occurrence: Int
      package var signal: Int32

      /// Nil when the text is not of the form above.
      package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), !parts[0].isEmpty, let occurrence = Int(parts[1]),
          occurrence > 0, parts.count == 2 || parts[2] == "stop"
        else { return nil }
        point = String(parts[0])
        self.occurrence = occurrence
        signal = parts.count == 3 ? SIGSTOP : SIGKILL
      }
    }

    /// Nil if no fault is requested, as nearly always.
    static let ofProcess = FaultPlan(.ofProcess())

    private let fault: Fault?
    private let trace: Int32?
    private let reached = Locked(0)
    private let act: @Sendable (Int32) -> Void

    /// A setting that is not understood ends the process, so that the test does not seem to have passed.
    package init?(
      _ environment: Environment, act: @escaping @Sendable (Int32) -> Void = { raise($0) }
    ) {
      let text = environment["RASA_FAULT"]
      let path = environment["RASA_FAULT_TRACE"]
      guard text != nil || path != nil else { return nil }
      fault = text.map { text in
        guard let fault = Fault(text) else { FaultPlan.refuse("RASA_FAULT=\(text)") }
        return fault
      }
      trace = path.map { path in
        let descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { FaultPlan.refuse("RASA_FAULT_TRACE=\(path)") }
        return descriptor
      }
      self.act = act
    }

    deinit { if let trace { close(trace) } }

    package func reach(_ name: String) {
      if let trace {
        // One write, so that lines of several threads and processes never mix.
        let line = Array((name + "\n").utf8)
        _ = unsafe CSystem.write(trace, line, line.count)
      }
      guard let fault, fault.point == name else { return }
      let count = reached.withLock { reached in
        reached += 1
        return reached
      }
      // `raise` is for this very thread, which therefore does nothing more before it takes effect.
      if count == fault.occurrence { act(fault.signal) }
    }

    private static func refuse(_ setting: String) -> Never {
      let message = Array("rasa: \(setting) cannot be done\n".utf8)
      _ = unsafe CSystem.write(STDERR_FILENO, message, message.count)
      leaveNow(2)
    }
  }
#endif
