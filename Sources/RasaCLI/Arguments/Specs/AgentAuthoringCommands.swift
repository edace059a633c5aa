import RasaPersona

/// Writing agents, and checking what was written.
extension CommandSpec {
  static let agentsValidate = CommandSpec(
    "validate", "Check agents without running them",
    examples: [
      Example("Check every agent", "rasa agents validate"),
      Example("Check one, and take warnings for errors", "rasa agents validate my-agent --strict"),
      Example("Check files that are nowhere yet", "rasa agents validate drafts/ my-agent.md"),
    ],
    arguments: [
      ArgumentSpec(
        "NAME", "Ids, files or folders; every agent when left out", isOptional: true,
        repeats: true)
    ],
    options: [
      OptionSpec(
        "strict", .flag(isNegatable: false),
        "Take warnings for errors, and names in prompts that nothing gives a value"),
      .json,
    ],
    notes: [
      HelpNote(
        "What is checked",
        "Every file of every place, also those that another takes the place of: all that is wrong "
          + "at once, with line and column. Beyond the files themselves: agents that are named and "
          + "not there, triggers that go round in circles, prompts and inserted files that are "
          + "missing, names in prompts without a value. The exit code is 3 when anything is wrong.")
    ])

  static let agentsCreate = CommandSpec(
    "create", "Write a first version of an agent to change",
    examples: [
      Example(
        "One Markdown file in ./agents",
        "rasa agents create api-designer --description \"Designs REST APIs that last\""),
      Example(
        "TOML and a prompt, in a category",
        "rasa agents create api-designer --form toml --category core --model gemini:gemini-2.5-pro"),
    ],
    arguments: [ArgumentSpec("ID", "Lower-case words joined by hyphens")],
    options: [
      OptionSpec(
        "name", .value(placeholder: "TEXT", .text), "What people call it",
        defaultsTo: .described("the words of the id")),
      OptionSpec(
        "description", .value(placeholder: "TEXT", .text), "What it does and when to use it",
        defaultsTo: .described("asked for at a terminal")),
      OptionSpec(
        "category", .value(placeholder: "PATH", .text),
        "The folder below --folder, such as core or design/web"),
      OptionSpec(
        "capabilities", .value(placeholder: "WORD,…", .text), "What it can do",
        defaultsTo: .described("what its id and description tell"), repeats: true),
      OptionSpec(
        "model", .value(placeholder: "[ENGINE:]MODEL", .text), "The model to ask first"),
      OptionSpec(
        "profile",
        .value(placeholder: "WORD", .choice(["speed", "balanced", "thinking", "expert"])),
        "What matters most in choosing a model",
        defaultsTo: .described("what its description tells")),
      OptionSpec(
        "form", .value(placeholder: "FORM", .choice(["markdown", "toml"])),
        "One Markdown file, or a TOML file with a prompt beside it",
        defaultsTo: .value("markdown")),
      OptionSpec(
        "folder", .value(placeholder: "DIR", .text), "The folder of agents to write to",
        defaultsTo: .value("agents")),
      OptionSpec("force", .flag(isNegatable: false), "Replace files that exist"),
      .json,
    ])

  static let agentsCopy = CommandSpec.copy(
    "agent", argument: ArgumentSpec("ID", "The agent's id"), example: "code-reviewer",
    newName: "my-reviewer")

  static let importAgents = CommandSpec(
    "import", "Write other tools' agents, commands and prompts in rasa's own form",
    heading: "Set up",
    examples: [
      Example("What would come of this project's?", "rasa import . --dry-run"),
      Example("Claude Code's agents and commands", "rasa import .claude"),
      Example(
        "A folder of goose recipes, into another one", "rasa import recipes --to agents/goose"),
      Example("Markdown that only holds prompts", "rasa import prompts --from prompt"),
    ],
    arguments: [ArgumentSpec("DIR|FILE", "A folder of a project or of files, or one file")],
    options: [
      OptionSpec(
        "from",
        .value(placeholder: "KIND", .choice(AgentKind.allCases.map { Choice($0.rawValue) })),
        "Take the files for this kind, and leave others out",
        defaultsTo: .described("told by their places and contents")),
      OptionSpec(
        "to", .value(placeholder: "DIR", .text), "The folder of agents to write to",
        defaultsTo: .value("agents")),
      OptionSpec(
        "dry-run", .flag(isNegatable: false), "Say what would be written, and write nothing"),
      OptionSpec("force", .flag(isNegatable: false), "Replace files that exist"),
      .json,
    ],
    notes: [
      HelpNote(
        "What is read",
        "Of a project, the folders of the tools; of any other folder, all files below it.",
        rows: [
          ("claude", ".claude/agents/**/*.md"), ("claude-command", ".claude/commands/**/*.md"),
          ("copilot", ".github/agents/*.md, *.agent.md"),
          ("copilot-chatmode", ".github/chatmodes, *.chatmode.md"),
          ("copilot-prompt", ".github/prompts, *.prompt.md"),
          ("opencode", ".opencode/agent(s)/**/*.md, opencode.json"),
          ("opencode-command", ".opencode/command(s)/**/*.md"),
          ("gemini", ".gemini/commands/**/*.toml"), ("fabric", "NAME/system.md"),
          ("goose", "recipes in YAML or JSON"), ("docker", "YAML with agents and instructions"),
          ("prompt", "Markdown without front matter"),
          ("rasa", "Markdown that is an agent already"),
        ])
    ])

  static let agentsEnhance = CommandSpec(
    "enhance", "Propose what an agent's file does not say, and write it",
    examples: [
      Example("What is missing?", "rasa agents enhance my-agent"),
      Example("Write it", "rasa agents enhance agents/my-agent.md --write"),
      Example(
        "Let a model propose it, for two cents at most",
        "rasa agents enhance my-agent --with-model --max-cost 0.02"),
    ],
    arguments: [ArgumentSpec("NAME", "An agent's id or file")],
    options: [
      OptionSpec("write", .flag(isNegatable: false), "Write without asking"),
      OptionSpec(
        "with-model", .flag(isNegatable: false), "Let a model propose, within its limits"),
      OptionSpec(
        "model", .value(placeholder: "[ENGINE:]MODEL", .text),
        "Recommend this model to the agent, and ask it with --with-model"),
      OptionSpec(
        "max-cost", .value(placeholder: "USD", .money),
        "Spend no more than this on the model's proposal"),
      .json,
    ],
    rules: [.only(option: "max-cost", with: "with-model")],
    notes: [
      HelpNote(
        "What is proposed",
        "A name for people, capabilities, a performance profile, tags and examples, where the file "
          + "does not say them: from its id, description and prompt, by rules. Nothing that stands "
          + "in the file is changed. At a terminal the difference is shown first, and written on a "
          + "yes; elsewhere only `--write` writes.")
    ])
}
