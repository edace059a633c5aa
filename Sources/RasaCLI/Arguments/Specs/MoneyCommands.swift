/// What was spent, and what may be.
extension CommandSpec {
  static let agentsBudget = CommandSpec(
    "budget", "Show, reset, import and export daily and monthly budgets",
    examples: [
      Example("All budgets", "rasa agents budget"),
      Example("One persona, today", "rasa agents budget contract_reviewer --daily"),
      Example(
        "Reset the day", "rasa agents budget contract_reviewer --daily --reset --yes"),
      Example(
        "Import another program's counts",
        "rasa agents budget --import ~/.radium/budgets"),
    ],
    arguments: [
      ArgumentSpec(
        "ID", "A persona's name or alias, an agent's ID, or `everyone`; all by default",
        isOptional: true, completes: .owners)
    ],
    options: [
      OptionSpec("daily", .flag(isNegatable: false), "Only the day"),
      OptionSpec("monthly", .flag(isNegatable: false), "Only the month"),
      .json.saying("Print JSON in the format of budget files"),
      OptionSpec(
        "reset", .flag(isNegatable: false), "Start again from zero; the reset stays in the books",
        heading: "Correct"),
      OptionSpec(
        "yes", short: "y", .flag(isNegatable: false), "Reset without asking",
        heading: "Correct"),
      OptionSpec(
        "import", .value(placeholder: "PATH", .text),
        "Count at least what this budget file, or each file in this folder, says",
        heading: "Files"
      ).completing(.files),
      OptionSpec(
        "export", .value(placeholder: "DIR", .text), "Write one budget file each to this folder",
        heading: "Files"
      ).completing(.folders),
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
        "A persona or agent sets its own in `cost_budget`; config.yaml sets those for all together. "
          + "Days and months follow the budget's time zone, by default this machine's."),
      HelpNote(
        "Held",
        "Money held for calls in flight counts as spent until they finish."),
    ])

  static let costs = CommandSpec(
    "costs", "Show spending by persona, model, day and more", heading: "Money",
    examples: [
      Example("This month, by persona and model", "rasa costs"),
      Example("The last 30 days, day by day", "rasa costs --by day --since 30d"),
      Example(
        "Which operator of a persona costs most?",
        "rasa costs --by operator,model -p strategic_stock_analyst"),
      Example("For a spreadsheet", "rasa costs --by month,model --since 2026-01-01 --format csv"),
    ],
    options: [
      OptionSpec(
        "by",
        .value(
          placeholder: "KEY",
          .choices(["persona", "operator", "model", "provider", "day", "month", "run"])),
        "What to group by", defaultsTo: .value("persona,model"), repeats: true),
      .anyPersona,
      OptionSpec(
        "model", .value(placeholder: "MODEL", .text), "Only this model's"
      ).completing(.models),
      OptionSpec(
        "since", .value(placeholder: "DAY", .day), "First day, such as 2026-01-31 or 7d",
        defaultsTo: .value("month")),
      OptionSpec(
        "until", .value(placeholder: "DAY", .day), "Last day",
        defaultsTo: .value("today")),
      OptionSpec(
        "format", .value(placeholder: "FORMAT", .choice(["table", "json", "csv"])),
        "The output format", defaultsTo: .value("table")),
      OptionSpec(
        "json", .shorthand(option: "format", value: "json"), "Short for `--format json`"),
    ],
    notes: [
      HelpNote(
        "Days",
        rows: [
          ("2026-01-31", "that day"), ("7d", "seven days ago"), ("today", "today"),
          ("month", "the first of this month"),
        ]),
      HelpNote(
        "Amounts",
        "JSON and CSV give exact US dollars as text. Tables omit columns that do not fit the "
          + "terminal."),
    ])
}
