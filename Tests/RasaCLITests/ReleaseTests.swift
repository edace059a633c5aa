import RasaCLI
import RasaTestKit
import Testing

@Suite("What a release needs")
struct ReleaseTests {
  @Test func `the version is the changelog's newest heading`() throws {
    let headings = try Repository.lines("CHANGELOG.md").filter { $0.hasPrefix("## ") }
    #expect(
      headings.first.map { String($0.dropFirst(3).prefix(while: { $0 != " " })) } == Program.version
    )
  }

  @Test func `the licence is named where people look for it`() throws {
    let licence = try Repository.text("LICENSE")
    #expect(licence.hasPrefix("MIT License\n\nCopyright (c) 2026 the rasa authors\n"))
    let readme = try Repository.text("README.md")
    for file in ["LICENSE", "SECURITY.md", "CHANGELOG.md"] {
      #expect(readme.contains("](\(file))"), "README.md does not name \(file)")
    }
  }
}
