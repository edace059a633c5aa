/// Looking at agents.
extension CommandSpec {
  static let agents = CommandSpec(
    "agents", "List, search, recommend, validate and create agents, and manage budgets",
    heading: "Inspect",
    examples: [
      Example("List the agents", "rasa agents list"),
      Example("Find one", "rasa agents search database"),
      Example("Everything about one", "rasa agents info code-reviewer"),
      Example("Who should do this?", "rasa agents recommend \"Design a REST API\""),
      Example("The state of all budgets", "rasa agents budget"),
    ],
    subcommands: [
      agentsList, agentsSearch, agentsInfo, agentsRecommend, agentsValidate, agentsCreate,
      agentsCopy, agentsEnhance, agentsBudget,
    ])

  private static let agentsList = CommandSpec(
    "list", "List the agents and where each comes from",
    examples: [
      Example("Every agent", "rasa agents list"),
      Example(
        "One category, sorted by engine and name",
        "rasa agents list --category engineering --sort engine,name"),
      Example(
        "With one of two tags", "rasa agents list --tag testing --tag debugging"),
      Example("Report every change to a program", "rasa agents list --watch --json"),
    ],
    options: .agentFilter + [
      OptionSpec(
        "sort", .value(placeholder: "FIELDS", .text),
        "Fields to sort by: id, name, category, engine, model, separated by commas; `-name` reverses",
        defaultsTo: .value("id")),
      OptionSpec(
        "shadowed", .flag(isNegatable: false),
        "List the files that are shadowed by another one with the same ID"),
      OptionSpec(
        "watch", short: "w", .flag(isNegatable: false),
        "Keep running, and list again when files change; with --json one line per change"),
      .json,
    ],
    rules: [.atMostOne([.option("shadowed"), .option("watch")])],
    notes: [agentPlaces])

  private static let agentsSearch = CommandSpec(
    "search", "Find agents by ID, name, description and tags",
    examples: [
      Example("Everything about databases", "rasa agents search database"),
      Example("Despite a typo", "rasa agents search databse --fuzzy"),
      Example("For a program", "rasa agents search review --json"),
    ],
    arguments: [ArgumentSpec("QUERY", "What to look for; case does not matter", repeats: true)],
    options: [
      OptionSpec(
        "match", .value(placeholder: "HOW", .choice(["contains", "exact", "fuzzy"])),
        "Match a part, the whole ID or name, or similar words",
        defaultsTo: .value("contains")),
      OptionSpec(
        "fuzzy", .shorthand(option: "match", value: "fuzzy"), "Short for `--match fuzzy`"),
      OptionSpec(
        "exact", .shorthand(option: "match", value: "exact"), "Short for `--match exact`"),
      OptionSpec(
        "threshold", .value(placeholder: "SHARE", .text),
        "Similarity for fuzzy searches, from 0 to 1", defaultsTo: .value("0.7")),
    ] + .agentFilter + [
      OptionSpec(
        "sort", .value(placeholder: "FIELDS", .text),
        "Fields to sort by, as for `list`",
        defaultsTo: .described("best match first")),
      .json,
    ],
    notes: [
      HelpNote(
        "What is searched",
        "IDs, names, descriptions, capabilities and tags; agents whose ID or name matches come "
          + "first. The similarity of a fuzzy search is one minus the share of letters to change; of "
          + "several words, each must match.")
    ])

  private static let agentsInfo = CommandSpec(
    "info", "Show everything about an agent",
    examples: [
      Example("One agent", "rasa agents info code-reviewer"),
      Example("Only its prompt", "rasa agents info code-reviewer --prompt"),
      Example("For a program", "rasa agents info code-reviewer --json"),
    ],
    arguments: [ArgumentSpec("ID", "The agent's ID", completes: .agents)],
    options: [
      OptionSpec(
        "prompt", .flag(isNegatable: false), "Print only its prompt, unchanged"),
      .json,
    ])

  private static let agentPlaces = HelpNote(
    "Agent folders, first match wins",
    rows: [
      ("1", "./agents"), ("2", "agents in $RASA_HOME or ~/.config/rasa"),
      ("3", "$RASA_WORKSPACE/agents"), ("4", "./.rasa/extensions/*/agents"),
      ("5", "extensions/*/agents in $RASA_HOME or ~/.config/rasa"),
      ("6", ".claude/agents, .github/agents, .github/chatmodes, .opencode/agent of the project"),
      ("7", "~/.claude/agents, ~/.copilot/agents, ~/.config/opencode/agent"),
      ("8", "shipped with rasa"),
    ])
}

extension [OptionSpec] {
  /// Which agents are wanted.
  fileprivate static let agentFilter = [
    OptionSpec.agents,
    OptionSpec("category", .value(placeholder: "TEXT", .text), "Part of the category"),
    OptionSpec(
      "engine", .value(placeholder: "NAME", .text),
      "The engine of the agent or of a model that it names"),
    OptionSpec("model", .value(placeholder: "TEXT", .text), "Part of a model's name"),
    OptionSpec(
      "tag", .value(placeholder: "WORD", .text), "One of these tags or capabilities", repeats: true),
    OptionSpec(
      "any", .flag(isNegatable: false), "Match any of these conditions instead of all"),
  ].map { $0.under("Which agents") }
}
