/// How good runs were, and who does which task best.
extension CommandSpec {
  static let feedback = CommandSpec(
    "feedback", "Rate a run with stars", heading: "Quality",
    examples: [
      Example("The newest run", "rasa feedback --stars 5"),
      Example(
        "One run, with a reason", "rasa feedback r01h5 --stars 2 --comment \"It missed the risks.\""
      ),
      Example("Take a rating back", "rasa feedback r01h5 --remove"),
    ],
    arguments: [
      ArgumentSpec(
        "RUN", "The run's ID, or the start of it; by default the newest that has ended",
        isOptional: true, completes: .runs)
    ],
    options: [
      OptionSpec("stars", .value(placeholder: "N", .integer(1...5)), "From 1 to 5"),
      OptionSpec("comment", .value(placeholder: "TEXT", .text), "What was good or bad"),
      OptionSpec("remove", .flag(isNegatable: false), "Take the rating back"),
      .json,
    ],
    rules: [
      .exactlyOne([.option("stars"), .option("remove")]), .only(option: "comment", with: "stars"),
    ])

  static let evaluate = CommandSpec(
    "evaluate", "Have models judge the answers of runs", heading: "Quality",
    examples: [
      Example("What waits, as your config.yaml says", "rasa evaluate"),
      Example("What would that cost?", "rasa evaluate --dry-run"),
      Example("One run, by the judge alone", "rasa evaluate r01h5 --by judge --max-cost 0.05"),
      Example(
        "Which of two answers to a task is better?",
        "rasa evaluate r01h5 --against r01h9 --max-cost 0.05"),
      Example("How far do judges agree with the stars?", "rasa evaluate --agreement"),
    ],
    arguments: [
      ArgumentSpec(
        "RUN", "A run's ID, or the start of it; by default the runs that wait", isOptional: true,
        repeats: true, completes: .runs)
    ],
    options: [
      OptionSpec(
        "by", .value(placeholder: "NAME", .text),
        "Who judges: `judge`, `classifier` or an agent, separated by commas",
        defaultsTo: .described("as config.yaml says")),
      OptionSpec(
        "model", .value(placeholder: "[ENGINE:]MODEL", .text), "The judge's model",
        defaultsTo: .described("a good one that did not write the answer")
      ).completing(.models),
      OptionSpec(
        "same-model", .flag(isNegatable: false), "Let a model judge its own answers"),
      OptionSpec(
        "max-cost", .value(placeholder: "USD", .money), "Spend no more than this"),
      OptionSpec(
        "limit", .value(placeholder: "N", .integer(1...100_000)), "Make no more than so many"),
      OptionSpec(
        "dry-run", .flag(isNegatable: false), "Show who would be asked and what that costs at most"),
      OptionSpec(
        "against", .value(placeholder: "RUN", .text),
        "Ask which of two runs has the better answer to their task, in both orders"
      ).completing(.runs),
      OptionSpec(
        "agreement", .flag(isNegatable: false),
        "Only show how far judges agree with the stars that people gave"),
      .json,
    ],
    notes: [
      HelpNote(
        "Off by default",
        "A share of all runs waits to be judged once `learning: {evaluation: {max_daily: 0.25}}` is in "
          + "your config.yaml. Nothing is asked before you call this command, in a cron job for example."
      ),
      HelpNote(
        "Exit code",
        "0 if everything was made; 6 if a limit of cost came first, 4 if a key was refused, 1 if some "
          + "could not be made."),
    ])

  private static let category = OptionSpec(
    "category", .value(placeholder: "NAME", .text), "Only tasks of this kind",
    discovery: "rasa objectives list")
  private static let since = OptionSpec(
    "since", .value(placeholder: "DAY", .day), "First day, such as 2026-01-31 or 30d",
    defaultsTo: .described("all time"))
  private static let until = OptionSpec(
    "until", .value(placeholder: "DAY", .day), "Last day", defaultsTo: .described("today"))

