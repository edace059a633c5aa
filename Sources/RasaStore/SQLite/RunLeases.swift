import RasaCore
import RasaEngine
import RasaSQLite
import RasaSystem
import Synchronization

/// The runs that this store owns: in which epoch, and what to do when somebody asks to cancel one.
///
/// While it owns any, the database's thread renews the one lease that holds for all of them, apart from
/// whatever the runs are doing, and looks now and then whether another process has asked for something.
final class RunLeases: Sendable {
  private struct Ownership {
    var epoch: Int64
    var isToCancel = false
    /// Its end could not be written down: it is let go of as soon as the file can be written.
    var standing = Standing.held
    /// Until when nobody else can have it, whatever this process does or fails to do. The clock goes on
    /// while the process or the machine sleeps.
    var provenUntil: ContinuousClock.Instant
    var act: (@Sendable () -> Void)?
  }

  private enum Standing { case held, leaving, left }

  private struct State {
    var runs: [String: Ownership] = [:]
    /// What to do when a run is cancelled that this store is about to own.
    var acts: [String: @Sendable () -> Void] = [:]
    var nextLook = ContinuousClock.Instant.now
    var nextRenewal = ContinuousClock.Instant.now
    /// What the database's version was at the last look.
    var version: Int64?
    /// The runs whose lease is being renewed, until that is committed.
    var renewing: [(run: String, epoch: Int64, began: ContinuousClock.Instant)] = []

    /// Whether there is anything to see to.
    var hasWork: Bool { runs.values.contains { $0.standing != .left } }
  }

  private let state = Locked(State())
  private let time: TimeSource
  private let lease: Duration
  private let name: String?
  /// Which of the stores of this process it is.
  private let place: Int
  private static let places = Atomic(0)
  private static let timeBetweenLooks = Duration.milliseconds(250)
  private static let timeBetweenTries = Duration.seconds(1)

  init(owner name: String?, lease: Duration, time: TimeSource) {
    self.name = name
    place = Self.places.add(1, ordering: .relaxed).newValue
    self.lease = lease
    self.time = time
  }

  /// Who this store is to others. Asking the system for it takes a moment, so that is done when it
  /// is first written down.
  var worker: Worker {
    let name = name ?? ProcessIdentity.current.text
    return Worker(id: "\(name) \(place)", name: name)
  }

  private let isKnown = Atomic(false)

  /// The number of this worker's row, which is there afterwards with a new lease.
  func number(in database: Database, leaseEnds: Timestamp) throws -> Int64 {
    // Once for each process: what earlier ones have left.
    if !isKnown.exchange(true, ordering: .relaxed) {
      try database.forgetIdleWorkers(now: time.now())
    }
    return try database.number(of: worker, leaseEnds: leaseEnds)
  }

  var leaseEnds: Timestamp {
    Timestamp(milliseconds: time.now().milliseconds + lease.components.seconds * 1000)
  }

  // MARK: What is owned

  /// - Parameter began: not later than the time from which the lease counts that was written.
  func own(_ run: String, epoch: Int64, since began: ContinuousClock.Instant) {
    let now = ContinuousClock.now
    state.withLock { state in
      if !state.hasWork {
        state.nextLook = now + Self.timeBetweenLooks
        state.nextRenewal = now + lease / 3
      }
      state.runs[run] = Ownership(
        epoch: epoch, provenUntil: began + lease, act: state.acts.removeValue(forKey: run))
    }
  }

  func epoch(of run: String) throws -> Int64 {
    guard let epoch = state.withLock({ $0.runs[run]?.epoch }) else { throw Failure.takenOver(run) }
    return epoch
  }

  func isOwned(_ run: String) -> Bool { state.withLock { $0.runs[run] != nil } }

  /// Whether it is the only run that this store has.
  func ownsOnly(_ run: String) -> Bool {
    state.withLock { $0.runs.count == 1 && $0.runs[run] != nil }
  }

  /// Whether it is called this store's only because its end could not be written down.
  func isLeaving(_ run: String) -> Bool {
    state.withLock { state in state.runs[run].map { $0.standing != .held } ?? false }
  }

  /// Its lease was written again.
  func prove(_ run: String, epoch: Int64, since began: ContinuousClock.Instant) {
    state.withLock { state in
      guard let owned = state.runs[run], owned.epoch == epoch else { return }
      state.runs[run]?.provenUntil = max(owned.provenUntil, began + lease)
    }
  }

  func isProven(_ run: String) -> Bool {
    state.withLock { state in
      state.runs[run].map { $0.standing == .held && .now < $0.provenUntil } ?? false
    }
  }

  func owned(_ entries: [JournalEntry]) throws -> [OwnedLines] {
    try entries.byRun.map { run, entries in
      OwnedLines(run: run, epoch: try epoch(of: run), lines: entries.map(JournalLine.init))
    }
  }

