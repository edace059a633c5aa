import CSystem
import RasaCore
import Synchronization

/// How other threads reach the loop: a list of commands and a file descriptor that wakes it.
final class Mailbox: Sendable {
  enum Command: Sendable {
    case start(Transfer)
    case unpause(Transfer)
    case stop(Transfer)
  }

  private struct Contents {
    var commands: [Command] = []
    var isStopRequested = false
    var isClosed = false
  }

  /// Readable when there is something in the box.
  let wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
  private let contents = Locked(Contents())
  /// The moment by which the loop looks at all deadlines again. A consumer compares it with its own
  /// deadline after it has stored that, and the loop raises it before it looks: whichever of the
  /// two comes second sees the other.
  private let nextDeadlineCheck = Atomic<UInt64>(.max)

  deinit { CSystem.close(wakeDescriptor) }

  /// False when the loop has ended, or will before it comes to this.
  @discardableResult
  func post(_ command: Command) -> Bool {
    let (isAccepted, wasEmpty) = contents.withLock { contents in
      if contents.isClosed || contents.isStopRequested { return (false, false) }
      contents.commands.append(command)
      return (true, contents.commands.count == 1)
    }
    if wasEmpty { wake() }
    return isAccepted
  }

  func requestStop() {
    contents.withLock { $0.isStopRequested = true }
    wake()
  }

  /// Sees to it that deadlines are looked at by then.
  func watch(_ deadline: UInt64) {
    var current = nextDeadlineCheck.load(ordering: .sequentiallyConsistent)
    while deadline < current {
      let (exchanged, original) = nextDeadlineCheck.compareExchange(
        expected: current, desired: deadline, ordering: .sequentiallyConsistent)
      if exchanged { return wake() }
      current = original
    }
  }

  private func wake() { eventfd_write(wakeDescriptor, 1) }
}

// MARK: - The loop

extension Mailbox {
  /// Empties the box. Called by the loop when it was woken.
  func take() -> (commands: [Command], isStopRequested: Bool) {
    var count: eventfd_t = 0
    unsafe eventfd_read(wakeDescriptor, &count)
    return contents.withLock { contents in
      var commands: [Command] = []
      swap(&commands, &contents.commands)
      return (commands, contents.isStopRequested)
    }
  }

  /// Refuses all further commands and returns the transfers that were to be started.
  func close() -> [Transfer] {
    let commands = contents.withLock { contents in
      contents.isClosed = true
      defer { contents.commands = [] }
      return contents.commands
    }
    return commands.compactMap { command in
      if case .start(let transfer) = command { transfer } else { nil }
    }
  }

  var deadlineCheck: UInt64 { nextDeadlineCheck.load(ordering: .sequentiallyConsistent) }

  /// To be followed by a look at every deadline and a `watch` of the nearest.
  func forgetDeadlineCheck() { nextDeadlineCheck.store(.max, ordering: .sequentiallyConsistent) }
}
