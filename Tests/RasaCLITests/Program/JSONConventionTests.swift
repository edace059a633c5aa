import RasaCLI
import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

/// Every command that prints JSON keeps the conventions of docs/json.md: what it prints, and what it
/// prints when it fails.
@Suite("rasa: JSON for programs")
struct JSONConventionTests {
  /// Every command that can print JSON, with arguments that make it print some. They run in this order,
  /// in one home; `RUN`, `OTHER`, `APPROVAL` and `MEMORY` stand for what is there then.
  static let commands: [(line: String, more: [String])] = [
    ("version", []),
    ("doctor", []),
    ("trust add", []),
    ("trust list", []),
    ("trust remove", []),
    ("tools list", []),
    ("tools show", ["count"]),
    ("tools check", ["count"]),
    ("tools call", ["count", "{\"text\": \"a b\"}"]),
    ("tools approve", ["mcp:made-up", "--yes"]),
    ("tools login", ["mcp:made-up"]),
    ("tools logout", ["mcp:made-up"]),
    ("llm info", []),
    ("llm health", []),
    ("models list", []),
    ("models show", ["gpt-4o-mini"]),
    ("models check", []),
    ("models import", ["prices.json"]),
    ("personas list", []),
    ("personas show", ["single"]),
    ("personas validate", ["broken"]),
    ("personas copy", ["single", "--name", "copied"]),
    ("import", ["odd.md", "--dry-run"]),
    ("operators list", []),
    ("operators show", ["respond"]),
    ("operators validate", []),
    ("operators copy", ["respond", "--print"]),
    ("skills list", []),
    ("skills show", ["release-notes"]),
    ("skills validate", []),
    ("agents list", []),
    ("agents search", ["review"]),
    ("agents info", ["code-reviewer"]),
    ("agents recommend", ["Review this code"]),
    ("agents validate", ["odd.md"]),
    ("agents create", ["made-here", "--description", "Makes things here."]),
    ("agents copy", ["code-reviewer", "--name", "copied-here"]),
    ("agents enhance", ["made-here"]),
    ("agents budget", []),
    ("costs", []),
    ("feedback", ["--stars", "4"]),
    ("evaluate", ["--max-cost", "0.10"]),
    ("evaluate", ["--agreement"]),
    ("leaderboard", []),
    ("stats show", ["single"]),
    ("stats alerts", []),
    ("stats chart", []),
    ("stats weights", []),
    ("stats import", ["records.jsonl"]),
    ("stats rebuild", []),
    ("stats rename", ["single", "renamed"]),
    ("objectives list", []),
    ("objectives add", ["tax", "--words", "vat"]),
    ("tokens create", ["dashboard", "--scope", "read"]),
    ("tokens list", []),
    ("tokens revoke", ["dashboard"]),
    ("route choose", ["Review this code"]),
    ("route replay", ["--policy", "routing.yaml"]),
    ("bench graph", ["-p", "single", "--runs", "1"]),
    ("bench run", ["-p", "single", "--runs", "1"]),
    ("run", ["-p", "single", "And now?", "--session", "s"]),
    ("resume", []),
    ("runs list", []),
    ("runs show", ["RUN"]),
    ("runs events", ["RUN"]),
    ("runs compare", ["RUN", "OTHER"]),
    ("runs fork", ["RUN", "--dry-run"]),
    ("approvals list", []), ("approvals grants", []), ("tools policy", []),
    ("approvals show", ["APPROVAL"]),
    ("approvals edit", ["APPROVAL", "--text", "better"]),
    ("approvals approve", ["APPROVAL"]),
    ("approvals reject", ["APPROVAL", "--reason", "Shorter."]),
    ("approvals feedback", ["APPROVAL", "Shorter."]),
    ("approvals answer", ["APPROVAL", "--text", "By May."]),
    ("test", ["tests"]),
    ("eval", ["tests"]),
    ("sessions list", []),
    ("sessions show", ["s"]),
    ("memory add", ["-p", "single", "I like it short."]),
    ("memory list", []),
    ("memory show", ["MEMORY"]),
    ("memory search", ["short"]),
    ("memory edit", ["MEMORY", "I like it long."]),
    ("memory embed", ["-p", "single", "--model", "openai:vectors"]),
    ("memory stats", []),
    ("memory import", ["memories.jsonl"]),
    ("memory forget", ["MEMORY"]),
    ("runs cancel", ["OTHER"]),
    ("runs prune", ["--dry-run"]),
    ("runs delete", ["RUN"]),
    ("sessions delete", ["s"]),
  ]

