extension CommandSpec {
  static let skills = CommandSpec(
    "skills", "List, show and validate skills", heading: "Inspect",
    examples: [
      Example("List the skills", "rasa skills list"),
      Example("Read one", "rasa skills show release-notes"),
      Example("Check them", "rasa skills validate"),
    ],
    notes: [
      HelpNote(
        "Where skills are",
        "Folders with a SKILL.md in ./skills, ./.claude/skills and ~/.config/rasa/skills, and in a "
          + "folder skills beside an agent's file. A persona, agent or operator names those that it "
          + "offers its models: `skills: [release-notes]`.")
    ],
    subcommands: [
      CommandSpec(
        "list", "List the skills and where each comes from",
        examples: [
          Example("All of them", "rasa skills list"),
          Example("For a program", "rasa skills list --json"),
        ], options: [.json]),
      CommandSpec(
        "show", "Show a skill: what it says, allows and contains",
        examples: [
          Example("Read one", "rasa skills show release-notes"),
          Example("For a program", "rasa skills show release-notes --json"),
        ],
        arguments: [ArgumentSpec("NAME", "The skill's name")], options: [.json]),
      CommandSpec(
        "validate", "Check skills without loading them",
        examples: [
          Example("Check all of them", "rasa skills validate"),
          Example("Check one", "rasa skills validate release-notes"),
        ],
        arguments: [
          ArgumentSpec(
            "NAME", "Names of skills; every skill by default", isOptional: true, repeats: true)
        ], options: [.json],
        notes: [
          HelpNote(
            "What is checked",
            "Names, descriptions, front matter, and whether `allowed-tools` means tools here. The "
              + "exit code is 3 if anything is wrong.")
        ]),
    ])

  static let personas = CommandSpec(
    "personas", "List, show, validate, draw and copy personas", heading: "Inspect",
    examples: [
      Example("List the personas", "rasa personas list"),
      Example("Read one", "rasa personas show strategic_stock_analyst"),
      Example("Check one of your own before running it", "rasa personas validate my_analyst"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the personas and where each comes from",
        examples: [
          Example("Every persona", "rasa personas list"),
          Example("For a program", "rasa personas list --json"),
        ],
        options: [.json]),
      CommandSpec(
        "show", "Show a persona: its frames, operators and limits",
        examples: [
          Example("Read one", "rasa personas show strategic_stock_analyst"),
          Example("For a program", "rasa personas show strategic_stock_analyst --json"),
        ],
        arguments: [ArgumentSpec("NAME", "The persona's name or alias", completes: .personas)],
        options: [.json]),
      CommandSpec(
        "validate", "Check personas without running them",
        examples: [
          Example("Check one", "rasa personas validate my_analyst"),
          Example("Check every persona", "rasa personas validate"),
        ],
        arguments: [
          ArgumentSpec(
            "NAME", "Names or aliases; every persona by default", isOptional: true,
            repeats: true, completes: .personas)
        ],
        options: [.json],
        notes: [
          HelpNote(
            "What is checked",
            "Unknown names, unreachable frames, unbounded loops, values that are read before they "
              + "are written, and conditions that can never hold. The exit code is 3 if anything "
              + "is wrong.")
        ]),
      CommandSpec(
        "graph", "Draw a persona as a graph",
        examples: [
          Example("As Mermaid, for Markdown", "rasa personas graph strategic_stock_analyst"),
          Example(
            "As an image, with Graphviz",
            "rasa personas graph contract_reviewer --format dot | dot -Tsvg > graph.svg"),
        ],
        arguments: [ArgumentSpec("NAME", "The persona's name or alias", completes: .personas)],
        options: [
          OptionSpec(
            "format", .value(placeholder: "FORMAT", .choice(["mermaid", "dot"])),
            "The language to draw in", defaultsTo: .value("mermaid"))
        ]),
      .copy(
        "persona", argument: ArgumentSpec("NAME", "The persona's name"),
        example: "strategic_stock_analyst", newName: "my_stock_analyst"),
    ])

  static let operators = CommandSpec(
    "operators", "List, show, validate and copy operators", heading: "Inspect",
    examples: [
      Example("List the operators", "rasa operators list"),
      Example("Read one, with its prompt", "rasa operators show critic_agent"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the operators and where each comes from",
        examples: [
          Example("Every operator", "rasa operators list"),
          Example("For a program", "rasa operators list --json"),
        ],
        options: [.json]),
      CommandSpec(
        "show", "Show what an operator reads, writes and asks",
        examples: [
          Example("Read one", "rasa operators show critic_agent"),
          Example("For a program", "rasa operators show critic_agent --json"),
        ],
        arguments: [ArgumentSpec("NAME", "The operator's name", completes: .operators)],
        options: [.json]),
      CommandSpec(
        "validate", "Check operators without running them",
        examples: [
          Example("Check one", "rasa operators validate my_operator"),
          Example("Check every operator", "rasa operators validate"),
        ],
        arguments: [
          ArgumentSpec(
            "NAME", "Names; every operator by default", isOptional: true, repeats: true,
            completes: .operators)
        ],
        options: [.json]),
      .copy(
        "operator", argument: ArgumentSpec("NAME", "The operator's name"),
        example: "critic_agent", newName: "my_critic"),
    ])

  /// `copy` of personas, operators and agents.
  static func copy(
    _ kind: String, argument: ArgumentSpec, example: String, newName: String
  ) -> CommandSpec {
    CommandSpec(
      "copy", "Copy \(kind == "persona" ? "a" : "an") \(kind)'s files so that you can change them",
      examples: [
        Example("Into this project", "rasa \(kind)s copy \(example)"),
        Example(
          "For every folder, under a new name",
          "rasa \(kind)s copy \(example) --user --name \(newName)"),
        Example("Only print its files", "rasa \(kind)s copy \(example) --print"),
      ],
      arguments: [argument],
      options: [
        OptionSpec(
          "name", .value(placeholder: "NAME", .text), "The copy's name",
          defaultsTo: .described("the original's, which the copy replaces")),
        OptionSpec(
          "to", .value(placeholder: "DIR", .text), "The folder to write to",
          defaultsTo: .value("\(kind)s")),
        OptionSpec(
          "user", .flag(isNegatable: false),
          "Write to your configuration folder instead of this project"),
        OptionSpec("print", .flag(isNegatable: false), "Print the files and write nothing"),
        OptionSpec("force", .flag(isNegatable: false), "Overwrite existing files"),
        .json,
      ],
      rules: [.atMostOne([.option("to"), .option("user"), .option("print")])])
  }
}
