/// Which agent, with which model, should do a task.
extension CommandSpec {
  static let route = CommandSpec(
    "route", "Choose an agent and a model for a task, by how such tasks went", heading: "Quality",
    examples: [
      Example("Who should do this?", "rasa route \"The nightly query double-counts refunds\""),
      Example(
        "Every candidate, with every part of its score",
        "rasa route --explain \"Review my REST API design for security holes\""),
      Example(
        "Would another policy have done better?", "rasa route replay --policy routing.yaml"),
    ],
    subcommands: [
      CommandSpec(
        "choose", "Choose an agent and a model; what `rasa route` alone does",
        examples: [
          Example(
            "Within limits, and always the best so far",
            "rasa route choose --max-seconds 30 --no-explore \"Fix this SQL query\""
          ),
          Example("The same choice again", "rasa route choose --seed 7 \"Fix this SQL query\""),
        ],
        arguments: [
          ArgumentSpec(
            "TASK", "The task in your own words; `-` or a pipe reads standard input",
            isOptional: true, repeats: true)
        ],
        options: [
          OptionSpec(
            "max-cost", .value(placeholder: "USD", .money),
            "Only what is expected to cost no more than this, at a known price"),
          OptionSpec(
            "max-seconds", .value(placeholder: "N", .integer(1...604_800)),
            "Only what is expected to take no longer than this"),
          OptionSpec(
            "explore", .flag(isNegatable: true),
            "Now and then try an agent or model of which little is known",
            defaultsTo: .value("true")),
          OptionSpec(
            "seed", .value(placeholder: "N", .integer(0...9_007_199_254_740_991)),
            "Draw with this number; the same one makes the same choice",
            defaultsTo: .described("random")),
          OptionSpec(
            "policy", .value(placeholder: "FILE", .text), "Choose by the policy of this file"
          ).completing(.files),
          OptionSpec(
            "explain", .flag(isNegatable: false),
            "Show every candidate, with every part of its score"),
          .profile, .model, .premium, .user.saying("Whose task it is"), .agents, .json,
        ],
        notes: [
          HelpNote(
            "What is chosen",
            "Agents that fit the task nearly as well as the best one, each with the models that it "
              + "recommends and that can be asked, are compared by how their runs on tasks of this kind "
              + "went, by cost, time, and the runs under way. While nothing is known, the one that "
              + "fits best is chosen. `rasa run --auto` chooses likewise, and runs the choice."),
          HelpNote(
            "Stored decisions",
            "The decision, with every probability, unless `learning: {enabled: false}` turns that off. "
              + "Nothing is run."),
        ]),
      CommandSpec(
        "replay", "Judge another policy on the decisions that were made, without trying it",
        examples: [
          Example("All decisions", "rasa route replay --policy routing.yaml"),
          Example("The last month's", "rasa route replay --policy routing.yaml --since 30d"),
        ],
        options: [
          OptionSpec(
            "policy", .value(placeholder: "FILE", .text), "The policy, in YAML", isRequired: true
          ).completing(.files),
          OptionSpec(
            "since", .value(placeholder: "DAY", .day), "First day, such as 2026-01-31 or 30d",
            defaultsTo: .described("all time")),
          OptionSpec(
            "until", .value(placeholder: "DAY", .day), "Last day",
            defaultsTo: .described("today")),
          .json,
        ],
        notes: [
          HelpNote(
            "Estimates",
            "By inverse propensity, and doubly robust, with 95 % intervals. Where the decisions are too "
              + "few, or the policy chooses what was never chosen, nothing is claimed, and the reason is said."
          )
        ]),
    ], usual: "choose")
}
