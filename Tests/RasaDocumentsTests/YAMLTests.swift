import RasaCore
import RasaDocuments
import Testing

@Suite("YAML becomes a tree")
struct YAMLTests {
  private func parse(_ text: String) throws -> DocumentNode {
    try YAML.parse(text, file: "p.yaml")
  }

  @Test(
    "whose plain scalars follow the core schema of YAML 1.2",
    arguments: [
      ("~", .null), ("null", .null), ("Null", .null), ("NULL", .null), ("nULL", "nULL"),
      ("true", true), ("True", true), ("TRUE", true), ("false", false), ("tRUE", "tRUE"),
      ("yes", "yes"), ("no", "no"), ("NO", "NO"), ("on", "on"), ("Off", "Off"), ("y", "y"),
      ("0", 0), ("-0", 0), ("+12", 12), ("0777", 777), ("0o17", 15), ("0xFf", 255), ("0x", "0x"),
      ("-0x1", "-0x1"), ("0o8", "0o8"), ("0b1", "0b1"), ("1_000", "1_000"), ("1:30", "1:30"),
      ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
      ("9223372036854775808", .double(9_223_372_036_854_775_808)),
      ("0xFFFFFFFFFFFFFFFF", .double(18_446_744_073_709_551_616)),
      ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("-1e3", -1000.0), ("+.5E-1", 0.05), ("1e", "1e"),
      (".", "."), ("-x", "-x"), ("1.2.3", "1.2.3"), ("e3", "e3"), (".e3", ".e3"), ("+", "+"),
      (".inf", .double(.infinity)), ("-.INF", .double(-.infinity)), (".Inf", .double(.infinity)),
      ("inf", "inf"), ("nan", "nan"), ("2026-01-31", "2026-01-31"), ("a b", "a b"),
      ("'true'", "true"), ("\"1\"", "1"), ("''", ""), ("!!str 1", "1"), ("!!int '7'", 7),
      ("!!float 7", 7.0), ("!!bool 'true'", true), ("!!null ''", .null), ("!!str", ""),
      ("!!seq [1]", [1]), ("!!map {a: 1}", ["a": 1]), ("<<", "<<"), ("=", "="),
    ] as [(String, Value)])
  func resolves(text: String, value: Value) throws {
    #expect(try parse("a: \(text)")["a"]?.value == value)
  }

  @Test func keepsScalarsAsWritten() throws {
    let node = try parse("a: 0.10\nb: NO\nc: 'x'\nd:\n")
    #expect(node["a"]?.rawText == "0.10")
    #expect(node["b"]?.rawText == "NO")
    #expect(node["c"]?.rawText == "x")
    #expect(node["d"]?.rawText == "")
    #expect(try parse("a: .nan")["a"]?.value.double?.isNaN == true)
  }

  @Test(
    "in block and flow style, with keys as text",
    arguments: [
      ("a: 1\nb:\n  - x\n  - {c: 2}\n", ["a": 1, "b": ["x", ["c": 2]]]),
      ("[1, [2, 3], {a: }]", [1, [2, 3], ["a": .null]]),
      ("{a, b: c}", ["a": .null, "b": "c"]),
      ("1: a\ntrue: b\n~: c\n", ["1": "a", "true": "b", "~": "c"]),
      ("? a\n: b\n", ["a": "b"]),
      ("a: |\n  x\n  y\nb: >-\n  x\n  y\n", ["a": "x\ny\n", "b": "x y"]),
      ("\"a\\u00e9\\n\": 'it''s'\n", ["aé\n": "it's"]),
      ("<<: {a: 1}\nb: 2\n", ["<<": ["a": 1], "b": 2]),
      ("--- # note\na: 1\n...\n", ["a": 1]),
      ("%YAML 1.2\n---\na: 1\n", ["a": 1]),
      ("\u{FEFF}a: 1\r\nb: 2\r\n", ["a": 1, "b": 2]),
      ("a: 1\rb: 2\r", ["a": 1, "b": 2]),
      ("x: &a [1]\ny: *a\nz: *a\n", ["x": [1], "y": [1], "z": [1]]),
      ("x: &a 1\ny: &a 2\nz: *a\n", ["x": 1, "y": 2, "z": 2]),
      ("x: &k key\n*k : 1\n", ["x": "key", "key": 1]),
      ("text", "text"), ("--- null\n", .null), ("---\n''\n", ""),
    ] as [(String, Value)])
  func builds(text: String, value: Value) throws {
    #expect(try parse(text).value == value)
  }

