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
        Choice(
          "api",
          refusal: "this version runs locally only; running on a server comes with `rasa serve`"),
      ])),
    "Where personas run; `direct` is another word for local", defaultsTo: .value("local"))
  static let apiURL = OptionSpec(
    "api-url", .value(placeholder: "URL", .text), "The server to run on", isHidden: true,
    refusal: "this version runs locally only; running on a server comes with `rasa serve`")

  static let json = OptionSpec("json", .flag(isNegatable: false), "Print JSON")
  static let user = OptionSpec(
    "user", .value(placeholder: "NAME", .text), "Whose sessions and memories are used",
    defaultsTo: .described("your login name"))
  static let sessionsOf = OptionSpec(
    "user", .value(placeholder: "NAME", .text), "Whose session is meant",
    defaultsTo: .described("your login name"))
  static let anyUser = OptionSpec(
    "user", .value(placeholder: "NAME", .text), "Only of this user")
  static let limit = OptionSpec(
    "limit", .value(placeholder: "N", .integer(1...100_000)), "At most so many",
    defaultsTo: .value("20"))
  static let persona = OptionSpec(
    "persona", short: "p", .value(placeholder: "NAME", .text), "The persona that answers",
    isRequired: true, discovery: "rasa personas list")
  static let agent = OptionSpec(
    "agent", .value(placeholder: "ID", .text), "The agent that answers",
    discovery: "rasa agents list")
  static let anyPersona = OptionSpec(
    "persona", short: "p", .value(placeholder: "NAME", .text), "Only of this persona",
    discovery: "rasa personas list")
  static let preferences = OptionSpec(
    "preferences", .value(placeholder: "KEY=VALUE", .pair),
    "What you prefer, such as risk_tolerance=low", repeats: true)
  static let session = OptionSpec(
    "session", short: "s", .value(placeholder: "NAME", .text),
    "Continue this conversation, or begin it", discovery: "rasa sessions list")

  static let profile = OptionSpec(
    "profile",
    .value(placeholder: "WORD", .choice(["speed", "balanced", "thinking", "expert"])),
    "What matters most in choosing a model", defaultsTo: .described("as the persona says"))
  static let model = OptionSpec(
    "model", .value(placeholder: "[ENGINE:]MODEL", .text),
    "Use this model, such as ollama:llama3.2, openai:gpt-4o-mini or mock",
    defaultsTo: .described("as the persona says"))
  static let premium = OptionSpec(
    "premium", .flag(isNegatable: false), "Allow the persona's premium model")
  static let maxCost = OptionSpec(
    "max-cost", .value(placeholder: "USD", .money), "Spend no more than this on one answer",
    defaultsTo: .described("as the persona says"))
  static let maxSeconds = OptionSpec(
    "max-seconds", .value(placeholder: "N", .integer(1...604_800)),
    "Take no longer than this for one answer", heading: "Running",
    defaultsTo: .described("as the persona says, else 300"))
  static let strict = OptionSpec(
    "strict", .flag(isNegatable: false),
    "End with exit code 8 when the end of the answer is missing", heading: "Output")
  static let force = OptionSpec(
    "force", .flag(isNegatable: false),
    "Go past the limit on one answer; the limits per day and month still hold")
  static let allowBudgetExceed = OptionSpec(
    "allow-budget-exceed", .flag(isNegatable: false),
    "Only warn when a limit per day or month is reached")
  static let explainSelection = OptionSpec(
    "explain-selection", .flag(isNegatable: false),
    "Tell before each call why which model is asked, term by term")
  static let showReasoning = OptionSpec(
    "show-reasoning", .flag(isNegatable: false),
    "Show what models think before they answer, on standard error", heading: "Output")
  static let approval = OptionSpec(
    "approval", .value(placeholder: "HOW", .choice(["ask", "deny", "allow", "defer"])),
    "What to do when a person has to agree", defaultsTo: .value("ask"))
  static let stream = OptionSpec(
    "stream", .flag(isNegatable: true), "Print the answer as it arrives", heading: "Output",
    defaultsTo: .value("true"))
  static let plain = OptionSpec(
    "plain", .flag(isNegatable: false),
    "On a terminal, print the answer as it is: Markdown unrendered, lines unwrapped",
    heading: "Output")
  static let outputFormat = OptionSpec(
    "output-format", .value(placeholder: "FORMAT", .choice(["text", "json", "stream-json"])),
    "What standard output carries", heading: "Output", defaultsTo: .value("text"))
  static let jsonFormat = OptionSpec(
    "json", .shorthand(option: "output-format", value: "json"),
    "The same as `--output-format json`", heading: "Output")
  static let record = OptionSpec(
    "record", .value(placeholder: "FILE", .text),
    "Write everything that the run has from outside to this file, for `--replay`")
  static let replay = OptionSpec(
    "replay", .value(placeholder: "FILE", .text),
    "Take everything from this file that `--record` wrote; nobody is asked")
  static let trust = OptionSpec(
    "trust", .flag(isNegatable: false),
    "Agree, for this command, to what the files of this folder change", heading: "Running")
  static let verbose = OptionSpec(
    "verbose", short: "v", .flag(isNegatable: false),
    "Tell on standard error what every step does")
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
