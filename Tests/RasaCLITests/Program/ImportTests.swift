import RasaCore
import RasaDocuments
import RasaSystem
import RasaTestKit
import Testing

@Suite("rasa import, and files of other tools")
struct ImportTests {
  /// A person's folders, and a project of another tool's beside them.
  private struct Project {
    var rasa: RasaProgram
    var home: ScratchDirectory { rasa.home }

    init(_ files: [String: String] = [:], provider: ScriptedProvider? = nil) throws {
      rasa = try RasaProgram(provider)
      rasa.environment["RASA_HOME"] = rasa.home.file("own")
      rasa.environment["HOME"] = rasa.home.file("person")
      try rasa.home.write("", to: "project/.keep")
      for (path, text) in files { try rasa.home.write(text, to: path) }
    }

    func run(_ arguments: String...) async throws -> ProgramRun {
      try await ProgramRun.run(
        RasaProgram.binary, arguments, environment: rasa.environment, folder: home.file("project"))
    }

    func json(_ arguments: String...) async throws -> Value {
      let run = try await ProgramRun.run(
        RasaProgram.binary, arguments + ["--json"], environment: rasa.environment,
        folder: home.file("project"))
      return try JSON.parse(run.output)
    }

    func read(_ path: String) throws -> String? { try home.read("project/\(path)") }
  }

  private static let claude =
    "---\nname: tide-watcher\ndescription: Watches the tide\npermissionMode: plan\n---\nYou watch {{tides}}.\n"
  private static let gemini =
    "description = \"Says how high\"\nprompt = \"How high is {{args}}?\"\n"

