import RasaCore
import RasaPersona
import Testing

/// Files of other tools are read as agents.
@Suite("Files of other tools")
struct OtherToolsTests {
  struct Example: Sendable, CustomTestStringConvertible {
    var path: String
    var text: String
    var kind: AgentKind
    var id: String
    var name: String
    var description: String
    /// Text that the prompt contains, and text that it does not contain.
    var prompt: String
    var lacks: [String] = []
    var unused: [String] = []
    var model: String?
    var engine: String?
    var testDescription: String { path }
  }

  static let examples: [Example] = [
    Example(
      path: "p/.claude/agents/core/api-guide.md",
      text: """
        ---
        name: api-guide
        description: Use this agent when: an API is designed. It answers with a plan.
        tools: Read, Grep, Bash(git log:*)
        model: sonnet
        color: purple
        permissionMode: plan
        hooks: {Stop: [{hooks: [{type: command, command: make}]}]}
        ---
        You guide. `{{ user.name }}` is Vue's, and {{file:secrets.md}} no file of ours.
        """,
      kind: .claude, id: "api-guide", name: "API Guide",
      description: "Use this agent when: an API is designed. It answers with a plan.",
      prompt: #"`\{{ user.name }}` is Vue's, and \{{file:secrets.md}} no"#,
      unused: ["permissionMode", "hooks"], model: "sonnet"),
    Example(
      path: ".claude/agents/Review Helper.md",
      text: "You review what you are given, and say why.\n",
      kind: .claude, id: "review-helper", name: "Review Helper",
      description: "You review what you are given, and say why.", prompt: "You review"),
    Example(
      path: ".claude/commands/git/fix-issue.md",
      text: """
        ---
        description: Fixes an issue
        argument-hint: "[number]"
        allowed-tools: Bash(gh issue view:*), Edit
        ---
        Look at !`gh issue view` and fix issue $ARGUMENTS as $1 says. Part: $ARGUMENTS[0].
        """,
      kind: .claudeCommand, id: "fix-issue", name: "Fix Issue", description: "Fixes an issue",
      prompt: "fix issue {{input}} as $1 says. Part: $ARGUMENTS[0].",
      unused: ["argument-hint", "$ARGUMENTS[n]", "$1, $2, …", "!`…`"]),
    Example(
      path: ".claude/commands/security.md", text: "Check this change for holes: ${ARGUMENTS}\n",
      kind: .claudeCommand, id: "security", name: "Security",
      description: "Check this change for holes: …", prompt: "holes: {{input}}"),
    Example(
      path: ".github/agents/terraform.agent.md",
      text: """
        ---
        name: 'Terraform Expert'
        description: 'Writes modules'
        tools: ['read', 'search']
        target: vscode
        mcp-servers: {registry: {type: local}}
        model: Claude Sonnet 4.5
        handoffs:
          - {label: Plan, agent: planner}
        ---
        # Terraform
        You write modules.
        """,
      kind: .copilot, id: "terraform", name: "Terraform Expert", description: "Writes modules",
      prompt: "# Terraform", unused: ["target", "mcp-servers", "handoffs"],
      model: "claude-sonnet-4.5"),
    Example(
      path: "agents/planner.chatmode.md",
      text:
        "---\ndescription: Plans work\nmodel: ['Auto', 'GPT-4.1 (copilot)', gpt-4o]\n---\nYou plan.\n",
      kind: .copilotChatMode, id: "planner", name: "Planner", description: "Plans work",
      prompt: "You plan.", model: "gpt-4.1"),
    Example(
      path: ".github/prompts/explain.prompt.md",
      text: """
        ---
        mode: agent
        description: Explains a function
        ---
        Explain ${input:function:Which one?} and again ${input:function}, near ${selection}.
        """,
      kind: .copilotPrompt, id: "explain", name: "Explain", description: "Explains a function",
      prompt: "Explain {{input}} and again {{input}}, near ${selection}.",
      unused: ["mode", "${selection}"]),
    Example(
      path: ".github/prompts/port.prompt.md",
      text: "Port from ${input:from} to ${input:to:the new language}.\n",
      kind: .copilotPrompt, id: "port", name: "Port",
      description: "Port from {{from}} to {{to}}.", prompt: "Port from {{from}} to {{to}}."),
    Example(
      path: "home/.config/opencode/agent/reviewer.md",
      text: """
        ---
        description: Reviews changes
        mode: subagent
        model: anthropic/claude-sonnet-4-20250514
        permission: {edit: deny}
        tools: {write: false, read: true}
        ---
        You review.
        """,
      kind: .opencode, id: "reviewer", name: "Reviewer", description: "Reviews changes",
      prompt: "You review.", unused: ["mode", "permission"], model: "claude-sonnet-4-20250514",
      engine: "anthropic"),
    Example(
      path: ".opencode/command/test.md",
      text: "---\ndescription: Tests\nagent: build\n---\nTest $ARGUMENTS with @package.json\n",
      kind: .opencodeCommand, id: "test", name: "Test", description: "Tests",
      prompt: "Test {{input}} with @package.json", unused: ["agent"]),
    Example(
      path: ".gemini/commands/git/commit.toml",
      text: """
        description = "Writes a commit message"
        prompt = '''
        Write a message for {{args}}, for {{other}}.
        !{git diff --staged}
        '''
        """,
      kind: .gemini, id: "commit", name: "Commit", description: "Writes a commit message",
      prompt: #"for {{input}}, for \{{other}}."#, unused: ["!{…}"]),
    Example(
      path: "patterns/extract_wisdom/system.md",
      text: """
        # IDENTITY and PURPOSE

        You extract what is surprising from a text. You write it down.

        # INPUT

        {{input}} in {{lang_code}}, {{plugin:datetime:now}}
        """,
      kind: .fabric, id: "extract-wisdom", name: "Extract Wisdom",
      description: "You extract what is surprising from a text. You write it down.",
      prompt: #"{{input}} in {{lang_code}}, \{{plugin:datetime:now}}"#,
      unused: ["{{plugin:…}}"]),
    Example(
      path: "agents/summarise.yaml",
      text: """
        version: 1.0.0
        title: Summariser
        description: Sums up an address
        instructions: |
          You sum up {{ url }} in {{ words }} words, {% if short %}shortly{% endif %}.
        prompt: Begin with {{ url | upper }}.
        parameters:
          - {key: url, input_type: string, requirement: required, description: which}
          - {key: words, input_type: number, requirement: optional, default: "100"}
        activities: ["message: hello", Sum up the news]
        extensions: [{type: builtin, name: developer}]
        settings: {goose_provider: google, goose_model: gemini-2.0-flash, extra: 1}
        response: {json_schema: {type: object}}
        """,
      kind: .goose, id: "summarise", name: "Summariser", description: "Sums up an address",
      prompt: #"You sum up {{input}} in {{words}} words, {% if short %}"#,
      lacks: ["{{ url }}"],
      unused: ["{% … %}", "settings.extra", "extensions", "response"], model: "gemini-2.0-flash",
      engine: "google"),
    Example(
      path: "recipes/news/recipe.json",
      text:
        #"{"name":"x","recipe":{"title":"News Desk","description":"Sorts \ud83d\ude42 news","prompt":"Sort it."}}"#,
      kind: .goose, id: "news-desk", name: "News Desk", description: "Sorts 🙂 news",
      prompt: "Sort it."),
    Example(
      path: "teams/writers.yaml",
      text: """
        version: "2"
        models:
          big: {provider: openai, model: gpt-4o, max_tokens: 9000, temperature: 0.2}
        agents:
          helper: {model: openai/gpt-4o-mini, description: Helps, instruction: You help.}
          root:
            model: big
            description: Leads writers
            instruction: |
              You lead {{them}}.
            sub_agents: [helper]
            toolsets: [{type: think}]
        """,
      kind: .docker, id: "writers", name: "Writers", description: "Leads writers",
      prompt: #"You lead \{{them}}."#,
      unused: [
        "models.max_tokens", "sub_agents", "toolsets", "agents.helper",
      ], model: "gpt-4o", engine: "openai"),
    Example(
      path: "agents/haiku-writer.md",
      text: "# Haiku\n\nWrite a haiku about {{ task }} for {{name}}.\n",
      kind: .prompt, id: "haiku-writer", name: "Haiku Writer",
      description: "Write a haiku about {{task}} for {{name}}.",
      prompt: #"about {{task}} for \{{name}}."#),
  ]

  private func load(_ path: String, _ text: String) -> Reading<AgentLoader.LoadedAgent> {
    let document = SourceDocument(bytes: Array(text.utf8), path: path)
    return AgentLoader.load(AgentDocuments(prompt: document, fileName: FilePlace.stem(of: path)))
  }

  @Test("each is known by its place and contents, and read", arguments: examples)
  func isRead(_ example: Example) throws {
    let reading = load(example.path, example.text)
    #expect(reading.failures.isEmpty, "\(reading.failures)")
    let loaded = try #require(reading.definition)
    let agent = loaded.agent
    #expect(agent.files.kind == example.kind)
    #expect(agent.id == example.id)
    #expect(agent.name == example.name)
    #expect(agent.description == example.description)
    let prompt = try #require(loaded.prompt?.text)
    #expect(prompt.contains(example.prompt), "\(prompt)")
    for part in example.lacks { #expect(!prompt.contains(part)) }
    // Settings that rasa has a field for are used; the others are reported.
    let counted = ["temperature", "max_turns", "tools"]
    #expect(
      agent.unused.filter { what in !counted.contains { what.hasSuffix($0) } }
        == example.unused)
    #expect(agent.model == example.model)
    #expect(agent.engine == example.engine)
  }

  @Test("an imported file reads as the same agent in rasa's form", arguments: examples)
  func ownForm(_ example: Example) throws {
    let document = SourceDocument(bytes: Array(example.text.utf8), path: example.path)
    let before = try load(example.path, example.text).get()
    let foreign = try #require(
      try ForeignFile(document).agents(engines: AgentLoader.builtInEngines).first)
    let text = foreign.text(from: example.path)
    let reading = load("agents/\(foreign.id).md", text)
    #expect(
      reading.failures.isEmpty && reading.warnings.isEmpty, "\(reading.warnings)\n\(text)")
    var after = try #require(reading.definition)
    #expect(after.agent.files.kind == .rasa)
    #expect(after.prompt?.text.contains(example.prompt) == true)
    after.agent.files = before.agent.files
    after.agent.unused = before.agent.unused
    #expect(after.agent == before.agent)
  }

