import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa: sets of weights")
struct WeightSetTests {
  private static let half =
    "learning: {weights: {strict: {share: 0.5, accuracy: 1, relevance: 0, completeness: 0, clarity: 0, efficiency: 0}}}\n"

  /// A run that a judge has judged.
  private func record(_ number: Int) -> String {
    let weights = number % 2 == 0 ? "strict" : "standard"
    let accuracy = Double(number % 5 + 1) / 5
    let judged =
      #""criteria": {"accuracy": \#(accuracy), "relevance": 0.5, "completeness": 0.5, "clarity": 0.5}"#
    return
      #"{"run": "x\#(number)", "agent": "analyst", "status": "done", "day": "2026-01-01", "duration_ms": 1000, "weights": "\#(weights)", \#(judged), "stars": \#(number % 5 + 1)}"#
      + "\n"
  }

  private func records(_ count: Int) -> String {
    var text = ""
    for number in 0..<count { text += record(number) }
    return text
  }

  @Test("a run's record names the set that its share and its ID give it, and keeps it")
  func assigned() async throws {
    let rasa = try RasaProgram()
    try rasa.writeSingle()
    try rasa.home.write(
      "learning: {weights: {all: {share: 1, efficiency: 1}}}\n", to: "config.yaml")
    _ = try await rasa.run("run", "-p", "single", "Is it?")
    _ = try await rasa.run("feedback", "--stars", "1")
    // By efficiency alone: the stars count for nothing.
    let id = try await rasa.latestRun()
    let report = try await rasa.json("runs", "show", id, "--reward")
    #expect(
      report["score"].double == report["efficiency"].double.map { ($0 * 10_000).rounded() / 10_000 }
    )
    let out = try await rasa.run("stats", "export")
    #expect(try JSON.parse(out.text)["weights"] == "all")
    let sets = try await rasa.json("stats", "weights")["sets"].array ?? []
    #expect(sets.map { $0["weights"].string } == ["standard", "all"])
    #expect(sets.map { $0["runs"].int } == [0, 1] && sets[0]["share"].double == 0)
    // The set goes; what it scored stays under its name.
    try rasa.home.write("", to: "config.yaml")
    let gone = try await rasa.json("stats", "weights")["sets"].array ?? []
    #expect(gone[1]["weights"] == "all" && gone[1]["share"].isNull && gone[1]["runs"] == 1)
    let text = try await rasa.run("stats", "weights")
    #expect(text.text.contains("gone"), "\(text.text)")
  }

  @Test("new numbers count from a rebuild on, and it finds the same as one by one")
  func rebuilt() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.half, to: "config.yaml")
    try rasa.home.write(records(10), to: "records.jsonl")
    _ = try await rasa.run("stats", "import", rasa.home.file("records.jsonl"))
    let before = try await rasa.json("runs", "show", "x2", "--reward")
    // Accuracy alone.
    #expect(before["score"].double == 0.6)
    let stats = try await rasa.json("stats")
    _ = try await rasa.run("stats", "rebuild")
    #expect(try await rasa.json("stats") == stats)
    try rasa.home.write(
      Self.half.replacing("accuracy: 1, relevance: 0", with: "accuracy: 0, relevance: 1"),
      to: "config.yaml")
    let kept = try await rasa.json("runs", "show", "x2", "--reward")
    #expect(kept == before)
    _ = try await rasa.run("stats", "rebuild")
    let after = try await rasa.json("runs", "show", "x2", "--reward")
    #expect(after["score"].double == 0.5)
    // Its points follow: 50 for a whole score.
    #expect((before["reward"].int ?? 0) - (after["reward"].int ?? 0) == 5)
    // Those of the other set are as they were.
    #expect(try await rasa.json("runs", "show", "x1", "--reward")["basis"] == "judge")
  }

  @Test("sets are compared on the same runs, and by people's stars")
  func compared() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.half, to: "config.yaml")
    try rasa.home.write(records(19), to: "few.jsonl")
    try rasa.home.write(records(40), to: "all.jsonl")
    _ = try await rasa.run("stats", "import", rasa.home.file("few.jsonl"))
    let few = try await rasa.run("stats", "weights")
    #expect(few.text.contains("which set agrees with people is not said: 19 runs"), "\(few.text)")
    _ = try await rasa.run("stats", "import", rasa.home.file("all.jsonl"))
    let document = try await rasa.json("stats", "weights", "analyst")
    let sets = document["sets"].array ?? []
    #expect(sets.map { $0["runs"].int } == [20, 20] && document["starred_runs"] == 40)
    // Accuracy alone is .6 on average; standard: .8 × (.35 × .6 + .65 × .5) + .2.
    #expect(sets[1]["score_of_all"]["value"].double?.fixed(4) == "0.6000")
    #expect(sets[0]["score_of_all"]["value"].double?.fixed(4) == "0.6280")
    #expect(sets[1]["difference"]["value"].double?.fixed(4) == "-0.0280")
    #expect(sets[1]["difference"]["rests_on_runs"] == 40 && sets[0]["difference"].isNull)
    // Both rise with accuracy, and so with the stars.
    #expect(sets[0]["agreement"].double == 1 && sets[1]["agreement"].double == 1)
    let text = try await rasa.run("stats", "weights", "--since", "2026-01-01")
    #expect(text.text.contains("on the same 40 runs `strict` scores -0.028"), "\(text.text)")
    #expect(text.text.contains("chance explains how `strict` and `standard` differ"))
    let none = try await rasa.json("stats", "weights", "--since", "2026-01-02")
    #expect(none["starred_runs"] == 0 && none["sets"].array?.first?["score"].isNull == true)
  }

  @Test("one set is said to be one")
  func one() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("stats", "weights")
    #expect(run.exitCode == 0 && run.text.contains("there is one set"), "\(run.text)")
  }

  @Test("with a broken configuration nothing is scored anew")
  func brokenConfiguration() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(records(2), to: "records.jsonl")
    try rasa.home.write(
      "learning:\n  weights:\n    strict: {share: 0.5, accuracy: 0.5}\n", to: "config.yaml")
    for arguments in [
      ["stats", "rebuild"], ["stats", "weights"],
      ["stats", "import", rasa.home.file("records.jsonl")],
    ] {
      let run = try await ProgramRun.run(
        RasaProgram.binary, arguments, environment: rasa.environment, folder: rasa.home.path)
      #expect(run.exitCode == 3 && run.errorText.contains("config.yaml:3:13"), "\(run.errorText)")
    }
  }
}
