import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa run --agent")
struct AgentRunTests {
  private static func agent(_ id: String, _ fields: String = "", _ prompt: String) -> String {
    "---\nname: \(id)\ndescription: A made-up agent for tests of \(id).\n\(fields)\n---\n\(prompt)\n"
  }

  private static func program(
    _ provider: ScriptedProvider, _ agents: [String: String]
  ) throws -> RasaProgram {
    let rasa = try RasaProgram(provider)
    for (path, text) in agents { try rasa.home.write(text, to: "agents/\(path)") }
    return rasa
  }

  private static func requests(_ provider: ScriptedProvider) -> [ReceivedRequest] {
    provider.requests.filter { $0.method == "POST" }
  }

  @Test(
    "all three forms answer, with their prompt as the system message and the question unchanged",
    arguments: ["toml", "both", "markdown"])
  func forms(_ form: String) async throws {
    let provider = try ScriptedProvider.start([.text("designed")])
    defer { provider.stop() }
    let head = "[agent]\nid = \"arch-agent\"\nname = \"Architecture\"\ndescription = \"Designs.\"\n"
    let files: [String: String] =
      switch form {
      case "toml":
        ["a.toml": head + "prompt_path = \"p/arch.md\"\n", "p/arch.md": "You design systems.\n"]
      case "both":
        [
          "a.toml": head + "prompt_path = \"arch.md\"\n",
          "arch.md": Self.agent("arch-agent", "tags: [x]", "You design systems."),
        ]
      default: ["arch.md": Self.agent("arch-agent", "", "You design systems.")]
      }
    let rasa = try Self.program(provider, files)
    let run = try await rasa.run("run", "--agent", "arch-agent", "--input", "a shop", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let value = try JSON.parse(run.text)
    #expect(value["output"] == "designed" && value["persona"] == "arch-agent")
    let request = try #require(Self.requests(provider).first)
    #expect(request.instructions == "You design systems.")
    #expect(request.messages.dropFirst() == ["a shop"])
  }

  @Test("effort, cap and a model of the wanted class and price reach the provider")
  func reachesTheProvider() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    var rasa = try Self.program(
      provider,
      [
        "deep.md": Self.agent(
          "deep",
          "reasoning_effort: high\nmodel_class: reasoning\ncost_tier: medium\n"
            + "performance_profile: {output_volume: low}", "Think."),
        "quick.md": Self.agent("quick", "model_class: fast", "Hurry."),
      ])
    rasa.environment["LLM_MODEL"] = nil
    // As the seller itself, whose models are known.
    try rasa.home.write(
      """
      providers:
        openai: {base_url: "\(provider.openAIBaseURL)", vendor: openai}
      """, to: "config.yaml")
    let deep = try await rasa.run(
      "run", "--agent", "deep", "hello", "--dry-run", "--explain-selection")
    #expect(deep.exitCode == 0, "\(deep.errorText)")
    #expect(deep.text.contains("at most"), "\(deep.text)")
    let asked = try await rasa.run("run", "--agent", "deep", "hello", "--model", "gpt-5-mini")
    #expect(asked.exitCode == 0, "\(asked.errorText)")
    let request = try #require(Self.requests(provider).last)
    #expect(request.json["reasoning_effort"] == "high")
    // 800 for the text, and room to think hard on top.
    #expect(request.cap == 66_336)
  }

