import Glibc
import RasaCore
import RasaDocuments
import RasaSQLite
import RasaSystem
import RasaTestKit
import Testing

/// What happens to runs when their file does not stay as it was.
@Suite("rasa: damaged records")
struct DamageTests {
  /// Changes the file of a run that was crashed in its middle.
  private func crashed(_ change: (ScratchDirectory) throws -> Void) async throws -> Journey {
    let journey = try Journey(.stockAnalyst)
    _ = try await journey.crash(at: "settle.after:3")
    let file = journey.program.home.file("rasa.db")
    // Everything into the one file, and nothing beside it.
    try Database(path: file).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    try change(journey.program.home)
    return journey
  }

  /// Each of the commands says what is wrong in one sentence and touches nothing.
  private func expectRefusal(_ journey: Journey, says text: String) async throws {
    let file = journey.program.home.file("rasa.db")
    let before = try FileSystem.read(file, limit: 1 << 24)
    let asked = journey.provider.requests.count
    let run = try #require(journey.run)
    for arguments in [["resume", run], ["runs", "show", run], ["runs", "events", run]] {
      let run = try await journey.begin(arguments).finish()
      #expect(run.exitCode == 1, "\(arguments): \(run.text)")
      #expect(run.errorText.contains(text), "\(arguments): \(run.errorText)")
      #expect(run.errorText.contains("rasa.db"), "\(arguments): \(run.errorText)")
    }
    #expect(try FileSystem.read(file, limit: 1 << 24) == before)
    #expect(journey.provider.requests.count == asked)
  }

  @Test("a newer version's file is left alone")
  func future() async throws {
    let journey = try await crashed { home in
      try Database(path: home.file("rasa.db")).execute(
        "PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE)")
    }
    try await expectRefusal(journey, says: "newer version")
  }

  @Test("a file that was cut off is left alone")
  func truncated() async throws {
    let journey = try await crashed { home in
      let size = try FileSystem.read(home.file("rasa.db"), limit: 1 << 24).count
      #expect(unsafe truncate(home.file("rasa.db"), size / 8192 * 4096) == 0)
    }
    try await expectRefusal(journey, says: "damaged")
  }

  @Test("a flipped bit in a line is detected, and the lines before it can be read")
  func flipped() async throws {
    let journey = try await crashed { home in
      var bytes = try FileSystem.read(home.file("rasa.db"), limit: 1 << 24)
      let answer = Array("Hold what you have".utf8)
      var flips = 0
      for index in bytes.indices.dropLast(answer.count)
      where bytes[index..<(index + answer.count)].elementsEqual(answer) {
        bytes[index] ^= 1
        flips += 1
      }
      #expect(flips > 0)
      try FileSystem.write(bytes, to: home.file("rasa.db"))
    }
    let run = try #require(journey.run)
    let asked = journey.provider.requests.count
    let resumed = try await journey.begin(["resume", run]).finish()
    #expect(resumed.exitCode == 1 && !resumed.hasAnswer)
    #expect(resumed.errorText.contains("damaged"), "\(resumed.errorText)")
    #expect(journey.provider.requests.count == asked)
    // The whole lines before the damaged one.
    let events = try await journey.begin(["runs", "events", run, "--json"]).finish()
    #expect(events.errorText.contains("damaged"), "\(events.errorText)")
    let journal = try RunJournal(events.text)
    #expect(journal.isContiguous && journal.lines(of: "run.started").count == 1)
    #expect(!events.text.contains("old what you have"))
  }
}
