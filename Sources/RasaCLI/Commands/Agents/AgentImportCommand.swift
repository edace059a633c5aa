import RasaCore
import RasaKit

/// `rasa import`: other tools' files, written in rasa's own form.
struct AgentImportCommand {
  let rasa: Rasa
  let print: Printer

  func run(_ command: ParsedCommand) async throws {
    let found = try await rasa.importAgents(
      from: command.arguments[0], as: command.text("from").flatMap { Rasa.AgentFormat(id: $0) },
      to: command.isGiven("to") ? .folder(command.text("to") ?? "agents") : .project,
      replacing: command.flag("force"), isDryRun: command.flag("dry-run"))
    if print.isJSON {
      try print(value(found))
    } else {
      try print(text: text(found))
    }
    try finish(found)
  }

  private func finish(_ found: Rasa.AgentImport) throws {
    let broken = found.problems.count
    let existing = found.items.count { $0.status == .exists }
    if broken > 0 {
      throw Failure(
        .configuration, "\(broken) \(broken == 1 ? "file" : "files") could not be imported",
        suggestion: "fix the problems above, and import again; the others are done")
    }
    if existing > 0 {
      throw Failure(
        .usage,
        existing == 1
          ? "one file already exists, and was not changed"
          : "\(existing) files already exist, and were not changed",
        suggestion: "`--force` replaces them, `--to DIR` writes elsewhere")
    }
    if found.items.isEmpty {
      throw Failure(
        .configuration, "there is no agent of another tool in \(found.source)",
        suggestion: "`rasa help import` lists the supported files; `--from KIND` sets their kind")
    }
  }

  // MARK: Text

  private func text(_ found: Rasa.AgentImport) -> String {
    var lines: [String] = []
    for item in found.items {
      let from = "  (from \(item.source), \(item.format.name))"
      switch item.status {
      case .written: lines.append("\(found.isDryRun ? "would write" : "wrote") \(item.file)\(from)")
      case .unchanged: lines.append("as before \(item.file)\(from)")
      case .exists: lines.append("exists \(item.file)\(from)")
      default: break
      }
      if let wanted = item.wantedID {
        lines.append("  named `\(item.id)`: there is another `\(wanted)`")
      }
    }
    lines += ignored(found)
    let own = found.others.count { $0.kind == "rasa" }
    if own > 0 {
      lines.append(
        "\(own) TOML \(own == 1 ? "file is" : "files are") already in rasa's format, and need no "
          + "import")
    }
    lines += found.remarks
    lines += found.problems.map(\.description)
    lines.append(summary(found))
    return lines.joined(separator: "\n") + "\n"
  }

  private func summary(_ found: Rasa.AgentImport) -> String {
    func count(_ status: Rasa.AgentImport.Status) -> Int {
      found.items.count { $0.status == status }
    }
    var parts = ["\(count(.written)) \(found.isDryRun ? "to write" : "written")"]
    if count(.unchanged) > 0 { parts.append("\(count(.unchanged)) as before") }
    if count(.exists) > 0 { parts.append("\(count(.exists)) existing") }
    if !found.problems.isEmpty { parts.append("\(found.problems.count) broken") }
    return "\(found.target): \(parts.joined(separator: ", "))"
  }

  /// What was left out, for each format.
  private func ignored(_ found: Rasa.AgentImport) -> [String] {
    var groups: [Rasa.AgentFormat: [String: Int]] = [:]
    for item in found.items {
      for field in item.ignoredFields { groups[item.format, default: [:]][field, default: 0] += 1 }
    }
    return groups.sorted { $0.key.id < $1.key.id }.map { format, counts in
      let words = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        .map { "`\($0.key)` (\($0.value))" }
      return "rasa does not use what some \(format.name)s say: \(words.joined(separator: ", "))"
    }
  }

  // MARK: JSON

  private func value(_ found: Rasa.AgentImport) -> Rasa.JSON {
    func texts(_ texts: [String]) -> Rasa.JSON { Rasa.JSON(texts.map { Rasa.JSON($0) }) }
    return [
      "from": Rasa.JSON(found.source), "to": Rasa.JSON(found.target),
      "dry_run": Rasa.JSON(found.isDryRun),
      "agents": Rasa.JSON(
        found.items.map { item in
          [
            "id": Rasa.JSON(item.id), "file": Rasa.JSON(item.file),
            "from": Rasa.JSON(item.source), "kind": Rasa.JSON(item.format.id),
            "status": Rasa.JSON(item.status.description), "unused": texts(item.ignoredFields),
            "wanted_id": Rasa.JSON(item.wantedID),
          ]
        }),
      "others": Rasa.JSON(
        found.others.map { ["file": Rasa.JSON($0.file), "what": Rasa.JSON($0.kind)] }),
      "failures": Rasa.JSON(found.problems.map(\.json)),
    ]
  }
}
