import RasaCore
import RasaSystem

/// Paths in a line that somebody typed, quoted, or dropped onto the terminal.
///
/// Terminals paste the path of a dropped file with backslashes before blanks, in quotes, or as a
/// `file://` address. A word counts as a path where its end is that of an image or a PDF and a file is
/// there: a sentence that only speaks of a file attaches nothing, nor does the path of a text.
struct AttachedPaths: Sendable, Hashable {
  /// As the file system wants them, each once.
  private(set) var paths: [String] = []
  /// The line with the names of the files in place of their paths.
  private(set) var text = ""
  /// Whether there is more in the line than paths.
  private(set) var hasWords = false

  private static let endings = [".png", ".jpg", ".jpeg", ".gif", ".webp", ".pdf"]
  private static let punctuation: Set<UInt8> = Set("?!.,;:)]}>\"'".utf8)

  /// - Parameters:
  ///   - any: whether every word is a path, as after `/attach`.
  ///   - isFile: whether a file is there.
  init(
    _ line: String, any: Bool = false, home: String?, isFile: (String) -> Bool
  ) {
    let bytes = Array(line.utf8)
    var place = 0
    var kept: [UInt8] = []
    while place < bytes.count {
      if Self.isBlank(bytes[place]) {
        kept.append(bytes[place])
        place += 1
        continue
      }
      let word = Self.word(bytes, from: place)
      let found = Self.path(
        word.text, raw: bytes[place..<word.end], any: any, home: home, isFile: isFile)
      if let found {
        if !paths.contains(found.path) { paths.append(found.path) }
        kept += Self.name(of: found.path).utf8
        kept += found.rest
        // What only closes a sentence is no word.
        if found.rest.contains(where: { !Self.punctuation.contains($0) }) { hasWords = true }
      } else {
        kept += bytes[place..<word.end]
        hasWords = true
      }
      place = word.end
    }
    text = String(decoding: kept, as: UTF8.self)
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// A word as a shell would read it: quotes count where they open a word, so that an apostrophe does
  /// not.
  private static func word(_ bytes: [UInt8], from start: Int) -> (text: [UInt8], end: Int) {
    let first = bytes[start]
    if first == UInt8(ascii: "'") || first == UInt8(ascii: "\""),
      let close = bytes[(start + 1)...].firstIndex(of: first)
    {
      // What follows the closing quote up to a blank belongs to the sentence.
      return (Array(bytes[(start + 1)..<close]), close + 1)
    }
    var text: [UInt8] = []
    var place = start
    while place < bytes.count, !isBlank(bytes[place]) {
      if bytes[place] == UInt8(ascii: "\\"), place + 1 < bytes.count {
        place += 1
      }
      text.append(bytes[place])
      place += 1
    }
    return (text, place)
  }

  private static func path(
    _ word: [UInt8], raw: ArraySlice<UInt8>, any: Bool, home: String?, isFile: (String) -> Bool
  ) -> (path: String, rest: [UInt8])? {
    var end = word.count
    while end > 0 {
      let candidate = located(Array(word[..<end]), home: home)
      if any || endings.contains(where: { candidate.lowercased().hasSuffix($0) }),
        isFile(candidate)
      {
        return (candidate, Array(word[end...]))
      }
      guard punctuation.contains(word[end - 1]) else { break }
      end -= 1
    }
    // What is asked for by name is taken for a path, so that it is said when nothing is there.
    return any ? (located(word, home: home), []) : nil
  }

  /// `file://` addresses, and `~` for the home folder.
  private static func located(_ word: [UInt8], home: String?) -> String {
    let text = String(decoding: word, as: UTF8.self)
    if text.hasBytePrefix("file://") {
      let rest = text.utf8.dropFirst(7)
      guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return text }
      return unescaped(Array(rest[slash...]))
    }
    if text.hasBytePrefix("~/"), let home { return "\(home)/\(text.dropFirst(2))" }
    return text
  }

  private static func unescaped(_ bytes: [UInt8]) -> String {
    var result: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count,
        let byte = UInt8(
          String(decoding: bytes[(place + 1)...(place + 2)], as: UTF8.self), radix: 16)
      {
        result.append(byte)
        place += 3
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private static func name(of path: String) -> String {
    path.split(atByte: "/", omittingEmpty: true).last.map(String.init) ?? path
  }
}
