import RasaLanguage

/// Splits texts into words for comparing tasks and agents: lowercased and stemmed.
///
/// `system_design`, `system-design` and `systemDesign` are two words and their compound.
/// `PostgreSQL` is one word and the phrase of its parts. In scripts without spaces each character
/// is a word.
struct Tokenizer {
  struct Token {
    enum Kind {
      case word
      /// A word that says nothing about a text.
      case stopWord
      /// The previous words written as one, or its parts as a phrase.
      case compound
      /// The words on either side of it do not form a phrase.
      case end
    }
    var kind: Kind
    var hash: TermHash
    /// The lowercased letters, in `letters`.
    var range: Range<Int>
  }

  private(set) var tokens: [Token] = []
  private(set) var letters: [UInt8] = []

  private let stemmer = Stemmer()
  private let known: StemCache.Words
  /// Most words occur more than once in a text.
  private(set) var learnt: StemCache.Words = [:]
  private var word = OpenWord()

  /// The longest word that is read; anything longer is not a word of a language.
  private static let longestWord = 64

  init(knowing known: StemCache.Words = [:]) { self.known = known }

  /// Reads a text into `tokens`, replacing those of the previous text.
  mutating func read(_ text: String) {
    tokens.removeAll(keepingCapacity: true)
    letters.removeAll(keepingCapacity: true)
    word.reset(to: 0)
    var text = text
    text.makeContiguousUTF8()
    let bytes = text.utf8.span
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if byte < 0x80 {
        take(byte)
        position += 1
      } else {
        let (scalar, length) = Self.scalar(in: bytes, at: position)
        take(scalar)
        position += length
      }
    }
    close()
  }

  /// A scalar beyond ASCII; the text is known to be well-formed.
  private static func scalar(
    in bytes: borrowing Span<UInt8>, at position: Int
  ) -> (scalar: Unicode.Scalar, length: Int) {
    let first = UInt32(bytes[position])
    let length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
    var value = first & (length == 4 ? 0x07 : length == 3 ? 0x0F : 0x1F)
    for offset in 1..<length where position + offset < bytes.count {
      value = value << 6 | UInt32(bytes[position + offset] & 0x3F)
    }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }

  /// Nearly all letters of nearly all texts go on with a word in small letters.
  @inline(__always)
  private mutating func take(_ byte: UInt8) {
    if byte >= UInt8(ascii: "a"), byte <= UInt8(ascii: "z"), !word.isJoined,
      word.start < letters.count
    {
      letters.append(byte)
      word.last = .lower
    } else {
      take(Unicode.Scalar(byte))
    }
  }

  func text(_ tokens: some Sequence<Token>) -> String {
    tokens.map { text(of: $0) }.joined(separator: " ")
  }

  func text(of token: Token) -> String { String(decoding: letters[token.range], as: UTF8.self) }

  // MARK: Scalars

  private mutating func take(_ scalar: Unicode.Scalar) {
    let kind = ScalarKind(scalar)
    switch kind {
    case .lower, .upper, .digit: append(scalar, kind)
    case .sign:
      close()
      append(scalar, .lower)
      close()
    case .joiner: word.isJoined = !word.isEmpty(letters.count)
    case .apostrophe:
      if !word.isEmpty(letters.count) { word.apostrophe = letters.count }
    case .suffix:
      // `c++` and `c#` are names.
      if !word.isEmpty(letters.count), letters.count - word.start <= 2, word.cuts.isEmpty {
        letters += Array(String(scalar).utf8)
      } else {
        close()
      }
    case .space: close()
    case .end:
      close()
      end()
    }
  }

  private mutating func append(_ scalar: Unicode.Scalar, _ kind: ScalarKind) {
    if word.isEmpty(letters.count) {
      word.start = letters.count
      word.beginsUpper = kind == .upper
    } else if word.isJoined {
      word.cuts.append(letters.count)
      word.isWrittenApart = true
    } else if kind == .upper, word.last == .lower {
      word.cuts.append(letters.count)
    }
    word.isJoined = false
    word.last = kind
    if kind == .upper, scalar.isASCII {
      letters.append(UInt8(truncatingIfNeeded: scalar.value) + 32)
    } else if scalar.isASCII {
      letters.append(UInt8(truncatingIfNeeded: scalar.value))
    } else {
      letters += Array(scalar.properties.lowercaseMapping.utf8)
    }
  }

  // MARK: Words

  private mutating func end() {
    if let last = tokens.last, last.kind != .end {
      tokens.append(
        Token(kind: .end, hash: TermHash(bits: 0), range: letters.count..<letters.count))
    }
  }

  private mutating func close() {
    defer { word.reset(to: letters.count) }
    guard !word.isEmpty(letters.count) else { return }
    // `user's` is the user; `don't` is one word.
    if let apostrophe = word.apostrophe, apostrophe > word.start, letters.count - apostrophe == 1,
      letters.last == UInt8(ascii: "s")
    {
      letters.removeLast()
    }
    let whole = word.start..<letters.count
    if word.cuts.isEmpty { return add(whole) }
    let cuts = word.cuts.filter { whole.contains($0) && $0 > whole.lowerBound }
    guard !cuts.isEmpty else { return add(whole) }
    let bounds = [whole.lowerBound] + cuts + [whole.upperBound]
    let parts = zip(bounds, bounds.dropFirst()).map { $0..<$1 }
    if word.beginsUpper, !word.isWrittenApart {
      add(whole)
      let phrase = TermHash(phrase: parts.map { look($0).hash })
      tokens.append(Token(kind: .compound, hash: phrase, range: whole))
    } else {
      for part in parts { add(part) }
      tokens.append(Token(kind: .compound, hash: look(whole).hash, range: whole))
    }
  }

  private mutating func add(_ range: Range<Int>) {
    let found = look(range)
    tokens.append(
      Token(kind: found.isStopWord ? .stopWord : .word, hash: found.hash, range: range))
  }

  private mutating func look(_ range: Range<Int>) -> KnownWord {
    let bytes = letters[range].prefix(Self.longestWord)
    let key = TermHash.wide(bytes)
    if let found = known[key] ?? learnt[key] { return found }
    let found = KnownWord(
      hash: TermHash(stem: stemmer.stem(Array(bytes))),
      isStopWord: StopWords.contains(bytes, key: key))
    learnt[key] = found
    return found
  }

  /// The hash of a word that the text writes as two.
  mutating func joined(_ first: Token, _ second: Token) -> TermHash {
    TermHash(stem: stemmer.stem(Array((letters[first.range] + letters[second.range]).prefix(128))))
  }
}

