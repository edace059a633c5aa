import RasaCore
import Testing

@testable import RasaDocuments

/// Errors are reworded by the text of the libraries' messages, which another version may change: these tests then fail.
@Suite("The words of the libraries")
struct LibraryWordsTests {
  private static let toml: [(text: String, what: String, reason: String)] = [
    ("a = @\n", "value", "could not determine value type"),
    ("a = \nb = 1", "key-value pair", "expected value, saw"),
    ("a\n", "key-value pair", "expected '=', saw '"),
    ("= 1\n", "root table", "expected keys, tables, whitespace or comments"),
    ("a = 1 2", "key-value pair", "expected a comment or whitespace"),
    ("a = [1\nb = 2", "array", "expected comma or closing ']'"),
    ("a = [1,,2]", "array", "expected value or closing ']'"),
    ("a = {b = 1 c = 2}", "inline table", "expected comma or closing '}'"),
    ("a = {b = 1\nc = 2}\n", "inline table", "expected key or closing '}'"),
    ("a = {b = 1,}", "inline table", "expected key-value pair"),
    ("[a\nb = 1", "table header", "expected ']'"),
    ("a = 1\rb = 2", "key-value pair", "expected '\\n' after '\\r'"),
    ("a = 01", "integer", "leading zeroes"),
    ("a = 1__0", "integer", "underscores"),
    ("a = _1", "value", "values may not begin with underscores"),
    ("a = \"\\q\"", "string", "unknown escape sequence"),
    ("[]", "table header", "tables with blank bare keys"),
    ("a. = 1", "key", "expected bare key starting character"),
    ("\"\"\"a\"\"\" = 1", "key", "multi-line strings are prohibited in"),
    ("a = \(String(repeating: "1", count: 200))", "value", "numeric value too long"),
    ("a = 9223372036854775808", "integer", "'9223372036854775808' is not representable in 64 bits"),
    ("a = 1e999", "floating-point", "'1e999' is not representable in 64 bits"),
    ("a = 1\na = 2\n", "key-value pair", "cannot redefine"),
    ("a = {b = 1}\n[a.c]\n", "table header", "cannot insert"),
    ("a = True", "boolean", ""),
    ("a = 2026-13-01", "date", ""), ("a = 25:00:00", "time", ""),
    ("a = 'x", "string", "encountered end-of-file"),
    ("a = [1, 2", "array", "encountered end-of-file"),
    ("a = {b = 1", "inline table", "encountered end-of-file"),
    ("[a", "table header", "encountered end-of-file"),
  ]

  private static func problem(ofTOML text: String) -> TOMLProblem? {
    TOMLDocument(Array(text.utf8)[...]).problem
  }

  @Test(arguments: toml)
  func `of toml++ are those that are matched`(text: String, what: String, reason: String) throws {
    let problem = try #require(Self.problem(ofTOML: text))
    #expect(problem.what.hasSuffix(what), "\(problem.what): \(problem.reason)")
    #expect(problem.reason.hasPrefix(reason), "\(problem.what): \(problem.reason)")
  }

  @Test(arguments: TOMLProblem.table.map(\.beginning))
  func `of toml++ in our table all occur`(beginning: String) {
    #expect(
      Self.toml.contains { Self.problem(ofTOML: $0.text)?.reason.hasPrefix(beginning) == true })
  }

  private static let yaml: [(text: String, problem: String, context: String)] = [
    ("a: \"x\nb: 1\n", "found unexpected end of stream", "while scanning a quoted scalar"),
    ("a: \"x\n---\nb\"\n", "found unexpected document indicator", "while scanning a quoted scalar"),
    ("a: [1, 2\nb: 3\n", "did not find expected ',' or ']'", "while parsing a flow sequence"),
    ("a: {b: 1\nc: 2\n", "did not find expected ',' or '}'", "while parsing a flow mapping"),
    ("- a\nb: 1\n", "did not find expected '-' indicator", "while parsing a block collection"),
    ("a: 'it's'\n", "did not find expected key", "while parsing a block mapping"),
    ("a: 1\nb\nc: 2\n", "could not find expected ':'", "while scanning a simple key"),
    ("%FOO x\n---\na\n", "found unknown directive name", "while scanning a directive"),
    ("a: @x\n", "found character that cannot start any token", "while scanning for the next token"),
    ("a: b: c\n", "mapping values are not allowed in this context", ""),
    ("a: - b\n", "block sequence entries are not allowed in this context", ""),
    ("a: ? b\n", "mapping keys are not allowed in this context", ""),
    ("]", "did not find expected node content", "while parsing a block node"),
    ("a\n... x\n", "did not find expected <document start>", ""),
    (
      "a: *\n", "did not find expected alphabetic or numeric character", "while scanning an alias"
    ),
    ("a: !x{ b\n", "did not find expected whitespace or line break", "while scanning a tag"),
    (
      "a: |x\n  y\n", "did not find expected comment or line break", "while scanning a block scalar"
    ),
    ("a: \"\\q\"\n", "found unknown escape character", "while parsing a quoted scalar"),
    ("a: \"\\xZZ\"\n", "did not find expected hexdecimal number", "while parsing a quoted scalar"),
    (
      "a: \"\\uD800\"\n", "found invalid Unicode character escape code",
      "while parsing a quoted scalar"
    ),
    (
      "a: |\n\tb\n", "found a tab character where an indentation space is expected",
      "while scanning a block scalar"
    ),
    (
      "a: b\n\tc\n", "found a tab character that violates indentation",
      "while scanning a plain scalar"
    ),
    ("a: !e!x 1\n", "found undefined tag handle", "while parsing a node"),
    ("%YAML 2.0\n---\na\n", "found incompatible YAML document", ""),
    ("a: \u{1B}", "control characters are not allowed", ""),
  ]

  private static func problem(ofYAML text: String) -> YAMLProblem? {
    do throws(YAMLProblem) {
      var reader = try YAMLEventReader(Array(text.utf8)[...])
      while true {
        if case .streamEnd = try reader.next().kind { return nil }
      }
    } catch {
      return error
    }
  }

  @Test(arguments: yaml)
  func `of libyaml are those that are matched`(text: String, problem: String, context: String)
    throws
  {
    let found = try #require(Self.problem(ofYAML: text))
    #expect(found.problem == problem)
    #expect(found.context == context)
  }

  @Test(arguments: YAMLProblem.known.keys.sorted())
  func `of libyaml in our table all occur`(problem: String) {
    // Nobody can make memory run out here.
    #expect(problem == "out of memory" || Self.yaml.contains { $0.problem == problem })
  }

  @Test func `are those of this version`() {
    #expect(yamlVersion() == "0.2.5")
  }
}
