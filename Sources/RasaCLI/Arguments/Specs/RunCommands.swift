extension CommandSpec {
  static let run = CommandSpec(
    "run", "Ask a persona or an agent once, and stream the answer", heading: "Ask",
    examples: [
      Example(
        "Ask with preferences",
        "rasa run --persona strategic_stock_analyst --input \"Buy or sell Nvidia?\" "
          + "--preferences risk_tolerance=low --preferences sector=technology"),
      Example(
        "Ask about a file",
        "rasa run -p contract_reviewer --input - < contract.txt"),
      Example(
        "Ask about another command's output",
        "git diff | rasa run --agent code-reviewer \"Anything unsafe?\""),
      Example(
        "Ask about an image, a PDF or a text",
        "rasa run -p contract_reviewer --attach contract.pdf \"Which terms are unusual?\""),
      Example(
        "Continue a conversation",
        "rasa run -p strategic_stock_analyst --session nvidia \"And what about AMD?\""),
      Example(
        "Recall what held at the end of a day",
        "rasa run -p strategic_stock_analyst --as-of 2026-01-31 \"What did I own?\""),
      Example(
        "Let the best-matching agent answer", "rasa run --auto \"Design a REST API for invoices\""),
      Example(
        "Show every prompt and its maximum cost without calling a model",
        "rasa run -p strategic_stock_analyst --dry-run \"Buy or sell Nvidia?\""),
      Example(
        "Spend at most five cents and print JSON",
        "rasa run -p strategic_stock_analyst --max-cost 0.05 --json \"Buy or sell Nvidia?\""),
      Example(
        "Park the run when it needs an approval, and answer later with `rasa approvals`",
        "rasa run -p contract_reviewer --approval defer --input - < contract.txt"),
      Example(
        "Record every external response of a run",
        "rasa run -p strategic_stock_analyst --record nvidia.json \"Buy or sell Nvidia?\""),
      Example("Replay it offline, at no cost", "rasa run --replay nvidia.json"),
    ],
    arguments: [
      ArgumentSpec(
        "TEXT", "The question, unless `--input` is given; `-` reads standard input",
        isOptional: true, repeats: true)
    ],
    options: [
      .persona.under("Question").excused(by: "agent", "auto", "replay").askedByCommand(),
      .agent.under("Question"),
      OptionSpec(
        "auto", .flag(isNegatable: false),
        "Let the agent answer that fits best and does such tasks best",
        heading: "Question"),
      .agents.under("Question"),
      OptionSpec(
        "input", short: "i", .value(placeholder: "TEXT", .text),
        "The question; `-` or a pipe reads it from standard input", heading: "Question"),
      OptionSpec(
        "stdin", .flag(isNegatable: true),
        "Read standard input too when there is a question",
        heading: "Question", defaultsTo: .value("true")),
      .attach.under("Question"),
      .preferences.under("Question"),
      .session.under("Question"),
      .user.under("Question"),
      .asOf.under("Question"),
    ] + .modelAndMoney + .answerOutput + [
      .strict, .maxSeconds, .approval.under("Running"), .trust,
      .record.under("Running"),
      .replay.under("Running"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "With `--replay`: use the persona as it was recorded", heading: "Running"),
      OptionSpec(
        "dry-run", .flag(isNegatable: false),
        "Print every prompt and its estimated cost; call no model", heading: "Running"),
    ],
    rules: [
      .atMostOne([.option("persona"), .option("agent"), .option("auto")]),
      .atMostOne([.option("replay"), .option("agent"), .option("auto")]),
      .atMostOne([.option("verbose"), .option("quiet")]),
      .atMostOne([.option("record"), .option("replay"), .option("dry-run")]),
      .atMostOne([.option("replay"), .option("input")]),
      .atMostOne([.option("replay"), .option("attach")]),
      .atMostOne([.option("replay"), .arguments]),
      .inputOnce,
      .only(option: "pinned", with: "replay"),
      .excludes(
        option: "replay",
        [
          "session", "preferences", "user", "as-of", "auto", "profile", "model", "premium",
          "max-cost",
          "max-seconds", "force", "allow-budget-exceed", "explain-selection", "approval",
        ],
        reason: "a replay takes everything from the recording; omit the other option"),
    ],
    notes: [
      HelpNote(
        "Exit codes",
        rows: [
          ("0", "done"),
          ("1", "the run failed"),
          ("2", "invalid command line"),
          ("3", "invalid configuration or file, or a folder that is not trusted"),
          ("4", "missing or rejected API key"),
          ("5", "the provider failed"),
          ("6", "budget exhausted"),
          ("7", "approval is required or was denied"),
          ("8", "a limit was reached; with `--strict`, the answer was cut off"),
          ("124", "timed out"),
          ("130", "interrupted"),
        ])
    ])

  static let chat = CommandSpec(
    "chat", "Talk to a persona or an agent, turn by turn", heading: "Ask",
    examples: [
      Example(
        "Talk; Ctrl-C stops an answer, Ctrl-D ends the chat", "rasa chat -p strategic_stock_analyst"
      ),
      Example(
        "Continue an earlier conversation",
        "rasa chat -p strategic_stock_analyst --session nvidia"),
      Example(
        "Talk to a model on this machine",
        "rasa chat -p contract_reviewer --model ollama:llama3.2"),
    ],
    options: [
      .persona.under("Conversation").excused(by: "agent").askedByCommand(),
      .agent.under("Conversation"),
      .agents.under("Conversation"),
      .session.under("Conversation"),
      .user.under("Conversation"), .asOf.under("Conversation"), .preferences.under("Conversation"),
      .attach.under("Conversation").saying(
        "An image, PDF or text for the first question; a line with the path of an image or PDF attaches it too"
      ),
    ] + .modelAndMoney + [
      .maxSeconds, .approval.under("Running"), .trust, .verbose.under("Running"),
      .quiet.under("Running"), .plain.under("Running"), .showReasoning.under("Running"),
    ],
    rules: [
      .atMostOne([.option("persona"), .option("agent")]),
      .atMostOne([.option("verbose"), .option("quiet")]),
    ])
}
