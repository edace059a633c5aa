import CSystem
import Glibc
import RasaCore
import Synchronization

/// How the loop is reached: lists of commands and of tasks' jobs, and a file descriptor that wakes it.
final class Mailbox: Sendable {
  enum Command: Sendable {
    case start(Transfer)
    case unpause(Transfer)
    case stop(Transfer)
  }

  private struct Contents {
    var commands: [Command] = []
    var jobs: [UnownedJob] = []
    var isStopRequested = false
    var isClosed = false

    var isEmpty: Bool { commands.isEmpty && jobs.isEmpty }
  }

  /// Readable when there is something in the box.
  let wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
  private let contents = Locked(Contents())
  /// The loop's thread while there is one. What comes from that thread itself needs no waking: it looks again
  /// before it waits.
  private let thread = Atomic<UInt>(0)
  /// The moment by which the loop looks at all deadlines again. A consumer compares it with its own
  /// deadline after it has stored that, and the loop raises it before it looks: whichever of the
  /// two comes second sees the other.
  private let nextDeadlineCheck = Atomic<UInt64>(.max)

  deinit { CSystem.close(wakeDescriptor) }

  /// False when the loop has ended, or will before it comes to this.
  @discardableResult
  func post(_ command: Command) -> Bool { post { $0.commands.append(command) } }

  /// The same for a task's job.
  func post(_ job: UnownedJob) -> Bool { post { $0.jobs.append(job) } }

  private func post(_ add: (inout Contents) -> Void) -> Bool {
    let (isAccepted, wasEmpty) = contents.withLock { contents in
      if contents.isClosed || contents.isStopRequested { return (false, false) }
      let wasEmpty = contents.isEmpty
      add(&contents)
      return (true, wasEmpty)
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

  private func wake() {
    guard !isLoopThread else { return }
    eventfd_write(wakeDescriptor, 1)
  }

  /// Whether the caller is the loop.
  var isLoopThread: Bool { thread.load(ordering: .relaxed) == pthread_self() }
}

// MARK: - The loop

extension Mailbox {
  /// Called by the loop, on its thread, before everything else.
  func open() { thread.store(pthread_self(), ordering: .relaxed) }

  /// Makes the descriptor ready for the next time that the loop is woken.
  func acknowledge() {
    var count: eventfd_t = 0
    unsafe eventfd_read(wakeDescriptor, &count)
  }

  /// Empties the box.
  func take() -> (commands: [Command], jobs: [UnownedJob], isStopRequested: Bool) {
    contents.withLock { contents in
      var commands: [Command] = []
      var jobs: [UnownedJob] = []
      swap(&commands, &contents.commands)
      swap(&jobs, &contents.jobs)
      return (commands, jobs, contents.isStopRequested)
    }
  }

  var isEmpty: Bool { contents.withLock { $0.isEmpty && !$0.isStopRequested } }

  /// Refuses everything from now on, and returns the transfers that were to be started and the jobs that were
  /// to run.
  func close() -> (transfers: [Transfer], jobs: [UnownedJob]) {
    thread.store(0, ordering: .relaxed)
    let (commands, jobs) = contents.withLock { contents in
      contents.isClosed = true
      defer {
        contents.commands = []
        contents.jobs = []
      }
      return (contents.commands, contents.jobs)
    }
    let transfers = commands.compactMap { command in
      if case .start(let transfer) = command { transfer } else { nil }
    }
    return (transfers, jobs)
  }

  var deadlineCheck: UInt64 { nextDeadlineCheck.load(ordering: .sequentiallyConsistent) }

  /// To be followed by a look at every deadline and a `watch` of the nearest.
  func forgetDeadlineCheck() { nextDeadlineCheck.store(.max, ordering: .sequentiallyConsistent) }
}
