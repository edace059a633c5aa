import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@Suite("rasa agents validate, create, enhance")
struct AgentAuthoringTests {
  private static let reviewer = """
    ---
    name: bug-reviewer
    # by hand
    description: Reviews pull requests for bugs.
    odd: {a: 1}
    ---
    You review code.

    """

  private func validated(_ rasa: RasaProgram, _ words: String...) async throws -> [Value] {
    let run = try await rasa.shell(
      "\"$RASA\" agents validate --json \(words.joined(separator: " ")) || true")
    return try #require(try JSON.parse(run.output).array)
  }

  // MARK: Validate

  @Test("an agent without any description is recommended by its ID")
  func subject() async throws {
    let rasa = try RasaProgram()
    let made = try await rasa.run(
      "agents", "create", "tide-tables-writer", "--description", "Sets out when the sea comes.")
    #expect(made.exitCode == 0, "\(made.errorText)")
    let found = try await rasa.run("agents", "recommend", "tide tables for May", "--json")
    #expect(found.text.contains("tide-tables-writer"), "\(found.text)")
  }

  @Test("all broken files are reported at once with locations, and the rest is valid")
  func everything() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.reviewer, to: "agents/good/bug-reviewer.md")
    try rasa.home.write("[agent]\nid = \"a\nname = 1\n", to: "agents/broken.toml")
    try rasa.home.write(
      "[agent]\nid = \"Two\"\nname = \"\"\nengine = \"gemni\"\nprompt_path = \"two.md\"\n",
      to: "agents/two.toml")
    try rasa.home.write("Words.", to: "agents/two.md")
    let run = try await rasa.run("agents", "validate")
    #expect(run.exitCode == 3)
    for line in [
      "broken  agents/broken.toml", "agents/broken.toml:2:", "broken  agents/two.toml",
      "agents/two.toml:2:6: `id` must be lowercase words", "id = \"Two\"", "     ^",
      "→ did you mean `two`?", "agents/two.toml:3:8: the agent's `name` is empty",
      "agents/two.toml:4:10: there is no engine `gemni`",
      "ok      agents/good/bug-reviewer.md  (bug-reviewer)",
      "warning: agents/good/bug-reviewer.md:5:1: `odd` is unknown", " broken; ",
    ] {
      #expect(run.text.contains(line), "\(line)\n\(run.text)")
    }
    #expect(run.errorText.contains("are invalid"))
  }

  @Test("a program gets places as numbers")
  func json() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("[agent]\nid = \"\"\nname = \"N\"\nprompt_path = \"x\"", to: "a/x.toml")
    let file = try #require(try await validated(rasa, "a/x.toml").first)
    #expect(file["file"] == "a/x.toml" && file["valid"] == false && file["id"].isNull)
    let failure = try #require(file["failures"].array?.first)
    let place = failure["where"]
    #expect(place["line"] == 2 && place["column"] == 6 && place["file"] == "a/x.toml")
    #expect(place["excerpt"] == "id = \"\"" && failure["suggestion"].string?.isEmpty == false)
  }

  @Test("every agent that ships is valid, strictly")
  func shipped() async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run("agents", "validate", "--strict")
    #expect(run.exitCode == 0, "\(run.text)")
    #expect(run.text.contains("ok      shipped:agents/"))
  }

  @Test("strict takes warnings for errors")
  func strict() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.reviewer, to: "agents/bug-reviewer.md")
    #expect(try await rasa.run("agents", "validate", "bug-reviewer").exitCode == 0)
    let run = try await rasa.run("agents", "validate", "bug-reviewer", "--strict")
    #expect(run.exitCode == 3)
    #expect(run.text.contains("broken  agents/bug-reviewer.md"))
  }

  @Test("an engine that the configuration adds is known")
  func configuredEngine() async throws {
    let rasa = try RasaProgram()
    let agent = "---\nname: a\nengine: house\nmodel: big\n---\nWords.\n"
    try rasa.home.write(agent, to: "drafts/a.md")
    #expect(try await rasa.run("agents", "validate", "drafts/a.md").exitCode == 3)
    try rasa.home.write(
      "providers: {house: {base_url: \"http://127.0.0.1:9/v1\"}}", to: "config.yaml")
    #expect(try await rasa.run("agents", "validate", "drafts/a.md").exitCode == 0)
  }

  @Test("agents that trigger each other without end are an error of each")
  func cycle() async throws {
    let rasa = try RasaProgram()
    for (one, other) in [("a", "b"), ("b", "a")] {
      try rasa.home.write(
        "---\nname: \(one)\ntrigger_behavior: \(other)\n---\nWords.\n", to: "drafts/\(one).md")
    }
    let run = try await rasa.run("agents", "validate", "drafts/")
    #expect(run.exitCode == 3)
    #expect(run.text.contains("a -> b -> a") && run.text.contains("b -> a -> b"))
    let one = try await rasa.run("agents", "validate", "drafts/a.md")
    #expect(one.text.contains("there is no such agent"))
  }

  @Test(
    "a file that is not an agent is reported",
    arguments: [
      ("nobody", "there is no agent `nobody`"), ("code-reviwer", "did you mean `code-reviewer`?"),
      ("gone.md", "there is no file gone.md"), ("./x.txt", "its name must end in .toml"),
      ("shipped:agents/gone.md", "there is no file"), ("blank.md", "no front matter"),
      ("skills/x/SKILL.md", "comes with tools and is not an agent"),
      ("ci.yml", "is a GitHub workflow, not an agent"),
    ])
  func noAgent(word: String, message: String) async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(" \n", to: "blank.md")
    try rasa.home.write("---\nname: x\n---\nDo.\n", to: "skills/x/SKILL.md")
    try rasa.home.write("on: push\njobs: {}\n", to: "ci.yml")
    let run = try await rasa.run("agents", "validate", word)
    #expect(run.exitCode == 3)
    #expect((run.text + run.errorText).contains(message), "\(run.text) \(run.errorText)")
  }

  @Test("Markdown with only a prompt is valid, and the assumption is reported")
  func plainPrompt() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("You count the boats in the harbour.\n", to: "boat-counter.md")
    let run = try await rasa.run("agents", "validate", "boat-counter.md")
    #expect(run.exitCode == 0, "\(run.text)")
    #expect(run.text.contains("(boat-counter)") && run.text.contains("no front matter"))
  }

  // MARK: Create

  @Test("created agents are valid, even strictly, in both forms", arguments: ["markdown", "toml"])
  func create(form: String) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.run(
      "agents", "create", "api-designer", "--form", form, "--category", "core/web",
      "--description", "Designs REST APIs: \"simple\" ones, that last.", "--model",
      "gemini:gemini-2.5-pro", "--profile", "expert", "--capabilities", "api-design, review")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let file = "agents/core/web/api-designer.\(form == "toml" ? "toml" : "md")"
    #expect(run.text.contains("wrote \(file)"))
    let check = try await rasa.run("agents", "validate", "api-designer", "--strict")
    #expect(check.exitCode == 0, "\(check.text)")
    #expect(check.text.contains(file))
  }

  @Test("nothing is written over, unless it is forced")
  func createTwice() async throws {
    let rasa = try RasaProgram()
    #expect(try await rasa.run("agents", "create", "mine").exitCode == 0)
    for form in ["markdown", "toml"] {
      let again = try await rasa.run("agents", "create", "mine", "--form", form)
      #expect(again.exitCode == 2 && again.errorText.contains("--force"))
    }
    let forced = try await rasa.run("agents", "create", "mine", "--name", "M", "--force", "--json")
    #expect(forced.exitCode == 0)
    #expect(try JSON.parse(forced.output)["files"] == ["agents/mine.md"])
    #expect(try rasa.home.read("agents/mine.md")?.contains("display_name: M\n") == true)
  }

  @Test(
    "ids and categories are checked before anything is written",
    arguments: [["My_Agent"], ["../x"], ["x", "--category", "../y"], ["x", "--category", "a//b"]])
  func createOddly(arguments: [String]) async throws {
    let rasa = try RasaProgram()
    let run = try await rasa.shell(
      "\"$RASA\" agents create \(arguments.joined(separator: " ")); echo $?; ls agents 2>&1")
    #expect(run.text.contains("2\n") && run.text.contains("No such file"))
  }

  @Test("at a terminal the description is asked for")
  func createAtTerminal() async throws {
    let rasa = try RasaProgram()
    let terminal = try rasa.terminal("agents", "create", "mine")
    try await terminal.expect("What does it do")
    terminal.send("Writes poems about rivers and lakes.\r")
    #expect(try await terminal.waitForExit() == 0)
    let text = try rasa.home.read("agents/mine.md")
    #expect(text?.contains("description: Writes poems about rivers and lakes.\n") == true)
  }

  // MARK: Enhance

  @Test("the difference is shown, and nothing is written without consent")
  func enhance() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.reviewer, to: "agents/bug-reviewer.md")
    let shown = try await rasa.run("agents", "enhance", "bug-reviewer")
    #expect(shown.exitCode == 0)
    #expect(shown.text.contains("+ capabilities: [debugging, code-review]"))
    #expect(shown.text.contains("nothing was written"))
    #expect(try rasa.home.read("agents/bug-reviewer.md") == Self.reviewer)
    let written = try await rasa.run("agents", "enhance", "bug-reviewer", "--write")
    #expect(written.text.contains("wrote agents/bug-reviewer.md"))
    let text = try #require(try rasa.home.read("agents/bug-reviewer.md"))
    #expect(text.hasPrefix("---\nname: bug-reviewer\n# by hand\n"))
    #expect(text.contains("odd: {a: 1}\ndisplay_name: Bug Reviewer\n"))
    #expect(text.hasSuffix("---\nYou review code.\n"))
    let again = try await rasa.run("agents", "enhance", "agents/bug-reviewer.md")
    #expect(again.text == "bug-reviewer has no missing fields\n")
  }

  @Test("at a terminal a yes writes it, and anything else does not")
  func enhanceAtTerminal() async throws {
    let rasa = try RasaProgram()
    for (answer, isWritten) in [("", false), ("y", true)] {
      try rasa.home.write(Self.reviewer, to: "agents/bug-reviewer.md")
      let terminal = try rasa.terminal("agents", "enhance", "bug-reviewer")
      try await terminal.expect("Write it? [y/N]")
      terminal.send(answer + "\r")
      #expect(try await terminal.waitForExit() == 0)
      let text = try rasa.home.read("agents/bug-reviewer.md")
      #expect((text != Self.reviewer) == isWritten)
    }
  }

  @Test("a file behind a link is written in place, and keeps its permissions")
  func enhanceLinked() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write(Self.reviewer, to: "shared/reviewer.md")
    let run = try await rasa.shell(
      """
      chmod 640 shared/reviewer.md && mkdir agents && ln -s ../shared/reviewer.md agents/r.md
      "$RASA" agents enhance bug-reviewer --write >&2
      stat -c '%F %a' agents/r.md shared/reviewer.md
      """)
    #expect(run.text == "symbolic link 777\nregular file 640\n", "\(run.errorText)")
    #expect(try rasa.home.read("shared/reviewer.md")?.contains("capabilities:") == true)
  }

  @Test("a TOML agent keeps its file, and its prompt gets a front matter of it")
  func enhanceConfig() async throws {
    let rasa = try RasaProgram()
    let toml = """
      [agent]
      id = "plan-agent"
      name = "Plan Agent"
      description = "Breaks projects down into tasks."
      prompt_path = "plan.md"

      """
    try rasa.home.write(toml, to: "agents/plan.toml")
    try rasa.home.write("Plan it.\n", to: "agents/plan.md")
    let run = try await rasa.run(
      "agents", "enhance", "plan-agent", "--write", "--model", "openai:gpt-4o", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let report = try JSON.parse(run.output)
    #expect(report["written"] == true && report["file"] == "agents/plan.md")
    #expect(try rasa.home.read("agents/plan.toml") == toml)
    let prompt = try #require(try rasa.home.read("agents/plan.md"))
    #expect(
      prompt.hasPrefix("---\nagent_id: plan-agent\nname: Plan Agent\ncapabilities: [planning"))
    #expect(prompt.contains("recommended_models:\n  primary: openai:gpt-4o\n"))
    #expect(prompt.hasSuffix("---\nPlan it.\n"))
    #expect(try await rasa.run("agents", "validate", "plan-agent", "--strict").exitCode == 0)
  }

  @Test("a model is called on request, at a reported price, and its answer is checked")
  func enhanceWithModel() async throws {
    let answer = """
      {"display_name": "The Reviewer", "capabilities": ["Code Review", "bug hunting"],
       "performance_profile": "thinking", "tags": ["quality"],
       "example_queries": ["Is this right?\\n\\u001b[2J"]}
      """
    let provider = try ScriptedProvider.start([
      Script.text("{\"display_name\": 3}").once(), .text(answer),
    ])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.reviewer, to: "agents/bug-reviewer.md")
    let run = try await rasa.run("agents", "enhance", "bug-reviewer", "--with-model", "--write")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.errorText.contains("asking openai:gpt-4o-mini, $"))
    let text = try #require(try rasa.home.read("agents/bug-reviewer.md"))
    #expect(
      text.contains("capabilities: [code-review, bug-hunting]\nperformance_profile: thinking"))
    #expect(text.contains("display_name: The Reviewer\n") && text.contains("tags: [quality]\n"))
    #expect(text.contains("  - Is this right?\n") && !text.contains("\u{1B}"))
    #expect(provider.requests.count == 2)
    #expect(provider.requests[0].schemaName == "describe_agent")
    // It stands in the books as any other run.
    #expect(try await rasa.run("costs").text.contains("agent_describer"))
  }

  @Test("an exhausted limit stops it before any call")
  func enhanceWithoutMoney() async throws {
    let provider = try ScriptedProvider.start([.text("{}")])
    defer { provider.stop() }
    let rasa = try RasaProgram(provider)
    try rasa.home.write(Self.reviewer, to: "agents/bug-reviewer.md")
    let run = try await rasa.run(
      "agents", "enhance", "bug-reviewer", "--with-model", "--max-cost", "0.0000001", "--write")
    #expect(run.exitCode == 6, "\(run.errorText)")
    #expect(provider.requests.isEmpty)
    #expect(try rasa.home.read("agents/bug-reviewer.md") == Self.reviewer)
  }

  @Test("a broken file is refused with its error, and a missing prompt too")
  func enhanceBroken() async throws {
    let rasa = try RasaProgram()
    try rasa.home.write("---\nname: a\nWords.\n", to: "agents/a.md")
    let broken = try await rasa.run("agents", "enhance", "agents/a.md", "--write")
    #expect(broken.exitCode == 3 && broken.errorText.contains("agents/a.md:1:1"))
    try rasa.home.write(
      "[agent]\nid = \"b\"\nname = \"B\"\nprompt_path = \"gone.md\"\n", to: "agents/b.toml")
    let missing = try await rasa.run("agents", "enhance", "b", "--write")
    #expect(missing.exitCode == 3 && missing.errorText.contains("`gone.md` does not exist"))
  }
}
