import RasaCore
import RasaPersona
import Testing

private let start = RasaCore.SourceLocation(file: "a.md", line: 3, column: 1)

private func compile(_ source: String) throws -> Template {
  try Template.compile(source, by: .agent, at: start)
}

private func place(_ location: RasaCore.SourceLocation?) -> [Int?] {
  [location?.line, location?.column]
}

@Suite("The template of an agent") struct AgentTemplateTests {
  @Test(
    "keeps other tools' placeholders, with a warning",
    arguments: [
      ("{{#each items}}{{name}}{{/each}}", "{{#each items}}Ada{{/each}}", 2),
      ("{{> partial}}", "{{> partial}}", 1), ("{{{name}}}", "{{{name}}}", 1),
      ("{{ name | upper }}", "{{ name | upper }}", 1), ("${{ name }}", "${{ name }}", 1),
      ("$ {{name}}", "$ Ada", 0), ("{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1}}", 0),
      ("{{\"a\": 1}}", "{{\"a\": 1}}", 1), ("{{", "{{", 1), ("{{{{{{", "{{{{{{", 1),
      ("{{name", "{{name", 1), ("{{a b}} {{name}}", "{{a b}} Ada", 1), ("{{1}}", "{{1}}", 1),
      ("{{}}", "{{}}", 1), ("{{file:}}", "{{file:}}", 1), ("{{file:x", "{{file:x", 1),
      ("{{file:{{name}}}}", "{{file:Ada}}", 1), ("{{ NAME }}{{user-name}}", "ADAada", 0),
      (#"\{{name}}"#, "{{name}}", 0),
    ])
  func keepsText(source: String, expected: String, warnings: Int) throws {
    let values: Value = ["name": "Ada", "NAME": "ADA", "user-name": "ada"]
    let template = try compile(source)
    #expect(template.render { values[$0] } == expected)
    #expect(template.warnings.count == warnings)
  }

  @Test func saysWhereItKeepsText() throws {
    let template = try compile("Hello é {{#if x}}\nand {{ y z }}\n")
    #expect(template.warnings.map { place($0.location) } == [[3, 9], [4, 5]])
    #expect(template.warnings.first?.message.hasPrefix("`{{` is left as text here: ") == true)
  }

  @Test func saysSoOnlySoOften() throws {
    let template = try compile(String(repeating: "{{#}} ", count: 1000))
    #expect(template.warnings.count == 21)
    #expect(template.warnings.last?.message == "980 more `{{` are left as text")
  }

  @Test func listsMissingNamesInOneErrorIfStrict() throws {
    let template = try compile("{{a}} {{b.c}}\né {{d}}{{e}} {{b.c}} {{f}}")
    let values: Value = ["a": 1, "d": ""]
    let failure = #expect(throws: Failure.self) {
      try template.render(strict: true, defaults: ["e": "E"]) { values[$0] }
    }
    #expect(failure?.message == "`b.c`, `f` have no value")
    #expect(failure?.details == ["a.md:3:7: `b.c`", "a.md:4:22: `f`"])
    #expect(place(failure?.location) == [3, 7])
    #expect(
      try template.render(strict: true, defaults: ["b": ["c": 2], "f": 3, "e": "E"]) {
        values[$0]
      } == "1 2\né E 2 3")
  }

  @Test func takesDefaultsElseNothing() throws {
    let template = try compile("{{a}}-{{b.c}}-{{d}}-{{e.f}}")
    let text = try template.render(strict: false, defaults: ["a": "no", "b": ["c": 2], "e.f": 4]) {
      $0 == "a" ? "yes" : .null
    }
    #expect(text == "yes-2--4")
  }

  @Test func renamesItsPaths() throws {
    let template = try compile("{{task}} {{x}} {{input}} {{x}}")
      .renaming { $0 == "task" ? "input" : StatePath(["preferences"] + $0.components) }
    #expect(template.paths == ["input", "preferences.x", "preferences.input"])
    #expect(template.location(of: "preferences.x")?.column == 10)
    #expect(
      template.render { .string($0.description) }
        == "input preferences.x preferences.input preferences.x")
    let one = try compile("{{task}} {{input}}").renaming { _ in "input" }
    #expect(one.paths == ["input"] && one.render { _ in "v" } == "v v")
    #expect(one != template)
  }

  @Test func asksOnceForEachValue() throws {
    var asked: [StatePath] = []
    _ = try compile("{{a}}{{b}}{{a}}{{a}}").render { path in
      asked.append(path)
      return "x"
    }
    #expect(asked == ["a", "b"])
  }

  @Test func isCutWhereNoModelReadsOn() throws {
    let template = try compile(String(repeating: "{{a}}", count: 1000))
    let long = Value.string(String(repeating: "x", count: 1 << 20))
    #expect(template.render { _ in long }.utf8.count == Template.longestText)
  }
}

