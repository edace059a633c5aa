import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Asks once about a folder whose files change what rasa does; where nobody can be asked, it is refused.
struct TrustQuestion {
  let rasa: Rasa
  let console: Console

  func settle() async throws {
    guard let changes = try await rasa.untrustedChanges() else { return }
    guard console.canAsk else { throw changes.refusal }
    try console.errors.write(card(changes, style: console.terminal.style(of: .error)))
    let answer = try await console.ask(
      "Trust it? [y]es once, [a]lways, [N]o › ", whenInterrupted: "nothing was asked")
    switch answer?.lowercased() {
    case "y", "yes": rasa.trustProjectOnce()
    case "a", "always":
      try await rasa.trust(changes)
      rasa.trustProjectOnce()
    default: throw changes.refusal
    }
  }

  /// What the files change, for a person. Names of files are somebody else's text.
  private func card(_ changes: Rasa.ProjectChanges, style: Style) -> String {
    var text =
      style.bold(TerminalText.line("The files of \(changes.folder) change what rasa does:")) + "\n"
    for line in changes.lines { text += "  " + TerminalText.line(line) + "\n" }
    if !changes.changedFiles.isEmpty {
      let names = changes.changedFiles.map { TerminalText.line($0) }.joined(separator: ", ")
      text += "Changed since you trusted it: \(names)\n"
    }
    return text
  }
}
