import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("Recordings, timelines and comparisons", .timeLimit(.minutes(1))) struct RecordTests {
  private func script(_ text: String) -> Script {
    var script = Script()
    script.answer = .text(text)
    script.limit = 1
    return script
  }

  private static func greeter(_ purpose: String) -> String {
    "name: greeter\ndescription: \(purpose)\nframes: [stateless_frame]\noperators: []\n"
  }

  /// Runs the greeter once for each answer.
  private func kit(_ answers: [String], _ inputs: [String]) async throws -> (Kit, runs: [String]) {
    let kit = try Kit(
      provider: answers.map(script),
      files: ["project/personas/greeter.yaml": Self.greeter("Greets.")])
    var runs: [String] = []
    for input in inputs {
      runs.append(try await kit.rasa.run(persona: "greeter", input: input).result().run)
    }
    return (kit, runs)
  }

  @Test("a recording replays to the same result, and its text reads back as it was written")
  func recording() async throws {
    let (kit, runs) = try await kit(["Hello."], ["Hi?"])
    let recorded = try await kit.rasa.record(runs[0])
    #expect(recorded.differences.isEmpty)
    #expect(recorded.recording.run == runs[0] && recorded.recording.persona == "greeter")
    #expect(!recorded.recording.isWaiting)
    let path = kit.folder.file("greeting.json")
    try recorded.recording.write(to: path)
    let read = try await Rasa.RecordingFile(path).read()
    #expect(read == recorded.recording)
    #expect(try Rasa.Recording(parsing: "\(read)") == read)
    let asked = kit.provider?.requests.count
    let replay = try await kit.rasa.replay(read)
    #expect(replay.differences.isEmpty && replay.isComplete && replay.failure == nil)
    #expect(replay.result?.text == "Hello." && replay.result?.run == runs[0])
    #expect(kit.provider?.requests.count == asked)
    await kit.rasa.close()
  }

  @Test("who observes a replay sees the run as if it happened now, and can stop it")
  func observed() async throws {
    let (kit, runs) = try await kit(["Hello."], ["Hi?"])
    let recording = try await kit.rasa.record(runs[0]).recording
    let seen = Locked<(text: String, lines: [String])>(("", []))
    let observer = Rasa.Observer { observation in
      if case .output(let text) = observation.event { seen.withLock { $0.text += text } }
      if let line = observation.json { seen.withLock { $0.lines.append(line["type"].text) } }
    }
    _ = try await kit.rasa.replay(recording, observer: observer)
    #expect(seen.withLock { $0.text } == "Hello.")
    #expect(seen.withLock { $0.lines }.first == "run.started")
    #expect(seen.withLock { $0.lines }.contains("text"))
    struct Enough: Error {}
    await #expect(throws: Enough.self) {
      _ = try await kit.rasa.replay(recording, observer: Rasa.Observer { _ in throw Enough() })
    }
    await kit.rasa.close()
  }

  @Test("a test of a changed persona names what is different, and updates the file on request")
  func changed() async throws {
    let (kit, runs) = try await kit(["Hello."], ["Hi?"])
    let path = kit.folder.file("tests/greeting.json")
    try kit.folder.write("", to: "tests/.keep")
    try await kit.rasa.record(runs[0]).recording.write(to: path)
    try kit.folder.write(Self.greeter("Greets in rhymes."), to: "project/personas/greeter.yaml")
    let files = try await Rasa.RecordingFile.find(at: [kit.folder.file("tests")])
    #expect(files.map(\.path) == [path])
    let test = try await kit.rasa.test(files[0])
    #expect(test.verdict == .differs && test.isComplete && test.persona == "greeter")
    let difference = try #require(test.differences.first)
    #expect(difference.kind == .request && difference.subject.contains("stateless_frame"))
    let message = try #require(difference.messages.first)
    #expect(message.role == "system" && message.found.contains("Greets in rhymes."))
    #expect(difference.json["kind"].string == "request")
    #expect(try await kit.rasa.test(files[0], usesPinnedFiles: true).verdict == .ok)
    #expect(try await kit.rasa.test(files[0], updates: true).verdict == .updated)
    #expect(try await kit.rasa.test(files[0]).verdict == .ok)
    await kit.rasa.close()
  }

  @Test("what is no recording breaks its test, and no other")
  func broken() async throws {
    let kit = try Kit(files: ["tests/a.json": "{\n  \"rasa_recording\": 9\n}"])
    let files = try await Rasa.RecordingFile.find(at: [kit.folder.file("tests")])
    let test = try await kit.rasa.test(files[0])
    #expect(test.verdict == .broken && test.failure?.code == .configuration)
    #expect(test.failure?.line == 2)
    await #expect {
      _ = try await Rasa.RecordingFile.find(at: [kit.folder.file("nowhere")])
    } throws: { ($0 as? RasaError)?.code == .usage }
    await kit.rasa.close()
  }

  @Test("a timeline has the frames, the operators and their calls")
  func timeline() async throws {
    let (kit, runs) = try await kit(["Hello."], ["Hi?"])
    let timeline = try await kit.rasa.timeline(ofRun: runs[0])
    #expect(timeline.run.id == runs[0] && timeline.run.status == .done)
    #expect(timeline.ending == .finished(output: "Hello.") && timeline.damage == nil)
    #expect(timeline.totals.answered == 1 && timeline.totals.spent == timeline.run.cost)
    let visits = timeline.items.compactMap { item in
      if case .visit(let visit) = item { visit } else { nil as Rasa.Timeline.Visit? }
    }
    #expect(visits.map(\.frame) == ["stateless_frame"] && timeline.rulesProblem == nil)
    let call = try #require(visits.first?.passes.flatMap(\.calls).first)
    #expect(call.outcome == .answered && call.text == "Hello." && call.label == "call")
    #expect(call.provider == "openai" && call.duration ?? .seconds(-1) >= .zero)
    #expect(timeline.json["run"].string == runs[0] && timeline.diagram.contains("stateless_frame"))
    await kit.rasa.close()
  }

  @Test("a comparison says what two runs began with and where they diverge")
  func comparison() async throws {
    let (kit, runs) = try await kit(["Hello.", "Good evening."], ["Hi?", "Evening?"])
    let comparison = try await kit.rasa.compare(runs[0], runs[1])
    #expect(comparison.start.map(\.path) == ["input"] && comparison.knowsPrompts)
    #expect(comparison.start.first?.left == "Hi?" && comparison.start.first?.right == "Evening?")
    let divergence = try #require(comparison.divergence)
    #expect(divergence.left == divergence.right && divergence.left?.frame == "stateless_frame")
    #expect(divergence.differences.map(\.subject).contains(.prompt))
    #expect(comparison.hasSameOutput == false)
    #expect(comparison.json["parts_at"]["a"]["frame"].string == "stateless_frame")
    await #expect { _ = try await kit.rasa.compare(runs[0], runs[0]) } throws: {
      ($0 as? RasaError)?.code == .usage
    }
    await kit.rasa.close()
  }
}
