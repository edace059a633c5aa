/// Makes text that others wrote (models, files, servers) safe to show on a terminal: what a
/// terminal would obey, or show nothing for, is taken out. Newlines and tabs stay.
///
/// One value per stream: a sequence that is cut in two by a chunk's end is still recognised.
package struct TerminalText: Sendable {
  private enum State: Hashable {
    case text
    /// After an escape character.
    case escape
    /// In a control sequence (`ESC [ … letter`).
    case sequence
    /// In a string that a terminal keeps to itself (a title, a link), and how much of it was seen.
    case string(Int)
    /// After an escape character in such a string: a backslash ends it.
    case stringEscape
  }
  private var state = State.text
  /// The beginning of a character whose rest is still to come.
  private var incomplete: [UInt8] = []

  package init() {}

  /// A string that never ends must not swallow the rest of the answer.
  private static let longestString = 4096

  /// What is left of the next chunk.
  package mutating func clean(_ chunk: String) -> String {
    var chunk = chunk
    if state == .text, chunk.withUTF8({ unsafe offsetOfHiddenScalar(in: $0) }) == nil {
      return chunk
    }
    var cleaned = String.UnicodeScalarView()
    for scalar in chunk.unicodeScalars where shows(scalar) { cleaned.append(scalar) }
    return String(cleaned)
  }

  /// As `clean(_:)` for bytes as they come from a pipe: a character may be split over two chunks,
  /// and what is no UTF-8 becomes the replacement character.
  package mutating func clean(bytes: some Sequence<UInt8>) -> String {
    var bytes = incomplete + bytes
    incomplete = []
    // At most three bytes of a character can wait for its last.
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

  private mutating func shows(_ scalar: Unicode.Scalar) -> Bool {
    switch state {
    case .text: break
    case .escape:
      switch scalar.value {
      case 0x5B: state = .sequence
      case 0x50, 0x58, 0x5D, 0x5E, 0x5F: state = .string(0)
      // Intermediate bytes: the sequence goes on.
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
      // No terminal takes a string over the end of a line, and none takes one this long.
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
      return shows(scalar)
    }
    switch scalar.value {
    case 0x1B: state = .escape
    case 0x9B: state = .sequence
    case 0x90, 0x98, 0x9D, 0x9E, 0x9F: state = .string(0)
    default: return !scalar.isHidden
    }
    return false
  }

  /// A sequence that is broken off by something that cannot be part of it.
  private mutating func restart(with scalar: Unicode.Scalar) -> Bool {
    state = .text
    return shows(scalar)
  }
}

/// A whole text that a terminal shows and does not obey: nothing hidden is left in it.
package func printable(_ text: String) -> String {
  var cleaner = TerminalText()
  return cleaner.clean(text)
}

extension TerminalText {
  /// A whole text in which everything hidden is shown as its number, `\u{200B}`: for what a person
  /// must see exactly before saying yes to it.
  package static func escaped(_ text: String) -> String {
    var text = text
    if text.withUTF8({ unsafe offsetOfHiddenScalar(in: $0) }) == nil { return text }
    var shown = ""
    for scalar in text.unicodeScalars {
      if scalar.isHidden {
        shown += "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      } else {
        shown.unicodeScalars.append(scalar)
      }
    }
    return shown
  }

  /// A text for one line: printable, its line breaks and tabs as spaces.
  package static func line(_ text: String) -> String {
    let cleaned = printable(text)
    guard cleaned.utf8.contains(where: { $0 == 0x0A || $0 == 0x09 }) else { return cleaned }
    return String(cleaned.map { $0.isNewline || $0 == "\t" ? " " : $0 })
  }
}
