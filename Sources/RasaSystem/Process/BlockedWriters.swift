import CSystem
import Glibc
import Synchronization

/// Whether it is still worth waiting for a reader that takes nothing.
///
/// Once the program is asked to end, waiting writers give up: a reader that has stopped reading
/// must not keep the program from recording where it stopped. Signals and the standard descriptors
/// belong to the whole process, and so does this.
package enum BlockedWriters {
  private static let isReleased = Atomic<Bool>(false)
  /// Becomes readable on release; -1 if the system had no descriptor left.
  private static let event = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))

  /// Waiting writers give up, and nobody waits from now on.
  package static func release() {
    isReleased.store(true, ordering: .sequentiallyConsistent)
    _ = eventfd_write(event, 1)
  }

  /// From now on waiting is allowed again.
  package static func hold() {
    guard isReleased.exchange(false, ordering: .sequentiallyConsistent) else { return }
    var count: eventfd_t = 0
    _ = unsafe eventfd_read(event, &count)
  }

  /// Whether the descriptor takes a few thousand bytes without waiting.
  static func isFree(_ descriptor: Int32) -> Bool {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    return unsafe poll(&wanted, 1, 0) == 1
  }

  /// Returns when the descriptor takes more: 0, or the error number; ECANCELED if waiting is no
  /// longer allowed.
  static func wait(for descriptor: Int32) -> Int32 {
    while true {
      let isOver = isReleased.load(ordering: .sequentiallyConsistent)
      // `poll` ignores a negative descriptor.
      var wanted = [
        pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: isOver ? -1 : event, events: Int16(POLLIN), revents: 0),
      ]
      let count = unsafe poll(&wanted, 2, isOver ? 0 : -1)
      if count < 0, errno != EINTR { return errno }
      if count > 0, wanted[0].revents != 0 { return 0 }
      if isOver { return ECANCELED }
    }
  }
}
