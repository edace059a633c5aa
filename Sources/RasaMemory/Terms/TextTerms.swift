import RasaLanguage

/// A text as a search sees it.
package struct TextTerms: Sendable, Hashable {
  /// In the order of the text, with repetitions. Each is a word's stem, a pair of characters or a number, without
  /// white space.
  package var terms: [String]
  /// The language of the text as an ISO 639 code; empty where it is not known.
  package var language: String

  package init(terms: [String], language: String) {
    self.terms = terms
    self.language = language
  }

  /// The terms of a text that is stored. The language is found from the text if it is not given.
  package static func stored(_ text: String, language: String? = nil) -> TextTerms {
    let language = language ?? writtenLanguage(of: text) ?? ""
    return TextTerms(terms: terms(of: text, [language]), language: language)
  }

  /// The terms of a question among texts of those languages: a word may have a term for each of them.
  package static func query(_ text: String, languages: [String]) -> TextTerms {
    TextTerms(terms: terms(of: text, languages), language: "")
  }

  private static func terms(of text: String, _ languages: [String]) -> [String] {
    var reader = TermReader(languages: TermReader.languages(languages))
    var terms: [String] = []
    reader.read(TermReader.lowered(text)) { term, _, _ in
      terms.append(String(decoding: term, as: UTF8.self))
      return terms.count < IndexedText.mostTerms
    }
    return terms
  }
}

extension TermReader {
  static func languages(_ codes: [String]) -> [WordLanguage] {
    var languages: [WordLanguage] = []
    for code in codes.isEmpty ? [""] : codes {
      let language = WordLanguage(code: code)
      if !languages.contains(language) { languages.append(language) }
    }
    return languages
  }
}

/// What an index keeps of a text.
package struct IndexedText: Sendable, Hashable {
  package struct Occurrence: Sendable, Hashable {
    package var term: Term
    /// How often; 255 stands for more, too.
    package var count: UInt8
  }

  /// Each term once.
  package var occurrences: [Occurrence]
  /// The number of words.
  package var length: Int
  /// Whether the text ends with a question.
  package var isQuestion: Bool
  /// The names of the one who said it, as they would stand in a question.
  package var speaker: [Term]

  /// What else a longer text says is not found.
  static let mostTerms = 20_000

  /// - Parameter language: its ISO 639 code; empty where it is not known.
  package init(_ text: String, language: String, speaker: String? = nil) {
    var reader = TermReader(languages: TermReader.languages([language]))
    var counts: [Term: Int] = [:]
    var length = 0
    reader.read(TermReader.lowered(text)) { term, role, _ in
      counts[Term(term), default: 0] += 1
      if role == .word { length += 1 }
      return counts.count < Self.mostTerms
    }
    occurrences =
      counts.map { Occurrence(term: $0.key, count: UInt8(clamping: $0.value)) }
      .sorted { $0.term < $1.term }
    self.length = length
    isQuestion = Self.asks(text)
    self.speaker = speaker.map(Self.names(of:)) ?? []
  }

  /// The words of a name. Names have no stems.
  private static func names(of speaker: String) -> [Term] {
    var names: [Term] = []
    var reader = TermReader(languages: [.english])
    let text = TermReader.lowered(speaker)
    reader.read(text) { _, role, range in
      if role == .word, names.count < 4 { names.append(.speaker(text[range])) }
      return names.count < 4
    }
    return names
  }

  private static func asks(_ text: String) -> Bool {
    let last = text.unicodeScalars.last {
      !$0.properties.isWhitespace && !["\"", "'", ")", "*", "_", "”", "’", "»"].contains($0)
    }
    return ["?", "？", "؟", "՞", "⸮"].contains(last)
  }
}

extension Term {
  /// The name of somebody who says something, as one word, lower-cased.
  static func speaker(_ name: some Sequence<UInt8>) -> Term {
    Term(name, salt: 0x7370_6561_6B65_7221)
  }
}

/// What somebody looks for.
package struct QueryWords: Sendable, Hashable {
  package struct Word: Sendable, Hashable {
    /// As it stands in the question, lower-cased.
    package var text: String
    /// Any of them stands for the word.
    package var terms: [Term]
    /// The same word as the name of a speaker.
    package var name: Term
  }

  package var words: [Word]

  /// A question of more words is not read to its end.
  private static let mostWords = 256

  /// - Parameter languages: those of the texts that are searched, as ISO 639 codes; empty for an unknown one.
  package init(_ text: String, languages: [String]) {
    var reader = TermReader(languages: TermReader.languages(languages))
    let lowered = TermReader.lowered(text)
    var words: [Word] = []
    var places: [Term: Int] = [:]
    var isRepeated = false
    reader.read(lowered) { bytes, role, range in
      let term = Term(bytes)
      switch role {
      case .letter: return true
      case .form:
        if !isRepeated, let last = words.indices.last, !words[last].terms.contains(term) {
          words[last].terms.append(term)
        }
      case .word, .whole:
        isRepeated = places[term] != nil
        if isRepeated { return true }
        guard words.count < Self.mostWords else { return false }
        places[term] = words.count
        words.append(
          Word(
            text: String(decoding: lowered[range], as: UTF8.self), terms: [term],
            name: .speaker(lowered[range])))
      }
      return true
    }
    self.words = words
  }

  /// Every term that is looked up.
  package var terms: [Term] { words.flatMap(\.terms) }
}