  static let leaderboard = CommandSpec(
    "leaderboard", "Rank personas and agents by how their runs went", heading: "Quality",
    examples: [
      Example("By score", "rasa leaderboard"),
      Example("Who is best at code, this month?", "rasa leaderboard --category code --since month"),
      Example("The cheapest with one model", "rasa leaderboard --by cost --model openai:gpt-4o"),
      Example("For a spreadsheet", "rasa leaderboard --csv"),
    ],
    options: [
      OptionSpec(
        "by",
        .value(placeholder: "MEASURE", .choice(["score", "success", "reward", "cost", "speed"])),
        "What to rank by", defaultsTo: .value("score")),
      category,
      OptionSpec(
        "model", .value(placeholder: "MODEL", .text),
        "Only runs whose answer this model wrote, as `provider:model`"
      ).completing(.models),
      since, until, .json,
      OptionSpec("csv", .flag(isNegatable: false), "Print CSV"),
    ],
    rules: [.atMostOne([.option("json"), .option("csv")])],
    notes: [
      HelpNote(
        "Ranks",
        "A rank takes five runs. `1-3` says that the figures leave open which of these ranks it is. "
          + "Scores come from stars (`rasa feedback`) and judges; where nobody has judged any run, "
          + "the success rate stands in.")
    ])

  static let stats = CommandSpec(
    "stats", "Show how runs went: by kind of task, model and node", heading: "Quality",
    examples: [
      Example("All runs", "rasa stats"),
      Example("One persona, the last 30 days", "rasa stats contract_reviewer --since 30d"),
    ],
    subcommands: [
      CommandSpec(
        "show", "Show how runs went; what `rasa stats` alone does",
        examples: [Example("One persona", "rasa stats show contract_reviewer")],
        arguments: [
          ArgumentSpec(
            "AGENT", "A persona or agent; all by default", isOptional: true, completes: .owners)
        ],
        options: [since, until, .json]),
      CommandSpec(
        "chart", "Draw how runs went over time, by kind of task or by model",
        examples: [
          Example("Four charts in the terminal", "rasa stats chart"),
          Example(
            "One of them, the last 30 days",
            "rasa stats chart contract_reviewer --of success --by model --since 30d"),
          Example("A page for the browser", "rasa stats chart --output runs.html"),
        ],
        arguments: [
          ArgumentSpec(
            "AGENT", "A persona or agent; all by default", isOptional: true, completes: .owners)
        ],
        options: [
          OptionSpec(
            "of",
            .value(
              placeholder: "MEASURE",
              .choice(["score", "success", "reward", "cost", "speed", "spent", "runs"])),
            "What to draw; `cost` is that of a run, `spent` that of all",
            defaultsTo: .described("score")),
          OptionSpec(
            "by", .value(placeholder: "WHAT", .choice(["day", "category", "model", "agent"])),
            "What to keep apart", defaultsTo: .described("day")),
          since, until,
          OptionSpec(
            "format", .value(placeholder: "FORMAT", .choice(["text", "svg", "html"])),
            "How to draw", defaultsTo: .described("what the file's name ends with, else text")),
          OptionSpec(
            "output", short: "o", .value(placeholder: "FILE", .text),
            "Where to write it; `-` for standard output", defaultsTo: .value("-")),
          .json,
        ],
        rules: [.atMostOne([.option("json"), .option("format")])],
        notes: [
          HelpNote(
            "Which charts",
            "Without `--of` and `--by`: the score by day, by kind of task and by model, and what was "
              + "spent by day. An SVG file has one of them, by default the first. A day without runs "
              + "is a gap; answers of the mock and unknown prices are no costs.")
        ]),
      CommandSpec(
        "weights", "Compare the sets of weights that runs are scored with",
        examples: [
          Example("All runs", "rasa stats weights"),
          Example("One persona", "rasa stats weights contract_reviewer --since 90d"),
        ],
        arguments: [
          ArgumentSpec(
            "AGENT", "A persona or agent; all by default", isOptional: true, completes: .owners)
        ],
        options: [since, until, .json],
        notes: [
          HelpNote(
            "What is compared",
            "How runs were scored, and each run scored with every set: which set agrees better with "
              + "people's stars. `learning: {weights: …}` in config.yaml adds a set for a share of the runs."
          )
        ]),
      CommandSpec(
        "alerts", "Say what became worse, and exit with 1 if anything did",
        examples: [
          Example("The last week against the four before", "rasa stats alerts"),
          Example(
            "In a cron job", "rasa stats alerts --days 1 --webhook https://chat.example/hook"),
        ],
        options: [
          OptionSpec(
            "days", .value(placeholder: "N", .integer(1...365)),
            "How many days are compared with the four times as many before",
            defaultsTo: .value("7")),
          OptionSpec(
            "webhook", .value(placeholder: "URL", .text),
            "Send the alerts there as JSON, if there are any"),
          .json,
        ],
        notes: [
          HelpNote(
            "What is said",
            "A drop of the score or of the success rate by a twentieth, a cost or time a quarter higher, a node half as slow "
              + "again or failing a tenth more often, a model that does worse than the one before: "
              + "each only where chance does not explain it, with five runs on both sides.")
        ]),
      CommandSpec(
        "rebuild", "Work out all statistics anew from the records of runs",
        examples: [Example("After an upgrade, or to be sure", "rasa stats rebuild")],
        options: [.json]),
      CommandSpec(
        "rename", "Count the runs of a persona or agent that was renamed as those of its new name",
        examples: [Example("After a rename", "rasa stats rename contract_reviewer contracts")],
        arguments: [
          ArgumentSpec("OLD", "The name that its runs had", completes: .owners),
          ArgumentSpec("NEW", "The name that it has now", completes: .owners),
        ],
        options: [.json]),
      CommandSpec(
        "export", "Write the records of runs to a file",
        examples: [Example("All of them", "rasa stats export --output records.jsonl")],
        arguments: [
          ArgumentSpec(
            "AGENT", "A persona or agent; all by default", isOptional: true, completes: .owners)
        ],
        options: [
          OptionSpec(
            "output", short: "o", .value(placeholder: "FILE", .text),
            "Where to write them; `-` for standard output", defaultsTo: .value("-"))
        ]),
      CommandSpec(
        "import", "Add records of runs from a file, such as another machine's",
        examples: [Example("Bring them in", "rasa stats import records.jsonl")],
        arguments: [
          ArgumentSpec("FILE", "What `rasa stats export` wrote", completes: .files)
        ],
        options: [.json]),
    ], usual: "show")

