import RasaCore
import Testing

@Suite("A failure")
struct FailureTests {
  private func shown(_ excerpt: String, column: Int) -> String {
    let location = RasaCore.SourceLocation(file: "p.yaml", line: 2, column: column)
    return Failure(.configuration, "wrong", at: location, excerpt: excerpt).description
  }

  @Test func tellsWhereWhatAndTheMend() {
    let failure = Failure(
      .configuration, "the key is unknown", suggestion: "did you mean 'name'?",
      at: RasaCore.SourceLocation(file: "p.yaml", line: 3, column: 3), excerpt: "  nmae: x",
      details: ["first", "second"])
    #expect(
      failure.description == """
        p.yaml:3:3: the key is unknown
            nmae: x
            ^
          first
          second
        → did you mean 'name'?
        """)
    #expect(Failure(.run, "it broke").description == "it broke")
    let file = RasaCore.SourceLocation(file: "p.yaml", line: 0, column: 0)
    #expect(Failure(.run, "it broke", at: file).description == "p.yaml: it broke")
  }

  @Test(
    "puts its caret under the column",
    arguments: [
      ("abc", 1, "^"), ("abc", 3, "  ^"), ("abc", 4, "   ^"), ("abc", 0, "^"), ("abc", .min, "^"),
      ("\ta: x", 2, "\t^"), ("a\tb", 3, " \t^"),
      ("中文: x", 5, "      ^"), ("e\u{301}: x", 3, " ^"), ("😀x", 2, "  ^"), ("é: x", 2, " ^"),
      ("a\u{FFFD}b", 3, "  ^"), ("", 1, "^"),
    ])
  func putsItsCaret(excerpt: String, column: Int, caret: String) {
    #expect(shown(excerpt, column: column).split(separator: "\n").last?.dropFirst(2) == caret[...])
  }

  @Test func leavesTheCaretOutBeyondACutLine() {
    #expect(!shown("abc…", column: 50).contains("^"))
    #expect(!shown("abc", column: .max).contains("^"))
  }

  @Test func hasAnExitCodeForEachKind() {
    let codes = Failure.Kind.allCases.map { Failure($0, "").exitCode }
    #expect(codes == [1, 2, 3, 4, 5, 6, 7, 8, 124, 130, 1])
  }

  @Test func warningsTellWhereToo() {
    let location = RasaCore.SourceLocation(file: "p.yaml", line: 1, column: 2)
    #expect(Warning("odd", at: location).description == "p.yaml:1:2: odd")
    #expect(Warning("odd").description == "odd")
  }
}
