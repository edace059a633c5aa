/// Questions to people, answered from anywhere, and runs that go on.
extension CommandSpec {
  static let approvals = CommandSpec(
    "approvals", "Answer what runs ask of people, from anywhere", heading: "Ask",
    examples: [
      Example("See what waits", "rasa approvals list"),
      Example("Read one question", "rasa approvals show a3f9"),
      Example("Say yes; the run goes on here and now", "rasa approvals approve a3f9"),
      Example(
        "Send it back with a reason, and leave the run to somebody else",
        "rasa approvals reject a3f9 --reason \"Name the risks first.\" --later"),
    ],
    subcommands: [
      CommandSpec(
        "list", "List the questions that wait for an answer",
        examples: [
          Example("What waits", "rasa approvals list"),
          Example("All of one run, answered ones too", "rasa approvals list --run r01h5 --all"),
          Example("For a program", "rasa approvals list --json"),
        ],
        options: [
          OptionSpec(
            "all", .flag(isNegatable: false), "Also those that were answered or have expired"),
          OptionSpec(
            "run", .value(placeholder: "RUN", .text), "Only of this run",
            discovery: "rasa runs list"),
          .limit, .json,
        ]),
      CommandSpec(
        "show", "Show a question and exactly what it is about",
        examples: [
          Example("Read one", "rasa approvals show a3f9"),
          Example("For a program", "rasa approvals show a3f9 --json"),
        ],
        arguments: [.approval], options: [.json]),
      CommandSpec(
        "approve", "Approve: what was shown counts",
        examples: [
          Example("Say yes and go on", "rasa approvals approve a3f9"),
          Example(
            "Say yes, and leave the run to somebody else", "rasa approvals approve a3f9 --later"),
        ],
        arguments: [.approval], options: .answering),
      CommandSpec(
        "reject", "Reject: with a reason it is sent back, without one the run ends",
        examples: [
          Example(
            "Send it back", "rasa approvals reject a3f9 --reason \"Name the risks first.\""),
          Example("Refuse it", "rasa approvals reject a3f9"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec(
            "reason", .value(placeholder: "TEXT", .text),
            "What the operator is told that has to do better")
        ] + .answering),
      CommandSpec(
        "edit", "Put your own text in the place of what was shown",
        examples: [
          Example("In your editor", "rasa approvals edit a3f9"),
          Example("With a text", "rasa approvals edit a3f9 --text \"Hold what you have.\""),
          Example(
            "With a file, or what a pipe brings", "rasa approvals edit a3f9 --file answer.md"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec("text", .value(placeholder: "TEXT", .text), "The replacement"),
          OptionSpec(
            "file", .value(placeholder: "FILE", .text),
            "The file that the replacement is in; `-` reads standard input"),
        ] + .answering,
        rules: [.atMostOne([.option("text"), .option("file")])],
        notes: [
          HelpNote(
            "What fits",
            "A text takes any text. Anything else is JSON, and has to have the form that its "
              + "operator was asked for; what does not fit is refused, and the question stays.")
        ]),
      CommandSpec(
        "answer", "Answer what an operator asks the user for; the run goes on with it",
        examples: [
          Example("At the terminal", "rasa approvals answer a3f9"),
          Example("With a text", "rasa approvals answer a3f9 --text \"By the end of May.\""),
          Example(
            "Where several things are asked for",
            "rasa approvals answer a3f9 --value budget=1200 --value city=Porto"),
        ],
        arguments: [.approval],
        options: [
          OptionSpec(
            "text", .value(placeholder: "TEXT", .text),
            "The answer; JSON where it is to have a form"),
          OptionSpec(
            "value", .value(placeholder: "NAME=VALUE", .pair),
            "One member of an answer that is to have a form", repeats: true),
          OptionSpec(
            "file", .value(placeholder: "FILE", .text),
            "The file that the answer is in; `-` reads standard input"),
        ] + .answering,
        rules: [.atMostOne([.option("text"), .option("value"), .option("file")])],
        notes: [
          HelpNote(
            "What fits",
            "What is asked for has a form where its operator declares one; an answer that does not "
              + "fit is refused, and the question stays. `rasa approvals reject` refuses to answer."
          )
        ]),
      CommandSpec(
        "feedback", "Say what is to be corrected; the answer is made again with it",
        examples: [
          Example("Correct it", "rasa approvals feedback a3f9 \"The fee is 2 %, not 3 %.\"")
        ],
        arguments: [
          .approval, ArgumentSpec("TEXT", "What is to be corrected", repeats: true),
        ],
        options: .answering),
    ])

  static let resume = CommandSpec(
    "resume", "Go on with runs that stopped, from exactly where they did", heading: "Ask",
    examples: [
      Example("See what can go on", "rasa resume"),
      Example("Go on with one", "rasa resume r01h5"),
      Example("Go on with every run that can", "rasa resume --all"),
      Example(
        "Go on by the persona as it was, though its file has changed",
        "rasa resume r01h5 --pinned"),
    ],
    arguments: [
      ArgumentSpec(
        "RUN", "The run, by its name or the beginning of it; without one, what can go on is listed",
        isOptional: true)
    ],
    options: [
      OptionSpec(
        "all", .flag(isNegatable: false),
        "Go on with every run that was answered, was interrupted or died, one after the other",
        heading: "Which"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "Go on by the copy of the persona that the run keeps, though its files have changed",
        heading: "Which"),
      .user.saying("Who goes on with it").under("Which"),
    ] + .modelAndMoney + .answerOutput + [
      .strict, .maxSeconds, .approval.under("Running"), .trust,
    ],
    rules: [
      .atMostOne([.option("all"), .arguments]),
      .atMostOne([.option("verbose"), .option("quiet")]),
    ],
    notes: [
      HelpNote(
        "What is paid again",
        "Nothing that was answered. A call that was under way when its process ended is in doubt: "
          + "what happens with it is for its operator's `uncertain:` to say.")
    ])
}

extension ArgumentSpec {
  fileprivate static let approval = ArgumentSpec(
    "ID", "The question, by its name or the beginning of it; `rasa approvals list` shows them")
}

extension [OptionSpec] {
  /// How an answer is given, and how the run goes on with it.
  fileprivate static let answering =
    [
      OptionSpec.user.saying("Who answers").under("Answering"),
      OptionSpec(
        "later", .flag(isNegatable: false),
        "Only record the answer; `rasa resume` goes on with the run", heading: "Answering"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "Go on by the copy of the persona that the run keeps, though its files have changed",
        heading: "Answering"),
      OptionSpec.approval.saying("What to do when a person has to agree again")
        .under("Answering"),
    ] + .answerOutput + .modelAndMoney + [.trust]
}
