import RasaCore
import RasaPersona
import Testing

@Suite struct TemplateTests {
  static let state: Value = [
    "name": "Ada", "count": 3, "draft": ["title": "T", "tags": ["a"]], "braces": "{{name}}",
    "risk-level": "low", "größe": "groß", "list": [["id": 1]],
    "empty": "", "no": false, "zero": 0, "none": [], "blank": .object(ValueObject()),
  ]

  @Test(
    arguments: [
      ("", ""), ("plain", "plain"), ("{{name}}", "Ada"), ("{{ name }}", "Ada"),
      ("{{\tname }}!", "Ada!"), ("a{{name}}b{{count}}c", "aAdab3c"),
      ("{{draft.title}}", "T"), ("{{draft.missing.deep}}", ""), ("{{missing}}", ""),
      ("{{draft}}", "{\n  \"title\": \"T\",\n  \"tags\": [\n    \"a\"\n  ]\n}"),
      ("{{braces}}", "{{name}}"), (#"\{{name}}"#, "{{name}}"), (#"\\{{name}}"#, #"\{{name}}"#),
      ("{ {name} }", "{ {name} }"), ("{\"a\": {\"b\": 1}}", "{\"a\": {\"b\": 1}}"),
      ("}} {", "}} {"), ("{", "{"), ("{{risk-level}}", "low"), ("{{größe}} ü", "groß ü"),
      (#"a \n \{ b"#, #"a \n \{ b"#),
    ])
  func renders(source: String, expected: String) throws {
    #expect(try Template.compile(source).render { Self.state[$0] } == expected)
  }

  @Test(
    arguments: [
      ("{{#name}}Hi {{name}}{{/name}}!", "Hi Ada!"),
      ("{{#missing}}Hi {{missing}}{{/missing}}!", "!"),
      ("{{# draft.title }}{{draft.title}}{{/ draft.title }}", "T"),
      (
        "{{#empty}}a{{/empty}}{{#no}}b{{/no}}{{#zero}}c{{/zero}}{{#none}}d{{/none}}{{#blank}}e{{/blank}}",
        ""
      ),
      ("{{#list}}one{{/list}}{{#count}} two{{/count}}", "one two"),
      // Inserted values are not rendered again.
      ("{{#braces}}{{braces}}{{/braces}}", "{{name}}"),
      // A tag alone on its line is removed with the line, including a CRLF at its end.
      ("a\n{{#name}}\nb\n{{/name}}\nc", "a\nb\nc"), ("a\n{{#missing}}\nb\n{{/missing}}\nc", "a\nc"),
      ("a\n  {{#name}} \nb\n\t{{/name}}\r\nc", "a\nb\nc"), ("{{#name}}\na\n{{/name}}", "a\n"),
      ("{{#name}}\n{{#missing}}\nx\n{{/missing}}\ny\n{{/name}}\n", "y\n"),
      ("a {{#name}}\nb{{/name}}\n", "a \nb\n"),
      // Nested sections.
      ("{{#name}}a{{#count}}b{{#missing}}c{{/missing}}d{{/count}}e{{/name}}f", "abdef"),
      ("{{#missing}}a{{#name}}b{{/name}}c{{/missing}}d", "d"),
      (#"\{{#name}}a"#, "{{#name}}a"),
    ])
  func leavesOutSectionsWithoutAValue(source: String, expected: String) throws {
    let template = try Template.compile(source)
    #expect(template.render { Self.state[$0] } == expected)
    #expect(throws: Never.self) {
      try template.renaming { $0 }.checkNames(defaults: ValueObject()) {
        $0 == "missing" ? .null : Self.state[$0]
      }
    }
  }

  @Test func manySectionsTakeOnePass() throws {
    let many = 50_000
    let nested = String(repeating: "{{#a}}", count: many) + String(repeating: "{{/a}}", count: many)
    #expect(try Template.compile(nested).render { _ in "x" }.isEmpty)
    let flat = String(repeating: "{{#a}}  {{/a}}\n", count: many)
    #expect(
      try Template.compile(flat).render { _ in .null } == String(repeating: "\n", count: many))
  }

  /// Braces in text by another author may be meant for another tool.
  @Test func sectionsOfAgentsAreText() throws {
    let template = try Template.compile("{{#name}}a{{/name}}", by: .agent)
    #expect(template.render { Self.state[$0] } == "{{#name}}a{{/name}}")
    #expect(template.warnings.count == 2)
  }

  @Test func pathsAreListedOnceInOrder() throws {
    let template = try Template.compile("{{b}} {{a.c}} {{ b }} {{a}}")
    #expect(template.paths == ["b", "a.c", "a"])
  }

  @Test(
    arguments: [
      ("{{a.b}}", "a.b"), ("{{ a }}", "a"), (" {{a}}", nil), ("{{a}}{{b}}", nil), ("a", nil),
      ("", nil), (#"\{{a}}"#, nil),
    ] as [(String, String?)])
  func recognisesASinglePlaceholder(source: String, path: String?) throws {
    #expect(try Template.compile(source).onlyPath?.description == path)
  }

  @Test(
    arguments: [
      ("ab {{name", 1, 4, "no closing"), ("ab {{name\n}}", 1, 4, "no closing"),
      ("{{", 1, 1, "no closing"), ("{{name}", 1, 7, "one path"), ("{{}}", 1, 1, "empty"),
      ("{{ }}", 1, 1, "empty"), ("x {{a b}}", 1, 7, "one path"), ("{{a..b}}", 1, 3, "not a path"),
      ("{{.a}}", 1, 3, "not a path"), ("{{1a}}", 1, 3, "not a path"),
      ("one\ntwo {{a!}}", 2, 8, "one path"), ("é {{ü?}}", 1, 6, "one path"),
      ("{{#a}}b", 1, 1, "is not closed"), ("x\n{{#a}}{{#b}}{{/b}}", 2, 1, "`{{#a}}`"),
      ("b{{/a}}", 1, 2, "never opened"), ("{{#a}}{{#b}}{{/a}}{{/b}}", 1, 13, "`{{#b}}`"),
      ("{{#each items}}", 1, 9, "a section takes one path"), ("{{#}}", 1, 1, "empty"),
      ("{{#file:a.md}}", 1, 8, "a section takes"), ("{{#a", 1, 1, "no closing"),
      ("{{file:notes.md}}", 1, 1, "cannot insert a file"),
      ("{{ file:notes.md }}", 1, 1, "cannot insert a file"), ("{{{name}}}", 1, 3, "one path"),
    ])
  func errorsSayWhereTheyAre(source: String, line: Int, column: Int, message: String) {
    let start = SourceLocation(file: "o.yaml", line: 1, column: 1)
    let failure = #expect(throws: Failure.self) { try Template.compile(source, at: start) }
    #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
    #expect(failure?.location == SourceLocation(file: "o.yaml", line: line, column: column))
  }

  @Test func aLineInsideABlockCountsFromItsIndentation() {
    let start = SourceLocation(file: "o.yaml", line: 5, column: 3)
    let failure = #expect(throws: Failure.self) { try Template.compile("ok\n{{a!}}", at: start) }
    #expect(failure?.location == SourceLocation(file: "o.yaml", line: 6, column: 6))
  }

  @Test func manyPlaceholdersAreRead() throws {
    let source = String(repeating: "{{name}} ", count: 50_000)
    let template = try Template.compile(source)
    #expect(template.paths == ["name"])
    #expect(template.render { Self.state[$0] }.utf8.count == 50_000 * 4)
  }
}
