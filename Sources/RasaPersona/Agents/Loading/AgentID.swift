import RasaCore

/// An agent's ID: kebab-case, such as `api-design-agent`.
///
/// Latin, Cyrillic and Greek letters become plain ASCII, as in `ubersetzer-plus`. Letters of other
/// scripts are kept, because people who write them can type them: `コードレビュー` is an ID.
package enum AgentID {
  /// In characters.
  package static let longest = 64
  private static let mostBytes = 192

  /// Lowercase words of letters and digits, joined by single hyphens.
  package static func isValid(_ text: String) -> Bool {
    guard text.utf8.count <= longest, isASCII(text) else { return isValidBeyondASCII(text) }
    return text.utf8.split(separator: hyphen, omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && $0.allSatisfy(isWordByte)
    }
  }

  /// The ID that is derived from a name: `Architecture Agent`, `architecture_agent` and
  /// `ArchitectureAgent` all become `architecture-agent`. Nil if nothing of the name can be kept.
  package static func make(of name: String) -> String? {
    var words = Words()
    if isASCII(name) {
      for byte in name.utf8 { words.add(Unicode.Scalar(byte)) }
    } else {
      for scalar in name.composed.unicodeScalars { words.add(scalar) }
    }
    return words.id
  }

  private static func isASCII(_ text: String) -> Bool { text.utf8.allSatisfy { $0 < 0x80 } }

  private static func isValidBeyondASCII(_ text: String) -> Bool {
    guard let id = make(of: text) else { return false }
    // `==` treats a letter with a combining mark and the composed letter as equal.
    return id.utf8.elementsEqual(text.utf8)
  }

  private static let hyphen = UInt8(ascii: "-")

  private static func isWordByte(_ byte: UInt8) -> Bool {
    (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z"))
      || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
  }

  // MARK: Words

  /// Splits a name into words in one pass.
  private struct Words {
    private var scalars: [Unicode.Scalar] = []
    /// How many of them belong to the current word.
    private var length = 0
    private var previous: Unicode.Scalar = " "
    /// The meaning of `.` and `+` depends on what follows.
    private var waiting: Unicode.Scalar?
    /// Whether a mark belongs to a letter that was written in ASCII.
    private var isAfterLatin = false

    var id: String? {
      var id = scalars.prefix(AgentID.longest)[...]
      while id.reduce(0, { $0 + UTF8.width($1) }) > AgentID.mostBytes { id.removeLast() }
      while id.last == "-" { id.removeLast() }
      guard !id.isEmpty else { return nil }
      return String(String.UnicodeScalarView(id))
    }

    mutating func add(_ scalar: Unicode.Scalar) {
      defer { previous = scalar }
      if scalar.isASCII { return addASCII(scalar) }
      let properties = scalar.properties
      switch properties.generalCategory {
      case .nonspacingMark, .spacingMark, .enclosingMark:
        if !isAfterLatin, length > 0 { append([scalar]) }
      case .format: break
      case .decimalNumber:
        if let value = properties.numericValue { append([Unicode.Scalar(48 + UInt8(value))]) }
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
        .letterNumber:
        if let text = Transliteration.ascii(of: scalar) {
          let isUpper = properties.isUppercase
          beginWord(isUpper: isUpper)
          append(text.unicodeScalars)
          isAfterLatin = true
        } else {
          append(properties.lowercaseMapping.unicodeScalars)
        }
      default:
        // A typographic apostrophe counts as an apostrophe.
        if scalar != "\u{2019}", scalar != "\u{02BC}" { separate() }
      }
    }

    private mutating func addASCII(_ scalar: Unicode.Scalar) {
      let isUpper = ("A"..."Z").contains(scalar)
      let lower = isUpper ? Unicode.Scalar(UInt8(scalar.value) + 0x20) : scalar
      if AgentID.isWordByte(UInt8(lower.value)) {
        // `.NET` is not `NET`.
        if waiting == ".", !("0"..."9").contains(lower) { append("dot-".unicodeScalars) }
        if waiting == "+" { separate() }
        waiting = nil
        beginWord(isUpper: isUpper)
        append([lower])
        isAfterLatin = true
        return
      }
      switch scalar {
      case "'": break
      // `C#` is not `C`, but the `#` of `issue #5` is not part of a name.
      case "#" where length == 1 && isWord(previous): addWord("sharp")
      case "+" where length > 0 && isWord(previous): waiting = "+"
      case "+" where waiting == "+": addWord("plus-plus")
      case "." where length == 0 && !isWord(previous) && previous != ".":
        separate()
        waiting = "."
      default: separate()
      }
    }

    private func isWord(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isAlphabetic }

    private mutating func addWord(_ word: String) {
      waiting = nil
      separate()
      append(word.unicodeScalars)
      separate()
    }

    /// A capital after a lowercase letter starts a word: `ArchitectureAgent`.
    private mutating func beginWord(isUpper: Bool) {
      if isUpper, length > 0, isAfterLatin, previous.properties.isLowercase { separate() }
    }

    private mutating func append(_ text: some Sequence<Unicode.Scalar>) {
      if waiting == "+" { separate() }
      waiting = nil
      isAfterLatin = false
      for scalar in text {
        scalars.append(scalar)
        length += 1
      }
    }

    private mutating func separate() {
      waiting = nil
      length = 0
      if let last = scalars.last, last != "-" { scalars.append("-") }
    }
  }
}

/// Latin, Cyrillic and Greek letters in ASCII, by their Unicode names: `LATIN SMALL LETTER U WITH
/// DIAERESIS` is a `u`, whatever marks it has.
private enum Transliteration {
  static func ascii(of scalar: Unicode.Scalar) -> String? {
    guard var name = scalar.properties.name?[...] else { return nil }
    if name.hasPrefix("FULLWIDTH ") { name = name.dropFirst(10) }
    let letters: [Substring: String]
    if name.hasPrefix("LATIN ") {
      letters = latin
    } else if name.hasPrefix("CYRILLIC ") {
      letters = cyrillic
    } else if name.hasPrefix("GREEK ") {
      letters = greek
    } else {
      return nil
    }
    for form in [" SMALL LETTER ", " CAPITAL LETTER ", " SMALL LIGATURE ", " CAPITAL LIGATURE "] {
      guard let range = name.firstRange(ofBytes: form) else { continue }
      var letter = name[range.upperBound...]
      // `GHE WITH UPTURN` is in the table; most variants of a letter are not.
      if let text = letters[letter] { return text }
      if let with = letter.firstRange(ofBytes: " WITH ") { letter = letter[..<with.lowerBound] }
      if let text = letters[letter] { return text }
      let isLatin = name.hasPrefix("LATIN ")
      return isLatin && letter.utf8.count <= 2 ? letter.lowercased() : nil
    }
    return nil
  }

  private static let latin: [Substring: String] = [
    "SHARP S": "ss", "THORN": "th", "ETH": "d", "ENG": "ng", "DOTLESS I": "i",
    "DOTLESS J": "j", "LONG S": "s", "SCHWA": "e", "OPEN E": "e", "OPEN O": "o", "ALPHA": "a",
    "IOTA": "i", "UPSILON": "u", "EZH": "z", "KRA": "q", "GAMMA": "g", "FFI": "ffi", "FFL": "ffl",
    "LONG S T": "st", "REVERSED E": "e", "TURNED E": "e",
  ]

  private static let cyrillic: [Substring: String] = [
    "A": "a", "BE": "b", "VE": "v", "GHE": "g", "DE": "d", "IE": "e", "IO": "yo", "ZHE": "zh",
    "ZE": "z", "I": "i", "SHORT I": "y", "KA": "k", "EL": "l", "EM": "m", "EN": "n", "O": "o",
    "PE": "p", "ER": "r", "ES": "s", "TE": "t", "U": "u", "EF": "f", "HA": "kh", "TSE": "ts",
    "CHE": "ch", "SHA": "sh", "SHCHA": "shch", "HARD SIGN": "", "YERU": "y", "SOFT SIGN": "",
    "E": "e", "YU": "yu", "YA": "ya", "UKRAINIAN IE": "ye", "BYELORUSSIAN-UKRAINIAN I": "i",
    "YI": "yi", "GHE WITH UPTURN": "g", "SHORT U": "u", "DJE": "dj", "GJE": "gj", "DZE": "dz",
    "JE": "j", "LJE": "lj", "NJE": "nj", "TSHE": "c", "KJE": "kj", "DZHE": "dzh", "SCHWA": "a",
    "BARRED O": "o", "STRAIGHT U": "u", "SHHA": "h", "PALOCHKA": "", "YAT": "e",
  ]

  private static let greek: [Substring: String] = [
    "ALPHA": "a", "BETA": "v", "GAMMA": "g", "DELTA": "d", "EPSILON": "e", "ZETA": "z", "ETA": "i",
    "THETA": "th", "IOTA": "i", "KAPPA": "k", "LAMDA": "l", "MU": "m", "NU": "n", "XI": "x",
    "OMICRON": "o", "PI": "p", "RHO": "r", "SIGMA": "s", "FINAL SIGMA": "s", "TAU": "t",
    "UPSILON": "y", "PHI": "f", "CHI": "ch", "PSI": "ps", "OMEGA": "o",
  ]
}
