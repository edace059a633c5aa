package import RasaCore
package import RasaSystem

/// Asks the person at the terminal. It speaks and listens on the terminal itself, so that it works
/// while standard input, output and error are pipes and files.
package struct ApprovalPrompt: Sendable {
  private let terminalPath: String
  private let environment: Environment
  private let style: Style

  /// `terminalPath` is the process's own terminal, whichever that is.
  package init(terminalPath: String = "/dev/tty", environment: Environment, style: Style) {
    self.terminalPath = terminalPath
    self.environment = environment
    self.style = style
  }

  /// Whether there is a person to ask.
  package var isPossible: Bool { (try? InteractiveTerminal(path: terminalPath)) != nil }

  /// Asks until there is an answer. Cancelling the task answers `.interrupted` at once.
  package func ask(_ request: ApprovalRequest) async throws(Failure) -> ApprovalAnswer {
    let terminal = try InteractiveTerminal(path: terminalPath)
    // The editor has the terminal by its number only.
    defer { withExtendedLifetime(terminal) {} }
    var machine = StateMachine(request, style: style, columns: terminal.columns)
    var action = machine.start()
    while true {
      switch action {
      case .finish(let answer):
        if answer == .interrupted { terminal.show("\n") }
        return answer
      case .ask(let text, let discardingTypedAhead):
        action =
          switch await terminal.readLine(prompt: text, discardingTypedAhead: discardingTypedAhead) {
          case .text(let line): machine.receive(line: line)
          case .interrupted: machine.interrupt()
          case .end: machine.receiveEnd()
          }
      case .edit(let text):
        let editor = TextEditor(environment: environment)
        do {
          action = machine.receive(
            edited: try await editor.edit(text, terminal: terminal.descriptor))
        } catch {
          terminal.show(printable(error.description) + "\n")
          action = machine.receive(edited: nil)
        }
      }
    }
  }
}
