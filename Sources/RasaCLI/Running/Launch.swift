import RasaCore
import RasaEngine
import RasaKit
import RasaModels
import RasaStore
import RasaSystem
import RasaTerminal

extension RunServices {
  func stand(_ settings: RunSettings) -> RunPresentation { house.stand(settings) }

  /// Runs a persona once and shows it.
  func run(_ graph: Graph, _ settings: RunSettings, at stand: RunPresentation) async throws
    -> Rasa.RunResult
  {
    let start = start(graph, settings)
    return try await RecordingCommands(rasa: Rasa(house, store), console: house.console).recording(
      start.run.text, settings, to: settings.recording
    ) {
      try await show(start.run, settings, at: stand) { runner, observer in
        try await runner.run(graph, start, observer: observer)
      }
    }
  }

  /// Takes a run over that nobody is running, and goes on with it.
  func resume(
    _ run: Identifier, _ settings: RunSettings, at stand: RunPresentation
  ) async throws -> Rasa.RunResult {
    try await house.settleTrust()
    let taken = try await takeUp(run, isPinned: settings.isPinned)
    let by = house.user(settings.user)
    let settings = settings.having(
      settings.plan.goingOn(with: taken.start?.options ?? ValueObject()))
    return try await RecordingCommands(rasa: Rasa(house, store), console: house.console).recording(
      run.text, settings, to: settings.recording
    ) {
      try await show(run, settings, at: stand) { runner, observer in
        try await runner.resume(
          taken.graph, taken.history, inheriting: taken.origin, by: by, observer: observer)
      }
    }
  }

  func start(_ graph: Graph, _ settings: RunSettings) -> RunStart { start(graph, settings.plan) }

  func runner(_ settings: RunSettings, at stand: RunPresentation) throws(Failure) -> Runner {
    var plan = settings.plan
    plan.gate.finishesBrokenAnswers =
      settings.format == .text && settings.streams
      && !Terminal(house.environment).outputIsTerminal && !house.output.isRegularFile
    let isLines = settings.format == .streamJSON
    return try runner(
      plan, people: stand.people, onWarning: stand.warn,
      onSelection: settings.explainsSelection ? stand.explain : nil
    ) { [output = house.output, errors = house.errors] progress in
      output.takesNow(Rasa.Observation(progress).size(asLine: isLines)) && errors.takesNow(1_024)
    }
  }

  /// Performs a run where it can be stopped: by a signal, and by `rasa runs cancel` from elsewhere.
  func show(
    _ run: Identifier, _ settings: RunSettings, at stand: RunPresentation,
    _ perform:
      @escaping @Sendable (Runner, @escaping RunObserver) async throws -> RasaEngine.RunResult
  ) async throws -> Rasa.RunResult {
    let runner = try runner(settings, at: stand)
    let screen = stand.screen
    let store = store
    let noticed = Locked<[RunNotice]>([])
    let observer = JournalingObserver { progress in
      try await screen.show(Rasa.Observation(progress))
    }
    // People are shown what happens at once; a program may look for the run once it knows its name.
    if settings.format != .streamJSON { try await observer.release() }
    do {
      // A process with one run has nothing else to do on the thread that its answers arrive on.
      let result = try await interruptible(on: try executor) { cancel in
        store.onCancelRequest(run, cancel)
        let result = try await perform(runner) { progress in
          if case .notice(let notice) = progress { noticed.withLock { $0.append(notice) } }
          try await observer.show(progress)
        }
        return Rasa.RunResult(result, run: run.text, warnings: [])
      }
      try await observer.release()
      let parked = result.pending.first.map { Failure.parked(run.text, $0, result.pending) }
      let failure = parked ?? (settings.isStrict ? Failure(notWhole: result) : nil)
      try await screen.finish(result, failure: failure)
      if let failure { throw failure }
      return result
    } catch {
      try? await observer.release()
      await screen.clear()
      throw await told(error, of: run, noticed.withLock { $0 })
    }
  }

  /// The error with the run that ended with it, as the store has it.
  private func told(
    _ error: any Error, of run: Identifier, _ notices: [RunNotice]
  ) async -> any Error {
    var failure = error as? Failure
    var interrupted = error as? Interrupted
    guard failure ?? interrupted?.failure != nil, failure?.run == nil else { return error }
    let archive = RunArchive(house: house, store: store)
    guard let listing = try? await store.run(run.text),
      let found = try? await archive.found(listing)
    else { return error }
    if failure?.kind == .cancelled, found.condition == .cancelled {
      failure = Failure(
        .cancelled, "\(run) was cancelled",
        suggestion: "`rasa runs fork \(run)` starts a new run that reuses its answers")
    }
    var facts: ValueObject = [
      "persona": .string(listing.record.persona),
      "session": listing.record.session.map { .string($0) } ?? .null,
      "cost_usd": .string(listing.cost.decimalText),
    ]
    if !notices.isEmpty { facts["notices"] = .array(notices.map(\.value)) }
    let canGoOn = ![.done, .cancelled].contains(found.condition)
    // Its end could not be written down, and this process does nothing more for it.
    let isLeft = found.condition == .running && failure?.kind == .storage
    let failed = FailedRun(
      id: run.text, status: (isLeft ? RunCondition.died : found.condition).rawValue,
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
    case .started, .moved, .sentBack, .restarted, .asked, .warning, .notice, nil:
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
