import RasaCore
import RasaKit
import RasaServer
import RasaTestKit
import Testing

/// Official clients and whole programs, as `Scripts/setup.sh external` installs them, against a server here.
@Suite("Clients of other protocols", .timeLimit(.minutes(3))) struct ClientTests {
  private static let token = "rasa_test_token_of_the_owner"

  private static let look = ScriptedCall(id: "x1", name: "look", arguments: ["q": "ü"])

  /// Each model behaves as its name says.
  private static var scripts: [Script] {
    func calls(_ model: String) -> [Script] {
      [
        Script.calls([look]).with {
          $0.model = model
          $0.matches = { !$0.lastMessage.hasBytes("a pear") }
        }, Script.text("Seen.").for(model: model),
      ]
    }
    return ["tools-chat", "tools-messages", "tools-ollama", "looker"].flatMap(calls) + [
      Script.error(400, "no such thing").for(model: "bad"),
      Script.words(20).broken(after: 5, .close).for(model: "broken"),
      Script.words(20).broken(after: 5, .close).for(model: "breaker"),
      Script.words(5_000).with {
        $0.model = "slow"
        $0.tokenDelay = .milliseconds(5)
      },
      Script().with {
        $0.model = "vectors"
        $0.vector = { [Double($0.utf8.count), 0.5] }
      },
      Script.text("Hello Ω, you there.").with { $0.chunking = .eachEvent },
    ]
  }

  private static func agent(_ name: String, _ model: String) -> String {
    "---\nname: \(name)\ndescription: Does as its name says.\nmodel: openai:\(model)\n---\nHelp.\n"
  }

  /// Runs a program against a server of its own, and says what it printed.
  private func run(
    _ program: String, _ arguments: (String) -> [String],
    environment: (String) -> [String: String] = { _ in [:] },
    files: [String: (String) -> String] = [:]
  ) async throws -> ProgramRun {
    let folder = ScratchDirectory()
    try folder.write(
      "name: helper\ndescription: Helps.\nframes: [session_frame]\n",
      to: "home/personas/helper.yaml")
    for (name, model) in [("looker", "looker"), ("breaker", "breaker"), ("slow", "slow")] {
      try folder.write(Self.agent(name, model), to: "home/agents/\(name).md")
    }
    let provider = try ScriptedProvider.start(Self.scripts, models: ["plain"])
    var configuration = Rasa.Configuration(home: folder.file("home"))
    configuration.environment = [
      "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
      "ANTHROPIC_BASE_URL": provider.baseURL, "ANTHROPIC_API_KEY": "sk-ant-test",
      "OLLAMA_HOST": provider.baseURL,
    ]
    let rasa = try Rasa(configuration)
    var settings = ServerSettings()
    settings.port = 0
    settings.token = Self.token
    let server = try Server.start(rasa, settings)
    let address = "http://127.0.0.1:\(server.port)"
    for (path, text) in files { try folder.write(text(address), to: path) }
    var variables = ["PATH": "/usr/bin:/bin", "HOME": folder.path, "PYTHONIOENCODING": "utf-8"]
    variables.merge(environment(address)) { $1 }
    let result = try await ProgramRun.run(
      Repository.path(".build/\(program)"), arguments(address), environment: variables,
      folder: folder.path)
    await server.stop(grace: .seconds(2))
    await rasa.close()
    provider.stop()
    return result
  }

  @Test(
    "the official library", arguments: ["openai", "anthropic", "ollama"])
  func library(name: String) async throws {
    let result = try await run(
      "clients/models/bin/python",
      { [Repository.path("Tests/ExternalTests/Clients/\(name)_client.py"), $0, Self.token] })
    #expect(result.exitCode == 0, "\(result.errorText)")
    #expect(result.text.hasBytes("everything works"))
  }

  @Test("llm asks a persona, streaming and in a conversation")
  func llm() async throws {
    let models: (String) -> String = { address in
      "- model_id: helper\n  model_name: rasa/helper\n  api_base: \(address)/v1\n  api_key_name: rasa\n"
    }
    let result = try await run(
      "clients/llm/bin/python",
      { _ in
        [
          "-c",
          """
          import subprocess, sys
          llm = [sys.executable, "-m", "llm"]
          for arguments in [["-m", "helper", "Hi"], ["-c", "And?"], ["-m", "helper", "--no-stream", "Hi"]]:
            print(subprocess.run(llm + arguments, check=True, capture_output=True, text=True).stdout)
          """,
        ]
      },
      environment: { _ in ["LLM_USER_PATH": "llm", "LLM_OPENAI_KEY": "", "RASA": ""] },
      files: [
        "llm/extra-openai-models.yaml": models,
        "llm/keys.json": { _ in #"{"rasa": "\#(Self.token)"}"# },
      ])
    #expect(result.exitCode == 0, "\(result.errorText)")
    let answers = result.text.byteLines.filter { $0.hasBytes("Hello Ω, you there.") }
    #expect(answers.count == 3, "\(result.text)")
  }

  @Test("aider asks a model for a change")
  func aider() async throws {
    let result = try await run(
      "clients/aider/bin/python",
      { _ in
        [
          "-m", "aider", "--model", "openai/openai:plain", "--no-git", "--yes-always",
          "--no-check-update",
          "--no-show-model-warnings", "--no-analytics", "--no-pretty", "--message", "Hi",
        ]
      },
      environment: { address in
        [
          "OPENAI_API_BASE": "\(address)/v1", "OPENAI_API_KEY": Self.token, "TERM": "dumb",
          "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        ]
      })
    #expect(result.exitCode == 0, "\(result.errorText)")
    #expect(result.text.hasBytes("Hello Ω, you there."), "\(result.text)")
  }
}
