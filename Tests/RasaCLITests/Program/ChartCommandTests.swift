import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa stats chart")
struct ChartCommandTests {
  /// What a record says besides its run and agent.
  private func record(
    _ run: String, day: String, agent: String = "analyst", category: String = "code",
    stars: Int? = nil, cost: String = "0.01", isKnown: Bool = true, isMock: Bool = false
  ) -> String {
    var value = ValueObject()
    value["run"] = .string(run)
    value["agent"] = .string(agent)
    value["status"] = "done"
    value["day"] = .string(day)
    value["category"] = .string(category)
    value["model"] = "openai:gpt-4o-mini"
    value["duration_ms"] = 2000
    if let stars { value["stars"] = .int(Int64(stars)) }
    value["cost_usd"] = .string(cost)
    value["is_cost_known"] = .bool(isKnown)
    value["is_mock"] = .bool(isMock)
    return Value.object(value).json(.compact) + "\n"
  }

  private func program(_ records: [String]) async throws -> RasaProgram {
    let rasa = try RasaProgram()
    try rasa.home.write(records.joined(), to: "records.jsonl")
    let run = try await rasa.run("stats", "import", rasa.home.file("records.jsonl"))
    #expect(run.exitCode == 0, "\(run.errorText)")
    return rasa
  }

  private var judged: [String] {
    [
      record("r1", day: "2026-01-01", stars: 5), record("r2", day: "2026-01-01", stars: 3),
      record("r3", day: "2026-01-03", category: "writing", stars: 4, cost: "0.02"),
      record("r4", day: "2026-01-04"),
    ]
  }