  @Test("names in the prompt have the user's value, else the default, else are empty or an error")
  func names() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let prompt = "Write for {{AUDIENCE}} in {{ tone }}: {{task}}"
    let rasa = try Self.program(
      provider,
      [
        "easy.md": Self.agent("easy", "defaults: {audience: beginners}", prompt),
        "strict.md": Self.agent("strict", "strict: true", prompt),
        "style.txt": "short sentences {{task}}",
        "filed.md": Self.agent("filed", "", "Keep to this:\n{{file:style.txt:code}}\nOn {{task}}."),
      ])
    let easy = try await rasa.run("run", "--agent", "easy", "trees", "--preferences", "tone=verse")
    #expect(easy.exitCode == 0, "\(easy.errorText)")
    #expect(
      Self.requests(provider).last?.lastMessage.hasPrefix("Write for beginners in verse: trees")
        == true)
    let strict = try await rasa.run("run", "--agent", "strict", "trees")
    #expect(strict.exitCode == 3)
    #expect(strict.errorText.contains("audience") && strict.errorText.contains("tone"))
    #expect(Self.requests(provider).count == 1)
    let filed = try await rasa.run("run", "--agent", "filed", "trees")
    #expect(filed.exitCode == 0, "\(filed.errorText)")
    let last = try #require(Self.requests(provider).last).lastMessage
    // What a file says is never read as a name.
    #expect(last == "Keep to this:\n```text\nshort sentences {{task}}\n```\nOn trees.")
  }

  @Test("a quality gate sends the work back with its findings")
  func gates() async throws {
    let provider = try ScriptedProvider.start([
      .forOperator(
        "quality_review",
        #"{"verdict": "revise", "findings": [{"gate": "code_review", "problem": "no test", "mend": "add one"}]}"#
      ).with { $0.limit = 1 },
      .forOperator("quality_review", #"{"verdict": "pass", "findings": []}"#),
      .text("the code"),
    ])
    defer { provider.stop() }
    let rasa = try Self.program(
      provider, ["coder.md": Self.agent("coder", "quality_gates: [code_review]", "Code.")])
    let run = try await rasa.run("run", "--agent", "coder", "a parser", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(try JSON.parse(run.text)["calls"] == 4)
    let again = Self.requests(provider)[2].lastMessage
    #expect(again.contains("add one") && again.contains("the code"))
  }

  @Test("a trigger hands the result on, and the answer is the other agent's")
  func trigger() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("polished").with { $0.matches = { $0.instructions == "Edit." } },
      .text("a draft"),
    ])
    defer { provider.stop() }
    let rasa = try Self.program(
      provider,
      [
        "writer.md": Self.agent("writer", "trigger_behavior: {trigger_agent_id: editor}", "Write."),
        "editor.md": Self.agent("editor", "", "Edit."),
      ])
    let run = try await rasa.run("run", "--agent", "writer", "on trees")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text == "polished\n")
    #expect(Self.requests(provider).last?.lastMessage.contains("a draft") == true)
  }

  @Test("agents that hand on to each other without end are refused with their way")
  func cycle() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try Self.program(
      provider,
      [
        "one.md": Self.agent("one", "trigger_behavior: {trigger_agent_id: two}", "One."),
        "two.md": Self.agent("two", "trigger_behavior: {trigger_agent_id: one}", "Two."),
      ])
    let run = try await rasa.run("run", "--agent", "one", "hello")
    #expect(run.exitCode == 3)
    #expect(run.errorText.contains("one → two → one"), "\(run.errorText)")
    #expect(Self.requests(provider).isEmpty)
  }

  @Test("an agent's own limit holds inside a persona, and the persona's as well")
  func budgets() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try Self.program(
      provider,
      ["dear.md": Self.agent("dear", "cost_budget: {max_per_execution: 0.0000001}", "Spend.")])
    try rasa.home.write(
      "name: outer\ndescription: Has an agent work.\nframes: [{name: step, agent: dear}]\n",
      to: "personas/outer.yaml")
    let run = try await rasa.run("run", "-p", "outer", "hello")
    #expect(run.exitCode == 6)
    #expect(run.errorText.contains("the limit for one run of dear"), "\(run.errorText)")
    let forced = try await rasa.run("run", "-p", "outer", "hello", "--force", "--json")
    #expect(forced.exitCode == 0, "\(forced.errorText)")
    let costs = try await rasa.run("agents", "budget", "dear", "--json")
    let spent = try JSON.parse(costs.text)["daily"]["spent"]
    #expect(spent != 0 && !spent.isNull, "\(costs.text)")
    let outer = try await rasa.run("agents", "budget", "outer", "--json")
    #expect(try JSON.parse(outer.text)["daily"]["spent"] == spent)
  }

  @Test("a run continues with the agent that it started with, even if the file has changed")
  func pinned() async throws {
    let provider = try ScriptedProvider.start([.text("a draft")])
    defer { provider.stop() }
    let files = ["asker.md": Self.agent("asker", "quality_gates: [human_approval]", "Ask.")]
    let rasa = try Self.program(provider, files)
    let parked = try await rasa.run("run", "--agent", "asker", "hello", "--approval", "defer")
    #expect(parked.exitCode == 7, "\(parked.errorText)")
    try rasa.home.write(
      Self.agent("asker", "quality_gates: [human_approval]", "Ask differently."),
      to: "agents/asker.md")
    let approvals = try JSON.parse(try await rasa.run("approvals", "list", "--json").text)
    let id = try #require(approvals.array?.first?["approval"].string)
    let changed = try await rasa.run("approvals", "approve", id)
    #expect(changed.exitCode == 3)
    #expect(changed.errorText.contains("asker.md"), "\(changed.errorText)")
    let run = try #require(approvals.array?.first?["run"].string)
    let resumed = try await rasa.run("resume", run, "--pinned")
    #expect(resumed.exitCode == 0, "\(resumed.errorText)")
    #expect(resumed.text == "a draft\n")
    #expect(Self.requests(provider).count == 1)
  }

  @Test("no more processes run an agent at a time than its file allows")
  func concurrency() async throws {
    let provider = try ScriptedProvider.start([
      Script.tokens(["one", " two"]).broken(after: 1, .silence)
    ])
    defer { provider.stop() }
    let rasa = try Self.program(
      provider,
      [
        "only.toml": """
        [agent]
        id = "only"
        name = "Only"
        description = "Works alone."
        prompt_path = "only.md"
        [agent.capabilities]
        max_concurrent_tasks = 1
        """, "only.md": "Work.",
      ])
    let first = try rasa.terminal("run", "--agent", "only", "hello")
    try await first.expect("one")
    let second = try rasa.terminal("run", "--agent", "only", "hello")
    try await second.expect("max_concurrent_tasks")
    #expect(Self.requests(provider).count == 1)
    first.send("\u{3}")
    #expect(try await first.waitForExit() == 130)
    // Now it is the other one's turn.
    try await second.expect("one")
    second.send("\u{3}")
    #expect(try await second.waitForExit() == 130)
  }

  @Test("--auto reports which agent answers and why, or that none fits")
  func auto() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let run = try await rasa.run("run", "--auto", "Our SQL query double-counts refunds", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(try JSON.parse(run.text)["persona"] == "sql-analyst")
    #expect(run.errorText.contains("chose sql-analyst ("), "\(run.errorText)")
    let notice = try #require(try JSON.parse(run.text)["notices"].array?.first)
    #expect(notice["kind"] == "chosen" && notice["agent"] == "sql-analyst")
    let id = try #require(try JSON.parse(run.text)["run"].string)
    let shown = try await rasa.run("runs", "events", id)
    #expect(shown.text.contains("chose sql-analyst ("), "\(shown.text)")
    let nobody = try await rasa.run("run", "--auto", "xyzzy plugh")
    #expect(nobody.exitCode == 3)
    #expect(nobody.errorText.contains("--agent"))
    let stain = try await rasa.run(
      "run", "--auto", "how do I get red wine out of a carpet", "--json")
    #expect(stain.exitCode == 3)
    #expect(
      try JSON.parse(stain.text)["error"]["details"].array?.first?.string?
        .hasPrefix("closest, but below 30: ") == true, "\(stain.text)")
    let both = try await rasa.run("run", "--auto", "--agent", "architect", "hello")
    #expect(both.exitCode == 2)
  }

  /// Two agents: `first` hands its output to `second`.
  private static func firstThenSecond() throws -> (ScriptedProvider, RasaProgram) {
    let provider = try ScriptedProvider.start([
      Script.text("second").with { $0.matches = { $0.instructions == "You end." } },
      .text("first"),
    ])
    let rasa = try Self.program(
      provider,
      [
        "first.md": Self.agent(
          "first", "trigger_behavior: {trigger_agent_id: second}", "You begin."),
        "second.md": Self.agent("second", "", "You end."),
      ])
    return (provider, rasa)
  }

  @Test("--agents restricts the agents, and reports unknown ones")
  func narrowed() async throws {
    let (provider, rasa) = try Self.firstThenSecond()
    defer { provider.stop() }
    let outside = try await rasa.run("run", "--agent", "first", "--agents", "first", "hello")
    #expect(outside.exitCode == 3)
    #expect(
      outside.errorText.contains("the agent `second` is left out: `--agents` names only first"),
      "\(outside.errorText)")
    #expect(Self.requests(provider).isEmpty)
    let unknown = try await rasa.run("agents", "list", "--agents", "first,secnd")
    #expect(unknown.exitCode == 2)
    #expect(unknown.errorText.contains("did you mean `second`?"), "\(unknown.errorText)")
    let inside = try await rasa.run(
      "run", "--agent", "first", "--agents", "first,sec*", "hello", "--json")
    #expect(inside.exitCode == 0, "\(inside.errorText)")
    #expect(try JSON.parse(inside.text)["output"] == "second")

    // What began a run narrowed keeps its forks narrowed, whatever persona they are of.
    let run = try #require(try JSON.parse(inside.text)["run"].string)
    try rasa.home.write(Self.agent("third", "", "You wait."), to: "agents/third.md")
    for (name, agent) in [("wide", "third"), ("narrow", "second")] {
      try rasa.home.write(
        "name: \(name)\ndescription: Made up.\nframes:\n  - {name: work, agent: \(agent)}\n",
        to: "\(name).yaml")
    }
    let wide = try await rasa.run("runs", "fork", run, "-p", "wide.yaml")
    #expect(wide.exitCode == 3, "\(wide.text)")
    #expect(
      wide.errorText.contains(
        "the agent `third` is left out: `--agents` of \(run) names only first, sec*"),
      "\(wide.errorText)")
    let narrow = try await rasa.run("runs", "fork", run, "-p", "narrow.yaml", "--json")
    #expect(narrow.exitCode == 0, "\(narrow.errorText)")
    // And a fork of that one as well.
    let fork = try #require(try JSON.parse(narrow.text)["run"].string)
    let again = try await rasa.run("runs", "fork", fork, "-p", "wide.yaml")
    #expect(again.exitCode == 3, "\(again.text)")
  }

  @Test("a run started with --agents is resumed with its own copy of them")
  func narrowedAndResumed() async throws {
    let (provider, rasa) = try Self.firstThenSecond()
    defer { provider.stop() }
    var dying = rasa
    dying.environment["RASA_FAULT"] = "call.sent:2"
    let killed = try await dying.run(
      "run", "--agent", "first", "--agents", "first,second", "hello", "--json")
    #expect(killed.exitCode != 0)
    let list = try await rasa.run("runs", "list", "--json")
    let run = try #require(try JSON.parse(list.text).array?.first?["run"].string)
    let resumed = try await rasa.run("resume", run, "--json")
    #expect(resumed.exitCode == 0, "\(resumed.errorText)")
    #expect(try JSON.parse(resumed.text)["output"] == "second")
  }

  @Test("lists in a persona, an agent and the configuration all narrow the selection")
  func narrowedByFiles() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try Self.program(
      provider,
      [
        "first.md": Self.agent(
          "first", "agents: [third]\ntrigger_behavior: {trigger_agent_id: second}", "You begin."),
        "second.md": Self.agent("second", "", "You end."),
        "third.md": Self.agent("third", "", "You rest."),
      ])
    let ofAgent = try await rasa.run("run", "--agent", "first", "hello")
    #expect(ofAgent.exitCode == 3)
    #expect(
      ofAgent.errorText.contains("agents/first.md:4 names only third"), "\(ofAgent.errorText)")
    try rasa.home.write(
      """
      name: team
      description: Has an agent work.
      agents: [second, fourth]
      frames:
        - {name: session_frame}
        - {name: work, agent: third}
      """, to: "personas/team.yaml")
    let ofPersona = try await rasa.run("run", "-p", "team", "hello")
    #expect(ofPersona.exitCode == 3)
    #expect(
      ofPersona.errorText.contains("personas/team.yaml:3 names only second, fourth"),
      "\(ofPersona.errorText)")
    try rasa.home.write("agents: [second, \"t*\"]\n", to: "config.yaml")
    let list = try await rasa.run("agents", "list", "--json", "--agents", "first,second")
    #expect(try JSON.parse(list.text).array?.map { $0["id"] } == ["second"])
    let recommended = try await rasa.run(
      "agents", "recommend", "--json", "--all", "tests of first, second and third")
    let ids = try JSON.parse(recommended.text)["recommendations"].array?.compactMap {
      $0["agent"].string
    }
    #expect(Set(ids ?? []).isSuperset(of: ["second", "third"]) && ids?.contains("first") == false)
    #expect(Self.requests(provider).isEmpty)
  }

  @Test(
    "a conversation uses changes of its agent, and keeps the previous version if they are broken")
  func reload() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try Self.program(provider, ["talker.md": Self.agent("talker", "", "First words.")])
    let chat = try rasa.terminal("chat", "--agent", "talker")
    try await chat.expect("you ›")
    chat.send("one\r")
    try await chat.expect("you ›")
    try rasa.home.write(Self.agent("talker", "", "Second words."), to: "agents/talker.md")
    chat.send("two\r")
    try await chat.expect("applies from now on")
    try await chat.expect("you ›")
    try rasa.home.write(
      Self.agent("talker", "loop_behavior: {steps: 0}", "Third words."), to: "agents/talker.md")
    chat.send("three\r")
    try await chat.expect("you ›")
    let shown = chat.grid.lines.flatMap { $0.split(separator: " ") }.joined(separator: " ")
    #expect(shown.contains("continuing with the previous version"), "\(shown)")
    chat.send("\u{4}")
    _ = try await chat.waitForExit()
    #expect(
      Self.requests(provider).map(\.instructions)
        == ["First words.", "Second words.", "Second words."])
  }

  @Test("the shipped workshop runs, and shows every agent's part")
  func services() async throws {
    let provider = try ScriptedProvider.start([
      .forOperator("quality_review", #"{"verdict": "pass", "findings": []}"#)
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    let run = try await rasa.run(
      "run", "-p", "workshop", "Export all invoices", "--approval", "allow", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let value = try JSON.parse(run.text)
    for key in ["architecture", "interface", "threats", "tests", "summary"] {
      #expect(!value["state"][key].isNull, "\(key)")
    }
    let shown = try await rasa.run("runs", "show", value["run"].string ?? "")
    #expect(shown.text.contains("security-reviewer › session_frame"), "\(shown.text)")
    let costs = try await rasa.run("costs", "--json")
    #expect(costs.exitCode == 0)
  }
}
