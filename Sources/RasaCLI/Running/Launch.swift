import RasaCore
import RasaKit
import RasaSystem
import RasaTerminal

/// Performs runs and shows them. Signals and `rasa runs cancel` can stop them.
struct Launch: Sendable {
  let rasa: Rasa
  let console: Console
  /// Where work goes that a chat does while its person reads and types; nil does it at once.
  var later: LaterWork?

  private var recordings: RecordingCommands { RecordingCommands(rasa: rasa, console: console) }

  func settleTrust() async throws {
    try await TrustQuestion(rasa: rasa, console: console).settle()
  }

  /// Asks for trust in the project's files, and for approval of the servers that are started for the first time.
  func settle(_ runnable: Rasa.Runnable) async throws {
    try await TrustQuestion(rasa: rasa, console: console)
      .settle(startingTools: try await runnable.usesProjectTools())
    try await ServerQuestion(runnable: runnable, console: console).settle()
  }

  /// Runs a persona or an agent once and shows it.
  func run(
    _ runnable: Rasa.Runnable, _ settings: RunSettings, at presentation: RunPresentation
  ) async throws -> Rasa.RunResult {
    let ready = try runnable.ready(
      settings.input, options: options(settings), approve: presentation.approve)
    return try await recordings.recording(ready.id, settings, to: settings.recording) {
      try await show(ready, settings, at: presentation)
    }
  }

  /// Resumes a run that no process owns.
  func resume(
    _ run: String, _ settings: RunSettings, at presentation: RunPresentation
  ) async throws -> Rasa.RunResult {
    try await settleTrust()
    let ready = try await rasa.ready(
      toResume: run, options: options(settings), approve: presentation.approve)
    return try await recordings.recording(ready.id, settings, to: settings.recording) {
      try await show(ready, settings, at: presentation)
    }
  }

  func options(_ settings: RunSettings) -> Rasa.RunOptions {
    var options = settings.options
    options.finishesBrokenAnswers =
      settings.format == .text && settings.streams && !console.terminal.outputIsTerminal
      && !console.output.isRegularFile
    return options
  }

  /// Performs a run that a signal or `rasa runs cancel` can stop.
  func show(
    _ ready: Rasa.ReadyRun, _ settings: RunSettings, at presentation: RunPresentation
  ) async throws -> Rasa.RunResult {
    let screen = presentation.screen
    let noticed = Locked<[Rasa.Notice]>([])
    let isLines = settings.format == .streamJSON
    var observer = Rasa.Observer(
      takesNow: { [output = console.output, errors = console.errors] observation in
        output.takesNow(observation.size(asLine: isLines)) && errors.takesNow(1_024)
      }
    ) { observation in
      if case .notice(let notice) = observation.event {
        noticed.withLock { $0.append(notice) }
        if let later, !later.isNews(notice) { return }
      }
      try await screen.show(observation)
    }
    // A program may look the run up as soon as it knows its ID, so its lines wait until the run is on disk.
    observer.waitsForJournal = isLines
    observer.warn = presentation.warn
    if settings.explainsSelection { observer.explain = presentation.explain }
    do {
      // A process with one run has nothing else to do on the thread that its answers arrive on.
      var result = try await interruptible(on: try rasa.networkExecutor) { [observer] cancel in
        try await ready.run(observer, onCancel: cancel)
      }
      if let folder = settings.filesFolder {
        for index in result.files.indices { try result.files[index].write(to: folder) }
      }
      let parked = result.pending.first.map { Failure.parked(ready.id, $0, result.pending) }
      let failure = parked ?? (settings.isStrict ? Failure(notWhole: result) : nil)
      try await screen.finish(result, failure: failure)
      if let failure { throw failure }
      if ready.asksForFeedback { await askForRating(of: ready.id, settings, at: presentation) }
      await summarise(after: result, ready, at: presentation)
      return result
    } catch {
      await screen.clear()
      throw await described(error, ready.id, noticed.withLock { $0 })
    }
  }

  /// Brings the conversation's summary up to date, once the answer is shown.
  private func summarise(
    after result: Rasa.RunResult, _ ready: Rasa.ReadyRun, at presentation: RunPresentation
  ) async {
    guard let later else {
      if let problem = await ready.summarise(after: result) { presentation.say(problem) }
      return
    }
    later.start { if let problem = await ready.summarise(after: result) { later.note(problem) } }
  }

  /// The error with the run that ended with it, as the database has it.
  private func described(
    _ error: any Error, _ run: String, _ notices: [Rasa.Notice]
  ) async -> any Error {
    let error = (error as? RasaError)?.failure ?? error
    var failure = error as? Failure
    var interrupted = error as? Interrupted
    guard failure ?? interrupted?.failure != nil, failure?.run == nil else { return error }
    guard let found = try? await rasa.run(withID: run) else { return error }
    if failure?.kind == .cancelled, found.status == .cancelled {
      failure = Failure(
        .cancelled, "\(run) was cancelled",
        suggestion: "`rasa runs fork \(run)` starts a new run that reuses its answers")
    }
    var facts: ValueObject = [
      "persona": .string(found.persona),
      "session": found.session.map { .string($0) } ?? .null,
      "cost_usd": .string(found.cost.decimalText),
    ]
    if !notices.isEmpty { facts["notices"] = .array(notices.map { Value($0.json) }) }
    let canGoOn = ![.done, .cancelled].contains(found.status)
    // Its end could not be recorded, and this process no longer works on it.
    let isLeft = found.status == .running && failure?.kind == .storage
    let failed = FailedRun(
      id: run, status: "\(isLeft ? .died : found.status)",
      resume: canGoOn ? "rasa resume \(run)" : nil, facts: facts)
    failure?.run = failed
    interrupted?.run = failed
    return failure ?? interrupted ?? error
  }
}

extension Rasa.Observation {
  /// The most bytes that it is when it is shown: as a line of JSON a byte of text may be six.
  fileprivate func size(asLine isLine: Bool) -> Int {
    switch event {
    case .output(let text): isLine ? text.utf8.count * 6 + 64 : text.utf8.count
    case .reasoning(_, let text): text.utf8.count * 6 + 1_024
    case .received: 0
    case .stepStarted, .stepFinished, .modelChosen: 1_024
    // What they hold may be of any length.
    case .started, .moved, .sentBack, .restarted, .asked, .warning, .notice, .tool, nil:
      isLine ? .max : 1_024
    }
  }
}

extension Failure {
  /// An answer whose end is missing, where only a whole one counts.
  init?(notWhole result: Rasa.RunResult) {
    guard !result.isComplete, let notice = result.notices.first(where: { $0.kind == "cut" })
    else { return nil }
    self.init(
      .limit, "\(notice.message), and `--strict` requires a complete answer",
      suggestion: notice.suggestion)
  }

  /// A run that waits for people.
  fileprivate static func parked(
    _ run: String, _ first: Rasa.Approval, _ all: [Rasa.Approval]
  ) -> Failure {
    let others = all.count > 1 ? " and \(all.count - 1) more" : ""
    var failure = Failure(
      .approval,
      "\(run) is parked: \(first.step.name) in \(first.step.frameTitle) waits for an answer\(others)",
      suggestion: "`rasa approvals show \(first.id)` shows the question, `rasa approvals "
        + "\(first.wantsAnswer ? "answer" : "approve") \(first.id)` answers it and resumes the run",
      details: all.dropFirst().map { "also waiting: \($0.id), \($0.step.name)" })
    // The result that was printed says so.
    failure.run = FailedRun(
      id: run, status: "parked", resume: "rasa resume \(run)", isTold: true)
    return failure
  }
}
