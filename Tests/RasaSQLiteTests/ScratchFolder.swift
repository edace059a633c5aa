import Glibc

/// A folder of the test's own, gone with it.
final class ScratchFolder: Sendable {
  let path: String

  init() {
    path = "/tmp/rasa-sqlite-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
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

func write(_ bytes: [UInt8], to path: String) {
  let file = unsafe open(path, O_CREAT | O_WRONLY | O_TRUNC, 0o600)
  _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
  close(file)
}

func overwrite(_ bytes: [UInt8], in path: String, at offset: Int) {
  let file = unsafe open(path, O_WRONLY)
  _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(file, $0.baseAddress, $0.count, offset) }
  close(file)
}

func size(of path: String) -> Int {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? Int(status.st_size) : 0
}
