import RasaLanguage

/// Reads the terms of a text. One is used by one thread at a time; it keeps the stems of the words that it has seen.
///
/// A word is lower-cased, its stem is taken, and its marks are removed. Where that order matters, the word has a second
/// term, so that `café` is found by `cafe`. Words that are joined, as `GPT-4o`, `10.5` or `anna@example.org`, are
/// words and a whole. Scripts without spaces have single letters and pairs of them.
struct TermReader {
  /// What a term stands for.
  enum Role {
    /// A word, or the letters of a script without spaces as a question has them. Counts for the length of a text.
    case word
    /// Another form of the word before it.
    case form
    /// Words that are joined, as a whole.
    case whole
    /// A single letter where there are pairs.
    case letter
  }

  /// A longer text is not read to its end.
  static let longestText = 1 << 20
  /// A longer word is what begins it.
  static let longestWord = 96
  private static let mostParts = 12

  private let languages: [WordLanguage]
  private var stemmers: [WordLanguage: Stemmer] = [:]
  private var seen: [[UInt8]: [[UInt8]]] = [:]

  /// - Parameter languages: those in which the words may be. With several, each word has a form for each.
  init(languages: [WordLanguage]) { self.languages = languages }

  /// Gives each term with its role and where it stands in `lowered(text)`, until `take` returns false.
  mutating func read(_ text: [UInt8], take: (_ term: [UInt8], Role, Range<Int>) -> Bool) {
    var parts: [Range<Int>] = []
    var joints: [UInt8] = []
    var position = 0
    while position < text.count {
      let (scalar, length) = Self.scalar(in: text, at: position)
      let start = position
      switch LetterKind(scalar) {
      case .letter, .digit, .mark:
        position = Self.wordEnd(in: text, from: position)
        // `c++` and `c#` are names.
        if position - start <= 2 {
          while position < text.count,
            text[position] == UInt8(ascii: "+") || text[position] == UInt8(ascii: "#")
          {
            position += 1
            if position - start > 4 { break }
          }
        }
        parts.append(start..<position)
        if let joint = Self.joint(in: text, at: position) {
          joints.append(joint.kind)
          position += joint.length
        } else {
          guard close(text, parts, joints, take) else { return }
          parts.removeAll(keepingCapacity: true)
          joints.removeAll(keepingCapacity: true)
        }
      case .unspaced:
        position = Self.runEnd(in: text, from: position)
        guard closeRun(text, start..<position, take) else { return }
      case .symbol:
        position += length
        guard take(Array(text[start..<position]), .word, start..<position) else { return }
      case .other: position += length
      }
    }
    _ = close(text, parts, joints, take)
  }

  // MARK: Words

  private mutating func close(
    _ text: [UInt8], _ parts: [Range<Int>], _ joints: [UInt8],
    _ take: ([UInt8], Role, Range<Int>) -> Bool
  ) -> Bool {
    guard let first = parts.first, let last = parts.last else { return true }
    var kept = parts
    // `Anna's`, `don't` and `Ankara'da` are said of what stands before the apostrophe, `l'amour` of what stands behind.
    if joints.contains(UInt8(ascii: "'")) {
      if last.count <= 2, joints.last == UInt8(ascii: "'"), parts.count > 1 { kept.removeLast() }
      if kept.count > 1, first.count <= 2, joints.first == UInt8(ascii: "'") { kept.removeFirst() }
    }
    for part in kept { guard add(text, part, take) else { return false } }
    guard kept.count > 1, kept.count <= Self.mostParts else { return true }
    let whole = first.lowerBound..<last.upperBound
    guard whole.count <= Self.longestWord else { return true }
    return take(Self.joined(text, parts, joints), .whole, whole)
  }

