import RasaCore

/// What an option's value must look like.
package enum ValueFormat: Sendable {
  case text
  case choice([Choice])
  /// Dollars, as decimal text.
  case money
  case integer(ClosedRange<Int>)
  /// `key=value`.
  case pair
}

/// A word that an option takes as its value.
package struct Choice: Sendable, ExpressibleByStringLiteral {
  package var word: String
  /// The word that it stands for: itself, unless it is another spelling.
  package var meaning: String
  /// Why this version does not take the word.
  package var refusal: String?

  package init(_ word: String, means meaning: String? = nil, refusal: String? = nil) {
    self.word = word
    self.meaning = meaning ?? word
    self.refusal = refusal
  }

  package init(stringLiteral word: String) { self.init(word) }
}

/// Why a value does not fit, and what would.
struct ValueProblem: Error {
  var message: String
  var advice: String
}

extension ValueFormat {
  /// The value as commands read it, from the text as it was written.
  func checked(_ text: String, of spelling: String) throws(ValueProblem) -> String {
    guard !text.allSatisfy(\.isWhitespace) else {
      throw ValueProblem(message: "the value of `\(spelling)` is empty", advice: "")
    }
    switch self {
    case .text: return text
    case .choice(let choices): return try chosen(text, among: choices, of: spelling)
    case .money:
      if let amount = Money(decimal: text), amount >= .zero { return text }
      throw ValueProblem(
        message: "`\(spelling)` takes an amount in US dollars, not \(quoted(text))",
        advice: "write it as in `\(spelling) 0.05`")
    case .integer(let range):
      if let number = Int(text), range.contains(number) { return text }
      throw ValueProblem(
        message: "`\(spelling)` takes a whole number from \(range.lowerBound) to "
          + "\(range.upperBound), not \(quoted(text))",
        advice: "")
    case .pair:
      if keyAndValue(text) != nil { return text }
      throw ValueProblem(
        message: "`\(spelling)` takes key=value, not \(quoted(text))",
        advice: "write it as in `\(spelling) risk_tolerance=low`")
    }
  }

  private func chosen(
    _ text: String, among choices: [Choice], of spelling: String
  ) throws(ValueProblem) -> String {
    guard let choice = choices.first(where: { $0.word == text }) else {
      let words = choices.filter { $0.refusal == nil }.map(\.word)
      let guess = nearestName(to: text, among: words).map { "did you mean `\($0)`? " } ?? ""
      throw ValueProblem(
        message: "`\(spelling)` cannot be \(quoted(text))",
        advice: "\(guess)it takes \(listed(words, "or"))")
    }
    if let refusal = choice.refusal {
      throw ValueProblem(message: "`\(spelling) \(text)`: \(refusal)", advice: "")
    }
    return choice.meaning
  }
}

/// The two sides of the first `=`, trimmed, the key in lower case; nil without `=` or without key.
func keyAndValue(_ text: String) -> (key: String, value: String)? {
  guard let equals = text.firstIndex(of: "=") else { return nil }
  let key = trimmed(text[..<equals]).lowercased()
  return key.isEmpty ? nil : (key, String(trimmed(text[text.index(after: equals)...])))
}

private func trimmed(_ text: Substring) -> Substring {
  var rest = text.drop(while: \.isWhitespace)
  while rest.last?.isWhitespace == true { rest.removeLast() }
  return rest
}
