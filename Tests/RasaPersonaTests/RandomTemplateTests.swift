import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@Suite("Any template") struct RandomTemplateTests {
  private static let texts = [
    "a", "{", "}", "}}", "{ {", "é", "\n", "\\", "`", "$", " ", "{x}", "file:", "中", "\\\\", "{{",
    "{{#", "{{file:", "{{ ", "}} ", "|",
  ]
  private static let names = ["a", "b.c", "NAME", "user-name", "größe", "x1"]
  private static let values: [String: String] = [
    "a": "{{a}}", "b.c": "{{file:x}}", "NAME": "", "user-name": "\\{{", "größe": "}}{{", "x1": "{",
  ]

  /// A reference implementation that renders character by character, without regard to speed.
  private func reference(_ source: String) -> String {
    var rest = Substring(source)
    var result = ""
    var isAfterDollar = false
    while !rest.isEmpty {
      if rest.hasPrefix("\\{{") {
        result += "{{"
        rest = rest.dropFirst(3)
        isAfterDollar = false
      } else if rest.hasPrefix("{{") {
        var placeholder: (name: String, length: Int)?
        if !isAfterDollar, let end = rest.firstRange(of: "}}") {
          let inner = rest[rest.index(rest.startIndex, offsetBy: 2)..<end.lowerBound]
          let name = inner.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
          if Self.names.contains(String(name)) {
            placeholder = (String(name), rest.distance(from: rest.startIndex, to: end.upperBound))
          }
        }
        if let placeholder {
          result += Self.values[placeholder.name] ?? ""
          rest = rest.dropFirst(placeholder.length)
        } else {
          while rest.hasPrefix("{") {
            result += "{"
            rest = rest.dropFirst()
          }
        }
        isAfterDollar = false
      } else if let first = rest.first {
        isAfterDollar = first == "$"
        result.append(first)
        rest = rest.dropFirst()
      }
    }
    return result
  }

  @Test func rendersAsASlowReferenceDoes() throws {
    var numbers = SeededNumbers(seed: 41)
    for _ in 0..<3_000 {
      var source = ""
      for _ in 0..<numbers.upTo(12) {
        if numbers.happens(oneIn: 2) {
          source += Self.texts.randomElement(using: &numbers) ?? ""
        } else {
          let blank = numbers.happens(oneIn: 3) ? " " : ""
          source += "{{\(blank)\(Self.names.randomElement(using: &numbers) ?? "a")\(blank)}}"
        }
      }
      // Inserted files have tests of their own.
      if source.contains("file:") && source.contains("}}") { continue }
      let template = try Template.compile(source, by: .agent)
      let rendered = template.render { .string(Self.values[$0.description] ?? "") }
      #expect(rendered == reference(source), "\(source)")
      // A template means the same in every field of a persona that may have one.
      if let strict = try? Template.compile(source), !source.contains("${{") {
        #expect(strict.render { .string(Self.values[$0.description] ?? "") } == rendered)
      }
    }
  }

  @Test func ofAnyBytesIsReadOrRefusedWithItsPlace() throws {
    var numbers = SeededNumbers(seed: 42)
    let start = SourceLocation(file: "a.md", line: 1, column: 1)
    for _ in 0..<3_000 {
      var source = ""
      for _ in 0..<numbers.upTo(20) { source += Self.texts.randomElement(using: &numbers) ?? "" }
      let template = try Template.compile(source, by: .agent, at: start)
      _ = try? template.inserting { _ throws(Failure) in Array("{{a}}".utf8) }
        .render(strict: true) { _ in .null }
      do throws(Failure) { _ = try Template.compile(source, at: start) } catch {
        #expect((error.location?.line ?? 0) >= 1 && !error.suggestion.isEmpty)
        #expect(!template.warnings.isEmpty || !template.files.isEmpty || source.contains("${{"))
      }
    }
  }

  @Test(
    "takes time in proportion to its length",
    arguments: [
      "{{a}} ", "{{", "{{a", "{{ ", "{{file:x", "{{file:x}}", "\\{{", "${{a}}", "{{{a}}}",
    ])
  func isLinear(piece: String) throws {
    let source = String(repeating: piece, count: 200_000)
    let template = try Template.compile(
      source, by: .agent, at: SourceLocation(file: "", line: 1, column: 1))
    #expect(template.render { _ in "x" }.utf8.count <= source.utf8.count)
  }
}

@Suite("Any text in a prompt") struct RandomInsertionTests {
  private static let pieces = [
    "\n", "\n\n\n", "\r\n", "\r", " ", "\t", "", "{{input}}", "{{", "\\{{", "é", "e\u{301}",
    "\u{301}",
    "\u{200D}", "=\u{321}", "\u{0}", "\u{FEFF}", "diff --git a b\n", " \n \n", "👩‍👧", "\u{2028}",
    "\u{85}", "```", "x",
  ]
  /// The text around the placeholder: only what an author wrote may be tidied.
  private static let around = ["", "\n\n\n", "Text:\n\n\n", "  ", "A ", "\n{{missing}}\n\n"]

  @Test("is inserted byte for byte, whatever surrounds it")
  func insertedTextIsUntouched() throws {
    var numbers = SeededNumbers(seed: 7)
    for _ in 0..<2_000 {
      let text = (0..<numbers.upTo(9)).map { _ in
        Self.pieces.randomElement(using: &numbers) ?? ""
      }.joined()
      let before = Self.around.randomElement(using: &numbers) ?? ""
      let after = Self.around.randomElement(using: &numbers) ?? ""
      let template = try Template.compile("\(before)<{{input}}>\(after)", by: .persona)
      let prompt = template.prompt { $0 == "input" ? .string(text) : .null }
      let wanted = Array("<\(text)>".utf8)
      let bytes = Array(prompt.utf8)
      #expect(bytes.indices.contains { bytes[$0...].starts(with: wanted) })
      let alone = try Template.compile("{{input}}", by: .persona).prompt { _ in .string(text) }
      #expect(Array(alone.utf8) == Array(text.utf8))
    }
  }

  @Test(
    "the author's text is tidied where a value is missing",
    arguments: [
      ("\n\nA\n\n\n\nB\n{{missing}}\n\n{{missing}}\nC\n\n", "A\n\nB\n\nC"),
      ("{{missing}}\n\n  A", "  A"), ("A\n{{input}}\n\n\nB", "A\n\n\n x \n\n\n\nB"),
      ("{{missing}}", ""), ("\n\n{{input}}\n\n", "\n\n x \n\n"), ("A \r\n\r\n\r\nB", "A \r\n\nB"),
    ])
  func authorsTextIsTidied(source: String, expected: String) throws {
    let template = try Template.compile(source, by: .persona)
    let prompt = template.prompt { $0 == "input" ? .string("\n\n x \n\n") : .null }
    #expect(Array(prompt.utf8) == Array(expected.utf8))
  }
}
