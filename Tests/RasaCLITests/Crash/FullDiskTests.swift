import Glibc
import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

/// Serialized: every case mounts a disk.
@Suite("rasa: a full disk", .serialized)
struct FullDiskTests {
  /// Six answers, each of which fills a good part of a small disk.
  private static var talkative: Scenario {
    let names = ["one", "two", "three", "four", "five", "six"]
    let operators = names.map {
      "{name: \($0), kind: llm, reads: [input], writes: {\($0): text}, max_tokens: 60000, "
        + "prompt: \"TELL \($0) {{input}}\"}"
    }
    var numbers = SeededNumbers(seed: 7)
    return Scenario(
      name: "long answers", persona: "talkative",
      document: """
        name: talkative
        description: Says a lot.
        frames:
          - {name: only_frame, kind: session, operators: [\(names.joined(separator: ", ")), compose], next: end}
        operators:
          - \(operators.joined(separator: "\n  - "))
          - {name: compose, reads: [six], compose: {key: output, parts: [six]}}
        """,
      scripts: names.map { name in
        // Nothing in it comes again, so that it takes its room.
        let words = (0..<3000).map { _ in String(numbers.next(), radix: 36) }
        return Script.text(words.joined(separator: " ")).rememberingKeys().with { script in
          script.matches = { $0.lastMessage.contains("TELL \(name) ") }
        }
      })
  }

  @Test(
    "stops the run, which goes on when there is room again", arguments: [256, 400, 560])
  func stops(_ kilobytes: Int) async throws {
    var disk = ""
    let journey = try Journey(Self.talkative) { program in
      disk = program.home.file("disk")
      try FileSystem.makeFolder(disk)
      program.environment["RASA_HOME"] = disk
    }
    guard unsafe mount("tmpfs", disk, "tmpfs", 0, "size=\(kilobytes)k,mode=700") == 0 else {
      print("skipped: a small disk cannot be mounted here (errno \(errno)); it takes root")
      return
    }
    defer { unsafe umount2(disk, Int32(MNT_DETACH)) }
    let stopped = try await journey.begin(journey.scenario.arguments).finish()
    #expect(stopped.exitCode == 1)
    #expect(stopped.errorText.contains("no room left"), "\(stopped.errorText)")
    #expect(!stopped.hasAnswer, "\(stopped.text)")
    // That nothing is lost is said once.
    #expect(stopped.errorText.contains("everything recorded so far is intact"))
    #expect(!stopped.errorText.contains("is kept"), "\(stopped.errorText)")

    #expect(unsafe mount("tmpfs", disk, "tmpfs", UInt(MS_REMOUNT), "size=16m") == 0)
    let before = try await journey.look()
    let journal = try await journey.journal()
    #expect(journal?.isContiguous != false && journal?.output == nil)
    let resumed = try await journey.begin(
      journey.run.map { ["resume", $0, "--json"] } ?? journey.scenario.arguments
    ).finish()
    #expect(resumed.exitCode == 0, "\(before ?? "no run"): \(resumed.errorText)")
    #expect(try await journey.look() == "done")
    let whole = try #require(try await journey.journal())
    if let journal { #expect(journal.isBeginning(of: whole)) }
    #expect(whole.isContiguous && whole.repeated.isEmpty && whole.open.isEmpty)
    #expect(try JSON.parse(resumed.text)["output"] == whole.output)
    let billed = journey.provider.requests.filter(\.isBilled)
    let told = journey.provider.requests.map {
      "\($0.lastMessage.prefix(16)) \($0.idempotencyKey ?? "-") \($0.isBilled) \($0.isRepeat)"
    }
    #expect(billed.count == 6 && Set(billed.map(\.lastMessage)).count == 6, "\(told)")
  }
}
