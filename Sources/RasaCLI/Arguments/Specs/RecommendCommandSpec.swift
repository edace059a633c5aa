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
        "Send the task, and agents that are new, to this model, and count those near to the task as "
          + "related; `off` asks nobody",
        defaultsTo: .described("as config.yaml says, else off")),
      OptionSpec(
        "limit", .value(placeholder: "N", .integer(1...100_000)), "At most so many",
        defaultsTo: .value("5")),
      OptionSpec(
        "explain", .flag(isNegatable: false), "Show every term of each score, and what it is for"),
      OptionSpec(
        "all", .flag(isNegatable: false), "List agents that do not fit as well"), .json,
    ],
    notes: [
      HelpNote(
        "Score",
        rows: [
          (
            "0–100", "what of the task its capabilities meet: 10 points exact, 5 in part, 2 related"
          ),
          ("0–20", "how near its profile is to what the task asks for"),
          ("0–10", "what a usual answer costs: from a dollar to a hundredth of a cent"),
          ("0–10", "whether its model can be asked: available 10, unknown 5"),
        ]),
      HelpNote(
        "Verdict",
        "50 and more is recommended, 30 and more acceptable; an agent without any capability that "
          + "has to do with the task is neither. The order also goes by how well the agent's "
          + "description, examples and prompt fit the task."),
      HelpNote(
        "Embeddings",
        "Vectors of texts come from OpenAI, Gemini, Ollama and servers that speak as they do. Those "
          + "of agents are kept, so that each is paid for once; what is asked for is a run, with "
          + "its limits and costs, under the name `embeddings`."),
      HelpNote("Exit code", "0 also when nothing fits."),
    ])
}
