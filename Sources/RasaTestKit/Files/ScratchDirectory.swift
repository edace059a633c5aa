import Glibc
package import RasaCore
import RasaSystem

/// A temporary folder that is removed when its last reference is released.
package final class ScratchDirectory: Sendable {
  package let path: String

  /// Without a folder for temporary files no test can say anything, so this traps instead of throwing.
  package init() {
    let parent = unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
    var template = Array("\(parent)/rasa-test-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      fatalError("cannot make a scratch folder in \(parent)")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { removeTree(path) }

  package func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Writes a file, creating missing folders; returns its path.
  @discardableResult
  package func write(_ text: String, to name: String) throws(Failure) -> String {
    try FileSystem.makeFolder(FileSystem.parent(of: file(name)))
    try FileSystem.write(text, to: file(name))
    return file(name)
  }

  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws(Failure) -> String {
    try FileSystem.makeFolder(FileSystem.parent(of: file(name)))
    try FileSystem.write(bytes, to: file(name))
    return file(name)
  }

  /// Nil if there is no such file.
  package func read(_ name: String) throws(Failure) -> String? {
    try FileSystem.readIfPresent(file(name), limit: 64 * 1024 * 1024)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}

private func removeTree(_ path: String) {
  // Links are removed, never followed: only what remove() reports as a folder is entered.
  if unsafe remove(path) == 0 { return }
  guard errno == ENOTEMPTY || errno == EEXIST else { return }
  // Some tests take permissions away.
  unsafe chmod(path, 0o700)
  guard let folder = unsafe opendir(path) else { return }
  var names: [String] = []
  while let entry = unsafe readdir(folder) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  unsafe closedir(folder)
  for name in names { removeTree("\(path)/\(name)") }
  unsafe remove(path)
}
