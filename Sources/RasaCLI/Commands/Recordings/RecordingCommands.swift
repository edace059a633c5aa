import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Recordings of runs: `rasa runs export --as-test`, and `--record` and `--replay` of `rasa run`.
struct RecordingCommands {
  let rasa: Rasa
  let console: Console

  // MARK: Making one

  /// Writes a run as a test into a folder, and returns the file's path.
  func export(_ run: String, to folder: String) async throws -> String {
    let recording = try await record(run, options: Rasa.RunOptions())
    try FileSystem.makeFolder(folder)
    let base = folder.hasByteSuffix("/") ? String(folder.dropLast()) : folder
    let path = "\(base)/\(recording.persona)-\(recording.run).json"
    try recording.write(to: path)
    return path
  }

  /// Does the work of a run and writes a recording of it, however it ends.
  ///
  /// - Parameter path: nil when nobody asked for a recording.
  func recording<Result: Sendable>(
    _ run: String, _ settings: RunSettings, to path: String?,
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
      try await record(run, options: settings.options).write(to: path)
      if !settings.isQuiet { try console.note("rasa: recorded in \(printable(path))\n") }
    }
    let result: Result
    do {
      result = try await work()
    } catch {
      do { try await write() } catch let second as RasaError {
        // The run's own end comes first.
        try? console.note("rasa: not recorded: \(printable(second.description))\n")
      }
      throw error
    }
    do { try await write() } catch let error as RasaError {
      var failure = error.failure
      failure.details.append("the run itself is kept: `rasa runs export \(run) --as-test DIR`")
      throw failure
    }
    return result
  }

  private func record(
    _ run: String, options: Rasa.RunOptions
  ) async throws -> Rasa.Recording {
    let made = try await rasa.record(run, options: options)
    if !made.differences.isEmpty {
      var text = DifferenceText(
        style: .plain,
        width: Terminal(console.environment).columns(of: .error) ?? Printer.unlimited)
      let lines = text.lines(of: made.differences)
      try console.note(
        "rasa: warning: this run does not replay to the same result:\n"
          + lines.joined(separator: "\n") + "\n")
    }
    return made.recording
  }

  // MARK: Replaying one

  /// Shows a recorded run as if it happened now; nobody is asked.
  ///
  /// - Parameter persona: another one than the recording names, by name or path.
  func replay(
    _ path: String, persona: String?, isPinned: Bool = false, _ settings: RunSettings,
    on screen: any RunScreen
  ) async throws {
    let recording = try await Rasa.RecordingFile(path).read()
    let replay: Rasa.Replay
    var failure: Failure?
    do {
      replay = try await rasa.replay(
        recording, persona: persona, usesPinnedFiles: isPinned,
        observer: Rasa.Observer { try await screen.show($0) })
      failure = self.failure(of: replay, recording, path)
      if let result = replay.result, result.pending.isEmpty || recording.isWaiting {
        failure?.run = FailedRun(
          id: recording.run, status: "failed", resume: nil, isTold: true)
        try await screen.finish(result, failure: failure)
      }
    } catch {
      await screen.clear()
      throw error
    }
    await screen.clear()
    if !replay.differences.isEmpty {
      let terminal = Terminal(console.environment)
      var text = DifferenceText(
        style: terminal.style(of: .error), width: terminal.columns(of: .error) ?? Printer.unlimited)
      let lines = text.lines(of: replay.differences)
      try console.note(lines.joined(separator: "\n") + "\n")
    }
    if let failure { throw failure }
  }

  private func failure(
    of replay: Rasa.Replay, _ recording: Rasa.Recording, _ path: String
  ) -> Failure? {
    guard replay.differences.isEmpty else {
      return Failure(
        .run, "the run differs from its recording \(path)",
        suggestion: "`rasa test \(path) --update` accepts the new results")
    }
    return replay.failure?.failure
      ?? replay.result?.pending.first.map { stopped($0, recording) }
  }

  /// The recorded run went no further.
  private func stopped(_ waiting: Rasa.Approval, _ recording: Rasa.Recording) -> Failure {
    let place = "\(waiting.step.name) in \(waiting.step.frameTitle)"
    guard recording.isWaiting else {
      return Failure(.cancelled, "the recorded run was interrupted: \(place) was running")
    }
    return Failure(.approval, "the recorded run is parked: \(place) waits for an answer")
  }
}
