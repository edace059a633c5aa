import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa: how an answer ended is reported to people, programs and later processes")
struct EndingProgramTests {
  private static func cut(_ text: String) -> Script {
    Script.text(text).with { $0.finishReason = "length" }
  }

  @Test("an answer whose end is missing is delivered and marked; only `--strict` minds")
  func cut() async throws {
    let provider = try ScriptedProvider.start(Array(repeating: Self.cut("one two"), count: 5))
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let text = try await rasa.run("run", "-p", "single", "hello")
    #expect(text.exitCode == 0 && text.text == "one two\n")
    #expect(text.errorText.contains("the answer of `respond` is cut off at"), "\(text.errorText)")
    #expect(text.errorText.contains(" → "), "\(text.errorText)")
    let json = try JSON.parse(
      Array(try await rasa.run("run", "-p", "single", "hello", "--json").text.utf8))
    #expect(json["finish"] == "length" && json["continued"] == 0)
    #expect(json["notices"].array?.map { $0["kind"] } == ["cut"])
    #expect(json["notices"].array?.first?["finish"] == "length")
    let strict = try await rasa.run("run", "-p", "single", "hello", "--strict")
    #expect(strict.exitCode == 8 && strict.text == "one two\n")
    #expect(strict.errorText.contains("--strict"), "\(strict.errorText)")
    let stream = try await rasa.run(
      "run", "-p", "single", "hello", "--output-format", "stream-json")
    let lines = try stream.text.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
    #expect(lines.contains { $0["type"] == "notice" && $0["kind"] == "cut" })
    let ended = lines.first { $0["type"] == "operator.ended" && $0["operator"] == "respond" }
    #expect(ended?["calls"].array?.first?["finish"] == "length")
    #expect(lines.last?["type"] == "result" && lines.last?["finish"] == "length")
    let id = json["run"].string ?? ""
    let shown = try await rasa.run("runs", "show", id)
    #expect(shown.text.contains("the answer of `respond` is cut off at"), "\(shown.text)")
    let document = try await rasa.json("runs", "show", id)
    let pass = document["timeline"].array?.compactMap { $0["operators"].array }.joined()
      .first { $0["operator"] == "respond" }
    #expect(pass?["calls"].array?.first?["finish"] == "length")
    #expect(pass?["notices"].array?.first?["kind"] == "cut")
  }

  @Test("a standing objection and a skipped operator are reported with the answer")
  func sides() async throws {
    let critic = #"{"verdict": "revise", "reasons": ["the dates are missing"]}"#
    let provider = try ScriptedProvider.start([
      Script.forOperator("critic_agent", critic), Script.forOperator("critic_agent", critic),
      Script.forOperator("critic_agent", critic),
      Script.error(500).with { script in
        script.matches = {
          $0.lastMessage.contains("Write the section that follows it and says why")
        }
      },
      Script.error(500).with { script in
        script.matches = {
          $0.lastMessage.contains("Write the section that follows it and says why")
        }
      },
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      """
      name: sides
      description: A draft and what goes with it.
      frames: [session_frame, short_term_frame]
      operators: [critic_agent, {name: explain_operator, on_error: {else: skip}}]
      """, to: "personas/sides.yaml")
    let run = try await rasa.run("run", "-p", "sides", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text.contains("Echo"))
    #expect(
      run.errorText.contains("`critic_agent` still objects")
        && run.errorText.contains("the dates are missing"), "\(run.errorText)")
  }

  @Test("a critic that answers with nonsense does not lose the draft")
  func nonsense() async throws {
    let provider = try ScriptedProvider.start(
      Array(repeating: Script.forOperator("critic_agent", "PASS"), count: 4))
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "name: sides\ndescription: A draft.\nframes: [session_frame]\noperators: [critic_agent]\n",
      to: "personas/sides.yaml")
    let run = try await rasa.run("run", "-p", "sides", "hello", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let json = try JSON.parse(Array(run.text.utf8))
    #expect(json["notices"].array?.map { $0["kind"] } == ["skipped"])
    #expect(json["output"].string?.contains("Echo") == true)
  }

  @Test("an agent whose trigger does not fire prints its own text")
  func conditionalTrigger() async throws {
    let provider = try ScriptedProvider.start([.text("one two"), .text("three")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    for (name, more) in [
      (
        "first", "trigger_behavior: {trigger_agent_id: second, when: 'draft contains \"please\"'}\n"
      ),
      ("second", ""),
    ] {
      try rasa.home.write(
        "---\nname: \(name)\ndescription: Does it.\n\(more)---\nDo it.\n", to: "agents/\(name).md")
    }
    let run = try await rasa.run("run", "--agent", "first", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text == "one two\n")
  }

  @Test("`--max-seconds` and an agent's own `limits` bound a run, and are named when they do")
  func seconds() async throws {
    let provider = try ScriptedProvider.start([
      Script.tokens(["one"]).broken(after: 1, .silence),
      Script.tokens(["one"]).broken(after: 1, .silence),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello", "--max-seconds", "1")
    #expect(run.exitCode == 124, "\(run.errorText)")
    #expect(run.errorText.contains("longer than 1 seconds"), "\(run.errorText)")
    #expect(run.errorText.contains("--max-seconds"), "\(run.errorText)")
    try rasa.home.write(
      "---\nname: hasty\ndescription: Does it.\nlimits: {seconds: 0.5}\n---\nDo it.\n",
      to: "agents/hasty.md")
    let hasty = try await rasa.run("run", "--agent", "hasty", "hello")
    #expect(hasty.exitCode == 124, "\(hasty.errorText)")
    #expect(hasty.errorText.contains("longer than 0.5 seconds"), "\(hasty.errorText)")
  }
}
