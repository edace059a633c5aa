import RasaCore
import RasaDocuments
import Testing

@Suite("TOML becomes a tree")
struct TOMLTests {
  private func parse(_ text: String) throws -> DocumentNode {
    try TOML.parse(text, file: "a.toml")
  }

  @Test(
    "of exact values",
    arguments: [
      ("0", 0), ("-0", 0), ("+12", 12), ("1_000", 1000), ("0xDEAD_beef", 0xDEAD_BEEF),
      ("0o17", 15), ("0b101", 5), ("9223372036854775807", .int(.max)),
      ("-9223372036854775808", .int(.min)), ("0.10", 0.1), ("1e3", 1000.0), ("-2.5E-1", -0.25),
      ("6.626e-34", 6.626e-34), ("inf", .double(.infinity)), ("-inf", .double(-.infinity)),
      ("true", true), ("false", false), (#""""#, ""), (#""é\t\u00e9\U0001F600""#, "é\té😀"),
      (#"'C:\path'"#, #"C:\path"#), ("\"\"\"\nx\n  y\\\n  z\"\"\"", "x\n  yz"),
      ("'''\n'x'\n'''", "'x'\n"), ("1979-05-27T07:32:00Z", "1979-05-27T07:32:00Z"),
      ("1979-05-27 07:32:00.999-07:00", "1979-05-27 07:32:00.999-07:00"),
      ("1979-05-27T07:32:00", "1979-05-27T07:32:00"), ("1979-05-27", "1979-05-27"),
      ("07:32:00", "07:32:00"), ("[]", []), ("[1, [2.5, 'x'],\n  # note\n]", [1, [2.5, "x"]]),
      ("{}", [:]), ("{b = 1, c.d = [{e = 2}]}", ["b": 1, "c": ["d": [["e": 2]]]]),
    ] as [(String, Value)])
  func reads(text: String, value: Value) throws {
    #expect(try parse("a = \(text)")["a"]?.value == value)
  }

  @Test(
    "of tables, dotted keys and lists of tables",
    arguments: [
      ("", [:]), ("# nothing\n", [:]), ("\u{FEFF}a = 1\r\nb = 2\r\n", ["a": 1, "b": 2]),
      ("[a]\nb = 1\n[a.c]\nd = 2\n", ["a": ["b": 1, "c": ["d": 2]]]),
      ("[a.c]\nd = 2\n[a]\nb = 1\n", ["a": ["b": 1, "c": ["d": 2]]]),
      ("a.b.c = 1\na.b.d = 2\n", ["a": ["b": ["c": 1, "d": 2]]]),
      ("\"a.b\" = 1\n'' = 2\n\"é\".x = 3\n", ["a.b": 1, "": 2, "é": ["x": 3]]),
      ("[[p]]\nm = 1\n[[p]]\n[p.q]\nn = 2\n", ["p": [["m": 1], ["q": ["n": 2]]]]),
      ("1234 = 1\n3.14 = 2\n", ["1234": 1, "3": ["14": 2]]),
    ] as [(String, Value)])
  func builds(text: String, value: Value) throws {
    #expect(try parse(text).value == value)
  }

  @Test func keepsNumbersAsMoneyReadsThem() throws {
    let node = try parse(
      "a = 0.10\nb = 1_000.000_001\nc = +3\nd = [0.1, {e = 0.300}] # 0.7\nf = 0xFF\ng = nan\n")
    #expect(node["a"]?.rawText == "0.10")
    #expect(node["b"]?.rawText.flatMap { Money(decimal: $0) }?.decimalText == "1000.000001")
    #expect(node["c"]?.rawText == "3")
    guard case .sequence(let list) = node["d"]?.content else {
      Issue.record("no list")
      return
    }
    #expect(list.map(\.rawText) == ["0.1", nil])
    #expect(list.last?["e"]?.rawText == "0.300")
    #expect(node["f"]?.rawText == "0xFF")
    #expect(node["g"]?.value.double?.isNaN == true)
  }

  @Test func keepsTheOrderOfTheFileAndEveryPlace() throws {
    let text = """
      z = "ö"
      "ö" . b = [1,
        {y = 2, x = 0.5}]
      [m]
        k = 2026-01-31
      [[list]]
      n = 1
      [[list]]
      [m.a]
      """
    let node = try parse(text)
    func places(_ node: DocumentNode?) -> [[Int]] {
      guard case .mapping(let entries) = node?.content else { return [] }
      return entries.map {
        [
          $0.keyLocation.line, $0.keyLocation.column, $0.value.location.line,
          $0.value.location.column,
        ]
      }
    }
    #expect(node.value.object?.keys == ["z", "ö", "m", "list"])
    #expect(places(node) == [[1, 1, 1, 5], [2, 1, 2, 1], [4, 2, 4, 1], [6, 3, 6, 1]])
    #expect(places(node["ö"]) == [[2, 7, 2, 11]])
    #expect(places(node["m"]) == [[5, 3, 5, 7], [9, 4, 9, 1]])
    guard case .sequence(let items) = node["ö"]?["b"]?.content,
      case .sequence(let list) = node["list"]?.content
    else {
      Issue.record("no lists")
      return
    }
    #expect(items.map(\.location.line) == [2, 3])
    #expect(places(items.last) == [[3, 4, 3, 8], [3, 11, 3, 15]])
    #expect(list.map(\.location.line) == [6, 8])
    #expect(node["m"]?["k"]?.excerpt == "  k = 2026-01-31")
    #expect(node["m"]?["k"]?.location.file == "a.toml")
  }

  @Test func readsAnAgentInFull() throws {
    let node = try parse(
      """
      [agent]
      id = "arch-agent"
      name = "Architecture Agent"
      description = "Defines system architecture and technical design decisions"
      prompt_path = "prompts/agents/core/arch-agent.md"
      engine = "gemini" # optional
      reasoning_effort = "medium" # optional: low, medium, high

      [agent.loop_behavior] # optional
      steps = 2
      max_iterations = 5
      skip = ["step-1", "step-3"]

      [agent.trigger_behavior] # optional
      trigger_agent_id = "code-agent"

      [agent.capabilities] # optional
      model_class = "reasoning" # fast, balanced, reasoning
      cost_tier = "high" # low, medium, high
      max_concurrent_tasks = 3

      [agent.persona] # optional
      [agent.persona.models]
      primary = "gemini-2.0-flash-thinking"

      [agent.persona.performance]
      profile = "thinking" # speed, balanced, thinking, expert
      estimated_tokens = 2000

      [agent.sandbox] # optional
      type = "docker"
      network_mode = "isolated"
      """)
    let agent = node["agent"]
    #expect(
      agent?.value.object?.keys == [
        "id", "name", "description", "prompt_path", "engine", "reasoning_effort", "loop_behavior",
        "trigger_behavior", "capabilities", "persona", "sandbox",
      ])
    #expect(
      agent?["loop_behavior"]?.value
        == ["steps": 2, "max_iterations": 5, "skip": ["step-1", "step-3"]])
    #expect(agent?["persona"]?["performance"]?["estimated_tokens"]?.value == 2000)
    #expect(
      agent?["persona"]?["performance"]?["estimated_tokens"]?.location
        == SourceLocation(file: "a.toml", line: 28, column: 20))
  }
}

