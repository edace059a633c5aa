import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa resume` and `rasa runs fork`: runs that go on, and runs that go on otherwise.
struct ResumeCommand {
  let house: House
  let workshop: Workshop
  let print: Printer

  private var archive: RunArchive { RunArchive(house: house, store: workshop.store) }

  func resume(_ command: ParsedCommand) async throws {
    let settings = RunSettings(goingOnBy: command)
    if let word = command.arguments.first {
      return try await resume(try await archive.find(word), settings)
    }
    if command.flag("all") { return try await resumeAll(settings) }
    try await list(isJSON: settings.format != .text)
  }

  func resume(_ found: RunArchive.Found, _ settings: RunSettings) async throws {
    if found.condition == .cancelled {
      throw Failure(
        .usage, "\(found.id) was cancelled, and is not gone on with",
        mend: "`rasa runs fork \(found.id)` begins a new run that reuses what it has paid for")
    }
    guard found.run.record.hasPersona else {
      throw Failure(
        .usage, "\(found.id) only asked for vectors, and there is nothing to go on with",
        mend: "`rasa agents recommend` asks for what is missing")
    }
    _ = try await workshop.resume(found.id, settings, at: workshop.stand(settings))
  }

  // MARK: Without a run

  private func list(isJSON: Bool) async throws {
    let found = try await archive.list(
      conditions: [.answered, .interrupted, .died, .parked, .failed], limit: 100
    ).filter(\.run.record.hasPersona)
    let listing = Listing(
      columns: ["RUN", "STATUS", "CHANGED", "GO ON WITH", "INPUT"],
      rows: found.map { one in
        [
          one.id.text, one.condition.text(waiting: one.run.waiting),
          momentText(one.run.changedAt, house.time), one.wayOn,
          print.others.opening(one.run.record.input, to: 200),
        ]
      },
      values: found.map { one in
        var value = one.value.object ?? ValueObject()
        value["go_on_with"] = .string(one.wayOn)
        return .object(value)
      }, whenEmpty: "every run has come to its end")
    try Printer(output: print.output, isJSON: isJSON, width: print.width)(listing)
  }

  // MARK: All of them

  private func resumeAll(_ settings: RunSettings) async throws {
    let found = try await archive.list(
      conditions: Set(RunCondition.allCases.filter(\.canGoOn)), limit: 100_000
    ).filter(\.run.record.hasPersona)
    guard !found.isEmpty else {
      if !settings.isQuiet { try house.errors.write("rasa: there is nothing to go on with\n") }
      return
    }
    var failed = 0
    // The oldest waits longest.
    for one in found.reversed() {
      do {
        _ = try await workshop.resume(one.id, settings, at: workshop.stand(settings))
        try tell("\(one.id) is done", settings)
      } catch let failure as Failure where failure.kind == .approval {
        try tell(failure.message, settings)
      } catch let failure as Failure where failure.kind != .cancelled {
        if try await workshop.store.run(one.id.text)?.isAlive != false {
          try tell("\(one.id) was taken up by another process meanwhile", settings)
        } else {
          failed += 1
          try house.errors.write("rasa: \(one.id): \(printable(failure.description))\n")
        }
      }
    }
    if failed > 0 {
      throw Failure(
        .run, "\(failed) of \(found.count) runs did not come to their end",
        mend: "`rasa resume` lists what is left")
    }
  }

  private func tell(_ line: String, _ settings: RunSettings) throws {
    if !settings.isQuiet { try house.errors.write("rasa: \(printable(line))\n") }
  }

  // MARK: Fork

  func fork(_ command: ParsedCommand) async throws {
    let found = try await archive.find(command.arguments[0])
    var plan = ForkPlan(origin: found.id)
    plan.sequence = command.integer("at")
    plan.changes = command.assignments("set")
    plan.persona = command.text("persona")
    if let input = command.text("input") {
      plan.input = input == "-" ? try InputReader(house: house).input(.standardInput) : input
    }
    plan.preferences = command.pairs("preferences")
    let settings = RunSettings(goingOnBy: command)
    _ = try await workshop.fork(
      plan, settings, at: workshop.stand(settings), isDryRun: command.flag("dry-run"))
  }
}

extension RunArchive.Found {
  /// The command that makes it go on.
  fileprivate var wayOn: String {
    condition == .parked ? "rasa approvals list --run \(id)" : "rasa resume \(id)"
  }
}
