import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("Agents' and personas' files as people have them")
struct AgentFilesTests {
  private static func agent(
    _ name: String, _ fields: String = "", _ prompt: String = "Do it."
  ) -> String {
    "---\nname: \(name)\ndescription: A made-up agent for tests of files.\n\(fields)\n---\n\(prompt)\n"
  }

  private static func persona(_ name: String, _ more: String = "") -> String {
    "name: \(name)\ndescription: d\nframes: [session_frame]\noperators: []\n\(more)"
  }

  private static func systems(_ provider: ScriptedProvider) -> [String] {
    provider.requests.filter { $0.method == "POST" }.map { request in
      // Without the day, which ends every system message.
      let system = request.messages.first ?? ""
      return system.firstRange(of: "\n\nToday is ").map { String(system[..<$0.lowerBound]) }
        ?? system
    }
  }

  // MARK: Names

  @Test("two files with one inner name are reported, and have separate budgets")
  func budgets() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    for name in ["copy_a", "copy_b"] {
      try rasa.home.write(
        Self.persona("original", "cost_budget: {max_daily: 1}\n"), to: "personas/\(name).yaml")
    }
    let checked = try await rasa.run("personas", "validate", "copy_a")
    #expect(checked.exitCode == 0)
    #expect(checked.text.contains("personas/copy_a.yaml:1:7: the file is named `copy_a`"))
    let run = try await rasa.run("run", "-p", "copy_b", "hello")
    #expect(run.exitCode == 0 && run.errorText.contains("calls itself `original`"))
    let a = try JSON.parse(try await rasa.run("agents", "budget", "copy_a", "--json").text)
    let b = try JSON.parse(try await rasa.run("agents", "budget", "copy_b", "--json").text)
    #expect(a["agent_id"] == "copy_a" && a["daily"]["spent"].double == 0)
    #expect(b["agent_id"] == "copy_b" && b["daily"]["spent"].double ?? 0 > 0)
  }

  @Test("a persona and an agent with one name are reported as sharing a budget")
  func sharedByKind() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.persona("twin"), to: "personas/twin.yaml")
    try rasa.home.write(Self.agent("twin"), to: "agents/twin.md")
    let said = "both a persona and an agent `twin`"
    for command in [
      ["personas", "validate", "twin"], ["agents", "validate", "twin"],
      ["run", "--agent", "twin", "hello"],
    ] {
      let run = try await rasa.shell("\"$RASA\" \(command.joined(separator: " ")) 2>&1")
      #expect(run.text.contains(said), "\(command) \(run.text)")
    }
    // What is only looked at is no part of the run.
    let runs = try JSON.parse(try await rasa.run("runs", "list", "--json").text)
    let id = try #require(runs.array?.first?["run"].string)
    let events = try await rasa.run("runs", "events", id, "--json")
    #expect(!events.text.contains("personas/twin.yaml"))
  }

  @Test("two files with one ID are reported by validate, list, info and run; shadowed ones as such")
  func duplicates() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.agent("C# Expert"), to: "agents/a.md")
    try rasa.home.write(Self.agent("c-sharp-expert"), to: "agents/b.md")
    try rasa.home.write(Self.agent("C++ Expert"), to: "agents/c.md")
    try rasa.home.write(Self.agent("code-reviewer"), to: "agents/d.md")
    try rasa.home.write(Self.agent("x1", "display_name: Same"), to: "agents/x1.md")
    try rasa.home.write(Self.agent("x2", "display_name: same"), to: "agents/x2.md")
    let said = "agents/b.md: the agent `c-sharp-expert` is also in agents/a.md, which is used"
    for command in [
      "agents validate", "agents list", "agents info c-sharp-expert --json",
      "run --agent c-sharp-expert hello",
    ] {
      let run = try await rasa.shell("\"$RASA\" \(command) 2>&1")
      #expect(run.text.contains(said), "\(command)\n\(run.text)")
    }
    let checked = try await rasa.run("agents", "validate")
    #expect(checked.exitCode == 0)
    #expect(checked.text.contains("(c-plus-plus-expert)"))
    #expect(checked.text.contains("agents/x2.md: the agent `x1` is also called same"))
    let shadowed = try #require(
      checked.text.split(separator: "\n").firstIndex { $0.contains("code-reviewer.md") })
    let lines = checked.text.split(separator: "\n")
    #expect(lines[shadowed + 1] == "  shadowed by agents/d.md")
    let values = try JSON.parse(try await rasa.run("agents", "validate", "--json").text)
    let shipped = values.array?.first { $0["file"].string?.contains("/code-reviewer.md") == true }
    #expect(shipped?["shadowed_by"] == "agents/d.md")
  }

  @Test("names of every script: by id, by name and by either form of a letter")
  func scripts() async throws {
    let provider = try ScriptedProvider.start([.text("yes")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.agent("コードレビュー"), to: "agents/review-jp.md")
    try rasa.home.write(Self.agent("Übersetzer Plus"), to: "agents/u.md")
    let checked = try await rasa.run("agents", "validate", "agents")
    #expect(checked.text.contains("ok      agents/review-jp.md  (コードレビュー)"), "\(checked.text)")
    #expect(checked.text.contains("ok      agents/u.md  (ubersetzer-plus)"))
    for word in ["コードレビュー", "コードレヒ\u{3099}ュー"] {
      let info = try JSON.parse(try await rasa.run("agents", "info", word, "--json").text)
      #expect(info["id"] == "コードレビュー" && info["name"] == "コードレビュー")
    }
    for word in ["ubersetzer-plus", "Übersetzer Plus", "U\u{308}bersetzer plus"] {
      let run = try await rasa.run("run", "--agent", word, "hello", "--json")
      #expect(run.exitCode == 0, "\(run.errorText)")
      #expect(try JSON.parse(run.text)["persona"] == "ubersetzer-plus")
    }
    let run = try await rasa.run("run", "--agent", "コードレビュー", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let budget = try JSON.parse(try await rasa.run("agents", "budget", "コードレビュー", "--json").text)
    #expect(budget["agent_id"] == "コードレビュー" && budget["daily"]["spent"] != 0)
    // In a frame, too.
    try rasa.home.write(
      "name: outer\ndescription: d\nframes: [{name: step, agent: コードレビュー}]\n",
      to: "personas/outer.yaml")
    let inside = try await rasa.run("run", "-p", "outer", "hello")
    #expect(inside.exitCode == 0, "\(inside.errorText)")
  }

  // MARK: Everything at once

  @Test("validate reports every problem of a persona, even beside a broken operator")
  func everyProblem() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("kind: nothing\n", to: "operators/bad.yaml")
    try rasa.home.write(
      """
      name: p
      description: d
      frames:
        - {name: session_frame, operators: [bad], next: nowhere}
      odd: 1
      """, to: "personas/p.yaml")
    let run = try await rasa.run("personas", "validate", "p", "--json")
    #expect(run.exitCode == 3)
    let value = try #require(try JSON.parse(run.text).array?.first)
    let places = value["failures"].array?.compactMap { $0["where"]["file"].string } ?? []
    #expect(places.contains { $0.hasSuffix("operators/bad.yaml") })
    #expect(
      value["failures"].array?.contains {
        $0["message"].string?.contains("there is no frame named `nowhere`") == true
      } == true, "\(run.text)")
    #expect(value["warnings"].array?.count == 1)
    // One file's problems do not stop the others.
    try rasa.home.write("a: [", to: "personas/q.yaml")
    let all = try await rasa.run(
      "personas", "validate", "p", "q", "respond", "strategic_stock_analyst")
    #expect(all.exitCode == 3)
    #expect(all.text.contains("ok      strategic_stock_analyst"))
    #expect(all.text.occurrences(of: "broken  ") == 3, "\(all.text)")
  }

  @Test("files that differ only in their extension, or have invalid names, are reported")
  func endings() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.persona("one"), to: "personas/one.yaml")
    try rasa.home.write(Self.persona("one"), to: "personas/one.yml")
    try rasa.home.write(Self.persona("analyst"), to: "personas/Stock Analyst.yaml")
    for command in ["list", "validate"] {
      let run = try await rasa.run("personas", command)
      #expect(run.errorText.contains("one.yml is ignored"), "\(run.errorText)")
      #expect(run.errorText.contains("rename it to `stock_analyst.yaml`"), "\(run.errorText)")
      #expect(!run.text.contains("Stock Analyst"))
    }
  }

  // MARK: Prompts

  @Test(
    "an agent without words is refused before anything is paid",
    arguments: ["", "   \n\n", "<!-- to be written -->\n"])
  func emptyPrompt(prompt: String) async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "---\nname: mute\ndescription: Says nothing at all to anybody.\n---\n\(prompt)",
      to: "agents/mute.md")
    let run = try await rasa.run("run", "--agent", "mute", "hello")
    #expect(run.exitCode == 3)
    #expect(run.errorText.contains("the prompt of the agent `mute` is empty"), "\(run.errorText)")
    #expect(try await rasa.run("agents", "validate", "mute").exitCode == 3)
    #expect(provider.requests.allSatisfy { $0.method != "POST" })
  }

  @Test("a prompt that renders to nothing is refused before anything is paid")
  func renderedToNothing() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      "kind: llm\nreads: [input, 'notes?']\nwrites: {draft: text}\nprompt: ' {{notes}} '\n",
      to: "operators/hollow.yaml")
    try rasa.home.write(
      "name: p\ndescription: d\nframes: [session_frame]\noperators: [hollow]\n",
      to: "personas/p.yaml")
    let run = try await rasa.run("run", "-p", "p", "hello")
    #expect(run.exitCode == 3, "\(run.errorText)")
    #expect(
      run.errorText.contains("the prompt of `hollow` came out empty: `notes` had no value"),
      "\(run.errorText)")
    #expect(provider.requests.allSatisfy { $0.method != "POST" })
  }

  @Test("a prompt beside the agents folder is found, and one outside is reported as such")
  func promptPlaces() async throws {
    let provider = try ScriptedProvider.start([.text("yes")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    func config(_ id: String, _ path: String) -> String {
      "[agent]\nid = \"\(id)\"\nname = \"\(id)\"\ndescription = \"Has its prompt elsewhere.\"\n"
        + "prompt_path = \"\(path)\"\n"
    }
    try rasa.home.write(
      config("deep", "prompts/agents/core/deep.md"), to: ".radium/agents/core/deep.toml")
    try rasa.home.write("Think deeply.", to: ".radium/prompts/agents/core/deep.md")
    let run = try await rasa.run("run", "--agent", "deep", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(Self.systems(provider) == ["Think deeply."])
    try rasa.home.write(config("out", "/etc/hostname"), to: "agents/out.toml")
    for command in ["agents validate out", "run --agent out hello"] {
      let run = try await rasa.shell("\"$RASA\" \(command) 2>&1")
      #expect(run.exitCode == 3)
      #expect(run.text.contains("is outside the agent's folder"), "\(run.text)")
      #expect(!run.text.contains("write it"), "\(run.text)")
    }
  }

  // MARK: Words on the command line

  @Test("an agent's file is run and shown by its path")
  func byPath() async throws {
    let provider = try ScriptedProvider.start([.text("yes")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.agent("loose", "", "Stay loose."), to: "elsewhere/loose.md")
    try rasa.home.write(
      "[agent]\nid = \"tight\"\nname = \"T\"\ndescription = \"A made-up agent.\"\n"
        + "prompt_path = \"p/tight.md\"\n", to: "elsewhere/tight.toml")
    try rasa.home.write("Stay tight.", to: "elsewhere/p/tight.md")
    for file in ["elsewhere/loose.md", "./elsewhere/tight.toml"] {
      let run = try await rasa.run("run", "--agent", file, "hello", "--json")
      #expect(run.exitCode == 0, "\(run.errorText)")
      let id = file.contains("loose") ? "loose" : "tight"
      #expect(try JSON.parse(run.text)["persona"] == .string(id))
      let info = try await rasa.run("agents", "info", file, "--json")
      #expect(try JSON.parse(info.text)["id"] == .string(id))
    }
    #expect(Self.systems(provider) == ["Stay loose.", "Stay tight."])
    let none = try await rasa.run("run", "--agent", "elsewhere/none.md", "hello")
    #expect(none.exitCode == 2 && none.errorText.contains("no file elsewhere/none.md"))
  }

  @Test("a file with another agent's ID shares that agent's budget, and says so")
  func pathWithKnownID() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      Self.agent("dear", "cost_budget: {max_per_execution: 0.0000001}"), to: "agents/dear.md")
    try rasa.home.write(Self.agent("dear"), to: "elsewhere/dear.md")
    let run = try await rasa.run("run", "--agent", "elsewhere/dear.md", "hello")
    #expect(run.exitCode == 6, "\(run.errorText)")
    #expect(
      run.errorText.contains("the agent `dear` is also in agents/dear.md"), "\(run.errorText)")
  }

  @Test("a missing file is reported as missing", arguments: ["nodir/", "nodir/none", "none.md"])
  func missing(word: String) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell("\"$RASA\" agents validate \(word) 2>&1")
    #expect(run.exitCode == 3)
    #expect(run.text.contains("there is no f"), "\(run.text)")
    #expect(!run.text.contains("its name must end"))
  }

  @Test("the budget of an unknown name is an error")
  func noBudget() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("agents", "budget", "nobody-at-all")
    #expect(run.errorText.contains("there is no agent or persona `nobody-at-all`"))
  }

  @Test("other tools' fields are reported once per run, and by validate")
  func unusedFields() async throws {
    let provider = try ScriptedProvider.start([])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(
      Self.agent(
        "other", "tools: Read, Bash\npermission: {edit: deny}\ntemperature: 0.25\nmax_turns: 3"),
      to: "agents/other.md")
    let said = "`permission` and `tools` of the agent `other` mean nothing here yet"
    let run = try await rasa.run("run", "--agent", "other", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.errorText.occurrences(of: said) == 1, "\(run.errorText)")
    #expect(try await rasa.run("agents", "validate", "other").text.occurrences(of: said) == 1)
    #expect(!(try await rasa.run("agents", "list").errorText.contains(said)))
    let request = try #require(provider.requests.first { $0.method == "POST" })
    #expect(request.json["temperature"] == 0.25)
  }

  // MARK: Going back and handing on

  @Test(
    "a looping agent hands over once, after its last round",
    arguments: [("draft contains 'more'", 1), ("input != ''", 3)])
  func loopAndTrigger(when: String, rounds: Int) async throws {
    let provider = try ScriptedProvider.start([.text("fine")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.agent("maker", "", "Make."), to: "agents/maker.md")
    try rasa.home.write(Self.agent("closer", "", "Close."), to: "agents/closer.md")
    try rasa.home.write(
      Self.agent(
        "checker",
        "loop_behavior: {steps: 1, max_iterations: 2, when: \"\(when)\"}\n"
          + "trigger_behavior: closer", "Check."), to: "agents/checker.md")
    try rasa.home.write(
      "name: flow\ndescription: d\nframes: [{name: make, agent: maker}, {name: check, agent: checker}]\n",
      to: "personas/flow.yaml")
    let run = try await rasa.run("run", "-p", "flow", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let round = ["Make.", "Check."]
    #expect(
      Self.systems(provider) == Array(repeating: round, count: rounds).flatMap { $0 } + ["Close."])
  }

  @Test("a frame that is left out on the way again may have the name of its agent")
  func skippedFrame() async throws {
    let provider = try ScriptedProvider.start([.text("fine")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    for id in ["maker", "tester"] {
      try rasa.home.write(Self.agent(id, "", "I am \(id)."), to: "agents/\(id).md")
    }
    try rasa.home.write(
      Self.agent(
        "checker",
        "loop_behavior: {steps: 2, max_iterations: 1, skip: [maker], when: \"input != ''\"}",
        "I am checker."), to: "agents/checker.md")
    try rasa.home.write(
      "name: flow\ndescription: d\nframes:\n"
        + ["maker", "tester", "checker"].map { "  - {name: \($0), agent: \($0)}\n" }.joined(),
      to: "personas/flow.yaml")
    let run = try await rasa.run("run", "-p", "flow", "hello")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(
      Self.systems(provider)
        == ["I am maker.", "I am tester.", "I am checker.", "I am tester.", "I am checker."])
  }

  // MARK: Writing

  @Test("a new agent without a description is not valid yet")
  func placeholder() async throws {
    let rasa = try RasaProgram()
    #expect(try await rasa.run("agents", "create", "fresh-agent").exitCode == 0)
    let run = try await rasa.run("agents", "validate", "fresh-agent")
    #expect(run.exitCode == 3)
    #expect(run.text.contains("still the placeholder of a new agent"), "\(run.text)")
  }

  @Test("several agents are enhanced at once, and one that is not there stops none")
  func enhanceSeveral() async throws {
    let rasa = try RasaProgram()
    for id in ["one", "two", "three"] {
      try rasa.home.write(
        Self.agent("\(id)-reviewer", "model: sonnet", "You review code for bugs."),
        to: "\(id == "three" ? "more" : "agents")/\(id).md")
    }
    let run = try await rasa.run(
      "agents", "enhance", "one-reviewer", "nobody", "two-reviewer", "more/", "--write", "--json")
    #expect(run.exitCode == 3 && run.errorText.contains("nobody"), "\(run.errorText)")
    let reports = try #require(try JSON.parse(run.text).array)
    #expect(
      reports.compactMap { $0["id"].string } == ["one-reviewer", "two-reviewer", "three-reviewer"])
    for report in reports {
      #expect(report["written"] == true)
      let keys = report["proposals"].array?.compactMap { $0["key"].string } ?? []
      #expect(keys.contains("capabilities") && !keys.contains("recommended_models"))
    }
    #expect(try rasa.home.read("agents/two.md")?.contains("capabilities: [") == true)
  }

  // MARK: A collection

  @Test(
    "a collection with broken files is listed, checked and recommended from, with a report of each")
  func collection() async throws {
    let rasa = try RasaProgram()
    let made = MadeUpAgents(count: 600, seed: 7)
    try made.write(to: rasa.home.file("agents"))
    // One in twenty is broken, in one of several ways.
    let ways = [
      "---\nname: [a\n---\n", "---\nname: x\n", "[agent]\nid = \"A B\"\n", "[agent\n",
      "\u{FEFF}\u{FEFF}[agent]\nid = \"x\"\n",
    ]
    var broken: Set<String> = []
    for index in stride(from: 0, to: made.count, by: 20) {
      guard let file = made.files(index).first else { continue }
      let isConfig = file.path.hasSuffix(".toml")
      let text = ways.filter { $0.contains("[agent") == isConfig }
      try rasa.home.write(text[index / 20 % text.count], to: "agents/\(file.path)")
      if isConfig { broken.insert("agents/\(file.path)") }
    }
    let list = try await rasa.run("agents", "list", "--json")
    #expect(list.exitCode == 0)
    let ids = Set((try JSON.parse(list.text).array ?? []).compactMap { $0["id"].string })
    for index in 0..<made.count where index % 20 != 0 { #expect(ids.contains(made.id(index))) }
    let check = try await rasa.run("agents", "validate", "--json")
    #expect(check.exitCode == 3)
    let failed = (try JSON.parse(check.text).array ?? []).filter { $0["valid"] == false }
    let files = Set(failed.compactMap { $0["file"].string })
    #expect(broken.isSubset(of: files))
    #expect(failed.allSatisfy { $0["failures"].array?.isEmpty == false })
    let fit = try await rasa.run("agents", "recommend", "Review this pull request", "--json")
    #expect(fit.exitCode == 0, "\(fit.errorText)")
    #expect(fit.errorText.split(separator: "\n").count < 20, "\(fit.errorText.prefix(2_000))")
  }
}

extension String {
  /// How often something stands in it.
  fileprivate func occurrences(of part: String) -> Int {
    var count = 0
    var rest = self[...]
    while let range = rest.firstRange(of: part) {
      count += 1
      rest = rest[range.upperBound...]
    }
    return count
  }
}
