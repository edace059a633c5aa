import RasaCore
import RasaEngine
import RasaKit
import RasaStore
import RasaSystem
import RasaTerminal

/// `rasa resume` and `rasa runs fork`: runs that go on, and runs that go on otherwise.
struct ResumeCommand {
  let house: CompositionRoot
  let workshop: RunServices
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
    try found.checkThatItGoesOn()
    do {
      _ = try await workshop.resume(found.id, settings, at: workshop.stand(settings))
    } catch var failure as Failure where failure.run == nil {
      // It could not even be taken up, and stands as it stood.
      failure.run = FailedRun(
        id: found.id.text, status: found.condition.rawValue,
        resume: found.condition == .done ? nil : "rasa resume \(found.id)")
      throw failure
    }
  }

  // MARK: Without a run

  private func list(isJSON: Bool) async throws {
    let found = try await archive.list(
      conditions: [.answered, .interrupted, .died, .parked, .failed], limit: 100
    ).filter(\.run.record.hasPersona)
    let listing = Table(
      columns: ["RUN", "STATUS", "CHANGED", "RESUME WITH", "INPUT"],
      rows: found.map { one in
        [
          one.id.text, one.condition.text(waiting: one.run.waiting),
          momentText(one.run.changedAt, house.time), one.wayOn,
          print.others.opening(one.run.record.input, to: 200),
        ]
      },
      values: found.map { one in
        var value = Rasa.RunSummary(one).value.object ?? ValueObject()
        value["go_on_with"] = .string(one.wayOn)
        return .object(value)
      }, whenEmpty: "no unfinished runs")
    try Printer(output: print.output, isJSON: isJSON, width: print.width)(listing)
  }

  // MARK: All of them

  private func resumeAll(_ settings: RunSettings) async throws {
    let found = try await archive.list(
      conditions: Set(RunCondition.allCases.filter(\.canGoOn)), limit: 100_000
    ).filter(\.run.record.hasPersona)
    guard !found.isEmpty else {
      if !settings.isQuiet { try house.note("rasa: no runs to resume\n") }
      return
    }
    let documents = Locked<[Value]>([])
    func collect(_ failure: Failure, _ exitCode: Int32) {
      if failure.run?.isTold == true { return }
      documents.withLock {
        $0.append(.object(failure.document(exitCode: exitCode)))
      }
    }
    /// All of them are one document, as any other list.
    func printDocuments() throws {
      guard settings.format == .json else { return }
      try print(.array(documents.withLock { $0 }))
    }
    var failed = 0
    // The oldest waits longest.
    for one in found.reversed() {
      if let change = try await change(of: one.id) {
        try note(change, settings)
        continue
      }
      var stand = workshop.stand(settings)
      if let screen = stand.screen as? JSONScreen {
        stand.screen = JSONScreen(commentary: screen.commentary) { document in
          documents.withLock { $0.append(document) }
        }
      }
      if settings.format == .text {
        try note(
          "\(one.id) (\(UntrustedText(isOnTerminal: true).opening(one.run.record.input, to: 60))):",
          settings)
      }
      do {
        _ = try await workshop.resume(one.id, settings, at: stand)
        try note("\(one.id) is done", settings)
      } catch let failure as Failure where failure.kind == .approval && failure.run?.isTold == true
      {
        try note(failure.message, settings)
      } catch let failure as Failure {
        // Who has it now tells how it ends.
        if let change = try await change(of: one.id, since: failure) {
          try note(change, settings)
          continue
        }
        failed += 1
        collect(failure, failure.exitCode)
        try house.note("rasa: \(one.id): \(printable(failure.description))\n")
      } catch let interrupted as Interrupted {
        collect(interrupted.failure, interrupted.signal.exitCode)
        try printDocuments()
        throw interrupted
      }
    }
    try printDocuments()
    if failed > 0 {
      throw Failure(
        .run, "\(failed) of \(found.count) runs are unfinished",
        suggestion: "`rasa resume` lists them")
    }
  }

  /// What others have done with a run since it was found; nil when it can still go on here, or did.
  private func change(of run: Identifier, since failure: Failure? = nil) async throws -> String? {
    guard let listing = try await workshop.store.run(run.text) else {
      return "\(run) has been deleted"
    }
    if listing.isAlive { return "another process has taken \(run)" }
    let condition = try await archive.found(listing).condition
    if condition == .cancelled { return "\(run) has been cancelled" }
    // What failed after it had been taken up here failed here.
    if condition == .failed, failure?.run != nil { return nil }
    return [.done, .failed].contains(condition)
      ? "\(run) has ended: it is \(condition.rawValue)" : nil
  }

  private func note(_ line: String, _ settings: RunSettings) throws {
    if !settings.isQuiet { try house.note("rasa: \(printable(line))\n") }
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
