package import RasaCore
package import RasaEngine

/// The same as `SQLiteStore` for as long as the process lives: for tests, and to measure the
/// runtime without its disk.
package final class MemoryRunStore:
  Journal, Ledger, Accounts, ModelHistory, MemoryStore, Sendable
{
  struct State {
    var journals = MemoryJournals()
    var approvals: [String: Approval] = [:]
    var ledger = MemoryLedger()
    var standings: [ModelKey: ModelStanding] = [:]
    var memories = MemoryRecollections()
  }

  let state = Locked(State())
  let time: TimeSource

  package init(time: TimeSource) { self.time = time }
}

extension MemoryRunStore {
  package func open(_ run: RunRecord, _ entries: [JournalEntry]) {
    state.withLock { $0.journals.open(run, entries) }
  }

  package func record(_ entries: [JournalEntry]) {
    state.withLock { $0.journals.record(entries) }
  }

  package func append(_ entries: [JournalEntry]) async throws {
    try state.withLock { try $0.journals.append(entries) }
  }

  package func claim(_ run: Identifier) async throws -> RunHistory {
    try state.withLock { try $0.journals.claim(run) }
  }

  package func close(
    _ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]
  ) async throws {
    let now = time.now()
    try state.withLock { state in
      try state.journals.close(run, status: ending.status, entries)
      if let turn = ending.turn { state.memories.keep(turn) }
      for note in ending.notes { state.memories.keep(note, now: now) }
      for fact in ending.facts { state.memories.keep(fact) }
      if ending.status != .parked { state.withdrawApprovals(of: run, at: now) }
    }
  }

  package func entries(of run: Identifier) async throws -> [JournalEntry] {
    try state.withLock { try $0.journals.entries(of: run) }
  }

  package func run(_ id: Identifier) async throws -> RunRecord? {
    state.withLock { $0.journals.record(of: id) }
  }
}

/// Journals as they came: for each run the arrays of its calls, which are kept and not copied.
struct MemoryJournals {
  private var places: [Identifier: Int] = [:]
  private var records: [RunRecord] = []
  /// Whether somebody is at work on the run.
  private var areOwned: [Bool] = []
  private var parts: [[[JournalEntry]]] = []
  /// What went wrong with a run's deferred lines, to be told to its next durable call.
  private var failures: [Identifier: Failure] = [:]
  /// Most calls are about the run of the call before.
  private var latest: (run: Identifier, place: Int)?

  mutating func open(_ run: RunRecord, _ entries: [JournalEntry]) {
    guard places[run.id] == nil else {
      failures[run.id] = Failure.knownRun(run.id.text)
      return
    }
    places[run.id] = records.count
    records.append(run)
    areOwned.append(true)
    parts.append([])
    record(entries)
  }

  mutating func record(_ entries: [JournalEntry]) {
    guard entries.areOfOneRun else {
      for (_, entries) in entries.byRun { record(entries) }
      return
    }
    // About a run that nobody owns no later call can succeed either, and that one says so.
    try? append(entries)
  }

  mutating func append(_ entries: [JournalEntry]) throws {
    if entries.isEmpty { return }
    if entries.areOfOneRun {
      parts[try ownedPlace(of: entries[0].run)].append(entries)
      return
    }
    let places = try entries.map { try ownedPlace(of: $0.run) }
    for (place, entry) in zip(places, entries) { parts[place].append([entry]) }
  }

  mutating func close(
    _ run: Identifier, status: RunRecord.Status, _ entries: [JournalEntry]
  ) throws {
    let place = try ownedPlace(of: run)
    try append(entries)
    records[place].status = status
    areOwned[place] = false
    latest = nil
  }

  mutating func claim(_ run: Identifier) throws -> RunHistory {
    guard let place = places[run] else {
      let nearest = nearestName(to: run.text, among: places.keys.map(\.text))
      throw Failure.noRun(run.text, nearest: nearest)
    }
    if records[place].status == .done { throw Failure.hasEnded(run.text) }
    if areOwned[place] { throw Failure.isBeingRun(run.text, by: "this process") }
    areOwned[place] = true
    records[place].status = .running
    return RunHistory(record: records[place], entries: try entries(of: run))
  }

  func entries(of run: Identifier) throws -> [JournalEntry] {
    if let failure = failures[run] { throw failure }
    return places[run].map { Array(parts[$0].joined()) } ?? []
  }

  func record(of run: Identifier) -> RunRecord? { places[run].map { records[$0] } }

  /// Where a run stands that may be written about.
  mutating func ownedPlace(of run: Identifier) throws -> Int {
    if !failures.isEmpty, let failure = failures[run] { throw failure }
    if let latest, latest.run == run { return latest.place }
    guard let place = places[run], areOwned[place] else { throw Failure.takenOver(run.text) }
    latest = (run, place)
    return place
  }
}
