import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaKit
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem
import RasaTerminal

/// The parts of a run that can be used for more than one: a chat keeps them.
struct Workshop: Sendable {
  let house: House
  let client: HTTPClient
  let store: any RunStore

  /// Starts what takes time in the background: the store and the HTTP client get ready while the
  /// persona is read.
  init(_ house: House) throws(Failure) { try self.init(house, house.store()) }

  init(_ house: House, _ store: any RunStore) throws(Failure) {
    self.house = house
    self.store = store
    client = try house.client()
    store.prepare()
    client.prepare()
  }

  func close() async {
    await store.close()
    client.shutdown()
  }
}

extension Workshop {
  func stand(_ settings: RunSettings) -> Stand { house.stand(settings) }

  /// Runs a persona once and shows it.
  func run(_ graph: Graph, _ settings: RunSettings, at stand: Stand) async throws -> RunResult {
    let start = start(graph, settings)
    return try await RecordingCommands(house: house).recording(
      start.run, of: store, settings, to: settings.recording
    ) {
      try await show(start.run, settings, at: stand) { runner, observer in
        try await runner.run(graph, start, observer: observer)
      }
    }
  }

  /// Takes a run over that nobody is running, and goes on with it.
  func resume(
    _ run: Identifier, _ settings: RunSettings, at stand: Stand
  ) async throws -> RunResult {
    try await house.settleTrust()
    let history = try await store.claim(run)
    let graph: Graph
    let origin: Origin?
    do {
      graph = try self.graph(of: history, isPinned: settings.isPinned)
      origin = try await self.origin(of: history)
    } catch {
      // It is left as it was found.
      try? await store.close(run, RunEnding(history.record.status.whenLeft), [])
      throw error
    }
    let by = house.user(settings.user)
    let settings = settings.goingOn(with: try history.start?.options ?? ValueObject())
    return try await RecordingCommands(house: house).recording(
      run, of: store, settings, to: settings.recording
    ) {
      try await show(run, settings, at: stand) { runner, observer in
        try await runner.resume(graph, history, inheriting: origin, by: by, observer: observer)
      }
    }
  }

  func start(_ graph: Graph, _ settings: RunSettings) -> RunStart {
    var start = RunStart(
      run: house.newIdentifier("r"), persona: graph.persona.name, personaDigest: graph.digest,
      session: settings.session, user: house.user(settings.user), input: settings.input,
      preferences: settings.preferences, options: settings.kept,
      attachments: settings.attachments)
    start.notices = settings.notices
    return start
  }

  func runner(
    _ settings: RunSettings, at stand: Stand, onlyEstimates: Bool = false
  ) throws(Failure) -> Runner {
    var gateOptions = settings.gate
    gateOptions.finishesBrokenAnswers =
      settings.format == .text && settings.streams
      && !Terminal(house.environment).outputIsTerminal && !house.output.isRegularFile
    let gate = try house.gate(
      ledger: store, history: store, client: client, options: gateOptions,
      onWarning: stand.warn, onSelection: settings.explainsSelection ? stand.explain : nil,
      onlyEstimates: onlyEstimates)
    var options = RunOptions(
      profile: settings.gate.profile, seconds: settings.maxSeconds.map(Double.init))
    let isLines = settings.format == .streamJSON
    options.readerTakesNow = { [output = house.output, errors = house.errors] progress in
      output.takesNow(progress.size(asLine: isLines)) && errors.takesNow(1_024)
    }
    return Runner(
      Surroundings(
        gate: gate, journal: store, memory: store, people: stand.people, time: house.time,
        limits: house.taskLimits(onWait: stand.warn), redact: house.redaction), options: options)
  }

