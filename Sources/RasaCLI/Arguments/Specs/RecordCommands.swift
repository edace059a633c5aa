/// What is kept between runs.
extension CommandSpec {
  static let sessions = CommandSpec(
    "sessions", "List, show and delete conversations", heading: "What is kept",
    examples: [
      Example("See the conversations so far", "rasa sessions list"),
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
        arguments: [ArgumentSpec("ID", "The session's name, as `rasa sessions list` shows it")],
        options: [.sessionsOf, .json]),
      CommandSpec(
        "delete", "Delete a conversation",
        examples: [Example("Forget one", "rasa sessions delete nvidia")],
        arguments: [ArgumentSpec("ID", "The session's name, as `rasa sessions list` shows it")],
        options: [.sessionsOf, .json]),
    ])

  static let memory = CommandSpec(
    "memory", "See and change what personas remember", heading: "What is kept",
    examples: [
      Example("See what is remembered", "rasa memory list"),
      Example("Look for something", "rasa memory search risk tolerance"),
      Example(
        "Tell a persona something for good",
        "rasa memory add -p strategic_stock_analyst \"I never buy tobacco.\""),
    ],
    subcommands: [
      CommandSpec(
        "list", "List what is remembered, the latest first",
        examples: [
          Example("The latest", "rasa memory list"),
          Example(
            "All that one persona remembers, for a program",
            "rasa memory list -p strategic_stock_analyst --limit 1000 --json"),
        ],
        options: [.anyPersona, .user, .limit, .json]),
      CommandSpec(
        "search", "Find memories by their words, the best match first",
        examples: [
          Example("Look for something", "rasa memory search risk tolerance"),
          Example(
            "In one persona's memories", "rasa memory search -p strategic_stock_analyst tobacco"),
        ],
        arguments: [ArgumentSpec("QUERY", "The words to look for", repeats: true)],
        options: [.anyPersona, .user, .limit, .json]),
      CommandSpec(
        "add", "Tell a persona something to remember",
        examples: [
          Example(
            "Remember a fact",
            "rasa memory add --persona strategic_stock_analyst \"I never buy tobacco.\"")
        ],
        arguments: [ArgumentSpec("TEXT", "What to remember", repeats: true)],
        options: [.persona.saying("The persona that is to remember it"), .user, .json]),
      CommandSpec(
        "forget", "Forget memories for good",
        examples: [
          Example("Forget two, by the numbers that the list shows", "rasa memory forget 12 15"),
          Example(
            "Forget all that one persona remembers",
            "rasa memory forget --all --persona strategic_stock_analyst"),
        ],
        arguments: [
          ArgumentSpec(
            "ID", "What to forget, as `rasa memory list` numbers it", isOptional: true,
            repeats: true)
        ],
        options: [
          OptionSpec("all", .flag(isNegatable: false), "Forget everything of the user"),
          .anyPersona, .user, .json,
        ],
        rules: [
          .exactlyOne([.arguments, .option("all")]),
          .only(option: "persona", with: "all"),
        ]),
    ])
}
