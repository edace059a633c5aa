import RasaCore
import RasaDocuments
import Testing

private func read(_ text: String) throws(Failure) -> FrontMatter {
  try FrontMatter.read(Array(text.utf8), file: "a.md")
}

private func place(_ location: RasaCore.SourceLocation?) -> [Int?] {
  [location?.line, location?.column]
}

@Suite("Front matter is read")
struct FrontMatterTests {
  @Test(
    "with the text below it",
    arguments: [
      ("---\na: 1\n---\nText\n", ["a": 1], "Text\n", 4),
      ("\u{FEFF}---\r\na: 1\r\n---\r\nText\r\n", ["a": 1], "Text\r\n", 4),
      ("--- \t\na: 1\n--- \n\nText", ["a": 1], "\nText", 4),
      ("---\na: 1\n...\nText", ["a": 1], "Text", 4),
      ("---\ra: 1\r---\rText", ["a": 1], "Text", 4),
      ("---\na: 1\n---", ["a": 1], "", 4), ("---\na: 1\n---\n", ["a": 1], "", 4),
      ("---\n---\nText", [:], "Text", 3), ("---\n\n# note\n---\nText", [:], "Text", 5),
      ("---\na: |\n  x\n  ---\n  y\n---\nText\n---\n", ["a": "x\n---\ny\n"], "Text\n---\n", 7),
      ("---\na: >-\n  x\n\n  ...\nb: 2\n---\n", ["a": "x\n...", "b": 2], "", 8),
      ("---\na: '---'\nb: ----\n---\nText", ["a": "---", "b": "----"], "Text", 5),
    ] as [(String, Value, String, Int)])
  func reads(text: String, value: Value, body: String, line: Int) throws {
    let matter = try read(text)
    #expect(matter.node?.value == value)
    #expect(matter.failure == nil && matter.warnings.isEmpty)
    #expect(matter.body == body)
    #expect(matter.bodyLocation == SourceLocation(file: "a.md", line: line, column: 1))
    #expect(String(decoding: Array(text.utf8)[matter.bodyOffset...], as: UTF8.self) == body)
  }

  @Test(
    "as absent where there is none",
    arguments: [
      "", "Text", "\n\nText\n---\na: 1\n---\n", "# Title\n---\n", "----\na: 1\n---\n",
      "---\n\nA rule, then text.\n", "---\nText: no\n".replacing("Text:", with: "Text,"),
      "\n---\nnot a key\n---\n", "- --\na: 1\n", "--- a: 1\n---\n", "---",
    ])
  func findsNone(text: String) throws {
    let matter = try read(text)
    #expect(matter.node == nil && matter.failure == nil && matter.warnings.isEmpty)
    #expect(matter.body == text)
    #expect(place(matter.bodyLocation) == [1, 1])
  }

  @Test func knowsItsPlacesInTheFile() throws {
    let matter = try read("---\nname: x\nlist:\n  - é: deep\n---\n\n# Title\n")
    #expect(place(matter.node?["name"]?.location) == [2, 7])
    guard case .sequence(let items) = matter.node?["list"]?.content else { return }
    #expect(place(items.first?["é"]?.location) == [4, 8])
    #expect(items.first?["é"]?.excerpt == "  - é: deep")
    #expect(matter.body == "\n# Title\n")
  }

  @Test(
    "and refused where it is broken, with the text all the same",
    arguments: [
      ("---\na: 1\nText\n", 1, 1, "no closing", "a: 1\nText\n"),
      ("---\na: [1\n  - 2\n---\nText", 4, 1, "',' or ']'", "Text"),
      ("---\nb: 1\na:\n  x: y: z\n---\nText", 4, 7, "':' is not allowed", "Text"),
      ("---\njust words\n---\nText", 2, 1, "`key: value`", "Text"),
      ("---\n- a\n- b\n---\nText", 2, 1, "`key: value`", "Text"),
      ("---\na: \u{1B}[2J\n---\nText", 2, 4, "control character", "Text"),
      ("---\na: !x 1\nb:\n\t- @\n---\nText", 4, 4, "value cannot begin", "Text"),
    ] as [(String, Int, Int, String, String)])
  func refuses(text: String, line: Int, column: Int, words: String, body: String) throws {
    let matter = try read(text)
    #expect(matter.node == nil && matter.body == body)
    #expect(matter.failure?.location == SourceLocation(file: "a.md", line: line, column: column))
    #expect(matter.failure?.message.contains(words) == true, "\(matter.failure?.message ?? "")")
    #expect(matter.failure?.suggestion.isEmpty == false)
  }

