import CSystem
import Glibc
package import RasaCore

package enum Signal: Int32, Sendable, Hashable, CaseIterable {
  case hangUp = 1
  case interrupt = 2
  case terminate = 15
  case windowChanged = 28

  /// The exit code of a program that this signal ended.
  package var exitCode: Int32 { 128 + rawValue }
}

/// Hands the process's signals to ordinary code, on a thread of its own, for as long as it is kept.
///
/// Signals belong to the whole process, so there is one watch at a time.
package final class SignalWatch: Sendable {
  private let writeEnd: Descriptor
  private let previous: Locked<[Int32: sigaction]>

  package init(
    _ signals: Set<Signal>, handle: @escaping @Sendable (Signal) -> Void
  ) throws(Failure) {
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    let code = unsafe rasa_pipe(&readEnd, &writeEnd)
    guard code == 0 else {
      throw Failure(.run, systemError: code, cannot: "watch", "signals")
    }
    guard rasa_signal_pipe_open(writeEnd) == 0 else {
      close(readEnd)
      close(writeEnd)
      throw Failure(.run, "signals are already watched elsewhere in this process")
    }
    self.writeEnd = Descriptor(owning: writeEnd)
    var replaced: [Int32: sigaction] = [:]
    for signal in signals {
      var action = sigaction()
      if unsafe rasa_signal_pipe_attach(signal.rawValue, &action) == 0 {
        replaced[signal.rawValue] = action
      }
    }
    previous = Locked(replaced)
    startThread { [readEnd] in
      let descriptor = Descriptor(owning: readEnd)
      // The threads that tasks run on have every signal blocked; this one takes them.
      var mask = sigset_t()
      unsafe sigemptyset(&mask)
      for signal in signals { unsafe sigaddset(&mask, signal.rawValue) }
      unsafe pthread_sigmask(SIG_UNBLOCK, &mask, nil)
      var buffer = [UInt8](repeating: 0, count: 16)
      while true {
        let (count, _) = readAvailable(from: descriptor.number, into: &buffer)
        if count == 0 { return }
        for byte in buffer[..<count] {
          if let signal = Signal(rawValue: Int32(byte)) { handle(signal) }
        }
      }
    }
  }

  deinit {
    previous.withLock { previous in
      for (number, action) in previous {
        var action = action
        _ = unsafe rasa_signal_pipe_detach(number, &action)
      }
    }
    // Closing the write end, which follows, is what ends the thread.
    rasa_signal_pipe_close()
  }

  /// From now on a write to a pipe without a reader is an error of that write, and no longer the
  /// end of the process.
  package static func ignoreBrokenPipe() { _ = rasa_signal_ignore(SIGPIPE, nil) }
}
