/// A word from the command line as a one-line message can show it.
package func quoted(_ word: String, atMost limit: Int = 60) -> String {
  var shown = ""
  for (count, character) in word.enumerated() {
    if count == limit { return "`\(shown)…`" }
    let isPrintable = character.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: false
      default: true
      }
    }
    shown.append(isPrintable ? character : " ")
  }
  return "`\(shown)`"
}

/// `a, b or c`.
package func listed(_ words: [String], _ conjunction: String) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return "\(words.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
}
