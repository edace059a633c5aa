import CSystem
import Glibc
import RasaCore

/// How the server's loop is reached: a list of commands, and a file descriptor that wakes it.
final class ServerMailbox: Sendable {
  enum Command: Sendable {
    case respond(exchange: UInt64, ServerResponse, ResponseStream?)
    /// There is something to send.
    case wake(exchange: UInt64)
  }

  private struct Contents {
    var commands: [Command] = []
    var stopTime: UInt64?
    var hasEnded = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  let wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
  private let contents = Locked(Contents())

  deinit { CSystem.close(wakeDescriptor) }

  func post(_ command: Command) {
    let wasEmpty = contents.withLock { contents in
      guard !contents.hasEnded else { return false }
      contents.commands.append(command)
      return contents.commands.count == 1
    }
    if wasEmpty { wake() }
  }

  func requestStop(at time: UInt64) {
    contents.withLock { $0.stopTime = min($0.stopTime ?? .max, time) }
    wake()
  }

  func stop(at time: UInt64) async {
    requestStop(at: time)
    await withCheckedContinuation { continuation in
      let hasEnded = contents.withLock { contents in
        if !contents.hasEnded { contents.waiters.append(continuation) }
        return contents.hasEnded
      }
      if hasEnded { continuation.resume() }
    }
  }

  private func wake() { eventfd_write(wakeDescriptor, 1) }

  // MARK: The loop

  func take() -> (commands: [Command], stopTime: UInt64?) {
    contents.withLock { contents in
      defer { contents.commands = [] }
      return (contents.commands, contents.stopTime)
    }
  }

  func acknowledge() {
    var count: eventfd_t = 0
    unsafe eventfd_read(wakeDescriptor, &count)
  }

  func end() {
    let waiters = contents.withLock { contents in
      contents.hasEnded = true
      contents.commands = []
      defer { contents.waiters = [] }
      return contents.waiters
    }
    for waiter in waiters { waiter.resume() }
  }
}
