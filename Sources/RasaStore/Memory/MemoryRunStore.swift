package import RasaCore
package import RasaEngine
import RasaLearning

/// A store in memory with the behaviour of `SQLiteStore`: for tests, and to measure the runtime without a disk.
package final class MemoryRunStore: RunStore {
  struct State {
    var journals = MemoryJournals()
    var approvals: [String: Approval] = [:]
    var grants: [ToolGrant] = []
    var ledger = MemoryLedger()
    var standings: [ModelKey: ModelStanding] = [:]
    var memories = MemoryRecollections()
    var performance = MemoryPerformance()
    /// The open stores, by number.
    var workers: [MemoryWorker] = []
  }

  let state: Locked<State>
  let time: TimeSource
  private let worker: Int
  private let lease: Int64

  package convenience init(time: TimeSource) {
    self.init(sharing: nil, time: time, owner: "this process")
  }

  /// Another worker on the same runs, or the first one.
  package init(
    sharing other: MemoryRunStore?, time: TimeSource, owner: String,
    lease: Duration = .seconds(30)
  ) {
    self.time = time
    self.lease = lease.components.seconds * 1000
    state = other?.state ?? Locked(State())
    worker = state.withLock { state in
      state.workers.append(MemoryWorker(name: owner))
      return state.workers.count - 1
    }
  }

  package func prepare() {}
  package func prepareToRead() {}
  package func close() async { state.withLock { $0.workers[worker].isClosed = true } }
}

/// An owner of runs with a lease. No thread renews it; opening, claiming or confirming a run does.
struct MemoryWorker {
  var name: String
  var leaseEnds = Timestamp(milliseconds: .min)
  var isClosed = false

  func isAlive(at now: Timestamp) -> Bool { leaseEnds >= now }
}

extension MemoryRunStore {
  /// Runs the body as this worker.
  func work<Result>(
    renewing: Bool = false, _ body: (inout State, Int, Timestamp) throws -> Result
  ) throws -> Result {
    let now = time.now()
    return try state.withLock { state in
      try state.refuseClosed(worker)
      if renewing {
        state.workers[worker].leaseEnds = Timestamp(
          milliseconds: now.milliseconds.addingReportingOverflow(lease).partialValue)
      }
      return try body(&state, worker, now)
    }
  }

  package func open(_ run: RunRecord, _ entries: [JournalEntry]) {
    try? work(renewing: true) { state, worker, _ in
      guard state.journals.open(run, entries, by: worker) else { return }
      if let decision = run.decision { state.performance.keep(decision, run: run.id) }
      guard let session = run.session else { return }
      state.memories.use(
        SessionID(session, of: run.user), persona: run.persona, at: run.startedAt)
    }
  }

  package func record(_ entries: [JournalEntry]) {
    state.withLock { $0.journals.record(entries, by: worker) }
  }

  package func append(_ entries: [JournalEntry]) async throws {
    try state.withLock { state in
      try state.refuseClosed(worker)
      try state.journals.append(entries, by: worker)
    }
  }

  package func claim(_ run: Identifier) async throws -> RunHistory {
    let (history, loser) = try work(renewing: true) { state, worker, now in
      let workers = state.workers
      return try state.journals.claim(run, by: worker) {
        workers[$0].isAlive(at: now) ? workers[$0].name : nil
      }
    }
    loser?()
    return history
  }

  package func close(
    _ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]
  ) async throws {
    let facts = ending.facts.map(StoredFact.init)
    try work { state, worker, now in
      let place = try state.journals.ownedPlace(of: run, by: worker)
      let persona = state.journals.runs[place].record.persona
      let status = try state.journals.close(run, status: ending.status, entries, by: worker)
      if let turn = ending.turn {
        state.memories.keep(
          turn, persona: persona, scope: ending.scope, trust: ending.trust)
      }
      for note in ending.notes {
        state.memories.keep(
          note, persona: persona, scope: ending.scope, trust: ending.trust, now: now)
      }
      for fact in facts { _ = try state.memories.add(fact) }
      if status != .parked { state.withdrawApprovals(of: run, at: now) }
      if let facts = ending.performance, let status = RunPerformance.Status(status) {
        state.keepPerformance(of: run, status, facts, now: now)
      }
    }
  }

  package func journal(of run: Identifier, after line: Int) async throws -> JournalReading {
    let entries = try state.withLock { try $0.journals.entries(of: run) }
    return JournalReading(entries: line > 0 ? Array(entries.dropFirst(line)) : entries)
  }

  package func isSurelyOwned(_ run: Identifier) -> Bool {
    state.withLock { $0.journals.isOwned(run, by: worker) }
  }

  package func onCancelRequest(_ run: Identifier, _ act: @escaping @Sendable () -> Void) {
    let isAsked = state.withLock { $0.journals.onCancelRequest(run, by: worker, act) }
    if isAsked { act() }
  }
}

extension MemoryRunStore.State {
  fileprivate func refuseClosed(_ worker: Int) throws {
    guard workers[worker].isClosed else { return }
    throw Failure(.storage, "the store was used after it had been closed")
  }
}

/// Journals: for each run the arrays that were passed in, which are not copied.
struct MemoryJournals {
  struct Run {
    var record: RunRecord
    /// The worker that runs it.
    var owner: Int?
    var parts: [[JournalEntry]] = []
    var changedAt: Timestamp
    var cancelIsAsked = false
    /// Called when it is to be cancelled, or another worker has taken it over.
    var act: (@Sendable () -> Void)?
  }

