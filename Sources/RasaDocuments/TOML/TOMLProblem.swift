import RasaCore

/// A problem that toml++ reports, in its words: `Error while parsing <what>: <reason>`.
struct TOMLProblem {
  let what: String
  let reason: String
  private let place: TOMLValue.Place

  init(description: String, place: TOMLValue.Place) {
    let words = SourceText.printable(description)
    let opening = "Error while parsing "
    self.place = place
    guard words.hasPrefix(opening), let colon = Self.colon(in: words) else {
      what = "file"
      reason = words
      return
    }
    what = String(words[words.index(words.startIndex, offsetBy: opening.count)..<colon])
    reason = String(words[words.index(colon, offsetBy: 2)...])
  }

  private static func colon(in words: String) -> String.Index? {
    guard let colon = words.firstIndex(of: ":"),
      words[colon...].hasPrefix(": ")
    else { return nil }
    return colon
  }

  /// The failure that people see: what is wrong where, and what to write instead.
  func failure(in source: SourceText, _ text: ArraySlice<UInt8>) -> Failure {
    let range = source.bytes(ofLine: place.line) ?? 0..<0
    let line = Array(
      String(
        decoding: text[
          (text.startIndex + range.lowerBound)..<(text.startIndex + range.upperBound)],
        as: UTF8.self
      ).unicodeScalars)
    var column = max(1, place.column)
    if Self.simpleValues.contains(where: what.hasSuffix) {
      // toml++ notices at the end of such a value; an author looks at its beginning.
      column = min(column, line.count + 1)
      while column > 1, !Self.opensValue(line[column - 2]) { column -= 1 }
    }
    let endsLine = column > line.count || line[column - 1] == "\n" || line[column - 1] == "\r"
    let (message, suggestion) = words(endsLine: endsLine)
    return source.failure(
      message, suggestion: suggestion,
      at: SourceLocation(file: source.file, line: max(1, place.line), column: column))
  }

  private static let simpleValues = [
    "integer", "floating-point", "boolean", "date", "time", "value",
  ]

  private static func opensValue(_ scalar: Unicode.Scalar) -> Bool {
    scalar == " " || scalar == "\t" || scalar == "=" || scalar == "," || scalar == "["
  }
}

// MARK: Words

extension TOMLProblem {
  private func words(endsLine: Bool) -> (message: String, suggestion: String) {
    if reason.hasPrefix("encountered end-of-file") { return endOfFile }
    if what.hasSuffix("string"), endsLine {
      return (
        "the text is not closed at the end of the line",
        "close the quote, or put three quotes on both sides of a text of several lines"
      )
    }
    if reason.hasBytes("not representable in 64 bits") { return tooLarge }
    if reason.hasPrefix("cannot redefine") { return definedTwice }
    if reason.hasPrefix("cannot insert") {
      return (
        "\(quoted ?? "a key") is added to a table that is written in braces",
        "write the whole table in one place"
      )
    }
    if what == "boolean" {
      return ("this is neither true nor false", "write it in lower case, or put text in quotes")
    }
    for (beginning, message, suggestion) in Self.table where reason.hasPrefix(beginning) {
      return (message ?? reason, suggestion)
    }
    if what.hasSuffix("date") || what.hasSuffix("time") {
      return (reason, "write dates as 2026-01-31 and times as 07:30:00, or put text in quotes")
    }
    return ("\(reason), in a \(what)", "correct it; https://toml.io says how values are written")
  }

  /// The beginning of a reason, what to say instead (nil for the reason itself), and the suggestion.
  static let table: [(beginning: String, message: String?, suggestion: String)] = [
    (
      "could not determine value type", "this is not a TOML value",
      "put text in quotes; write true or false for yes or no"
    ),
    (
      "expected value, saw", "a value is missing here",
      "write one, or remove the line; \"\" is the empty text"
    ),
    (
      "expected '=', saw '", "expected '=' after the key",
      "write `key = value`, and put a key with other than letters, digits, _ and - in quotes"
    ),
    (
      "expected keys, tables, whitespace or comments", "a key cannot begin here",
      "write `key = value` or `[table]`; put a key with other than letters, digits, _ and - in "
        + "quotes"
    ),
    (
      "expected a comment or whitespace", "unexpected text at the end of the line",
      "begin a new line for the next key, and put text in quotes"
    ),
    (
      "expected comma or closing ']'", "expected ',' or ']'",
      "separate the items of the list with ',' and close it with ']'"
    ),
    (
      "expected value or closing ']'", "an item of the list is missing here", "remove one ','"
    ),
    (
      "expected comma or closing '}'", "expected ',' or '}'",
      "separate the members with ',' and close the braces with '}'"
    ),
    (
      "expected key or closing '}'", "expected a key",
      "keep the braces on one line, or write a [table] instead"
    ),
    (
      "expected key-value pair", "expected a key",
      "remove the ',' before it: a list in braces has no trailing comma"
    ),
    ("expected ']'", "expected ']'", "close the name of the table with ']'"),
    (
      "expected '\\n' after '\\r'", "a carriage return is not followed by a line feed",
      "save the file with line endings LF or CRLF"
    ),
    ("leading zeroes", "a number has a leading zero", "remove the zero, or put the text in quotes"),
    ("underscores", "an underscore must be between digits", "remove it"),
    ("values may not begin with underscores", nil, "put text in quotes"),
    (
      "unknown escape sequence", nil,
      "write \\\\ for a backslash, or put the text in single quotes"
    ),
    ("tables with blank bare keys", "the table has no name", "write the name of the table"),
    (
      "expected bare key starting character", "expected a name",
      "write one, or put the whole key in quotes"
    ),
    (
      "multi-line strings are prohibited in", "a key cannot have three quotes",
      "put it in single quotes of one kind"
    ),
    ("numeric value too long", "the number is too long", "put it in quotes to keep it as text"),
  ]

  private var endOfFile: (message: String, suggestion: String) {
    switch what {
    case _ where what.hasSuffix("string"):
      ("the text is not closed before the end of the file", "close it with what opens it")
    case "array": ("the list is not closed before the end of the file", "close it with ']'")
    case "inline table":
      ("the braces are not closed before the end of the file", "close them with '}'")
    case "table header":
      ("the name of the table is not closed before the end of the file", "close it with ']'")
    default: ("the file ends in the middle of this \(what)", "complete it")
    }
  }

  private var tooLarge: (message: String, suggestion: String) {
    let number = quoted ?? "this number"
    return what == "floating-point"
      ? ("\(number) is too large for a number", "put it in quotes to keep it as text")
      : ("\(number) does not fit the 64 bits of an integer", "put it in quotes to keep it as text")
  }

  private var definedTwice: (message: String, suggestion: String) {
    guard let quoted else {
      return (
        "this adds to a table that is already complete", "write all keys of the table in one place"
      )
    }
    return ("\(quoted) is defined twice", "keep one of the two")
  }

  /// The quoted part of the reason, with its quotes.
  private var quoted: String? {
    guard let open = reason.firstIndex(of: "'"),
      let close = reason.lastIndex(of: "'"), open < close
    else { return nil }
    return String(reason[open...close])
  }
}
