import RasaCore
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaEngine

@Suite("Recordings as files")
struct RecordingFileTests {
  private func text() async throws -> String {
    try await ReplayDifferenceTests.recorded().text
  }

  @Test("the file is made for people: lines are lines, and the order is always the same")
  func readable() async throws {
    var studio = try Studio(shipped: "contract_reviewer")
    studio.people = FakePeople { _ in HumanAnswer(.edit, text: "one\ntwo", by: "eve") }
    let recording = try await studio.record()
    let text = recording.text
    #expect(text.hasPrefix("{\n  \"rasa_recording\": 1,\n  \"persona\": {\n"))
    #expect(text.contains("\"Your role: contract reviewer.\",\n"))
    #expect(text.contains("\"$text\": [\n"))
    #expect(!text.contains(#"one\ntwo"#))
    #expect(try recording.reread().text == text)
  }

  @Test(
    "any value is the same when it is read again",
    arguments: [
      ["$text": ["a"]], ["$object": ["$text": "a\nb"]], ["$text": "a\nb"], ["a": "\n", "b": .null],
      ["x": [["$object": ["$object": .null]], "", "\n\n", 1, 1.5, -0.0, true, [], .emptyObject]],
      "\r\n\t\u{0}\u{7F}\u{200B}\u{FEFF}é\u{1F600}",
    ] as [Value])
  func values(_ value: Value) throws {
    var recording = Recording(
      start: RunStart(run: Identifier("r1"), persona: "p", personaDigest: "d", input: "a\n\nb\n"),
      startedAt: Timestamp(milliseconds: 5))
    recording.start.preferences = ["value": value]
    recording.expected.state = ["value": value, "$text": value]
    recording.expected.status = .done
    recording.expected.output = value
    recording.context = value
    #expect(try recording.reread() == recording)
  }

  @Test("nothing of a broken file is guessed at: the place and the mend are told")
  func broken() async throws {
    let good = try await text()
    let cases: [(of: String, to: String, message: String, line: Int?)] = [
      ("\"rasa_recording\": 1", "\"rasa_recording\": 2", "version 2", 2),
      ("\"rasa_recording\"", "\"recording\"", "no recording of a run", 1),
      ("\"effects\"", "\"efects\"", "no member `efects`", nil),
      ("\"status\": \"done\"", "\"status\": \"finished\"", "has to be one of done", nil),
      ("session_frame:1/respond/call#1", "respond", "has to be a key", nil),
      ("\"started_ms\": 1700000000000", "\"started_ms\": \"now\"", "whole number", nil),
      (
        "\"started_ms\": 1700000000000", "\"started_ms\": 9223372036854775807", "milliseconds", nil
      ), ("\"decision\": \"approve\"", "\"decision\": \"maybe\"", "has to be one of approve", nil),
      ("\"role\": \"system\"", "\"role\": \"boss\"", "has to be one of system", nil),
      ("\"answer\": {", "\"answered\": {", "no member `answered`", nil),
      ("\"finish\": \"stop\"", "\"finish\": 3", "`finish` has to be", nil),
      ("\"input\": \"question\"", "\"input\": [1]", "a text, or a list of its lines", nil),
      ("\"calls\": 2", "\"calls\": 2,\n    \"calls\": 3", "is defined twice", nil),
    ]
    for (from, to, message, line) in cases {
      let parts = good.split(separator: from, maxSplits: 1, omittingEmptySubsequences: false)
      #expect(parts.count == 2, "\(from)")
      let bad = parts.joined(separator: to)
      do {
        _ = try Recording(Array(bad.utf8), file: "bad.json")
        Issue.record("\(to) was read")
      } catch {
        #expect(error.message.contains(message), "\(to): \(error)")
        #expect(error.location?.file == "bad.json")
        #expect((error.location?.line ?? 0) >= 1)
        if let line { #expect(error.location?.line == line) }
        #expect(!error.suggestion.isEmpty, "\(to)")
        #expect(error.kind == .configuration)
      }
    }
  }

  @Test("cut anywhere, or with any byte changed, it is read or refused, and never traps")
  func damaged() async throws {
    let good = Array(try await text().utf8)
    for end in stride(from: 0, to: good.count, by: 97) {
      #expect(throws: Failure.self) { try Recording(Array(good[..<end]), file: "cut.json") }
    }
    var chance = SeededNumbers(seed: 7)
    for _ in 0..<300 {
      var bad = good
      bad[chance.upTo(bad.count)] = UInt8(chance.upTo(256))
      _ = try? Recording(bad, file: "flipped.json")
    }
  }

  @Test("one call cannot have two outcomes")
  func twice() async throws {
    var recording = try await ReplayDifferenceTests.recorded()
    recording.effects.append(recording.effects[0])
    #expect(throws: Failure.self) { try recording.reread() }
  }

  @Test("the persona of a run: its own copy, or the one of today if it is the same")
  func personaOfRun() async throws {
    let studio = try Studio(ReplayDifferenceTests.definition())
    let entries = await studio.run()
    #expect(!entries.contains { $0.kind == "persona.pinned" })
    let same = try Recording.graph(of: entries) { _ in studio.graph }
    #expect(same.digest == studio.graph.digest)
    let other = try compile(ReplayDifferenceTests.definition(prompt: "Now: {{input}}"))
    do {
      _ = try Recording.graph(of: entries) { _ in other }
      Issue.record("another persona was taken")
    } catch {
      #expect(error.message.contains("keeps no copy of its persona"))
    }
    let shipped = try Studio(shipped: "support_triage")
    let pinned = try Recording.graph(of: await shipped.run()) { _ throws(Failure) in
      throw Failure(.run, "nobody was to ask")
    }
    #expect(pinned.digest == shipped.graph.digest)
  }
}
