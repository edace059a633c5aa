import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa: an error is reported once, with a suggestion and the right exit code")
struct BadInputTests {
  struct Mistake: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var exitCode: Int32
    var says: String
    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let mistakes: [Mistake] = [
    Mistake(
      arguments: ["run", "-p", "strategic_stock_analist", "x"], exitCode: 3,
      says: "did you mean `strategic_stock_analyst`"),
    Mistake(arguments: ["run", "x"], exitCode: 2, says: "persona"),
    Mistake(arguments: ["run", "-p", "single"], exitCode: 2, says: "input"),
    Mistake(
      arguments: ["run", "-p", "single", "x", "--preferences", "lonely"], exitCode: 2,
      says: "key=value"),
    Mistake(arguments: ["run", "-p", "single", "x", "--steam"], exitCode: 2, says: "--stream"),
    Mistake(
      arguments: ["run", "-p", "single", "x", "--profile", "fast"], exitCode: 2, says: "balanced"),
    Mistake(
      arguments: ["run", "-p", "single", "x", "--max-cost", "cheap"], exitCode: 2,
      says: "--max-cost"),
    Mistake(
      arguments: ["--mode", "api", "--api-url", "http://127.0.0.1:9", "run", "-p", "single", "x"],
      exitCode: 5, says: "rasa serve"),
    Mistake(arguments: ["--mode", "api", "runs", "list"], exitCode: 2, says: "this machine only"),
    Mistake(
      arguments: ["run", "-p", "single", "x", "--api-url", "http://x"], exitCode: 2,
      says: "--mode api"),
    Mistake(arguments: ["run", "-p", "broken", "x"], exitCode: 3, says: "broken.yaml:3:"),
    Mistake(arguments: ["run", "-p", "./nowhere.yaml", "x"], exitCode: 3, says: "nowhere.yaml"),
    Mistake(arguments: ["run", "-p", "deep", "x"], exitCode: 3, says: "deep.yaml"),
    Mistake(
      arguments: ["run", "-p", "unknown_operator", "x"], exitCode: 3, says: "`critic_agent`"),
    Mistake(arguments: ["personas", "show", "nobody"], exitCode: 3, says: "available:"),
    Mistake(arguments: ["personas", "validate", "broken"], exitCode: 3, says: "1 of 1"),
    Mistake(arguments: ["sessions", "show", "none"], exitCode: 2, says: "no session"),
    Mistake(arguments: ["memory", "forget", "7"], exitCode: 2, says: "no memory 7"),
    Mistake(arguments: ["frobnicate"], exitCode: 2, says: "rasa help"),
    Mistake(arguments: ["contract", "run"], exitCode: 2, says: "no command"),
  ]

  @Test("mistakes of the command line and of files", arguments: BadInputTests.mistakes)
  func isRefused(_ mistake: Mistake) async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    try rasa.home.write(
      "name: broken\nframes: [session_frame]\noperators: {nope\n", to: "personas/broken.yaml")
    try rasa.home.write(
      "name: deep\nframes: \(String(repeating: "[", count: 100_000))", to: "personas/deep.yaml")
    try rasa.home.write(
      "name: unknown_operator\nframes: [session_frame]\noperators: [critic_agnt]\n",
      to: "personas/unknown_operator.yaml")
    let run = try await ProgramRun.run(
      RasaProgram.binary, mistake.arguments, environment: rasa.environment, folder: rasa.home.path)
    #expect(run.exitCode == mistake.exitCode, "\(run.errorText)")
    #expect(run.errorText.contains(mistake.says), "\(run.errorText)")
    #expect(run.errorText.hasPrefix("rasa:") || mistake.arguments[0] == "personas")
    if mistake.arguments[0] == "run" { #expect(run.output.isEmpty) }
  }

  struct Trouble: Sendable, CustomTestStringConvertible {
    var name: String
    var scripts: [Script]
    var exitCode: Int32
    var says: String
    var testDescription: String { name }
  }

  static let troubles: [Trouble] = [
    Trouble(
      name: "wrong key",
      scripts: [.error(401, "Incorrect API key provided", code: "invalid_api_key")], exitCode: 4,
      says: "OPENAI_API_KEY"),
    Trouble(
      name: "no credit",
      scripts: [.error(429, "You exceeded your current quota", code: "insufficient_quota")],
      exitCode: 5, says: "credit"),
    Trouble(
      name: "bad request", scripts: [.error(400, "the request is odd", code: "odd")], exitCode: 5,
      says: "the request is odd"),
    Trouble(
      name: "unknown model",
      scripts: [.error(404, "The model does not exist", code: "model_not_found")], exitCode: 5,
      says: "--model"),
    Trouble(
      name: "always broken", scripts: [Script.text("never all of it").broken(after: 1, .close)],
      exitCode: 5, says: "try again"),
  ]

  @Test("trouble with the provider", arguments: BadInputTests.troubles)
  func isTold(_ trouble: Trouble) async throws {
    let provider = try ScriptedProvider.start(trouble.scripts)
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "hello", "--output-format", "json")
    #expect(run.exitCode == trouble.exitCode, "\(run.errorText)")
    #expect(run.errorText.contains(trouble.says), "\(run.errorText)")
    #expect(!run.errorText.contains("sk-made-up"))
    let told = try JSON.parse(run.output)
    #expect(told["status"] == "failed" && told["error"]["exit_code"].int == Int64(run.exitCode))
    let id = try await rasa.latestRun()
    #expect(told["run"] == .string(id) && told["resume"] == .string("rasa resume \(id)"))
    // People read the same once.
    #expect(run.errorText.components(of: "rasa resume \(id)") == 1, "\(run.errorText)")
  }

