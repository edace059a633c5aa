package import RasaCore

/// The program's face: its commands, and what a command line asks of them.
package enum CommandLineInterface {
  package static let root = CommandSpec(
    "rasa", "Run personas and agents: files that define how an answer is reasoned out",
    examples: [
      Example(
        "Ask a persona and watch the answer arrive",
        "rasa run --persona strategic_stock_analyst --input \"Is NVDA a buy for me?\""),
      Example("See which personas there are", "rasa personas list"),
      Example("Talk to one, turn by turn", "rasa chat --persona strategic_stock_analyst"),
      Example(
        "Let the best-matching agent answer", "rasa run --auto \"Design a REST API for invoices\""),
      Example("Write a persona of your own", "rasa init --name my_helper"),
      Example("Check that a model can be reached", "rasa doctor"),
    ],
    options: [.mode, .apiURL, .version],
    notes: [
      HelpNote(
        "Models",
        "Set `OPENAI_API_KEY` (and `OPENAI_BASE_URL` for any compatible server), "
          + "`ANTHROPIC_API_KEY` or `GEMINI_API_KEY`, start Ollama on its default port or at "
          + "`OLLAMA_HOST`, or add `providers:` to config.yaml; `rasa llm info` shows what was "
          + "found. Without any of them a mock model answers, and says so, so that you can try "
          + "everything without a key.")
    ],
    subcommands: [
      .run, .chat, .resume, .runs, .approvals, .test, .eval, .sessions, .memory, .personas,
      .operators,
      .skills,
      .models, .agents, .tools, .importAgents, .costs, .feedback, .evaluate,
      .leaderboard, .stats, .objectives, .route, .serve, .tokens, .mcp, .acp, .llm, .initialize,
      .trust, .doctor, .bench,
      .completions, .version, .help,
    ])

  /// Reads the words after the program's name.
  package static func parse(_ arguments: [String]) throws(Failure) -> CommandRequest {
    var parser = CommandParser(root: root, words: arguments)
    return try parser.request()
  }
}
