/// What has been run: looked at, compared, taken along and cleaned up.
extension CommandSpec {
  static let runs = CommandSpec(
    "runs", "Look at runs: what they did, what they cost, where they part",
    heading: "What is kept",
    examples: [
      Example("See the latest", "rasa runs list"),
      Example("Read one, by the beginning of its name", "rasa runs show r01h5"),
      Example("Watch one that is under way", "rasa runs events r01h5 --follow"),
      Example(
        "Run it again with another verdict, paying only for what changes",
        "rasa runs fork r01h5 --set critique.verdict=accept"),
    ],
    subcommands: [
      list, show, events, compare, fork, cancel, export, delete, prune,
    ])

  private static let list = CommandSpec(
    "list", "List runs, the latest first",
    examples: [
      Example("The latest", "rasa runs list"),
      Example(
        "Those that wait for a person, or were interrupted",
        "rasa runs list --status parked --status interrupted"),
      Example("One persona's, for a program", "rasa runs list -p contract_reviewer --json"),
    ],
    options: [
      .ofSession, .anyPersona,
      .status([
        "running", "parked", "answered", "interrupted", "died", "done", "failed", "cancelled",
      ]).saying("Only those that are so"),
      .limit, .json,
    ],
    notes: [
      HelpNote(
        "Status",
        rows: [
          ("running", "a process is at work on it"),
          ("parked", "it waits for a person: `rasa approvals list`"),
          ("answered", "it was parked, and every question is answered"),
          ("interrupted", "somebody stopped it"),
          ("died", "its process ended without a word"),
          ("done", "it came to its answer"),
          ("failed", "it ended without one"),
          ("cancelled", "it was called off"),
        ]),
      HelpNote(
        "To go on",
        "`rasa resume` goes on with runs that are answered, interrupted, died or "
          + "failed, from where they stopped."),
    ])

  private static let show = CommandSpec(
    "show", "Show what a run did, step by step",
    examples: [
      Example("Read one", "rasa runs show r01h5"),
      Example("With everything that was written, in full", "rasa runs show r01h5 --verbose"),
      Example("Draw the path it took, for Markdown", "rasa runs show r01h5 --mermaid"),
    ],
    arguments: [.run],
    options: [
      .json,
      OptionSpec("mermaid", .flag(isNegatable: false), "Draw the path taken, as Mermaid"),
      .verbose.saying("Show texts in full"),
    ],
    rules: [.atMostOne([.option("json"), .option("mermaid")])])

  private static let events = CommandSpec(
    "events", "Print the journal of a run, line by line",
    examples: [
      Example("All of it", "rasa runs events r01h5"),
      Example("As it is written, until the run stops", "rasa runs events r01h5 --follow"),
      Example(
        "What came after line 40, for a program", "rasa runs events r01h5 --since 40 --json"),
    ],
    arguments: [.run],
    options: [
      OptionSpec(
        "follow", short: "f", .flag(isNegatable: false),
        "Go on printing until the run ends, parks, or its process is gone"),
      OptionSpec(
        "since", .value(placeholder: "SEQ", .integer(0...1_000_000_000)),
        "Only lines after this one", defaultsTo: .value("0")),
      .json.saying("Print one JSON document a line"),
    ])

  private static let compare = CommandSpec(
    "compare", "Show where two runs part: in state, prompts and cost",
    examples: [
      Example("Why did they answer differently?", "rasa runs compare r01h5 r01h9"),
      Example("The same for a program", "rasa runs compare r01h5 r01h9 --json"),
    ],
    arguments: [
      ArgumentSpec("A", "A run, by its name or the beginning of it"),
      ArgumentSpec("B", "Another run"),
    ],
    options: [.json])

