import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa feedback, leaderboard, stats and objectives")
struct LearningCommandTests {
  @Test("a run is measured when it ends, rated, and ranked with others of its persona")
  func whole() async throws {
    let provider = try ScriptedProvider.start([.text("an answer")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    for _ in 0..<5 {
      let run = try await rasa.run("run", "-p", "single", "Write me an email")
      #expect(run.exitCode == 0, "\(run.errorText)")
    }
    let before = try await rasa.json("leaderboard")
    #expect(before["by"] == "success" && before["asked_by"] == "score")
    #expect(before["rows"].array?.first?["rank"] == 1)
    let id = try await rasa.latestRun()
    let rated = try await rasa.run("feedback", "--stars", "4", "--comment", "clear")
    #expect(rated.text.hasPrefix("★★★★☆ for \(id) of single, score 0."), "\(rated.text)")
    let report = try await rasa.json("runs", "show", id, "--reward")
    #expect(report["stars"] == 4 && report["comment"] == "clear" && report["basis"] == "stars")
    #expect(report["category"] == "writing" && report["status"] == "done")
    #expect(report["model"] == "openai:gpt-4o-mini")
    #expect(report["first_token_seconds"].double != nil)
    let points = (report["terms"].array ?? []).compactMap { $0["points"].double }.reduce(0, +)
    #expect(report["reward"].int == Int64(points))
    #expect((report["nodes"].array ?? []).contains { $0["kind"] == "model" })
    let after = try await rasa.json("leaderboard", "--category", "writing")
    #expect(after["by"] == "score" && after["rows"].array?.first?["rests_on_runs"] == 1)
    #expect(try await rasa.json("leaderboard", "--category", "code")["rows"] == [])
    let text = try await rasa.run("runs", "show", id, "--reward")
    #expect(text.text.contains("satisfaction") && text.text.contains("4 of 5 stars × 40"))
    let csv = try await rasa.run("leaderboard", "--csv")
    #expect(csv.text.hasPrefix("agent,rank,") && csv.text.contains("\r\nsingle,1,"))
    let stats = try await rasa.json("stats", "single")
    #expect(stats["totals"]["runs"] == 5 && stats["is_new"] == true)
    #expect(stats["models"].array?.first?["model"] == "openai:gpt-4o-mini")
    #expect(try await rasa.json("stats", "rebuild")["records"] == 5)
    #expect(try await rasa.json("stats", "single") == stats)
    let removed = try await rasa.run("feedback", id, "--remove")
    #expect(removed.text.hasPrefix("took the rating back from"), "\(removed.errorText)")
    // What somebody said of it goes with the run, how it went stays.
    _ = try await rasa.run("runs", "delete", id)
    #expect(try await rasa.json("runs", "show", id, "--reward")["agent"] == "single")
  }

  @Test("runs that fail are measured, too, and uses of single tools are not")
  func failures() async throws {
    let provider = try ScriptedProvider.start([.error(400, "no")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.writeSingle()
    #expect(try await rasa.run("run", "-p", "single", "Is it?").exitCode != 0)
    let report = try await rasa.json("runs", "show", try await rasa.latestRun(), "--reward")
    #expect(
      report["status"] == "failed" && report["score"].double == 0 && report["basis"] == "failure")
    #expect(report["is_success"] == false)
  }

  @Test("nobody's run, and nothing to rate, are said plainly")
  func nothing() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    let board = try await rasa.run("leaderboard")
    #expect(board.exitCode == 0 && board.text == "no run has come to its end yet\n")
    #expect(try await rasa.run("stats").text == "no run has come to its end yet\n")
    #expect(
      try await rasa.run("stats", "single").text == "no run of `single` has come to its end yet\n")
    let unknown = try await rasa.run("stats", "singel")
    #expect(unknown.exitCode == 3 && unknown.errorText.contains("single"), "\(unknown.errorText)")
    let rated = try await rasa.run("feedback", "--stars", "5")
    #expect(rated.exitCode == 2 && rated.errorText.contains("no run that could be rated"))
    #expect(try await rasa.run("feedback").exitCode == 2)
    #expect(try await rasa.run("feedback", "--stars", "6").exitCode == 2)
    let missing = try await rasa.run("runs", "show", "nothing", "--reward")
    #expect(missing.exitCode == 2)
  }

  @Test("records are not kept where the user wants none")
  func off() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    try rasa.home.write("learning: {enabled: false}\n", to: "config.yaml")
    _ = try await rasa.run("run", "-p", "single", "Is it?")
    let report = try await rasa.run("runs", "show", try await rasa.latestRun(), "--reward")
    #expect(report.exitCode == 1 && report.errorText.contains("no record of how"))
  }

  @Test("kinds of tasks are added to the user's file, and a broken one is reported with its place")
  func objectives() async throws {
    let rasa = try RasaProgram()
    let added = try await rasa.run(
      "objectives", "add", "tax", "--words", "tax*, vat", "--description", "Taxes: \"all\" of them")
    #expect(added.exitCode == 0, "\(added.errorText)")
    #expect(
      try await rasa.json("objectives", "list").array?.first?["description"]
        == "Taxes: \"all\" of them")
    let found = try await rasa.json("objectives", "list", "--task", "Are my taxes due?")
    #expect(found["category"] == "tax" && found["words"] == ["taxes"])
    #expect(try await rasa.run("objectives", "add", "tax", "--words", "x").exitCode == 2)
    #expect(try await rasa.run("objectives", "add", "Not A Name", "--words", "x").exitCode == 3)
    try rasa.home.write("tax:\n  wordz: [a]\nlaw: [b]\n", to: "objectives.yaml")
    let broken = try await rasa.run("objectives", "list")
    #expect(
      broken.exitCode == 3 && broken.errorText.contains("objectives.yaml:3:"), "\(broken.errorText)"
    )
  }
}
