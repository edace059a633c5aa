/// Looking at agents.
extension CommandSpec {
  static let agents = CommandSpec(
    "agents", "List, search, recommend, check and write agents; what they may spend",
    heading: "Look and check",
    examples: [
      Example("See which agents there are", "rasa agents list"),
      Example("Find one", "rasa agents search kubernetes"),
      Example("Everything about one", "rasa agents info code-reviewer"),
      Example("Who should do this?", "rasa agents recommend \"Design a REST API\""),
      Example("How does everybody's budget stand?", "rasa agents budget"),
    ],
    subcommands: [
      agentsList, agentsSearch, agentsInfo, agentsRecommend, agentsValidate, agentsCreate,
      agentsEnhance, agentsBudget,
    ])

  private static let agentsList = CommandSpec(
    "list", "List the agents and where each comes from",
    examples: [
      Example("Which agents are there?", "rasa agents list"),
      Example(
        "Those of a category, by engine and name",
        "rasa agents list --category engineering --sort engine,name"),
      Example(
        "Those that can do one of two things", "rasa agents list --tag testing --tag debugging"),
      Example("Tell a program of every change", "rasa agents list --watch --json"),
    ],
    options: .agentFilter + [
      OptionSpec(
        "sort", .value(placeholder: "FIELDS", .text),
        "By id, name, category, engine, model, with commas between them; `-name` goes downwards",
        defaultsTo: .value("id")),
      OptionSpec(
        "shadowed", .flag(isNegatable: false),
        "List the files that another of the same id takes the place of"),
      OptionSpec(
        "watch", short: "w", .flag(isNegatable: false),
        "Stay, and list again when files change; with --json one line for each change"),
      .json,
    ],
    rules: [.atMostOne([.option("shadowed"), .option("watch")])],
    notes: [agentPlaces])

  private static let agentsSearch = CommandSpec(
    "search", "Find agents by what they are called and say of themselves",
    examples: [
      Example("Whatever has to do with databases", "rasa agents search database"),
      Example("In spite of a slip", "rasa agents search kuberntes --fuzzy"),
      Example("Only of one engine", "rasa agents search review --engine gemini --json"),
    ],
    arguments: [ArgumentSpec("QUERY", "What to look for, in any case", repeats: true)],
    options: [
      OptionSpec(
        "match", .value(placeholder: "HOW", .choice(["contains", "exact", "fuzzy"])),
        "The text is a part, is the whole id or name, or is nearly a word",
        defaultsTo: .value("contains")),
      OptionSpec(
        "fuzzy", .shorthand(option: "match", value: "fuzzy"), "The same as `--match fuzzy`"),
      OptionSpec(
        "exact", .shorthand(option: "match", value: "exact"), "The same as `--match exact`"),
      OptionSpec(
        "threshold", .value(placeholder: "SHARE", .text),
        "How near, from 0 to 1; of fuzzy searches", defaultsTo: .value("0.7")),
    ] + .agentFilter + [
      OptionSpec(
        "sort", .value(placeholder: "FIELDS", .text),
        "By id, name, category, engine, model, as of `list`",
        defaultsTo: .described("the best first")),
      .json,
    ],
    notes: [
      HelpNote(
        "What is looked at",
        "Ids, names, descriptions, capabilities and tags; agents whose id or name fits come first. A fuzzy search takes "
          + "one minus the share of letters to change, and for several words agents that speak of "
          + "each of them.")
    ])

  private static let agentsInfo = CommandSpec(
    "info", "Show everything that is known of an agent",
    examples: [
      Example("Read about one", "rasa agents info code-reviewer"),
      Example("Only the words of its prompt", "rasa agents info code-reviewer --prompt"),
      Example("The same for a program", "rasa agents info code-reviewer --json"),
    ],
    arguments: [ArgumentSpec("ID", "The agent's id")],
    options: [
      OptionSpec(
        "prompt", .flag(isNegatable: false), "Print the words of its prompt, as they stand"),
      .json,
    ])

  private static let agentPlaces = HelpNote(
    "Where agents are looked for",
    rows: [
      ("1", "./agents"), ("2", "agents in $RASA_HOME or ~/.config/rasa"),
      ("3", "$RASA_WORKSPACE/agents"), ("4", "./.rasa/extensions/*/agents"),
      ("5", "extensions/*/agents in $RASA_HOME or ~/.config/rasa"), ("6", "what ships with rasa"),
    ])
}

extension [OptionSpec] {
  /// Which agents are wanted.
  fileprivate static let agentFilter = [
    OptionSpec.agents,
    OptionSpec("category", .value(placeholder: "TEXT", .text), "A part of the category"),
    OptionSpec(
      "engine", .value(placeholder: "NAME", .text),
      "The engine, of the agent or of a model it names"),
    OptionSpec("model", .value(placeholder: "TEXT", .text), "A part of a model's name"),
    OptionSpec(
      "tag", .value(placeholder: "WORD", .text), "One of these tags or capabilities", repeats: true),
    OptionSpec(
      "any", .flag(isNegatable: false), "What fits one of the conditions, instead of all"),
  ].map { $0.under("Which agents") }
}
