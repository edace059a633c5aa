import RasaCore
import RasaDocuments
import RasaSQLite
import RasaTestKit
import Testing

@Suite("rasa: looking around and setting up")
struct HouseholdTests {
  @Test("every shipped persona and operator is valid")
  func shipped() async throws {
    let rasa = try RasaProgram()
    for kind in ["personas", "operators"] {
      let run = try await rasa.run(kind, "validate")
      #expect(run.exitCode == 0, "\(run.text)")
      #expect(!run.text.contains("warning"), "\(run.text)")
    }
  }

  @Test("lists are the same for people and for programs")
  func lists() async throws {
    let rasa = try RasaProgram()
    for kind in ["personas", "operators"] {
      let table = try await rasa.run(kind, "list")
      let values = try JSON.parse(try await rasa.run(kind, "list", "--json").output)
      let names = (values.array ?? []).compactMap { $0["name"].string }
      #expect(names.count >= 4)
      for name in names { #expect(table.text.contains(name)) }
      #expect(table.text.contains("shipped"))
    }
  }

  @Test("init writes a persona that is valid and runs, and never over another file")
  func initialize() async throws {
    let rasa = try RasaProgram()
    #expect(try await rasa.run("init", "--name", "mine").exitCode == 0)
    #expect(try await rasa.run("personas", "validate", "mine").exitCode == 0)
    #expect(try await rasa.run("operators", "validate", "mine_check").exitCode == 0)
    #expect(try await rasa.run("run", "-p", "mine", "hello").exitCode == 0)
    let again = try await rasa.run("init", "--name", "mine")
    #expect(again.exitCode == 2)
    #expect(again.errorText.contains("--force"))
    #expect(try await rasa.run("init", "--name", "Not A Name").exitCode == 2)
  }

  @Test("a user's file takes the place of a shipped one")
  func overriding() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(
      "name: support_triage\ndescription: Mine.\nframes: [session_frame]\noperators: []\n",
      to: "personas/support_triage.yaml")
    let run = try await rasa.run("personas", "show", "support_triage", "--json")
    #expect(try JSON.parse(run.output)["description"] == "Mine.")
  }

  @Test("the graph is drawn for both kinds of tools")
  func graph() async throws {
    let rasa = try RasaProgram()
    let mermaid = try await rasa.run("personas", "graph", "contract_reviewer")
    #expect(mermaid.text.hasPrefix("flowchart TD"))
    let dot = try await rasa.run("personas", "graph", "contract_reviewer", "--format", "dot")
    #expect(dot.text.hasPrefix("digraph"))
  }

  @Test("a session belongs to its user: another one's of the same name is another")
  func sessionsByUser() async throws {
    let rasa = try RasaProgram()
    func ask(_ question: String, as user: String) async throws {
      let run = try await rasa.run(
        "run", "-p", "support_triage", question, "--session", "one", "--user", user)
      #expect(run.exitCode == 0, "\(run.errorText)")
    }
    try await ask("What Ann asks", as: "ann")
    try await ask("What Bob asks", as: "bob")
    let runs = try #require(try await rasa.json("runs", "list").array)
    for run in runs {
      let events = try await rasa.run("runs", "events", run["run"].string ?? "", "--json")
      let others = run["input"] == "What Ann asks" ? "What Bob asks" : "What Ann asks"
      #expect(!events.text.contains(others))
    }
    let sessions = try #require(try await rasa.json("sessions", "list").array)
    #expect(sessions.map { $0["user"] } == ["bob", "ann"])
    #expect(sessions.map { $0["turns"] } == [1, 1])
    let turns = try #require(
      try await rasa.json("sessions", "show", "one", "--user", "ann").array)
    #expect(turns.map { $0["input"] } == ["What Ann asks"])
    let unknown = try await rasa.run("sessions", "show", "one", "--user", "cid")
    #expect(unknown.exitCode == 2)
    #expect(unknown.errorText.contains("cid has no session `one`, but ann has one"))
    #expect(unknown.errorText.contains("--user ann"))
    #expect(try await rasa.run("sessions", "delete", "one", "--user", "ann").exitCode == 0)
    let left = try #require(try await rasa.json("sessions", "list", "--user", "bob").array)
    #expect(left.map { $0["turns"] } == [1])
    #expect(try await rasa.json("sessions", "list", "--user", "ann").array == [])
  }

  @Test("sessions and memories can be looked at, searched and deleted")
  func records() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run(
      "run", "-p", "strategic_stock_analyst", "Is Nvidia a buy?", "--session", "one",
      "--preferences", "sector=technology")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let sessions = try JSON.parse(try await rasa.run("sessions", "list", "--json").output)
    #expect(sessions.array?.first?["session"] == "one")
    let shown = try await rasa.run("sessions", "show", "one")
    #expect(shown.text.contains("Is Nvidia a buy?"))
    let found = try await rasa.run("memory", "search", "technology", "--json")
    let fact = try #require(
      try JSON.parse(found.output).array?.first { $0["kind"] == "fact" })
    #expect(fact["text"] == "sector: technology" && fact["trust"] == "person")
    #expect(fact["source_run"].string?.hasPrefix("r") == true)
    let id = try #require(fact["id"].int)
    #expect(try await rasa.run("memory", "forget", "\(id)").exitCode == 0)
    #expect(try await rasa.run("sessions", "delete", "one").exitCode == 0)
    #expect(try await rasa.run("sessions", "show", "one").exitCode == 2)
  }

  @Test("doctor reports what works, and fails with a suggestion if a provider does not")
  func doctor() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let well = try await rasa.run("doctor")
    #expect(well.exitCode == 0, "\(well.text)")
    #expect(well.text.contains(provider.openAIBaseURL))
    var ill = rasa
    ill.environment["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"
    let down = try await ill.run("doctor")
    #expect(down.exitCode == 5, "\(down.text)")
    #expect(down.text.contains("broken"))
  }

  @Test("doctor reports a deletion that a killed process left unfinished")
  func unfinishedDeletion() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    #expect(try await rasa.run("run", "-p", "single", "hello").exitCode == 0)
    #expect(try await !rasa.run("doctor").text.contains("deletion"))
    try Database(path: rasa.home.file("rasa.db")).execute(
      "INSERT INTO deletions (run, next, lines) VALUES (0, NULL, 0)")
    let doctor = try await rasa.run("doctor")
    #expect(doctor.exitCode == 0 && doctor.text.contains("a deletion is unfinished"))
    #expect(try await rasa.run("runs", "prune", "--older-than", "3650d").exitCode == 0)
    #expect(try await !rasa.run("doctor").text.contains("deletion"))
  }

  @Test("the benchmark of a persona prints medians")
  func bench() async throws {
    let rasa = try RasaProgram()
    for journal in ["none", "memory", "full"] {
      let run = try await rasa.run(
        "bench", "graph", "-p", "strategic_stock_analyst", "--runs", "3", "--journal", journal,
        "--json")
      #expect(run.exitCode == 0, "\(run.errorText)")
      let value = try JSON.parse(run.output)
      #expect((value["wall_us_median"].double ?? 0) > 0)
      #expect(value["steps"].int ?? 0 > 4)
    }
  }
}
