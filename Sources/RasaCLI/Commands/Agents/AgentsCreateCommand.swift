import RasaCore
import RasaKit

/// `rasa agents create`: a first version of an agent, to change.
struct AgentsCreateCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    var agent = try Rasa.NewAgent(id: command.arguments[0])
    agent.description = try await description(command.text("description"))
    agent.name = command.text("name")
    agent.capabilities = command.texts("capabilities").flatMap { text in
      text.split(atByte: ",", omittingEmpty: true).map { $0.filter { !$0.isNewline } }
        .map { String($0.drop(while: \.isWhitespace)) }.filter { !$0.isEmpty }
    }
    agent.model = command.text("model")
    agent.profile = command.choice("profile", of: Rasa.Profile.self)
    agent.category = command.text("category")
    agent.form = command.choice("form", of: Rasa.NewAgent.Form.self) ?? .markdown
    let files = try await rasa.create(
      agent, in: command.isGiven("folder") ? command.text("folder") : nil,
      replacing: command.flag("force"))
    if print.isJSON {
      return try print(
        ["id": .string(agent.id), "files": .array(files.map { .string($0) })] as Value)
    }
    try print(text: files.map { "wrote \($0)\n" }.joined())
    try print(
      text: "now write its prompt, check it with `rasa agents validate \(files[0])`, and try: "
        + "rasa run --agent \(agent.id) --input \"…\"\n")
  }

  /// Asked for where somebody can answer.
  private func description(_ given: String?) async throws -> String {
    if let given { return given }
    return try await console.ask(
      "What does it do, and when should it be used? ", whenInterrupted: "nothing was written")
      ?? ""
  }
}