  @Test func knowsWhereEverythingStands() throws {
    let node = try parse("name: é\nöl: [a,\n  中中: b]\n\u{2028}x: 1\r\nlist:\n  - 😀: deep\n")
    func place(_ location: RasaCore.SourceLocation?) -> [Int?] {
      [location?.line, location?.column]
    }
    guard case .mapping(let entries) = node.content, entries.count == 4 else {
      Issue.record("not the mapping that was written")
      return
    }
    #expect(place(node.location) == [1, 1])
    #expect(entries.map { place($0.keyLocation) } == [[1, 1], [2, 1], [4, 2], [5, 1]])
    #expect(entries.map { place($0.value.location) } == [[1, 7], [2, 5], [4, 5], [6, 3]])
    #expect(node["name"]?.location.file == "p.yaml")
    #expect(node["öl"]?.excerpt == "öl: [a,")
    guard case .sequence(let elements) = entries[3].value.content else { return }
    #expect(place(elements.first?["😀"]?.location) == [6, 8])
  }

  @Test func showsLinesShortAndPrintable() throws {
    let long = String(repeating: "x", count: 300)
    #expect(try parse("a: \(long)")["a"]?.excerpt == "a: \(long.prefix(157))…")
    #expect(try parse("a: \"\u{202E}b\u{200B}\tc\"")["a"]?.excerpt == "a: \"\u{FFFD}b\u{FFFD}\tc\"")
  }
}

@Suite("YAML that is broken is refused with its place")
struct BrokenYAMLTests {
  @Test(
    arguments: [
      ("a: [1, 2\nb: 3\n", 2, 2, "',' or ']'"),
      ("a: {b: 1\nc: 2\n", 2, 2, "',' or '}'"),
      ("a: \"x\nb: 1\n", 1, 4, "never closed"),
      ("a: 'x\nb: 1\n", 1, 4, "never closed"),
      ("a: \"x\n---\nb\"\n", 1, 4, "never closed"),
      ("a: 'it's'\n", 1, 8, "expected a key"),
      ("a:\n\tb: 1\n", 2, 1, "value cannot begin"),
      ("a: @x\n", 1, 4, "value cannot begin"),
      ("a: `x\n", 1, 4, "value cannot begin"),
      ("a: b: c\n", 1, 5, "':' is not allowed"),
      ("a: x\n  b: y\n", 2, 4, "':' is not allowed"),
      ("a: 1\n b: 2\n", 2, 3, "':' is not allowed"),
      ("- a\nb: 1\n", 2, 1, "list item"),
      ("a: 1\n- b\n", 2, 1, "expected a key"),
      ("a: - b\n", 1, 4, "list item cannot begin"),
      ("a: 1\nb\nc: 2\n", 2, 1, "expected ':'"),
      ("a: \"\\q\"\n", 1, 5, "valid escape"),
      ("a: \"\\xZZ\"\n", 1, 7, "hexadecimal"),
      ("a: *\n", 1, 5, "need a name"),
      ("a: **bold**\n", 1, 5, "need a name"),
      ("a: |x\n  y\n", 1, 5, "only a comment"),
      ("a: *b\n", 1, 4, "no anchor"),
      ("a: &a [*a]\n", 1, 8, "inside the value"),
      ("&a x: &b {y: *b}\n", 1, 14, "inside the value"),
      ("a: !x 1\n", 1, 4, "the tag '!x'"),
      ("a: !!set {b}\n", 1, 4, "the tag '!!set'"),
      ("a: !!binary aGk=\n", 1, 4, "the tag '!!binary'"),
      ("a: !!python/object:x 1\n", 1, 4, "is not supported"),
      ("a: !!int x\n", 1, 4, "'!!int'"),
      ("a: !!map [1]\n", 1, 4, "'!!map'"),
      ("a: !e!x 1\n", 1, 4, "not known"),
      ("a: 1\nb: 2\na: 3\n", 3, 1, "defined twice"),
      ("{a: 1, a: 2}", 1, 8, "defined twice"),
      ("1: a\n'1': b\n", 2, 1, "defined twice"),
      ("? [a]\n: b\n", 1, 3, "a key must be text"),
      ("{[a]: b}\n", 1, 2, "a key must be text"),
      ("x: &a [1]\n*a : b\n", 2, 1, "not an alias"),
      ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
      ("", 1, 1, "empty"), ("# nothing\n", 1, 1, "empty"), ("\u{FEFF}\r\n", 1, 1, "empty"),
      ("---\n", 1, 1, "empty"), ("---\n---\n", 2, 1, "second document"),
      ("a: \0", 1, 4, "NUL"), ("é: \u{1B}[2J", 1, 4, "control character"),
      ("é: \u{9B}", 1, 4, "control character"), ("a: \u{7F}", 1, 4, "control character"),
      ("a\n... x\n", 2, 5, "after the end"),
      ("%FOO x\n---\na\n", 1, 1, "'%'"),
      ("]", 1, 1, "value is missing"), ("a: }", 1, 4, "value is missing"), ("[a", 1, 3, "']'"),
    ] as [(String, Int, Int, String)])
  func refuses(text: String, line: Int, column: Int, words: String) {
    let failure = #expect(throws: Failure.self) { try YAML.parse(text, file: "p.yaml") }
    expectRefusal(failure, at: "p.yaml", line, column, words)
  }

