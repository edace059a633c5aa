/// Which models there are, and the providers that have them.
extension CommandSpec {
  static let models = CommandSpec(
    "models", "List models, their prices and their state", heading: "Inspect",
    examples: [
      Example("Available models and their prices", "rasa models list"),
      Example("One model in detail", "rasa models show claude-haiku-4-5"),
      Example("Ask the providers for their models", "rasa models check"),
      Example("Import current prices", "rasa models import data.json"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the models of the configured providers",
        examples: [
          Example("All available models", "rasa models list"),
          Example("One provider's", "rasa models list --provider openai"),
          Example("Every model of the catalogue, for a program", "rasa models list --all --json"),
        ],
        options: [
          OptionSpec(
            "provider", .value(placeholder: "NAME", .text), "Only this provider's or vendor's",
            discovery: "rasa llm info"
          ).completing(.providers),
          OptionSpec(
            "all", .flag(isNegatable: false), "Every model of the catalogue, reachable or not"),
          .json,
        ],
        notes: [
          HelpNote(
            "State",
            rows: [
              ("available", "it answered or was listed within five minutes"),
              ("unavailable", "it failed recently, and is not tried yet"),
              ("unknown", "not asked recently; it is tried when needed"),
            ]),
          HelpNote(
            "What is listed",
            "Every catalogue model of vendors, and the models seen on other servers. "
              + "`rasa models check` asks them."),
        ]),
      CommandSpec(
        "show", "Show a model: facts, prices, past performance",
        examples: [
          Example("Read one", "rasa models show gpt-5.6-luna"),
          Example("As offered by one provider", "rasa models show ollama:llama3.2"),
          Example("For a program", "rasa models show gemini-2.5-pro --json"),
        ],
        arguments: [.model()], options: [.json],
        notes: [
          HelpNote(
            "The estimate",
            "Before a call rasa estimates an upper bound of its input tokens. The table shows, for "
              + "each kind of text, how far the estimates were above the provider's count, and how "
              + "often they were below.")
        ]),
      CommandSpec(
        "check", "Ask the providers for their models",
        examples: [
          Example("All of them", "rasa models check"),
          Example("Two by name; fails if one is missing", "rasa models check gpt-4o llama3.2"),
          Example("For a program", "rasa models check --json"),
        ],
        arguments: [.model(isOptional: true)], options: [.json],
        notes: [
          HelpNote(
            "Cost",
            "None: only lists are requested. They are remembered for five minutes.")
        ]),
      CommandSpec(
        "import", "Import prices from genai-prices or LiteLLM",
        examples: [
          Example("LiteLLM's list", "rasa models import model_prices_and_context_window.json"),
          Example(
            "Two providers of genai-prices, under a name of your own",
            "rasa models import data.json --name mine --provider groq --provider mistral"),
        ],
        arguments: [
          ArgumentSpec(
            "FILE",
            "genai-prices' data.json or LiteLLM's model_prices_and_context_window.json; `-` reads "
              + "standard input", completes: .files)
        ],
        options: [
          OptionSpec(
            "name", .value(placeholder: "NAME", .text), "The name of the catalogue to write",
            defaultsTo: .described("the format's name")),
          OptionSpec(
            "provider", .value(placeholder: "NAME", .text),
            "Only this provider, as named in the file",
            defaultsTo: .described("all of them"), repeats: true),
          .json,
        ],
        notes: [
          HelpNote(
            "Where it goes",
            "To `models/NAME.json` beside your config.yaml. Files there are read in the order of "
              + "their names; the first price counts, and shipped prices come last.")
        ]),
    ])

  static let llm = CommandSpec(
    "llm", "Show how providers are configured, and whether they respond", heading: "Set up",
    examples: [
      Example("Configured providers, and by what", "rasa llm info"),
      Example("Do they respond?", "rasa llm health"),
    ],
    subcommands: [
      CommandSpec(
        "info", "Show the configured providers, and what configures each",
        examples: [
          Example("For people", "rasa llm info"), Example("For a program", "rasa llm info --json"),
        ],
        options: [.json],
        notes: [HelpNote("Keys", "Never shown; only the variable that holds each.")]),
      CommandSpec(
        "health", "Check whether all providers respond",
        examples: [
          Example("For people", "rasa llm health"),
          Example("For a program", "rasa llm health --json"),
        ],
        options: [.json],
        notes: [
          HelpNote(
            "Exit code", "5 if none of them responds. No model is called, so it costs nothing.")
        ]),
    ])
}

extension ArgumentSpec {
  fileprivate static func model(isOptional: Bool = false) -> ArgumentSpec {
    ArgumentSpec(
      "MODEL",
      isOptional
        ? "Models, with or without `ENGINE:` in front; every provider's by default"
        : "The model, with or without `ENGINE:` in front", isOptional: isOptional,
      repeats: isOptional, completes: .models)
  }
}
