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
        "Send the task and new agents to this embedding model, and count agents that stand out as "
          + "near to the task; `off` sends nothing",
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
          ("0–100", "how well its capabilities, and what else is written of it, fit the task"),
          ("0–20", "how near its profile is to what the task asks for"),
          ("0–10", "what a usual answer costs: from a dollar to a hundredth of a cent"),
          ("0–10", "whether its model can be asked: available 10, unknown 5"),
        ]),
      HelpNote(
        "Order",
        "By the score. The last three parts count as far as the agent fits: who does not fit gains "
          + "nothing by being cheap. Where no capabilities are declared, they are read from id, name, "
          + "description, headings and examples."),
      HelpNote(
        "Verdict",
        "50 and more is recommended, 30 and more acceptable. Where no agent comes to 30, none fits, "
          + "and those that come nearest are named."),
      HelpNote(
        "Embeddings",
        "Vectors of texts come from OpenAI, Gemini, Ollama and servers that speak as they do. Those "
          + "of agents are kept, so that each is paid for once; what is asked for is a run, with "
          + "its limits and costs, under the name `embeddings`."),
      HelpNote("Exit code", "0 also when nothing fits."),
    ])
}
