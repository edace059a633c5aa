/// What other programs start, or reach over the network.
extension CommandSpec {
  static let mcp = CommandSpec(
    "mcp", "Offer personas and agents as tools to an MCP client", heading: "Serve",
    examples: [
      Example("Offer all of them; clients start this command themselves", "rasa mcp"),
      Example("Only two of them", "rasa mcp strategic_stock_analyst code-reviewer"),
    ],
    arguments: [
      ArgumentSpec(
        "NAME", "Personas and agents; `*` stands for any part of a name; all by default",
        isOptional: true, repeats: true, completes: .personas)
    ],
    options: [.trust],
    notes: [
      HelpNote(
        "How a client starts it",
        "It reads messages on standard input and writes them to standard output, until the input ends. "
          + "docs/mcp.md has the settings of clients.")
    ])

  static let acp = CommandSpec(
    "acp", "Be the agent of an editor that speaks the Agent Client Protocol", heading: "Serve",
    examples: [
      Example("The agent that fits each prompt; editors start this command themselves", "rasa acp"),
      Example("Always the same persona", "rasa acp --persona strategic_stock_analyst"),
    ],
    options: [
      OptionSpec(
        "persona", short: "p", .value(placeholder: "NAME", .text),
        "The persona that answers, until another is chosen in the editor",
        discovery: "rasa personas list"
      ).completing(.personas),
      OptionSpec(
        "agent", .value(placeholder: "ID", .text),
        "The agent that answers, until another is chosen in the editor",
        discovery: "rasa agents list"
      ).completing(.agents),
      .trust,
    ],
    notes: [
      HelpNote(
        "How an editor starts it",
        "It reads messages on standard input and writes them to standard output, until the input ends. "
          + "docs/acp.md has the settings of editors.")
    ])
}