  @Test(
    "when it is not UTF-8",
    arguments: [
      ([0x61, 0x3A, 0x20, 0x80], 1, 4), ([0xC3, 0xA9, 0x0A, 0xC3], 2, 1),
      ([0xFF, 0xFE, 0x61, 0x00], 1, 4), ([0xED, 0xA0, 0x80], 1, 1),
    ] as [([UInt8], Int, Int)])
  func refusesOtherEncodings(bytes: [UInt8], line: Int, column: Int) {
    let failure = #expect(throws: Failure.self) { try YAML.parse(bytes, file: "p.yaml") }
    #expect(failure?.location == SourceLocation(file: "p.yaml", line: line, column: column))
  }

  @Test func pointsAtBothPlacesOfAKeyThatRepeats() {
    let failure = #expect(throws: Failure.self) {
      try YAML.parse("name: a\nother: b\nname: c\n", file: "p.yaml")
    }
    #expect(
      failure?.description == """
        p.yaml:3:1: the key 'name' is defined twice
          name: c
          ^
          the first is at p.yaml:1:1
        → keep one of the two
        """)
  }
}

@Suite("YAML that is hostile is refused")
struct HostileYAMLTests {
  private func refusal(
    _ text: String, limits: DocumentLimits = DocumentLimits()
  ) -> String {
    let failure = #expect(throws: Failure.self) {
      try YAML.parse(text, file: "p.yaml", limits: limits)
    }
    return failure?.message ?? ""
  }

  private func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  @Test("for its depth", arguments: ["[", "- ", "{a: ", "[\n", "!!seq [", "&a ["])
  func refusesDepth(opening: String) {
    #expect(refusal(repeated(opening, 100_000 / opening.utf8.count)).contains("nested deeper"))
  }

  @Test("for keys inside keys", arguments: ["{", "? ", "[? ", "{\n", "[{"])
  func refusesNestedKeys(opening: String) {
    #expect(refusal(repeated(opening, 100_000 / opening.utf8.count)).contains("a key must be"))
  }

  @Test func countsDepthThroughAliases() throws {
    let half = "a: &a " + repeated("[", 40) + repeated("]", 40) + "\nb: "
    _ = try YAML.parse(
      half + repeated("[", 23) + "*a" + repeated("]", 23), file: "p.yaml")
    #expect(
      refusal(half + repeated("[", 24) + "*a" + repeated("]", 24)).contains("nested deeper"))
  }

  @Test func refusesAliasBombs() {
    var text = "a0: &a0 [x]\n"
    for level in 1..<40 { text += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
    #expect(refusal(text).contains("aliases repeat more than 10000"))
  }

  @Test func refusesTooManyValues() {
    let patient = DocumentLimits(time: .seconds(600))
    #expect(
      refusal("[" + repeated("a,", 100_000) + "]", limits: patient).contains("100000 values"))
    #expect(refusal("[a, b, c]", limits: DocumentLimits(nodes: 3)).contains("3 values"))
  }

  @Test func refusesTooManyBytes() throws {
    let megabyte = "a: " + repeated("x", 1 << 20)
    #expect(refusal(megabyte).contains("1048576 are allowed"))
    _ = try YAML.parse(
      megabyte, file: "p.yaml", limits: DocumentLimits(bytes: 2 << 20, time: .seconds(600)))
    #expect(DocumentLimits(bytes: .max).bytes == 10 << 20)
  }

  @Test func refusesToTakeTooLong() {
    #expect(refusal("a: 1", limits: DocumentLimits(time: .zero)).contains("takes too long"))
  }

  @Test func refusesManyDirectives() {
    #expect(refusal(repeated("%TAG !a! x\n", 50_000)).contains("'%'"))
  }
}
