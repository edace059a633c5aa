import RasaCore
import RasaKit
import RasaTerminal

/// `rasa runs …`: what has been run.
struct RunsCommands {
  let composition: CompositionRoot
  let rasa: Rasa
  let print: Printer
  let style: Style

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(command)
    case "show" where command.flag("reward"):
      let report = try await rasa.report(ofRun: command.arguments[0])
      if print.isJSON { return try print(.object(report.document)) }
      try print(text: report.lines.joined(separator: "\n") + "\n")
    case "show":
      try await show(
        command.arguments[0], asMermaid: command.flag("mermaid"),
        isVerbose: command.flag("verbose"))
    case "events":
      try await events(
        command.arguments[0], since: command.integer("since") ?? 0,
        follows: command.flag("follow"))
    case "compare": try await compare(command.arguments[0], command.arguments[1])
    case "cancel": try await cancel(command.arguments)
    case "delete": try await delete(command.arguments)
    case "prune": try await prune(command)
    case "export":
      if let folder = command.text("as-test") {
        try await exportTest(of: command.arguments[0], to: folder)
      } else {
        try await export(command.arguments[0], to: command.text("output"))
      }
    default: break
    }
  }

  // MARK: List

  private func list(_ command: ParsedCommand) async throws {
    var query = Rasa.RunQuery()
    query.session = command.text("session")
    query.persona = command.text("persona")
    query.includesInternal = command.flag("all")
    query.statuses = Set(command.texts("status").compactMap(Rasa.RunStatus.init))
    query.limit = command.integer("limit") ?? 20
    let runs = query.limit > 0 ? try await rasa.runs(query) : []
    try print(
      Table(
        columns: ["RUN", "STATUS", "PERSONA", "STARTED", "COST", "INPUT"],
        rows: runs.map { run in
          [
            run.id, run.statusText, run.persona,
            momentText(Timestamp(milliseconds: run.startedAt), composition.time), "\(run.cost)",
            print.others.opening(run.input, to: 200),
          ]
        },
        values: runs.map(\.json.value),
        whenEmpty: query.statuses.isEmpty ? "no runs yet; `rasa run` starts one" : "no such runs"))
  }

  // MARK: Cancel, delete, prune

  private func cancel(_ words: [String]) async throws {
    var values: [Value] = []
    var lines: [String] = []
    var failures: [Failure] = []
    for id in try await ids(of: words) {
      let result = try await rasa.cancel(id)
      var value: ValueObject = ["run": .string(id), "status": .string(result.status)]
      if result.isCancelled {
        lines.append("\(id) is cancelled\n")
      } else if result.isRequested {
        lines.append("\(id) is running; its process has been asked to stop\n")
      } else {
        let failure = Failure(
          .usage, "\(id) has already ended: it is \(result.status)",
          suggestion: "`rasa runs show \(id)` shows how")
        value["error"] = failure.value
        failures.append(failure)
      }
      values.append(.object(value))
    }
    if print.isJSON { try print(.array(values)) } else { try print(text: lines.joined()) }
    if let first = failures.first { throw first }
  }

  private func delete(_ words: [String]) async throws {
    let ids = try await ids(of: words)
    let deleted = try await rasa.deleteRuns(ids)
    if let one = ids.first(where: { !deleted.contains($0) }) {
      throw Failure(.usage, "\(one) has already been deleted")
    }
    if print.isJSON {
      return try print(["runs": .array(ids.map { .string($0) }), "deleted": true] as Value)
    }
    let runs = ids.count == 1 ? ids[0] : "\(ids.count) runs"
    try print(text: "deleted \(runs) with journal and questions; \(Self.whatStays)\n")
  }

  /// The IDs of the runs that these words name, each once. All are found before the first is touched.
  private func ids(of words: [String]) async throws -> [String] {
    var ids: [String] = []
    for word in words {
      let id = try await rasa.run(withID: word).id
      if !ids.contains(id) { ids.append(id) }
    }
    return ids
  }

  private static let whatStays = "costs and memories are kept"

  private func prune(_ command: ParsedCommand) async throws {
    let isDry = command.flag("dry-run")
    let report = try await rasa.pruneRuns(
      endedBefore: .milliseconds(command.milliseconds("older-than") ?? 0),
      statuses: Set(command.texts("status").compactMap(Rasa.RunStatus.init)), isDryRun: isDry)
    if print.isJSON {
      return try print([
        "runs": .array(report.runs.map { .string($0) }), "bytes": .int(Int64(report.bytes)),
        "deleted": .bool(!isDry),
      ])
    }
    guard !report.runs.isEmpty else { return try print(text: "nothing to delete\n") }
    let count = "\(report.runs.count) \(report.runs.count == 1 ? "run" : "runs")"
    let size = sizeText(report.bytes)
    if isDry {
      for run in report.runs { try print(text: "\(run)\n") }
      try print(text: "would delete \(count), \(size); \(Self.whatStays)\n")
    } else {
      try print(text: "deleted \(count), \(size); \(Self.whatStays)\n")
    }
  }
}

extension Rasa.RunSummary {
  /// How it stands, and how many questions are open.
  var statusText: String {
    status == .parked ? "parked, \(openQuestions) open" : status.description
  }
}

private func sizeText(_ bytes: Int) -> String {
  switch bytes {
  case ..<10_000: "\(bytes) bytes"
  case ..<10_000_000: "\(bytes / 1000) kB"
  default: "\(bytes / 1_000_000) MB"
  }
}