  @Test(
    "other tools' braces are sent unchanged",
    arguments: [
      "a {{b}} c", #"\{{x}}"#, "{{{deep}}}", "{{{{four}}}}", "{{", "${{ secrets.KEY }}",
      "{{file:/etc/passwd}}",
      "{{#each x}}{{this}}{{/each}}", "{{ input }}",
    ])
  func braces(_ text: String) throws {
    let loaded = try load(".claude/agents/x.md", "Say this: \(text) and no more\n").get()
    let template = try loaded.agent.template(try #require(loaded.prompt))
    #expect(template.paths.isEmpty && template.files.isEmpty && template.warnings.isEmpty)
    let sent = template.prompt(leaving: [], isWhole: true) { _ in .null }
    #expect("\(sent)".contains("Say this: \(text) and no more"), "\(sent)")
  }

  struct Broken: Sendable, CustomTestStringConvertible {
    var path: String
    var text: String
    var message: String
    var line: Int
    var testDescription: String { path }
  }

  @Test(
    "a broken file is reported once, with its location",
    arguments: [
      Broken(
        path: "agents/a.yaml", text: "title: x\ndescription: y\nextensions: []\n",
        message: "neither `instructions` nor a `prompt`", line: 1),
      Broken(
        path: "agents/b.yaml", text: "agents:\n  root:\n    model: x\n",
        message: "the agent `root` has no `instruction`", line: 2),
      Broken(
        path: ".gemini/commands/c.toml", text: "description = \"x\"\n",
        message: "the command has no `prompt`", line: 1),
      Broken(
        path: ".gemini/commands/d.toml", text: "prompt = 3\n", message: "`prompt` must be text",
        line: 1),
      Broken(
        path: ".claude/agents/e.md", text: "---\nname: e\n---\n\n",
        message: "the Claude Code agent has no prompt", line: 4),
      Broken(
        path: "patterns/f/system.md", text: "\n \n", message: "the fabric pattern has no prompt",
        line: 1),
      Broken(path: "agents/g.yaml", text: "instructions: [\n", message: "", line: 2),
      Broken(path: "agents/h.json", text: "{\"prompt\": \"x\"", message: "", line: 1),
      Broken(
        path: "skills/x/SKILL.md", text: "---\nname: x\n---\nDo.\n", message: "comes with tools",
        line: 1),
    ])
  func isTold(_ broken: Broken) throws {
    let reading = load(broken.path, broken.text)
    #expect(reading.failures.count == 1)
    let failure = try #require(reading.failures.first)
    #expect(failure.message.contains(broken.message), "\(failure.message)")
    #expect(failure.location?.file == broken.path)
    #expect(failure.location?.line == broken.line)
  }

  @Test("a field that another tool accepts in another form does not break an agent")
  func oddForms() throws {
    let text = """
      ---
      id: 7
      description: Works
      mode: all
      tools: {bash: {allow: [ls]}}
      tags: {a: b}
      color: [red, blue]
      category: {x: y}
      ---
      You work.
      """
    let reading = load(".opencode/agents/worker.md", text)
    let agent = try reading.get().agent
    #expect(agent.id == "worker" && reading.warnings.isEmpty)
    #expect(agent.unused == ["mode", "tools", "tags", "color", "category"])
    let own = try load(
      "agents/x/system.md", "---\nname: mine\ndescription: Is ours\n---\nYou work.\n"
    ).get().agent
    #expect(own.id == "mine" && own.files.kind == .rasa)
  }

  @Test("broken front matter loses only itself, and is reported once")
  func brokenFrontMatter() throws {
    let reading = load(".claude/agents/x.md", "---\nname: y\nYou do it.\n")
    let loaded = try #require(reading.definition)
    #expect(loaded.agent.id == "x" && loaded.prompt?.text.contains("You do it.") == true)
    #expect(
      reading.warnings.count == 1 && loaded.unreadable == reading.warnings.first,
      "\(reading.warnings)")
  }

