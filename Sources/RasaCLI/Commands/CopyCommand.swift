import RasaCore
import RasaKit

/// `rasa agents copy`, `personas copy` and `operators copy`: the whole files of one that can be seen,
/// where they can be changed.
struct CopyCommand {
  let rasa: Rasa
  let console: Console
  let print: Printer
  let kind: Rasa.DefinitionKind

  func run(_ command: ParsedCommand) async throws {
    let copy = try await rasa.copy(
      kind, named: command.arguments[0], as: command.text("name"))
    for warning in copy.warnings { console.warn(warning) }
    if command.flag("print") { return try show(copy) }
    let files = try await rasa.write(
      copy, to: destination(command), replacing: command.flag("force"))
    if print.isJSON {
      return try print(
        value(
          copy,
          files: files.map { ["file": .string($0.file), "written": .bool($0.isWritten)] }))
    }
    for file in files {
      try print(
        text: file.isWritten
          ? "wrote \(file.file)\n" : "\(file.file) already exists, with the same content\n")
    }
    if files.contains(where: \.isWritten) { try print(text: meaning(copy, command)) }
  }

  private func show(_ copy: Rasa.DefinitionCopy) throws {
    if print.isJSON {
      return try print(
        value(
          copy, files: copy.files.map { ["file": .string($0.path), "text": .string($0.text)] }))
    }
    for (index, file) in copy.files.enumerated() {
      // One file can be written to where it is wanted; of several each says what it is.
      if copy.files.count > 1 { try print(text: "\(index > 0 ? "\n" : "")# \(file.path)\n") }
      try print(text: file.text)
    }
  }

  private func destination(_ command: ParsedCommand) -> Rasa.Destination {
    if command.isGiven("to"), let folder = command.text("to") { return .folder(folder) }
    return command.flag("user") ? .user : .project
  }

  private func meaning(_ copy: Rasa.DefinitionCopy, _ command: ParsedCommand) -> String {
    let check = "`rasa \(kind.rawValue)s validate \(copy.name)` checks it"
    if command.isGiven("to"), let folder = command.text("to") {
      return "rasa does not search \(folder) unless it is one of its folders\n"
    }
    if command.isGiven("name") { return "now edit it; \(check)\n" }
    let other =
      copy.origin.hasPrefix("shipped")
      ? "the shipped \(kind.rawValue) `\(copy.name)`" : "`\(copy.name)` of \(copy.origin)"
    guard !command.flag("user"), !rasa.isProjectOwn else {
      return "from now on it replaces \(other); \(check)\n"
    }
    return
      "in this folder it replaces \(other). Once you have changed it, rasa asks whether "
      + "you trust this folder; `rasa trust add` trusts it in advance\n"
  }

  private func value(_ copy: Rasa.DefinitionCopy, files: [Value]) -> Value {
    [
      "name": .string(copy.name), "kind": .string(kind.rawValue), "from": .string(copy.origin),
      "files": .array(files),
    ]
  }
}
