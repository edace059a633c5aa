import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// Wherever an answer goes, there is one of it, and its reader knows whose it is.
@Suite("one answer, and whose it is")
struct OneAnswerTests {
  private func broken() throws -> ScriptedProvider {
    try ScriptedProvider.start([
      Script.tokens(["half ", "an ", "lost"]).broken(after: 2, .close).once(),
      .text("answer and the rest"),
    ])
  }

  @Test("a file has the answer and none of the broken attempt")
  func file() async throws {
    let provider = try broken()
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.shell("\"$RASA\" run -p single hello > out.txt")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(try rasa.home.read("out.txt") == "answer and the rest\n")
    #expect(provider.requests.count == 2)
  }

  @Test("a pipe gets one answer, which continues where it broke off")
  func pipe() async throws {
    let provider = try broken()
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text == "half an answer and the rest\n")
    #expect(run.errorText.contains("continues where it broke off"))
  }

  @Test("on a terminal the break is a line of its own")
  func terminal() async throws {
    let provider = try broken()
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("run", "-p", "single", "hello")
    try await terminal.expect("half an")
    try await terminal.expect("\nthe stream broke")
    try await terminal.expect("answer and the rest")
    #expect(try await terminal.waitForExit() == 0)
  }

  @Test("JSON says which model answered, and why it is another one")
  func json() async throws {
    let provider = try ScriptedProvider.start([
      Script.error(404, "no such model").for(model: "gpt-4o"), .text("done"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("recommended_models: {primary: gpt-4o, fallback: gpt-4o-mini}\n")
    let run = try await rasa.run("run", "-p", "single", "--output-format", "json", "hello")
    let value = try JSON.parse(run.text)
    #expect(value["answered_by"] == ["openai:gpt-4o-mini"])
    #expect(value["instead_of"] == "openai:gpt-4o")
    #expect(value["because"].string?.contains("no such model") == true)
    let text = try await rasa.run("run", "-p", "single", "hello")
    #expect(text.text == "done\n")
    #expect(text.errorText.contains("openai:gpt-4o-mini answers instead of openai:gpt-4o: "))
  }

  @Test("a persona whose engine is not configured is not answered by another one")
  func engine() async throws {
    let provider = try ScriptedProvider.start([.text("done")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("recommended_models: {primary: \"gemini:made-up\"}\n")
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.exitCode != 0 && run.text.isEmpty && provider.requests.isEmpty)
    #expect(run.errorText.contains("GEMINI_API_KEY") && run.errorText.contains("any_engine"))
    try rasa.writeSingle(
      "recommended_models: {primary: \"gemini:made-up\", any_engine: true}\n")
    let allowed = try await rasa.run("run", "-p", "single", "hello")
    #expect(allowed.text == "done\n")
    #expect(allowed.errorText.contains("instead of gemini:made-up"))
  }

  @Test("the mock says why it answers")
  func mock() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.errorText.contains("LLM_PROVIDER is mock"))
    let value = try JSON.parse(
      try await rasa.run("run", "-p", "single", "--output-format", "json", "hello").text)
    #expect(value["mock"] == true && value["because"] == "LLM_PROVIDER is mock")
  }

  @Test("a non-answer ends the run, and says what happened and what to do")
  func nothing() async throws {
    let provider = try ScriptedProvider.start([.text("")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.exitCode == 5 && run.text.isEmpty)
    #expect(run.errorText.contains("the answer was empty") && run.errorText.contains("--model"))
  }
}