  /// Performs a run where it can be stopped: by a signal, and by `rasa runs cancel` from elsewhere.
  func show(
    _ run: Identifier, _ settings: RunSettings, at stand: Stand,
    _ perform: @escaping @Sendable (Runner, @escaping RunObserver) async throws -> RunResult
  ) async throws -> RunResult {
    let runner = try runner(settings, at: stand)
    let screen = stand.screen
    let store = store
    let noticed = Locked<[RunNotice]>([])
    let observer = KeptObserver { progress in try await screen.show(progress) }
    // People are shown what happens at once; a program may look for the run once it knows its name.
    if settings.format != .streamJSON { try await observer.release() }
    do {
      let result = try await interruptible { cancel in
        store.onCancelRequest(run, cancel)
        return try await perform(runner) { progress in
          if case .notice(let notice) = progress { noticed.withLock { $0.append(notice) } }
          try await observer.show(progress)
        }
      }
      try await observer.release()
      let parked = result.waitsFor.first.map { Failure.parked(run, $0, result.waitsFor) }
      let failure = parked ?? (settings.isStrict ? Failure(notWhole: result) : nil)
      try await screen.finish(result, of: run, failure: failure)
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
        mend: "`rasa runs fork \(run)` starts a new run that reuses its answers")
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

extension RunProgress {
  /// The most bytes that it is when it is shown: as a line of JSON a byte of text may be six.
  fileprivate func size(asLine isLine: Bool) -> Int {
    switch self {
    case .output(let text): isLine ? text.utf8.count * 6 + 64 : text.utf8.count
    case .reasoning(_, let text): text.utf8.count * 6 + 1_024
    case .textArrived: 0
    case .operatorStarted, .operatorEnded, .modelChosen: 1_024
    // What they hold may be of any length.
    case .event, .restarted, .sentBack, .notice: isLine ? .max : 1_024
    }
  }
}

extension Workshop {
  /// The graph that a run goes on by: of the files that it keeps, unless they have changed since.
  func graph(of history: RunHistory, isPinned: Bool) throws(Failure) -> Graph {
    let record = history.record
    let kept = history.entries.first { $0.kind == "persona.pinned" }
    guard let pinned = kept.flatMap({ PinnedFiles($0.body) }) else {
      let graph = try house.graph(record.persona)
      guard graph.digest == record.personaDigest else {
        throw changed(
          record, [], mend: "this run was started by an earlier version and has no copy; ")
      }
      return graph
    }
    let changes = isPinned ? [] : house.changes(since: pinned)
    guard changes.isEmpty else {
      throw changed(
        record, changes, mend: "`--pinned` uses the run's own copy; ")
    }
    return try Graph.compile(
      pinned, named: record.persona, engines: house.library.engines, under: house.library)
  }

  private func changed(_ record: RunRecord, _ files: [String], mend: String) -> Failure {
    Failure(
      .configuration, "the persona `\(record.persona)` has changed since \(record.id) began",
      mend: mend
        + "`rasa runs fork \(record.id)` starts a new run with the current persona",
      details: files.map { "changed: \($0)" })
  }

  /// What a fork that goes on still takes over.
  private func origin(of history: RunHistory) async throws -> Origin? {
    guard let fork = try history.start?.fork,
      let record = try await store.run(fork.run.text)?.record
    else { return nil }
    let entries = try await store.entries(of: fork.run)
    return try Origin(RunHistory(record: record, entries: entries), upTo: fork.sequence)
  }
}

extension RunRecord.Status {
  /// What a run is again that was taken over and could not go on.
  fileprivate var whenLeft: RunRecord.Status { self == .running ? .parked : self }
}

extension Failure {
  /// An answer whose end is missing, where only a whole one counts.
  init?(notWhole result: RunResult) {
    guard !result.finish.isWhole,
      let notice = result.notices.first(where: { $0.kind == .cut })
    else { return nil }
    self.init(
      .limit, "\(notice.message), and `--strict` requires a complete answer",
      mend: notice.suggestion)
  }

  /// A run that waits for people.
  fileprivate static func parked(
    _ run: Identifier, _ first: Approval, _ all: [Approval]
  ) -> Failure {
    let others = all.count > 1 ? " and \(all.count - 1) more" : ""
    var failure = Failure(
      .approval,
      "\(run) is parked: \(first.question.key.operatorName) in \(frameTitle(first.question.key.frame)) waits for "
        + "an answer\(others)",
      mend: "`rasa approvals show \(first.id)` shows the question, `rasa approvals "
        + "\(first.question.form == .answer ? "answer" : "approve") \(first.id)` answers it and resumes the run",
      details: all.dropFirst().map { "also waiting: \($0.id), \($0.question.key.operatorName)" })
    // The result that was printed says so.
    failure.run = FailedRun(
      id: run.text, status: "parked", resume: "rasa resume \(run)", isTold: true)
    return failure
  }
}
