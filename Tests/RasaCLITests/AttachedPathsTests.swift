import Testing

@testable import RasaCLI

@Suite("Paths in a line of a chat")
struct AttachedPathsTests {
  private static let files: Set<String> = [
    "photo.png", "/tmp/my photo.JPG", "/home/u/scan.pdf", "/tmp/it's.png", "notes.md", "a,b.png",
    "/tmp/ü.png",
  ]

  @Test(
    arguments: [
      ("what is in photo.png?", ["photo.png"], "what is in photo.png?", true),
      ("photo.png", ["photo.png"], "photo.png", false),
      (" photo.png. ", ["photo.png"], " photo.png. ", false),
      ("'/tmp/my photo.JPG' who is this", ["/tmp/my photo.JPG"], "my photo.JPG who is this", true),
      ("\"/tmp/my photo.JPG\"", ["/tmp/my photo.JPG"], "my photo.JPG", false),
      (#"/tmp/my\ photo.JPG "#, ["/tmp/my photo.JPG"], "my photo.JPG ", false),
      (#"look: /tmp/it\'s.png"#, ["/tmp/it's.png"], "look: it's.png", true),
      ("file:///tmp/my%20photo.JPG", ["/tmp/my photo.JPG"], "my photo.JPG", false),
      ("file://host/tmp/%C3%BC.png", ["/tmp/ü.png"], "ü.png", false),
      ("~/scan.pdf (the scan)", ["/home/u/scan.pdf"], "scan.pdf (the scan)", true),
      (
        "photo.png photo.png a,b.png", ["photo.png", "a,b.png"], "photo.png photo.png a,b.png",
        false
      ),
      // Nothing is there, or it is neither image nor PDF: only words.
      ("why is other.png missing?", [], "why is other.png missing?", true),
      ("summarise notes.md", [], "summarise notes.md", true),
      ("what's in 'it'", [], "what's in 'it'", true),
      ("a trailing \\", [], "a trailing \\", true),
      ("'unclosed photo", [], "'unclosed photo", true),
      ("100%", [], "100%", true), ("file://", [], "file://", true), ("", [], "", false),
    ] as [(String, [String], String, Bool)])
  func finds(_ row: (line: String, paths: [String], text: String, hasWords: Bool)) {
    let found = AttachedPaths(row.line, home: "/home/u", isFile: Self.files.contains)
    #expect(found.paths == row.paths)
    #expect(found.text == row.text)
    #expect(found.hasWords == row.hasWords)
  }

  @Test func takesEveryWordOfACommandForAPath() {
    let found = AttachedPaths(
      "notes.md 'no such.txt'", any: true, home: nil, isFile: Self.files.contains)
    #expect(found.paths == ["notes.md", "no such.txt"])
    #expect(!found.hasWords)
  }
}
