import Glibc
package import RasaCore

extension FileSystem {
  /// The bytes of a regular file of at most `limit` bytes below a folder. The path is relative to
  /// the folder and cannot lead out of it, neither by `..` nor by a symbolic link on the way: the
  /// kernel resolves it so, which leaves no moment for somebody to exchange a part of it.
  package static func read(
    _ path: String, beneath root: String, limit: Int
  ) throws(Failure) -> [UInt8] {
    guard status(of: root) != nil else {
      throw Failure(.configuration, systemError: ENOENT, cannot: "read", root)
    }
    return try FileRoot(root).read(path, limit: limit)
  }

  static func refusal(_ code: Int32, of path: String, beneath root: String) -> Failure {
    switch code {
    case EXDEV:
      Failure(
        .configuration, "cannot read \(path): it leads out of the folder \(root)",
        suggestion: "use a path relative to that folder; no symbolic link on the way "
          + "may lead out of it")
    case ENOSYS, EPERM:
      Failure(
        .configuration,
        "cannot read \(path): this system cannot confine a path to the folder \(root)",
        suggestion: "use Linux 5.6 or later, and allow openat2 in the container")
    default:
      Failure(.configuration, systemError: code, cannot: "read", self.path(path, in: root))
    }
  }
}
