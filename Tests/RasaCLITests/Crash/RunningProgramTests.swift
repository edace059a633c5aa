import Glibc
import RasaCore
import RasaTestKit
import Testing

@Suite("a program that is watched")
struct RunningProgramTests {
  @Test("it is stopped and continues")
  func stopAndGoOn() async throws {
    let program = try RunningProgram("/bin/sh", ["-c", "kill -STOP $$; echo on"])
    try await program.waitUntilStopped()
    program.signal(SIGCONT)
    let run = try await program.finish()
    #expect(run.exitCode == 0 && run.text == "on\n")
    // It has ended: nobody else is hit.
    program.signal(SIGKILL)
  }

  @Test("one that ends is not taken for a stopped one")
  func ended() async throws {
    let program = try RunningProgram("/bin/sh", ["-c", "exit 3"])
    await #expect(throws: Failure.self) { try await program.waitUntilStopped() }
    #expect(try await program.finish().exitCode == 3)
  }

  @Test("at its limit it is killed, as the test wants it or as a failure")
  func limit() async throws {
    let killed = try RunningProgram(
      "/bin/sh", ["-c", "echo begun; exec sleep 60"], limit: .milliseconds(50), atLimit: .kill)
    #expect(try await killed.finish().exitCode == 128 + SIGKILL)
    let late = try RunningProgram("/bin/sleep", ["60"], limit: .milliseconds(1))
    await #expect(throws: Failure.self) { try await late.finish() }
  }
}
