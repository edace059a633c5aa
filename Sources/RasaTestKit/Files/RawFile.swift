import Glibc

/// Files by their bytes, without any of the code under test.
package enum RawFile {
  /// The permissions; 0 if there is no such file.
  package static func mode(of path: String) -> UInt32 {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  /// The number of bytes; 0 if there is no such file.
  package static func size(of path: String) -> Int {
    var status = stat()
    return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// The contents; empty if there is no such file.
  package static func read(_ path: String) -> [UInt8] {
    let file = unsafe open(path, O_RDONLY)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe Glibc.read(file, $0.baseAddress, $0.count)
      }
      if count <= 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  package static func write(_ bytes: [UInt8], to path: String) {
    let file = unsafe open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
    _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
    close(file)
  }

  /// Changes bytes in the middle of an existing file.
  package static func overwrite(_ bytes: [UInt8], in path: String, at offset: Int) {
    let file = unsafe open(path, O_WRONLY)
    _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, offset) }
    close(file)
  }
}
