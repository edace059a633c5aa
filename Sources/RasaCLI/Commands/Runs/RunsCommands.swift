import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa runs …`: what has been run.
struct RunsCommands {
  let house: CompositionRoot
  let rasa: Rasa
  let store: any RunStore
  let print: Printer
  let style: Style

  var archive: RunArchive { rasa.archive }

  func run(_ command: ParsedCommand) async throws {
    switch command.path.last {
    case "list": try await list(command)
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
    let conditions = Set(command.texts("status").compactMap(RunCondition.init(rawValue:)))
    let found = try await archive.list(
      session: command.text("session"), persona: command.text("persona"), conditions: conditions,
      limit: command.integer("limit") ?? 20)
    try print(
      Table(
        columns: ["RUN", "STATUS", "PERSONA", "STARTED", "COST", "INPUT"],
        rows: found.map { one in
          let record = one.run.record
          return [
            record.id.text, one.condition.text(waiting: one.run.waiting), record.persona,
            momentText(record.startedAt, house.time), "\(one.run.cost)",
            print.others.opening(record.input, to: 200),
          ]
        },
        values: found.map(\.value),
        whenEmpty: conditions.isEmpty ? "no runs yet; `rasa run` starts one" : "no such runs"))
  }

  // MARK: Cancel, delete, prune

  private func cancel(_ words: [String]) async throws {
    var values: [Value] = []
    var lines: [String] = []
    var failures: [Failure] = []
    for found in try await all(words) {
      var value: ValueObject = ["run": .string(found.id.text)]
      switch try await store.requestCancel(found.id) {
      case .cancelled:
        value["status"] = "cancelled"
        lines.append("\(found.id) is cancelled\n")
      case .asked:
        value["status"] = "running"
        lines.append("\(found.id) is running; its process has been asked to stop\n")
      case .ended(let status):
        let failure = Failure(
          .usage, "\(found.id) has already ended: it is \(status.rawValue)",
          suggestion: "`rasa runs show \(found.id)` shows how")
        value["status"] = .string(status.rawValue)
        value["error"] = failure.value
        failures.append(failure)
      }
      values.append(.object(value))
    }
    if print.isJSON { try print(.array(values)) } else { try print(text: lines.joined()) }
    if let first = failures.first { throw first }
  }

  private func delete(_ words: [String]) async throws {
    let found = try await all(words)
    let deleted = try await store.deleteRuns(found.map(\.id))
    if let one = found.first(where: { !deleted.contains($0.id) }) {
      throw Failure(.usage, "\(one.id) has already been deleted")
    }
    if print.isJSON {
      return try print(
        ["runs": .array(found.map { .string($0.id.text) }), "deleted": true] as Value)
    }
    let runs = found.count == 1 ? "\(found[0].id)" : "\(found.count) runs"
    try print(text: "deleted \(runs) with journal and questions; \(Self.whatStays)\n")
  }

  /// All of them are found before the first is touched.
  private func all(_ words: [String]) async throws -> [RunArchive.Found] {
    var found: [RunArchive.Found] = []
    for word in words {
      let one = try await archive.find(word)
      if !found.contains(where: { $0.id == one.id }) { found.append(one) }
    }
    return found
  }

  private static let whatStays =
    "costs and memories are kept"

  private func prune(_ command: ParsedCommand) async throws {
    let age = command.milliseconds("older-than") ?? 0
    let before = Timestamp(milliseconds: house.time.now().milliseconds - age)
    let named = command.texts("status").compactMap { RunRecord.Status(rawValue: $0) }
    let isDry = command.flag("dry-run")
    let report = try await store.pruneRuns(
      endedBefore: before, statuses: named.isEmpty ? [.done, .failed, .cancelled] : Set(named),
      dryRun: isDry)
    if print.isJSON {
      return try print([
        "runs": .array(report.runs.map { .string($0.text) }), "bytes": .int(Int64(report.bytes)),
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

extension RunArchive.Found {
  /// The run as lists give it to programs.
  var value: Value {
    let record = run.record
    return [
      "run": .string(record.id.text), "persona": .string(record.persona),
      "status": .string(condition.rawValue),
      "is_alive": .bool(run.isAlive), "session": record.session.map { .string($0) } ?? .null,
      "fork_of": record.forkOf.map { .string($0.text) } ?? .null,
      "user": .string(record.user), "started_at_ms": .int(record.startedAt.milliseconds),
      "changed_at_ms": .int(run.changedAt.milliseconds),
      "cost_usd": .string(run.cost.decimalText), "waiting": .int(Int64(run.waiting)),
      "lines": .int(Int64(run.lines)), "input": .string(record.input),
    ]
  }
}

private func sizeText(_ bytes: Int) -> String {
  switch bytes {
  case ..<10_000: "\(bytes) bytes"
  case ..<10_000_000: "\(bytes / 1000) kB"
  default: "\(bytes / 1_000_000) MB"
  }
}
