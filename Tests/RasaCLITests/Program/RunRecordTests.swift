import Glibc
import RasaCore
import RasaDocuments
import RasaSQLite
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa runs")
struct RunRecordTests {
  @Test("a run is listed and shown, for people and for programs")
  func shown() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let run = try await rasa.run(
      "run", "-p", "strategic_stock_analyst", "Is Nvidia a buy?", "--session", "s")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let listed = try await rasa.latest()
    let id = try #require(listed["run"].string)
    #expect(listed["status"] == "done" && listed["is_alive"] == false)
    #expect(listed["session"] == "s" && listed["input"] == "Is Nvidia a buy?")
    let table = try await rasa.run("runs", "list", "--session", "s", "--status", "done")
    #expect(table.text.contains(id) && table.text.contains("strategic_stock_analyst"))
    #expect(try await rasa.json("runs", "list", "--status", "failed").array?.isEmpty == true)

    let document = try await rasa.json("runs", "show", String(id.prefix(12)))
    #expect(document["run"] == .string(id) && document["calls"]["answered"] == 5)
    #expect(document["cost_usd"] == listed["cost_usd"] && document["damage"].isNull)
    #expect(document["output"].string.map { $0 + "\n" == run.text } == true)
    let text = try await rasa.run("runs", "show", id)
    for part in [
      "stateless_frame", "critic_agent", "compose (rule)", "openai:gpt-4o-mini", "tokens",
      "answer:",
    ] { #expect(text.text.contains(part), "\(part) is not in \(text.text)") }
    let full = try await rasa.run("runs", "show", id, "--verbose")
    #expect(full.text.contains("## Alternatives"))
    let drawing = try await rasa.run("runs", "show", id, "--mermaid")
    #expect(drawing.text.hasPrefix("flowchart TD\n") && drawing.text.contains("critic_agent"))
  }

