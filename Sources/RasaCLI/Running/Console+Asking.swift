import RasaCore
import RasaSystem
import RasaTerminal

extension Console {
  var terminal: Terminal { Terminal(environment) }

  /// Whether somebody is there who can answer.
  var canAsk: Bool {
    let terminal = terminal
    return terminal.inputIsTerminal && terminal.errorIsTerminal
  }

  /// What a person should know and need not worry about, as one line.
  func notice(_ line: String) { try? note("rasa: \(printable(line))\n") }

  /// The line that the user types; nil without a terminal and at the end of input.
  ///
  /// - Parameter suggestion: what to say if the user interrupts the question.
  func ask(_ prompt: String, whenInterrupted suggestion: String) async throws -> String? {
    guard canAsk else { return nil }
    let reader = LineReader(history: nil, environment: environment)
    switch try await reader.nextLine(prompt: prompt) {
    case .text(let text): return text
    case .end: return nil
    case .interrupted: throw Interrupted(signal: .interrupt, suggestion: suggestion)
    }
  }
}
