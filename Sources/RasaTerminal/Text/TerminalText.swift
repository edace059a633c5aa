import RasaCore

/// Makes text from others (models, files, servers) safe to show on a terminal.
///
/// Anything that a terminal would obey is removed: controls, escape sequences, bidirectional
/// controls, soft hyphens. Joiners stay where scripts and emoji need them, between letters and
/// between pictures; all other zero-width characters, which could hide one text in another, are
/// shown as their code (`\u{200B}`). Newlines and tabs stay.
///
/// One value per stream: a sequence that is split between chunks is still recognised.
package struct TerminalText: Sendable {
  private enum State: Hashable {
    case text
    /// After an escape character.
    case escape
    /// In a control sequence (`ESC [ … letter`).
    case sequence
    /// In a string sequence (a title, a link), and how much of it was seen.
    case string(Int)
    /// After an escape character in such a string: a backslash ends it.
    case stringEscape
  }
  private var state = State.text
  /// The start of a character whose rest has not arrived yet.
  private var incomplete: [UInt8] = []
  /// The last character that was shown.
  private var previous: Unicode.Scalar?
  /// A joiner: whether it stays depends on what follows.
  private var joiner: Unicode.Scalar?
  /// How many tags may follow: those that turn a black flag into that of a region.
  private var tags = 0

  package init() {}

  /// A string that never ends must not swallow the rest of the answer.
  private static let longestString = 4096

  /// What remains of the next chunk.
  package mutating func clean(_ chunk: String) -> String {
    var chunk = chunk
    if state == .text, joiner == nil,
      chunk.withUTF8({ unsafe offsetOfHiddenScalar(in: $0) }) == nil
    {
      if let last = chunk.unicodeScalars.last { note(last) }
      return chunk
    }
    var cleaned = String.UnicodeScalarView()
    for scalar in chunk.unicodeScalars where isText(scalar) { take(scalar, into: &cleaned) }
    return String(cleaned)
  }

  /// Like `clean(_:)` for bytes as they arrive from a pipe: a character may be split between
  /// chunks, and invalid UTF-8 becomes the replacement character.
  package mutating func clean(bytes: some Sequence<UInt8>) -> String {
    var bytes = incomplete + bytes
    incomplete = []
    // At most three bytes of a character can be waiting for its last.
    for length in 1...3 where bytes.count >= length {
      let byte = bytes[bytes.count - length]
      if byte & 0xC0 == 0x80 { continue }
      let wanted = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
      if wanted > length {
        incomplete = Array(bytes.suffix(length))
        bytes.removeLast(length)
      }
      break
    }
    return clean(String(decoding: bytes, as: UTF8.self))
  }

  /// What the end of the text leaves to show. The next text starts afresh.
  package mutating func finish() -> String {
    let rest = (joiner?.numbered ?? "") + (incomplete.isEmpty ? "" : "\u{FFFD}")
    self = TerminalText()
    return rest
  }

  // MARK: Sequences

  /// Whether the scalar is not part of a sequence that a terminal would obey.
  private mutating func isText(_ scalar: Unicode.Scalar) -> Bool {
    switch state {
    case .text: break
    case .escape:
      switch scalar.value {
      case 0x5B: state = .sequence
      case 0x50, 0x58, 0x5D, 0x5E, 0x5F: state = .string(0)
      // Intermediate bytes: the sequence continues.
      case 0x20...0x2F: break
      case 0x30...0x7E: state = .text
      default: return restart(with: scalar)
      }
      return false
    case .sequence:
      switch scalar.value {
      case 0x20...0x3F: break
      case 0x40...0x7E: state = .text
      default: return restart(with: scalar)
      }
      return false
    case .string(let length):
      switch scalar.value {
      case 0x07, 0x9C: state = .text
      case 0x1B: state = .stringEscape
      // No terminal continues a string past the end of a line, and none accepts one this long.
      case 0x0A: return restart(with: scalar)
      case _ where length == Self.longestString: state = .text
      default: state = .string(length + 1)
      }
      return false
    case .stringEscape:
      if scalar.value == 0x5C {
        state = .text
        return false
      }
      state = .escape
      return isText(scalar)
    }
    switch scalar.value {
    case 0x1B: state = .escape
    case 0x9B: state = .sequence
    case 0x90, 0x98, 0x9D, 0x9E, 0x9F: state = .string(0)
    default: return true
    }
    return false
  }

  /// A sequence that is cut off by something that cannot be part of it.
  private mutating func restart(with scalar: Unicode.Scalar) -> Bool {
    state = .text
    return isText(scalar)
  }

  // MARK: Scalars

  private mutating func take(
    _ scalar: Unicode.Scalar, into shown: inout String.UnicodeScalarView
  ) {
    if scalar.isDropped { return }
    if let joiner {
      self.joiner = nil
      if joiner.joins(previous, scalar) {
        shown.append(joiner)
      } else {
        shown.append(contentsOf: joiner.numbered.unicodeScalars)
        previous = nil
      }
    }
    guard scalar.isHidden else {
      shown.append(scalar)
      return note(scalar)
    }
    if tags > 0, (0xE0020...0xE007F).contains(scalar.value) {
      shown.append(scalar)
      tags = scalar.value == 0xE007F ? 0 : tags - 1
    } else if scalar.isJoiner, let previous, previous.takesJoiner(scalar) {
      if previous.isVirama {
        // It forms the letter before it, whatever follows.
        shown.append(scalar)
        note(scalar)
      } else {
        joiner = scalar
      }
    } else {
      shown.append(contentsOf: scalar.numbered.unicodeScalars)
      previous = nil
      tags = 0
    }
  }

  private mutating func note(_ scalar: Unicode.Scalar) {
    previous = scalar
    // Five letters of a region at most, and the end.
    tags = scalar.value == 0x1F3F4 ? 7 : 0
  }
}

