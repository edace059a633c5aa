import RasaCore
import RasaPersona
import Testing

@Suite struct GuardTests {
  static let state: Value = [
    "critique": ["verdict": "revise", "score": 0.5, "reasons": ["no source", "too long"]],
    "preferences": ["risk_tolerance": "low", "risk-level": 2, "empty": ""],
    "count": 3, "half": 1.5, "largest": .int(.max), "smallest": .int(.min), "zero": 0,
    "yes": true, "no": false, "list": [1, 2.0, "three"], "nothing": .null, "none": [],
    "input": "The site is DOWN, please help",
    "größe": "groß",
  ]

  private func evaluate(_ source: String) throws -> (holds: Bool, warning: String?) {
    try Guard.compile(source).evaluate { Self.state[$0] }
  }

  @Test(
    arguments: [
      // Paths and truth values.
      "yes", "not no", "count", "not zero", "critique.reasons", "not none", "not nothing",
      "not missing.deep.path", "not preferences.empty", "input", "critique",
      // Equality.
      "critique.verdict == \"revise\"", "critique.verdict != 'pass'", "missing == null",
      "nothing == null", "count != null", "count == 3.0", "list == [1.0, 2, 'three']",
      "yes == true", "'1' != 1", "größe == 'groß'",
      // Order.
      "count > 2", "count >= 3", "count < 3.5", "count <= 3", "half < 2", "'a' < 'b'",
      "-count < -2", "not (missing < 1)", "not (missing >= 1)", "not (null > null)",
      // Membership.
      "2 in list", "'three' in list", "list contains 1", "4 not in list", "list not contains 'x'",
      "critique.verdict in ['revise', 'escalate']", "input contains 'site is down'",
      "'HELP' in input", "'risk_tolerance' in preferences", "preferences contains 'risk-level'",
      "input contains ''", "input not contains 'fire'", "not ('x' in missing)",
      "not ('x' not in missing)", "'DOWN, please help' in input", "count in [1, count]",
      // Arithmetic.
      "1 + 2 * 3 == 7", "(1 + 2) * 3 == 9", "10 - 4 - 3 == 3", "7 / 2 == 3.5", "6 / 2 == 3",
      "7 % 4 == 3", "-7 % 4 == -3", "7.5 % 2 == 1.5", "2 * -3 == -6", "--2 == 2",
      "smallest % -1 == 0", "not (missing + 1 > 0)", "count-1 == 2", "1e3 == 1000",
      // Names with hyphens, names that are keywords after a dot.
      "preferences.risk-level == 2", "not critique.not", "not critique.in.or",
      // Precedence.
      "yes or no and no", "not (no and yes or no)", "not no and yes", "not count == 4",
      "count + 1 > 3 and 'low' == preferences.risk_tolerance", "yes == not no",
      "no or 2 in list", "(((yes)))", "yes and yes and yes", " yes\n and\tyes ",
      // Short-circuit evaluation.
      "yes or 'a' < 1", "not (no and 'a' < 1)",
      // Quoted text.
      #"'it\'s' == "it's""#, #""a\nb\t\\\"" == 'a\nb\t\\\"'"#,
    ])
  func holds(source: String) throws {
    let outcome = try evaluate(source)
    #expect(outcome.holds, "\(source): \(outcome.warning ?? "")")
    #expect(outcome.warning == nil)
  }

  @Test(
    arguments: [
      ("'a' < 1", "`<` cannot take text and a number"),
      ("list > 1", "`>` cannot take a list and a number"),
      ("not ('a' < 1)", "`<` cannot take text and a number"),
      ("yes >= no", "`>=` cannot take a boolean and a boolean"),
      ("input + 'x' == 'y'", "`+` cannot take text and text"),
      ("1 in count", "`in` cannot take a number and a number"),
      ("input contains 1", "`contains` cannot take text and a number"),
      ("1 in input", "`in` cannot take a number and text"),
      ("-input == 1", "`-` cannot take text"),
      ("1 / zero > 0", "a division by zero"), ("1 % 0 > 0", "a division by zero"),
      ("half / 0 > 0", "a division by zero"), ("half % 0 > 0", "a division by zero"),
      ("largest + 1 > 0", "the number becomes too large"),
      ("smallest - 1 < 0", "the number becomes too large"),
      ("largest * 2 > 0", "the number becomes too large"),
      ("smallest / -1 > 0", "the number becomes too large"),
      ("-smallest > 0", "the number becomes too large"),
      ("1e308 * 10 > 0", "the number becomes too large"),
    ])
  func typeErrorsAreFalseWithAWarning(source: String, message: String) throws {
    let outcome = try evaluate(source)
    #expect(!outcome.holds)
    #expect(outcome.warning?.contains(message) == true, "\(outcome.warning ?? "no warning")")
  }

