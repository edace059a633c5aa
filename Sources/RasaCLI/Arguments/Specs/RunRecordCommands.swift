/// What has been run: looked at, compared, taken along and cleaned up.
extension CommandSpec {
  static let runs = CommandSpec(
    "runs", "Inspect runs: what they did, what they cost, where they diverge",
    heading: "Records",
    examples: [
      Example("List the latest", "rasa runs list"),
      Example("Show one, by the start of its ID", "rasa runs show r01h5"),
      Example("Follow a running one", "rasa runs events r01h5 --follow"),
      Example(
        "Run it again with another verdict, and pay only for what changes",
        "rasa runs fork r01h5 --set critique.verdict=pass"),
    ],
    subcommands: [
      list, show, events, compare, fork, cancel, export, delete, prune,
    ])

  private static let list = CommandSpec(
    "list", "List runs, the latest first",
    examples: [
      Example("The latest", "rasa runs list"),
      Example(
        "Those that wait for a person or were interrupted",
        "rasa runs list --status parked --status interrupted"),
      Example("One persona's, for a program", "rasa runs list -p contract_reviewer --json"),
    ],
    options: [
      .ofSession, .anyPersona,
      .status(statuses).saying("Only runs with this status"),
      OptionSpec(
        "all", .flag(isNegatable: false),
        "Also list what rasa runs for itself: vectors of memories, summaries of conversations"),
      .limit, .json,
    ],
    notes: [
      HelpNote("Status", rows: statuses.map { ($0.word, $0.help) }),
      HelpNote(
        "Resuming",
        "`rasa resume` resumes runs that are answered, interrupted, died or failed, from where they "
          + "stopped."),
    ])

  private static let statuses = [
    Choice("running", help: "a process is working on it"),
    Choice("parked", help: "it waits for a person: `rasa approvals list`"),
    Choice("answered", help: "it was parked, and every question is answered"),
    Choice("interrupted", help: "somebody stopped it"),
    Choice("died", help: "its process ended unexpectedly"),
    Choice("done", help: "it finished with an answer"),
    Choice("failed", help: "it ended without an answer"),
    Choice("cancelled", help: "it was cancelled"),
  ]

  private static let show = CommandSpec(
    "show", "Show what a run did, step by step",
    examples: [
      Example("One run", "rasa runs show r01h5"),
      Example("With all texts in full", "rasa runs show r01h5 --verbose"),
      Example("Draw its path as Mermaid, for Markdown", "rasa runs show r01h5 --mermaid"),
      Example("How good it was, and its points", "rasa runs show r01h5 --reward"),
    ],
    arguments: [.run],
    options: [
      .json,
      OptionSpec(
        "reward", .flag(isNegatable: false), "Show the score and the reward, term by term"),
      OptionSpec("mermaid", .flag(isNegatable: false), "Draw the path as Mermaid"),
      .verbose.saying("Show texts in full"),
    ],
    rules: [
      .atMostOne([.option("json"), .option("mermaid")]),
      .atMostOne([.option("reward"), .option("mermaid")]),
      .atMostOne([.option("reward"), .option("verbose")]),
    ])

  private static let events = CommandSpec(
    "events", "Print a run's journal, line by line",
    examples: [
      Example("All of it", "rasa runs events r01h5"),
      Example("Follow it until the run stops", "rasa runs events r01h5 --follow"),
      Example(
        "The lines after 40, for a program", "rasa runs events r01h5 --since 40 --json"),
    ],
    arguments: [.run],
    options: [
      OptionSpec(
        "follow", short: "f", .flag(isNegatable: false),
        "Keep printing until the run ends or parks, or its process dies"),
      OptionSpec(
        "since", .value(placeholder: "SEQ", .integer(0...1_000_000_000)),
        "Only lines after this one", defaultsTo: .value("0")),
      .json.saying("Print one JSON document per line"),
    ])

  private static let compare = CommandSpec(
    "compare", "Show where two runs diverge: state, prompts, cost",
    examples: [
      Example("Why did they answer differently?", "rasa runs compare r01h5 r01h9"),
      Example("For a program", "rasa runs compare r01h5 r01h9 --json"),
    ],
    arguments: [
      ArgumentSpec("A", "A run's ID or the start of it", completes: .runs),
      ArgumentSpec("B", "Another run", completes: .runs),
    ],
    options: [.json])

