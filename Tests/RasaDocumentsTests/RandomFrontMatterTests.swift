import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("Any front matter and any TOML")
struct RandomFrontMatterTests {
  private static let pieces = [
    "---", "---\n", "\n---\n", "...\n", "\n", "\r\n", "\r", "\t", "  ", "- ", "a", "name", ": ",
    ":",
    "#", " #x", "'", "\"", "*", "@", "[", "]", "{", "}", "|\n", ">", "é", "\u{FEFF}", "\u{2028}",
    "<example>\n", "</example>\n", "x: y: z\n", "tools: [a, b]\n", "key: \"v\"\n", "%", "!", "&a ",
    "\\", ",", "\u{1B}", "\u{85}", "12:30",
  ]

  private func check(_ bytes: [UInt8]) {
    let matter: FrontMatter
    do throws(Failure) { matter = try FrontMatter.read(bytes, file: "a.md") } catch {
      #expect(!error.message.isEmpty && error.location != nil)
      return
    }
    // What stands above and below is the whole file, whatever became of the front matter.
    #expect(bytes.indices.contains(matter.bodyOffset) || matter.bodyOffset == bytes.count)
    #expect(Array(matter.body.utf8) == Array(bytes[matter.bodyOffset...]))
    #expect(matter.node == nil || matter.failure == nil)
    for failure in matter.warnings + (matter.failure.map { [$0] } ?? []) {
      #expect(!failure.message.isEmpty && !failure.suggestion.isEmpty)
      #expect((failure.location?.line ?? 0) >= 1 && (failure.location?.column ?? 0) >= 1)
    }
    // A text below that is read alone is not cut again at another place.
    if matter.node != nil,
      let above = try? FrontMatter.read(
        Array(bytes[..<matter.bodyOffset]), file: "a.md")
    {
      #expect(above.node?.value == matter.node?.value && above.body.isEmpty)
    }
  }

  @Test func isCutInTwoAtOnePlace() {
    var numbers = SeededNumbers(seed: 21)
    for _ in 0..<4_000 {
      var text = numbers.happens(oneIn: 4) ? "" : "---\n"
      for _ in 0..<numbers.upTo(14) { text += Self.pieces.randomElement(using: &numbers) ?? "" }
      if numbers.happens(oneIn: 2) { text += "\n---\nText" }
      check(Array(text.utf8))
    }
  }

  @Test func ofRandomBytesIsReadOrRefused() {
    var numbers = SeededNumbers(seed: 22)
    for _ in 0..<4_000 {
      var bytes = Array("---\n".utf8)
      for _ in 0..<numbers.upTo(40) { bytes.append(UInt8(truncatingIfNeeded: numbers.next())) }
      check(bytes)
      check(Array(bytes.filter { $0 < 0x80 && $0 != 0 }) + Array("\n---\n".utf8))
    }
  }

  @Test func cutAnywhereIsReadOrRefused() {
    let text = """
      \u{FEFF}---\r
      name: x\r
      description: a: b 'c' é\r
      list:
      \t- "q"
      \t- [1, {b: c}]
      text: |
        ---
        more
      ---
      # Title
      """
    let bytes = Array(text.utf8)
    for length in 0...bytes.count { check(Array(bytes[..<length])) }
  }

  @Test func asTOMLIsReadOrRefused() {
    var numbers = SeededNumbers(seed: 23)
    let pieces = [
      "a", "b", ".", "=", " = ", "[", "]", "[[", "]]", "{", "}", ",", "\n", "\r\n", "\"", "'",
      "\"\"\"", "'''", "\\", "1", "0x", "_", "-", "+", "e", "inf", "true", "#", "é", "2026-01-31",
      "T07:30:00", "Z", "\t", "\\u00e9", "\u{2028}", "\r",
    ]
    for _ in 0..<10_000 {
      var text = ""
      for _ in 0..<numbers.upTo(16) { text += pieces.randomElement(using: &numbers) ?? "" }
      outcome(Array(text.utf8))
    }
    let document = Array("[a]\nb = 0.10\n\"é\".c = [1, {d = '''x''', e = 2026-01-31}]\n".utf8)
    for index in document.indices {
      for byte in stride(from: 0, through: 255, by: 5) {
        var changed = document
        changed[index] = UInt8(byte)
        outcome(changed)
      }
    }
  }

  private func outcome(_ bytes: [UInt8]) {
    do throws(Failure) {
      #expect(try TOML.parse(bytes, file: "a.toml").location.line == 1)
    } catch {
      #expect(!error.message.isEmpty && !error.suggestion.isEmpty)
      #expect((error.location?.line ?? 0) >= 1 && (error.location?.column ?? 0) >= 1)
    }
  }
}