  @Test(
    "a dry run writes nothing, an import writes what it announced, and a second one changes nothing"
  )
  func whole() async throws {
    let project = try Project([
      "project/.claude/agents/sea/tide-watcher.md": Self.claude,
      "project/.gemini/commands/how-high.toml": Self.gemini,
      "project/notes.md": "Not a prompt.\n",
    ])
    let rehearsed = try await project.run("import", ".", "--dry-run")
    #expect(rehearsed.exitCode == 0, "\(rehearsed.errorText)")
    #expect(rehearsed.text.contains("would write agents/sea/tide-watcher.md"), "\(rehearsed.text)")
    #expect(try project.read("agents/sea/tide-watcher.md") == nil)
    let run = try await project.run("import", ".")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text.contains("agents: 2 written") && !run.text.contains("notes"), "\(run.text)")
    #expect(
      run.text.contains(
        "rasa does not use what some Claude Code agents say: `permissionMode` (1)"))
    #expect(
      try project.read("agents/sea/tide-watcher.md") == """
        ---
        # From .claude/agents/sea/tide-watcher.md (Claude Code agent).
        # Not used by rasa: permissionMode
        agent_id: tide-watcher
        name: Tide Watcher
        description: Watches the tide
        ---

        You watch \\{{tides}}.

        """)
    let valid = try await project.run("agents", "validate", "agents/")
    #expect(valid.exitCode == 0, "\(valid.text)")
    let again = try await project.run("import", ".")
    #expect(again.exitCode == 0 && again.text.contains("0 written, 2 as before"), "\(again.text)")
    // The copy goes before the tool's own file, which is told of.
    let listed = try await project.json("agents", "list", "--shadowed")
    #expect(
      listed.array?.map { $0["file"] } == [.string(".claude/agents/sea/tide-watcher.md")])
  }

  @Test("existing files are replaced only with --force, and the rest is written")
  func existing() async throws {
    let project = try Project([
      "project/.claude/agents/tide-watcher.md": Self.claude,
      "project/.gemini/commands/how-high.toml": Self.gemini,
      "project/agents/tide-watcher.md": "---\nname: tide-watcher\n---\nMine.\n",
    ])
    let run = try await project.run("import", ".")
    #expect(
      run.exitCode == 2 && run.errorText.contains("`--force` replaces them"), "\(run.errorText)")
    #expect(run.text.contains("exists agents/tide-watcher.md"))
    #expect(try project.read("agents/tide-watcher.md")?.contains("Mine") == true)
    #expect(try project.read("agents/how-high.md") != nil)
    #expect(try await project.run("import", ".", "--force").exitCode == 0)
    #expect(try project.read("agents/tide-watcher.md")?.contains("You watch") == true)
  }

  @Test("broken files are reported with locations, and programs get all details")
  func broken() async throws {
    let project = try Project([
      "set/good.md": "You do it.\n", "set/bad.yaml": "title: x\ndescription: y\nprompt: [\n",
      "set/ci.yml": "on: push\njobs: {}\n",
    ])
    let document = try await project.json("import", project.home.file("set"), "--to", "made")
    #expect(document["to"] == "made" && document["dry_run"] == false)
    #expect(document["agents"].array?.count == 1)
    let agent = document["agents"].array?.first ?? .null
    #expect(agent["id"] == "good" && agent["kind"] == "prompt" && agent["status"] == "written")
    #expect(agent["file"] == "made/good.md" && agent["unused"] == [])
    #expect(document["failures"].array?.first?["message"].string != nil)
    #expect(document["others"].array?.first?["what"] == "workflow")
    let run = try await project.run("import", project.home.file("set"), "--to", "made")
    #expect(run.exitCode == 3 && run.text.contains("set/bad.yaml:4:"), "\(run.text)")
    #expect(run.text.contains("1 YAML file in \(project.home.file("set")) is a GitHub workflow"))
    let nothing = try await project.run("import", project.home.file("set/ci.yml"))
    #expect(
      nothing.exitCode == 3 && nothing.errorText.contains("no agent of another tool in"),
      "\(nothing.errorText)")
    #expect(try await project.run("import", "nowhere").exitCode == 2)
    #expect(try await project.run("import", ".", "--from", "clod").exitCode == 2)
  }

  @Test("nothing is written through a link out of the project")
  func plantedLink() async throws {
    let project = try Project(["project/.claude/agents/tide-watcher.md": Self.claude])
    let made = try await project.rasa.shell("mkdir elsewhere; ln -s ../elsewhere project/agents")
    #expect(made.exitCode == 0)
    let run = try await project.run("import", ".")
    #expect(run.exitCode == 3, "\(run.text)")
    #expect(try project.home.read("elsewhere/tide-watcher.md") == nil)
  }

  @Test("an agent of another tool is listed with its kind, explained, and runs as it is")
  func running() async throws {
    let provider = try ScriptedProvider.start([.text("Two metres.")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let project = try Project(
      [
        "project/agents/how-high.toml": Self.gemini,
        "project/.claude/agents/tide-watcher.md": Self.claude,
      ], provider: provider)
    let listed = try await project.run("agents", "list")
    #expect(listed.text.contains("Gemini CLI command"), "\(listed.text)")
    #expect(
      listed.errorText.contains(
        "1 Claude Code agent in .claude/agents: rasa does not use `permissionMode` (1)"),
      "\(listed.errorText)")
    let info = try await project.json("agents", "info", "tide-watcher")
    #expect(info["kind"] == "claude" && info["unused"] == ["permissionMode"])
    let page = try await project.run("agents", "info", "tide-watcher")
    #expect(page.text.contains("Claude Code agent") && page.text.contains("permissionMode"))
    let run = try await project.run("run", "--agent", "how-high", "the tide at noon")
    #expect(run.exitCode == 0 && run.text == "Two metres.\n", "\(run.errorText)")
    let sent = provider.requests.last.map { String(decoding: $0.body, as: UTF8.self) } ?? ""
    #expect(sent.contains("How high is the tide at noon?"), "\(sent)")
    let other = try await project.run("run", "--agent", "tide-watcher", "now?", "--dry-run")
    #expect(other.exitCode == 0, "\(other.errorText)")
    #expect(
      other.errorText.contains("nothing here yet: it answers by its prompt alone"))
    let enhanced = try await project.run("agents", "enhance", "tide-watcher", "--write")
    #expect(enhanced.exitCode == 2 && enhanced.errorText.contains("rasa import"))
  }

  @Test("a run of another tool's agent continues with the file that it started with")
  func pinned() async throws {
    let provider = try ScriptedProvider.start(
      [.text("One."), .text("Two.")], models: ["gpt-4o-mini"])
    defer { provider.stop() }
    let project = try Project(
      ["project/agents/how-high.toml": Self.gemini], provider: provider)
    let run = try await project.run("run", "--agent", "how-high", "noon", "--record", "r.json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    try project.home.write("prompt = \"Other {{args}}\"\n", to: "project/agents/how-high.toml")
    let tested = try await project.run("test", "r.json", "--pinned")
    #expect(tested.exitCode == 0, "\(tested.text)\(tested.errorText)")
  }
}

@Suite("rasa agents, personas and operators copy")
struct CopyTests {
  private func program() throws -> RasaProgram {
    var rasa = try RasaProgram()
    rasa.environment["RASA_HOME"] = rasa.home.file("own")
    return rasa
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var kind: String
    var name: String
    var file: String
    var new: String
    var newFile: String
    var testDescription: String { kind }
  }

