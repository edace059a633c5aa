import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa agents list, search, info")
struct AgentsTests {
  private func json(_ run: ProgramRun) throws -> Value { try JSON.parse(run.output) }

  private func ids(_ run: ProgramRun) throws -> [String] {
    try json(run).array?.compactMap { $0["id"].string } ?? []
  }

  /// A program with three agents of its own beside what ships.
  private func program() throws -> RasaProgram {
    let rasa = try RasaProgram()
    try rasa.home.write(
      """
      [agent]
      id = "zz-first"
      name = "The First"
      description = "Keeps quokkas in order, and says what they cost"
      prompt_path = "first.md"
      engine = "gemini"
      model = "gemini-2.0-flash-exp"
      reasoning_effort = "low"
      [agent.loop_behavior]
      steps = 2
      max_iterations = 5
      skip = ["step-1"]
      [agent.trigger_behavior]
      trigger_agent_id = "zz-second"
      [agent.capabilities]
      model_class = "reasoning"
      cost_tier = "high"
      max_concurrent_tasks = 3
      [agent.sandbox]
      type = "docker"
      image = "rust:latest"
      network_mode = "isolated"
      """, to: "agents/zoo/first.toml")
    try rasa.home.write(
      """
      ---
      agent_id: zz-first
      color: blue
      capabilities: [quokka-care]
      cost_budget: {max_per_execution: 0.10, max_daily: 5.00, max_monthly: 100.00}
      works_well_with: [zz-second]
      quality_gates: [code_review]
      ---
      Count the quokkas of {{input}}.
      """, to: "agents/zoo/first.md")
    try rasa.home.write(
      """
      ---
      name: zz-second
      display_name: The Second
      description: Draws quokkas
      recommended_models: {primary: "openai:gpt-4o"}
      tags: [art]
      ---
      Draw.
      """, to: "agents/zoo/second.md")
    try rasa.home.write(
      "---\nname: zz-third\ndescription: \"Writes \\e[31mpoems\"\n---\nWrite.\n",
      to: "agents/third.md")
    return rasa
  }

