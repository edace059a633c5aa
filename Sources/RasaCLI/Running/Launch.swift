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
  let store: SQLiteStore

  /// Starts what takes time in the background: the store and the HTTP client get ready while the
  /// persona is read.
  init(_ house: House) throws(Failure) { try self.init(house, house.store()) }

  init(_ house: House, _ store: SQLiteStore) throws(Failure) {
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
    let settings = settings.goingOn(with: history.start?.options ?? ValueObject())
    return try await RecordingCommands(house: house).recording(
      run, of: store, settings, to: settings.recording
    ) {
      try await show(run, settings, at: stand) { runner, observer in
        try await runner.resume(graph, history, inheriting: origin, by: by, observer: observer)
      }
    }
  }

  func start(_ graph: Graph, _ settings: RunSettings) -> RunStart {
    RunStart(
      run: house.newIdentifier("r"), persona: graph.persona.name, personaDigest: graph.digest,
      session: settings.session, user: house.user(settings.user), input: settings.input,
      preferences: settings.preferences, options: settings.kept)
  }

  func runner(_ settings: RunSettings, at stand: Stand) throws(Failure) -> Runner {
    let gate = try house.gate(
      ledger: store, history: store, client: client, options: settings.gate,
      onWarning: stand.warn, onSelection: settings.explainsSelection ? stand.explain : nil)
    return Runner(
      Surroundings(
        gate: gate, journal: store, memory: store, people: stand.people, time: house.time,
        limits: house.taskLimits(onWait: stand.warn)),
      options: RunOptions(profile: settings.gate.profile))
  }

  /// Performs a run where it can be stopped: by a signal, and by `rasa runs cancel` from elsewhere.
  func show(
    _ run: Identifier, _ settings: RunSettings, at stand: Stand,
    _ perform: @escaping @Sendable (Runner, @escaping RunObserver) async throws -> RunResult
  ) async throws -> RunResult {
    let runner = try runner(settings, at: stand)
    let screen = stand.screen
    let store = store
    do {
      let result = try await interruptible { cancel in
        store.onCancelRequest(run, cancel)
        return try await perform(runner) { progress in try await screen.show(progress) }
      }
      try await screen.finish(result, of: run)
      if let waiting = result.waitsFor.first { throw Failure.parked(run, waiting, result.waitsFor) }
      return result
    } catch {
      await screen.clear()
      if let failure = error as? Failure, failure.kind == .cancelled,
        try await store.run(run.text)?.record.status == .cancelled
      {
        throw Failure(
          .cancelled, "\(run) was cancelled",
          mend: "`rasa runs fork \(run)` begins again with what it has")
      }
      throw error
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
          record, [], mend: "this run was begun by an earlier version and keeps no copy; ")
      }
      return graph
    }
    let changes = isPinned ? [] : house.changes(since: pinned)
    guard changes.isEmpty else {
      throw changed(
        record, changes, mend: "`--pinned` goes on with the copy that the run keeps; ")
    }
    return try Graph.compile(
      pinned, named: record.persona, engines: house.library.engines)
  }

  private func changed(_ record: RunRecord, _ files: [String], mend: String) -> Failure {
    Failure(
      .configuration, "the persona `\(record.persona)` has changed since \(record.id) began",
      mend: mend
        + "`rasa runs fork \(record.id)` begins a new run with the persona as it is now",
      details: files.map { "changed: \($0)" })
  }

  /// What a fork that goes on still takes over.
  private func origin(of history: RunHistory) async throws -> Origin? {
    guard let fork = history.start?.fork, let record = try await store.run(fork.run.text)?.record
    else { return nil }
    let entries = try await store.entries(of: fork.run)
    return Origin(RunHistory(record: record, entries: entries), upTo: fork.sequence)
  }
}

extension RunRecord.Status {
  /// What a run is again that was taken over and could not go on.
  fileprivate var whenLeft: RunRecord.Status { self == .running ? .parked : self }
}

extension Failure {
  /// A run that waits for people.
  fileprivate static func parked(
    _ run: Identifier, _ first: Approval, _ all: [Approval]
  ) -> Failure {
    let others = all.count > 1 ? " and \(all.count - 1) more" : ""
    return Failure(
      .approval,
      "\(run) is parked: \(first.question.key.operatorName) in \(frameTitle(first.question.key.frame)) waits for "
        + "an answer\(others)",
      mend: "`rasa approvals show \(first.id)` shows the question, `rasa approvals "
        + "\(first.question.form == .answer ? "answer" : "approve") \(first.id)` answers it and goes on",
      details: all.dropFirst().map { "also waiting: \($0.id), \($0.question.key.operatorName)" })
  }
}
