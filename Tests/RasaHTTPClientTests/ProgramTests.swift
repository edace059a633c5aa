import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@Suite struct ProgramTests {
  @Test func programGetsInputAndLeavesOutput() async throws {
    let run = try await ProgramRun.run(
      "/bin/sh", ["-c", "cat; echo $NAME >&2; exit 3"], environment: ["NAME": "rasa"],
      input: Array(repeating: 65, count: 1_000_000))
    #expect(run.output.count == 1_000_000)
    #expect(run.errorText == "rasa\n")
    #expect(run.exitCode == 3)
  }

  @Test func signalsCountAsAShellHasThem() async throws {
    #expect(try await ProgramRun.run("/bin/sh", ["-c", "kill -TERM $$"]).exitCode == 143)
  }

  @Test func unreadInputIsHarmless() async throws {
    let run = try await ProgramRun.run("/bin/true", input: Array(repeating: 65, count: 1_000_000))
    #expect(run.exitCode == 0)
  }

  @Test func programThatStaysIsEnded() async throws {
    await #expect(throws: Failure.self) {
      try await ProgramRun.run("/bin/sleep", ["3600"], limit: .milliseconds(50))
    }
  }

  @Test func unknownProgramIsAnError() async throws {
    await #expect(throws: Failure.self) { try await ProgramRun.run("/no/such/program") }
  }

  @Test func terminalIsAConversation() async throws {
    let session = try TerminalSession(
      "/bin/sh", ["-c", "test -t 0 && printf 'name? '; read name; echo \"hello $name\"; exit 4"])
    try await session.expect("name? ")
    session.send("rasa\r")
    try await session.expect("hello rasa")
    #expect(try await session.waitForExit() == 4)
    #expect(try await session.waitForExit() == 4)
  }

  @Test func controlKeysAreSignals() async throws {
    let session = try TerminalSession("/bin/sh", ["-c", "echo ready; exec sleep 3600"])
    try await session.expect("ready")
    session.send("\u{3}")
    #expect(try await session.waitForExit() == 130)
  }

  @Test func expectingInVainShowsTheScreen() async throws {
    let session = try TerminalSession("/bin/sh", ["-c", "echo something else; sleep 3600"])
    try await session.expect("something")
    await #expect(throws: Failure.self) {
      try await session.expect("never", limit: .milliseconds(50))
    }
  }

  @Test func aScratchDirectoryIsRemovedAfterUse() throws {
    var scratch: ScratchDirectory? = ScratchDirectory()
    let path = try #require(scratch?.path)
    _ = try scratch?.write("hello", to: "a/b/c.txt")
    #expect(try scratch?.read("a/b/c.txt") == "hello")
    #expect(try scratch?.read("a/none") == nil)
    scratch = nil
    #expect(!FileSystem.exists(path))
  }
}