  private static let fork = CommandSpec(
    "fork", "Start a new run that reuses another one's answers",
    examples: [
      Example(
        "As if the critic had passed the draft",
        "rasa runs fork r01h5 --set critique.verdict=pass"),
      Example(
        "From line 40 on, with a changed persona",
        "rasa runs fork r01h5 --at 40 --persona ./my_analyst.yaml"),
      Example(
        "Show what would be reused and what the rest can cost",
        "rasa runs fork r01h5 --input \"And AMD?\" --dry-run"),
    ],
    arguments: [.run],
    options: [
      OptionSpec(
        "at", .value(placeholder: "SEQ", .integer(1...1_000_000_000)),
        "Reuse the journal up to this line, as numbered by `rasa runs events`",
        heading: "What changes", defaultsTo: .described("all of it")),
      OptionSpec(
        "set", .value(placeholder: "KEY=VALUE", .assignment),
        "Replace a value that an operator wrote, as JSON or text",
        heading: "What changes", repeats: true),
      OptionSpec(
        "persona", short: "p", .value(placeholder: "NAME", .text), "Another persona or its file",
        heading: "What changes", defaultsTo: .described("the run's own"),
        discovery: "rasa personas list"
      ).completing(.personas),
      OptionSpec(
        "input", short: "i", .value(placeholder: "TEXT", .text), "Another question",
        heading: "What changes", defaultsTo: .described("the run's own")),
      .preferences.saying("Another preference").under("What changes"),
      .session.under("What changes"),
      .user.under("What changes"),
    ] + .modelAndMoney + .answerOutput + [
      .approval.under("Running"),
      .trust,
      OptionSpec(
        "dry-run", .flag(isNegatable: false),
        "Show what would be reused and what the rest can cost; call no model", heading: "Running"),
    ],
    rules: [.atMostOne([.option("verbose"), .option("quiet")])],
    notes: [
      HelpNote(
        "What is reused",
        "An answer is reused where the same operator sends the same prompt, a person's decision "
          + "where the text is the same. Everything else is asked again; its maximum cost is printed "
          + "first.")
    ])

  private static let cancel = CommandSpec(
    "cancel", "Cancel runs, whichever process runs them",
    examples: [Example("Cancel one", "rasa runs cancel r01h5")],
    arguments: [.runs], options: [.json])

  private static let export = CommandSpec(
    "export", "Export a run's journal, or a test made from it",
    examples: [
      Example("The whole journal", "rasa runs export r01h5 --output run.jsonl"),
      Example("A test that runs offline", "rasa runs export r01h5 --as-test tests"),
    ],
    arguments: [.run],
    options: [
      OptionSpec(
        "output", short: "o", .value(placeholder: "FILE", .text), "The file to write",
        defaultsTo: .described("standard output")
      ).completing(.files),
      OptionSpec(
        "as-test", .value(placeholder: "DIR", .text),
        "Write a test to this folder, for `rasa test`"
      ).completing(.folders),
    ],
    rules: [.atMostOne([.option("output"), .option("as-test")])])

  private static let delete = CommandSpec(
    "delete", "Delete runs and their journals",
    examples: [Example("Delete two", "rasa runs delete r01h5 r01h9")],
    arguments: [.runs], options: [.json],
    notes: [HelpNote("What stays", whatStays)])

  private static let prune = CommandSpec(
    "prune", "Delete old runs",
    examples: [
      Example("Show what would be deleted", "rasa runs prune --dry-run"),
      Example("Failed runs older than a week", "rasa runs prune --older-than 7d --status failed"),
    ],
    options: [
      OptionSpec(
        "older-than", .value(placeholder: "AGE", .age),
        "Only runs that have not changed for this long",
        defaultsTo: .value("30d")),
      .status(["done", "failed", "cancelled", "parked"])
        .saying("Only runs with this status, instead of done, failed and cancelled"),
      OptionSpec("dry-run", .flag(isNegatable: false), "Only show what would be deleted"),
      .json,
    ],
    notes: [HelpNote("What stays", whatStays)])

  private static let whatStays =
    "Costs, memories and conversations."

  static let test = CommandSpec(
    "test", "Replay runs that were exported as tests", heading: "Inspect",
    examples: [
      Example("Replay every test in a folder, without a model", "rasa test tests"),
      Example("Accept the new results as expected", "rasa test tests --update"),
      Example("For a program", "rasa test tests --json"),
    ],
    arguments: [
      ArgumentSpec(
        "DIR", "Folders or files that `rasa runs export --as-test` wrote", repeats: true,
        completes: .files)
    ],
    options: [
      OptionSpec(
        "update", .flag(isNegatable: false),
        "Accept the new results as expected, if every question has an answer"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "Use the personas stored in the tests instead of the current ones"),
      .json,
    ])
}

extension ArgumentSpec {
  static let run = ArgumentSpec(
    "RUN", "The run's ID or the start of it; see `rasa runs list`", completes: .runs)
  static let runs = ArgumentSpec(
    "RUN", "The runs' IDs or the start of each; see `rasa runs list`", repeats: true,
    completes: .runs)
}

extension OptionSpec {
  static let ofSession = OptionSpec(
    "session", short: "s", .value(placeholder: "NAME", .text), "Only this conversation's",
    discovery: "rasa sessions list"
  ).completing(.sessions)

  static func status(_ words: [Choice]) -> OptionSpec {
    OptionSpec(
      "status", .value(placeholder: "WORD", .choice(words)), "Only those with this status",
      repeats: true)
  }
}
