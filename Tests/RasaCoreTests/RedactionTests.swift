import RasaCore
import Testing

@Suite("Keys in messages") struct RedactionTests {
  private static let environment = [
    "OPENAI_API_KEY": "sk-0123456789", "MY_TOKEN": "sk-0123456789-and-more",
    "DB_PASSWORD": "hunter22",
    "SHORT_KEY": "abc", "HOME": "/home/ada-lovelace", "KEYBOARD": "qwertzuiop",
    "MINE": "named-0123",
  ]

  @Test(
    "are shown as stars, completely, wherever they occur",
    arguments: [
      ("nothing here", "nothing here"), ("sk-0123456789", "***"), ("(sk-0123456789)", "(***)"),
      ("sk-0123456789sk-0123456789", "******"), ("a sk-0123456789-and-more b", "a *** b"),
      ("sk-012345678", "sk-012345678"), ("hunter22 é hunter22", "*** é ***"), ("abc", "abc"),
      ("/home/ada-lovelace qwertzuiop", "/home/ada-lovelace qwertzuiop"), ("named-0123", "***"),
      ("", ""),
    ])
  func text(_ text: String, shown: String) {
    #expect(Redaction(Self.environment, named: ["MINE"])(text) == shown)
  }

  @Test("are taken out of every part of a failure")
  func failure() {
    let key = "sk-0123456789"
    let failure = Redaction(Self.environment)(
      Failure(
        .run, "m \(key)", suggestion: "d \(key)",
        at: SourceLocation(file: "f-\(key)", line: 1, column: 1),
        excerpt: "e \(key)", details: ["x \(key)"]))
    #expect(!"\(failure)".contains(key))
    #expect(failure.kind == .run && failure.message == "m ***")
  }
}