  @Test(
    "unless the file is no text",
    arguments: [([0x61, 0x00], "NUL"), ([0x0A, 0xFF], "UTF-8"), ([0x2D, 0xC3], "UTF-8")]
      as [([UInt8], String)])
  func refusesFiles(bytes: [UInt8], words: String) {
    let failure = #expect(throws: Failure.self) { try FrontMatter.read(bytes, file: "a.md") }
    #expect(failure?.message.contains(words) == true && failure?.location?.line ?? 0 > 0)
  }

  @Test func refusesFilesThatAreTooLarge() {
    let failure = #expect(throws: Failure.self) {
      try FrontMatter.read(Array("Text".utf8), file: "a.md", limits: DocumentLimits(bytes: 3))
    }
    #expect(failure?.message.contains("3 are allowed") == true)
  }
}

@Suite("Front matter as people write it is read with a warning")
struct LenientFrontMatterTests {
  @Test(
    "where a value is no YAML",
    arguments: [
      ("a: Use it when: the user asks", "Use it when: the user asks", 4),
      ("a: \"Quoted\" and more", "\"Quoted\" and more", 4), ("a: 'it's'", "it's", 4),
      ("a: \"C:\\path\"", "C:\\path", 4), ("a: *bold* words", "*bold* words", 4),
      ("a: **bold**", "**bold**", 4), ("a: @handle", "@handle", 4), ("a: %x", "%x", 4),
      ("a: `code`", "`code`", 4), ("a: [open", "[open", 4), ("a: {{name}}", "{{name}}", 4),
      ("a: {open", "{open", 4), ("a: [x] and y", "[x] and y", 4),
      ("a: !important", "!important", 4),
      ("a: - x", "- x", 4), ("a: \"open", "\"open", 4), ("a: |x|", "|x|", 4),
      ("a: > 5 lines", "> 5 lines", 4), ("a:  x: y \t", "x: y", 5), ("a: , b", ", b", 4),
      ("a: x: y\n  and: more\n\n  lines", "x: y and: more lines", 4),
      ("a: one: two\nthree\n", "one: two three", 4), ("a: }", "}", 4), ("a: é: 中", "é: 中", 4),
    ] as [(String, String, Int)])
  func takesText(line: String, text: String, column: Int) throws {
    let matter = try read("---\nb: 1\n\(line)\nc: 2\n---\nText")
    #expect(matter.node?.value == ["b": 1, "a": .string(text), "c": 2])
    #expect(matter.failure == nil && matter.body == "Text")
    #expect(matter.warnings.count == 1)
    #expect(place(matter.warnings.first?.location) == [3, column])
    #expect(place(matter.node?["a"]?.location) == [3, column])
    #expect(matter.warnings.first?.suggestion.isEmpty == false)
  }

  @Test(
    "where `#` hides the rest of a line",
    arguments: [
      ("a: #ff0000", "#ff0000", 4), ("a: Fixes issue #12 today", "Fixes issue #12 today", 16),
      ("a: C #sharp # note", "C #sharp # note", 6),
    ])
  func takesHashes(line: String, text: String, column: Int) throws {
    let matter = try read("---\n\(line)\n---\nText")
    #expect(matter.node?["a"]?.value == .string(text))
    #expect(matter.warnings.map { place($0.location) } == [[2, column]])
  }

  @Test(
    "but not where YAML says what is meant",
    arguments: [
      ("a: x # note", "x"), ("a: C# and F#", "C# and F#"), ("a: 'x #1'", "x #1"),
      ("a: x #", "x"), ("a: x ## note", "x"), ("a: https://x.org:80/#y", "https://x.org:80/#y"),
      ("a: Read, Grep, mcp__x__*", "Read, Grep, mcp__x__*"), ("a: x\\ny", "x\\ny"),
      ("a: [1, 2] #3", [1, 2]), ("a: |\n  x #1\n  y: z: w", "x #1\ny: z: w\n"),
    ] as [(String, Value)])
  func leavesYAML(line: String, value: Value) throws {
    let matter = try read("---\n\(line)\n---\nText")
    #expect(matter.node?["a"]?.value == value)
    #expect(matter.warnings.isEmpty)
  }

