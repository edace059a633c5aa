/// Questions to people, answered from anywhere, and runs that go on.
extension CommandSpec {
  static let approvals = CommandSpec(
    "approvals", "Answer the questions that runs ask people", heading: "Ask",
    examples: [
      Example("List the open questions", "rasa approvals list"),
      Example("Read one question", "rasa approvals show a3f9"),
      Example("Approve, and continue the run here", "rasa approvals approve a3f9"),
      Example(
        "Send it back with a reason, and leave the run for later",
        "rasa approvals reject a3f9 --reason \"Name the risks first.\" --later"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the open questions",
        examples: [
          Example("All open questions", "rasa approvals list"),
          Example(
            "All questions of one run, answered ones too", "rasa approvals list --run r01h5 --all"),
          Example("For a program", "rasa approvals list --json"),
        ],
        options: [
          OptionSpec(
            "all", .flag(isNegatable: false), "Also show answered and expired questions"),
          OptionSpec(
            "run", .value(placeholder: "RUN", .text), "Only this run's",
            discovery: "rasa runs list"
          ).completing(.runs),
          .limit, .json,
        ]),
      CommandSpec(
        "show", "Show a question and the text that it is about",
        examples: [
          Example("Read one", "rasa approvals show a3f9"),
          Example("For a program", "rasa approvals show a3f9 --json"),
        ],
        arguments: [.approval], options: [.json]),
      CommandSpec(
        "approve", "Approve the text as it was shown",
        examples: [
          Example("Approve, and continue the run", "rasa approvals approve a3f9"),
          Example(
            "Approve, and leave the run for later", "rasa approvals approve a3f9 --later"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec(
            "session", .flag(isNegatable: false),
            "For a tool: allow it for the session, as far as the rule goes that `show` prints"),
          OptionSpec(
            "pattern", .value(placeholder: "RULE", .text),
            "The rule to allow for the session, as in policy.yaml: "
              + "`{allow: TOOL, arguments: {NAME: PATTERN}}`"),
        ] + .answering),
      CommandSpec(
        "reject", "Send the text back with a reason, or end the run without one",
        examples: [
          Example(
            "Send it back", "rasa approvals reject a3f9 --reason \"Name the risks first.\""),
          Example("End the run", "rasa approvals reject a3f9"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec(
            "reason", .value(placeholder: "TEXT", .text),
            "What its author must improve")
        ] + .answering),
      CommandSpec(
        "edit", "Replace the text with your own",
        examples: [
          Example("In your editor", "rasa approvals edit a3f9"),
          Example("With a text", "rasa approvals edit a3f9 --text \"Hold what you have.\""),
          Example(
            "From a file, or `-` for standard input", "rasa approvals edit a3f9 --file answer.md"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec("text", .value(placeholder: "TEXT", .text), "The replacement"),
          OptionSpec(
            "file", .value(placeholder: "FILE", .text),
            "The file with the replacement; `-` reads standard input"
          ).completing(.files),
        ] + .answering,
        rules: [.atMostOne([.option("text"), .option("file")])],
        notes: [
          HelpNote(
            "Format",
            "A text can be replaced by any text. Everything else is JSON and must match the "
              + "operator's schema; otherwise it is refused, and the question stays open.")
        ]),
      CommandSpec(
        "answer", "Answer an operator's question, and continue the run",
        examples: [
          Example("At the terminal", "rasa approvals answer a3f9"),
          Example("With a text", "rasa approvals answer a3f9 --text \"By the end of May.\""),
          Example(
            "When it asks for several values",
            "rasa approvals answer a3f9 --value budget=1200 --value city=Porto"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec(
            "text", .value(placeholder: "TEXT", .text),
            "The answer; JSON if the operator has a schema"),
          OptionSpec(
            "value", .value(placeholder: "NAME=VALUE", .pair),
            "One value of an answer that has a schema", repeats: true),
          OptionSpec(
            "file", .value(placeholder: "FILE", .text),
            "The file with the answer; `-` reads standard input"
          ).completing(.files),
        ] + .answering,
        rules: [.atMostOne([.option("text"), .option("value"), .option("file")])],
        notes: [
          HelpNote(
            "Format",
            "An operator may declare a schema for the answer. An answer that does not match it is "
              + "refused, and the question stays open. `rasa approvals reject` declines to answer.")
        ]),
      CommandSpec(
        "grants", "List what is allowed for sessions without asking, or take it back",
        examples: [
          Example("What is allowed", "rasa approvals grants"),
          Example("With what was taken back", "rasa approvals grants --all"),
          Example("For a program", "rasa approvals grants --json"),
        ],
        options: [
          OptionSpec(
            "revoke", .value(placeholder: "GRANT", .text),
            "Take back the grant with this ID or the start of it"),
          OptionSpec("all", .flag(isNegatable: false), "Also list what was taken back"),
          OptionSpec.user.saying("Who takes it back"), .limit, .json,
        ]),
      CommandSpec(
        "feedback", "Request a correction; the answer is written again with it",
        examples: [
          Example(
            "Request a correction", "rasa approvals feedback a3f9 \"The fee is 2 %, not 3 %.\"")
        ],
        arguments: [
          .approval, ArgumentSpec("TEXT", "The correction", repeats: true),
        ],
        options: .answering),
    ])

  static let resume = CommandSpec(
    "resume", "Resume runs where they stopped", heading: "Ask",
    examples: [
      Example("List the runs that can be resumed", "rasa resume"),
      Example("Resume one", "rasa resume r01h5"),
      Example("Resume all of them", "rasa resume --all"),
      Example(
        "Resume with the persona as it was, although its file has changed",
        "rasa resume r01h5 --pinned"),
    ],
    arguments: [
      ArgumentSpec(
        "RUN",
        "The run's ID or the start of it; by default, the runs that can be resumed are listed",
        isOptional: true, completes: .runs)
    ],
    options: [
      OptionSpec(
        "all", .flag(isNegatable: false),
        "Resume every answered, interrupted or died run, one after the other",
        heading: "Which"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "Use the run's own copy of the persona, even if its files have changed",
        heading: "Which"),
      .user.saying("Who resumes it").under("Which"),
    ] + .modelAndMoney + .answerOutput + [
      .strict, .maxSeconds, .approval.under("Running"), .trust,
    ],
    rules: [
      .atMostOne([.option("all"), .arguments]),
      .atMostOne([.option("verbose"), .option("quiet")]),
    ],
    notes: [
      HelpNote(
        "Cost",
        "Recorded answers are reused at no cost. A call that was in flight when its process died may "
          + "have been answered: the operator's `uncertain:` decides what happens to it.")
    ])
}

extension ArgumentSpec {
  fileprivate static let approval = ArgumentSpec(
    "ID", "The question's ID or the start of it; see `rasa approvals list`", completes: .approvals)
}

extension [OptionSpec] {
  /// How an answer is given, and how the run continues with it.
  fileprivate static let answering =
    [
      OptionSpec.user.saying("Who answers").under("Answering"),
      OptionSpec(
        "later", .flag(isNegatable: false),
        "Only record the answer; `rasa resume` continues the run", heading: "Answering"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "Use the run's own copy of the persona, even if its files have changed",
        heading: "Answering"),
      OptionSpec.approval.saying("What to do when a person must approve again")
        .under("Answering"),
    ] + .answerOutput + .modelAndMoney + [.trust]
}