@Suite("TOML that is broken is refused with its place")
struct BrokenTOMLTests {
  @Test(
    arguments: [
      ("a = @\n", 1, 5, "not a TOML value"), ("a = yes", 1, 5, "not a TOML value"),
      ("a = nope", 1, 5, "'nan'"), ("a = \nb = 1", 1, 5, "a value is missing"),
      ("a\n", 1, 2, "expected '='"), ("a: 1\n", 1, 2, "expected '='"),
      ("key with space = 1\n", 1, 5, "expected '='"), ("= 1\n", 1, 1, "a key cannot begin"),
      ("x = 1\né = 2\n", 2, 1, "a key cannot begin"),
      ("a = 9223372036854775808", 1, 5, "'9223372036854775808' does not fit"),
      ("a = [1, -99999999999999999999]", 1, 9, "does not fit"), ("a = 1e999", 1, 5, "too large"),
      ("a = 1\na = 2\n", 2, 5, "'a' is defined twice"),
      ("[a]\n[a]\n", 2, 1, "'a' is defined twice"),
      ("a.b = 1\na = 2\n", 2, 5, "'a' is defined twice"),
      ("[[a]]\n[a]\n", 2, 1, "defined twice"), ("a = [1]\n[[a]]\n", 2, 1, "defined twice"),
      ("a = {b = 1}\na.c = 2\n", 2, 1, "already complete"),
      ("a = {b = 1}\n[a.c]\n", 2, 7, "written in braces"),
      ("a = \"x\nb = 1\n", 1, 7, "at the end of the line"),
      ("a = 'x\r\nb = 1\n", 1, 7, "at the end of the line"),
      ("a = 'x", 1, 7, "before the end of the file"),
      ("a = '''x\n\n", 2, 2, "before the end of the file"),
      ("a = \"\"\"x", 1, 9, "before the end of the file"),
      ("a = [1, 2", 1, 10, "the list is not closed"), ("a = {b = 1", 1, 11, "the braces are not"),
      ("[a", 1, 3, "the name of the table is not"), ("[a\nb = 1", 1, 3, "expected ']'"),
      ("a = {b = 1\nc = 2}\n", 1, 11, "expected a key"),
      ("a = {b = 1,}", 1, 12, "expected a key"),
      ("a = [1,,2]", 1, 8, "an item of the list"), ("a = [1\nb = 2", 2, 1, "',' or ']'"),
      ("a = 01", 1, 5, "leading zero"), ("a = 1__0", 1, 5, "underscore"),
      ("a = True", 1, 5, "neither true nor false"), ("a = 1 2", 1, 7, "unexpected text"),
      ("a = \"\\q\"", 1, 7, "'\\q'"), ("a = 2026-13-01", 1, 5, "month between 1 and 12"),
      ("a = 25:00:00", 1, 5, "hour between"), ("[]", 1, 2, "no name"),
      ("[a.]", 1, 4, "expected a name"),
      ("a. = 1", 1, 4, "expected a name"), ("a = .5", 1, 5, "expected decimal digit"),
      ("a = 1\rb = 2", 1, 7, "carriage return"), ("a = \0", 1, 5, "NUL"),
      ("# \u{1B}[2J\n", 1, 3, "control character"), ("é = 1\u{7F}", 1, 6, "control character"),
      ("a = \"\\uD800\"", 1, 12, "surrogates"), ("name: x\n", 1, 5, "expected '='"),
      ("{\"a\": 1}", 1, 1, "a key cannot begin"), ("[\n]", 1, 2, "expected a name"),
      ("\u{AB} = 1", 1, 1, "a key cannot"),
      ("a\u{A1}= 1", 1, 2, "expected '='"), ("- a\n", 1, 3, "expected '='"),
    ] as [(String, Int, Int, String)])
  func refuses(text: String, line: Int, column: Int, words: String) {
    let failure = #expect(throws: Failure.self) { try TOML.parse(text, file: "a.toml") }
    expectRefusal(failure, at: "a.toml", line, column, words)
  }

