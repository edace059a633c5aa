/// Which models there are, and the providers that have them.
extension CommandSpec {
  static let models = CommandSpec(
    "models", "See which models can be asked, and what they cost", heading: "Look and check",
    examples: [
      Example("What can I ask, and for how much?", "rasa models list"),
      Example("Everything about one", "rasa models show claude-haiku-4-5"),
      Example("Ask the providers what they have now", "rasa models check"),
      Example("Take today's prices over", "rasa models import data.json"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the models that the configured providers have",
        examples: [
          Example("What can I ask?", "rasa models list"),
          Example("One provider's", "rasa models list --provider anthropic"),
          Example("Every model of the catalogue, for a program", "rasa models list --all --json"),
        ],
        options: [
          OptionSpec(
            "provider", .value(placeholder: "NAME", .text), "Only of this provider or vendor",
            discovery: "rasa llm info"),
          OptionSpec(
            "all", .flag(isNegatable: false), "Every model of the catalogue, reachable or not"),
          .json,
        ],
        notes: [
          HelpNote(
            "State",
            rows: [
              ("available", "it answered, or was listed, within five minutes"),
              ("unavailable", "it failed, and it is too early to ask again"),
              ("unknown", "nobody has asked it of late: it is tried when it is its turn"),
            ]),
          HelpNote(
            "What is listed",
            "Of vendors every model of the catalogue; of other servers what they were seen to "
              + "have. `rasa models check` asks them."),
        ]),
      CommandSpec(
        "show", "Show a model: facts, prices, how it has fared",
        examples: [
          Example("Read one", "rasa models show gpt-5.6-luna"),
          Example("As one provider has it", "rasa models show ollama:llama3.2"),
          Example("For a program", "rasa models show gemini-2.5-pro --json"),
        ],
        arguments: [.model()], options: [.json],
        notes: [
          HelpNote(
            "The estimate",
            "Before a call the tokens of its input are estimated from above. The table shows, for "
              + "each kind of text, how far above they were, and how often the provider counted "
              + "more.")
        ]),
      CommandSpec(
        "check", "Ask the providers which models they have now",
        examples: [
          Example("All of them", "rasa models check"),
          Example("Two by name; fails when one is not there", "rasa models check gpt-4o llama3.2"),
          Example("For a program", "rasa models check --json"),
        ],
        arguments: [.model(isOptional: true)], options: [.json],
        notes: [
          HelpNote(
            "What it costs",
            "Nothing: only lists are asked for. What they show is remembered for five minutes.")
        ]),
      CommandSpec(
        "import", "Take prices over from genai-prices or LiteLLM",
        examples: [
          Example("LiteLLM's list", "rasa models import model_prices_and_context_window.json"),
          Example(
            "Two providers of genai-prices, under a name of your own",
            "rasa models import data.json --name mine --provider groq --provider mistral"),
        ],
        arguments: [
          ArgumentSpec(
            "FILE",
            "genai-prices' data.json or LiteLLM's model_prices_and_context_window.json; `-` is "
              + "standard input")
        ],
        options: [
          OptionSpec(
            "name", .value(placeholder: "NAME", .text), "The name of the catalogue to write",
            defaultsTo: .described("the format's name")),
          OptionSpec(
            "provider", .value(placeholder: "NAME", .text),
            "Only of this provider, as the file calls it",
            defaultsTo: .described("all of them"), repeats: true),
          .json,
        ],
        notes: [
          HelpNote(
            "Where it goes",
            "Into `models/NAME.json` beside your config.yaml. All files there are read in the order "
              + "of their names, the first that has a price counts, and what ships comes last.")
        ]),
    ])

  static let llm = CommandSpec(
    "llm", "See how providers are configured, and whether they answer", heading: "Set up",
    examples: [
      Example("Which providers are configured, and by what?", "rasa llm info"),
      Example("Do they answer?", "rasa llm health"),
    ],
    subcommands: [
      CommandSpec(
        "info", "Show which providers are configured, and by what",
        examples: [
          Example("Read it", "rasa llm info"), Example("For a program", "rasa llm info --json"),
        ],
        options: [.json],
        notes: [HelpNote("Keys", "They are never shown: only which variable holds one.")]),
      CommandSpec(
        "health", "Ask all providers whether they answer",
        examples: [
          Example("Read it", "rasa llm health"), Example("For a program", "rasa llm health --json"),
        ],
        options: [.json],
        notes: [
          HelpNote(
            "Exit code", "5 when none of them answers. No model is asked, so it costs nothing.")
        ]),
    ])
}

extension ArgumentSpec {
  fileprivate static func model(isOptional: Bool = false) -> ArgumentSpec {
    ArgumentSpec(
      "MODEL",
      isOptional
        ? "Models, with or without `ENGINE:` before them; every provider's when left out"
        : "The model, with or without `ENGINE:` before it", isOptional: isOptional,
      repeats: isOptional)
  }
}