  static let objectives = CommandSpec(
    "objectives", "List and add kinds of tasks", heading: "Quality",
    examples: [
      Example("All kinds", "rasa objectives list"),
      Example("Which kind is this task?", "rasa objectives list --task \"Review my contract\""),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the kinds of tasks",
        examples: [Example("Which kind is this?", "rasa objectives list --task \"Fix the bug\"")],
        options: [
          OptionSpec(
            "task", .value(placeholder: "TEXT", .text), "Only the kind that this task is, and why"),
          .json,
        ]),
      CommandSpec(
        "add", "Add a kind of task to your objectives.yaml",
        examples: [
          Example(
            "A kind of your own",
            "rasa objectives add tax --words \"tax*,vat,deduction*\" --description \"Tax questions\""
          )
        ],
        arguments: [ArgumentSpec("NAME", "The new kind's name")],
        options: [
          OptionSpec(
            "words", .value(placeholder: "WORDS", .text),
            "Words by which such a task is recognised, separated by commas; `tax*` stands for any ending",
            isRequired: true),
          OptionSpec("description", .value(placeholder: "TEXT", .text), "What such tasks ask for"),
          OptionSpec(
            "criteria", .value(placeholder: "TEXT", .text), "What makes an answer a good one"),
          .json,
        ]),
    ])
}
