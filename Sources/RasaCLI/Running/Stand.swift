import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaSystem
import RasaTerminal

/// Where a run is shown, and who is asked.
struct Stand: Sendable {
  let screen: any RunScreen
  let people: any People
  let warn: @Sendable (Warning) -> Void
  let explain: @Sendable (SelectionReport) -> Void
  /// What the user should know and need not worry about.
  let say: @Sendable (String) -> Void
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
    let tell: @Sendable (String, _ prefix: String) -> Void = { line, prefix in
      if let text {
        try? text.say(line)
      } else {
        try? errors.write("\(prefix)\(printable(line))\n")
      }
    }
    return Stand(
      screen: screen, people: people,
      warn: { if !isQuiet { tell("warning: \($0)", "rasa: ") } },
      explain: {
        for line in $0.text.split(atByte: "\n", omittingEmpty: true) { tell(String(line), "") }
      },
      say: { if !isQuiet { tell($0, "rasa: ") } })
  }
}
