import RasaCore

/// What an option's value must look like.
package enum ValueFormat: Sendable {
  case text
  case choice([Choice])
  /// One or more of these words, with commas between them.
  case choices([Choice])
  /// Dollars, as decimal text.
  case money
  case integer(ClosedRange<Int>)
  /// `key=value`.
  case pair
  /// `key=value` as well, where the key is a path in the state and keeps its letters.
  case assignment
  /// `90d`, `12h`, `30m`, `45s`.
  case age
  /// `2026-01-31`, `7d`, `today`, `month`.
  case day
}

/// A word that an option takes as its value.
package struct Choice: Sendable, ExpressibleByStringLiteral {
  package var word: String
  /// The word that it stands for: itself, unless it is another spelling.
  package var meaning: String
  /// Why this version does not take the word.
  package var refusal: String?
  /// What it says, where that is worth telling while somebody chooses.
  package var help: String

  package init(
    _ word: String, means meaning: String? = nil, refusal: String? = nil, help: String = ""
  ) {
    self.help = help
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
    guard !text.unicodeScalars.allSatisfy(\.properties.isWhitespace) else {
      throw ValueProblem(message: "the value of `\(spelling)` is empty", advice: "")
    }
    switch self {
    case .text: return text
    case .choice(let choices): return try chosen(text, among: choices, of: spelling)
    case .choices(let choices):
      let words = text.split(atByte: ",")
      return try words.map { (word) throws(ValueProblem) in
        try chosen(String(word.trimmedByScalars), among: choices, of: spelling)
      }.joined(separator: ",")
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
    case .assignment:
      if keyPathAndValue(text) != nil { return text }
      throw ValueProblem(
        message: "`\(spelling)` takes key=value, not \(quoted(text))",
        advice: "write it as in `\(spelling) critique.verdict=pass`")
    case .age:
      if milliseconds(ofAge: text) != nil { return text }
      throw ValueProblem(
        message: "`\(spelling)` takes a length of time, not \(quoted(text))",
        advice: "write it as in `\(spelling) 30d`, with d, h, m or s")
    case .day:
      if NamedDay(text) != nil { return text }
      throw ValueProblem(
        message: "`\(spelling)` takes a day, not \(quoted(text))",
        advice: "write it as in `\(spelling) 2026-01-31`, or as 7d, today or month")
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

/// The two sides of the first `=`: the key trimmed and in lower case, the value as it stands; nil
/// without `=` or without key.
func keyAndValue(_ text: String) -> (key: String, value: String)? {
  let sides = text.split(atByte: "=", maxSplits: 1)
  guard sides.count == 2 else { return nil }
  let key = sides[0].trimmedByScalars.lowercased()
  return key.isEmpty ? nil : (key, String(sides[1]))
}

/// The path and the value of `key=value`; nil without `=`, and when the key is no path.
func keyPathAndValue(_ text: String) -> (path: StatePath, value: String)? {
  let sides = text.split(atByte: "=", maxSplits: 1)
  guard sides.count == 2 else { return nil }
  let path = StatePath(String(sides[0].trimmedByScalars))
  let isPath = path.components.allSatisfy { component in
    !component.isEmpty && !component.unicodeScalars.contains(where: \.properties.isWhitespace)
  }
  return isPath ? (path, String(sides[1])) : nil
}

/// A whole number with its unit: days, hours, minutes or seconds; a hundred years at most.
func milliseconds(ofAge text: String) -> Int64? {
  let units: [Character: Int64] = ["d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000]
  guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count >= 0
  else { return nil }
  let (product, overflow) = count.multipliedReportingOverflow(by: unit)
  return overflow || product > 36_525 * 86_400_000 ? nil : product
}

/// A day as people name it, which may depend on what day it is.
enum NamedDay: Hashable {
  case date(LocalDay)
  /// So many days ago.
  case ago(Int)
  case firstOfMonth

  init?(_ text: String) {
    switch text {
    case "today": self = .ago(0)
    case "month": self = .firstOfMonth
    default:
      if let day = LocalDay(text) {
        self = .date(day)
      } else if text.last == "d", let count = Int(text.dropLast()), (0...36_525).contains(count) {
        self = .ago(count)
      } else {
        return nil
      }
    }
  }

  func day(from today: LocalDay) -> LocalDay {
    switch self {
    case .date(let day): day
    case .ago(let count): today.advanced(byDays: -count)
    case .firstOfMonth: today.firstOfMonth
    }
  }
}
