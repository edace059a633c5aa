extension CommandSpec {
  static let run = CommandSpec(
    "run", "Ask a persona or an agent once and stream the answer", heading: "Ask",
    examples: [
      Example(
        "Ask, saying what you prefer",
        "rasa run --persona strategic_stock_analyst --input \"Buy or sell Nvidia?\" "
          + "--preferences risk_tolerance=low --preferences sector=technology"),
      Example(
        "Ask about a file", "rasa run -p contract_reviewer --input - < contract.txt"),
      Example(
        "Ask about what another command says; the question goes first",
        "git diff | rasa run --agent code-reviewer \"Anything unsafe?\""),
      Example(
        "Ask again in the same conversation",
        "rasa run -p strategic_stock_analyst --session nvidia \"And what about AMD?\""),
      Example(
        "Let the agent answer that fits best", "rasa run --auto \"Design a REST API for invoices\""),
      Example(
        "See every prompt and what it may cost, without asking any model",
        "rasa run -p strategic_stock_analyst --dry-run \"Buy or sell Nvidia?\""),
      Example(
        "Spend at most five cents and print JSON",
        "rasa run -p strategic_stock_analyst --max-cost 0.05 --json \"Buy or sell Nvidia?\""),
      Example(
        "Leave questions to people for later; the run waits for `rasa approvals`",
        "rasa run -p contract_reviewer --approval defer --input - < contract.txt"),
      Example(
        "Keep all that a run has from outside, and see it again without asking anyone",
        "rasa run --replay nvidia.json"),
    ],
    arguments: [
      ArgumentSpec(
        "TEXT", "The question, when `--input` is not used; `-` reads standard input",
        isOptional: true, repeats: true)
    ],
    options: [
      .persona.under("Question").excused(by: "agent", "auto", "replay"),
      .agent.under("Question"),
      OptionSpec(
        "auto", .flag(isNegatable: false), "Let the agent answer that fits the question best",
        heading: "Question"),
      OptionSpec(
        "input", short: "i", .value(placeholder: "TEXT", .text),
        "The question; `-`, or a pipe, reads it from standard input", heading: "Question"),
      OptionSpec(
        "stdin", .flag(isNegatable: true),
        "Read a pipe or file on standard input as well when there is a question",
        heading: "Question", defaultsTo: .value("true")),
      .preferences.under("Question"),
      .session.under("Question"),
      .user.under("Question"),
    ] + .modelAndMoney + .answerOutput + [
      .strict, .maxSeconds, .approval.under("Running"), .trust,
      .record.under("Running"),
      .replay.under("Running"),
      OptionSpec(
        "pinned", .flag(isNegatable: false),
        "With `--replay`: by the persona's files as they were recorded", heading: "Running"),
      OptionSpec(
        "dry-run", .flag(isNegatable: false),
        "Print every prompt and its estimated cost; ask no model", heading: "Running"),
    ],
    rules: [
      .atMostOne([.option("persona"), .option("agent"), .option("auto")]),
      .atMostOne([.option("replay"), .option("agent"), .option("auto")]),
      .atMostOne([.option("verbose"), .option("quiet")]),
      .atMostOne([.option("record"), .option("replay"), .option("dry-run")]),
      .atMostOne([.option("replay"), .option("input")]),
      .atMostOne([.option("replay"), .arguments]),
      .inputOnce,
      .only(option: "pinned", with: "replay"),
    ],
    notes: [
      HelpNote(
        "Exit codes",
        rows: [
          ("0", "done"),
          ("1", "the run failed"),
          ("2", "the command line is wrong"),
          ("3", "a configuration or document is wrong, or a folder is not trusted"),
          ("4", "a key is missing or refused"),
          ("5", "the provider failed"),
          ("6", "a budget is used up"),
          ("7", "a person has to agree, or did not"),
          ("8", "a limit was reached; with `--strict`, the end of the answer is missing"),
          ("124", "out of time"),
          ("130", "interrupted"),
        ])
    ])

  static let chat = CommandSpec(
    "chat", "Talk to a persona or an agent, turn by turn", heading: "Ask",
    examples: [
      Example("Talk; Ctrl-C stops an answer, Ctrl-D ends", "rasa chat -p strategic_stock_analyst"),
      Example(
        "Go on with yesterday's conversation",
        "rasa chat -p strategic_stock_analyst --session nvidia"),
      Example(
        "Talk to a model on this machine",
        "rasa chat -p contract_reviewer --model ollama:llama3.2"),
    ],
    options: [
      .persona.under("Conversation").excused(by: "agent"), .agent.under("Conversation"),
      .session.under("Conversation"),
      .user.under("Conversation"), .preferences.under("Conversation"),
    ] + .modelAndMoney + [
      .maxSeconds, .approval.under("Running"), .trust, .verbose.under("Running"),
      .quiet.under("Running"), .plain.under("Running"), .showReasoning.under("Running"),
    ],
    rules: [
      .atMostOne([.option("persona"), .option("agent")]),
      .atMostOne([.option("verbose"), .option("quiet")]),
    ])
}
