import CSystem
import Glibc
package import RasaCore

extension FileSystem {
  /// The bytes of a regular file of at most `limit` bytes below a folder. The path is relative to
  /// the folder and cannot lead out of it, neither by `..` nor by a symbolic link on the way: the
  /// kernel resolves it so, which leaves no moment for somebody to exchange a part of it.
  package static func read(
    _ path: String, beneath root: String, limit: Int
  ) throws(Failure) -> [UInt8] {
    // A NUL would end the path that the kernel sees.
    guard !path.isEmpty, !path.utf8.contains(0), !root.utf8.contains(0) else {
      throw Failure(
        .configuration, "cannot read a file in \(root): its path is no path", mend: "name a file")
    }
    let folder = unsafe open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard folder >= 0 else {
      throw Failure(.configuration, systemError: lastError(), cannot: "read", root)
    }
    let descriptor = Descriptor(owning: folder)
    var tries = 0
    while true {
      let number = unsafe rasa_open_beneath(descriptor.number, path)
      if number >= 0 {
        return try readRegularFile(
          Descriptor(owning: number), limit: limit, name: "\(root)/\(path)")
      }
      switch lastError() {
      // Something on the way was renamed meanwhile, and the kernel cannot tell where it led.
      case EAGAIN where tries < 100: tries += 1
      case EINTR: continue
      case let code: throw refusal(code, of: path, beneath: root)
      }
    }
  }

  private static func refusal(_ code: Int32, of path: String, beneath root: String) -> Failure {
    switch code {
    case EXDEV:
      Failure(
        .configuration, "cannot read \(path): it leads out of the folder \(root)",
        mend: "name a file below that folder by its path from there; no symbolic link on the way "
          + "may lead out of it either")
    case ENOSYS, EPERM:
      Failure(
        .configuration,
        "cannot read \(path): this system cannot keep a path inside the folder \(root)",
        mend: "use Linux 5.6 or later, and let the container that this runs in call openat2")
    default:
      Failure(.configuration, systemError: code, cannot: "read", "\(root)/\(path)")
    }
  }
}
