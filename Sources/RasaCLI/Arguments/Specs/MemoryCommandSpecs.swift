/// What is remembered.
extension CommandSpec {
  static let memory = CommandSpec(
    "memory", "List, search, correct and delete what is remembered", heading: "Records",
    examples: [
      Example("List the facts", "rasa memory list"),
      Example(
        "Search everything that was said and remembered", "rasa memory search risk tolerance"),
      Example(
        "Make a persona remember something",
        "rasa memory add -p strategic_stock_analyst \"I never buy tobacco.\""),
    ],
    subcommands: [
      CommandSpec(
        "list", "List facts, notes or turns, the latest first",
        examples: [
          Example("The latest facts", "rasa memory list"),
          Example("Also those that hold no more", "rasa memory list --past"),
          Example("Those that held on a day", "rasa memory list --as-of 2026-01-31"),
          Example(
            "All facts of one persona, for a program",
            "rasa memory list -p strategic_stock_analyst --limit 1000 --json"),
        ],
        options: [
          .memoryKind(whenMissing: "fact"),
          OptionSpec(
            "past", .flag(isNegatable: false), "List facts that hold no more, too"),
          .asOf.saying("What held, and had been said, at the end of this day"),
          .anyPersona, .onlySession, .onlyRun, .anyUser, .limit, .json,
        ], rules: [.atMostOne([.option("past"), .option("as-of")])]),
      CommandSpec(
        "show", "Show a memory in full",
        examples: [Example("One of them", "rasa memory show 12")],
        arguments: [ArgumentSpec("ID", "The memory's number; see `rasa memory list`")],
        options: [.json]),
      CommandSpec(
        "search", "Search turns, notes and facts, the best match first",
        examples: [
          Example("Search them", "rasa memory search risk tolerance"),
          Example("Say why each was found", "rasa memory search --explain risk tolerance"),
          Example(
            "What one persona can recall",
            "rasa memory search -p strategic_stock_analyst tobacco"),
          Example(
            "What held, and had been said, at the end of a day",
            "rasa memory search --as-of 2026-01-31 tobacco"),
        ],
        arguments: [ArgumentSpec("QUERY", "The words to look for", repeats: true)],
        options: [
          OptionSpec("explain", .flag(isNegatable: false), "Print each share of the score"),
          .asOf.saying(
            "What held, and had been said, at the end of this day, such as 2026-01-31 or 90d"),
          .memoryKind(whenMissing: "all of them"),
          .anyPersona.saying("What this persona can recall"), .onlySession, .anyUser, .limit,
          .json,
        ]),
      CommandSpec(
        "add", "Add a fact",
        examples: [
          Example(
            "Remember a fact",
            "rasa memory add --persona strategic_stock_analyst \"I never buy tobacco.\""),
          Example(
            "For all personas, since a day",
            "rasa memory add -p strategic_stock_analyst --scope user --since 2026-05-01 "
              + "\"Lives in Oslo.\""),
        ],
        arguments: [
          ArgumentSpec("TEXT", "What to remember; `-` reads standard input", repeats: true)
        ],
        options: [
          .persona.saying("The persona that remembers it"),
          OptionSpec(
            "scope",
            .value(
              placeholder: "WHO",
              .choice([
                Choice("user", help: "all personas of the user"),
                Choice("persona", help: "this persona with this user"),
              ])),
            "Who can recall it", defaultsTo: .described("what the persona's file says")),
          OptionSpec(
            "fact-kind", .value(placeholder: "WORD", .text),
            "What sort of fact it is, such as preference or plan", defaultsTo: .value("fact")),
          OptionSpec(
            "since", .value(placeholder: "DAY", .day), "Since when it holds",
            defaultsTo: .described("what the text says, else now")),
          OptionSpec(
            "until", .value(placeholder: "DAY", .day), "From which day on it holds no more"),
          .user, .json,
        ]),
      CommandSpec(
        "edit", "Correct a fact",
        examples: [
          Example("Say it right", "rasa memory edit 12 \"I never buy tobacco or arms.\"")
        ],
        arguments: [
          ArgumentSpec("ID", "The fact's number; see `rasa memory list`"),
          ArgumentSpec("TEXT", "The corrected fact; `-` reads standard input", repeats: true),
        ],
        options: [.json],
        notes: [
          HelpNote(
            "What becomes of the old one",
            "It stays, as what was believed until now. `rasa memory forget` deletes it.")
        ]),
      CommandSpec(
        "embed", "Make vectors of what has none yet, so that it is found by its meaning",
        examples: [
          Example(
            "All that a persona remembers",
            "rasa memory embed -p strategic_stock_analyst --model openai:text-embedding-3-small")
        ],
        options: [
          .persona.saying("The persona, whose budgets pay"),
          OptionSpec(
            "model", short: "m", .value(placeholder: "MODEL", .text),
            "The embedding model", defaultsTo: .described("what persona or configuration name")),
          OptionSpec(
            "max-cost", .value(placeholder: "USD", .money), "Spend no more than this",
            defaultsTo: .described("0.01")),
          .user, .json,
        ],
        notes: [
          HelpNote(
            "When it is needed",
            "Each run makes some after its answer. This makes all of them at once: after an import, or for another "
              + "model.")
        ]),
      CommandSpec(
        "forget", "Delete memories, or everything of a user",
        examples: [
          Example("Delete two by number", "rasa memory forget 12 15"),
          Example(
            "Delete all facts of one persona",
            "rasa memory forget --all --persona strategic_stock_analyst"),
          Example("Take back what came of one run", "rasa memory forget --run RUN"),
          Example("Delete everything of a user", "rasa memory forget --user guest --yes"),
        ],
        arguments: [
          ArgumentSpec(
            "ID", "The memories' numbers; see `rasa memory list`", isOptional: true,
            repeats: true)
        ],
        options: [
          OptionSpec("all", .flag(isNegatable: false), "Delete all facts of the user"),
          .onlyRun.saying("Delete what came of this run; facts that it closed hold again"),
          OptionSpec(
            "user", .value(placeholder: "NAME", .text),
            "Alone: delete everything of this user. With `--all`: whose facts",
            defaultsTo: .described("your login name")),
          .anyPersona, .memoryKind(whenMissing: "fact"),
          OptionSpec(
            "yes", short: "y", .flag(isNegatable: false),
            "Delete everything of a user without asking"),
          .json,
        ],
        rules: [
          .atLeastOne([.arguments, .option("all"), .option("run"), .option("user")]),
          .atMostOne([.arguments, .option("all"), .option("run")]),
          .only(option: "persona", with: "all"), .only(option: "kind", with: "all"),
          .only(option: "yes", with: "user"),
        ],
        notes: [
          HelpNote(
            "Erasing",
            "What is deleted is erased from the database's files as well. What was spent stays in the books, without text."
          )
        ]),
      CommandSpec(
        "export", "Write memories to a file",
        examples: [
          Example("Everything of yours", "rasa memory export --output memories.jsonl"),
          Example("The facts, into a pipe", "rasa memory export --kind fact"),
        ],
        options: [
          OptionSpec(
            "output", short: "o", .value(placeholder: "FILE", .text),
            "Where to write them; `-` for standard output", defaultsTo: .value("-")),
          .memoryKind(whenMissing: "all of them"), .anyPersona, .user,
        ]),
      CommandSpec(
        "import", "Add memories from a file",
        examples: [
          Example("Bring them back", "rasa memory import memories.jsonl"),
          Example(
            "Give them to another user", "rasa memory import memories.jsonl --user guest"),
        ],
        arguments: [
          ArgumentSpec("FILE", "What `rasa memory export` wrote; `-` reads standard input")
        ],
        options: [
          OptionSpec(
            "user", .value(placeholder: "NAME", .text), "Whose memories they become",
            defaultsTo: .described("those they were exported from")),
          OptionSpec(
            "partial", .flag(isNegatable: false),
            "Of a broken file, import what is before the break"),
          .json,
        ]),
      CommandSpec(
        "stats", "Count what is remembered",
        examples: [Example("Everybody's", "rasa memory stats")],
        options: [.anyPersona, .anyUser, .json]),
    ])
}

extension OptionSpec {
  static func memoryKind(whenMissing kinds: String) -> OptionSpec {
    OptionSpec(
      "kind",
      .value(
        placeholder: "KINDS",
        .choices([
          Choice("turn", help: "what was said, word for word"),
          Choice("note", help: "working notes of conversations"),
          Choice("fact", help: "what is remembered for later conversations"),
        ])),
      "Only these", defaultsTo: .described(kinds))
  }

  static let onlySession = OptionSpec(
    "session", short: "s", .value(placeholder: "NAME", .text), "Only from this conversation",
    discovery: "rasa sessions list"
  ).completing(.sessions)

  static let onlyRun = OptionSpec(
    "run", .value(placeholder: "ID", .text), "Only what came of this run",
    discovery: "rasa runs list")
}
