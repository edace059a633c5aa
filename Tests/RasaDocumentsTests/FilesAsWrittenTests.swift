import RasaCore
import RasaDocuments
import Testing

@Suite("Files as people write them")
struct FilesAsWrittenTests {
  // MARK: Repeated keys

  @Test(
    "of a key that repeats in a front matter the last value counts, with a warning at its line",
    arguments: [
      ("a: 1\nb: 2\na: 3", ["a": 3, "b": 2], [4]),
      ("odd: 1\nodd: 2\nname: x\nodd: 3", ["odd": 3, "name": "x"], [3, 5]),
      ("m: {x: 1, x: 2}\nname: x", ["m": ["x": 2], "name": "x"], [2]),
      ("l:\n  - x: 1\n    x: 2", ["l": [["x": 2]]], [4]),
      // Also in one that has to be put right besides.
      (
        "name: x\ndescription: Use when: always\nname: y",
        ["description": "Use when: always", "name": "y"], [4]
      ),
    ] as [(String, Value, [Int])])
  func repeatedKeys(lines: String, value: Value, places: [Int]) throws {
    let matter = try FrontMatter.read(Array("---\n\(lines)\n---\nText".utf8), file: "a.md")
    #expect(matter.node?.value == value && matter.failure == nil)
    let told = matter.warnings.filter {
      $0.message.contains("is defined twice, and this one counts")
    }
    #expect(told.map { $0.location?.line } == places)
  }