  @Test(
    "files that are not agents are classified",
    arguments: [
      ("agents/ci.yml", "on: push\njobs:\n  x: {}\n", OtherFile.workflow),
      ("agents/p.yaml", "name: p\nframes: [stateless_frame]\n", .persona),
      ("agents/o.yaml", "name: o\nkind: llm\nreads: [input]\nprompt: x\n", .operator),
      ("agents/c.yml", "services: {web: {image: x}}\n", .compose),
      ("agents/d.yaml", "a: 1\n", .yaml), ("agents/d.json", "[1]", .json),
      ("agents/pyproject.toml", "[project]\nname = \"x\"\n", .settings),
      ("agents/CHANGELOG.md", "# Changes\n", .documentation),
      ("agents/x.instructions.md", "---\napplyTo: '**'\n---\nWrite well.\n", .instructions),
      ("agents/pdf/SKILL.md", "---\nname: pdf\n---\nDo.\n", .skill),
    ] as [(String, String, OtherFile)])
  func others(_ path: String, _ text: String, _ other: OtherFile) throws {
    let file = try ForeignFile(SourceDocument(bytes: Array(text.utf8), path: path))
    #expect(file.what == .other(other))
    #expect(
      !other.sentence(1, in: "agents").isEmpty && other.sentence(2, in: "agents").hasPrefix("2 "))
  }

  @Test(
    "fields of our own make a file ours, and of others theirs",
    arguments: [
      ("name: x\ncapabilities: [a]\npermissionMode: plan", AgentKind.rasa),
      ("name: x\ndescription: y\ntools: Read\nmodel: opus\ncolor: red", .rasa),
      ("name: x\ndisallowedTools: Write", .claude), ("description: x\nmode: subagent", .opencode),
      ("description: x\nmode: agent", .copilotPrompt), ("description: x\nhandoffs: []", .copilot),
      ("description: x\nallowed-tools: Bash", .claudeCommand),
    ] as [(String, AgentKind)])
  func keys(_ matter: String, _ kind: AgentKind) throws {
    let text = "---\n\(matter)\n---\nDo it.\n"
    #expect(try load("agents/x.md", text).get().agent.files.kind == kind)
  }

  @Test("every agent of a file of several is read")
  func several() throws {
    let text = """
      {"$schema": "https://opencode.ai/config.json",
       "agent": {"build": {"model": "x"}, "docs": {"prompt": "You write.", "description": "Writes"}},
       "command": {"lint": {"template": "Lint $ARGUMENTS", "description": "Lints"}}}
      """
    let file = try ForeignFile(SourceDocument(bytes: Array(text.utf8), path: "opencode.json"))
    let agents = try file.agents(engines: [])
    #expect(agents.map(\.id) == ["docs", "lint"])
    #expect(agents.map(\.kind) == [.opencode, .opencodeCommand])
    #expect(agents[1].prompt == "Lint {{input}}")
    let docker = Self.examples.first { $0.kind == .docker }
    let team = try ForeignFile(
      SourceDocument(bytes: Array((docker?.text ?? "").utf8), path: "teams/writers.yaml")
    ).agents(engines: ["openai"])
    #expect(team.map(\.id) == ["writers", "writers-helper"])
  }
}
