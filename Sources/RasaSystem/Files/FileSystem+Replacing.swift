import CSystem
import Glibc
package import RasaCore

extension FileSystem {
  /// Writes a file that is there anew, as `write` does: with the permissions that it has, and behind
  /// a link in the place that the link leads to.
  package static func replace(_ bytes: [UInt8], in path: String) throws(Failure) {
    var status = stat()
    guard unsafe stat(path, &status) == 0, let place = unsafe realpath(path, nil) else {
      throw Failure(.storage, systemError: lastError(), cannot: "write", path)
    }
    defer { unsafe free(place) }
    try write(bytes, to: unsafe String(cString: place), mode: status.st_mode & 0o777)
  }
}
