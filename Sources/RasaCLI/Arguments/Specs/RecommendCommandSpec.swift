/// Which agent fits a task.
extension CommandSpec {
  static let agentsRecommend = CommandSpec(
    "recommend", "Recommend agents for a task, with reasons",
    examples: [
      Example("Who should do this?", "rasa agents recommend \"Design a REST API for invoices\""),
      Example(
        "Fast and cheap",
        "rasa agents recommend --profile speed --max-cost 0.01 \"Correct the spelling of this letter\""
      ),
      Example(
        "Every term of every score", "rasa agents recommend --explain --all \"Review this diff\""),
      Example(
        "Also by meaning, with embeddings",
        "rasa agents recommend --embeddings openai:text-embedding-3-small \"Mach die Tests heil\""),
      Example("A task from a file, for a program", "rasa agents recommend --json - < task.txt"),
    ],
    arguments: [
      ArgumentSpec(
        "TASK", "The task in your own words; `-` or a pipe reads standard input",
        isOptional: true, repeats: true)
    ],
    options: [
      OptionSpec(
        "profile",
        .value(placeholder: "WORD", .choice(Choice.profiles)),
        "What kind of agent to prefer", defaultsTo: .described("derived from the task")),
      OptionSpec(
        "max-cost", .value(placeholder: "USD", .money),
        "Only agents whose typical answer costs no more than this; also limits embeddings"),
      OptionSpec(
        "embeddings", .value(placeholder: "[ENGINE:]MODEL", .text),
        "Send the task and new agents to this embedding model, and rank agents that are clearly "
          + "similar higher; `off` sends nothing",
        defaultsTo: .described("config.yaml's, else off")
      ).completing(.models),
      .agents,
      OptionSpec(
        "limit", .value(placeholder: "N", .integer(1...100_000)), "Show at most this many",
        defaultsTo: .value("5")),
      OptionSpec(
        "explain", .flag(isNegatable: false), "Show every term of each score"),
      OptionSpec(
        "all", .flag(isNegatable: false), "Also list agents that do not fit"), .trust, .json,
    ],
    notes: [
      HelpNote(
        "Score",
        rows: [
          ("0–100", "how well its capabilities and description match the task"),
          ("0–20", "how close its profile is to what the task needs"),
          ("0–10", "what a typical answer costs: from a dollar down to a hundredth of a cent"),
          ("0–10", "whether its model is available: 10 if so, 5 if unknown"),
        ]),
      HelpNote(
        "Order",
        "By score. The last three parts count only in proportion to the first: being cheap does not "
          + "help an agent that does not fit. An agent that declares no capabilities gets them from "
          + "its ID, name, description, headings and examples."),
      HelpNote(
        "Verdict",
        "50 or more is recommended, 30 or more acceptable. If no agent reaches 30, none fits, and "
          + "the closest are listed."),
      HelpNote(
        "Embeddings",
        "Embeddings come from OpenAI, Gemini, Ollama and compatible servers. Those of agents are "
          + "stored, so each is paid for once. Requests for embeddings form a run named "
          + "`embeddings`, with limits and costs of its own."),
      HelpNote("Exit code", "0 even if no agent fits."),
    ])
}
