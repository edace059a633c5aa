import CSystem
import Glibc

extension FileSystem {
  /// The number of the user whom a file belongs to; nil if it is not there.
  package static func owner(of path: String) -> UInt32? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return status.st_uid
  }
}
