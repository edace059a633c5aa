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

  static let agentsEnhance = CommandSpec(
    "enhance", "Propose missing fields of an agent's file, and write them",
    examples: [
      Example("What is missing?", "rasa agents enhance my-agent"),
      Example("Write the proposal", "rasa agents enhance agents/my-agent.md --write"),
      Example(
        "Let a model propose, for at most two cents",
        "rasa agents enhance my-agent --with-model --max-cost 0.02"),
    ],
    arguments: [ArgumentSpec("NAME", "An agent's ID or file", completes: .agentFiles)],
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
        "Spend no more than this on the model's proposal"),
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
