/// What was spent, and what may be.
extension CommandSpec {
  static let agentsBudget = CommandSpec(
    "budget", "Show what is spent and held under the limits of day and month",
    examples: [
      Example("How does everybody stand?", "rasa agents budget"),
      Example("One persona, today", "rasa agents budget contract_reviewer --daily"),
      Example(
        "Begin the day anew", "rasa agents budget contract_reviewer --daily --reset --yes"),
      Example(
        "Take over what another program has counted",
        "rasa agents budget --import ~/.radium/budgets"),
    ],
    arguments: [
      ArgumentSpec(
        "ID", "A persona's name or alias, an agent's id, or `everyone`; all when left out",
        isOptional: true)
    ],
    options: [
      OptionSpec("daily", .flag(isNegatable: false), "Only the day"),
      OptionSpec("monthly", .flag(isNegatable: false), "Only the month"),
      .json.saying("Print the budget file's document, of day and month"),
      OptionSpec(
        "reset", .flag(isNegatable: false), "Count from nothing again; the books keep why",
        heading: "Correct"),
      OptionSpec(
        "yes", short: "y", .flag(isNegatable: false), "Do not ask whether to reset",
        heading: "Correct"),
      OptionSpec(
        "import", .value(placeholder: "PATH", .text),
        "Count at least what this budget file, or each in this folder, says", heading: "Files"),
      OptionSpec(
        "export", .value(placeholder: "DIR", .text), "Write a budget file for each to this folder",
        heading: "Files"),
    ],
    rules: [
      .atMostOne([.option("reset"), .option("import"), .option("export")]),
      .atMostOne([.arguments, .option("import")]),
      .atMostOne([.option("daily"), .option("import")]),
      .atMostOne([.option("monthly"), .option("import")]),
      .only(option: "yes", with: "reset"),
    ],
    notes: [
      HelpNote(
        "Limits",
        "Those of a persona or agent stand in its `cost_budget`, those of all together in config.yaml. "
          + "Days and months are those of the budget's time zone, this machine's if none is set."),
      HelpNote(
        "Held",
        "What is held belongs to calls under way, and counts as spent until they are over."),
    ])

  static let costs = CommandSpec(
    "costs", "Show what was spent, by persona, model, day and more", heading: "Money",
    examples: [
      Example("This month, by persona and model", "rasa costs"),
      Example("The last 30 days, day by day", "rasa costs --by day --since 30d"),
      Example("Which operator of a persona costs most?", "rasa costs --by operator,model -p ssa"),
      Example("For a spreadsheet", "rasa costs --by month,model --since 2026-01-01 --format csv"),
    ],
    options: [
      OptionSpec(
        "by",
        .value(
          placeholder: "KEY",
          .choices(["persona", "operator", "model", "provider", "day", "month", "run"])),
        "What is added up", defaultsTo: .value("persona,model"), repeats: true),
      .anyPersona,
      OptionSpec(
        "model", .value(placeholder: "MODEL", .text), "Only of this model"),
      OptionSpec(
        "since", .value(placeholder: "DAY", .day), "From this day on, such as 2026-01-31 or 7d",
        defaultsTo: .value("month")),
      OptionSpec(
        "until", .value(placeholder: "DAY", .day), "Up to and with this day",
        defaultsTo: .value("today")),
      OptionSpec(
        "format", .value(placeholder: "FORMAT", .choice(["table", "json", "csv"])),
        "How to print it", defaultsTo: .value("table")),
      OptionSpec(
        "json", .shorthand(option: "format", value: "json"), "The same as `--format json`"),
    ],
    notes: [
      HelpNote(
        "Days",
        rows: [
          ("2026-01-31", "that day"), ("7d", "the day seven days ago"), ("today", "this day"),
          ("month", "the first of this month"),
        ]),
      HelpNote(
        "Amounts",
        "JSON and CSV carry US dollars to the last decimal, as text. A table leaves out columns "
          + "where the terminal has no room for them."),
    ])
}