  @Test(
    arguments: [
      ("", 1, "empty"), ("   ", 1, "empty"), ("a = b", 3, "`=` is not a comparison"),
      ("a && b", 3, "`&` is not an operator"), ("a || b", 3, "`|` is not an operator"),
      ("!a", 1, "`!`"),
      ("a ==", 5, "a value is missing"), ("(a", 1, "never closed"), ("a)", 2, "before `)`"),
      ("a == 'x", 6, "no closing quote"), (#"a == 'x\q'"#, 8, "escape"),
      ("1 < 2 < 3", 7, "chained"), ("a == b not in c", 8, "chained"),
      ("lower(a)", 6, "before `(`"), ("a[0]", 2, "before `[`"), ("a b", 3, "before `b`"),
      ("a AND b", 3, "before `AND`"), ("a not b", 3, "`not` is between"),
      ("9999999999999999999 > 1", 1, "too large"), ("1e999 > 1", 1, "too large"),
      ("12abc > 1", 3, "something other than digits"), ("a ? b", 3, "`?`"),
      ("[1, 2", 1, "never closed"),
      ("[1 2]", 4, "before `2`"), ("a.", 2, "`.`"), ("+ 1", 1, "before `+`"),
      ("größe ==", 9, "missing"), ("a\n  and b ?", 9, "`?`"), ("a == \u{1}", 6, "not allowed"),
    ])
  func errorsSayWhereTheyAre(source: String, column: Int, message: String) {
    let start = SourceLocation(file: "p.yaml", line: 7, column: 1)
    let failure = #expect(throws: Failure.self) { try Guard.compile(source, at: start) }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    #expect(failure?.location?.column == column)
    #expect(failure?.kind == .configuration)
  }

  @Test func columnsCountFromTheStartOfTheText() {
    let start = SourceLocation(file: "p.yaml", line: 7, column: 20)
    let failure = #expect(throws: Failure.self) { try Guard.compile("a = b", at: start) }
    #expect(failure?.location == SourceLocation(file: "p.yaml", line: 7, column: 22))
  }

  @Test func lengthAndNestingAreBounded() throws {
    let open = String(repeating: "(", count: 63)
    let close = String(repeating: ")", count: 63)
    #expect(try evaluate(open + "yes" + close).holds)
    for deep in [
      "(\(open)yes\(close))", String(repeating: "not ", count: 64) + "yes",
      String(repeating: "-", count: 64) + "1", String(repeating: "[", count: 70),
    ] {
      let failure = #expect(throws: Failure.self) { try Guard.compile(deep) }
      #expect(failure?.message.contains("nested") == true)
    }
    let long = #expect(throws: Failure.self) {
      try Guard.compile("yes" + String(repeating: " ", count: 4096))
    }
    #expect(long?.message.contains("longer") == true)
    // A long chain is not nested.
    #expect(try evaluate("1" + String(repeating: "+1", count: 2000) + " == 2001").holds)
  }

  @Test func anyBytesEitherCompileOrFail() {
    var seed: UInt64 = 42
    let pieces = [
      "a", "b.c", "(", ")", "[", "]", ",", "1", "2.5", "'x'", "\"", "and", "or", "not", "in",
      "contains", "==", "<", "-", "+", "/", "%", "é", "\u{0}", ".", "null", " ", "\\",
    ]
    for _ in 0..<5000 {
      var source = ""
      for _ in 0..<12 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        source += pieces[Int(seed >> 33) % pieces.count] + (seed & 1 == 0 ? " " : "")
      }
      guard let compiled = try? Guard.compile(source) else { continue }
      _ = compiled.evaluate { Self.state[$0] }
      _ = compiled.problems { _ in .text }
    }
  }

  @Test func readsListEveryPathOnce() throws {
    let guarded = try Guard.compile("a.b == c and (a.b in [d, 1] or not e)")
    #expect(guarded.reads == ["a.b", "c", "d", "e"])
  }

  @Test(
    arguments: [
      ("text < 1", 6, "`<` cannot take text and a number"),
      ("list < 'a'", 6, "`<` cannot take a list and text"),
      ("flag > unknown", 6, "`>` cannot take a boolean"),
      ("text == 1", 6, "never equal"), ("number != 'a'", 8, "always different"),
      ("text + 1 > 2", 6, "`+` cannot take text"), ("-text == 1", 1, "`-` cannot take text"),
      ("1 in number", 3, "`in` cannot take a number"),
      ("text contains 1", 6, "`contains` cannot take text and a number"),
      ("yes and (text > 2)", 15, "`>`"), ("number / 0 > 1", 8, "division by zero"),
      ("[text < 1] == list", 7, "`<`"), ("not (1 > object)", 8, "`>`"),
    ])
  func typesAreCheckedBeforeAnythingRuns(source: String, column: Int, message: String) throws {
    let start = SourceLocation(file: "p.yaml", line: 1, column: 1)
    let problems = try Guard.compile(source, at: start).problems(types: Self.types)
    #expect(problems.count == 1)
    #expect(problems.first?.message.contains(message) == true, "\(problems)")
    #expect(problems.first?.location?.column == column)
  }

  @Test(
    arguments: [
      "text < 'a'", "number < 1", "unknown < 1", "text == null", "unknown == 1", "any + 1 > 2",
      "text in list", "text in text", "text in object", "list contains 1", "missing contains 1",
      "number + unknown > 2", "text and list and flag", "null < 1",
    ])
  func typesThatFitOrAreUnknownAreFine(source: String) throws {
    #expect(try Guard.compile(source).problems(types: Self.types).isEmpty)
  }

  private static func types(_ path: StatePath) -> ValueType? {
    switch path.key {
    case "text": .text
    case "number": .number
    case "flag": .boolean
    case "list": .list
    case "object": .object
    case "any": .any
    default: nil
    }
  }

  @Test func searchingHostileTextIsLinear() throws {
    let text = String(repeating: "a", count: 1_000_000)
    let piece = String(repeating: "a", count: 3000) + "b"
    let guarded = try Guard.compile("text contains piece or not (text contains 'aaab')")
    #expect(guarded.evaluate { $0 == "text" ? .string(text) : .string(piece) }.holds)
  }
}
