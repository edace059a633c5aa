import RasaCore
import RasaEngine
import RasaSystem
import RasaTerminal

/// Where a run is shown, and who is asked.
struct Stand: Sendable {
  let screen: any RunScreen
  let people: any People
  let warn: @Sendable (Warning) -> Void
}

extension House {
  /// The screen and the people that fit the settings.
  func stand(_ settings: RunSettings) -> Stand {
    let terminal = Terminal(environment)
    let prompt = ApprovalPrompt(environment: environment, style: terminal.style(of: .error))
    let text =
      settings.format == .text
      ? TextScreen(house: self, terminal: terminal, settings: settings) : nil
    let screen: any RunScreen =
      switch settings.format {
      case .text: text ?? JSONScreen(output: output)
      case .json: JSONScreen(output: output)
      case .streamJSON: StreamJSONScreen(output: output)
      }
    let people = TerminalPeople(
      mode: settings.approval, prompt: prompt, user: user(settings.user), screen: text)
    let errors = errors
    let isQuiet = settings.isQuiet
    return Stand(screen: screen, people: people) { warning in
      guard !isQuiet else { return }
      if let text {
        try? text.say("warning: \(warning)")
      } else {
        try? errors.write("rasa: warning: \(printable("\(warning)"))\n")
      }
    }
  }
}
