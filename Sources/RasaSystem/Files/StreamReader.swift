import CSystem
import Glibc
package import RasaCore

/// Reads a pipe or a socket for as long as somebody writes to it.
///
/// Each wait is on a thread of its own, so that none of the pool is blocked. Cancelling the task ends the wait as the
/// end of the stream does.
package final class StreamReader: Sendable {
  private let descriptor: Int32
  private let name: String
  private let wake: Descriptor

  /// - Parameter descriptor: stays open, and the caller's.
  package init(_ descriptor: Int32, named name: String) throws(Failure) {
    let wake = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard wake >= 0 else { throw Failure(.run, systemError: errno, cannot: "wait for", name) }
    self.descriptor = descriptor
    self.name = name
    self.wake = Descriptor(owning: wake)
  }

  /// The next bytes; nil at the end, and when the task is cancelled.
  package func next() async throws(Failure) -> [UInt8]? {
    let result = await withTaskCancellationHandler {
      await onOwnThread { self.wait() }
    } onCancel: {
      _ = eventfd_write(wake.number, 1)
    }
    let bytes = try result.get()
    return bytes.isEmpty ? nil : bytes
  }

  private func wait() -> Result<[UInt8], Failure> {
    var entries = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wake.number, events: Int16(POLLIN), revents: 0),
    ]
    var code: Int32
    repeat {
      code = unsafe poll(&entries, 2, -1)
    } while code < 0 && errno == EINTR
    guard entries[1].revents == 0 else { return .success([]) }
    // If `poll` fails, the read reports the problem.
    do throws(Failure) {
      return .success(try FileSystem.readSome(descriptor, name: name))
    } catch {
      return .failure(error)
    }
  }
}
