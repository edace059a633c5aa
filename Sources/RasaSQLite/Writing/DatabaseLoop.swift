import RasaCore
import Synchronization

/// The work of the writer's thread. It and its connection are used on that thread only.
final class DatabaseLoop {
  private let path: String
  private let schema: Schema
  private let options: DatabaseWriter.Options
  private let upkeep: DatabaseWriter.Maintenance?
  private let counts: DatabaseCounts

  private var connection: Connection?
  /// Set after a failed flush: nothing written before can be relied on any more.
  private var isLost: Failure?
  /// How long a commit may wait to be flushed; nil where it is flushed before anybody hears of it.
  private var flushDelay: Duration?
  /// When what has been committed is flushed; nil where all of it is.
  private var flushDue: ContinuousClock.Instant?
  private var deferred: [String: [DatabaseWriter.Change]] = [:]
  /// Nil until the first commit has shown how many pages earlier processes left in the log.
  private var nextCheckpoint: Int?
  /// The most pages that the log has held, which is the length of its file.
  private var longestLog = 0
  /// How long to wait for other processes: one deadline for a whole batch. With a deadline each, a hundred
  /// operations would time out one after the other, while their callers wait and leases run out.
  private var deadline = ContinuousClock.now
  /// When waiting for other processes last timed out, and the failure.
  private var blocked: (failure: Failure, at: ContinuousClock.Instant)?

  private static let deferredAtMost = 1024
  /// A log of this many times `pagesBeforeCheckpoint` is checkpointed under the lock.
  private static let longLog = 4
  /// Operations that arrive meanwhile wait as long.
  private static let patienceToTidy = Duration.milliseconds(50)
  /// Maintenance is retried soon, so it may not hold up other work for long.
  private static let patienceToKeepUp = Duration.seconds(2)

  private struct Connection {
    let database: Database
    let turnstile: CrossProcessWriteLock
  }

  init(
    path: String, schema: Schema, options: DatabaseWriter.Options,
    upkeep: DatabaseWriter.Maintenance?, counts: DatabaseCounts
  ) {
    self.path = path
    self.schema = schema
    self.options = options
    self.upkeep = upkeep
    self.counts = counts
  }

  func run(_ queue: WorkQueue<DatabaseWork>) {
    while let batch = queue.take(
      options.batch, until: [upkeep?.due(), flushDue].compactMap(\.self).min())
    {
      process(batch)
      keepUp()
      if let flushDue, flushDue <= .now { flushLate() }
      if !batch.contains(where: \.isFollowed) { checkpointWhenDue() }
      for case .close(let done) in batch {
        finish()
        done()
        return
      }
    }
  }

  // MARK: Opening

  private func opened() throws -> Connection {
    if let isLost { throw isLost }
    if let connection { return connection }
    let database = try Database(path: path, busyTimeout: millisecondsLeft)
    let turnstile = try CrossProcessWriteLock(database: path, patience: options.patience)
    let version = try database.schemaVersion()
    if version != 0 { try database.refuseForeignFile(schema) }
    if version != schema.version {
      try database.refuseFutureVersion(version, schema)
      try turnstile.enter(until: deadline)
      defer { turnstile.leave() }
      database.wait(atMost: millisecondsLeft)
      try database.migrate(to: schema)
    }
    let opened = Connection(database: database, turnstile: turnstile)
    flushDelay = options.flushDelay()
    connection = opened
    return opened
  }

  private var millisecondsLeft: Int32 {
    let left = max(.zero, ContinuousClock.now.duration(to: deadline)).components
    return Int32(
      clamping: left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000)
  }

  /// The connection. Operations that were queued while opening timed out fail at once instead of waiting again.
  private func reached(_ operation: DatabaseOperation) throws -> Connection {
    if connection == nil, let blocked, operation.askedAt < blocked.at { throw blocked.failure }
    do {
      let connection = try opened()
      connection.database.wait(atMost: millisecondsLeft)
      return connection
    } catch { throw noted(error) }
  }

  /// Remembers an error that came at the deadline, for everything that was queued by then.
  private func noted(_ error: any Error) -> any Error {
    let now = ContinuousClock.now
    if now >= deadline { blocked = (Failure(reporting: error), now) }
    return error
  }

  private func finish() {
    // One operation each: a run that another process has taken over must not cost the others their lines.
    process(deferred.keys.sorted().map { .operation(.nothing(after: [$0])) })
    if flushDue != nil { flushLate() }
    if let database = connection?.database, isLost == nil,
      longestLog > options.pagesBeforeCheckpoint / 4
    {
      // Without waiting: processes that are still there can do it.
      _ = try? database.checkpoint(emptying: true)
    }
    connection = nil
  }

