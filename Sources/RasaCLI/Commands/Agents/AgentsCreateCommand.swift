import RasaCore
import RasaKit
import RasaModels
import RasaPersona
import RasaSystem
import RasaTerminal

/// `rasa agents create`: a first version of an agent, to change.
struct AgentsCreateCommand {
  let house: CompositionRoot
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let id = command.arguments[0]
    guard AgentID.isValid(id) else {
      throw Failure(
        .usage, "`\(id)` is not a valid agent ID",
        suggestion: (AgentID.make(of: id).map { "did you mean `\($0)`? " } ?? "")
          + "an ID consists of lowercase words joined by hyphens")
    }
    let draft = try draft(
      id, command, description: try await description(command.text("description")))
    let folder = try self.folder(command)
    let form: AgentDraft.Form = command.choice("form", of: AgentDraft.Form.self) ?? .markdown
    let files = draft.files(form).map { (path: "\(folder)/\($0.name)", text: $0.text) }
    let isForced = command.flag("force")
    for other in ["\(folder)/\(id).toml", "\(folder)/\(id).md"]
    where FileSystem.exists(other) && !isForced {
      throw Failure(
        .usage, "\(other) exists already", suggestion: "choose another ID, or add --force")
    }
    // The other form of the same agent would count beside this one.
    if isForced, form == .markdown, FileSystem.exists("\(folder)/\(id).toml") {
      throw Failure(
        .usage, "\(folder)/\(id).toml exists, and would take precedence over a Markdown file",
        suggestion: "use `--form toml`, or remove it")
    }
    // A folder that the user names may be a link; what is made in it stays in it.
    let named = command.isGiven("folder") ? command.text("folder") : nil
    let root =
      named.map { FileRoot($0) } ?? FileRoot(".", links: house.isProjectOwn ? .anywhere : .inside)
    for file in files {
      let path = named.map { String(file.path.dropFirst($0.count + 1)) } ?? file.path
      try root.write(file.text, to: path, mode: 0o644, replacing: isForced)
    }
    if print.isJSON {
      return try print(
        [
          "id": .string(id), "files": .array(files.map { .string($0.path) }),
        ] as Value)
    }
    try print(text: files.map { "wrote \($0.path)\n" }.joined())
    try print(
      text: "now write its prompt, check it with `rasa agents validate \(files[0].path)`, and try: "
        + "rasa run --agent \(id) --input \"…\"\n")
  }

  private func draft(
    _ id: String, _ command: ParsedCommand, description: String
  ) throws(Failure) -> AgentDraft {
    let capabilities = command.texts("capabilities").flatMap { text in
      text.split(atByte: ",", omittingEmpty: true).map { $0.filter { !$0.isNewline } }
        .map { String($0.drop(while: \.isWhitespace)) }.filter { !$0.isEmpty }
    }
    let model = command.text("model").map(ModelConfiguration.reference)
    return AgentDraft(
      id: id, name: command.text("name"), description: description, capabilities: capabilities,
      model: model, profile: command.choice("profile", of: PerformanceProfile.self))
  }

  private func folder(_ command: ParsedCommand) throws(Failure) -> String {
    let folder = command.text("folder") ?? "agents"
    guard let category = command.text("category") else { return folder }
    let parts = category.split(atByte: "/")
    let isPlain = parts.allSatisfy { part in
      !part.isEmpty && part != "." && part != ".." && !part.hasBytePrefix(".")
        && part.allSatisfy { $0.isLetter || $0.isNumber || "-_. ".contains($0) }
    }
    guard isPlain else {
      throw Failure(
        .usage, "`\(category)` is not a valid category",
        suggestion: "a category is a folder or folders below `--folder`, such as `design/web`")
    }
    return "\(folder)/\(category)"
  }

  /// Asked for where somebody can answer.
  private func description(_ given: String?) async throws -> String {
    if let given { return given }
    let terminal = Terminal(house.environment)
    guard terminal.inputIsTerminal, terminal.errorIsTerminal else { return "" }
    let reader = LineReader(history: nil, environment: house.environment)
    switch try await reader.nextLine(prompt: "What does it do, and when should it be used? ") {
    case .text(let text): return text
    case .end: return ""
    case .interrupted: throw Interrupted(signal: .interrupt, suggestion: "nothing was written")
    }
  }
}
