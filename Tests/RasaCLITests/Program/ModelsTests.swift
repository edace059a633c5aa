import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa: models and providers")
struct ModelsTests {
  private func json(_ run: ProgramRun) throws -> Value { try JSON.parse(run.output) }

  @Test("the result of a check is known to every later command")
  func check() async throws {
    let provider = try ScriptedProvider.start(models: ["gpt-4o-mini", "mine"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let before = try await rasa.run("models", "list")
    #expect(before.text.contains("gpt-4o-mini") && !before.text.contains("mine"))
    let check = try await rasa.run("models", "check")
    #expect(check.exitCode == 0, "\(check.errorText)")
    #expect(check.text.contains("mine"))
    let rows = try json(try await rasa.run("models", "list", "--json")).array ?? []
    #expect(rows.compactMap { $0["model"].string } == ["gpt-4o-mini", "mine"])
    #expect(rows.allSatisfy { $0["availability"]["status"] == "available" })
    #expect(rows[0]["input_per_million_usd"] == "0.15")
    #expect(rows[0]["price_version"].string?.hasPrefix("gpt-4o-mini (genai-prices") == true)
    #expect(provider.requests.map(\.path) == ["/v1/models"])
  }

  @Test("a model that is not there fails the check, and one that is does not")
  func checkByName() async throws {
    let provider = try ScriptedProvider.start(models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    #expect(try await rasa.run("models", "check", "gpt-4o-mini").exitCode == 0)
    let gone = try await rasa.run("models", "check", "gpt-4o-mini", "gpt-4o-mimi")
    #expect(gone.exitCode == 5, "\(gone.errorText)")
    #expect(gone.text.contains("did you mean gpt-4o-mini?"))
    let shown = try json(try await rasa.run("models", "show", "openai:gpt-4o-mimi", "--json"))
    #expect(shown["availability"]["status"] == "unavailable")
    #expect(shown["availability"]["reason"] == "the provider does not list it")
    #expect((shown["availability"]["for_ms"].int ?? 0) > 200_000)
    #expect(try await rasa.run("models", "check", "claude-haiku-4-5").exitCode == 5)
    #expect(try await rasa.run("models", "check", "anthropic:claude-haiku-4-5").exitCode == 3)
  }

  @Test("a refused key and a silent provider have their own exit codes")
  func failures() async throws {
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    let refusing = try RawServer([answer, answer])
    var rasa = try RasaProgram()
    rasa.environment = rasa.environment.merging([
      "LLM_PROVIDER": "openai", "OPENAI_API_KEY": "sk-wrong",
      "OPENAI_BASE_URL": "http://127.0.0.1:\(refusing.port)/v1",
    ]) { $1 }
    let refused = try await rasa.run("models", "check")
    #expect(refused.exitCode == 4, "\(refused.errorText)")
    #expect(refused.errorText.contains("OPENAI_API_KEY") && !refused.errorText.contains("sk-wrong"))
    let health = try await rasa.run("llm", "health", "--json")
    #expect(health.exitCode == 5)
    #expect(try json(health).array?.first?["error"]["kind"] == "authentication")
    rasa.environment["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    #expect(try await rasa.run("models", "check", "gpt-4o").exitCode == 5)
  }

  @Test("info shows what is configured and by what, and never shows a key")
  func info() async throws {
    var rasa = try RasaProgram()
    rasa.environment = rasa.environment.merging([
      "LLM_PROVIDER": "groq", "GROQ_KEY": "gsk-very-secret", "ANTHROPIC_API_KEY": "sk-ant-secret",
    ]) { $1 }
    try rasa.home.write(
      """
      providers:
        groq:
          base_url: https://api.groq.com/openai/v1
          key: GROQ_KEY
          default_model: llama-3.3-70b-versatile
      profile: speed
      budget:
        time_zone: Europe/Berlin
      """, to: "config.yaml")
    let value = try json(try await rasa.run("llm", "info", "--json"))
    #expect(value["default_model"] == "groq:llama-3.3-70b-versatile")
    #expect(value["profile"] == "speed" && value["budget_zone"] == "Europe/Berlin")
    let first = try #require(value["providers"].array?.first)
    #expect(first["name"] == "groq" && first["key"]["present"] == true)
    #expect(first["from"].array?.first?.string?.hasSuffix("config.yaml:2:3") == true)
    let text = try await rasa.run("llm", "info")
    #expect(text.exitCode == 0 && text.text.contains("claude-haiku-4-5"))
    for run in [text.text, value.json()] { #expect(!run.contains("secret")) }
  }

  @Test("health checks every provider and suggests what to do about silent ones")
  func health() async throws {
    let provider = try ScriptedProvider.start(models: ["a", "b"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "providers:\n  gone:\n    base_url: http://127.0.0.1:9\n", to: "config.yaml")
    let run = try await rasa.run("llm", "health", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let rows = try json(run).array ?? []
    #expect(rows.map { $0["status"] } == ["available", "unavailable"])
    #expect(rows.map { $0["models"] } == [2, 0])
    #expect(rows[1]["error"]["suggestion"].string?.isEmpty == false)
    let doctor = try await rasa.run("doctor")
    #expect(doctor.exitCode == 5 && doctor.text.contains("gone"))
  }

  @Test("show prints every price, and suggests a name for a wrong one")
  func show() async throws {
    let rasa = try RasaProgram()
    let shown = try await rasa.run("models", "show", "gpt-5.6")
    #expect(shown.exitCode == 0 && shown.text.contains("gpt-5.6-sol (genai"))
    #expect(shown.text.contains("above 272k") && shown.text.contains("12.5"))
    let value = try json(try await rasa.run("models", "show", "claude-haiku-4-5", "--json"))
    #expect(value["prices"].array?.first?["per_million"]["cache_write_usd"] == "1.25")
    let wrong = try await rasa.run("models", "show", "claude-haku-4-5")
    #expect(wrong.exitCode == 2 && wrong.errorText.contains("did you mean `claude-haiku-4-5`?"))
  }

  @Test("statistics from calls are shown with the model")
  func measured() async throws {
    let provider = try ScriptedProvider.start([.text("Hello there.")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "Say hello, please, to everyone.")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let value = try json(try await rasa.run("models", "show", "gpt-4o-mini", "--json"))
    #expect(value["availability"]["status"] == "available")
    #expect(value["availability"]["calls"] == 1)
    #expect(value["availability"]["first_content_ms"].int != nil)
    #expect(value["estimates"]["prose"]["calls"] == 1)
    let text = try await rasa.run("models", "show", "gpt-4o-mini")
    #expect(text.text.contains("EXCEEDED"))
  }

  @Test("imported prices count from the next command on, and can be read by hand")
  func importing() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(
      #"""
      {"gpt-4o": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 7.5e-08,
                  "output_cost_per_token": 3e-07},
       "drawing": {"litellm_provider": "openai", "mode": "image_generation"}}
      """#, to: "prices.json")
    let run = try await rasa.run("models", "import", "prices.json", "--name", "mine", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let report = try json(run)
    #expect(report["models"] == 1 && report["format"] == "litellm")
    #expect(report["skipped"].array?.first?["models"] == ["drawing"])
    let shown = try json(try await rasa.run("models", "show", "gpt-4o", "--json"))
    #expect(shown["prices"].array?.first?["per_million"]["input_usd"] == "0.075")
    #expect(shown["price_version"].string?.hasPrefix("gpt-4o (mine ") == true)
    // The rest is what ships.
    #expect(shown["context"] == 128_000 && shown["vendor"] == "openai")
    let listed = try json(try await rasa.run("models", "list", "--all", "--json")).array ?? []
    #expect(listed.first { $0["model"] == "gpt-4o" }?["output_per_million_usd"] == "0.3")
  }

  @Test(
    "an import that cannot be used changes nothing",
    arguments: [
      ("{\"a\": 1}", 3), ("no json", 3), ("[]", 3),
      (#"{"a": {"litellm_provider": "x", "mode": "chat"}}"#, 3),
    ])
  func brokenImport(_ row: (text: String, code: Int32)) async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(row.text, to: "prices.json")
    let run = try await rasa.run("models", "import", "prices.json")
    #expect(run.exitCode == row.code && run.errorText.contains("→"), "\(run.errorText)")
    #expect(try await rasa.run("models", "import", "prices.json", "--name", "../x").exitCode != 0)
    #expect(try await rasa.run("models", "import", "gone.json").exitCode == 3)
    #expect(try await rasa.run("models", "list", "--all").exitCode == 0)
  }

  @Test(
    "a user's broken catalogue is reported, and no price is guessed",
    arguments: [
      "{\"models\": {",
      "{\"models\": {\"gpt-4o-mini\": {\"prices\": [{\"input\": \"-1\", \"output\": \"1\"}]}}}",
      "{\"models\": {\"x\": {}, \"x\": {}}}", "{\"gpt-4o\": {\"litellm_provider\": \"openai\"}}",
    ])
  func brokenOverlay(_ text: String) async throws {
    let provider = try ScriptedProvider.start()
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    try rasa.home.write(text, to: "models/mine.json")
    for words in [["run", "-p", "single", "hello"], ["models", "list", "--all"]] {
      let run = try await ProgramRun.run(
        RasaProgram.binary, words, environment: rasa.environment, input: [],
        folder: rasa.home.path)
      #expect(run.exitCode == 3, "\(run.errorText)")
      #expect(run.errorText.contains("models/mine.json"))
    }
    #expect(provider.requests.filter { $0.path != "/v1/models" }.isEmpty)
  }
}
