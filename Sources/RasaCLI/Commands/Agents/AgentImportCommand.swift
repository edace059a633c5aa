import RasaAgents
import RasaCore
import RasaKit
import RasaPersona
import RasaSystem

/// `rasa import`: other tools' files, written in rasa's own form.
struct AgentImportCommand {
  let house: CompositionRoot
  let print: Printer

  func run(_ command: ParsedCommand) throws {
    let source = command.arguments[0]
    let target = command.text("to") ?? "agents"
    let found = try AgentImport(
      from: Self.plain(source), as: command.choice("from", of: AgentKind.self),
      engines: try AgentFileResolver(house).engines())
    for warning in found.warnings { house.warn(warning) }
    let root =
      command.isGiven("to")
      ? FileRoot(target)
      : house.isProjectOwn ? FileRoot(target, links: .anywhere) : FileRoot(target, beneath: ".")
    let isRehearsal = command.flag("dry-run")
    var report = Report(source: source, target: target, isRehearsal: isRehearsal, found: found)
    for item in found.items {
      report.results.append(
        write(item, in: root, isRehearsal: isRehearsal, isForced: command.flag("force")))
    }
    if print.isJSON {
      try print(report.value)
    } else {
      try print(text: report.text)
    }
    try finish(report)
  }

  /// A path without the slashes at its end.
  private static func plain(_ path: String) -> String {
    var path = path
    while path.utf8.count > 1, path.hasByteSuffix("/") { path.removeLast() }
    return path
  }

  private func write(
    _ item: AgentImport.Item, in root: FileRoot, isRehearsal: Bool, isForced: Bool
  ) -> Result {
    do throws(Failure) {
      if let there = try root.readIfPresent(item.name, limit: 10_000_000) {
        if there == item.bytes { return .unchanged }
        guard isForced else { return .exists }
      }
      if !isRehearsal {
        try root.write(item.bytes, to: item.name, mode: 0o644, replacing: isForced)
      }
      return .written
    } catch {
      return .failed(error)
    }
  }

  private func finish(_ report: Report) throws {
    let broken = report.failures.count
    let existing = report.results.count { $0 == .exists }
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
    if report.results.isEmpty {
      throw Failure(
        .configuration, "there is no agent of another tool in \(report.source)",
        suggestion: "`rasa help import` lists the supported files; `--from KIND` sets their kind")
    }
  }
}

// MARK: Report

extension AgentImportCommand {
  fileprivate enum Result: Equatable {
    case written, unchanged, exists
    case failed(Failure)
  }

  fileprivate struct Report {
    let source: String
    let target: String
    let isRehearsal: Bool
    let found: AgentImport
    var results: [Result] = []

    /// Of reading and of writing.
    var failures: [Failure] {
      found.failures
        + results.compactMap { if case .failed(let failure) = $0 { failure } else { nil } }
    }

    private func file(_ item: AgentImport.Item) -> String {
      FileSystem.path(item.name, in: target)
    }

    // MARK: Text

    var text: String {
      var lines: [String] = []
      for (item, result) in zip(found.items, results) {
        let from = "  (from \(item.source), \(item.kind.name))"
        switch result {
        case .written: lines.append("\(isRehearsal ? "would write" : "wrote") \(file(item))\(from)")
        case .unchanged: lines.append("as before \(file(item))\(from)")
        case .exists: lines.append("exists \(file(item))\(from)")
        case .failed: break
        }
        if let wanted = item.wanted {
          lines.append("  named `\(item.id)`: there is another `\(wanted)`")
        }
      }
      lines += leftOut
      if !found.own.isEmpty {
        lines.append(
          "\(found.own.count) TOML \(found.own.count == 1 ? "file is" : "files are") already in rasa's "
            + "format, and need no import")
      }
      lines += otherLines
      lines += failures.map { "\($0.description)" }
      lines.append(summary)
      return lines.joined(separator: "\n") + "\n"
    }

    private var summary: String {
      func count(_ result: Result) -> Int { results.count { $0 == result } }
      var parts = ["\(count(.written)) \(isRehearsal ? "to write" : "written")"]
      if count(.unchanged) > 0 { parts.append("\(count(.unchanged)) as before") }
      if count(.exists) > 0 { parts.append("\(count(.exists)) existing") }
      if !failures.isEmpty { parts.append("\(failures.count) broken") }
      return "\(target): \(parts.joined(separator: ", "))"
    }

    /// What was left out, for each kind.
    private var leftOut: [String] {
      var groups: [AgentKind: [String: Int]] = [:]
      for item in found.items {
        for what in item.unused { groups[item.kind, default: [:]][what, default: 0] += 1 }
      }
      return groups.sorted { $0.key.rawValue < $1.key.rawValue }.map { kind, counts in
        let words = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
          .map { "`\($0.key)` (\($0.value))" }
        return "rasa does not use what some \(kind.name)s say: \(words.joined(separator: ", "))"
      }
    }

    private var otherLines: [String] {
      var counts: [OtherFile: Int] = [:]
      for other in found.others { counts[other.what, default: 0] += 1 }
      return counts.sorted { $0.key.rawValue < $1.key.rawValue }
        .map { $0.key.sentence($0.value, in: source) }
    }

    // MARK: JSON

    var value: Value {
      let items = zip(found.items, results).map { item, result in
        [
          "id": .string(item.id), "file": .string(file(item)), "from": .string(item.source),
          "kind": .string(item.kind.rawValue), "status": .string(Self.word(result)),
          "unused": .array(item.unused.map(Value.string)),
          "wanted_id": item.wanted.map { .string($0) } ?? .null,
        ] as Value
      }
      return [
        "from": .string(source), "to": .string(target), "dry_run": .bool(isRehearsal),
        "agents": .array(items),
        "others": .array(
          found.others.map { ["file": .string($0.file), "what": .string($0.what.rawValue)] }
            + found.own.map { ["file": .string($0), "what": "rasa"] }),
        "failures": .array(failures.map(\.value)),
      ]
    }

    private static func word(_ result: Result) -> String {
      switch result {
      case .written: "written"
      case .unchanged: "unchanged"
      case .exists: "exists"
      case .failed: "failed"
      }
    }
  }
}
