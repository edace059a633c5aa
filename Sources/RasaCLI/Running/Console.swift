import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Where a command reads and writes: the process's variables, standard output and standard error.
struct Console: Sendable {
  let environment: Environment
  let output: Output
  let errors: Output

  init(_ environment: Environment, output: Output = .standard, errors: Output = .error) {
    self.environment = environment
    self.output = output
    self.errors = errors
  }

  /// Writes something for the person to standard error; a terminal gets lines that break between words.
  func note(_ text: String) throws {
    try errors.write(Terminal(environment).laidOut(text, on: .error))
  }

  /// Reports what does not stop the work. Keys must not be in it any more.
  func warn(_ warning: String) { try? note("rasa: warning: \(printable(warning))\n") }

  /// Asks a question on the terminal that `yes` agrees to. Anything else throws.
  ///
  /// - Parameters:
  ///   - what: What is going to happen, with a full stop.
  ///   - more: A sentence after it, for a person only.
  func confirm(_ what: String, more: String, prompt: String) async throws {
    let terminal = Terminal(environment)
    guard terminal.inputIsTerminal, terminal.errorIsTerminal else {
      throw Failure(
        .approval, "\(what.dropLast()), but there is no terminal to confirm it on",
        suggestion: "add `--yes`")
    }
    try note("\(printable(what)) \(more)\n")
    let reader = LineReader(history: nil, environment: environment)
    switch try await reader.nextLine(prompt: prompt) {
    case .text(let answer) where ["y", "yes"].contains(answer.lowercased()): return
    case .text, .end: throw Failure(.approval, "nothing was changed")
    case .interrupted: throw Interrupted(signal: .interrupt, suggestion: "nothing was changed")
    }
  }
}

extension CompositionRoot {
  var console: Console { Console(environment, output: output, errors: errors) }

  /// The library as commands use it: it reports warnings on standard error. The database is opened when
  /// something of it is first read.
  func rasa() -> Rasa { Rasa(self, store(), onWarning: console.warn) }

  /// Writes something for the person to standard error.
  func note(_ text: String) throws { try console.note(text) }

  /// Reports on standard error what does not stop the work.
  func warn(_ warning: Warning) { console.warn(redaction(warning.description)) }
}
