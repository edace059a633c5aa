import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

extension CompositionRoot {
  /// Asks once about a folder whose files change what rasa does; where nobody can be asked, it is
  /// refused.
  func settleTrust() async throws {
    guard let (changes, changed) = try untrustedChanges() else { return }
    let terminal = Terminal(environment)
    guard terminal.inputIsTerminal, terminal.errorIsTerminal else {
      throw changes.refusal(changed: changed)
    }
    try errors.write(changes.card(changed: changed, style: terminal.style(of: .error)))
    let reader = LineReader(history: nil, environment: environment)
    switch try await reader.nextLine(prompt: "Trust it? [y]es once, [a]lways, [N]o › ") {
    case .text(let answer) where ["y", "yes"].contains(answer.lowercased()): trust.give()
    case .text(let answer) where ["a", "always"].contains(answer.lowercased()):
      try TrustedProjects(folders).add(changes, at: time.now())
      trust.give()
    case .text, .end: throw changes.refusal(changed: changed)
    case .interrupted: throw Interrupted(signal: .interrupt, suggestion: "nothing was asked")
    }
  }
}

extension ProjectChanges {
  /// What the files change, for a person. Names of files are somebody else's text.
  func card(changed: [String], style: Style) -> String {
    var text =
      style.bold(TerminalText.line("The files of \(project) change what rasa does:")) + "\n"
    for line in lines { text += "  " + TerminalText.line(line) + "\n" }
    if !changed.isEmpty {
      let names = changed.map { TerminalText.line($0) }.joined(separator: ", ")
      text += "Changed since you trusted it: \(names)\n"
    }
    return text
  }
}