  @Test("the journal is printed line by line, from where one wants")
  func events() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "hello")
    let id = try await rasa.latestRun()
    let run = try await rasa.run("runs", "events", id, "--json")
    let lines = try run.text.split(separator: "\n").map { try JSON.parse(String($0)) }
    #expect(lines.map(\.["sequence"]) == (1...lines.count).map { .int(Int64($0)) })
    #expect(lines.first?["kind"] == "run.started" && lines.last?["kind"] == "run.finished")
    let rest = try await rasa.run("runs", "events", id, "--json", "--since", "3")
    #expect(rest.text.split(separator: "\n").count == lines.count - 3)
    let text = try await rasa.run("runs", "events", id, "--follow")
    #expect(text.text.contains("run.finished") && text.errorText.contains("done"))
    #expect(try await rasa.run("runs", "events", id, "--since", "999").output.isEmpty)
  }

  @Test("a run that is under way is followed until it is called off from elsewhere")
  func followAndCancel() async throws {
    let provider = try ScriptedProvider.start([
      Script.tokens(["first", " second"]).broken(after: 1, .silence)
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    let running = try rasa.begin("run", "-p", "single", "hello")
    try await provider.waitForRequests(1)
    let listed = try await rasa.latest()
    let id = try #require(listed["run"].string)
    #expect(listed["status"] == "running" && listed["is_alive"] == true)
    let following = try rasa.begin("runs", "events", id, "--follow", "--json")
    let resumed = try await rasa.run("resume", id)
    #expect(resumed.exitCode == 1 && resumed.errorText.contains("is being run by"))
    #expect(try await rasa.run("runs", "delete", id).exitCode == 1)

    let cancelled = try await rasa.run("runs", "cancel", id)
    #expect(cancelled.exitCode == 0 && cancelled.text.contains("asked to stop"))
    #expect(try await running.finish().exitCode == 130)
    let followed = try await following.finish()
    #expect(followed.exitCode == 0 && followed.errorText.contains("cancelled"))
    #expect(followed.text.contains(#""kind":"call.intent""#))
    #expect(try await rasa.latest()["status"] == "cancelled")
    let refused = try await rasa.run("resume", id)
    #expect(refused.exitCode == 2 && refused.errorText.contains("rasa runs fork"))
    let again = try await rasa.run("runs", "cancel", id)
    #expect(again.exitCode == 2 && again.errorText.contains("already ended"))
  }

  @Test("a run whose process was killed is shown as died, and is resumed without paying twice")
  func died() async throws {
    let provider = try ScriptedProvider.start([
      Script.forOperator("preference_agent", #"{"goal":"g","constraints":[],"assumptions":[]}"#),
      Script.tokens(["first", " second"]).broken(after: 1, .silence).once(),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let running = try rasa.begin("run", "-p", "strategic_stock_analyst", "hello")
    try await provider.waitForRequests(2)
    running.signal(SIGKILL)
    _ = try await running.finish()
    let listed = try await rasa.latest()
    let id = try #require(listed["run"].string)
    #expect(listed["status"] == "died" && listed["is_alive"] == false)
    let shown = try await rasa.run("runs", "show", id)
    #expect(shown.text.contains("was under way when the process ended"), "\(shown.text)")
    #expect(shown.text.contains("rasa resume \(id)"))
    let followed = try await rasa.run("runs", "events", id, "--follow")
    #expect(followed.exitCode == 0 && followed.errorText.contains("died"))
    let resumed = try await rasa.run("resume", id, "--json")
    #expect(resumed.exitCode == 0, "\(resumed.errorText)")
    // The first call was answered, the second was in doubt; neither is asked once more than needed.
    #expect(provider.requests.count { $0.lastMessage == provider.requests[0].lastMessage } == 1)
    let gone = try await rasa.json("runs", "show", id)
    #expect(gone["status"] == "done" && gone["held_usd"] == "0")
  }

  @Test("a failed run is resumed once the cause is fixed, and pays for nothing again")
  func failed() async throws {
    let provider = try ScriptedProvider.start([
      Script.forOperator("preference_agent", #"{"goal":"g","constraints":[],"assumptions":[]}"#),
      Script.error(401, "no such key").once(),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let failed = try await rasa.run("run", "-p", "strategic_stock_analyst", "hello")
    #expect(failed.exitCode == 4, "\(failed.errorText)")
    let id = try await rasa.latestRun()
    #expect(try await rasa.run("resume", "--all").errorText.contains("no runs to resume"))
    let resumed = try await rasa.run("resume", id)
    #expect(resumed.exitCode == 0, "\(resumed.errorText)")
    #expect(provider.requests.count { $0.lastMessage == provider.requests[0].lastMessage } == 1)
  }

  @Test("a run of a changed persona is resumed only with the run's own copy")
  func pinned() async throws {
    let rasa = try RasaProgram()
    try rasa.writeGate()
    let approval = try await rasa.park()
    _ = try await rasa.run("approvals", "approve", approval, "--later")
    let id = try await rasa.latestRun()
    try rasa.home.write(
      "name: gate\ndescription: Another.\nframes: [session_frame]\noperators: []\n",
      to: "personas/gate.yaml")
    let refused = try await rasa.run("resume", id)
    #expect(refused.exitCode == 3 && refused.errorText.contains("--pinned"), "\(refused.errorText)")
    let gone = try await rasa.run("resume", id, "--pinned")
    #expect(gone.exitCode == 0 && !gone.output.isEmpty, "\(gone.errorText)")
  }

  @Test("a parked run can be called off; old runs are deleted, and the rest stays")
  func housekeeping() async throws {
    let rasa = try RasaProgram()
    try rasa.writeGate()
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "hello", "--session", "s")
    let done = try await rasa.latestRun()
    let approval = try await rasa.park()
    let parked = try await rasa.latestRun()
    let dry = try await rasa.run("runs", "prune", "--older-than", "0s", "--dry-run")
    #expect(dry.text.contains(done) && !dry.text.contains(parked), "\(dry.text)")
    #expect(try await rasa.run("runs", "prune").text.contains("nothing to delete"))

    let cancelled = try await rasa.run("runs", "cancel", parked)
    #expect(cancelled.exitCode == 0, "\(cancelled.errorText)")
    let answered = try await rasa.run("approvals", "approve", approval)
    #expect(answered.exitCode == 7 && answered.errorText.contains("cancelled"))

    let pruned = try await rasa.run("runs", "prune", "--older-than", "0s", "--status", "cancelled")
    #expect(pruned.text.contains("deleted 1 run"), "\(pruned.text)")
    #expect(try await rasa.latestRun() == done)
    let deleted = try await rasa.run("runs", "delete", String(done.prefix(14)))
    #expect(deleted.exitCode == 0 && deleted.text.contains("costs and memories are kept"))
    #expect(try await rasa.json("runs", "list").array?.isEmpty == true)
    #expect(try await rasa.json("sessions", "show", "s").array?.count == 1)
    let gone = try await rasa.run("runs", "show", done)
    #expect(gone.exitCode == 2 && gone.errorText.contains("there is no run"))
  }

  @Test("an export has the run, its journal, and its calls as the ledger has them")
  func export() async throws {
    let provider = try ScriptedProvider.start([.text("answer")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "hello")
    let id = try await rasa.latestRun()
    let run = try await rasa.run("runs", "export", id)
    let lines = try run.text.split(separator: "\n").map { try JSON.parse(String($0)) }
    #expect(lines.first?["rasa_journal"] == 1 && lines.first?["run"] == .string(id))
    #expect(lines.contains { $0["kind"] == "persona.pinned" })
    let call = try #require(lines.last)
    #expect(call["kind"] == "ledger.call" && call["status"] == "settled")
    #expect(call["outcome"] == "answered" && call["model"] == "gpt-4o-mini")
    let file = try await rasa.run("runs", "export", id, "--output", "run.jsonl")
    #expect(file.exitCode == 0 && file.output.isEmpty)
    #expect(try rasa.home.read("run.jsonl") == run.text)
  }

  @Test("two runs are compared: where they diverge, and what each cost")
  func compare() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("it is fine").once(), .text("it is not fine"),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "hello")
    let first = try await rasa.latestRun()
    _ = try await rasa.run("run", "-p", "single", "hello")
    let second = try await rasa.latestRun()
    let value = try await rasa.json("runs", "compare", first, second)
    #expect(value["knows_prompts"] == true && value["begin"] == [])
    #expect(value["parts_at"]["a"]["operator"] == "respond")
    #expect(
      value["parts_at"]["differences"] == [
        ["what": "state", "path": "draft", "a": "it is fine", "b": "it is not fine"]
      ])
    #expect(value["output_equal"] == false && value["a"]["calls"] == 1)
    let text = try await rasa.run("runs", "compare", first, second)
    for part in ["They diverge at respond", "- it is fine", "+ it is not fine", "dollars"] {
      #expect(text.text.contains(part), "\(text.text)")
    }
    _ = try await rasa.run("run", "-p", "single", "good day")
    let other = try await rasa.run("runs", "compare", second, try await rasa.latestRun())
    #expect(other.text.contains("They start differently"), "\(other.text)")
    #expect(other.text.contains("prompt (user)") && other.text.contains("+ good day"))
    #expect(try await rasa.run("runs", "compare", first, first).exitCode == 2)
  }

  @Test("a fork reuses what it can, and says what the rest costs before it runs")
  func fork() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    _ = try await rasa.run("run", "-p", "strategic_stock_analyst", "Is Nvidia a buy?")
    let origin = try await rasa.latestRun()
    let asked = provider.asked

    let dry = try await rasa.run(
      "runs", "fork", origin, "--set", "explanation=Mine.", "--dry-run")
    #expect(dry.exitCode == 0 && dry.text.contains("reuses 5 calls"), "\(dry.text)")
    #expect(try await rasa.json("runs", "list").array?.count == 1)
    let fork = try await rasa.run("runs", "fork", origin, "--set", "explanation=Mine.")
    #expect(fork.exitCode == 0 && fork.text.contains("Mine."), "\(fork.errorText)")
    #expect(fork.errorText.contains("reuses"), "\(fork.errorText)")
    #expect(provider.asked == asked)
    let made = try await rasa.latest()
    #expect(made["fork_of"] == .string(origin) && made["cost_usd"] == "0")
    let shown = try await rasa.run("runs", "show", try #require(made["run"].string))
    #expect(shown.text.contains("fork of  \(origin)"), "\(shown.text)")
    #expect(shown.text.contains("5 reused") && shown.text.contains("set by the fork"))

    let other = try await rasa.run("runs", "fork", origin, "--input", "Is AMD a buy?", "-q")
    #expect(other.exitCode == 0, "\(other.errorText)")
    #expect(provider.asked > asked)
  }

  @Test("of a damaged journal everything before the damage is shown, and then the damage")
  func damaged() async throws {
    let answer =
      "Hold what you have, and wait for the order book. \(String(repeating: "x", count: 90))"
    let provider = try ScriptedProvider.start([.text(answer)])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "hello")
    let id = try await rasa.latestRun()
    let file = rasa.home.file("rasa.db")
    try Database(path: file).execute("PRAGMA wal_checkpoint(TRUNCATE)")
    var bytes = try FileSystem.read(file, limit: 1 << 24)
    let needle = Array("wait for the order book".utf8)
    for index in bytes.indices.dropLast(needle.count)
    where bytes[index..<(index + needle.count)].elementsEqual(needle) { bytes[index] ^= 1 }
    try FileSystem.write(bytes, to: file)

    let shown = try await rasa.run("runs", "show", id)
    #expect(shown.exitCode == 1 && shown.errorText.contains("damaged"), "\(shown.errorText)")
    #expect(shown.text.contains("session_frame") && shown.text.contains("hello"))
    #expect(!shown.text.contains("ait for the order book"), "\(shown.text)")
    let json = try await rasa.run("runs", "show", id, "--json")
    #expect(json.exitCode == 1)
    #expect(try JSON.parse(json.output)["damage"]["message"].string?.contains("damaged") == true)
    let events = try await rasa.run("runs", "events", id, "--json")
    #expect(events.exitCode == 1 && events.text.contains("run.started"))
    let exported = try await rasa.run("runs", "export", id)
    #expect(exported.exitCode == 1 && exported.output.isEmpty)
    #expect(try await rasa.run("runs", "list").exitCode == 0)
  }

  @Test("runs and lines that do not exist are reported")
  func unknown() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    _ = try await rasa.run("run", "-p", "single", "hello")
    let id = try await rasa.latestRun()
    for arguments in [
      ["runs", "show", "nothing"], ["runs", "events", "nothing"], ["runs", "cancel", "nothing"],
      ["runs", "delete", id, "nothing"], ["runs", "export", "nothing"],
      ["runs", "compare", id, "nothing"], ["runs", "fork", "nothing"], ["resume", "nothing"],
      ["approvals", "list", "--run", "nothing"],
    ] {
      let run = try await ProgramRun.run(
        RasaProgram.binary, arguments, environment: rasa.environment, folder: rasa.home.path)
      #expect(run.exitCode == 2 && run.output.isEmpty, "\(arguments): \(run.text)")
      #expect(run.errorText.contains("rasa runs list"), "\(arguments): \(run.errorText)")
    }
    #expect(try await rasa.latestRun() == id)
    let line = try await rasa.run("runs", "fork", id, "--at", "999")
    #expect(line.exitCode == 2 && line.errorText.contains("rasa runs events"))
    let near = String(id.dropLast(2)) + "zz"
    #expect(try await rasa.run("runs", "show", near).errorText.contains("did you mean `\(id)`?"))
  }
}