  @Test(
    "a shipped one is copied whole, checks, and can be called otherwise",
    arguments: [
      Case(
        kind: "agents", name: "code-reviewer", file: "agents/engineering/code-reviewer.md",
        new: "my-reviewer", newFile: "agents/engineering/my-reviewer.md"),
      Case(
        kind: "personas", name: "strategic_stock_analyst",
        file: "personas/strategic_stock_analyst.yaml",
        new: "my_analyst", newFile: "personas/my_analyst.yaml"),
      Case(
        kind: "operators", name: "critic_agent", file: "operators/critic_agent.yaml",
        new: "my_critic", newFile: "operators/my_critic.yaml"),
    ])
  func shipped(_ example: Case) async throws {
    let rasa = try program()
    let printed = try await rasa.run(example.kind, "copy", example.name, "--print")
    #expect(printed.exitCode == 0, "\(printed.errorText)")
    let run = try await rasa.run(example.kind, "copy", example.name)
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(run.text.contains("wrote \(example.file)"), "\(run.text)")
    #expect(run.text.contains("replaces the shipped"), "\(run.text)")
    #expect(run.text.contains("rasa trust add"), "\(run.text)")
    #expect(try rasa.home.read(example.file) == printed.text)
    // Again it is there already, the same.
    let again = try await rasa.run(example.kind, "copy", example.name)
    #expect(again.exitCode == 0 && !again.text.contains("wrote"), "\(again.text)")
    #expect(again.text.contains("already exists, with the same content"))
    let other = example.file.replacing("\(example.kind)/", with: "made/")
    try rasa.home.write("changed: 1\n", to: other)
    let refused = try await rasa.run(example.kind, "copy", example.name, "--to", "made")
    #expect(refused.exitCode == 2 && refused.errorText.contains("--force"), "\(refused.errorText)")
    #expect(try rasa.home.read(other) == "changed: 1\n")
    let forced = try await rasa.run(example.kind, "copy", example.name, "--to", "made", "--force")
    #expect(forced.exitCode == 0, "\(forced.errorText)")
    let replaced = try rasa.home.read(other)
    #expect(replaced == printed.text)
    try FileSystem.removeFile(rasa.home.file(example.file))
    let named = try await rasa.run(example.kind, "copy", example.name, "--name", example.new)
    #expect(named.exitCode == 0, "\(named.errorText)")
    let text = try #require(try rasa.home.read(example.newFile))
    #expect(text.contains("name: \(example.new)\n"), "\(text)")
    let valid = try await rasa.run(example.kind, "validate", example.new)
    #expect(valid.exitCode == 0, "\(valid.text)\(valid.errorText)")
    let own = try await rasa.run(example.kind, "copy", example.name, "--user")
    #expect(
      own.exitCode == 0 && own.text.contains(rasa.home.file("own/\(example.kind)")), "\(own.text)")
  }

  @Test("a TOML agent is copied with its prompt and inserted files")
  func config() async throws {
    let rasa = try program()
    try rasa.home.write(
      "[agent]\nid = \"two\"\nname = \"Two\"\ndescription = \"Does two things at once\"\nprompt_path = \"prompts/two.md\"\n",
      to: "own/agents/set/two.toml")
    try rasa.home.write("Do {{file:style.md}} it.\n", to: "own/agents/set/prompts/two.md")
    try rasa.home.write("well\n", to: "own/agents/set/prompts/style.md")
    let run = try await rasa.run("agents", "copy", "two", "--json")
    #expect(run.exitCode == 0, "\(run.errorText)")
    let files = try JSON.parse(run.output)["files"].array?.compactMap { $0["file"].string }
    #expect(
      files == ["agents/set/two.toml", "agents/set/prompts/two.md", "agents/set/prompts/style.md"])
    let named = try await rasa.run("agents", "copy", "two", "--name", "three")
    #expect(named.exitCode == 0, "\(named.errorText)")
    let text = try rasa.home.read("agents/set/three.toml") ?? ""
    #expect(
      text.contains("id = \"three\"") && text.contains("prompt_path = \"three.md\""), "\(text)")
    #expect(try await rasa.run("agents", "validate", "three").exitCode == 0)
    let unknown = try await rasa.run("agents", "copy", "tow")
    #expect(unknown.exitCode == 3 && unknown.errorText.contains("did you mean `two`?"))
    #expect(try await rasa.run("agents", "copy", "two", "--name", "No Id").exitCode == 2)
  }

  @Test("another tool's agent is copied in our own form")
  func foreign() async throws {
    let rasa = try program()
    try rasa.home.write("prompt = \"Do {{args}}\"\n", to: "agents/gem.toml")
    let run = try await rasa.run("agents", "copy", "gem", "--to", "made")
    #expect(run.exitCode == 0, "\(run.errorText)")
    #expect(try rasa.home.read("made/gem.md")?.contains("Do {{input}}") == true)
  }
}
