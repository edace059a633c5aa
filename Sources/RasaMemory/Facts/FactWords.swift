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
      var lower = String(word).lowercased()
      word.removeAll(keepingCapacity: true)
      while lower.hasSuffix("'") { lower.removeLast() }
      let capital = properties.isUppercase
      for part in parts(of: lower) {
        words.append(FactWord(text: part, isCapital: capital, hasNoCase: hasNoCase))
      }
    }
    let scalars = Array(text.composed.unicodeScalars)
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
    return words
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

  /// Neither a question nor several sentences.
  static func isOneStatement(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    var end = bytes.count
    while end > 0,
      bytes[end - 1] <= 0x20 || [UInt8(ascii: "."), UInt8(ascii: "!")].contains(bytes[end - 1])
    {
      end -= 1
    }
    for place in 0..<end {
      switch bytes[place] {
      case UInt8(ascii: "?"), UInt8(ascii: ";"), UInt8(ascii: "\n"), UInt8(ascii: "!"),
        UInt8(ascii: ":"), UInt8(ascii: "("), UInt8(ascii: "\""):
        return false
      case UInt8(ascii: "."):
        // `3. Mai` and `z. B.` are no end, and nothing is certain after one.
        if place + 1 < end, bytes[place + 1] <= 0x20, place > 0,
          !(0x30...0x39).contains(bytes[place - 1])
        {
          return false
        }
      default: break
      }
    }
    return !text.unicodeScalars.contains { ["。", "？", "！", "；", "«", "„", "“"].contains($0) }
  }
}
