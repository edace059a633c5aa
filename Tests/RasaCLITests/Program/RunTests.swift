import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa run")
struct RunTests {
  private static let question =
    "Give me a detailed buy or sell recommendation for Nvidia, including current risks."

  @Test("the first example answers from a provider, and a follow-up knows the first turn")
  func conversation() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let first = try await rasa.run(
      "run", "--persona", "strategic_stock_analyst", "--input", Self.question, "--preferences",
      "risk_tolerance=low", "--preferences", "sector=technology", "--preferences",
      "alt_sector=healthcare", "--session", "s", "--stream")
    #expect(first.exitCode == 0, "\(first.errorText)")
    #expect(first.text.contains("## Why") && first.text.contains("## Alternatives"))
    // Preferences, draft, critique, explanation and alternatives: five calls, nothing twice.
    #expect(provider.requests.filter { $0.path.hasSuffix("/chat/completions") }.count == 5)
    #expect(provider.requests.last?.header("authorization") == "Bearer sk-made-up")

    let asked = provider.requests.count
    let second = try await rasa.run(
      "run", "-p", "strategic_stock_analyst", "--session", "s", "and what about AMD?")
    #expect(second.exitCode == 0, "\(second.errorText)")
    let draft = try #require(
      provider.requests.dropFirst(asked).first { request in
        request.messages.count > 2 && request.lastMessage.contains("AMD")
      })
    #expect(draft.messages[1] == Self.question)
    #expect(draft.messages[2].contains("## Why"))
    // What was remembered is in the prompt, and not in the system message.
    #expect(draft.lastMessage.contains("risk_tolerance: low"))
    #expect(!draft.messages[0].contains("risk_tolerance"))
  }

  @Test("tokens are printed as they come, not at the end")
  func streaming() async throws {
    let provider = try ScriptedProvider.start([
      Script.tokens(["first", " second"]).broken(after: 1, .silence)
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("run", "-p", "single", "hello")
    try await terminal.expect("first")
    // The provider says nothing more: only an interruption ends this run.
    terminal.send("\u{3}")
    #expect(try await terminal.waitForExit() == 130)
    _ = try await provider.waitForDisconnect(ofRequest: 0)
  }

  @Test("every format carries the same answer", arguments: ["text", "json", "stream-json"])
  func formats(_ format: String) async throws {
    let provider = try ScriptedProvider.start([.text("Grüße, and \"quotes\" \u{1F600}")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello", "--output-format", format)
    #expect(run.exitCode == 0, "\(run.errorText)")
    let answer = "Grüße, and \"quotes\" \u{1F600}"
    switch format {
    case "text": #expect(run.text == answer + "\n")
    case "json":
      let value = try JSON.parse(run.text)
      #expect(value["output"] == .string(answer))
      #expect(value["calls"] == 1 && value["mock"] == false)
    default:
      let lines = try run.text.split(separator: "\n").map { try JSON.parse(String($0)) }
      let text = lines.filter { $0["type"] == "text" }.map { $0["text"].promptText }.joined()
      #expect(text == answer)
      #expect(lines.last?["type"] == "result" && lines.last?["output"] == .string(answer))
    }
  }

  @Test("Ollama answers where OLLAMA_HOST says, with a model that it has")
  func ollama() async throws {
    let provider = try ScriptedProvider.start([.text("from a llama")])
    defer { provider.stop() }
    var rasa = try RasaProgram()
    rasa.environment["LLM_PROVIDER"] = nil
    rasa.environment["OLLAMA_HOST"] = "127.0.0.1:\(provider.port)"
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.text == "from a llama\n", "\(run.errorText)")
    #expect(provider.requests.map(\.path).contains("/api/chat"))
  }

  @Test("input comes from a pipe when none is named")
  func pipe() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", input: "from the pipe\n")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(provider.requests[0].lastMessage.contains("from the pipe"))
  }

  @Test("the mock says that it is one")
  func mock() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("run", "-p", "strategic_stock_analyst", "Is Nvidia a buy?")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.errorText.contains("the mock model answered"))
    #expect(!run.errorText.contains("answers instead of"), "\(run.errorText)")
    let json = try await rasa.run("run", "-p", "support_triage", "urgent: help", "--json")
    #expect(try JSON.parse(json.text)["mock"] == false)
  }

  @Test("a dry run prints every prompt and asks no model")
  func dryRun() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let run = try await rasa.run(
      "run", "-p", "strategic_stock_analyst", "Is Nvidia a buy?", "--dry-run")
    #expect(run.exitCode == 0, "\(run.errorText)")
    for name in ["preference_agent", "respond", "critic_agent", "explain_operator"] {
      #expect(run.text.contains("── \(name) in "))
    }
    #expect(run.text.contains("‹draft›") && run.text.contains("Is Nvidia a buy?"))
    #expect(run.text.contains("in all at most $"))
    #expect(provider.requests.allSatisfy { $0.method == "GET" })
  }

  @Test("control characters of a model never reach the terminal")
  func stripped() async throws {
    let provider = try ScriptedProvider.start([
      .tokens(["\u{1B}]0;title\u{7}", "\u{1B}", "[31mred", "\u{202E}txet", "\u{9B}2J"])
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("run", "-p", "single", "hello")
    #expect(try await terminal.expect("redtxet").contains("\u{202E}") == false)
    #expect(try await terminal.waitForExit() == 0)
    let shown = Array(terminal.transcript.utf8)
    #expect(!shown.contains(0x07) && !terminal.transcript.contains("\u{9B}"))
    // A pipe is no terminal: it gets what the model said.
    let run = try await rasa.run("run", "-p", "single", "hello")
    #expect(run.text == "\u{1B}]0;title\u{7}\u{1B}[31mred\u{202E}txet\u{9B}2J\n")
  }

  @Test("a stream that breaks is started again, and the answer is whole")
  func broken() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("half of it and no more").broken(after: 2, .close).once(), .text("all of it"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(try JSON.parse(run.text)["output"] == "all of it")
  }
}