  @Test("all four charts are drawn, with what they rest on")
  func text() async throws {
    let rasa = try await program(judged)
    let run = try await rasa.run("stats", "chart")
    #expect(run.exitCode == 0, "\(run.errorText)")
    for title in ["Score by day", "Score by kind of task", "Score by model", "Spent by day"] {
      #expect(run.text.contains("\(title)\n"), "\(run.text)")
    }
    #expect(
      run.text.contains("2 of 4 days have a figure, from 1 to 2 runs each"), "\(run.text)")
    #expect(run.text.contains("1 day has runs and no figure: none of them has been rated"))
    #expect(!run.text.contains("\u{1B}"))
    #expect(run.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(run.text)")
  }

  @Test("as JSON, days without runs are left out and unknown figures are null")
  func json() async throws {
    let rasa = try await program(judged)
    let document = try await rasa.json("stats", "chart", "analyst", "--of", "score")
    #expect(document["agent"] == "analyst")
    let chart = try #require(document["charts"].array?.first)
    #expect(chart["of"] == "score" && chart["by"] == "day")
    let rows = chart["rows"].array ?? []
    #expect(rows.map { $0["day"].string } == ["2026-01-01", "2026-01-03", "2026-01-04"])
    #expect(rows[0]["rests_on_runs"] == 2 && rows[0]["value"].double?.fixed(2) == "0.84")
    #expect(rows[2]["value"].isNull && rows[2]["runs"] == 1)
    let spent = try await rasa.json("stats", "chart", "--of", "spent", "--by", "category")
    let kinds = spent["charts"].array?.first?["rows"].array ?? []
    #expect(kinds.map { $0["category"].string } == ["code", "writing"])
    #expect(kinds[0]["value"].double?.fixed(4) == "0.0300" && kinds[0]["cost_usd"] == "0.03")
    let since = try await rasa.json("stats", "chart", "--of", "runs", "--since", "2026-01-02")
    #expect(since["charts"].array?.first?["rows"].array?.count == 2)
  }

  @Test("where nobody has judged a run, success stands in and is said to")
  func success() async throws {
    let rasa = try await program([record("r1", day: "2026-01-01")])
    let run = try await rasa.run("stats", "chart", "--by", "agent")
    #expect(
      run.text.contains("Success rate by agent")
        && run.text.contains("none of these runs has been rated"))
    #expect(run.text.contains("100% (21%–100%), 1 run"), "\(run.text)")
  }

  @Test("what the mock answered and what has no known price is no cost of zero")
  func costs() async throws {
    let rasa = try await program([
      record("r1", day: "2026-01-01", cost: "0", isMock: true),
      record("r2", day: "2026-01-02", cost: "0", isKnown: false),
      record("r3", day: "2026-01-03", cost: "0.5"),
      record("r4", day: "2026-01-03", cost: "0", isMock: true),
      record("r5", day: "2026-01-04", cost: "0"),
    ])
    for measure in ["spent", "cost"] {
      let document = try await rasa.json("stats", "chart", "--of", measure)
      let rows = document["charts"].array?.first?["rows"].array ?? []
      #expect(rows.map { $0["value"].isNull } == [true, true, false, false], "\(rows)")
      #expect(rows[2]["value"].double == 0.5 && rows[2]["rests_on_runs"] == 1)
      // A model of one's own costs nothing, and that is known.
      #expect(rows[3]["value"].double == 0)
    }
    let text = try await rasa.run("stats", "chart", "--of", "spent")
    #expect(text.text.contains("the mock answered 2 of these 5 runs: they are no cost"))
    #expect(text.text.contains("what 1 of these 5 runs cost is not known"))
    #expect(text.text.contains("2 of 4 days have a figure"), "\(text.text)")
  }

  @Test(
    "files: the format follows the name, what is there is replaced as a whole, and agents' names are harmless"
  )
  func files() async throws {
    let name = "<script>alert(1)</script>"
    let rasa = try await program(judged + [record("r9", day: "2026-01-02", agent: name)])
    let page = rasa.home.file("runs.html")
    try rasa.home.write("before", to: "runs.html")
    let written = try await rasa.run("stats", "chart", "-o", page)
    #expect(written.exitCode == 0 && written.text.isEmpty, "\(written.errorText)")
    #expect(written.errorText.contains("wrote \(page)"))
    let html = try #require(try rasa.home.read("runs.html"))
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.hasSuffix("</html>\n"))
    #expect(html.components(of: "<svg").count == 4 && html.components(of: "<table>").count == 4)
    let image = rasa.home.file("agents.svg")
    _ = try await rasa.run("stats", "chart", "--by", "agent", "-o", image)
    let svg = try #require(try rasa.home.read("agents.svg"))
    #expect(svg.hasPrefix("<svg") && svg.contains("&lt;script&gt;") && !svg.contains("<script"))
    let shown = try await rasa.run("stats", "chart", name, "--format", "html")
    #expect(
      shown.text.contains("How runs went · &lt;script&gt;") && !shown.text.contains("<script"))
    let missing = try await rasa.run("stats", "chart", "-o", rasa.home.file("no/such/folder.svg"))
    #expect(
      missing.exitCode != 0 && missing.errorText.contains("folder.svg"), "\(missing.errorText)")
  }

  @Test("letters alone where the locale or the terminal has nothing else")
  func letters() async throws {
    var rasa = try await program(judged)
    #expect(try await rasa.run("stats", "chart").text.contains("│"))
    for (name, value) in [("LC_ALL", "C"), ("TERM", "dumb")] {
      let before = rasa.environment[name]
      rasa.environment[name] = value
      let run = try await rasa.run("stats", "chart")
      #expect(run.text.utf8.allSatisfy { $0 < 0x80 } && run.text.contains("*"), "\(run.text)")
      rasa.environment[name] = before
    }
  }

  @Test("on a terminal it is as wide as that, and coloured unless nobody wants it")
  func terminal() async throws {
    var rasa = try await program(judged)
    let arguments = ["stats", "chart", "--of", "score"]
    let coloured = try rasa.terminal(columns: 60, arguments)
    #expect(try await coloured.waitForExit() == 0)
    #expect(coloured.transcript.contains("\u{1B}[36m"))
    let rows = coloured.grid.text.split(separator: "\n")
    #expect(rows.contains { $0.hasPrefix("    └") && $0.count == 59 }, "\(coloured.grid.text)")
    rasa.environment["NO_COLOR"] = "1"
    let plain = try rasa.terminal(columns: 60, arguments)
    #expect(try await plain.waitForExit() == 0)
    #expect(!plain.transcript.contains("\u{1B}[36m"))
  }

  @Test("nothing to draw is said, with how to get something")
  func nothing() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("stats", "chart", "-o", rasa.home.file("x.html"))
    #expect(run.exitCode == 0 && run.text.contains("there is nothing to draw"))
    #expect(run.text.contains("`rasa run` makes records"))
    #expect(try rasa.home.read("x.html") == nil)
    #expect(try await rasa.json("stats", "chart")["charts"].array?.count == 4)
    #expect(try await rasa.run("stats", "chart", "nobody").exitCode == 3)
    #expect(try await rasa.run("stats", "chart", "--of", "beauty").exitCode == 2)
    #expect(
      try await rasa.run("stats", "chart", "--since", "2026-02-01", "--until", "2026-01-01")
        .exitCode == 2)
    #expect(try await rasa.run("stats", "chart", "--json", "--format", "svg").exitCode == 2)
  }
}

extension String {
  /// Where a text stands in it.
  fileprivate func components(of text: String) -> [Range<String.Index>] { ranges(of: text) }
}
