/// A member of front matter at its top level: the line with the key, and the lines that belong to
/// its value.
struct FrontMatterEntry {
  /// Of its first line; lines count from 0.
  var line: Int
  /// Its lines as they are read; those of a value that was taken into its first one are empty.
  var lines: [[UInt8]]

  /// How long the key at the beginning of a line is: a word, perhaps of several with `-` or a space
  /// between, and a colon. Nil when none stands there.
  static func keyLength(_ line: ArraySlice<UInt8>) -> Int? {
    guard let first = line.first, isLetter(first) || first == UInt8(ascii: "_"),
      let colon = line.prefix(longestKey).firstIndex(of: UInt8(ascii: ":")),
      line[..<colon].allSatisfy(isKeyPart)
    else { return nil }
    // `https://…` and `12:30` are no keys; `name:value` is one with its space missing.
    let next = line[(colon + 1)...].first
    guard next != UInt8(ascii: "/"), next != UInt8(ascii: ":") else { return nil }
    return colon - line.startIndex
  }

  private static let longestKey = 64

  private static func isLetter(_ byte: UInt8) -> Bool {
    let lowered = byte | 0x20
    return byte >= 0x80 || (lowered >= UInt8(ascii: "a") && lowered <= UInt8(ascii: "z"))
  }

  private static func isKeyPart(_ byte: UInt8) -> Bool {
    isLetter(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
      || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-") || byte == 0x20
  }

  /// The length of the key in the first line.
  var keyLength: Int { Self.keyLength(lines[0][...]) ?? 0 }

  /// What stands after the colon, without the blanks around it.
  var value: ArraySlice<UInt8> { Self.trimmed(lines[0][min(keyLength + 1, lines[0].count)...]) }

  /// The whole value as it would be read if nothing in it had a meaning: its lines joined by
  /// spaces, without quotes around them.
  var plainText: [UInt8] {
    var text = Array(value)
    for line in lines.dropFirst() {
      let line = Self.trimmed(line[...])
      if line.isEmpty { continue }
      if !text.isEmpty { text.append(0x20) }
      text += line
    }
    if let quote = text.first, text.count >= 2, text.last == quote,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    {
      text = Array(text.dropFirst().dropLast())
    }
    return text
  }

  /// The same member with its value in quotes, where the value began.
  func quoted() -> FrontMatterEntry {
    let line = lines[0]
    let isSpaced = keyLength + 1 < line.count && Self.isBlank(line[keyLength + 1])
    var first = Array(line[..<(value.isEmpty ? keyLength + 1 : value.startIndex)])
    if !isSpaced { first.append(0x20) }
    first.append(UInt8(ascii: "'"))
    for byte in plainText {
      first.append(byte)
      if byte == UInt8(ascii: "'") { first.append(byte) }
    }
    first.append(UInt8(ascii: "'"))
    return FrontMatterEntry(
      line: self.line, lines: [first] + Array(repeating: [], count: lines.count - 1))
  }

  /// A `#` in a value of one line that YAML takes for the beginning of a comment although no space
  /// follows it, such as a colour or the number of an issue: how far into the line it stands.
  var wordLikeComment: Int? {
    guard let first = value.first, !"'\"|>[{&!".utf8.contains(first) else { return nil }
    var previous: UInt8 = 0x20
    for index in value.indices {
      if value[index] == UInt8(ascii: "#"), Self.isBlank(previous) {
        let isWord = index + 1 < value.endIndex && !Self.isBlank(value[index + 1])
        return isWord && value[index + 1] != UInt8(ascii: "#") ? index : nil
      }
      previous = value[index]
    }
    return nil
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let bytes = bytes.drop(while: isBlank)
    let end = bytes.lastIndex { !isBlank($0) }
    return bytes[..<(end.map { $0 + 1 } ?? bytes.startIndex)]
  }
}

// MARK: How lines are mended

extension FrontMatterEntry {
  /// The tabs before the first character of a line that is no blank.
  static func tabs(_ line: [UInt8]) -> [Int] {
    line.prefix(while: isBlank).indices.filter { line[$0] == 0x09 }
  }

  /// Lines and columns count from 0.
  var firstTab: (line: Int, column: Int)? {
    for (number, line) in lines.enumerated() {
      if let column = Self.tabs(line).first { return (number, column) }
    }
    return nil
  }

  var withoutTabs: FrontMatterEntry {
    FrontMatterEntry(
      line: line,
      lines: lines.map { line in
        let indentation = line.prefix(while: Self.isBlank)
        return indentation.flatMap { $0 == 0x09 ? [0x20, 0x20] : [$0] }
          + line.dropFirst(indentation.count)
      })
  }

  /// Whether the value follows the colon at once.
  var lacksSpace: Bool {
    keyLength + 1 < lines[0].count && !Self.isBlank(lines[0][keyLength + 1])
  }

  var withSpace: FrontMatterEntry {
    var entry = self
    entry.lines[0].insert(0x20, at: keyLength + 1)
    return entry
  }

  /// Whether the value is a text that is written below its key.
  var isBlock: Bool {
    guard let first = value.first else { return false }
    return (first == UInt8(ascii: "|") || first == UInt8(ascii: ">")) && value.count <= 3
      && value.dropFirst().allSatisfy { "+-123456789".utf8.contains($0) }
  }

  /// With the lines below the key moved in.
  var indented: FrontMatterEntry {
    FrontMatterEntry(
      line: line,
      lines: [lines[0]] + lines.dropFirst().map { $0.isEmpty ? [] : [0x20, 0x20] + $0 })
  }

  /// Whether a text begins in the line of the key, without quotes or anything else that has an end.
  var hasPlainText: Bool {
    guard let first = value.first else { return false }
    return !"'\"|>[{&!*".utf8.contains(first)
  }

  /// Whether a list or a mapping seems to stand below the key, which no text may swallow.
  var hasMembers: Bool {
    lines.dropFirst().contains { line in
      let text = Self.trimmed(line[...])
      return text.starts(with: "- ".utf8) || text.elementsEqual("-".utf8)
    }
  }
}
