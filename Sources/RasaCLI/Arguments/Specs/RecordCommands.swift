/// What is kept between runs.
extension CommandSpec {
  static let sessions = CommandSpec(
    "sessions", "List, show and delete conversations", heading: "Records",
    examples: [
      Example("List the conversations", "rasa sessions list"),
      Example("Read one", "rasa sessions show nvidia"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the conversations, the latest first",
        examples: [
          Example("The latest", "rasa sessions list"),
          Example("The last three, for a program", "rasa sessions list --limit 3 --json"),
        ],
        options: [.anyUser, .limit, .json]),
      CommandSpec(
        "show", "Show the turns of a conversation",
        examples: [Example("Read one", "rasa sessions show nvidia")],
        arguments: [
          ArgumentSpec(
            "ID", "The session's name; see `rasa sessions list`", completes: .sessions)
        ],
        options: [.sessionsOf, .json]),
      CommandSpec(
        "delete", "Delete a conversation",
        examples: [Example("Delete one", "rasa sessions delete nvidia")],
        arguments: [
          ArgumentSpec(
            "ID", "The session's name; see `rasa sessions list`", completes: .sessions)
        ],
        options: [.sessionsOf, .json]),
    ])

  static let memory = CommandSpec(
    "memory", "List, search, add and delete memories", heading: "Records",
    examples: [
      Example("List the memories", "rasa memory list"),
      Example("Search them", "rasa memory search risk tolerance"),
      Example(
        "Make a persona remember something",
        "rasa memory add -p strategic_stock_analyst \"I never buy tobacco.\""),
    ],
    subcommands: [
      CommandSpec(
        "list", "List memories, the latest first",
        examples: [
          Example("The latest", "rasa memory list"),
          Example(
            "All memories of one persona, for a program",
            "rasa memory list -p strategic_stock_analyst --limit 1000 --json"),
        ],
        options: [.anyPersona, .user, .limit, .json]),
      CommandSpec(
        "search", "Search memories, the best match first",
        examples: [
          Example("Search them", "rasa memory search risk tolerance"),
          Example(
            "In one persona's memories", "rasa memory search -p strategic_stock_analyst tobacco"),
        ],
        arguments: [ArgumentSpec("QUERY", "The words to look for", repeats: true)],
        options: [.anyPersona, .user, .limit, .json]),
      CommandSpec(
        "add", "Add a memory",
        examples: [
          Example(
            "Remember a fact",
            "rasa memory add --persona strategic_stock_analyst \"I never buy tobacco.\"")
        ],
        arguments: [ArgumentSpec("TEXT", "What to remember", repeats: true)],
        options: [.persona.saying("The persona that remembers it"), .user, .json]),
      CommandSpec(
        "forget", "Delete memories",
        examples: [
          Example("Delete two by number", "rasa memory forget 12 15"),
          Example(
            "Delete all memories of one persona",
            "rasa memory forget --all --persona strategic_stock_analyst"),
        ],
        arguments: [
          ArgumentSpec(
            "ID", "The memories' numbers; see `rasa memory list`", isOptional: true,
            repeats: true)
        ],
        options: [
          OptionSpec("all", .flag(isNegatable: false), "Delete all of the user's memories"),
          .anyPersona, .user, .json,
        ],
        rules: [
          .exactlyOne([.arguments, .option("all")]),
          .only(option: "persona", with: "all"),
        ]),
    ])
}
