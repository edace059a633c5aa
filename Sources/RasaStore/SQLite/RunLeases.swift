import RasaCore
import RasaEngine
import RasaSQLite
import RasaSystem
import Synchronization

/// The runs that this store owns, with their epochs, and what to do when one is to be cancelled.
///
/// While it owns any, the database's thread renews the one lease for all of them, independently of the runs, and
/// checks now and then for requests of other processes.
final class RunLeases: Sendable {
  private struct Ownership {
    var epoch: Int64
    var isToCancel = false
    /// `leaving` if its end could not be written: it is released as soon as the file can be written.
    var standing = Standing.held
    /// Until then no other process can have taken it over. The clock continues while the process or the machine
    /// sleeps.
    var provenUntil: ContinuousClock.Instant
    var act: (@Sendable () -> Void)?
  }

  private enum Standing { case held, leaving, left }

  private struct State {
    var runs: [String: Ownership] = [:]
    /// Cancel actions of runs that this store is about to own.
    var acts: [String: @Sendable () -> Void] = [:]
    var nextLook = ContinuousClock.Instant.now
    var nextRenewal = ContinuousClock.Instant.now
    /// The database's `data_version` at the last check.
    var version: Int64?
    /// The runs whose lease is being renewed in a transaction that is not committed yet.
    var renewing: [(run: String, epoch: Int64, began: ContinuousClock.Instant)] = []

    /// Whether there is anything to do.
    var hasWork: Bool { runs.values.contains { $0.standing != .left } }
  }

  private let state = Locked(State())
  private let time: TimeSource
  private let lease: Duration
  private let name: String?
  /// The number of this store within the process.
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

  /// This store as others see it. Computed when it is first written, because asking the system takes time.
  var worker: Worker {
    let name = name ?? ProcessIdentity.current.text
    return Worker(id: "\(name) \(place)", name: name)
  }

  private let isKnown = Atomic(false)

  /// The number of this worker's row, which is created if necessary, with a new lease.
  func number(in database: Database, leaseEnds: Timestamp) throws -> Int64 {
    // Once per store: rows that earlier processes have left.
    if !isKnown.exchange(true, ordering: .relaxed) {
      try database.forgetIdleWorkers(now: time.now())
    }
    return try database.number(of: worker, leaseEnds: leaseEnds)
  }

  var leaseEnds: Timestamp {
    Timestamp(milliseconds: time.now().milliseconds + lease.components.seconds * 1000)
  }

  // MARK: Ownership

  /// - Parameter began: no later than the start of the lease that was written.
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

  /// Whether this is the only run that this store owns.
  func ownsOnly(_ run: String) -> Bool {
    state.withLock { $0.runs.count == 1 && $0.runs[run] != nil }
  }

  /// Whether this store still has the run only because its end could not be written.
  func isLeaving(_ run: String) -> Bool {
    state.withLock { state in state.runs[run].map { $0.standing != .held } ?? false }
  }

  /// Records that its lease was renewed.
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

  /// Forgets the run, unless it has been claimed again since.
  func forget(_ run: String, epoch: Int64) {
    state.withLock { state in
      if state.runs[run]?.epoch == epoch { state.runs[run] = nil }
    }
  }

  /// Called when the run's end could not be written. Its lease is no longer renewed, so that others can take it over
  /// when the lease ends at the latest; until then, this process may still try to write.
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

  /// Called when another process has taken the run over: stops it here.
  private func lose(_ run: String, epoch: Int64) {
    let act = state.withLock { state -> (@Sendable () -> Void)? in
      guard let owned = state.runs[run], owned.epoch == epoch else { return nil }
      state.runs[run] = nil
      return owned.act
    }
    act?()
  }

  // MARK: Cancelling

  /// Keeps the action, or calls it at once if cancellation was requested before.
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

  // MARK: Maintenance

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
      // Until it has succeeded: a failed renewal is retried soon.
      if renews { state.nextRenewal = now + min(lease / 3, Self.timeBetweenTries) }
      return (
        state.runs.filter { $0.value.standing == .held }.mapValues(\.epoch),
        state.runs.filter { $0.value.standing == .leaving }.mapValues(\.epoch), state.version,
        renews
      )
    }
    // Reads a few bytes of shared memory. If it is the same as before, no other process has written.
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
      // Only for those that no other process has taken over meanwhile.
      let held = try compare(runs, with: database)
      state.withLock { state in
        state.renewing = held.map { ($0, runs[$0] ?? 0, now) }
        state.nextRenewal = now + lease / 3
      }
    }
  }

  /// Checks the runs for cancellation and loss; returns those that this store still owns.
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

  /// A run without a row has no durable line yet.
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