  /// In the order in which they were opened; `places` does not contain deleted ones.
  private(set) var runs: [Run] = []
  private(set) var places: [Identifier: Int] = [:]
  /// Failures of deferred lines, which the run's next durable call throws.
  private var failures: [Identifier: Failure] = [:]
  /// Cancel actions of runs that are not opened or claimed yet.
  private var acts: [Identifier: (worker: Int, act: @Sendable () -> Void)] = [:]
  /// A cache: most calls are about the same run as the previous one.
  private var latest: (run: Identifier, worker: Int, place: Int)?

  /// False if it existed before.
  mutating func open(_ run: RunRecord, _ entries: [JournalEntry], by worker: Int) -> Bool {
    guard places[run.id] == nil else {
      failures[run.id] = Failure.knownRun(run.id.text)
      return false
    }
    places[run.id] = runs.count
    runs.append(Run(record: run, changedAt: run.startedAt))
    own(runs.count - 1, by: worker)
    record(entries, by: worker)
    return true
  }

  private mutating func own(_ place: Int, by worker: Int) {
    latest = nil
    runs[place].owner = worker
    runs[place].record.status = .running
    runs[place].cancelIsAsked = false
    runs[place].act = nil
    if let waiting = acts[runs[place].record.id], waiting.worker == worker {
      acts[runs[place].record.id] = nil
      runs[place].act = waiting.act
    }
  }

  mutating func record(_ entries: [JournalEntry], by worker: Int) {
    guard entries.areOfOneRun else {
      for (_, entries) in entries.byRun { record(entries, by: worker) }
      return
    }
    // If this worker does not own the run, its next durable call fails and reports it.
    try? append(entries, by: worker)
  }

  mutating func append(_ entries: [JournalEntry], by worker: Int) throws {
    guard let last = entries.last else { return }
    if entries.areOfOneRun {
      let place = try ownedPlace(of: last.run, by: worker)
      runs[place].parts.append(entries)
      runs[place].changedAt = last.time
      return
    }
    let places = try entries.map { try ownedPlace(of: $0.run, by: worker) }
    for (place, entry) in zip(places, entries) {
      runs[place].parts.append([entry])
      runs[place].changedAt = entry.time
    }
  }

  mutating func close(
    _ run: Identifier, status: RunRecord.Status, _ entries: [JournalEntry], by worker: Int
  ) throws -> RunRecord.Status {
    let place = try ownedPlace(of: run, by: worker)
    try append(entries, by: worker)
    let kept = status == .parked && runs[place].cancelIsAsked ? .cancelled : status
    runs[place].record.status = kept
    letGo(of: place)
    return kept
  }

  private mutating func letGo(of place: Int) {
    runs[place].owner = nil
    runs[place].cancelIsAsked = false
    runs[place].act = nil
    latest = nil
  }

  /// - Parameter living: the name of a worker that is alive.
  /// - Returns: the action of the worker that has lost it.
  mutating func claim(
    _ run: Identifier, by worker: Int, _ living: (Int) -> String?
  ) throws -> (RunHistory, loser: (@Sendable () -> Void)?) {
    guard let place = places[run] else { throw unknown(run) }
    if runs[place].record.status == .done { throw Failure.hasEnded(run.text) }
    if let owner = runs[place].owner, let name = living(owner) {
      throw Failure.isBeingRun(run.text, by: name)
    }
    let loser = runs[place].act
    own(place, by: worker)
    return (RunHistory(record: runs[place].record, entries: try entries(of: run)), loser)
  }

  func unknown(_ run: Identifier) -> Failure {
    Failure.noRun(run.text, nearest: nearestName(to: run.text, among: places.keys.map(\.text)))
  }

  func entries(of run: Identifier) throws -> [JournalEntry] {
    if let failure = failures[run] { throw failure }
    return places[run].map { Array(runs[$0].parts.joined()) } ?? []
  }

  func record(of run: Identifier) -> RunRecord? { places[run].map { runs[$0].record } }

  func isOwned(_ run: Identifier, by worker: Int) -> Bool {
    places[run].map { runs[$0].owner == worker } ?? false
  }

  /// The index of a run that the worker owns.
  mutating func ownedPlace(of run: Identifier, by worker: Int) throws -> Int {
    if !failures.isEmpty, let failure = failures[run] { throw failure }
    if let latest, latest.run == run, latest.worker == worker { return latest.place }
    guard let place = places[run], runs[place].owner == worker else {
      throw Failure.takenOver(run.text)
    }
    latest = (run, worker, place)
    return place
  }

  // MARK: Cancelling

  /// Whether cancellation was requested before.
  mutating func onCancelRequest(
    _ run: Identifier, by worker: Int, _ act: @escaping @Sendable () -> Void
  ) -> Bool {
    guard let place = places[run], runs[place].owner == worker else {
      acts[run] = (worker, act)
      return false
    }
    if runs[place].cancelIsAsked { return true }
    runs[place].act = act
    return false
  }

  /// Returns its owner's action.
  mutating func askToCancel(_ place: Int) -> (@Sendable () -> Void)? {
    runs[place].cancelIsAsked = true
    defer { runs[place].act = nil }
    return runs[place].act
  }

  mutating func cancel(_ place: Int, at now: Timestamp) {
    runs[place].record.status = .cancelled
    runs[place].changedAt = now
    letGo(of: place)
  }

  mutating func delete(_ run: Identifier) {
    guard let place = places.removeValue(forKey: run) else { return }
    runs[place].parts = []
    letGo(of: place)
  }
}
