import RasaCore
import RasaDocuments
import RasaSQLite
import RasaTestKit
import Testing

@Suite("rasa: interrupted runs")
struct InterruptionTests {
  private static let scripts = [
    Script.tokens(["half of", " it", " and more"]).broken(after: 2, .silence).once(),
    Script.text("the whole answer"),
  ]

  @Test("Ctrl-C parks the run and keeps the partial answer as such, and the run can be resumed")
  func once() async throws {
    let provider = try ScriptedProvider.start(Self.scripts)
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("run", "-p", "single", "--session", "s", "hello")
    try await terminal.expect("half of it")
    terminal.send("\u{3}")
    try await terminal.expect("continues it")
    #expect(try await terminal.waitForExit() == 130)

    let listed = try await rasa.latest()
    let run = try #require(listed["run"].string)
    #expect(listed["status"] == "interrupted")
    let lines = try await rasa.lines(of: run)
    let failed = try #require(lines.first { $0["kind"] == "call.failed" })
    #expect(failed["body"]["partial"] == "half of it" && failed["body"]["reason"] == "cancelled")
    #expect(lines.last?["kind"] == "run.parked" && lines.last?["body"]["reason"] == "interrupted")
    #expect(!lines.contains { $0["kind"] == "call.result" || $0["kind"] == "run.finished" })
    #expect(try await rasa.json("sessions", "show", "s").array?.isEmpty == true)

    let resumed = try await rasa.run("resume", run)
    #expect(resumed.exitCode == 0 && resumed.text == "the whole answer\n", "\(resumed.errorText)")
    let turns = try await rasa.json("sessions", "show", "s")
    #expect(turns.array?.map(\.["output"]) == ["the whole answer"])
  }

  @Test("Ctrl-C twice exits at once, whatever the disk is doing, and the run can be resumed")
  func twice() async throws {
    let provider = try ScriptedProvider.start(Self.scripts)
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let terminal = try rasa.terminal("run", "-p", "single", "hello")
    try await terminal.expect("half of it")
    // Nobody can write down anything while this lasts.
    let database = try Database(path: rasa.home.file("rasa.db"))
    try database.begin()
    terminal.send("\u{3}")
    _ = try await provider.waitForDisconnect(ofRequest: 0)
    terminal.send("\u{3}")
    #expect(try await terminal.waitForExit() == 130)
    database.rollBack()

    let listed = try await rasa.latest()
    #expect(listed["status"] == "died")
    let run = try #require(listed["run"].string)
    let resumed = try await rasa.run("resume", run)
    #expect(resumed.exitCode == 0 && resumed.text == "the whole answer\n", "\(resumed.errorText)")
    #expect(try await rasa.json("runs", "show", run)["calls"]["in_doubt"] == 1)
  }
}

extension RasaProgram {
  func lines(of run: String) async throws -> [Value] {
    let events = try await self.run("runs", "events", run, "--json")
    return try events.text.split(separator: "\n").map { try JSON.parse(Array($0.utf8)) }
  }
}
