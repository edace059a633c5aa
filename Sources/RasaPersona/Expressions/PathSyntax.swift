import RasaCore

/// The syntax of paths in guards and templates: names joined by dots. A name starts with a letter
/// or `_` (after a dot also with a digit) and continues with letters, digits, `_` and `-`. Letters
/// of all scripts are allowed.
enum PathSyntax {
  static func startsName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "_"), 0x80...:
      true
    default: false
    }
  }

  static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  static func isNamePart(_ byte: UInt8) -> Bool {
    startsName(byte) || isDigit(byte) || byte == UInt8(ascii: "-")
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
  }

  /// Whether the text is a whole path such as `critique.verdict`.
  static func isPath(_ text: String) -> Bool {
    let names = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for (index, name) in names.enumerated() {
      guard let first = name.first, startsName(first) || (index > 0 && isDigit(first)) else {
        return false
      }
      guard name.allSatisfy(isNamePart) else { return false }
    }
    return true
  }
}

extension SourceLocation {
  /// The location of a byte in a text that starts here. After a line break the column starts again
  /// at the start of the text, as in an indented block; `first` overrides that column.
  func advanced(over bytes: some Sequence<UInt8>, fromColumn first: Int? = nil) -> SourceLocation {
    var location = self
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        location.line += 1
        location.column = first ?? column
      } else if byte & 0xC0 != 0x80 {
        location.column += 1
      }
    }
    return location
  }
}
