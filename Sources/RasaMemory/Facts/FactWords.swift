import RasaCore

/// A word of a fact, as it is compared.
struct FactWord: Sendable, Hashable {
  var text: String
  /// As it was written.
  var isCapital = false
  /// Of a script without capitals.
  var hasNoCase = false

  var isNumber: Bool { text.utf8.first.map { (0x30...0x39).contains($0) } ?? false }
}

enum FactWords {
  /// Letters, numbers and symbols, lower-cased. What stands inside a number (`3.5`, `10:30`, `2026-05-01`) belongs to it,
  /// a sign before it, too; an apostrophe belongs to its word unless it parts two of them (`j'habite`).
  static func words(of text: String) -> [FactWord] {
    var words: [FactWord] = []
    var word = String.UnicodeScalarView()
    func finish() {
      guard let first = word.first else { return }
      let properties = first.properties
      let hasNoCase =
        properties.isAlphabetic && !properties.isUppercase && !properties.isLowercase
      var lower = Self.lowered(word)
      word.removeAll(keepingCapacity: true)
      while lower.hasSuffix("'") { lower.removeLast() }
      let capital = properties.isUppercase
      for part in parts(of: lower) {
        words.append(FactWord(text: part, isCapital: capital, hasNoCase: hasNoCase))
      }
    }
    let scalars = text.composed.unicodeScalars.compactMap(visible)
    for (index, scalar) in scalars.enumerated() {
      switch kind(of: scalar) {
      case .word: word.append(scalar)
      case .joint:
        let next = index + 1 < scalars.count ? scalars[index + 1] : " "
        let isInNumber = word.last.map(isDigit) == true && isDigit(next)
        let isSign = scalar == "-" && word.isEmpty && isDigit(next)
        if isInNumber || isSign { word.append(scalar) } else { finish() }
      case .apostrophe: if !word.isEmpty { word.append("'") }
      case .other: finish()
      }
    }
    finish()
    // The mark of a list.
    if words.count > 1, words[0].text == "*" { words.removeFirst() }
    return words
  }

  /// Nil for what is not seen, such as a soft hyphen; letters of full width as those of ASCII.
  private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
    if scalar.value < 0x80 { return scalar }
    if (0xFF01...0xFF5E).contains(scalar.value) {
      return Unicode.Scalar(scalar.value - 0xFEE0)
    }
    return scalar.properties.isDefaultIgnorableCodePoint ? nil : scalar
  }

  /// In lower case, whether the letter has capitals of its own or not: `STRASSE` and `Straße`, `ΟΔΟΣ` and `οδός`.
  private static func lowered(_ word: String.UnicodeScalarView) -> String {
    let lower = String(word).lowercased()
    if lower.utf8.allSatisfy({ $0 < 0x80 }) { return lower }
    var result = ""
    for scalar in lower.unicodeScalars {
      switch scalar {
      case "ß": result += "ss"
      case "ς": result += "σ"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private enum Kind { case word, joint, apostrophe, other }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9", "#", "%", "&", "@", "*", "_", "\\": return .word
    case ".", ",", ":", "-", "/", "\u{2010}", "\u{2011}": return .joint
    case "'", "\u{2019}", "\u{02BC}": return .apostrophe
    default: break
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber,
      .mathSymbol, .currencySymbol, .otherSymbol:
      return .word
    default: return .other
    }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  /// `doesn't` as `does not`, `I'm` as `i am`, `j'habite` as `j' habite`.
  private static func parts(of word: String) -> [String] {
    guard let place = word.firstIndex(of: "'") else { return [word] }
    let (head, rest) = (String(word[..<place]), String(word[word.index(after: place)...]))
    if rest == "t", head.hasSuffix("n") {
      return head == "can" ? ["can", "not"] : [String(head.dropLast()), "not"]
    }
    if rest == "m" { return [head, "am"] }
    if ["j", "n", "m", "s", "l", "d", "c", "t", "qu", "jusqu", "dall", "dell", "all"].contains(head)
    {
      return [head + "'", rest]
    }
    return [word]
  }

  /// Neither a question nor several sentences. What stands around it does not count: `- "I like tea" …`.
  static func isOneStatement(_ text: String) -> Bool {
    let all = text.unicodeScalars.compactMap(visible)
    guard let begin = all.firstIndex(where: { !isEdge($0) }),
      let end = all.lastIndex(where: { !isEdge($0) })
    else { return true }
    let scalars = all[begin...end]
    for place in scalars.indices {
      let next = place + 1 < scalars.endIndex ? scalars[place + 1] : nil
      switch scalars[place] {
      case "?", ";", "!", ":", "(", ")", "\"", "。", "？", "！", "；", "«", "»", "„", "“", "”", "؟":
        return false
      case "\n", "\r":
        // A line that goes on is one sentence; another item of a list is not.
        let rest = scalars[place...].first { !$0.properties.isWhitespace }
        if rest?.properties.isLowercase != true { return false }
      case ".":
        // `3. Mai` and `z. B.` are no end, and nothing is certain after one.
        if let next, next.value <= 0x20, place > begin, !isDigit(scalars[place - 1]) {
          return false
        }
      default: break
      }
    }
    return true
  }

  private static func isEdge(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.properties.isWhitespace || scalar.value < 0x20 { return true }
    if ["?", "؟", "#", "%", "&", "@", "*", "_", "\\", "/"].contains(scalar) {
      return scalar == "*"
    }
    switch scalar.properties.generalCategory {
    case .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return true
    default: return false
    }
  }
}
