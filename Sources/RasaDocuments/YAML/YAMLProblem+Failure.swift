import RasaCore

extension YAMLProblem {
  /// The failure that people see: what is wrong where, and what to write instead.
  func failure(in source: SourceText) -> Failure {
    let location =
      scalar.map { source.location(ofScalar: $0) } ?? source.location(ofByte: byte)
    let start = source.location(ofScalar: contextScalar)
    switch (problem, context) {
    case ("found unexpected end of stream", "while scanning a quoted scalar"),
      ("found unexpected document indicator", "while scanning a quoted scalar"):
      return source.failure(
        "the quote that opens here is never closed",
        suggestion: "close it; a quote inside a quoted "
          + "text is written \\\" in double and '' in single quotes", at: start)
    case ("did not find expected ',' or ']'", _):
      return source.failure(
        "expected ',' or ']'",
        suggestion: "separate the items of the list with ',' and close "
          + "it with ']'", at: location, details: ["the list begins at \(start)"])
    case ("did not find expected ',' or '}'", _):
      return source.failure(
        "expected ',' or '}'",
        suggestion: "separate the members with ',' and close the "
          + "mapping with '}'", at: location, details: ["the mapping begins at \(start)"])
    case ("did not find expected '-' indicator", _):
      return source.failure(
        "expected a list item, which begins with '- '",
        suggestion: "indent the line like its neighbours, or begin it with '- '", at: location,
        details: ["the list begins at \(start)"])
    case ("did not find expected key", _):
      return source.failure(
        "expected a key",
        suggestion: "check the indentation, and that nothing follows a closing quote",
        at: location, details: ["the mapping begins at \(start)"])
    case ("could not find expected ':'", _):
      return source.failure(
        "expected ':' after this key",
        suggestion: "write 'key: value'; a text of several lines needs "
          + "'|' or '>' after its key", at: start)
    case ("found unknown directive name", _):
      return source.failure(
        "a line that begins with '%' is not allowed here", suggestion: "indent or quote it",
        at: start)
    case ("found character that cannot start any token", _):
      return source.failure(
        "a value cannot begin with this character",
        suggestion:
          "indent with spaces instead of tabs; quote a text that begins with '@', '`' or '%'",
        at: location)
    default:
      let known = Self.known[problem]
      return source.failure(
        known?.message ?? "this is not YAML: \(problem)",
        suggestion: known?.suggestion ?? "correct it, or quote the text", at: location)
    }
  }

  static let known: [String: (message: String, suggestion: String)] = [
    "mapping values are not allowed in this context": (
      "':' is not allowed here",
      "quote a text that contains ': ', or correct the "
        + "indentation"
    ),
    "block sequence entries are not allowed in this context": (
      "a list item cannot begin here", "put the first '- ' on a line of its own"
    ),
    "mapping keys are not allowed in this context": (
      "a key cannot begin here", "put it on a line of its own"
    ),
    "did not find expected node content": (
      "a value is missing here", "write the value, or quote the text"
    ),
    "did not find expected <document start>": (
      "unexpected text after the end of the document", "indent it like the rest, or remove it"
    ),
    "did not find expected alphabetic or numeric character": (
      "'&' begins an anchor and '*' an alias, which need a name",
      "quote a text that begins with '&' or '*'"
    ),
    "did not find expected whitespace or line break": (
      "a space is missing here", "put a space after the tag or the anchor"
    ),
    "did not find expected comment or line break": (
      "only a comment may follow '|' or '>' on its line", "begin the text on the next line"
    ),
    "found unknown escape character": (
      "a backslash in double quotes does not begin a valid escape",
      "write \\\\ for a backslash, or use single quotes"
    ),
    "did not find expected hexdecimal number": (
      "an escape needs hexadecimal digits here", "write \\\\ for a backslash, or use single quotes"
    ),
    "found invalid Unicode character escape code": (
      "this escape is not a valid character", "write the character itself"
    ),
    "found a tab character where an indentation space is expected": (
      "the indentation contains a tab", "indent with spaces"
    ),
    "found a tab character that violates indentation": (
      "the indentation contains a tab", "indent with spaces"
    ),
    "found undefined tag handle": ("this tag is not known", "remove the tag"),
    "found incompatible YAML document": (
      "the file asks for a version of YAML that is not supported", "remove the '%YAML' line"
    ),
    "control characters are not allowed": (
      "the file contains a control character", "remove it"
    ),
    "out of memory": ("there is not enough memory to read the file", "make it smaller"),
  ]
}