extension Unicode.Scalar {
  /// Hidden characters without which the text reads the same.
  fileprivate var isDropped: Bool {
    switch value {
    case 0x09, 0x0A: false
    case 0x00...0x1F, 0x7F...0x9F, 0xAD: true
    case 0x61C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x206F: true
    default: false
    }
  }

  /// The two joiners, and Mongolian variation selectors.
  fileprivate var isJoiner: Bool {
    switch value {
    case 0x200C, 0x200D, 0x180B...0x180F: true
    default: false
    }
  }

  /// The virama, which removes a letter's vowel and joins it with the next letter.
  fileprivate var isVirama: Bool { properties.canonicalCombiningClass.rawValue == 9 }

  fileprivate var isMongolian: Bool { (0x1800...0x18AF).contains(value) }

  fileprivate var isPicture: Bool {
    value > 0x7F && (properties.isEmoji || value == 0xFE0F || value == 0x20E3)
  }

  private var isOfWord: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber:
      true
    default: false
    }
  }

  /// Whether that joiner may follow this scalar.
  fileprivate func takesJoiner(_ joiner: Unicode.Scalar) -> Bool {
    if (0x180B...0x180F).contains(joiner.value) { return isMongolian }
    return isVirama || isOfWord || (joiner.value == 0x200D && isPicture)
  }

  /// Whether this joiner has an effect between the two. Between ASCII letters it can only hide.
  fileprivate func joins(_ left: Unicode.Scalar?, _ right: Unicode.Scalar) -> Bool {
    guard let left, !right.isHidden else { return false }
    if (0x180B...0x180F).contains(value) { return true }
    if value == 0x200D, left.isPicture, right.isPicture { return true }
    return left.isOfWord && right.isOfWord && !(left.isASCII && right.isASCII)
  }
}

/// A complete text that a terminal shows but does not obey: nothing deceptive is left in it.
package func printable(_ text: String) -> String {
  var cleaner = TerminalText()
  return cleaner.clean(text) + cleaner.finish()
}

extension TerminalText {
  /// A complete text with every hidden character, and every character that only looks like a space,
  /// shown as its code, `\u{200B}`: for text that a person must see exactly before approving it.
  package static func escaped(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x7F && ($0 >= 0x20 || $0 == 0x0A || $0 == 0x09) }) {
      return text
    }
    var shown = String.UnicodeScalarView()
    var previous: Unicode.Scalar?
    for scalar in text.unicodeScalars {
      if scalar.isHidden || scalar.looksBlank || scalar.isLooseSelector(after: previous) {
        shown.append(contentsOf: scalar.numbered.unicodeScalars)
      } else {
        shown.append(scalar)
      }
      previous = scalar
    }
    return String(shown)
  }

  /// A text for one line: printable, its line breaks and tabs as spaces.
  package static func line(_ text: String) -> String { oneLine(printable(text)) }

  /// Line breaks and tabs become spaces, other controls and sequences are removed: none of them
  /// belongs in a row. Every other byte stays.
  static func oneLine(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.isControl || $0.breaksLine }) else {
      return text
    }
    var sequences = TerminalText()
    var line = String.UnicodeScalarView()
    var wasReturn = false
    for scalar in text.unicodeScalars {
      let isText = sequences.isText(scalar)
      // CR LF is one line break.
      defer { wasReturn = scalar == "\r" }
      if !isText || (wasReturn && scalar == "\n") { continue }
      if scalar.breaksLine {
        line.append(" ")
      } else if !scalar.isControl {
        line.append(scalar)
      }
    }
    return String(line)
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }

  fileprivate var breaksLine: Bool {
    switch value {
    case 0x09...0x0D, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// A variation selector, which shows nothing itself; the emoji one belongs after a picture.
  fileprivate func isLooseSelector(after previous: Unicode.Scalar?) -> Bool {
    guard (0xFE00...0xFE0F).contains(value) else { return false }
    return !(value >= 0xFE0E && previous?.properties.isEmoji == true)
  }
}

/// How text from others is written to one output: a terminal is protected from it, a file or a pipe
/// gets the bytes unchanged.
package struct UntrustedText: Sendable, Hashable {
  package var isOnTerminal: Bool

  package init(isOnTerminal: Bool) { self.isOnTerminal = isOnTerminal }

  /// A complete text.
  package func whole(_ text: String) -> String { isOnTerminal ? printable(text) : text }

  /// A text as a part of one line.
  package func line(_ text: String) -> String {
    isOnTerminal ? TerminalText.line(text) : TerminalText.oneLine(text)
  }

  /// The start of a text on one line; all of it if no window limits it.
  package func opening(_ text: String, to columns: Int) -> String {
    guard isOnTerminal else { return String(TerminalText.oneLine(text).trimmedByScalars) }
    let beginning = TerminalText.line(String(text.prefix(columns * 2 + 8)))
    return fit(String(beginning.trimmedByScalars), to: columns)
  }
}
