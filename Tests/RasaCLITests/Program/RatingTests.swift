import RasaCore
import RasaTestKit
import Testing

@Suite("rasa: stars that are asked for after a run")
struct RatingTests {
  private static let question = "Enter skips: "

  private func asking() throws -> RasaProgram {
    let rasa = try RasaProgram()
    try rasa.writeSingle("feedback: ask\n")
    return rasa
  }

  private func report(_ rasa: RasaProgram) async throws -> Value {
    try await rasa.json("runs", "show", try await rasa.latestRun(), "--reward")
  }

  @Test("stars and a comment are kept as by `rasa feedback`")
  func rated() async throws {
    let rasa = try asking()
    let terminal = try rasa.terminal("run", "-p", "single", "Is it?")
    try await terminal.expect("How good was it? 1–5, \(Self.question)")
    terminal.send("4\r")
    try await terminal.expect("A comment? \(Self.question)")
    terminal.send("clear, and short\r")
    #expect(try await terminal.waitForExit() == 0)
    let report = try await report(rasa)
    #expect(report["stars"] == 4 && report["comment"] == "clear, and short")
    #expect(report["basis"] == "stars")
  }

  @Test(
    "skipped, the run has no stars and the same exit code",
    arguments: [
      ["\r"], ["\u{3}"], ["\u{4}"], ["6\r", "\r"], ["good\r", "0\r"], ["x\r", "\u{3}"],
    ])
  func skipped(keys: [String]) async throws {
    let rasa = try asking()
    let terminal = try rasa.terminal("run", "-p", "single", "Is it?")
    try await terminal.expect("1–5, \(Self.question)")
    for (index, key) in keys.enumerated() {
      if index > 0 { try await terminal.expect("Enter to skip: ") }
      terminal.send(key)
    }
    #expect(try await terminal.waitForExit() == 0)
    #expect(!terminal.transcript.contains("comment?"))
    #expect(try await report(rasa)["stars"].isNull)
  }

  @Test(
    "what is mistyped is asked once more; a comment may be skipped",
    arguments: ["\r", "\u{3}", "\u{4}"])
  func again(key: String) async throws {
    let rasa = try asking()
    let terminal = try rasa.terminal("run", "-p", "single", "Is it?")
    try await terminal.expect("1–5, \(Self.question)")
    terminal.send("five\r")
    try await terminal.expect("Enter to skip: ")
    terminal.send("5\r")
    try await terminal.expect("A comment? \(Self.question)")
    terminal.send(key)
    #expect(try await terminal.waitForExit() == 0)
    let report = try await report(rasa)
    #expect(report["stars"] == 5 && report["comment"] == "")
  }

  @Test("what was typed while the model answered is no rating")
  func typedAhead() async throws {
    let provider = try ScriptedProvider.start([
      Script.words(30).with { $0.tokenDelay = .milliseconds(10) }
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("feedback: ask\n")
    let terminal = try rasa.terminal("run", "-p", "single", "Is it?")
    terminal.send("1\r")
    try await terminal.expect("1–5, \(Self.question)")
    terminal.send("\r")
    #expect(try await terminal.waitForExit() == 0)
    #expect(try await report(rasa)["stars"].isNull)
  }

  @Test(
    "nobody is asked who did not want it, or where a program reads",
    arguments: [
      ["run", "-p", "plain", "Is it?"], ["run", "-p", "single", "-q", "Is it?"],
      ["run", "-p", "single", "--json", "Is it?"],
      ["run", "-p", "single", "--output-format", "stream-json", "Is it?"],
    ])
  func notAsked(arguments: [String]) async throws {
    let rasa = try asking()
    try rasa.home.write(
      "name: plain\ndescription: One answer.\nframes: [session_frame]\noperators: []\nfeedback: none\n",
      to: "personas/plain.yaml")
    let terminal = try rasa.terminal(columns: 100, arguments)
    #expect(try await terminal.waitForExit() == 0)
    #expect(!terminal.transcript.contains("How good"))
  }

  @Test("nobody is asked in a pipe, in continuous integration, or about a run without a record")
  func unattended() async throws {
    var rasa = try asking()
    #expect(try await !rasa.run("run", "-p", "single", "Is it?").errorText.contains("How good"))
    // The answer goes to a program, though a person is at the terminal.
    let piped = try TerminalSession(
      "/bin/sh", ["-c", "'\(RasaProgram.binary)' run -p single 'Is it?' | cat"],
      environment: rasa.environment, folder: rasa.home.path)
    #expect(try await piped.waitForExit() == 0)
    #expect(!piped.transcript.contains("How good"), "\(piped.transcript)")
    rasa.environment["CI"] = "true"
    let ci = try rasa.terminal("run", "-p", "single", "Is it?")
    #expect(try await ci.waitForExit() == 0)
    #expect(!ci.transcript.contains("How good"))
    rasa.environment["CI"] = nil
    try rasa.home.write("learning: {enabled: false}\n", to: "config.yaml")
    let off = try rasa.terminal("run", "-p", "single", "Is it?")
    #expect(try await off.waitForExit() == 0)
    #expect(!off.transcript.contains("How good"))
  }

  @Test("a run that failed is not asked about, and a chat asks nothing between answers")
  func failedAndChat() async throws {
    let provider = try ScriptedProvider.start([
      .error(401, "no", code: "invalid_api_key").once(), .text("hello"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle("feedback: ask\n")
    let failed = try rasa.terminal("run", "-p", "single", "Is it?")
    #expect(try await failed.waitForExit() == 4)
    #expect(!failed.transcript.contains("How good"))
    let chat = try rasa.terminal("chat", "-p", "single")
    try await chat.expect("you ›")
    chat.send("hi\r")
    try await chat.expect("hello")
    try await chat.expect("you ›")
    chat.send("\u{4}")
    #expect(try await chat.waitForExit() == 0)
    #expect(!chat.transcript.contains("How good"))
  }

  @Test("closing the window while it is asked leaves the run done")
  func closed() async throws {
    let rasa = try asking()
    let terminal = try rasa.terminal("run", "-p", "single", "Is it?")
    try await terminal.expect("1–5, \(Self.question)")
    #expect(try await terminal.hangUp() == 0)
    let report = try await report(rasa)
    #expect(report["status"] == "done" && report["stars"].isNull)
  }

  @Test("an unknown wish is refused with its place, and the known one is shown")
  func unknown() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle("feedback: always\n")
    let run = try await rasa.run("personas", "validate", "single")
    #expect(run.exitCode == 3, "\(run.text)")
    #expect(
      (run.text + run.errorText).contains(
        "personas/single.yaml:5:11: `feedback` must be `ask` or `none`"),
      "\(run.text) \(run.errorText)")
    try rasa.writeSingle("feedback: ask\n")
    #expect(try await rasa.run("personas", "validate", "single").exitCode == 0)
    #expect(try await rasa.json("personas", "show", "single")["feedback"] == "ask")
  }
}
