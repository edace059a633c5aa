package import RasaCore
import RasaSystem

/// The `AGENTS.md` of a project: what it tells whoever works on it.
package struct ProjectNotes: Sendable, Hashable {
  package var path: String
  package var text: String
  /// Bytes of the whole file.
  package var size: Int
  package var isCut: Bool

  package static let fileName = "AGENTS.md"
  /// So much of a file is shown at most.
  static let most = 32_000
  private static let largest = 2_000_000

  /// The nearest one, from the folder upwards. Beyond the repository's root, or the user's home, nothing is looked at; a
  /// folder in neither of them is looked at alone, because those above it may be anybody's.
  ///
  /// - Returns: nil if there is none, with a warning if there is one that cannot be read.
  package static func find(
    from folder: String, home: String?
  ) -> (notes: ProjectNotes?, warning: Warning?) {
    let start = FileSystem.realPath(folder) ?? FileSystem.absolute(folder)
    var folders: [String] = [start]
    var isBounded = false
    var current = start
    let home = home.flatMap { FileSystem.realPath($0) }
    while true {
      if FileSystem.exists(FileSystem.path(".git", in: current)) || current == home {
        isBounded = true
        break
      }
      guard current != "/", folders.count < 100 else { break }
      current = FileSystem.parent(of: current)
      folders.append(current)
    }
    if !isBounded { folders = [start] }
    for folder in folders {
      do throws(Failure) {
        guard let bytes = try FileRoot(folder).readIfPresent(fileName, limit: largest) else {
          continue
        }
        guard let notes = read(bytes, FileSystem.path(fileName, in: folder)) else {
          return (nil, Warning("\(folder)/\(fileName) is no text, so it is left out"))
        }
        // An empty one says nothing, and keeps those above from being meant.
        return (notes.text.isEmpty ? nil : notes, nil)
      } catch {
        return (nil, Warning("\(error.message), so it is left out"))
      }
    }
    return (nil, nil)
  }

  private static func read(_ bytes: [UInt8], _ path: String) -> ProjectNotes? {
    let plain = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    guard !plain.contains(0), String(validating: plain, as: UTF8.self) != nil else { return nil }
    var text = plain
    let isCut = text.count > most
    if isCut {
      text = text.prefix(most)
      // At the end of a line, or of a character.
      if let end = text.lastIndex(of: 0x0A) {
        text = text[...end]
      } else {
        while let last = text.last, last & 0xC0 == 0x80 { text.removeLast() }
        if let last = text.last, last >= 0xC0 { text.removeLast() }
      }
    }
    var unix: [UInt8] = []
    unix.reserveCapacity(text.count)
    for byte in text where byte != 0x0D { unix.append(byte) }
    while let last = unix.last, last <= 0x20 { unix.removeLast() }
    return ProjectNotes(
      path: path, text: String(decoding: unix, as: UTF8.self), size: bytes.count, isCut: isCut)
  }

  /// As a run's context has it.
  package var value: Value {
    var value: ValueObject = ["path": .string(Self.fileName), "text": .string(text)]
    if isCut { value["cut"] = true }
    return .object(value)
  }
}
