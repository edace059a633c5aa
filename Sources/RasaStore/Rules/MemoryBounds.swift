import RasaCore

/// How many working notes a store keeps, and how much of a text it indexes.
enum MemoryBounds {
  static let notesPerSession = 200
  static let noteAge: Int64 = 30 * 24 * 60 * 60 * 1000

  /// How many bytes of a text are indexed at most. It is kept whole; what comes after is found by nobody.
  static let indexedBytes = 64 * 1024

  /// The beginning of a text that is indexed, cut between characters of Unicode.
  static func indexed(_ text: String) -> String {
    if text.utf8.count <= indexedBytes { return text }
    var end = text.utf8.index(text.startIndex, offsetBy: indexedBytes)
    while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
      end = text.utf8.index(before: end)
    }
    return String(text[..<end])
  }

  static func oldestNote(at now: Timestamp) -> Timestamp {
    Timestamp(milliseconds: now.milliseconds.subtractingReportingOverflow(noteAge).partialValue)
  }
}
