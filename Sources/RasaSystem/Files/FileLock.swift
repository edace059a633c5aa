import Glibc
package import RasaCore

/// A lock held by one process at a time, through a file; the kernel releases it however the process
/// ends.
package final class FileLock: Sendable {
  private let file: Descriptor

  private init(_ number: Int32) { file = Descriptor(owning: number) }

  /// The lock of that file, which is created if missing; nil while another process holds it.
  package static func take(_ path: String) throws(Failure) -> FileLock? {
    let number = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard number >= 0 else {
      throw Failure(.storage, systemError: lastError(), cannot: "open", path)
    }
    let lock = FileLock(number)
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      switch lastError() {
      case EINTR: continue
      case EWOULDBLOCK: return nil
      case let code: throw Failure(.storage, systemError: code, cannot: "lock", path)
      }
    }
    return lock
  }
}
