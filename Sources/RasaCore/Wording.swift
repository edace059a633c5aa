/// A word from the command line as a one-line message can show it.
package func quoted(_ word: String, atMost limit: Int = 60) -> String {
  var shown = ""
  for (count, character) in word.enumerated() {
    if count == limit { return "`\(shown)…`" }
    shown.append(character.unicodeScalars.allSatisfy(\.isPrintable) ? character : " ")
  }
  return "`\(shown)`"
}

/// `a, b or c`.
package func listed(_ words: [String], _ conjunction: String) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return "\(words.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
}

/// `300 ms`, `4.2 s`, `1 min 5 s`, `2 h 3 min`.
package func durationText(milliseconds: Int64) -> String {
  switch milliseconds {
  case ..<1000: "\(max(0, milliseconds)) ms"
  case ..<60_000: "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
  case ..<3_600_000: "\(milliseconds / 60_000) min \(milliseconds % 60_000 / 1000) s"
  default: "\(milliseconds / 3_600_000) h \(milliseconds % 3_600_000 / 60_000) min"
  }
}