  @Test func takesTabsForIndentation() throws {
    let matter = try read("---\na: 1\nlist:\n\t- x\n\t- y:\n\t\t  z: 1\n---\nText")
    #expect(matter.node?.value == ["a": 1, "list": ["x", ["y": ["z": 1]]]])
    #expect(matter.warnings.map { place($0.location) } == [[4, 1]])
    guard case .sequence(let items) = matter.node?["list"]?.content else { return }
    #expect(items.map { place($0.location) } == [[4, 4], [5, 4]])
    #expect(place(items.last?["y"]?["z"]?.location) == [6, 8])
    #expect(items.last?["y"]?["z"]?.excerpt == "\t\t  z: 1")
  }

  @Test func takesKeysWithoutTheirSpace() throws {
    let matter = try read("---\nname:writer\nmodel: x\n---\n")
    #expect(matter.node?.value == ["name": "writer", "model": "x"])
    #expect(matter.warnings.map { place($0.location) } == [[2, 6]])
    #expect(place(matter.node?["name"]?.location) == [2, 6])
  }

  @Test func takesBlocksThatAreNotIndented() throws {
    let matter = try read("---\na: |\nFirst line.\n\nSecond line.\nb: 1\n---\n")
    #expect(matter.node?.value == ["a": "First line.\n\nSecond line.\n", "b": 1])
    #expect(matter.warnings.map { place($0.location) } == [[2, 1]])
  }

  @Test func readsAnAgentOfAnotherTool() throws {
    let description =
      "Use this agent when: the user wants a review. Examples: <example>Context: the user has "
      + "written a function.\\nuser: \"Please check it\"\\nassistant: \"I'll use the reviewer\""
      + "\\n<commentary>It's #1 here: it's what it is for.</commentary></example>"
    let long = String(repeating: description + " ", count: 20).dropLast()
    let matter = try read(
      """
      ---
      name: code-reviewer
      description: \(long)
      tools: Read, Grep, Glob, Bash
      model: sonnet
      color: #f0f
      ---

      You are a reviewer.
      """)
    #expect(matter.node?["description"]?.value == .string(String(long)))
    #expect(matter.node?["tools"]?.value == "Read, Grep, Glob, Bash")
    #expect(matter.node?["color"]?.value == "#f0f")
    #expect(matter.warnings.map(\.location?.line) == [3, 6])
    #expect(
      matter.warnings.first?.message
        == "the value of `description` is read as plain text to the end of the line")
    #expect(matter.warnings.first?.details.first?.hasPrefix("as YAML: ") == true)
    #expect(matter.body == "\nYou are a reviewer.")
  }

  @Test func readsDialoguesInADescription() throws {
    let matter = try read(
      """
      ---
      name: helper
      description: Use it when asked. Examples:
      <example>
      Context: a question
      user: "Help"
      assistant: "Yes"
      </example>
      <example>
      user: "Again"
      </example>
      model: opus
      ---
      Text
      """)
    #expect(matter.node?.value.object?.keys == ["name", "description", "model"])
    #expect(
      matter.node?["description"]?.value.string?.hasSuffix(
        "</example> <example> user: \"Again\" </example>") == true)
    #expect(matter.warnings.count == 1)
  }

  @Test func readsFilesThatBeginWithEmptyLines() throws {
    let matter = try read("\n\n---\nname: x\n---\nText")
    #expect(matter.node?.value == ["name": "x"] && matter.body == "Text")
    #expect(matter.warnings.map { place($0.location) } == [[3, 1]])
    #expect(place(matter.node?["name"]?.location) == [4, 7])
  }

  @Test func warnsOncePerAssumption() throws {
    let matter = try read("---\na: x: y\nb:\n\t- 1\nc: *d\ne:f\n---\nText")
    #expect(matter.node?.value == ["a": "x: y", "b": [1], "c": "*d", "e": "f"])
    #expect(matter.warnings.map { place($0.location) } == [[2, 4], [4, 1], [5, 4], [6, 3]])
    #expect(
      matter.warnings.last?.description == """
        a.md:6:3: `e` is read as a key, although no space follows its colon
          e:f
            ^
        → write a space after the colon
        """)
  }
}
