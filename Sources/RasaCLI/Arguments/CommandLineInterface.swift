package import RasaCore

/// The program's face: its commands, and what a command line asks of them.
package enum CommandLineInterface {
  package static let root = CommandSpec(
    "rasa", "Run personas: files that say how an answer is thought through",
    examples: [
      Example(
        "Ask a persona and watch the answer arrive",
        "rasa run --persona strategic_stock_analyst --input \"Is NVDA a buy for me?\""),
      Example("See which personas there are", "rasa personas list"),
      Example("Talk to one, turn by turn", "rasa chat --persona strategic_stock_analyst"),
      Example("Write a persona of your own", "rasa init --name my_analyst"),
      Example("Check that a model can be reached", "rasa doctor"),
    ],
    options: [.mode, .apiURL, .version],
    notes: [
      HelpNote(
        "Models",
        "Set `OPENAI_API_KEY` (with `OPENAI_BASE_URL` for any server that speaks the same "
          + "format), `ANTHROPIC_API_KEY` or `GEMINI_API_KEY`, start Ollama on its usual port or at "
          + "`OLLAMA_HOST`, or write `providers:` into config.yaml; `rasa llm info` shows what is "
          + "found. Without any of them a labelled mock model answers, so that everything can be "
          + "tried without a key.")
    ],
    subcommands: [
      .run, .chat, .resume, .runs, .approvals, .test, .sessions, .memory, .personas, .operators,
      .models, .agents, .importAgents, .costs, .llm, .initialize, .trust, .doctor, .bench,
      .completions, .version, .help,
    ])

  /// Reads the words after the program's name.
  package static func parse(_ arguments: [String]) throws(Failure) -> CommandRequest {
    var parser = CommandParser(root: root, words: arguments)
    return try parser.request()
  }
}
