import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Where a run is shown, and who is asked.
struct RunPresentation: Sendable {
  var screen: any RunScreen
  let approve: Rasa.ApprovalHandler
  let warn: @Sendable (String) -> Void
  let explain: @Sendable (Rasa.ModelSelection) -> Void
  /// What the user should know and need not worry about.
  let say: @Sendable (String) -> Void
}

extension Launch {
  /// The screen and the people that fit the settings.
  func presentation(_ settings: RunSettings) -> RunPresentation {
    let terminal = console.terminal
    let prompt = ApprovalPrompt(
      environment: console.environment, style: terminal.style(of: .error))
    let text = TextScreen(
      console, terminal: terminal, settings: settings, isCommentary: settings.format != .text)
    let screen: any RunScreen =
      switch settings.format {
      case .text: text
      case .json:
        JSONScreen(commentary: text) { [output = console.output] document in
          try text.progress.write(document.json(.pretty) + "\n", to: output)
        }
      case .streamJSON: StreamJSONScreen(commentary: text, output: console.output)
      }
    let people = TerminalApprovalHandler(
      mode: settings.approval, prompt: prompt, user: rasa.user(settings.options.user), screen: text)
    let isQuiet = settings.isQuiet
    let note: @Sendable (String) -> Void = { [rasa] line in try? text.say(rasa.redacting(line)) }
    return RunPresentation(
      screen: screen, approve: { try await people.decide($0) },
      warn: { if !isQuiet { note("warning: \($0)") } },
      explain: {
        for line in $0.text.split(atByte: "\n", omittingEmpty: true) { note(String(line)) }
      },
      say: { if !isQuiet { note($0) } })
  }
}
