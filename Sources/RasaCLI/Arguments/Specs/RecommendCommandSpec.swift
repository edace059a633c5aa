/// Which agent fits a task.
extension CommandSpec {
  static let agentsRecommend = CommandSpec(
    "recommend", "Say which agents fit a task, and why",
    examples: [
      Example("Who should do this?", "rasa agents recommend \"Design a REST API for invoices\""),
      Example(
        "For little money, and in a hurry",
        "rasa agents recommend --profile speed --max-cost 0.01 \"Fix my typos\""),
      Example(
        "Every term of every score", "rasa agents recommend --explain --all \"Review this diff\""),
      Example(
        "Also by what is meant and not said",
        "rasa agents recommend --embeddings openai:text-embedding-3-small \"Mach die Tests heil\""),
      Example("A task from a file, for a program", "rasa agents recommend --json - < task.txt"),
    ],
    arguments: [
      ArgumentSpec(
        "TASK", "What is to be done, in your own words; `-`, or a pipe, is standard input",
        isOptional: true, repeats: true)
    ],
    options: [
      OptionSpec(
        "profile",
        .value(placeholder: "WORD", .choice(["speed", "balanced", "thinking", "expert"])),
        "What kind of agent is wanted", defaultsTo: .described("as the task's words say")),
      OptionSpec(
        "max-cost", .value(placeholder: "USD", .money),
        "Only agents whose usual answer costs no more than this; nor may the vectors"),
      OptionSpec(
        "embeddings", .value(placeholder: "[ENGINE:]MODEL", .text),
        "Send the task, and agents that are new, to this model, and count those that stand out as "
          + "near to the task; `off` asks nobody",
        defaultsTo: .described("as config.yaml says, else off")),
      .agents,
      OptionSpec(
        "limit", .value(placeholder: "N", .integer(1...100_000)), "At most so many",
        defaultsTo: .value("5")),
      OptionSpec(
        "explain", .flag(isNegatable: false), "Show every term of each score, and what it is for"),
      OptionSpec(
        "all", .flag(isNegatable: false), "List agents that do not fit as well"), .trust, .json,
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
