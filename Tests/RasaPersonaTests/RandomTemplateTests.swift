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

  /// Rendering by looking at one place after the other, as slowly as one likes.
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
      // A file is another test's matter.
      if source.contains("file:") && source.contains("}}") { continue }
      let template = try Template.compile(source, by: .agent)
      let rendered = template.render { .string(Self.values[$0.description] ?? "") }
      #expect(rendered == reference(source), "\(source)")
      // A persona's template means the same wherever it is allowed.
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
        #expect((error.location?.line ?? 0) >= 1 && !error.mend.isEmpty)
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