  /// While others read or write, part of the log cannot be checkpointed; then the next attempt comes after as
  /// many pages as the first. A log that others keep writing to would never restart, and grow. Once it is
  /// long, the checkpoint is made under the write lock.
  private func checkpointWhenDue() {
    guard let connection, isLost == nil, connection.database.pagesInLog > 0 else { return }
    let database = connection.database
    let pages = database.pagesInLog
    longestLog = max(longestLog, pages)
    let due = nextCheckpoint ?? options.pagesFromBefore
    if pages >= due {
      // The first checkpoint also truncates the file, which keeps the length that it once had.
      _ = try? database.checkpoint(emptying: nextCheckpoint == nil)
      let isLong = pages >= Self.longLog * options.pagesBeforeCheckpoint
      if isLong, (try? connection.turnstile.enter(within: Self.patienceToTidy)) != nil {
        _ = try? database.checkpoint()
        connection.turnstile.leave()
      }
      nextCheckpoint = database.pagesInLog + options.pagesBeforeCheckpoint
      counts.checkpoints.add(1, ordering: .relaxed)
    } else if nextCheckpoint == nil || pages < due - options.pagesBeforeCheckpoint {
      // The log has restarted.
      nextCheckpoint = options.pagesBeforeCheckpoint
    }
  }

  // MARK: Working

  /// A failure is ignored: maintenance is retried when it is next due.
  private func keepUp() {
    guard let upkeep, let due = upkeep.due(), due <= .now else { return }
    guard let database = try? opened().database else { return }
    if let change = try? upkeep.look(database) {
      process(
        [
          .operation(
            DatabaseOperation(
              access: .write(after: []),
              run: { database in
                try change(database)
                return upkeep.done
              }, fail: { _ in }))
        ], within: Self.patienceToKeepUp)
    }
  }

  private func process(_ batch: [DatabaseWork], within patience: Duration? = nil) {
    if batch.isEmpty { return }
    deadline = .now + min(options.patience, patience ?? options.patience)
    let writes = batch.count(where: \.isWrite)
    var group: Group?
    // A savepoint around each write makes all of them slower, and hardly any write fails. When one does, all
    // are rolled back and repeated, each in a savepoint.
    var guards = false
    var index = 0
    while index < batch.count {
      do {
        try perform(batch[index], at: index, in: &group, isOnlyWrite: writes == 1, guards)
        index += 1
      } catch {
        group = nil
        guards = true
        index = error.from
      }
    }
    if let group { commit(group) }
  }

  /// The work since that index of the batch has been rolled back and has to be repeated.
  private struct Again: Error {
    let from: Int
  }

  /// Operations that are committed together.
  private struct Group {
    let connection: Connection
    /// The index in the batch at which it begins, and what was deferred then.
    let first: Int
    let deferredBefore: [String: [DatabaseWriter.Change]]
    var results: [@Sendable () -> Void] = []
    var waiting: [@Sendable (Failure) -> Void] = []
    /// Deferred changes that were written or dropped, to be deferred again if the commit fails.
    var carried: [(subject: String, changes: [DatabaseWriter.Change])] = []
    var writes = 0

    mutating func add(
      _ result: @escaping @Sendable () -> Void, _ fail: @escaping @Sendable (Failure) -> Void
    ) {
      results.append(result)
      waiting.append(fail)
    }
  }

  private func perform(
    _ work: DatabaseWork, at index: Int, in group: inout Group?, isOnlyWrite: Bool, _ guards: Bool
  ) throws(Again) {
    switch work {
    case .prepare(let body):
      do {
        let database = try opened().database
        try? body(database)
      } catch { _ = noted(error) }
    case .deferred(let subject, let change):
      deferred[subject, default: []].append(change)
      // Many deferred changes without a durable one are written by themselves.
      if deferred[subject]?.count.isMultiple(of: Self.deferredAtMost) == true {
        // This change is deferred already, so a new group begins after it.
        try perform(
          .operation(.nothing(after: [subject])), at: index + 1, in: &group, isOnlyWrite: false,
          true)
      }
    case .postponed(let subject, let change, let done):
      let counts = counts
      let isOver: @Sendable () -> Void = { counts.postponed.subtract(1, ordering: .relaxed) }
      do {
        let result: @Sendable () -> Void = {
          isOver()
          done()
        }
        let operation = DatabaseOperation(
          access: .write(after: [subject]), run: { _ in result }, fail: { _ in isOver() })
        let connection = try reached(operation)
        if group == nil { group = try begin(connection, at: index, for: operation) }
        try write(
          operation, after: [subject], adding: change, in: &group, on: connection.database,
          isOnlyWrite, guards)
      } catch let again as Again {
        throw again
      } catch {
        isOver()
        deferred[subject, default: []].append(change)
      }
    case .close: break
    case .operation(let operation):
      do {
        let connection = try reached(operation)
        switch operation.access {
        case .read: read(operation, connection.database, in: &group)
        case .write(let subjects, let discarded, _):
          if group == nil { group = try begin(connection, at: index, for: operation) }
          try write(
            operation, after: subjects, in: &group, on: connection.database, isOnlyWrite, guards)
          for subject in discarded {
            if let changes = deferred.removeValue(forKey: subject) {
              group?.carried.append((subject, changes))
            }
          }
        case .alone(let body):
          if let open = group { commit(open) }
          group = nil
          if let isLost { throw isLost }
          if (try? connection.turnstile.enter(within: Self.patienceToTidy)) != nil {
            defer { connection.turnstile.leave() }
            try body(connection.database)
          }
          try operation.run(connection.database)()
        }
      } catch let again as Again {
        throw again
      } catch {
        operation.fail(connection?.database.explained(error, schema) ?? Failure(reporting: error))
      }
    }
  }

