import RasaCore

/// How many working notes a store keeps, and how many memories it returns if none matches.
enum MemoryBounds {
  static let notesPerSession = 200
  static let noteAge: Int64 = 30 * 24 * 60 * 60 * 1000
  /// How many of the newest memories are returned if none matches the query.
  static let memoriesUnasked = 5
  /// More words make a query slower and not more precise.
  static let wordsPerQuery = 64

  static func oldestNote(at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds.subtractingReportingOverflow(noteAge).partialValue)
  }
}

/// The words of a text: runs of letters, digits and marks, lower-cased, each once.
func searchWords(of text: String) -> [String] {
  var words: [String] = []
  var known: Set<String> = []
  var word = ""
  func finish() {
    if !word.isEmpty, words.count < MemoryBounds.wordsPerQuery, known.insert(word).inserted {
      words.append(word)
    }
    word = ""
  }
  for scalar in text.lowercased().unicodeScalars {
    if scalar.isPartOfWord { word.unicodeScalars.append(scalar) } else { finish() }
    if words.count == MemoryBounds.wordsPerQuery { return words }
  }
  finish()
  return words
}

extension Unicode.Scalar {
  fileprivate var isPartOfWord: Bool {
    if isASCII { return properties.isAlphabetic || ("0"..."9").contains(self) }
    return switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
      .decimalNumber, .letterNumber, .otherNumber, .nonspacingMark, .spacingMark:
      true
    default: false
    }
  }
}