  @Test(
    "when it is not UTF-8",
    arguments: [
      ([0x61, 0x3D, 0x80], 1, 3), ([0x23, 0xC3, 0xA9, 0x0A, 0xC3], 2, 1),
    ] as [([UInt8], Int, Int)])
  func refusesOtherEncodings(bytes: [UInt8], line: Int, column: Int) {
    let failure = #expect(throws: Failure.self) { try TOML.parse(bytes, file: "a.toml") }
    #expect(failure?.location == SourceLocation(file: "a.toml", line: line, column: column))
  }

  @Test func showsTheLine() {
    let failure = #expect(throws: Failure.self) {
      try TOML.parse("[agent]\nid = \"x\"\nname = Architect\n", file: "a.toml")
    }
    #expect(
      failure?.description == """
        a.toml:3:8: this is not a TOML value
          name = Architect
                 ^
        → put text in quotes; write true or false for yes or no
        """)
  }
}

@Suite("TOML that is hostile is refused")
struct HostileTOMLTests {
  private func refusal(_ text: String, limits: DocumentLimits = DocumentLimits()) -> String {
    let failure = #expect(throws: Failure.self) {
      try TOML.parse(text, file: "a.toml", limits: limits)
    }
    return failure?.message ?? ""
  }

  private func repeated(_ text: String, _ count: Int) -> String {
    String(repeating: text, count: count)
  }

  @Test(
    "for its depth",
    arguments: [
      ("a = ", "["), ("a = ", "{a = "), ("", "a."), ("[", "a."), ("", "'a'."), ("[[", "\"a\". "),
      ("a = ", "[\n"), ("a = ", "[{a.b = "), ("a = [\"\"\"x\"\"\"\"\", {", "b."),
      ("a = \"\\\"\" # \"\n", "b."), ("a = '''\n'' ' '''\n", "b."), ("a = \"x\nb\"\n", "c."),
    ])
  func refusesDepth(before: String, opening: String) {
    let text = before + repeated(opening, 200_000 / opening.utf8.count)
    #expect(refusal(text + "x = 1").contains("nested deeper"))
  }

  @Test func countsDepthThroughHeadersKeysAndBraces() throws {
    func text(_ levels: Int) -> String {
      "[" + repeated("a.", 19) + "a]\n" + repeated("b.", 20) + "b = {"
        + repeated("c.", levels) + "c = 1}\n"
    }
    _ = try TOML.parse(text(22), file: "a.toml")
    #expect(refusal(text(23)).contains("nested deeper than 64"))
    #expect(
      refusal(
        repeated("[[a", 1) + repeated(".a", 40) + "]]\n" + repeated("[[a", 1)
          + repeated(".a", 63) + "]]\n"
      ).contains("nested deeper"))
  }

  @Test func readsDotsThatAreNoKeys() throws {
    let text =
      "a = \"" + repeated(".", 1000) + "\"\nb = '''" + repeated(".'.\n", 100)
      + "'''\nc = [" + repeated("1.5, ", 1000) + "]\n# " + repeated(".", 1000) + "\n"
    #expect(try TOML.parse(text, file: "a.toml")["c"]?.value.array?.count == 1000)
  }

  @Test func refusesTooManyValues() {
    #expect(refusal("a = [" + repeated("1,", 100_001) + "]").contains("100000 values"))
    #expect(refusal("a = 1\nb = 2\nc = 3", limits: DocumentLimits(nodes: 3)).contains("3 values"))
    let tables = (0..<60_000).map { "a\($0).b=1" } + (0..<60_000).map { "a\($0).c=1" }
    let patient = DocumentLimits(bytes: 2 << 20)
    #expect(refusal(tables.joined(separator: "\n"), limits: patient).contains("100000 values"))
  }

  @Test func refusesTooManyBytes() throws {
    let megabyte = "a = '" + repeated("x", 1 << 20) + "'"
    #expect(refusal(megabyte).contains("1048576 are allowed"))
    _ = try TOML.parse(megabyte, file: "a.toml", limits: DocumentLimits(bytes: 2 << 20))
  }

  @Test func findsItsPlacesInOneLongLine() throws {
    let text = "a = [" + repeated("0.10, ", 80_000) + "]"
    let node = try TOML.parse(text, file: "a.toml")
    guard case .sequence(let items) = node["a"]?.content else { return }
    #expect(items.count == 80_000 && items.allSatisfy { $0.rawText == "0.10" })
  }
}
