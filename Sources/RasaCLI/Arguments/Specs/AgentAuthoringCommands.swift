import RasaKit

/// Writing agents, and checking what was written.
extension CommandSpec {
  static let agentsValidate = CommandSpec(
    "validate", "Check agents without running them",
    examples: [
      Example("Check every agent", "rasa agents validate"),
      Example("Check one, and treat warnings as errors", "rasa agents validate my-agent --strict"),
      Example("Check files outside the agent folders", "rasa agents validate drafts/ my-agent.md"),
    ],
    arguments: [
      ArgumentSpec(
        "NAME", "IDs, files or folders; every agent by default", isOptional: true,
        repeats: true, completes: .agentFiles)
    ],
    options: [
      OptionSpec(
        "strict", .flag(isNegatable: false),
        "Treat warnings as errors, and require a value for every name in a prompt"),
      .json,
    ],
    notes: [
      HelpNote(
        "What is checked",
        "Every file in every agent folder, shadowed ones too; all problems are reported at once, with "
          + "line and column: syntax, unknown agents, trigger cycles, missing prompts and inserted "
          + "files, and names in prompts without a value. The exit code is 3 if anything is wrong.")
    ])

  static let agentsCreate = CommandSpec(
    "create", "Create a starter agent",
    examples: [
      Example(
        "One Markdown file in ./agents",
        "rasa agents create api-designer --description \"Designs REST APIs that last\""),
      Example(
        "TOML and a prompt, in a category",
        "rasa agents create api-designer --form toml --category core --model gemini:gemini-2.5-pro"),
    ],
    arguments: [ArgumentSpec("ID", "Lowercase words joined by hyphens")],
    options: [
      OptionSpec(
        "name", .value(placeholder: "TEXT", .text), "Its display name",
        defaultsTo: .described("derived from the ID")),
      OptionSpec(
        "description", .value(placeholder: "TEXT", .text), "What it does and when to use it",
        defaultsTo: .described("asked for at a terminal")),
      OptionSpec(
        "category", .value(placeholder: "PATH", .text),
        "The subfolder of --folder, such as core or design/web"),
      OptionSpec(
        "capabilities", .value(placeholder: "WORD,…", .text), "What it can do",
        defaultsTo: .described("derived from ID and description"), repeats: true),
      OptionSpec(
        "model", .value(placeholder: "[ENGINE:]MODEL", .text), "The model to try first"
      ).completing(.models),
      OptionSpec(
        "profile",
        .value(placeholder: "WORD", .choice(Choice.profiles)),
        "What matters most when choosing a model",
        defaultsTo: .described("derived from the description")),
      OptionSpec(
        "form", .value(placeholder: "FORM", .choice(["markdown", "toml"])),
        "One Markdown file, or a TOML file with a prompt beside it",
        defaultsTo: .value("markdown")),
      OptionSpec(
        "folder", .value(placeholder: "DIR", .text), "The agent folder to write to",
        defaultsTo: .value("agents")
      ).completing(.folders),
      OptionSpec("force", .flag(isNegatable: false), "Overwrite existing files"),
      .json,
    ])

  static let agentsCopy = CommandSpec.copy(
    "agent", argument: ArgumentSpec("ID", "The agent's ID"), example: "code-reviewer",
    newName: "my-reviewer")

  static let importAgents = CommandSpec(
    "import", "Convert other tools' agents, commands and prompts to rasa agents",
    heading: "Set up",
    examples: [
      Example("Preview the conversion of this project's files", "rasa import . --dry-run"),
      Example("Import Claude Code's agents and commands", "rasa import .claude"),
      Example(
        "Import goose recipes into a folder of your choice", "rasa import recipes --to agents/goose"
      ),
      Example("Import Markdown files that hold only a prompt", "rasa import prompts --from prompt"),
    ],
    arguments: [ArgumentSpec("DIR|FILE", "A project, a folder of files, or one file")],
    options: [
      OptionSpec(
        "from",
        .value(placeholder: "KIND", .choice(Rasa.AgentFormat.all.map { Choice($0.id) })),
        "Read the files as this kind, and skip others",
        defaultsTo: .described("detected from path and contents")),
      OptionSpec(
        "to", .value(placeholder: "DIR", .text), "The agent folder to write to",
        defaultsTo: .value("agents")),
      OptionSpec(
        "dry-run", .flag(isNegatable: false), "Show what would be written; write nothing"),
      OptionSpec("force", .flag(isNegatable: false), "Overwrite existing files"),
      .json,
    ],
    notes: [
      HelpNote(
        "What is read",
        "In a project, the folders of those tools; in any other folder, all files below it.",
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
          ("rasa", "Markdown that is already an agent"),
        ])
    ])

  static let agentsEnhance = CommandSpec(
    "enhance", "Propose missing fields of an agent's file, and write them",
    examples: [
      Example("What is missing?", "rasa agents enhance my-agent"),
      Example("Write the proposal", "rasa agents enhance agents/my-agent.md --write"),
      Example(
        "Propose for a whole folder", "rasa agents enhance agents/ drafts/other-agent.md --write"),
      Example(
        "Let a model propose, for at most two cents",
        "rasa agents enhance my-agent --with-model --max-cost 0.02"),
    ],
    arguments: [
      ArgumentSpec("NAME", "Agents' IDs, files or folders", repeats: true, completes: .agentFiles)
    ],
    options: [
      OptionSpec("write", .flag(isNegatable: false), "Write without asking"),
      OptionSpec(
        "with-model", .flag(isNegatable: false), "Let a model propose, within the agent's limits"),
      OptionSpec(
        "model", .value(placeholder: "[ENGINE:]MODEL", .text),
        "Recommend this model to the agent, and use it with --with-model"
      ).completing(.models),
      OptionSpec(
        "max-cost", .value(placeholder: "USD", .money),
        "Spend no more than this on the model's proposal for each agent"),
      .json,
    ],
    rules: [.only(option: "max-cost", with: "with-model")],
    notes: [
      HelpNote(
        "What is proposed",
        "A display name, capabilities, a performance profile, tags and examples, if the file has none. "
          + "They are derived from its ID, description and prompt by rules. Nothing in the file is "
          + "changed. At a terminal rasa shows the difference and asks before writing; elsewhere only "
          + "`--write` writes.")
    ])
}