/// A word whose end has not been seen.
private struct OpenWord {
  var start = 0
  /// Where it may be cut: at hyphens, underscores, and before capitals after small letters.
  var cuts: [Int] = []
  var isJoined = false
  var isWrittenApart = false
  var beginsUpper = false
  var apostrophe: Int?
  var last = ScalarKind.space

  func isEmpty(_ end: Int) -> Bool { end == start }

  mutating func reset(to position: Int) {
    start = position
    if !cuts.isEmpty { cuts.removeAll(keepingCapacity: true) }
    isJoined = false
    isWrittenApart = false
    beginsUpper = false
    apostrophe = nil
    last = .space
  }
}

private enum ScalarKind {
  case lower, upper, digit
  /// A word by itself.
  case sign
  case joiner, apostrophe, suffix, space, end

  init(_ scalar: Unicode.Scalar) {
    switch scalar {
    case "a"..."z": self = .lower
    case "A"..."Z": self = .upper
    case "0"..."9": self = .digit
    case "-", "_", "\u{2010}", "\u{2011}": self = .joiner
    case "'", "\u{2019}": self = .apostrophe
    case "+", "#": self = .suffix
    case ".", ",", ";", ":", "!", "?", "(", ")", "[", "]", "{", "}", "|", "\n", "\u{2014}":
      self = .end
    default: self = scalar.isASCII ? .space : Self.beyondASCII(scalar)
    }
  }

  private static func beyondASCII(_ scalar: Unicode.Scalar) -> ScalarKind {
    switch scalar.value {
    case 0x2E80...0x303F where !scalar.properties.isAlphabetic: return .end
    case 0x0E00...0x0EFF, 0x2E80...0x31FF, 0x3400...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFD:
      return .sign
    default: break
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .titlecaseLetter: return .upper
    case .lowercaseLetter, .otherLetter, .modifierLetter, .letterNumber: return .lower
    // Marks belong to the letter before them.
    case .nonspacingMark, .spacingMark: return .lower
    case .decimalNumber, .otherNumber: return .digit
    case .otherPunctuation, .openPunctuation, .closePunctuation, .paragraphSeparator,
      .lineSeparator:
      return .end
    default: return .space
    }
  }
}
