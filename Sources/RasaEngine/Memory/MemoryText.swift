import RasaCore

/// Texts that others wrote, between fences in a prompt: none of them may close its fence or look like a second one.
enum MemoryText {
  /// Nothing longer of one item goes into a run, whatever its bounds are.
  static let longest = 1_500
  private static let mostSearched = 65_536

  /// On one line, without anything that looks like a tag or that a reader does not see. Of a long text only the part
  /// around one of the words.
  static func shown(_ text: String, around words: [String] = []) -> String {
    var text = text
    var prefix = ""
    var suffix = ""
    if text.utf8.count > longest {
      let begin = place(of: words, in: text).map { max(0, $0 - longest / 3) } ?? 0
      (text, prefix, suffix) = part(of: text, from: begin)
    }
    return prefix + line(text) + suffix
  }

  /// The text in one line, its tags taken apart.
  static func line(_ text: String) -> String {
    var line = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      let isBreak = scalar.value <= 0x20 || !scalar.isPrintable
      guard isBreak else {
        line.append(scalar)
        continue
      }
      // Joiners and variation selectors are parts of words and signs.
      if scalar.properties.generalCategory == .format,
        scalar.value == 0x200C || scalar.value == 0x200D
      {
        line.append(scalar)
      } else if let last = line.last, last != " " {
        line.append(" ")
      }
    }
    if line.last == " " { line.removeLast() }
    return untagged(String(line))
  }

  /// The text as it is, its tags taken apart: `</memories>` becomes `‹/memories>`.
  static func untagged(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "<")) else { return text }
    var result = String.UnicodeScalarView()
    var waiting = 0
    for scalar in text.unicodeScalars {
      if waiting > 0, scalar != "<" {
        // A tag begins with a letter, perhaps after a slash and blanks.
        if scalar == "/" || scalar == " " || scalar == "\n" || scalar == "\t" {
          result.append(scalar)
          waiting += 1
          continue
        }
        if scalar.properties.isAlphabetic || scalar == "!" || scalar == "?" {
          let place = result.index(result.endIndex, offsetBy: -waiting)
          result.replaceSubrange(place...place, with: CollectionOfOne("\u{2039}" as Unicode.Scalar))
        }
        waiting = 0
      }
      result.append(scalar)
      if scalar == "<" { waiting = 1 }
    }
    return String(result)
  }

  /// Where the first of the words is, in bytes of the text.
  private static func place(of words: [String], in text: String) -> Int? {
    guard !words.isEmpty else { return nil }
    // What comes after is in no index.
    let bytes = Array(text.utf8.prefix(mostSearched))
    var first: Int?
    for word in words where word.utf8.count >= 3 {
      let wanted = Array(word.lowercased().utf8)
      let end = min(bytes.count, first ?? bytes.count) - wanted.count
      guard end >= 0 else { continue }
      for place in 0...end where bytes[place] | 0x20 == wanted[0] | 0x20 {
        if (0..<wanted.count).allSatisfy({ bytes[place + $0] | 0x20 == wanted[$0] | 0x20 }) {
          first = place
          break
        }
      }
    }
    return first
  }

  private static func part(
    of text: String, from begin: Int
  ) -> (String, prefix: String, suffix: String) {
    let bytes = Array(text.utf8.prefix(mostSearched + longest))
    let isWhole = bytes.count == text.utf8.count
    var begin = isWhole ? min(begin, max(0, bytes.count - longest)) : begin
    var end = min(bytes.count, begin + longest)
    // Characters stay whole.
    while begin < end, begin > 0, bytes[begin] & 0xC0 == 0x80 { begin += 1 }
    while end > begin, end < bytes.count, bytes[end] & 0xC0 == 0x80 { end -= 1 }
    return (
      String(decoding: bytes[begin..<end], as: UTF8.self), begin > 0 ? "… " : "",
      end < bytes.count || !isWhole ? " …" : ""
    )
  }

  /// About how many tokens a text has. It errs to the high side.
  static func tokens(of text: String) -> Int {
    var plain = 0
    var other = 0
    for byte in text.utf8 { if byte < 0x80 { plain += 1 } else { other += 1 } }
    return (plain + 2) / 3 + (other + 1) / 2
  }
}
