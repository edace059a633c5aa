import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaSystem
import RasaTerminal

/// Where a run is shown, and who is asked.
struct RunPresentation: Sendable {
  var screen: any RunScreen
  let people: any ApprovalHandler
  let warn: @Sendable (Warning) -> Void
  let explain: @Sendable (SelectionReport) -> Void
  /// What the user should know and need not worry about.
  let say: @Sendable (String) -> Void
}

extension CompositionRoot {
  /// The screen and the people that fit the settings.
  func stand(_ settings: RunSettings) -> RunPresentation {
    let terminal = Terminal(environment)
    let prompt = ApprovalPrompt(environment: environment, style: terminal.style(of: .error))
    let text = TextScreen(
      console, terminal: terminal, settings: settings, isCommentary: settings.format != .text)
    let screen: any RunScreen =
      switch settings.format {
      case .text: text
      case .json:
        JSONScreen(commentary: text) { [output] document in
          try text.progress.write(document.json(.pretty) + "\n", to: output)
        }
      case .streamJSON: StreamJSONScreen(commentary: text, output: output)
      }
    let people = TerminalApprovalHandler(
      mode: settings.approval, prompt: prompt, user: user(settings.user), screen: text)
    let isQuiet = settings.isQuiet
    let redaction = redaction
    let note: @Sendable (String) -> Void = { line in try? text.say(redaction(line)) }
    return RunPresentation(
      screen: screen, people: people,
      warn: { if !isQuiet { note("warning: \($0)") } },
      explain: {
        for line in $0.text.split(atByte: "\n", omittingEmpty: true) { note(String(line)) }
      },
      say: { if !isQuiet { note($0) } })
  }
}