  @Test("agents are listed, filtered and sorted")
  func list() async throws {
    let rasa = try program()
    let all = try await rasa.run("agents", "list", "--json")
    #expect(all.exitCode == 0 && all.errorText.isEmpty, "\(all.errorText)")
    let listed = try ids(all)
    #expect(listed == listed.sorted() && listed.suffix(3) == ["zz-first", "zz-second", "zz-third"])
    #expect(
      try ids(await rasa.run("agents", "list", "--category", "ZOO", "--json")) == [
        "zz-first", "zz-second",
      ])
    #expect(
      try ids(
        await rasa.run("agents", "list", "--category", "zoo", "--sort", "-id", "--json"))
        == ["zz-second", "zz-first"])
    #expect(
      try ids(
        await rasa.run(
          "agents", "list", "--category", "zoo", "--engine", "gemini", "--json"))
        == ["zz-first"])
    #expect(
      try ids(
        await rasa.run("agents", "list", "--tag", "art,quokka_care", "--json"))
        == ["zz-first", "zz-second"])
    let either = try await rasa.run(
      "agents", "list", "--tag", "art", "--model", "flash-exp", "--category", "zoo", "--any",
      "--sort", "name", "--json")
    #expect(try ids(either).prefix(2) == ["zz-first", "zz-second"])
    let first = try #require(try json(all).array?.first { $0["id"] == "zz-first" })
    #expect(first["category"] == "zoo" && first["file"] == "agents/zoo/first.toml")
    #expect(first["prompt"] == "agents/zoo/first.md" && first["from"] == "agents")
    let wrong = try await rasa.run("agents", "list", "--sort", "nam")
    #expect(wrong.exitCode == 2 && wrong.errorText.contains("did you mean `name`?"))
  }

  @Test("a table shows the columns that fit, and nothing that a terminal would obey")
  func table() async throws {
    let rasa = try program()
    let wide = try await rasa.run("agents", "list", "--category", "zoo")
    #expect(wide.text.hasPrefix("AGENT      NAME        CATEGORY  MODEL"))
    // Nobody looks at a pipe through a window.
    #expect(wide.text.contains("Keeps quokkas in order, and says what they cost\n"))
    let window = try rasa.terminal("agents", "list", "--category", "zoo")
    #expect(try await window.waitForExit() == 0)
    #expect(window.transcript.contains("Keeps quokkas in order, and says wha…"))
    let third = try await rasa.run("agents", "search", "zz-third", "--exact")
    #expect(third.text.contains("Writes poems") && !third.text.contains("\u{1B}"))
    let narrow = try TerminalSession(
      RasaProgram.binary, ["agents", "list", "--category", "zoo"],
      environment: rasa.environment, folder: rasa.home.path, columns: 40)
    #expect(try await narrow.waitForExit() == 0)
    let shown = narrow.transcript
    // In its own colour; the rest of the line is plain.
    #expect(shown.contains("\u{1B}[34mzz-first\u{1B}[0m"))
    for line in shown.replacing("\u{1B}[34m", with: "").replacing("\u{1B}[0m", with: "")
      .split(separator: "\r\n")
    {
      #expect(line.count <= 40, "\(line)")
    }
  }

  @Test("agents are found by parts, in whole and in spite of slips")
  func search() async throws {
    let rasa = try program()
    #expect(
      try ids(await rasa.run("agents", "search", "QUOKKAS", "--json")) == ["zz-second", "zz-first"])
    #expect(
      try ids(await rasa.run("agents", "search", "The", "Second", "--exact", "--json")) == [
        "zz-second"
      ])
    let fuzzy = try await rasa.run("agents", "search", "qokkas", "--fuzzy", "--json")
    #expect(try ids(fuzzy) == ["zz-first", "zz-second"])
    #expect(try json(fuzzy).array?[0]["match"]["field"] == "description")
    #expect(
      try ids(
        await rasa.run(
          "agents", "search", "qokkas", "--match", "fuzzy", "--threshold", "0.95", "--json")) == [])
    #expect(
      try ids(await rasa.run("agents", "search", "quokkas", "--tag", "art", "--json"))
        == ["zz-second"])
    let none = try await rasa.run("agents", "search", "unheard-of")
    #expect(none.exitCode == 0 && none.text.contains("--fuzzy"))
    #expect(try await rasa.run("agents", "search", "x", "--threshold", "2").exitCode == 2)
    #expect(try await rasa.run("agents", "search").exitCode == 2)
  }

  @Test("everything about one agent")
  func info() async throws {
    let rasa = try program()
    let text = try await rasa.run("agents", "info", "zz-first")
    #expect(text.exitCode == 0 && text.errorText.isEmpty, "\(text.errorText)")
    for part in [
      "zz-first  The First", "agents/zoo/first.toml", "agents/zoo/first.md",
      "back 2 steps, 5 times at most, without step-1", "hands over to zz-second",
      "$0.10 an answer, $5.00 a day, $100.00 a month", "3 at most", "docker, rust:latest",
      "quokka-care", "zz-second", "code_review", "blue",
    ] {
      #expect(text.text.contains(part), "\(part) in \(text.text)")
    }
    let value = try json(try await rasa.run("agents", "info", "zz-first", "--json"))
    #expect(value["cost_budget"]["max_daily"] == "5" && value["loop_behavior"]["steps"] == 2)
    #expect(value["sandbox"]["network"] == "closed" && value["prompt_text"].isNull)
    let prompt = try await rasa.run("agents", "info", "zz-first", "--prompt")
    #expect(prompt.text == "Count the quokkas of {{input}}.\n")
    let both = try json(try await rasa.run("agents", "info", "zz-first", "--prompt", "--json"))
    #expect(both["prompt_text"].string?.contains("{{input}}") == true)
  }

  @Test("an agent that is not there, and one whose file is broken")
  func unknown() async throws {
    let rasa = try program()
    let unknown = try await rasa.run("agents", "info", "zz-frist")
    #expect(unknown.exitCode == 3 && unknown.errorText.contains("did you mean `zz-first`?"))
    try rasa.home.write("[agent]\nid = \"zz-fourth", to: "agents/zz-fourth.toml")
    let broken = try await rasa.run("agents", "info", "zz-fourth")
    #expect(broken.exitCode == 3 && broken.errorText.contains("agents/zz-fourth.toml:2:"))
    let list = try await rasa.run("agents", "list", "--json")
    #expect(list.exitCode == 0 && list.errorText.contains("warning: agents/zz-fourth.toml:2:"))
    for index in 0..<30 { try rasa.home.write("[agent", to: "agents/broken-\(index).toml") }
    let many = try await rasa.run("agents", "list", "--json")
    #expect(many.errorText.split(separator: "\n").count < 40)
    #expect(many.errorText.contains("`rasa agents validate` shows everything"))
  }

  @Test("shadowed agents are reported")
  func shadowed() async throws {
    let rasa = try program()
    try rasa.home.write(
      "---\nname: zz-third\ndescription: An older one\n---\nOld.\n",
      to: ".rasa/extensions/old/agents/x.md")
    let list = try await rasa.run("agents", "list", "--shadowed", "--json")
    #expect(
      try json(list)
        == [
          [
            "id": "zz-third", "file": ".rasa/extensions/old/agents/x.md",
            "by": "agents/third.md",
          ]
        ])
    #expect(
      try await rasa.run("agents", "info", "zz-third").text
        .contains("instead of   .rasa/extensions/old/agents/x.md"))
    let table = try await rasa.run("agents", "list", "--shadowed")
    #expect(table.text.contains("zz-third  agents/third.md"))
  }

  @Test("the index is kept with the user's files, for his eyes only")
  func index() async throws {
    let rasa = try program()
    let first = try await rasa.run("agents", "list", "--json")
    let second = try await rasa.run("agents", "list", "--json")
    #expect(first.output == second.output)
    let mode = try await rasa.shell("stat -c %a $RASA_HOME/agents-*.index")
    #expect(mode.text == "600\n")
  }

  @Test("each change is a line, or the list again")
  func watch() async throws {
    let rasa = try program()
    let session = try rasa.terminal("agents", "list", "--watch", "--json", "--category", "zoo")
    try await session.expect(#""event":"watching","agents":2"#)
    try rasa.home.write(
      "---\nname: zz-new\ndescription: A new one\n---\nNew.\n", to: "agents/zoo/deep/new.md")
    try await session.expect(#""event":"changed","agents":3,"added":["zz-new"]"#)
    try FileSystem.removeFile(rasa.home.file("agents/zoo/deep/new.md"))
    try await session.expect(#""removed":["zz-new"]"#)
    session.send("\u{3}")
    #expect(try await session.waitForExit() == 130)

    let table = try rasa.terminal("agents", "list", "--watch", "--category", "zoo")
    try await table.expect("waiting for changes")
    try rasa.home.write(
      "---\nname: zz-second\ndescription: Paints quokkas\n---\nPaint.\n",
      to: "agents/zoo/second.md")
    try await table.expect("Paints quokkas")
    try await table.expect("changed: zz-second")
    table.send("\u{3}")
    #expect(try await table.waitForExit() == 130)
  }

  @Test("agents have budgets as personas do")
  func budget() async throws {
    let rasa = try program()
    let own = try await rasa.run("agents", "budget", "zz-first")
    #expect(own.exitCode == 0, "\(own.errorText)")
    #expect(own.text.contains("Agent: zz-first\nDaily Budget: $0.00 / $5.00 (0% used)"))
    let missing = try await rasa.run("agents", "budget", "zz-frist")
    #expect(missing.exitCode == 3 && missing.errorText.contains("did you mean `zz-first`?"))
    // Agents that have spent nothing are not in the way.
    #expect(try await rasa.run("agents", "budget").text.contains("zz-first") == false)
    try rasa.home.write(
      """
      {"agent_id": "zz-first", "daily": {"date": "\(try await day(rasa))", "spent": 1.5, "limit": 5.0}}
      """, to: "b.json")
    let imported = try await rasa.run("agents", "budget", "--import", "b.json")
    #expect(imported.exitCode == 0 && imported.errorText.isEmpty, "\(imported.errorText)")
    #expect(
      try await rasa.run("agents", "budget").text.contains("Daily Budget: $1.50 / $5.00 (30% used)")
    )
    #expect(try await rasa.run("costs", "--persona", "zz-first").exitCode == 0)
  }

  private func day(_ rasa: RasaProgram) async throws -> String {
    try json(try await rasa.run("agents", "budget", "zz-first", "--json"))["daily"]["date"].string
      ?? ""
  }
}
