package import RasaCore
import RasaSystem

/// Earlier input of a person, in a private file: one entry per line, with line breaks inside an
/// entry written as `\n`.
package struct InputHistory: Sendable {
  package let path: String
  /// Beyond this the oldest entries are dropped.
  package static let mostEntries = 1000
  private static let longestEntry = 64 * 1024

  package init(path: String) { self.path = path }

  /// Oldest first. An unreadable file counts as empty.
  package func entries() -> [String] {
    let bytes = try? FileSystem.readIfPresent(path, limit: 1 << 26)
    guard let bytes = bytes ?? nil else { return [] }
    return String(decoding: bytes, as: UTF8.self)
      .split(separator: "\n").suffix(Self.mostEntries).map(Self.decode)
  }

  /// Appends an entry to those that are in the file now: another program may have added some.
  package func add(_ entry: String) throws(Failure) {
    guard !entry.isEmpty, entry.utf8.count <= Self.longestEntry else { return }
    var entries = self.entries()
    if entries.last == entry { return }
    entries.append(entry)
    try FileSystem.makeFolder(FileSystem.parent(of: path))
    let lines = entries.suffix(Self.mostEntries).map { Self.encode($0) + "\n" }
    try FileSystem.write(lines.joined(), to: path)
  }

  private static func encode(_ entry: String) -> String {
    var line = ""
    for scalar in entry.unicodeScalars {
      switch scalar {
      case "\\": line += "\\\\"
      case "\n": line += "\\n"
      case "\r": line += "\\r"
      default: line.unicodeScalars.append(scalar)
      }
    }
    return line
  }

  private static func decode(_ line: Substring) -> String {
    var entry = ""
    var isEscaped = false
    for scalar in line.unicodeScalars {
      switch (isEscaped, scalar) {
      case (false, "\\"):
        isEscaped = true
        continue
      case (true, "n"): entry += "\n"
      case (true, "r"): entry += "\r"
      default: entry.unicodeScalars.append(scalar)
      }
      isEscaped = false
    }
    return entry
  }
}
