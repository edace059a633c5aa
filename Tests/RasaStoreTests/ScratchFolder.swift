import Glibc

/// A folder of the test's own, gone with it.
final class ScratchFolder: Sendable {
  let path: String

  init() {
    path = "/tmp/rasa-store-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
    _ = unsafe mkdir(path, 0o700)
  }

  deinit { remove(path) }

  func file(_ name: String) -> String { path + "/" + name }

  private func remove(_ path: String) {
    guard let folder = unsafe opendir(path) else {
      _ = unsafe unlink(path)
      return
    }
    while let entry = unsafe readdir(folder) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { remove(path + "/" + name) }
    }
    unsafe closedir(folder)
    _ = unsafe rmdir(path)
  }
}

func mode(of path: String) -> UInt32 {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
}

func overwrite(_ bytes: [UInt8], in path: String, at offset: Int) {
  let file = unsafe open(path, O_WRONLY)
  _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, offset) }
  close(file)
}

func read(_ path: String) -> [UInt8] {
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
