import Glibc
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@Suite("Surveys of folders")
struct SurveyTests {
  @Test("folders and wanted files are listed in order with their stamps, hidden ones are not")
  func entries() throws {
    let folder = ScratchDirectory()
    for name in ["b.md", "a.md", "c.txt", ".hidden.md"] {
      try FileSystem.write(name, to: "\(folder.path)/\(name)")
    }
    try FileSystem.makeFolder("\(folder.path)/sub")
    try FileSystem.makeFolder("\(folder.path)/.git")
    #expect(unsafe symlink("sub", "\(folder.path)/link") == 0)
    #expect(unsafe symlink("nothing", "\(folder.path)/lost.md") == 0)
    #expect(unsafe symlink("nothing", "\(folder.path)/lost.txt") == 0)
    func survey(_ limit: Int) throws(Failure) -> [FileSystem.ScannedEntry] {
      try FileSystem.survey(folder.path, limit: limit) { $0[$0.count - 1] == UInt8(ascii: "d") }
    }
    let entries = try survey(100)
    #expect(entries.map(\.name) == ["a.md", "b.md", "link", "lost.md", "sub"])
    #expect(entries.map(\.kind) == [.file, .file, .folder, .other, .folder])
    #expect(entries.map { $0.stamp == nil } == [false, false, false, true, false])
    #expect(entries[0].stamp == FileSystem.status(of: "\(folder.path)/a.md")?.stamp)
    #expect(entries[2].stamp?.identity == entries[4].stamp?.identity)
    #expect(throws: Failure.self) { try survey(3) }
    #expect(throws: Failure.self) {
      try FileSystem.survey("\(folder.path)/none", limit: 10) { _ in true }
    }
  }

  @Test("a stamp shows when it proves nothing")
  func freshness() {
    let fine = FileStamp(device: 1, inode: 2, size: 3, modified: 0, changed: 5_000_000_001)
    #expect(fine.mayHide(changesAfter: 5_000_000_001))
    #expect(fine.mayHide(changesAfter: 5_040_000_000))
    #expect(!fine.mayHide(changesAfter: 5_060_000_001))
    // As on a file system with a resolution of a second.
    let coarse = FileStamp(device: 1, inode: 2, size: 3, modified: 0, changed: 5_000_000_000)
    #expect(coarse.mayHide(changesAfter: 6_900_000_000))
    #expect(!coarse.mayHide(changesAfter: 7_100_000_000))
  }
}
