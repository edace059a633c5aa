import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaPersona
import RasaSystem
import RasaTerminal

/// Recordings of runs: `rasa runs export --as-test`, and `--record` and `--replay` of `rasa run`.
struct RecordingCommands {
  let house: CompositionRoot

  // MARK: Making one

  /// Writes a run as a test into a folder, and returns the file's path.
  func export(_ entries: [JournalEntry], to folder: String) async throws -> String {
    let recording = try await record(entries, options: ValueObject())
    try FileSystem.makeFolder(folder)
    let base = folder.hasByteSuffix("/") ? String(folder.dropLast()) : folder
    let file = RecordingFile(
      path: "\(base)/\(recording.start.persona)-\(recording.start.run).json", recording: recording)
    try file.write()
    return file.path
  }

  /// Does the work of a run and writes a recording of it, however it ends.
  ///
  /// - Parameter path: nil when nobody asked for a recording.
  func recording<Result: Sendable>(
    _ run: Identifier, of journal: any Journal, _ settings: RunSettings, to path: String?,
    _ work: () async throws -> Result
  ) async throws -> Result {
    guard let path else { return try await work() }
    let folder = FileSystem.parent(of: path)
    guard FileSystem.kind(of: folder) == .folder, FileSystem.kind(of: path) != .folder else {
      throw Failure(
        .usage, "a recording cannot be written to \(path)",
        suggestion: "name a file in an existing folder")
    }
    func write() async throws {
      let entries = try await journal.entries(of: run)
      let recording = try await record(entries, options: settings.recorded)
      try RecordingFile(path: path, recording: recording).write()
      if !settings.isQuiet { try house.note("rasa: recorded in \(printable(path))\n") }
    }
    let result: Result
    do {
      result = try await work()
    } catch {
      do { try await write() } catch let second as Failure {
        // The run's own end comes first.
        try? house.note("rasa: not recorded: \(printable(second.description))\n")
      }
      throw error
    }
    do { try await write() } catch var failure as Failure {
      failure.details.append("the run itself is kept: `rasa runs export \(run) --as-test DIR`")
      throw failure
    }
    return result
  }

  private func record(
    _ entries: [JournalEntry], options: ValueObject
  ) async throws -> Recording {
    let graph = try Recording.graph(of: entries) { name throws(Failure) in try house.graph(name) }
    let made = try await Recording.make(of: entries, on: graph, options: options)
    if !made.differences.isEmpty {
      var text = DifferenceText(
        style: .plain,
        width: Terminal(house.environment).columns(of: .error) ?? Printer.unlimited)
      let lines = text.lines(of: made.differences)
      try house.note(
        "rasa: warning: this run does not replay to the same result:\n"
          + lines.joined(separator: "\n") + "\n")
    }
    var recording = made.recording
    let here = FileSystem.absolute("")
    for index in recording.files.files.indices
    where recording.files.files[index].path.hasBytePrefix(here) {
      recording.files.files[index].path.removeFirst(here.count)
    }
    return recording
  }

  // MARK: Replaying one

  /// Shows a recorded run as if it happened now; nobody is asked.
  ///
  /// - Parameter persona: another one than the recording names, by name or path.
  func replay(
    _ path: String, persona: String?, isPinned: Bool = false, _ settings: RunSettings,
    on screen: any RunScreen
  ) async throws {
    let file = try RecordingFile.read(NamedFile(path))
    let graph = try house.graph(for: file.recording, persona: persona, isPinned: isPinned)
    let replay = Replay(file.recording, on: graph)
    let replayed: Replayed
    var failure: Failure?
    do {
      replayed = try await replay.run { progress in try await screen.show(progress) }
      failure = self.failure(of: replayed, file)
      if let result = replayed.result, result.waitsFor.isEmpty || isWaiting(file.recording) {
        let run = file.recording.start.run
        failure?.run = FailedRun(id: run.text, status: "failed", resume: nil, isTold: true)
        try await screen.finish(result, of: run, failure: failure)
      }
    } catch {
      await screen.clear()
      throw error
    }
    await screen.clear()
    if !replayed.differences.isEmpty {
      let terminal = Terminal(house.environment)
      var text = DifferenceText(
        style: terminal.style(of: .error), width: terminal.columns(of: .error) ?? Printer.unlimited)
      let lines = text.lines(of: replayed.differences)
      try house.note(lines.joined(separator: "\n") + "\n")
    }
    if let failure { throw failure }
  }

  private func failure(of replayed: Replayed, _ file: RecordingFile) -> Failure? {
    guard replayed.differences.isEmpty else {
      return Failure(
        .run, "the run differs from its recording \(file.path)",
        suggestion: "`rasa test \(file.path) --update` accepts the new results")
    }
    return replayed.failure
      ?? replayed.result?.waitsFor.first.map { stopped($0, file.recording) }
  }

  /// Whether the recorded run was left with a question.
  private func isWaiting(_ recording: Recording) -> Bool {
    recording.effects.contains { effect in
      if case .question(let asked) = effect { asked.answer == nil } else { false }
    }
  }

  /// The recorded run went no further.
  private func stopped(_ waiting: Approval, _ recording: Recording) -> Failure {
    let place = "\(waiting.question.key.operatorName) in \(frameTitle(waiting.question.key.frame))"
    guard isWaiting(recording) else {
      return Failure(.cancelled, "the recorded run was interrupted: \(place) was running")
    }
    return Failure(.approval, "the recorded run is parked: \(place) waits for an answer")
  }
}

extension RunSettings {
  /// How the run was asked for, by the name of the option.
  fileprivate var recorded: ValueObject {
    var options = ValueObject()
    if let profile = gate.profile { options["profile"] = .string(profile.rawValue) }
    if let model = gate.model { options["model"] = .string(model.description) }
    if gate.premium { options["premium"] = true }
    if let most = gate.maxCost { options["max_cost_usd"] = .string(most.decimalText) }
    return options
  }
}
