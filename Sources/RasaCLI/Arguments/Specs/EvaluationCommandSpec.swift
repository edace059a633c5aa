/// Cases whose answers are measured.
extension CommandSpec {
  static let eval = CommandSpec(
    "eval", "Measure answers against cases, in several trials", heading: "Inspect",
    examples: [
      Example("What would it cost?", "rasa eval tests --dry-run"),
      Example(
        "Five trials of each case with two models",
        "rasa eval tests --trials 5 --model openai:gpt-4o-mini --model ollama:llama3.2"),
      Example("Keep the results under a name", "rasa eval tests --trials 5 --name main"),
      Example(
        "Fail in CI only if it has become worse",
        "rasa eval tests --trials 5 --against main --tolerance 0.02 --junit eval.xml"),
    ],
    arguments: [
      ArgumentSpec(
        "DIR", "Folders or files with cases in YAML, and recordings, which are replayed",
        repeats: true, completes: .files)
    ],
    options: [
      OptionSpec(
        "persona", short: "p", .value(placeholder: "NAME", .text),
        "Ask this persona, whatever the cases say", discovery: "rasa personas list"
      ).completing(.personas),
      OptionSpec(
        "agent", .value(placeholder: "ID", .text), "Ask this agent, whatever the cases say",
        discovery: "rasa agents list"
      ).completing(.agents),
      OptionSpec(
        "model", .value(placeholder: "[ENGINE:]MODEL", .text),
        "Ask this model; more than one are compared", defaultsTo: .described("the persona's"),
        repeats: true
      ).completing(.models),
      OptionSpec(
        "judge", .value(placeholder: "[ENGINE:]MODEL", .text), "The model that judges",
        defaultsTo: .described("the recommended one, unless it gave the answer")
      ).completing(.models),
      OptionSpec(
        "trials", .value(placeholder: "N", .integer(1...1000)),
        "Ask so often, where a case does not say", defaultsTo: .value("1")),
      OptionSpec(
        "tolerance", .value(placeholder: "SHARE", .text),
        "The share of trials that may fail, such as 0.02; with `--against`, how much worse it may be",
        defaultsTo: .value("0")),
      OptionSpec(
        "against", .value(placeholder: "BASELINE", .text),
        "Compare with an earlier evaluation: its name, ID or file"),
      OptionSpec(
        "max-cost", .value(placeholder: "USD", .money), "Spend no more than this on all of it"),
      OptionSpec(
        "jobs", .value(placeholder: "N", .integer(1...64)), "Run so many trials at once",
        defaultsTo: .value("4")),
      OptionSpec(
        "name", .value(placeholder: "NAME", .text), "Keep the results under this name"),
      OptionSpec(
        "results", .value(placeholder: "DIR", .text), "Where results are kept",
        defaultsTo: .value(".rasa/eval")
      ).completing(.files),
      OptionSpec(
        "fresh", .flag(isNegatable: false), "Ask everything anew, even what has not changed"),
      OptionSpec(
        "dry-run", .flag(isNegatable: false), "Show what it would cost, and stop"),
      OptionSpec(
        "junit", .value(placeholder: "FILE", .text), "Also write a report as JUnit XML"
      ).completing(.files),
      .trust, .json,
    ],
    notes: [
      HelpNote(
        "Exit code",
        "0 if all cases pass; with `--against`, if it is not worse than the baseline. Else 1; 3 if a "
          + "file is broken, 6 if a limit of cost kept trials from being made.")
    ])
}
