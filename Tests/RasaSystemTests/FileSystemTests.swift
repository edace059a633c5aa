import Glibc
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@Suite struct FileSystemTests {
  let folder: ScratchDirectory
  init() throws { folder = ScratchDirectory() }

  @Test func aWrittenFileIsReadBack() throws {
    let path = folder.path + "/notes.txt"
    try FileSystem.write("first", to: path)
    try FileSystem.write("second", to: path)
    #expect(try FileSystem.read(path, limit: 100) == Array("second".utf8))
    #expect(try FileSystem.list(folder.path) == [.init(name: "notes.txt", kind: .file)])
  }

  @Test func aWrittenFileIsForTheOwnerOnly() throws {
    let path = folder.path + "/secret"
    try FileSystem.write("x", to: path)
    var status = stat()
    #expect(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test func aFileThatIsThereIsKeptWhenItMustNotBeReplaced() throws {
    let path = folder.path + "/persona.yaml"
    try FileSystem.write("mine", to: path, replacing: false)
    let failure = try #require(throws: Failure.self) {
      try FileSystem.write("starter", to: path, replacing: false)
    }
    #expect(failure.message == "cannot write \(path): it already exists")
    #expect(try FileSystem.read(path, limit: 100) == Array("mine".utf8))
    #expect(try FileSystem.list(folder.path).count == 1)
  }

  @Test func aFailedWriteLeavesTheOldFileAndNoOther() throws {
    let path = folder.path + "/sub"
    try FileSystem.makeFolder(path)
    #expect(throws: Failure.self) { try FileSystem.write("x", to: path) }
    #expect(try FileSystem.list(folder.path) == [.init(name: "sub", kind: .folder)])
  }

  @Test func aFullDiskIsReportedAsAStorageFailure() throws {
    // The device that is always full takes the same path as a full disk.
    let failure = try #require(throws: Failure.self) {
      let descriptor = unsafe open("/dev/full", O_WRONLY)
      defer { close(descriptor) }
      try Output(descriptor: descriptor).write("x")
    }
    #expect(failure.kind == .storage)
    #expect(failure.message.hasSuffix("no space left on the disk"))
    #expect(!failure.suggestion.isEmpty)
  }

  @Test func onlyRegularFilesAreRead() throws {
    let pipe = folder.path + "/pipe"
    #expect(unsafe mkfifo(pipe, 0o600) == 0)
    for (path, message) in [
      (pipe, "it is not a regular file"), ("/dev/zero", "it is not a regular file"),
      (folder.path, "it is a folder"), (folder.path + "/none", "no such file or folder"),
    ] {
      let failure = try #require(throws: Failure.self) {
        try FileSystem.read(path, limit: 1000)
      }
      #expect(failure.kind == .configuration)
      #expect(failure.message == "cannot read \(path): \(message)")
    }
    #expect(try FileSystem.readIfPresent(folder.path + "/none", limit: 1) == nil)
  }

  @Test func aLinkIsFollowedOnlyWhenItMayBe() throws {
    try FileSystem.write("x", to: folder.path + "/real")
    let link = folder.path + "/link"
    #expect(unsafe symlink(folder.path + "/real", link) == 0)
    #expect(try FileSystem.read(link, limit: 10) == Array("x".utf8))
    #expect(throws: Failure.self) {
      try FileSystem.read(link, limit: 10, followingLinks: false)
    }
  }

  @Test(arguments: [(10, true), (9, false), (0, false)])
  func aFileIsReadUpToTheLimit(limit: Int, fits: Bool) throws {
    let path = folder.path + "/ten"
    try FileSystem.write("0123456789", to: path)
    let bytes = try? FileSystem.read(path, limit: limit)
    #expect((bytes != nil) == fits)
  }

  @Test func readingAGrowingFileIsBounded() throws {
    // Its reported size is 0, and it never ends.
    var ends: [Int32] = [0, 0]
    #expect(unsafe pipe(&ends) == 0)
    try Output(descriptor: ends[1]).write([UInt8](repeating: 7, count: 5000))
    close(ends[1])
    defer { close(ends[0]) }
    let failure = try #require(throws: Failure.self) {
      try FileSystem.readToEnd(ends[0], limit: 4000, name: "standard input")
    }
    #expect(failure.message == "cannot read standard input: it is larger than 4 kB")
  }

  @Test func entriesAreSortedByTheirBytes() throws {
    for name in ["b", "B", "é", "a"] { try FileSystem.write("", to: "\(folder.path)/\(name)") }
    #expect(try FileSystem.list(folder.path).map(\.name) == ["B", "a", "b", "é"])
    #expect(try FileSystem.list(folder.path + "/missing") == [])
  }

  @Test func foldersAreMadeWithThoseAboveThem() throws {
    let path = folder.path + "/one/two/three"
    try FileSystem.makeFolder(path)
    try FileSystem.makeFolder(path)
    var status = stat()
    #expect(unsafe stat(folder.path + "/one", &status) == 0)
    #expect(status.st_mode & 0o777 == 0o700)
    try FileSystem.write("x", to: folder.path + "/file")
    #expect(throws: Failure.self) { try FileSystem.makeFolder(folder.path + "/file/sub") }
    #expect(throws: Failure.self) { try FileSystem.makeFolder(folder.path + "/file") }
  }

  @Test func aDeviceIsWrittenToAndNotReplaced() throws {
    // A second node of the kernel's device, so that a mistake does no harm.
    let path = folder.path + "/null"
    guard unsafe mknod(path, S_IFCHR | 0o666, 0x103) == 0 else { return }
    try FileSystem.write("x", to: path)
    var status = stat()
    #expect(unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    #expect(try FileSystem.list(folder.path).map(\.name) == ["null"])
  }

  @Test(arguments: [false, true]) func aNamedPipeIsWrittenTo(behindALink: Bool) async throws {
    let path = folder.path + "/pipe"
    #expect(unsafe mkfifo(path, 0o600) == 0)
    let reader = unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    defer { close(reader) }
    var name = path
    if behindALink {
      name = folder.path + "/link"
      #expect(unsafe symlink("pipe", name) == 0)
    }
    try FileSystem.write("content", to: name, followingLinks: behindALink)
    #expect(try FileSystem.readToEnd(reader, limit: 100, name: "pipe") == Array("content".utf8))
    #expect(FileSystem.kind(of: path) != .file)
  }

  @Test func aLinkIsFollowedWhereTheUserNamedItAndReplacedElsewhere() throws {
    let (file, link) = (folder.path + "/file", folder.path + "/link")
    try FileSystem.makeFolder(folder.path + "/deep")
    try FileSystem.write("old", to: folder.path + "/deep/file")
    for (target, name) in [("deep/file", file), ("file", link)] {
      #expect(unsafe symlink(target, name) == 0)
    }
    try FileSystem.write("new", to: link, followingLinks: true)
    #expect(try FileSystem.read(folder.path + "/deep/file", limit: 100) == Array("new".utf8))
    var status = stat()
    #expect(unsafe lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    try FileSystem.write("own", to: link)
    #expect(unsafe lstat(link, &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
    #expect(try FileSystem.read(folder.path + "/deep/file", limit: 100) == Array("new".utf8))
  }

  @Test func whatIsOpenIsWrittenToInPlace() throws {
    let path = folder.path + "/open"
    let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(file) }
    var before = stat()
    #expect(unsafe fstat(file, &before) == 0)
    try FileSystem.write("content", to: "/dev/fd/\(file)", followingLinks: true)
    var after = stat()
    #expect(unsafe stat(path, &after) == 0 && after.st_ino == before.st_ino)
    #expect(try FileSystem.read(path, limit: 100) == Array("content".utf8))
  }

  @Test func linksThatGoRoundInCirclesAreAFailure() throws {
    let link = folder.path + "/link"
    #expect(unsafe symlink("link", link) == 0)
    #expect(throws: Failure.self) {
      try FileSystem.write("x", to: link + "/x", followingLinks: true)
    }
  }

  @Test(arguments: [
    ("a", "."), ("/a", "/"), ("/", "/"), ("/a/b", "/a"), ("/a/b/", "/a"), ("a/b", "a"),
  ])
  func theParentOfAPath(path: String, parent: String) {
    #expect(FileSystem.parent(of: path) == parent)
  }
}

@Suite struct RasaFoldersTests {
  @Test(arguments: [
    (["RASA_HOME": "/r", "HOME": "/h"], ["/r", "/r", "/r"]),
    (["HOME": "/h"], ["/h/.config/rasa", "/h/.local/share/rasa", "/h/.local/state/rasa"]),
    (
      [
        "HOME": "/h", "XDG_CONFIG_HOME": "/c", "XDG_DATA_HOME": "relative", "XDG_STATE_HOME": "",
      ], ["/c/rasa", "/h/.local/share/rasa", "/h/.local/state/rasa"]
    ),
  ])
  func foldersFollowTheEnvironment(variables: [String: String], expected: [String]) throws {
    let folders = try RasaFolders(Environment(variables))
    #expect([folders.configuration, folders.data, folders.state] == expected)
  }

  @Test func theAccountKnowsTheHomeWhenTheEnvironmentDoesNot() throws {
    let folders = try RasaFolders(Environment())
    #expect(folders.data.hasPrefix("/"))
    #expect(folders.data.hasSuffix("/.local/share/rasa"))
  }
}
