import Glibc
package import RasaCore

extension FileSystem {
  /// Adds bytes to the end of a file, which is made if it is not there.
  package static func append(_ bytes: [UInt8], to path: String) throws(Failure) {
    let number = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else {
      throw Failure(.storage, systemError: lastError(), cannot: "write", path)
    }
    let file = Descriptor(owning: number)
    let code = unsafe bytes.withUnsafeBytes { unsafe writeAll($0, to: file.number) }
    guard code == 0 else { throw Failure(.storage, systemError: code, cannot: "write", path) }
  }
}
