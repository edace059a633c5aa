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

/// Passes the process's signals to ordinary code, on a thread of its own, as long as this exists.
///
/// Signals belong to the whole process, so there is one watch at a time. A signal that the process was
/// started to ignore stays ignored: `nohup` means it.
package final class SignalWatch: Sendable {
  private let pipe: SignalPipe
  private let previous: Locked<[Int32: sigaction]>

  package init(
    _ signals: Set<Signal>, handle: @escaping @Sendable (Signal) -> Void
  ) throws(Failure) {
    pipe = try SignalPipe.ofProcess.get()
    guard pipe.begin(handle) else {
      throw Failure(.run, "signals are already watched elsewhere in this process")
    }
    var replaced: [Int32: sigaction] = [:]
    for signal in signals {
      var action = sigaction()
      if unsafe rasa_signal_pipe_attach(signal.rawValue, &action) == 0 {
        replaced[signal.rawValue] = action
      }
    }
    previous = Locked(replaced)
  }

  deinit {
    previous.withLock { previous in
      for (number, action) in previous {
        var action = action
        _ = unsafe rasa_signal_pipe_detach(number, &action)
      }
    }
    pipe.end()
  }

  /// From now on a write to a pipe without a reader fails, instead of ending the process.
  package static func ignoreBrokenPipe() { _ = rasa_signal_ignore(SIGPIPE, nil) }
}

/// The pipe that signal handlers write to and one thread reads from. It is opened by the first watch and
/// never closed: a handler that is about to write must not find another file at that number.
private final class SignalPipe: Sendable {
  static let ofProcess = Result { () throws(Failure) in try SignalPipe() }

  private let handler = Locked<(@Sendable (Signal) -> Void)?>(nil)

  private init() throws(Failure) {
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
    startThread { [handler, readEnd] in
      // The threads that tasks run on have every signal blocked; this one takes them.
      var mask = sigset_t()
      unsafe sigemptyset(&mask)
      for signal in Signal.allCases { unsafe sigaddset(&mask, signal.rawValue) }
      unsafe pthread_sigmask(SIG_UNBLOCK, &mask, nil)
      var buffer = [UInt8](repeating: 0, count: 16)
      while true {
        let (count, _) = readAvailable(from: readEnd, into: &buffer)
        if count == 0 { return }
        for byte in buffer[..<count] {
          guard let signal = Signal(rawValue: Int32(byte)) else { continue }
          handler.withLock { $0 }?(signal)
        }
      }
    }
  }

  /// False if there is another watch.
  func begin(_ handle: @escaping @Sendable (Signal) -> Void) -> Bool {
    handler.withLock { handler in
      guard handler == nil else { return false }
      handler = handle
      return true
    }
  }

  func end() { handler.withLock { $0 = nil } }
}