  private static let fork = CommandSpec(
    "fork", "Begin a new run that reuses what another has paid for",
    examples: [
      Example(
        "As if the critic had accepted the draft",
        "rasa runs fork r01h5 --set critique.verdict=accept"),
      Example(
        "From line 40 on, with a persona that you have changed",
        "rasa runs fork r01h5 --at 40 --persona ./my_analyst.yaml"),
      Example(
        "See what would be reused and what the rest can cost",
        "rasa runs fork r01h5 --input \"And AMD?\" --dry-run"),
    ],
    arguments: [.run],
    options: [
      OptionSpec(
        "at", .value(placeholder: "SEQ", .integer(1...1_000_000_000)),
        "Take over the journal up to this line, as `rasa runs events` numbers them",
        heading: "What changes", defaultsTo: .described("all of it")),
      OptionSpec(
        "set", .value(placeholder: "KEY=VALUE", .assignment),
        "Put another value in the place of what was written there; JSON where it is JSON, else text",
        heading: "What changes", repeats: true),
      OptionSpec(
        "persona", short: "p", .value(placeholder: "NAME", .text), "Another persona, or its file",
        heading: "What changes", defaultsTo: .described("the run's own"),
        discovery: "rasa personas list"),
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
        "Say what would be reused and what the rest can cost; ask no model", heading: "Running"),
    ],
    rules: [.atMostOne([.option("verbose"), .option("quiet")])],
    notes: [
      HelpNote(
        "What is reused",
        "An answer of the other run counts again where the same operator asks the same "
          + "words; what a person decided counts again for the same text. Everything else is "
          + "asked, and what that can cost at most is said first.")
    ])

  private static let cancel = CommandSpec(
    "cancel", "Call runs off, wherever they are",
    examples: [Example("Call one off", "rasa runs cancel r01h5")],
    arguments: [.runs], options: [.json])

  private static let export = CommandSpec(
    "export", "Write a run out: its journal, or a test made of it",
    examples: [
      Example("Everything that is known of it", "rasa runs export r01h5 --output run.jsonl"),
      Example("A test that needs no network", "rasa runs export r01h5 --as-test tests"),
    ],
    arguments: [.run],
    options: [
      OptionSpec(
        "output", short: "o", .value(placeholder: "FILE", .text), "The file to write",
        defaultsTo: .described("standard output")),
      OptionSpec(
        "as-test", .value(placeholder: "DIR", .text),
        "Write a test into this folder, for `rasa test`"),
    ],
    rules: [.atMostOne([.option("output"), .option("as-test")])])

  private static let delete = CommandSpec(
    "delete", "Delete runs with their journals",
    examples: [Example("Delete two", "rasa runs delete r01h5 r01h9")],
    arguments: [.runs], options: [.json],
    notes: [HelpNote("What stays", whatStays)])

  private static let prune = CommandSpec(
    "prune", "Delete runs that ended long ago",
    examples: [
      Example("See what would go", "rasa runs prune --dry-run"),
      Example("Failed runs older than a week", "rasa runs prune --older-than 7d --status failed"),
    ],
    options: [
      OptionSpec(
        "older-than", .value(placeholder: "AGE", .age),
        "Only those that have not changed for so long",
        defaultsTo: .value("30d")),
      .status(["done", "failed", "cancelled", "parked"])
        .saying("Only those that are so, instead of done, failed and cancelled"),
      OptionSpec("dry-run", .flag(isNegatable: false), "Only say what would go"),
      .json,
    ],
    notes: [HelpNote("What stays", whatStays)])

  private static let whatStays =
    "What was spent stays in the books, what was remembered in the memories, and what was said in "
    + "the conversation."

  static let test = CommandSpec(
    "test", "Replay runs that were kept as tests", heading: "Look and check",
    examples: [
      Example("Replay every test of a folder, without any model", "rasa test tests"),
      Example("Take what comes now as what is expected", "rasa test tests --update"),
      Example("For a program", "rasa test tests --json"),
    ],
    arguments: [
      ArgumentSpec(
        "DIR", "Folders that `rasa runs export --as-test` wrote to, or files of them",
        repeats: true)
    ],
    options: [
      OptionSpec(
        "update", .flag(isNegatable: false),
        "Take what comes now as what is expected, where every question has an answer"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "Use the personas that the tests keep, instead of those that are here now"),
      .json,
    ])
}

extension ArgumentSpec {
  static let run = ArgumentSpec(
    "RUN", "The run, by its name or the beginning of it; `rasa runs list` shows them")
  static let runs = ArgumentSpec(
    "RUN", "The runs, by their names or the beginnings of them; `rasa runs list` shows them",
    repeats: true)
}

extension OptionSpec {
  static let ofSession = OptionSpec(
    "session", short: "s", .value(placeholder: "NAME", .text), "Only of this conversation",
    discovery: "rasa sessions list")

  static func status(_ words: [Choice]) -> OptionSpec {
    OptionSpec(
      "status", .value(placeholder: "WORD", .choice(words)), "Only those that are so",
      repeats: true)
  }
}