  @Test("a provider that is down, and a busy one that recovers")
  func downAndBusy() async throws {
    var rasa = try RasaProgram()
    try rasa.writeSingle()
    rasa.environment["LLM_PROVIDER"] = nil
    rasa.environment["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    rasa.environment["OPENAI_API_KEY"] = "sk-made-up"
    let down = try await rasa.run("run", "-p", "single", "hello", "--model", "gpt-4o-mini")
    #expect(down.exitCode == 5)
    #expect(down.errorText.contains("127.0.0.1:9"), "\(down.errorText)")

    let provider = try ScriptedProvider.start([
      Script.tooManyRequests(retryAfter: 0).once(), .text("patience"),
    ])
    defer { provider.stop() }
    let busy = try RasaProgram(provider)
    try busy.writeSingle()
    #expect(try await busy.run("run", "-p", "single", "hello").text == "patience\n")
  }

  @Test("a budget without room is refused before anything is sent")
  func budget() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run(
      "run", "-p", "single", "hello", "--model", "gpt-4o", "--max-cost", "0.0000001")
    #expect(run.exitCode == 6, "\(run.errorText)")
    #expect(provider.requests.isEmpty)
  }

  @Test("a reader that leaves ends the program quietly")
  func closedOutput() async throws {
    let provider = try ScriptedProvider.start([.words(100_000)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    // More than a pipe takes, and none of it cut off.
    try rasa.home.write(
      "name: single\ndescription: One answer.\nframes: [session_frame]\n"
        + "operators: [{name: respond, max_tokens: 1000000}]\n", to: "personas/single.yaml")
    let run = try await rasa.shell(
      "{ \"$RASA\" run -p single hello; echo \"code $?\" >&2; } | head -c 10 >/dev/null")
    #expect(run.errorText == "code 141\n")
  }

  @Test("a full disk under standard output is one clear line")
  func fullOutput() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell("\"$RASA\" run -p support_triage help > /dev/full")
    #expect(run.exitCode == 1)
    #expect(run.errorText.contains("standard output"), "\(run.errorText)")
  }

  @Test("a database that is none is left alone and named")
  func brokenDatabase() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(String(repeating: "not a database ", count: 100), to: "rasa.db")
    let run = try await rasa.run("run", "-p", "support_triage", "help")
    #expect(run.exitCode == 1, "\(run.errorText)")
    #expect(run.errorText.contains("rasa.db"), "\(run.errorText)")
    #expect(try rasa.home.read("rasa.db")?.hasPrefix("not a database") == true)
  }
}

extension String {
  /// How often the text stands in this one.
  func components(of text: String) -> Int {
    split(separator: text, omittingEmptySubsequences: false).count - 1
  }
}
