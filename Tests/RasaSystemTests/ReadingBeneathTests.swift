import Glibc
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@Suite("A file beneath a folder") struct ReadingBeneathTests {
  let folder: ScratchDirectory
  let root: String

  init() throws {
    folder = ScratchDirectory()
    root = folder.path + "/root"
    try FileSystem.makeFolder(root + "/sub")
    try FileSystem.write("inside", to: root + "/sub/file")
    try FileSystem.write("outside", to: folder.path + "/secret")
  }

  private func link(_ name: String, to target: String) {
    #expect(unsafe symlink(target, root + "/" + name) == 0)
  }

  private func refusal(_ path: String, limit: Int = 100) -> Failure? {
    #expect(throws: Failure.self) {
      try FileSystem.read(path, beneath: root, limit: limit)
    }
  }

  @Test(
    "is read, also through links and dots that stay inside",
    arguments: [
      "sub/file", "./sub/file", "sub/../sub/file", "link", "folder/file", "twice", "sub//file",
    ])
  func isRead(path: String) throws {
    link("link", to: "sub/file")
    link("folder", to: "sub")
    link("twice", to: "folder/../link")
    #expect(try FileSystem.read(path, beneath: root, limit: 100) == Array("inside".utf8))
  }

  @Test(
    "is refused if its path leads out",
    arguments: [
      "../secret", "sub/../../secret", "out", "up/secret", "absolute", "/etc/passwd", "chain",
      "sub/../../root/sub/file",
    ])
  func isRefused(path: String) {
    link("out", to: "../secret")
    link("up", to: "..")
    link("absolute", to: folder.path + "/secret")
    link("chain", to: "sub/../out")
    let failure = refusal(path)
    #expect(failure?.message == "cannot read \(path): it leads out of the folder \(root)")
    #expect(failure?.suggestion.isEmpty == false)
  }

  @Test(
    "is refused if it is not a regular file",
    arguments: [
      ("sub", "it is a folder"), ("pipe", "not a regular file"), ("none", "no such file"),
      ("loop", "loop"), ("", "not valid"), ("sub/file\0x", "not valid"),
      ("sub/file/x", "not a folder"),
      (".", "it is a folder"), ("large", "larger than 100 bytes"),
    ])
  func isNoFile(path: String, words: String) throws {
    #expect(unsafe mkfifo(root + "/pipe", 0o600) == 0)
    link("loop", to: "loop")
    try FileSystem.write(String(repeating: "x", count: 101), to: root + "/large")
    #expect(refusal(path)?.message.contains(words) == true)
  }

  @Test("is refused through the kernel's own links")
  func isNoMagicLink() {
    let failure = #expect(throws: Failure.self) {
      try FileSystem.read("self/cwd/x", beneath: "/proc", limit: 100)
    }
    #expect(failure?.kind == .configuration)
  }

  @Test("is refused where the folder is none")
  func hasAFolder() {
    for root in [folder.path + "/none", folder.path + "/secret", "a\0b"] {
      #expect(throws: Failure.self) { try FileSystem.read("x", beneath: root, limit: 100) }
    }
  }
}