@Suite("Files in the template of an agent") struct TemplateFileTests {
  private static let files = [
    "notes.md": "---\ntitle: x\n---\n\n# Notes\n", "plain.txt": "plain {{name}}",
    "code.rs": "fn main() {}\n", "fences.md": "````\n```\n````", "Makefile": "all:",
    "bom.txt": "\u{FEFF}x", "empty": "", "a b.c++": "x", "sub/deep.py": "pass",
    "broken.md":
      "---\na: [\n---\nBody",
  ]

  private func insert(_ source: String) throws -> String {
    try compile(source).inserting { path throws(Failure) in
      guard let text = Self.files[path] else {
        throw Failure(.configuration, "there is no file `\(path)`", suggestion: "write it")
      }
      return Array(text.utf8)
    }.render { $0 == "name" ? "Ada" : .null }
  }

  @Test(
    "are inserted in their form",
    arguments: [
      ("a {{file:plain.txt}} b {{name}}", "a plain {{name}} b Ada"),
      ("{{ file: plain.txt }}", "plain {{name}}"),
      ("{{file:notes.md:markdown}}", "# Notes\n"),
      ("{{file:plain.txt:markdown}}", "plain {{name}}\n"),
      ("{{file:broken.md:markdown}}", "Body\n"), ("{{file:bom.txt}}", "x"), ("{{file:empty}}", ""),
      ("{{file:code.rs:code}}", "```rust\nfn main() {}\n```"),
      ("x\n{{file:code.rs:code}}\ny", "x\n```rust\nfn main() {}\n```\ny"),
      ("x {{file:code.rs:code }} y", "x \n```rust\nfn main() {}\n```\n y"),
    ])
  func areInserted(source: String, expected: String) throws {
    #expect(try insert(source) == expected)
  }

  @Test(
    "have a fence longer than any of theirs, and their language",
    arguments: [
      ("fences.md", "`````markdown\n````\n```\n````\n`````"),
      ("Makefile", "```makefile\nall:\n```"),
      ("empty", "```\n```"), ("a b.c++", "```\nx\n```"), ("sub/deep.py", "```python\npass\n```"),
    ])
  func areFenced(path: String, expected: String) throws {
    #expect(try insert("{{file:\(path):code}}") == expected)
  }

  @Test func areListedWithTheirPlaces() throws {
    let template = try compile(
      "{{file:a.md}} {{x}}\n  {{ file:b c.rs:code }}{{file:a.md:markdown}}")
    #expect(template.files.map(\.path) == ["a.md", "b c.rs", "a.md"])
    #expect(template.files.map(\.form) == [.text, .code, .markdown])
    #expect(template.files.map { place($0.location) } == [[3, 1], [4, 3], [4, 25]])
    #expect(template.paths == ["x"])
  }

  @Test func areReadOnce() throws {
    var reads: [String] = []
    _ = try compile("{{file:a}}{{file:b}}{{file:a:code}}").inserting { path throws(Failure) in
      reads.append(path)
      return []
    }
    #expect(reads == ["a", "b"])
  }

  @Test func areAllNamedWhenTheyCannotBeRead() throws {
    let failure = #expect(throws: Failure.self) {
      try insert("{{file:none}}\n{{file:plain.txt}} {{file:none:code}} {{file:other.md}}")
    }
    #expect(failure?.message == "2 files that the prompt inserts cannot be read")
    #expect(
      failure?.details == [
        "a.md:3:1: there is no file `none`", "a.md:4:39: there is no file `other.md`",
      ])
    let one = #expect(throws: Failure.self) { try insert("x {{file:none}}") }
    #expect(one?.description == "a.md:3:3: there is no file `none`\n→ write it")
  }

  @Test(
    "lie where the prompt is",
    arguments: [
      "/etc/passwd", "../x", "a/../../x", "./../x", "~/x", "a\0b", "..", "a/../..",
    ])
  func lieInside(path: String) throws {
    let template = try compile("{{file:\(path)}}")
    let failure = #expect(throws: Failure.self) {
      try template.inserting { _ throws(Failure) in
        Issue.record("it was read")
        return []
      }
    }
    #expect(failure?.message.hasPrefix("`\(path)` cannot be inserted: ") == true)
    #expect(place(failure?.location) == [3, 1])
  }

  @Test func areText() throws {
    let failure = #expect(throws: Failure.self) {
      try compile("{{file:x.bin}}").inserting { _ throws(Failure) in [0xFF] }
    }
    #expect(failure?.message == "`x.bin` cannot be inserted: it is not UTF-8")
  }

  @Test func areBoundedTogether() throws {
    let large = [UInt8](repeating: 0x78, count: 8 << 20)
    let failure = #expect(throws: Failure.self) {
      try compile(String(repeating: "{{file:x}}", count: 10)).inserting { _ throws(Failure) in large
      }
    }
    #expect(failure?.message.contains("64 MB") == true)
  }

  @Test func tellTemplatesApart() throws {
    let template = try compile("{{file:x}}")
    let one = try template.inserting { _ throws(Failure) in [0x31] }
    let two = try template.inserting { _ throws(Failure) in [0x32] }
    #expect(one != two && one != template && one.source == template.source)
  }
}