  @Test("a new command that prints JSON is listed here")
  func complete() {
    var found: Set<String> = []
    func collect(_ command: CommandSpec, _ path: [String]) {
      let names = Set(command.options.map(\.name))
      let formats = command.options.first { $0.name == "format" }?.offeredChoices ?? []
      if !names.isDisjoint(with: ["json", "output-format"]) || formats.contains("json") {
        found.insert(path.joined(separator: " "))
      }
      for child in command.subcommands { collect(child, path + [child.name]) }
    }
    collect(CommandLineInterface.root, [])
    // A server does not end; its document is tested with it.
    #expect(Set(Self.commands.map(\.line)) == found.subtracting(["serve"]))
  }

  @Test("every command prints one document of the same conventions")
  func documents() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try await fill(rasa)
    for (line, more) in Self.commands {
      var arguments = line.split(separator: " ").map(String.init)
      for word in more { arguments.append(try await meaning(of: word, rasa)) }
      arguments.append("--json")
      let run = try await ProgramRun.run(
        RasaProgram.binary, arguments, environment: rasa.environment, folder: rasa.home.path)
      let documents = try parsed(run, line)
      #expect(!documents.isEmpty, "\(line): \(run.errorText)")
      if line != "runs events" { #expect(documents.count == 1, "\(line)") }
      for document in documents { check(document, line, []) }
    }
  }

  @Test(
    "every command reports an invalid command line to programs",
    arguments: commands.map(\.line))
  func usageErrors(_ line: String) async throws {
    let rasa = try RasaProgram()
    let arguments = line.split(separator: " ").map(String.init) + ["--json", "--no-such-option"]
    let run = try await ProgramRun.run(
      RasaProgram.binary, arguments, environment: rasa.environment, folder: rasa.home.path)
    #expect(run.exitCode == 2 && run.errorText.hasPrefix("rasa: "), "\(run.errorText)")
    let error = try JSON.parse(run.output)["error"]
    checkError(error, line)
    #expect(error["kind"] == "usage" && error["exit_code"] == 2)
  }

  struct Mistake: Sendable, CustomTestStringConvertible {
    var line: String
    var kind: String
    var exitCode: Int32
    var hasPlace = false
    var testDescription: String { line }
  }

  static let mistakes = [
    Mistake(line: "run -p nobody x", kind: "configuration", exitCode: 3),
    Mistake(line: "run -p broken x", kind: "configuration", exitCode: 3, hasPlace: true),
    Mistake(line: "run -p single", kind: "usage", exitCode: 2),
    Mistake(line: "run -p single x --max-cost dear", kind: "usage", exitCode: 2),
    Mistake(line: "run --replay nothing.json", kind: "configuration", exitCode: 3),
    Mistake(line: "resume nothing", kind: "usage", exitCode: 2),
    Mistake(line: "runs show nothing", kind: "usage", exitCode: 2),
    Mistake(line: "runs events nothing", kind: "usage", exitCode: 2),
    Mistake(line: "sessions show nothing", kind: "usage", exitCode: 2),
    Mistake(line: "memory forget abc", kind: "usage", exitCode: 2),
    Mistake(line: "personas show nobody", kind: "configuration", exitCode: 3),
    Mistake(line: "agents info nobody", kind: "configuration", exitCode: 3),
    Mistake(line: "models show nothing", kind: "usage", exitCode: 2),
    Mistake(line: "test nothing", kind: "usage", exitCode: 2),
  ]

  @Test("an early failure is one document with the error", arguments: mistakes)
  func failures(_ mistake: Mistake) async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    try rasa.home.write(
      #"{"run": "x1", "agent": "y", "status": "done", "day": "2026-01-31"}"#, to: "records.jsonl")
    try rasa.home.write(
      "name: broken\nframes: [session_frame]\noperators: {nope\n", to: "personas/broken.yaml")
    let run = try await ProgramRun.run(
      RasaProgram.binary, mistake.line.split(separator: " ").map(String.init) + ["--json"],
      environment: rasa.environment, folder: rasa.home.path)
    let document = try JSON.parse(run.output)
    checkError(document["error"], mistake.line)
    #expect(document["status"] == "failed" && document["run"].isNull)
    #expect(document["error"]["kind"] == .string(mistake.kind), "\(run.text)")
    #expect(run.exitCode == mistake.exitCode)
    #expect(document["error"]["exit_code"].int == Int64(run.exitCode))
    #expect(document["error"]["where"].isNull == !mistake.hasPlace)
    // People read their line all the same.
    #expect(run.errorText.hasPrefix("rasa: "))
  }

