import RasaSystem

/// Words with a similar meaning, or that belong together: the meaning of `related` in a score.
///
/// A table is text. A line `bug, defect, crash` relates each of its words and phrases to the
/// others. In `testing: coverage, how do i test` those after the colon are signs of the one before
/// it: a task with a sign may need it, but not the other way round. A sign may be a phrase of up to
/// five words, including stop words. Text after ` #` is a comment.
///
/// Beside the tables stand the words that are near each other in English: see `WordRelations`.
package struct RelatedTerms: Sendable {
  private struct Line {
    /// Nil if all items are related to each other.
    var heads: ArraySlice<UInt8>?
    var items: [ArraySlice<UInt8>]
  }
  private struct Place {
    var line: Int
    var item: Int
  }

  private var lines: [Line] = []
  /// Items by the start of their first word. They are turned into terms only when a task has a word
  /// with that start: converting all of them would take longer than everything else.
  private var places: [WordBeginning: [Place]] = [:]

  let words: WordRelations?

  package init(_ tables: [String] = [], words: WordRelations? = nil) {
    self.words = words
    for table in tables {
      for line in Array(table.utf8).split(separator: UInt8(ascii: "\n")) { add(line) }
    }
  }

  private mutating func add(_ line: ArraySlice<UInt8>) {
    let line = Self.withoutComment(line)
    let colon = line.firstIndex(of: UInt8(ascii: ":"))
    let items = line[(colon.map { $0 + 1 } ?? line.startIndex)...]
      .split(separator: UInt8(ascii: ","))
    for (index, item) in items.enumerated() {
      guard let beginning = WordBeginning(ofText: item) else { continue }
      places[beginning, default: []].append(Place(line: lines.count, item: index))
    }
    lines.append(Line(heads: colon.map { line[..<$0] }, items: items))
  }

  /// The longest phrase that is a sign, in words.
  static let longestSign = 5
  /// More related terms than this add nothing.
  private static let most = 160

  /// The terms related to each of these.
  ///
  /// - Parameter beginnings: the beginnings of the words in the terms.
  func relations(
    of wanted: Set<TermHash>, beginnings: Set<WordBeginning>
  ) -> [TermHash: [TermHash]] {
    var relations: [TermHash: [TermHash]] = [:]
    var others: [Int: [TermHash]] = [:]
    var reader = Tokenizer()
    for beginning in beginnings.union([.any]).sorted() {
      for place in places[beginning] ?? [] {
        let line = lines[place.line]
        let isSign = line.heads != nil
        let terms = Self.terms(line.items[place.item], isSign: isSign, &reader)
        for term in terms where wanted.contains(term) {
          let related =
            others[place.line]
            ?? (line.heads.map { $0.split(separator: UInt8(ascii: ",")) } ?? line.items)
            .flatMap { Self.terms($0, isSign: false, &reader) }
          others[place.line] = related
          for other in related where !terms.contains(other) {
            let known = relations[term, default: []]
            guard known.count < Self.most, !known.contains(other) else { continue }
            relations[term, default: []].append(other)
          }
        }
      }
    }
    return relations
  }

  private static func withoutComment(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var previous = UInt8(ascii: " ")
    for (index, byte) in zip(line.indices, line) {
      if byte == UInt8(ascii: "#"), previous == UInt8(ascii: " ") { return line[..<index] }
      previous = byte
    }
    return line
  }

  /// The term of an item, and its form as one word.
  private static func terms(
    _ item: ArraySlice<UInt8>, isSign: Bool, _ reader: inout Tokenizer
  ) -> [TermHash] {
    reader.read(String(decoding: item, as: UTF8.self))
    let words = reader.tokens.filter { $0.kind == .word || (isSign && $0.kind == .stopWord) }
    let whole = reader.letters.indices
    let compounds = reader.tokens.filter { $0.kind == .compound && $0.range == whole }.map(\.hash)
    switch words.count {
    case 0: return []
    case 1: return [words[0].hash] + (words[0].range == whole ? [] : compounds)
    case 2...longestSign: return [TermHash(phrase: words.map(\.hash))] + compounds
    default: return isSign ? [] : [TermHash(phrase: words.map(\.hash))]
    }
  }
}

/// The first two letters of a word, which its stem keeps.
struct WordBeginning: Hashable, Comparable {
  private var bits: UInt16

  /// For words with several possible starts: non-ASCII letters, hyphens.
  static let any = WordBeginning(bits: 0)

  private init(bits: UInt16) { self.bits = bits }

  private init(_ first: UInt8, _ second: UInt8) { bits = UInt16(first) << 8 | UInt16(second) }

  /// Of a lowercase word.
  init(ofWord word: ArraySlice<UInt8>) {
    self.init(word.first ?? 0, word.dropFirst().first ?? 0)
  }

  /// Of the first word of a text; nil if there is none.
  init?(ofText text: ArraySlice<UInt8>) {
    var first: UInt8?
    for byte in text {
      let lower = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
      let isPart =
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(lower)
      switch (first, byte) {
      case (_, 0x80...), (.some, UInt8(ascii: "-")), (.some, UInt8(ascii: "_")):
        self = .any
        return
      // `i'm` starts like `im`.
      case (_, UInt8(ascii: "'")): continue
      case (nil, _): if isPart { first = lower }
      case (let start?, _):
        // `c++` and `c#` are words.
        let isSuffix = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "#")
        self.init(start, isPart || isSuffix ? lower : 0)
        return
      }
    }
    guard let first else { return nil }
    self.init(first, 0)
  }

  static func < (left: WordBeginning, right: WordBeginning) -> Bool { left.bits < right.bits }
}

extension RelatedTerms {
  private static let shippedTable = String(
    decoding: EmbeddedFiles.bytes(of: "models/terms.txt") ?? [], as: UTF8.self)

  /// What ships, and the user's own table beside it.
  package static func shipped(with own: String? = nil) -> RelatedTerms {
    RelatedTerms([shippedTable] + (own.map { [$0] } ?? []), words: .shipped)
  }
}
