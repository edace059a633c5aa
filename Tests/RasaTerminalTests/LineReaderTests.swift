import Glibc
import RasaCore
import RasaSystem
import RasaTerminal
import RasaTestKit
import Testing

/// Serialized: the underlying library keeps the state of its terminal in globals, and a program has
/// one terminal.
@Suite(.serialized) struct EditedLineTests {}

extension EditedLineTests {
  @Suite(.serialized) struct LineReaderTests {
    let terminal: PseudoTerminal
    let folder: ScratchDirectory
    let reader: LineReader

    init() throws {
      terminal = try PseudoTerminal()
      folder = ScratchDirectory()
      reader = LineReader(
        input: terminal.program, output: terminal.program,
        history: InputHistory(path: folder.path + "/history"),
        environment: Environment(["TERM": "xterm"]))
    }

    @Test func aTypedLineIsRead() async throws {
      async let line = reader.readLine(prompt: "you> ")
      try await terminal.expect("you> ")
      terminal.type("héllo 世界 🎉\r")
      #expect(try await line == .text("héllo 世界 🎉"))
    }

    @Test func aLineIsEditedWithKeys() async throws {
      async let line = reader.readLine(prompt: "> ")
      try await terminal.expect("> ")
      // Two typos deleted, then to the beginning (Ctrl-A).
      terminal.type("wörldxx\u{7F}\u{7F}\u{01}hello \r")
      #expect(try await line == .text("hello wörld"))
    }

    @Test func controlCGivesUpTheLineAndNotTheReader() async throws {
      async let first = reader.readLine(prompt: "one> ")
      try await terminal.expect("one> ")
      terminal.type("half a thou\u{03}")
      #expect(try await first == .interrupted)
      async let second = reader.readLine(prompt: "two> ")
      try await terminal.expect("two> ")
      terminal.type("whole\r")
      #expect(try await second == .text("whole"))
    }

    @Test func controlDOnAnEmptyLineIsTheEnd() async throws {
      async let line = reader.readLine(prompt: "> ")
      try await terminal.expect("> ")
      terminal.type("\u{04}")
      #expect(try await line == .end)
    }

    @Test func pastedLinesStayOneText() async throws {
      async let line = reader.readLine(prompt: "> ")
      try await terminal.expect("> ")
      terminal.type("see: \u{1B}[200~first\rsecond – ünï\r\u{1B}[201~ ok\r")
      #expect(try await line == .text("see: first\nsecond – ünï ok"))
    }

    @Test func ofAPasteThatIsTooLongNothingIsTakenForKeys() async throws {
      async let line = reader.readLine(prompt: "> ")
      try await terminal.expect("> ")
      let terminal = terminal
      async let typed: Void = onOwnThread {
        let lines = String(repeating: "run this, and then that\r", count: 180_000)
        terminal.type("\u{1B}[200~\(lines)\u{1B}[201~")
      }
      await terminal.skip(to: "nothing was inserted")
      await typed
      terminal.type("ok\r")
      #expect(try await line == .text("ok"))
    }

    @Test func altEnterBeginsANewLine() async throws {
      async let line = reader.readLine(prompt: "> ")
      try await terminal.expect("> ")
      terminal.type("one\u{1B}\rtwo\r")
      #expect(try await line == .text("one\ntwo"))
    }

    @Test func theArrowKeyRecallsTheLastLine() async throws {
      async let first = reader.readLine(prompt: "one> ")
      try await terminal.expect("one> ")
      terminal.type("what about AMD?\r")
      #expect(try await first == .text("what about AMD?"))
      async let second = reader.readLine(prompt: "two> ")
      try await terminal.expect("two> ")
      terminal.type("\u{10}\r")
      #expect(try await second == .text("what about AMD?"))
      #expect(InputHistory(path: folder.path + "/history").entries() == ["what about AMD?"])
    }

    @Test func aPipeIsReadLineByLineWithoutAPrompt() async throws {
      var ends: [Int32] = [0, 0]
      #expect(unsafe pipe(&ends) == 0)
      try Output(descriptor: ends[1]).write("one\r\n\ntwo\nlast")
      close(ends[1])
      let reader = LineReader(input: ends[0], output: ends[0], environment: Environment())
      defer { close(ends[0]) }
      for expected: LineReader.Line in [
        .text("one"), .text(""), .text("two"), .text("last"), .end, .end,
      ] { #expect(try await reader.readLine(prompt: "never shown") == expected) }
    }

    @Test func aLineThatNeverEndsIsRefused() async throws {
      let descriptor = unsafe open("/dev/zero", O_RDONLY | O_CLOEXEC)
      defer { close(descriptor) }
      let reader = LineReader(input: descriptor, environment: Environment())
      let failure = await #expect(throws: Failure.self) { try await reader.readLine(prompt: "") }
      #expect(failure?.kind == .usage)
    }
  }
}

@Suite struct InputHistoryTests {
  let folder: ScratchDirectory
  let history: InputHistory
  init() throws {
    folder = ScratchDirectory()
    history = InputHistory(path: folder.path + "/history")
  }

  @Test func entriesOfAnyShapeAreReadBack() throws {
    let entries = ["plain", "two\nlines", "back\\slash \\n", "ünï 世界", "windows\r\nline"]
    for entry in entries { try history.add(entry) }
    #expect(history.entries() == entries)
  }

  @Test func aRepetitionAndNothingAreNotKept() throws {
    for entry in ["a", "a", "", "b", "a"] { try history.add(entry) }
    #expect(history.entries() == ["a", "b", "a"])
  }

  @Test func itIsForTheOwnerOnlyAndBounded() throws {
    let lines = (0..<InputHistory.mostEntries).map { "entry \($0)\n" }.joined()
    try FileSystem.write(lines, to: history.path, mode: 0o644)
    try history.add("newest")
    let entries = history.entries()
    #expect(entries.count == InputHistory.mostEntries)
    #expect(entries.first == "entry 1")
    #expect(entries.last == "newest")
    var status = stat()
    #expect(unsafe stat(history.path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
  }

  @Test func aMissingFileIsAnEmptyHistory() {
    #expect(InputHistory(path: "/no/such/file").entries() == [])
    #expect(InputHistory(path: folder.path).entries() == [])
  }
}
