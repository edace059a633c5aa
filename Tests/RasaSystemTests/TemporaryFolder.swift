import Glibc
import RasaSystem

/// A folder for one test, gone with everything in it when the test is over.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path =
      "\(Environment.ofProcess()["TMPDIR"] ?? "/tmp")/rasa-test-\(String(systemRandom(), radix: 36))"
    try FileSystem.makeFolder(path)
  }

  deinit { remove(path) }

  private func remove(_ path: String) {
    unsafe chmod(path, 0o700)
    for entry in (try? FileSystem.list(path)) ?? [] {
      let child = "\(path)/\(entry.name)"
      if unsafe unlink(child) != 0 { remove(child) }
    }
    unsafe rmdir(path)
  }
}
