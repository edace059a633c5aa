import RasaCore

/// How a pattern is read. What permits something has to cover no more than its reader saw, and what forbids
/// something must not be evaded, so the same words mean less in the one case and more in the other.
package enum PatternReach: Sendable, Hashable {
  /// For `allow` and for grants.
  case narrow
  /// For `ask` and `deny`.
  case wide
}

/// A text with wildcards: `*` stands for one word, `**` for anything on one line, `***` for anything at all.
/// A backslash makes an asterisk an ordinary one.
///
/// Read narrowly, a word has no blanks, separators or quotes; no wildcard but `***` covers control or hidden
/// characters, a `..` in a path, or an option (`-…`) at the beginning. Read widely, every wildcard covers
/// anything, and letters are the same in either case.
package struct TextPattern: Sendable, Hashable {
  private enum Element: Sendable, Hashable {
    case scalar(Unicode.Scalar)
    case word, line, anything
  }

  /// As it is written.
  package let source: String
  private let elements: [Element]
  private let mayClimb: Bool
  private let mayBeOption: Bool

  package init(_ source: String) {
    self.source = source
    var elements: [Element] = []
    var scalars = source.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      if scalar == "\\", let next = scalars.first, next == "*" || next == "\\" {
        scalars.removeFirst()
        elements.append(.scalar(next))
      } else if scalar == "*" {
        var count = 1
        while scalars.first == "*" {
          scalars.removeFirst()
          count += 1
        }
        elements.append(count == 1 ? .word : count == 2 ? .line : .anything)
      } else {
        elements.append(.scalar(scalar))
      }
    }
    self.elements = elements
    let coversAll = elements.contains(.anything)
    mayClimb = coversAll || Self.climbs(source)
    mayBeOption = elements.first == .anything || elements.first == .scalar("-")
  }

  /// The pattern that only this text fits.
  package init(exactly text: String) {
    self.init(
      text.replacing(bytes: "\\", with: "\\\\").replacing(bytes: "*", with: "\\*"))
  }

  /// Whether it is `***` alone, which any value fits, texts or not.
  package var isAnything: Bool { elements == [.anything] }

  package var hasWildcards: Bool {
    elements.contains { if case .scalar = $0 { false } else { true } }
  }

  package func matches(_ text: String, _ reach: PatternReach) -> Bool {
    if reach == .narrow, hasWildcards {
      if !mayClimb, Self.climbs(text) { return false }
      if !mayBeOption, text.utf8.first == UInt8(ascii: "-") { return false }
    }
    // The places in the pattern that the text so far can have led to, each once.
    var active: [Int] = []
    var marks = [Int](repeating: -1, count: elements.count + 1)
    func add(_ place: Int, to list: inout [Int], at time: Int) {
      var place = place
      while place <= elements.count, marks[place] != time {
        marks[place] = time
        list.append(place)
        // A wildcard may cover nothing.
        guard place < elements.count, !isScalar(elements[place]) else { return }
        place += 1
      }
    }
    add(0, to: &active, at: 0)
    var time = 0
    for scalar in text.unicodeScalars {
      time += 1
      var next: [Int] = []
      for place in active where place < elements.count {
        switch elements[place] {
        case .scalar(let wanted):
          if wanted == scalar || reach == .wide && Self.isSameLetter(wanted, scalar) {
            add(place + 1, to: &next, at: time)
          }
        case .word where reach == .wide || Self.isOfWord(scalar),
          .line where reach == .wide || Self.isOfLine(scalar), .anything:
          add(place, to: &next, at: time)
        case .word, .line: break
        }
      }
      if next.isEmpty { return false }
      active = next
    }
    return active.contains(elements.count)
  }

  private func isScalar(_ element: Element) -> Bool {
    if case .scalar = element { true } else { false }
  }

  private static func isOfLine(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x7F { return scalar.value >= 0x20 }
    if scalar.isHidden { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse,
      .surrogate:
      return false
    default: return true
    }
  }

  private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
    guard isOfLine(scalar) else { return false }
    if scalar.value < 0x7F { return !separators.contains(scalar) }
    return scalar.properties.generalCategory != .spaceSeparator
  }

  private static let separators = Set(" /\\,;|&$`'\"<>(){}?#%".unicodeScalars)

  private static func isSameLetter(_ one: Unicode.Scalar, _ other: Unicode.Scalar) -> Bool {
    one.properties.lowercaseMapping == other.properties.lowercaseMapping
  }

  /// Whether a part of it, as paths are divided, is `..`.
  private static func climbs(_ text: String) -> Bool {
    guard text.utf8.contains(UInt8(ascii: ".")) else { return false }
    return text.utf8.split { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
      .contains { $0.elementsEqual("..".utf8) }
  }
}

/// The tools that a rule is about: `mcp:git/git_*`, `mcp:git` for all of a server's, `*` for all.
package struct ToolNamePattern: Sendable, Hashable {
  package let text: TextPattern

  package init(_ source: String) { text = TextPattern(source) }
  package init(exactly name: String) { text = TextPattern(exactly: name) }

  package func matches(_ name: String, _ reach: PatternReach) -> Bool {
    if text.source == "*" || text.matches(name, reach) { return true }
    guard text.source.hasBytePrefix("mcp:"), !text.source.hasByte("/"),
      let end = name.utf8.firstIndex(of: UInt8(ascii: "/"))
    else { return false }
    return text.matches(String(name[..<end]), reach)
  }
}
