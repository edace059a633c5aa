/// Options that several commands take, declared once.
extension OptionSpec {
  static let help = OptionSpec("help", short: "h", .flag(isNegatable: false), "Show this help")
  static let version = OptionSpec("version", .flag(isNegatable: false), "Print the version")

  static let mode = OptionSpec(
    "mode",
    .value(
      placeholder: "MODE",
      .choice([
        "local", Choice("direct", means: "local"),
        Choice("api", help: "on a server, see `--api-url`"),
      ])),
    "Where `run` runs; `direct` means local", defaultsTo: .value("local"))
  static let apiURL = OptionSpec(
    "api-url", .value(placeholder: "URL", .text),
    "The server of `--mode api`; its token is in `RASA_TOKEN`, or that of a server here",
    defaultsTo: .described("this machine, port 8000"))

  static let json = OptionSpec("json", .flag(isNegatable: false), "Print JSON")
  static let asOf = OptionSpec(
    "as-of", .value(placeholder: "DAY", .day),
    "Recall what held, and had been said, at the end of this day, such as 2026-01-31 or 90d",
    defaultsTo: .described("today"))
  static let user = OptionSpec(
    "user", .value(placeholder: "NAME", .text), "Whose sessions and memories to use",
    defaultsTo: .described("your login name"))
  static let sessionsOf = OptionSpec(
    "user", .value(placeholder: "NAME", .text), "Whose session to use",
    defaultsTo: .described("your login name"))
  static let anyUser = OptionSpec(
    "user", .value(placeholder: "NAME", .text), "Only this user's")
  static let limit = OptionSpec(
    "limit", .value(placeholder: "N", .integer(1...100_000)), "Show at most this many",
    defaultsTo: .value("20"))
  static let persona = OptionSpec(
    "persona", short: "p", .value(placeholder: "NAME", .text), "The persona that answers",
    isRequired: true, discovery: "rasa personas list"
  ).completing(.personas)
  static let agent = OptionSpec(
    "agent", .value(placeholder: "ID", .text), "The agent that answers",
    discovery: "rasa agents list"
  ).completing(.agents)
  static let anyPersona = OptionSpec(
    "persona", short: "p", .value(placeholder: "NAME", .text), "Only this persona's",
    discovery: "rasa personas list"
  ).completing(.owners)
  static let preferences = OptionSpec(
    "preferences", .value(placeholder: "KEY=VALUE", .pair),
    "A preference, such as risk_tolerance=low", repeats: true)
  static let attach = OptionSpec(
    "attach", .value(placeholder: "FILE", .text),
    "An image, PDF or text that the question is about; `-` reads it from standard input",
    repeats: true)
  static let session = OptionSpec(
    "session", short: "s", .value(placeholder: "NAME", .text),
    "Continue this conversation, or start it", discovery: "rasa sessions list"
  ).completing(.sessions)

  static let profile = OptionSpec(
    "profile",
    .value(placeholder: "WORD", .choice(Choice.profiles)),
    "What matters most when choosing a model", defaultsTo: .described("the persona's"))
  static let model = OptionSpec(
    "model", .value(placeholder: "[ENGINE:]MODEL", .text),
    "Use this model, such as ollama:llama3.2, openai:gpt-4o-mini or mock",
    defaultsTo: .described("the persona's")
  ).completing(.models)
  static let premium = OptionSpec(
    "premium", .flag(isNegatable: false), "Allow the persona's premium model")
  static let maxCost = OptionSpec(
    "max-cost", .value(placeholder: "USD", .money), "Spend no more than this on one answer",
    defaultsTo: .described("the persona's"))
  static let maxSeconds = OptionSpec(
    "max-seconds", .value(placeholder: "N", .integer(1...604_800)),
    "Take no longer than this for one answer", heading: "Running",
    defaultsTo: .described("the persona's, else 300"))
  static let strict = OptionSpec(
    "strict", .flag(isNegatable: false),
    "Exit with code 8 if the answer is cut off", heading: "Output")
  static let force = OptionSpec(
    "force", .flag(isNegatable: false),
    "Exceed the limit per answer; daily and monthly limits still apply")
  static let allowBudgetExceed = OptionSpec(
    "allow-budget-exceed", .flag(isNegatable: false),
    "Only warn when a daily or monthly limit is reached")
  static let explainSelection = OptionSpec(
    "explain-selection", .flag(isNegatable: false),
    "Explain the choice of model before each call")
  static let showReasoning = OptionSpec(
    "show-reasoning", .flag(isNegatable: false),
    "Show the models' reasoning on standard error", heading: "Output")
  static let approval = OptionSpec(
    "approval",
    .value(
      placeholder: "HOW",
      .choice([
        Choice("ask", help: "ask at the terminal"), Choice("deny", help: "deny, and fail"),
        Choice("allow", help: "approve everything"),
        Choice("defer", help: "park the run until somebody answers"),
      ])),
    "What to do when a person must approve", defaultsTo: .value("ask"))
  static let stream = OptionSpec(
    "stream", .flag(isNegatable: true), "Print the answer as it arrives", heading: "Output",
    defaultsTo: .value("true"))
  static let plain = OptionSpec(
    "plain", .flag(isNegatable: false),
    "On a terminal, print the answer as it is: Markdown unrendered, lines unwrapped",
    heading: "Output")
  static let outputFormat = OptionSpec(
    "output-format",
    .value(
      placeholder: "FORMAT",
      .choice([
        Choice("text", help: "the answer alone"), Choice("json", help: "one document at the end"),
        Choice("stream-json", help: "one document a line, as things happen"),
      ])),
    "The format of standard output", heading: "Output", defaultsTo: .value("text"))
  static let jsonFormat = OptionSpec(
    "json", .shorthand(option: "output-format", value: "json"),
    "Short for `--output-format json`", heading: "Output")
  static let record = OptionSpec(
    "record", .value(placeholder: "FILE", .text),
    "Record every external response of the run in this file, for `--replay`"
  ).completing(.files)
  static let replay = OptionSpec(
    "replay", .value(placeholder: "FILE", .text),
    "Replay a file that `--record` wrote; no model and no person is asked"
  ).completing(.files)
  static let trust = OptionSpec(
    "trust", .flag(isNegatable: false),
    "Trust this folder's files for this command", heading: "Running")
  static let agents = OptionSpec(
    "agents", .value(placeholder: "ID,…", .text),
    "Use only these agents; `*` stands for any part of an ID", repeats: true
  ).completing(.agents)
  static let verbose = OptionSpec(
    "verbose", short: "v", .flag(isNegatable: false),
    "Report every step on standard error")
  static let quiet = OptionSpec(
    "quiet", short: "q", .flag(isNegatable: false), "Show no progress and no warnings")
}

extension [OptionSpec] {
  /// How an answer is shown: the same wherever a run goes on.
  static let answerOutput = [
    OptionSpec.stream, .plain, .outputFormat, .jsonFormat, .showReasoning, .verbose.under("Output"),
    .quiet.under("Output"),
  ]

  /// Which model answers, and for how much: the same wherever a persona runs.
  static let modelAndMoney = [
    OptionSpec.profile, .model, .premium, .maxCost, .force, .allowBudgetExceed, .explainSelection,
  ].map { $0.under("Model and money") }
}

extension Choice {
  static let profiles = [
    Choice("speed", help: "a quick answer from a small model"),
    Choice("balanced", help: "between the two"),
    Choice("thinking", help: "a model that reasons before it answers"),
    Choice("expert", help: "the best model that there is"),
  ]
}