  @Test("the last line of a stream is the result, whatever came of the run")
  func streams() async throws {
    let provider = try ScriptedProvider.start([
      .error(401, "Incorrect API key provided", code: "invalid_api_key")
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let run = try await rasa.run("run", "-p", "single", "x", "--output-format", "stream-json")
    let lines = try run.text.split(separator: "\n").map { try JSON.parse(String($0)) }
    #expect(lines.first?["type"] == "run.started")
    let last = try #require(lines.last)
    #expect(last["type"] == "result" && last["status"] == "failed")
    #expect(last["run"] == lines.first?["run"] && last["cost_usd"] == "0")
    checkError(last["error"], "stream-json")
    #expect(run.exitCode == 4)

    let early = try await rasa.run("run", "-p", "nobody", "x", "--output-format=stream-json")
    let only = try JSON.parse(early.output)
    #expect(only["type"] == "result" && only["run"].isNull && early.exitCode == 3)
  }

  @Test("a parked run reports its questions, and that there is no answer")
  func parked() async throws {
    let rasa = try RasaProgram()
    try rasa.writeGate()
    for format in ["json", "stream-json"] {
      let run = try await rasa.run(
        "run", "-p", "gate", "May I?", "--approval", "defer", "--output-format", format)
      #expect(run.exitCode == 7)
      let documents = try parsed(run, format)
      let last = try #require(documents.last)
      #expect(last["status"] == "parked" && last["finish"].isNull)
      #expect(last["waits_for"].array?.count == 1 && last["error"]["kind"] == "approval")
      #expect(last["resume"].string?.hasPrefix("rasa resume r") == true)
      #expect(documents.count { !$0["error"].isNull } == 1)
    }
  }

  // MARK: What is there

  private func fill(_ rasa: RasaProgram) async throws {
    try rasa.writeSingle()
    try rasa.writeGate()
    try rasa.home.write(
      #"{"rasa_memory": 1}"# + "\n" + #"{"end": true, "memories": 0}"# + "\n",
      to: "memories.jsonl")
    try rasa.home.write(
      "name: broken\nframes: [session_frame]\noperators: {nope\n", to: "personas/broken.yaml")
    try rasa.home.write(
      """
      tools:
        count: {kind: process, command: [cat], side_effects: none}
        made-up: {kind: mcp, command: ['\(RasaProgram.built("rasa-mcp-server"))'], side_effects: none, sandbox: none}

      """, to: "config.yaml")
    try rasa.home.write(
      "---\nname: release-notes\ndescription: Writes release notes from a list of changes. Use when a release is described.\nallowed-tools: Read Bash(git log:*)\n---\nGroup the changes by what users notice.\n",
      to: "skills/release-notes/SKILL.md")
    try rasa.home.write("---\nname: Odd\nmodel: [\n---\nDo it.\n", to: "odd.md")
    try rasa.home.write(
      #"{"gpt-4o-mini": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-7, "output_cost_per_token": 4e-7}}"#,
      to: "prices.json")
    try rasa.home.write("worth: 0.5\n", to: "routing.yaml")
    for _ in 0..<2 {
      let run = try await rasa.run("run", "-p", "single", "Well?", "--session", "s")
      #expect(run.exitCode == 0, "\(run.errorText)")
    }
    let export = try await rasa.run(
      "runs", "export", try await rasa.latestRun(), "--as-test", "tests")
    #expect(export.exitCode == 0, "\(export.errorText)")
    for _ in 0..<5 {
      _ = try await rasa.run("run", "-p", "gate", "May I?", "--approval", "defer")
    }
  }

  private func meaning(of word: String, _ rasa: RasaProgram) async throws -> String {
    switch word {
    case "RUN", "OTHER":
      let runs = try await rasa.json("runs", "list", "-p", "single").array ?? []
      let run = word == "RUN" ? runs.first : runs.dropFirst().first
      return try #require(run?["run"].string, "\(runs)")
    case "APPROVAL":
      return try #require(try await rasa.json("approvals", "list").array?.first?["approval"].string)
    case "MEMORY":
      return "\(try #require(try await rasa.json("memory", "list").array?.first?["id"].int))"
    default: return word
    }
  }

  /// One document, or one on each line.
  private func parsed(_ run: ProgramRun, _ line: String) throws -> [Value] {
    if let whole = try? JSON.parse(run.output) { return [whole] }
    return try run.text.split(separator: "\n").map { text in
      do { return try JSON.parse(String(text)) } catch {
        Issue.record("\(line) prints what is no JSON: \(run.text)\(run.errorText)")
        throw error
      }
    }
  }

  // MARK: The conventions

  /// What users, models and files name is passed on under their names.
  private static let foreign: Set<String> = [
    "state", "output", "preferences", "options", "metadata", "schema", "body", "payload",
    "changes", "constraints", "defaults", "value", "text", "a", "b", "estimates", "providers",
    "persona", "properties", "messages", "parameters", "declaration", "access",
  ]
  /// These repeat a definition's file, in the words of the file.
  private static let definitions: Set<String> = [
    "personas show", "operators show", "agents info", "agents budget",
  ]
  private static let formerWords: Set<String> = ["condition", "mend", "time_ms", "failure"]

  private func check(_ value: Value, _ line: String, _ path: [String]) {
    let place = "\(line): \(path.joined(separator: "."))"
    switch value {
    case .array(let elements): for element in elements { check(element, line, path) }
    case .object(let object):
      for (key, member) in object {
        #expect(isSnakeCase(key), "\(place) \(key)")
        #expect(!Self.formerWords.contains(key), "\(place) \(key)")
        if key == "error", !member.isNull { checkError(member, place) }
        if key == "failures" { for error in member.array ?? [] { checkError(error, place) } }
        if !Self.definitions.contains(line) { checkAmount(key, member, place) }
        checkTime(key, member, place)
        if key == "usage" { checkUsage(member, place) }
        if !Self.foreign.contains(key) { check(member, line, path + [key]) }
      }
    default: break
    }
  }

  private func isSnakeCase(_ key: String) -> Bool {
    key.utf8.first.map { (0x61...0x7A).contains($0) } == true
      && key.utf8.allSatisfy { byte in
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
      }
  }

  private func checkAmount(_ key: String, _ member: Value, _ place: String) {
    let isMoney = key.hasSuffix("_usd")
    if isMoney {
      let isAmount = member.isNull || member.string.flatMap { Money(decimal: $0) } != nil
      #expect(isAmount, "\(place) \(key) is \(member)")
    }
    let words = Set(key.split(separator: "_").map(String.init))
    guard !words.isDisjoint(with: ["cost", "spent", "held", "price", "usd"]) else { return }
    let isAmount = member.double != nil || member.string.flatMap { Money(decimal: $0) } != nil
    #expect(isMoney || !isAmount, "\(place) \(key) is money without its unit")
  }

  private func checkTime(_ key: String, _ member: Value, _ place: String) {
    if key == "at_ms" || key.hasSuffix("_at_ms") {
      // In this century, in milliseconds.
      let isMoment =
        member.int.map { (1_500_000_000_000..<4_200_000_000_000).contains($0) } ?? member.isNull
      #expect(isMoment, "\(place) \(key) is \(member)")
    } else if key.hasSuffix("_ms") {
      #expect(member.isNull || (member.double ?? -1) >= 0, "\(place) \(key) is \(member)")
    } else {
      #expect(!["time", "timestamp", "started", "at"].contains(key), "\(place) \(key)")
    }
  }

  private func checkUsage(_ usage: Value, _ place: String) {
    for key in ["input_tokens", "output_tokens", "cached_input_tokens", "reasoning_tokens"] {
      #expect(usage[key].int != nil, "\(place) usage.\(key)")
    }
  }

  private func checkError(_ error: Value, _ place: String) {
    let kinds = Set(Failure.Kind.allCases.map(\.rawValue))
    #expect(kinds.contains(error["kind"].string ?? ""), "\(place): \(error)")
    #expect(error["message"].string?.isEmpty == false, "\(place): \(error)")
    #expect(error["suggestion"].isNull || error["suggestion"].string?.isEmpty == false)
    #expect(error["details"].array?.allSatisfy { $0.string != nil } == true, "\(place): \(error)")
    #expect((error["exit_code"].int ?? 0) > 0, "\(place): \(error)")
    let members = Set(error.object?.map { $0.key } ?? [])
    #expect(
      members == ["kind", "reason", "message", "where", "suggestion", "details", "exit_code"],
      "\(place)")
    guard !error["where"].isNull else { return }
    #expect(error["where"]["file"].string?.isEmpty == false, "\(place): \(error)")
  }
}