  private func begin(
    _ connection: Connection, at index: Int, for operation: DatabaseOperation
  ) throws -> Group {
    if let blocked, operation.askedAt < blocked.at { throw blocked.failure }
    do {
      try connection.turnstile.enter(until: deadline)
      do {
        connection.database.wait(atMost: millisecondsLeft)
        try connection.database.begin()
      } catch {
        connection.turnstile.leave()
        throw error
      }
    } catch { throw noted(error) }
    blocked = nil
    return Group(connection: connection, first: index, deferredBefore: deferred)
  }

  /// Inside a group a read may have seen uncommitted changes, so its result waits for the commit.
  private func read(
    _ operation: DatabaseOperation, _ database: Database, in group: inout Group?
  ) {
    let result: @Sendable () -> Void
    do {
      result = try operation.run(database)
    } catch {
      let failure = database.explained(error, schema)
      result = { operation.fail(failure) }
    }
    if group == nil { result() } else { group?.add(result, operation.fail) }
  }

  /// - Parameter added: a change of the first subject's that is like one that was deferred.
  private func write(
    _ operation: DatabaseOperation, after subjects: [String],
    adding added: DatabaseWriter.Change? = nil, in group: inout Group?, on database: Database,
    _ isOnlyWrite: Bool, _ guards: Bool
  ) throws {
    var changes = subjects.compactMap { subject in
      deferred[subject].map { (subject: subject, changes: $0) }
    }
    if let added, let subject = subjects.first {
      changes = [(subject, (changes.first?.changes ?? []) + [added])]
    }
    func body() throws -> @Sendable () -> Void {
      for change in changes { for change in change.changes { try change(database) } }
      let result = try operation.run(database)
      try database.writeCollected()
      return result
    }
    do {
      let result = guards ? try database.savepoint(body) : try body()
      for change in changes { deferred[change.subject] = nil }
      group?.carried += changes
      group?.add(result, operation.fail)
      group?.writes += 1
    } catch {
      guard let spoilt = group else { throw error }
      if !guards, !isOnlyWrite {
        database.rollBack()
        spoilt.connection.turnstile.leave()
        deferred = spoilt.deferredBefore
        throw Again(from: spoilt.first)
      }
      // A full disk makes SQLite roll back the whole transaction.
      if !guards || !database.isInTransaction {
        abandon(spoilt, Failure(reporting: error))
        group = nil
      }
      throw error
    }
  }

  private func commit(_ group: Group) {
    let database = group.connection.database
    do {
      try database.publish()
    } catch {
      abandon(group, Failure(reporting: error))
      return
    }
    group.connection.turnstile.leave()
    if let flushDelay {
      flushDue = flushDue ?? .now + flushDelay
    } else {
      do {
        try flush(database)
      } catch {
        for fail in group.waiting { fail(error) }
        return
      }
    }
    counts.commits.add(1, ordering: .relaxed)
    counts.writes.add(group.writes, ordering: .relaxed)
    for result in group.results { result() }
  }

  private func flush(_ database: Database) throws(Failure) {
    do {
      try database.flush()
      counts.flushes.add(1, ordering: .relaxed)
    } catch {
      let failure = Failure(reporting: error)
      isLost = failure
      throw failure
    }
  }

  /// Flushes what was committed since the last time. Whoever wrote it has gone on; a failure is reported to all that
  /// write from now on.
  private func flushLate() {
    flushDue = nil
    guard let database = connection?.database, isLost == nil else { return }
    try? flush(database)
  }

  private func abandon(_ group: Group, _ failure: Failure) {
    group.connection.database.rollBack()
    group.connection.turnstile.leave()
    for carried in group.carried.reversed() {
      deferred[carried.subject] = carried.changes + (deferred[carried.subject] ?? [])
    }
    for fail in group.waiting { fail(failure) }
  }
}
