import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("Recordings: run --record and --replay, runs export --as-test, test")
struct RecordingTests {
  /// Where nothing can be written and no database can be.
  private static let nowhere = "/proc/rasa-nowhere"

  @Test("a recorded run is replayed word for word, without a call")
  func replay() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    var rasa = try RasaProgram(provider)
    let first = try await rasa.run(
      "run", "-p", "strategic_stock_analyst", "--record", "nvidia.json", "--preferences",
      "risk=low", "Buy or sell Nvidia?")
    #expect(first.exitCode == 0, "\(first.errorText)")
    #expect(first.errorText.contains("recorded in nvidia.json"))
    let file = try #require(try rasa.home.read("nvidia.json"))
    #expect(!file.contains("sk-made-up") && !file.contains(rasa.home.path))
    let asked = provider.requests.count
    #expect(asked > 0)

    rasa.environment["RASA_HOME"] = Self.nowhere
    let again = try await rasa.run("run", "--replay", "nvidia.json")
    #expect(again.exitCode == 0, "\(again.errorText)")
    #expect(again.text == first.text)
    let json = try await rasa.run("run", "--replay", "nvidia.json", "--json")
    #expect(try JSON.parse(json.text)["output"] == .string(String(first.text.dropLast())))
    let test = try await rasa.run("test", ".")
    #expect(test.exitCode == 0, "\(test.errorText)")
    #expect(test.text.hasPrefix("ok       nvidia.json"))
    #expect(test.text.hasSuffix("1 recording: 1 ok\n"))
    #expect(provider.requests.count == asked)
  }

  @Test(
    "a changed operator is found and shown; the old one is still in the file; an update takes it")
  func changed() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("prompt_style: plain\n")
    let run = try await rasa.run("run", "-p", "single", "--record", "tests/one.json", "hello")
    // The folder has to be there: nothing was asked.
    #expect(run.exitCode == 2)
    #expect(provider.requests.isEmpty)
    _ = try await rasa.run("run", "-p", "single", "hello")
    let runs = try JSON.parse(try await rasa.run("runs", "list", "--json").text)
    let name = try #require(runs.array?.first?["run"].string)
    let export = try await rasa.run("runs", "export", name, "--as-test", "tests")
    #expect(export.exitCode == 0, "\(export.errorText)")
    #expect(export.text.contains("tests/single-\(name).json"))
    let asked = provider.requests.count

    try rasa.writeSingle("prompt_style: brief\n")
    let differs = try await rasa.run("test", "tests")
    #expect(differs.exitCode == 1)
    #expect(differs.text.contains("differs  tests/single-\(name).json"))
    #expect(differs.text.contains("respond in session_frame: different prompt"))
    #expect(differs.text.contains("- Style: plain\n"))
    #expect(differs.text.contains("+ Style: brief\n"))
    #expect(differs.errorText.contains("`rasa test tests --update`"))
    let replay = try await rasa.run("run", "--replay", "tests/single-\(name).json")
    #expect(replay.exitCode == 1)
    #expect(replay.errorText.contains("+ Style: brief"))
    let told = try JSON.parse(
      try await rasa.run("run", "--replay", "tests/single-\(name).json", "--json").text)
    #expect(told["error"]["message"].string?.contains("differs from its recording") == true)

    #expect(try await rasa.run("test", "tests", "--pinned").exitCode == 0)
    let value = try JSON.parse(try await rasa.run("test", "tests", "--json").text)
    #expect(value.array?.first?["status"] == "differs")
    #expect(value.array?.first?["differences"].array?.first?["kind"] == "request")

    let update = try await rasa.run("test", "tests", "--update")
    #expect(update.exitCode == 0, "\(update.errorText)")
    #expect(update.text.contains("updated  tests/single-\(name).json"))
    #expect(update.text.contains("+ Style: brief"))
    #expect(try await rasa.run("test", "tests").exitCode == 0)
    #expect(try await rasa.run("test", "tests", "--pinned").exitCode == 0)
    #expect(provider.requests.count == asked)
  }

  @Test("a file without a recorded answer cannot be updated")
  func incomplete() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "--record", "one.json", "hello")
    let before = try rasa.home.read("one.json")
    try rasa.home.write(
      "name: single\ndescription: Two.\nframes: [session_frame]\noperators: [critic_agent]\n",
      to: "personas/single.yaml")
    let update = try await rasa.run("test", "one.json", "--update")
    #expect(update.exitCode == 1)
    #expect(update.text.contains("critic_agent in session_frame: calls a model"))
    #expect(update.text.contains("not updated"))
    #expect(update.errorText.contains("record it again"))
    #expect(try rasa.home.read("one.json") == before)
  }

  @Test("a run that fails is recorded, and fails again in the same way")
  func failure() async throws {
    let provider = try ScriptedProvider.start([.error(401, "no such key")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "--record", "one.json", "hello")
    #expect(run.exitCode == 4)
    let asked = provider.requests.count
    let again = try await rasa.run("run", "--replay", "one.json")
    #expect(again.exitCode == 4)
    let message = try #require(run.errorText.split(separator: "\n").last { $0.contains("rasa: ") })
    #expect(again.errorText.contains(message.split(separator: "rasa: ").last ?? "?"))
    #expect(try await rasa.run("test", "one.json").exitCode == 0)
    #expect(provider.requests.count == asked)
  }

  @Test("a run that waits for a person waits again; once answered, the answer is in the test")
  func people() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run(
      "run", "-p", "contract_reviewer", "--approval", "defer", "--record", "waits.json",
      "The supplier may change prices at any time.")
    #expect(run.exitCode == 7, "\(run.errorText)")
    #expect(try await rasa.run("run", "--replay", "waits.json").exitCode == 7)
    #expect(try await rasa.run("test", "waits.json").exitCode == 0)

    let list = try JSON.parse(try await rasa.run("approvals", "list", "--json").text)
    let approval = try #require(list.array?.first?["approval"].string)
    let answered = try await rasa.run("approvals", "approve", approval)
    #expect(answered.exitCode == 0, "\(answered.errorText)")
    let runs = try JSON.parse(try await rasa.run("runs", "list", "--json").text)
    let name = try #require(runs.array?.first?["run"].string)
    #expect(try await rasa.run("runs", "export", name, "--as-test", "tests").exitCode == 0)
    #expect(
      try #require(try rasa.home.read("tests/contract_reviewer-\(name).json"))
        .contains("\"decision\": \"approve\""))
    #expect(try await rasa.run("test", "tests", "waits.json").exitCode == 0)
  }

  @Test("broken files, and nothing to test")
  func broken() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("{\n  \"rasa_recording\": 9\n}\n", to: "tests/a/old.json")
    try rasa.home.write("{\n  \"rasa_recording\": 1,\n", to: "tests/cut.json")
    let test = try await rasa.run("test", "tests")
    #expect(test.exitCode == 3)
    #expect(test.text.contains("tests/a/old.json:2:21: the recording has version 9"))
    #expect(test.text.contains("tests/cut.json:3:1: "))
    try rasa.home.write("", to: "empty/notes.txt")
    for path in ["empty", "missing"] {
      let nothing = try await rasa.run("test", path)
      #expect(nothing.exitCode == 2)
      #expect(nothing.errorText.contains("rasa runs export RUN --as-test"))
    }
    #expect(try await rasa.run("run", "--replay", "missing.json").exitCode == 3)
    #expect(try await rasa.run("run", "--replay", "x.json", "hello").exitCode == 2)
  }
}
