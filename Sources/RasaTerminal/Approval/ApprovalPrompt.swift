package import RasaCore
package import RasaSystem

/// Asks the person at the terminal. It uses the terminal directly, so that it works even if
/// standard input, output and error are pipes or files.
package struct ApprovalPrompt: Sendable {
  private let terminalPath: String
  let environment: Environment
  let style: Style

  /// `terminalPath` is the process's controlling terminal.
  package init(terminalPath: String = "/dev/tty", environment: Environment, style: Style) {
    self.terminalPath = terminalPath
    self.environment = environment
    self.style = style
  }

  /// Whether there is a person to ask.
  package var isPossible: Bool { (try? open()) != nil }

  func open() throws(Failure) -> InteractiveTerminal {
    try InteractiveTerminal(path: terminalPath, environment: environment)
  }

  /// Asks until there is an answer. Cancelling the task returns `.interrupted` at once, or, while
  /// an editor uses the terminal, as soon as that has ended.
  package func ask(_ request: ApprovalRequest) async throws(Failure) -> ApprovalAnswer {
    let terminal = try open()
    defer { terminal.leave() }
    var machine = StateMachine(request, style: style, columns: terminal.columns)
    var action = machine.start()
    while true {
      switch action {
      case .finish(let answer):
        if answer == .interrupted { terminal.show("\n") }
        return answer
      case .choose(let text):
        action = machine.receive(
          await terminal.readLine(prompt: text, discardingTypedAhead: true, isText: false))
      case .read(let text):
        action = machine.receive(
          await terminal.readLine(prompt: text, discardingTypedAhead: false, isText: true))
      case .edit(let text):
        let editor = TextEditor(environment: environment)
        terminal.lend()
        do {
          action = machine.receive(
            edited: try await editor.edit(text, terminal: terminal.descriptor))
        } catch {
          action = machine.receive(edited: nil, because: error.description)
        }
        // If the run was stopped meanwhile, the input was not meant as an answer, and neither is
        // the file of an editor whose terminal is gone.
        if Task.isCancelled {
          action = machine.interrupt()
        } else if terminal.isGone {
          action = machine.receiveEnd()
        }
      }
    }
  }
}

extension ApprovalPrompt.StateMachine {
  fileprivate mutating func receive(_ line: LineReader.Line) -> Action {
    switch line {
    case .text(let text): receive(line: text)
    case .interrupted: interrupt()
    case .end: receiveEnd()
    }
  }
}