  /// The whole without what joins it, except where another word would come of it.
  private static func joined(
    _ text: [UInt8], _ parts: [Range<Int>], _ joints: [UInt8]
  ) -> [UInt8] {
    var whole: [UInt8] = []
    for (place, part) in parts.enumerated() {
      if place > 0 {
        let joint = joints[place - 1]
        switch joint {
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "'"): break
        // 1,000 is 1000, and 10,5 is 10.5.
        case UInt8(ascii: ","): if part.count != 3 { whole.append(UInt8(ascii: ".")) }
        default: whole.append(joint)
        }
      }
      whole += text[part]
    }
    return whole
  }

  private mutating func add(
    _ text: [UInt8], _ range: Range<Int>, _ take: ([UInt8], Role, Range<Int>) -> Bool
  ) -> Bool {
    let word = Array(text[range].prefix(Self.longestWord))
    let forms: [[UInt8]]
    if let known = seen[word] {
      forms = known
    } else {
      forms = self.forms(of: word)
      if seen.count < 4096 { seen[word] = forms }
    }
    var role = Role.word
    for form in forms {
      guard take(form, role, range) else { return false }
      role = .form
    }
    return true
  }

  private mutating func forms(of word: [UInt8]) -> [[UInt8]] {
    let first = Self.scalar(in: word, at: 0).scalar
    // A number has no stem.
    if (0x30...0x39).contains(first.value) { return [word] }
    let isPlain = word.allSatisfy { $0 < 0x80 }
    let writing = Self.writing(of: word)
    var forms: [[UInt8]] = []
    func add(_ form: [UInt8]) {
      if !form.isEmpty, !forms.contains(form) { forms.append(form) }
    }
    var candidates = languages.filter { $0.writing == writing }
    // In a text of another language a word has the usual language of its letters.
    if languages.contains(where: { $0.writing != writing }),
      !candidates.contains(writing.usualLanguage)
    {
      candidates.append(writing.usualLanguage)
    }
    for language in candidates {
      if isPlain {
        add(stem(word, language))
        continue
      }
      switch writing {
      case .latin:
        add(Self.plain(stem(word, language)))
        add(stem(Self.plain(word), language))
      // The stems of Russian need `й`, those of Indian languages their vowels.
      case .cyrillic: add(Self.plain(stem(Self.withoutDots(word), language)))
      case .greek, .arabic, .hebrew: add(stem(Self.plain(word), language))
      default: add(stem(word, language))
      }
    }
    return forms
  }

  private mutating func stem(_ word: [UInt8], _ language: WordLanguage) -> [UInt8] {
    if language == .none { return word }
    let stemmer: Stemmer
    if let known = stemmers[language] {
      stemmer = known
    } else {
      stemmer = Stemmer(language.rawValue)
      stemmers[language] = stemmer
    }
    return stemmer.stem(word)
  }

  /// Without marks; letters that have no other form for that are replaced.
  private static func plain(_ word: [UInt8]) -> [UInt8] {
    guard var word = FoldedText.withoutMarks(word) else { return word }
    // ı, ø, ł, đ, ð, ħ, æ, œ, þ: all of two bytes.
    guard word.contains(where: { $0 == 0xC3 || $0 == 0xC4 || $0 == 0xC5 }) else { return word }
    var place = 0
    while place + 1 < word.count {
      let replacement: StaticString? =
        switch (word[place], word[place + 1]) {
        case (0xC4, 0xB1): "i"
        case (0xC3, 0xB8): "o"
        case (0xC5, 0x82): "l"
        case (0xC4, 0x91), (0xC3, 0xB0): "d"
        case (0xC4, 0xA7): "h"
        case (0xC3, 0xA6): "ae"
        case (0xC5, 0x93): "oe"
        case (0xC3, 0xBE): "th"
        default: nil
        }
      if let replacement {
        word.replaceSubrange(place...place + 1, with: Array("\(replacement)".utf8))
      }
      place += 1
    }
    return word
  }

  /// `ё` is often written as `е`.
  private static func withoutDots(_ word: [UInt8]) -> [UInt8] {
    var word = word
    for place in word.indices.dropLast() where word[place] == 0xD1 && word[place + 1] == 0x91 {
      word[place] = 0xD0
      word[place + 1] = 0xB5
    }
    return word
  }

  private static func writing(of word: [UInt8]) -> WritingSystem {
    var position = 0
    while position < word.count {
      if word[position] >= 0x80 {
        let (scalar, length) = scalar(in: word, at: position)
        let writing = WritingSystem(scalar)
        if writing != .latin || position == 0 { return writing }
        position += length
      } else {
        position += 1
      }
    }
    return .latin
  }

  // MARK: Scripts without spaces

  private func closeRun(
    _ text: [UInt8], _ run: Range<Int>, _ take: ([UInt8], Role, Range<Int>) -> Bool
  ) -> Bool {
    var letters: [Range<Int>] = []
    var position = run.lowerBound
    while position < run.upperBound {
      let (scalar, length) = Self.scalar(in: text, at: position)
      if LetterKind(scalar) == .mark, let last = letters.last, last.count < 32 {
        letters[letters.count - 1] = last.lowerBound..<position + length
      } else {
        letters.append(position..<position + length)
      }
      position += length
    }
    if letters.count == 1 { return take(Array(text[letters[0]]), .word, letters[0]) }
    for (place, letter) in letters.enumerated() {
      guard take(Array(text[letter]), .letter, letter) else { return false }
      guard place + 1 < letters.count else { break }
      let pair = letter.lowerBound..<letters[place + 1].upperBound
      guard take(Array(text[pair]), .word, pair) else { return false }
    }
    return true
  }

  // MARK: Letters

  private static func wordEnd(in text: [UInt8], from start: Int) -> Int {
    var position = start
    while position < text.count {
      let byte = text[position]
      if byte < 0x80 {
        guard LetterKind.isWordByte(byte) else { break }
        position += 1
        continue
      }
      let (scalar, length) = scalar(in: text, at: position)
      guard [.letter, .digit, .mark].contains(LetterKind(scalar)) else { break }
      position += length
    }
    return position
  }

  private static func runEnd(in text: [UInt8], from start: Int) -> Int {
    var position = start
    while position < text.count {
      let (scalar, length) = scalar(in: text, at: position)
      let kind = LetterKind(scalar)
      guard kind == .unspaced || kind == .mark else { break }
      position += length
    }
    return position
  }

  /// What stands between two words that belong together.
  private static func joint(in text: [UInt8], at position: Int) -> (kind: UInt8, length: Int)? {
    guard position > 0, position + 1 < text.count else { return nil }
    var kind = text[position]
    var length = 1
    switch kind {
    case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "@"),
      UInt8(ascii: "'"), UInt8(ascii: "+"), UInt8(ascii: "&"):
      break
    case UInt8(ascii: ","):
      let isNumber =
        (0x30...0x39).contains(text[position - 1]) && (0x30...0x39).contains(text[position + 1])
      if !isNumber { return nil }
    case 0xE2:
      // ‐ and ‑ are hyphens, ’ is an apostrophe.
      guard position + 3 < text.count, text[position + 1] == 0x80 else { return nil }
      switch text[position + 2] {
      case 0x90, 0x91: kind = UInt8(ascii: "-")
      case 0x99: kind = UInt8(ascii: "'")
      default: return nil
      }
      length = 3
    default: return nil
    }
    let next = scalar(in: text, at: position + length).scalar
    let kinds: [LetterKind] = [.letter, .digit]
    return kinds.contains(LetterKind(next)) ? (kind, length) : nil
  }

  /// The text is known to be well-formed.
  static func scalar(in bytes: [UInt8], at position: Int) -> (scalar: Unicode.Scalar, length: Int) {
    let first = UInt32(bytes[position])
    if first < 0x80 { return (Unicode.Scalar(UInt8(first)), 1) }
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    var value = first & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F)
    var end = 1
    while end < length, position + end < bytes.count {
      value = value << 6 | UInt32(bytes[position + end] & 0x3F)
      end += 1
    }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", end)
  }

  /// The bytes of a text that are read, lower-cased.
  static func lowered(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    var isPlain = true
    var text = text
    text.withUTF8 { utf8 in
      var count = min(utf8.count, longestText)
      // Not in the midst of a letter.
      if count < utf8.count { while count > 0, unsafe utf8[count] & 0xC0 == 0x80 { count -= 1 } }
      bytes = unsafe Array(utf8[..<count])
    }
    for place in bytes.indices {
      let byte = bytes[place]
      if byte >= 0x80 { isPlain = false }
      if byte >= 0x41, byte <= 0x5A { bytes[place] = byte | 0x20 }
    }
    return isPlain ? bytes : FoldedText.lowered(bytes) ?? bytes
  }
}

private enum LetterKind {
  case letter, digit, mark, unspaced, symbol, other

  init(_ scalar: Unicode.Scalar) {
    if scalar.value < 0x80 {
      let byte = UInt8(truncatingIfNeeded: scalar.value)
      self = !Self.isWordByte(byte) ? .other : byte < 0x3A ? .digit : .letter
      return
    }
    switch scalar.properties.generalCategory {
    case .lowercaseLetter, .uppercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .letterNumber:
      self = WritingSystem(scalar) == .unspaced ? .unspaced : .letter
    case .nonspacingMark, .spacingMark, .enclosingMark: self = .mark
    case .decimalNumber, .otherNumber: self = .digit
    // Pictures are words.
    case .otherSymbol: self = .symbol
    default: self = .other
    }
  }

  static func isWordByte(_ byte: UInt8) -> Bool {
    byte >= 0x61 && byte <= 0x7A || byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x5A
  }
}
