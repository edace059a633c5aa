import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// `rasa resume` and `rasa runs fork`.
struct ResumeCommand {
  let launch: Launch
  let print: Printer

  private var rasa: Rasa { launch.rasa }

  func resume(_ command: ParsedCommand) async throws {
    let settings = RunSettings(goingOnBy: command)
    if let word = command.arguments.first {
      return try await resume(try await rasa.run(withID: word), settings)
    }
    if command.flag("all") { return try await resumeAll(settings) }
    try await list(isJSON: settings.format != .text)
  }

  func resume(_ run: Rasa.RunSummary, _ settings: RunSettings) async throws {
    try run.checkResumable()
    do {
      _ = try await launch.resume(run.id, settings, at: launch.presentation(settings))
    } catch {
      guard var failure = error as? Failure ?? (error as? RasaError)?.failure, failure.run == nil
      else { throw error }
      // It could not even be claimed, and stands as it stood.
      failure.run = FailedRun(
        id: run.id, status: "\(run.status)",
        resume: run.status == .done ? nil : "rasa resume \(run.id)")
      throw failure
    }
  }

  // MARK: Without a run

  private func list(isJSON: Bool) async throws {
    let found = try await runs([.answered, .interrupted, .died, .parked, .failed], limit: 100)
    let listing = Table(
      columns: ["RUN", "STATUS", "CHANGED", "RESUME WITH", "INPUT"],
      rows: found.map { one in
        [
          one.id, one.statusText, momentText(Timestamp(milliseconds: one.changedAt), .system),
          one.wayOn, print.others.opening(one.input, to: 200),
        ]
      },
      values: found.map { one in
        var value = one.document
        value["go_on_with"] = .string(one.wayOn)
        return .object(value)
      }, whenEmpty: "no unfinished runs")
    try Printer(output: print.output, isJSON: isJSON, width: print.width)(listing)
  }

  /// Runs with a persona, the newest first.
  private func runs(
    _ statuses: Set<Rasa.RunStatus>, limit: Int
  ) async throws -> [Rasa.RunSummary] {
    var query = Rasa.RunQuery()
    query.statuses = statuses
    query.limit = limit
    return try await rasa.runs(query).filter { !$0.personaDigest.isEmpty }
  }

  // MARK: All of them

  private func resumeAll(_ settings: RunSettings) async throws {
    let found = try await runs([.answered, .interrupted, .died], limit: 100_000)
    guard !found.isEmpty else {
      if !settings.isQuiet { try launch.console.note("rasa: no runs to resume\n") }
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
      var presentation = launch.presentation(settings)
      if let screen = presentation.screen as? JSONScreen {
        presentation.screen = JSONScreen(commentary: screen.commentary) { document in
          documents.withLock { $0.append(document) }
        }
      }
      if settings.format == .text {
        try note(
          "\(one.id) (\(UntrustedText(isOnTerminal: true).opening(one.input, to: 60))):",
          settings)
      }
      do {
        _ = try await launch.resume(one.id, settings, at: presentation)
        try note("\(one.id) is done", settings)
      } catch let interrupted as Interrupted {
        collect(interrupted.failure, interrupted.signal.exitCode)
        try printDocuments()
        throw interrupted
      } catch {
        guard let failure = error as? Failure ?? (error as? RasaError)?.failure else { throw error }
        if failure.kind == .approval, failure.run?.isTold == true {
          try note(failure.message, settings)
          continue
        }
        // Who has it now tells how it ends.
        if let change = try await change(of: one.id, since: failure) {
          try note(change, settings)
          continue
        }
        failed += 1
        collect(failure, failure.exitCode)
        try launch.console.note("rasa: \(one.id): \(printable(failure.description))\n")
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
  private func change(of run: String, since failure: Failure? = nil) async throws -> String? {
    let found: Rasa.RunSummary
    do throws(RasaError) { found = try await rasa.run(withID: run) } catch {
      guard error.code == .usage else { throw error }
      return "\(run) has been deleted"
    }
    if found.isAlive { return "another process has taken \(run)" }
    if found.status == .cancelled { return "\(run) has been cancelled" }
    // What failed after it had been claimed here failed here.
    if found.status == .failed, failure?.run != nil { return nil }
    return [.done, .failed].contains(found.status) ? "\(run) has ended: it is \(found.status)" : nil
  }

  private func note(_ line: String, _ settings: RunSettings) throws {
    if !settings.isQuiet { try launch.console.note("rasa: \(printable(line))\n") }
  }

  // MARK: Fork

  func fork(_ command: ParsedCommand, _ input: InputReader) async throws {
    var fork = Rasa.ForkOptions()
    fork.sequence = command.integer("at")
    for (key, value) in command.assignments("set") {
      fork.changes[key] = try Rasa.JSON(parsing: value.json(.compact))
    }
    fork.persona = command.text("persona")
    if let text = command.text("input") {
      fork.input = text == "-" ? try input.input(.standardInput) : text
    }
    fork.run.preferences = Rasa.Pairs(command.pairs("preferences"))
    let settings = RunSettings(goingOnBy: command)
    try await launch.fork(
      command.arguments[0], fork, settings, at: launch.presentation(settings),
      isDryRun: command.flag("dry-run"))
  }
}

extension Rasa.RunSummary {
  /// The command that makes it continue.
  fileprivate var wayOn: String {
    status == .parked ? "rasa approvals list --run \(id)" : "rasa resume \(id)"
  }
}

extension Rasa.Pairs where Value == String {
  /// The texts among the members of an object, in their order.
  init(_ object: ValueObject) {
    self.init()
    for (name, value) in object { self[name] = value.string }
  }
}