  /// Forgets the run, unless it has been claimed anew since.
  func forget(_ run: String, epoch: Int64) {
    state.withLock { state in
      if state.runs[run]?.epoch == epoch { state.runs[run] = nil }
    }
  }

  /// The run's end could not be written down. It is not renewed any more, so that others can have it
  /// when its lease ends at the latest; whoever has it here may still try to write.
  func leave(_ run: String, epoch: Int64) {
    state.withLock { state in
      guard state.runs[run]?.epoch == epoch else { return }
      state.runs[run]?.standing = .leaving
      state.runs[run]?.act = nil
    }
  }

  private func hasLeft(_ run: String, epoch: Int64) {
    state.withLock { state in
      if state.runs[run]?.epoch == epoch { state.runs[run]?.standing = .left }
    }
  }

  /// Another process has taken the run over: whatever is still being done about it is stopped.
  private func lose(_ run: String, epoch: Int64) {
    let act = state.withLock { state -> (@Sendable () -> Void)? in
      guard let owned = state.runs[run], owned.epoch == epoch else { return nil }
      state.runs[run] = nil
      return owned.act
    }
    act?()
  }

  // MARK: Cancelling

  /// Keeps what to do, and does it at once if somebody has asked before.
  func onCancelRequest(_ run: String, _ act: @escaping @Sendable () -> Void) {
    let isToCancel = state.withLock { state in
      if state.runs[run]?.isToCancel == true { return true }
      if state.runs[run] == nil { state.acts[run] = act } else { state.runs[run]?.act = act }
      return false
    }
    if isToCancel { act() }
  }

  func cancelIsAsked(of run: String) {
    let act = state.withLock { state in
      state.runs[run]?.isToCancel = true
      defer { state.runs[run]?.act = nil }
      return state.runs[run]?.act
    }
    act?()
  }

  // MARK: Upkeep

  var upkeep: DatabaseWriter.Maintenance {
    DatabaseWriter.Maintenance(
      due: { [self] in
        state.withLock { $0.hasWork ? min($0.nextLook, $0.nextRenewal) : nil }
      },
      look: { [self] database in try look(database) },
      done: { [self] in
        let renewed = state.withLock { state in
          defer { state.renewing = [] }
          return state.renewing
        }
        for (run, epoch, began) in renewed { prove(run, epoch: epoch, since: began) }
      })
  }

  private func look(_ database: Database) throws -> DatabaseWriter.Change? {
    let now = ContinuousClock.now
    let (runs, leaving, before, renews) = state.withLock { state in
      let renews = state.nextRenewal <= now
      state.nextLook = now + Self.timeBetweenLooks
      state.renewing = []
      // Until it has been done: what fails is tried again soon.
      if renews { state.nextRenewal = now + min(lease / 3, Self.timeBetweenTries) }
      return (
        state.runs.filter { $0.value.standing == .held }.mapValues(\.epoch),
        state.runs.filter { $0.value.standing == .leaving }.mapValues(\.epoch), state.version,
        renews
      )
    }
    // Reads a few bytes of shared memory; nothing has changed while it stays the same.
    let version = try database.first("PRAGMA data_version") { $0.integer(0) }
    if version != before {
      _ = try compare(runs, with: database)
      state.withLock { $0.version = version }
    }
    guard renews || !leaving.isEmpty else { return nil }
    let (worker, leaseEnds) = (worker, leaseEnds)
    return { [self] database in
      for (run, epoch) in leaving {
        try database.letGo(of: run, epoch: epoch, by: worker)
        hasLeft(run, epoch: epoch)
      }
      guard renews else { return }
      try database.renewLease(of: worker, to: leaseEnds)
      // Not before it is known that nobody has taken one meanwhile.
      let held = try compare(runs, with: database)
      state.withLock { state in
        state.renewing = held.map { ($0, runs[$0] ?? 0, now) }
        state.nextRenewal = now + lease / 3
      }
    }
  }

  /// Looks what has become of the runs; answers which of them the file calls this store's.
  private func compare(_ runs: [String: Int64], with database: Database) throws -> [String] {
    if runs.isEmpty { return [] }
    var held: [String] = []
    for found in try database.runs(of: worker) where runs[found.id] == found.epoch {
      held.append(found.id)
      if found.isToCancel { cancelIsAsked(of: found.id) }
    }
    if held.count == runs.count { return held }
    let known = Set(held)
    for (run, epoch) in runs where !known.contains(run) {
      try look(at: run, epoch: epoch, database)
    }
    return held
  }

  /// A run that is not there yet will be with its first durable line.
  private func look(at run: String, epoch: Int64, _ database: Database) throws {
    let row = try database.first(
      "SELECT epoch, cancel_asked IS NOT NULL FROM runs WHERE id = ?", .text(run)
    ) { (epoch: $0.integer(0), isToCancel: $0.integer(1) != 0) }
    guard let row else { return }
    if row.epoch != epoch {
      lose(run, epoch: epoch)
    } else if row.isToCancel {
      cancelIsAsked(of: run)
    }
  }
}
