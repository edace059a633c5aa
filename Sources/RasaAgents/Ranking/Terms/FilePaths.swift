/// Paths of files in a task.
enum FilePaths {
  /// Whether the text has one: a word with two slashes or more that begins like a path (`/tmp/a.md`, `./src/a.swift`,
  /// `~/notes/a.txt`). `and/or`, `/start` and addresses are none.
  static func contains(in text: String) -> Bool {
    for word in text.utf8.split(whereSeparator: isSeparator) {
      guard let first = word.first else { continue }
      let start = first == UInt8(ascii: ".") || first == UInt8(ascii: "~")
      let rest = start ? word.drop { $0 == first } : word
      guard rest.first == UInt8(ascii: "/"), rest.dropFirst().first != UInt8(ascii: "/") else {
        continue
      }
      let parts = rest.split(separator: UInt8(ascii: "/"))
      if parts.count >= (start ? 1 : 2) { return true }
    }
    return false
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte <= 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
      || byte == UInt8(ascii: "`") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: "[")
      || byte == UInt8(ascii: ",")
  }
}