  @Test("in a file of rasa's own each repeated key is an error, and hides no other")
  func ownFiles() throws {
    let text = "a: 1\na: 2\nb: 3\nb: 4\nc: {d: 1, d: 2}\n"
    let failure = #expect(throws: Failure.self) { try YAML.parse(text, file: "x.yaml") }
    let all = failure?.separated ?? []
    #expect(all.map { $0.location?.line } == [2, 4, 5])
    #expect(
      all.allSatisfy { $0.excerpt?.isEmpty == false && $0.suggestion == "keep one of the two" })
    let read = try YAML.read(Array(text.utf8), file: "x.yaml")
    #expect(read.node.value == ["a": 2, "b": 4, "c": ["d": 2]] && read.problems.count == 3)
    // With what stops the reading.
    let broken = #expect(throws: Failure.self) { try YAML.parse("a: 1\na: 2\nb: [", file: "x") }
    #expect(broken?.separated.count == 2)
  }

  // MARK: Indentation

  @Test(
    "an item that is further in than the one above is the next one, and no part of its text",
    arguments: [
      ("tools:\n  - a\n   - b", ["a", "b"], [4]),
      ("tools:\n- a\n  - b\n  - c\n- d", ["a", "b", "c", "d"], [4, 5]),
      ("tools:\n  - a - b\n  - c", ["a - b", "c"], []),
      ("tools:\n  - a\n    b\n  - c", ["a b", "c"], []),
      ("tools:\n  - 'a\n    - b'", ["a - b"], []),
    ] as [(String, [String], [Int])])
  func items(lines: String, items: [String], places: [Int]) throws {
    let matter = try FrontMatter.read(Array("---\n\(lines)\n---\nText".utf8), file: "a.md")
    #expect(matter.node?["tools"]?.value == .array(items.map { .string($0) }))
    #expect(matter.warnings.map { $0.location?.line } == places)
    // In a file of rasa's own it is an error.
    let problems = try YAML.read(Array(lines.utf8), file: "x").problems
    #expect(problems.map { $0.failure.location?.line } == places.map { $0 - 1 })
  }

  @Test(
    "a usual key that is indented below another is a key, and in a text a part of it",
    arguments: [
      ("name: x\n  description: Does it.", ["name": "x", "description": "Does it."], [3]),
      (
        "name: x\n  description: Does it.\n  model: haiku\ncolor: red",
        ["name": "x", "description": "Does it.", "model": "haiku", "color": "red"], [3, 4]
      ),
      (
        "name: x\ndescription: Use it so\n  Context: a question",
        ["name": "x", "description": "Use it so Context: a question"], [3]
      ),
      // There is a description already: this one is what it says.
      (
        "name: x\nmodel: m\ndescription: Sets the\n  model: of all",
        ["name": "x", "model": "m", "description": "Sets the model: of all"], [4]
      ),
    ] as [(String, Value, [Int])])
  func misplacedKeys(lines: String, value: Value, places: [Int]) throws {
    let matter = try FrontMatter.read(Array("---\n\(lines)\n---\nText".utf8), file: "a.md")
    #expect(matter.failure == nil)
    #expect(matter.node?.value == value, "\(String(describing: matter.node?.value))")
    #expect(matter.warnings.map { $0.location?.line } == places)
  }

  // MARK: Characters

  @Test(
    "characters that JSON writes as two escapes are read",
    arguments: [
      (#"a: "\ud83d\ude42""#, "🙂"), (#"a: "x \uD83D\uDE42\ud83d\ude42 y""#, "x 🙂🙂 y"),
      (#"{"a": "\u00e9\ud83d\ude42\n"}"#, "é🙂\n"),
      // Where a backslash is a letter the letters stay.
      (#"a: '\ud83d\ude42'"#, #"\ud83d\ude42"#), (#"a: \uD83D\uDE42"#, #"\uD83D\uDE42"#),
      (#"a: "\\ud83d""#, #"\ud83d"#), (#"a: "\ud83d\ude42 \ue000 \uf123""#, "🙂 \u{E000} \u{F123}"),
      ("a: \"\\ud83d\\ude42\u{E123}\"", "🙂\u{E123}"),
    ])
  func pairs(text: String, value: String) throws {
    #expect(try YAML.parse(text, file: "x")["a"]?.value == .string(value))
  }

  @Test("places behind such a character are those of the file")
  func placesBehindPairs() throws {
    let node = try YAML.parse(#"{"a": "\ud83d\ude42", "b": [1]}"#, file: "x")
    #expect(node["b"]?.location.column == 28)
  }

  @Test(
    "half a character and a NUL are refused with their place",
    arguments: [
      ("x: 1\na: \"\\ud83d\"", 2, 4, "half"), ("a: \"\\ude42\\ud83d\"", 1, 4, "half"),
      ("a: \"\\ud83d \\ude42\"", 1, 4, "half"), ("x: 1\ny: [\"a\\0b\"]", 2, 5, "NUL"),
      ("\"a\\u0000\": 1", 1, 1, "NUL"), ("a: \"\\x00\"", 1, 4, "NUL"),
    ])
  func refusedCharacters(text: String, line: Int, column: Int, words: String) {
    let failure = #expect(throws: Failure.self) { try YAML.parse(text, file: "x") }
    #expect(failure?.location == SourceLocation(file: "x", line: line, column: column))
    #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
  }

  @Test(
    "a NUL in TOML is refused with its place",
    arguments: [("a = 1\nb = \"x\\u0000\"", 2), ("\"a\\u0000\" = 1", 1), ("a = [\"\\u0000\"]", 1)])
  func nullsInTOML(text: String, line: Int) {
    let failure = #expect(throws: Failure.self) { try TOML.parse(text, file: "x") }
    #expect(failure?.location?.line == line && failure?.message.contains("NUL") == true)
  }

  @Test("two byte order marks are refused alike, whatever the file")
  func marks() {
    for count in 1...3 {
      let marks = String(repeating: "\u{FEFF}", count: count)
      let messages = ["yaml", "toml", "markdown"].map { message(of: $0, behind: marks) }
      #expect(Set(messages).count == 1)
      #expect(messages[0].isEmpty == (count == 1))
      #expect(messages[0].contains("byte order mark") == (count > 1))
    }
  }

  private func message(of kind: String, behind marks: String) -> String {
    do throws(Failure) {
      switch kind {
      case "yaml": _ = try YAML.parse(marks + "a: 1", file: "x")
      case "toml": _ = try TOML.parse(marks + "a = 1", file: "x")
      default: _ = try FrontMatter.read(Array((marks + "---\na: 1\n---\n").utf8), file: "x")
      }
      return ""
    } catch {
      return error.message
    }
  }

  // MARK: Several at once

  @Test("each of several failures is shown with its own line, caret and suggestion")
  func severalFailures() {
    func failure(_ number: Int) -> Failure {
      Failure(
        .configuration, "message \(number)", suggestion: "mend \(number)",
        at: SourceLocation(file: "f", line: number, column: 2), excerpt: "line \(number)")
    }
    let all = Failure(allOf: (1...3).map(failure))
    #expect(
      all?.description
        == (1...3).map { "f:\($0):2: message \($0)\n  line \($0)\n   ^\n→ mend \($0)" }
        .joined(separator: "\n"))
    #expect(all?.details == ["f:2:2: message 2 → mend 2", "f:3:2: message 3 → mend 3"])
    #expect(all?.separated == (1...3).map(failure))
    var more = all
    more?.details.append("more")
    #expect(more?.details == ["more", "f:2:2: message 2 → mend 2", "f:3:2: message 3 → mend 3"])
    #expect(Failure(allOf: []) == nil)
  }
}
