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
}
