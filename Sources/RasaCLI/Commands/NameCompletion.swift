import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa __names KIND [BEGINNING]`: what completion scripts ask while somebody types. It is no command
/// for people, so no help names it.
///
/// It reads what is on this machine, asks nobody (neither a network nor for trust), writes nothing, and
/// says nothing when something is wrong: a line that is being typed is no place for errors.
enum NameCompletion {
  static let command = "__names"

  /// One name a line, what it means behind a tab.
  static func run(_ arguments: [String], _ environment: Environment) async {
    guard
      let kind = arguments.first.flatMap(CompletedNames.init(rawValue:)).flatMap(kind),
      let rasa = try? Rasa(.forCurrentUser(environment: environment.variables))
    else { return }
    let beginning = arguments.count > 1 ? arguments[1] : ""
    let names = (try? await rasa.names(kind)) ?? []
    await rasa.close()
    var seen: Set<String> = []
    var text = ""
    for it in names
    where it.name.hasBytePrefix(beginning) && isWord(it.name) && seen.insert(it.name).inserted {
      text += "\(it.name)\t\(line(it.meaning))\n"
    }
    try? Output.standard.write(text)
  }

  /// Nil for what the shell knows itself.
  private static func kind(_ names: CompletedNames) -> Rasa.NameKind? {
    switch names {
    case .personas: .personas
    case .agents, .agentFiles: .agents
    case .owners: .owners
    case .operators: .operators
    case .models: .models
    case .providers: .providers
    case .runs: .runs
    case .sessions: .sessions
    case .approvals: .approvals
    case .tools: .tools
    case .files, .folders: nil
    }
  }

  /// Shells take a name apart that is not one word, and control characters must not reach the prompt.
  private static func isWord(_ name: String) -> Bool {
    !name.isEmpty
      && name.unicodeScalars.allSatisfy { scalar in
        !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
          && scalar.properties.generalCategory != .format
          && !"'\"\\$`;&|<>()".unicodeScalars.contains(scalar)
      }
  }

  private static func line(_ text: String) -> String {
    String(TerminalText.line(String(text.prefix(200))).trimmedByScalars.prefix(72))
  }
}
