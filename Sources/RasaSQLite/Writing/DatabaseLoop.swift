import RasaCore
import Synchronization

/// What the writer's thread does. It lives on that thread alone, and so does its connection.
final class DatabaseLoop {
  private let path: String
  private let schema: Schema
  private let options: DatabaseWriter.Options
  private let upkeep: DatabaseWriter.Maintenance?
  private let counts: DatabaseCounts

  private var connection: Connection?
  /// Why nothing can be relied on any more: what a disk did not flush, it may never have.
  private var isLost: Failure?
  private var deferred: [String: [DatabaseWriter.Change]] = [:]
  /// Nil until the first commit has shown how much earlier processes left.
  private var nextCheckpoint: Int?
  /// The most pages that were ever in the log, which is how long its file is.
  private var longestLog = 0
  /// Until when others are waited for: one time for all that is done together, or each of a hundred
  /// pieces would wait anew while their askers and the leases of their runs run out.
  private var deadline = ContinuousClock.now
  /// When others were last waited for in vain, and what came of it.
  private var blocked: (failure: Failure, at: ContinuousClock.Instant)?

  private static let deferredAtMost = 1024
  /// So many times what is worth carrying over.
  private static let longLog = 4
  /// What is asked meanwhile waits as long.
  private static let patienceToTidy = Duration.milliseconds(50)
  /// What is seen to unasked is tried again soon, so it holds up nobody for long.
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
    while let batch = queue.take(options.batch, until: upkeep?.due()) {
      process(batch)
      keepUp()
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
    connection = opened
    return opened
  }

  private var millisecondsLeft: Int32 {
    let left = max(.zero, ContinuousClock.now.duration(to: deadline)).components
    return Int32(
      clamping: left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000)
  }

  /// What cannot be reached for anybody now: who was there while it was waited for has waited.
  private func reached(_ operation: DatabaseOperation) throws -> Connection {
    if connection == nil, let blocked, operation.askedAt < blocked.at { throw blocked.failure }
    do {
      let connection = try opened()
      connection.database.wait(atMost: millisecondsLeft)
      return connection
    } catch { throw noted(error) }
  }

  /// The error, which is everybody's who was waiting when time was up.
  private func noted(_ error: any Error) -> any Error {
    let now = ContinuousClock.now
    if now >= deadline { blocked = (Failure(reporting: error), now) }
    return error
  }

  private func finish() {
    // Each by itself: a run that was taken over must not cost the others their lines.
    process(deferred.keys.sorted().map { .operation(.nothing(after: [$0])) })
    if let database = connection?.database, isLost == nil,
      longestLog > options.pagesBeforeCheckpoint / 4
    {
      // Nobody who leaves waits for who stays: they will do it.
      _ = try? database.checkpoint(emptying: true)
    }
    connection = nil
  }

  /// While others read or write, a part of the log stays: then the next try is as far away as the
  /// first. A log that others always write on would never begin anew, and grow: when it has become
  /// long, what is left of it is carried over in turn.
  private func checkpointWhenDue() {
    guard let connection, isLost == nil, connection.database.pagesInLog > 0 else { return }
    let database = connection.database
    let pages = database.pagesInLog
    longestLog = max(longestLog, pages)
    let due = nextCheckpoint ?? options.pagesFromBefore
    if pages >= due {
      // What earlier processes left is cut off as well: the file keeps the length it once had.
      _ = try? database.checkpoint(emptying: nextCheckpoint == nil)
      let isLong = pages >= Self.longLog * options.pagesBeforeCheckpoint
      if isLong, (try? connection.turnstile.enter(within: Self.patienceToTidy)) != nil {
        _ = try? database.checkpoint()
        connection.turnstile.leave()
      }
      nextCheckpoint = database.pagesInLog + options.pagesBeforeCheckpoint
      counts.checkpoints.add(1, ordering: .relaxed)
    } else if nextCheckpoint == nil || pages < due - options.pagesBeforeCheckpoint {
      // The log has begun anew.
      nextCheckpoint = options.pagesBeforeCheckpoint
    }
  }

  // MARK: Working

  /// What fails is tried again when it is due again.
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
    let writes = batch.count { work in
      if case .operation(let operation) = work, case .write = operation.access {
        true
      } else {
        false
      }
    }
    var group: Group?
    // Guarding each write against the failure of the others makes all of them dearer, and hardly
    // one ever fails. When one does, all are taken back and made again, each guarded.
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

  /// What was done since that place of the batch has been taken back.
  private struct Again: Error {
    let from: Int
  }

  /// Work that is committed together.
  private struct Group {
    let connection: Connection
    /// Where in its batch it begins, and what was deferred then.
    let first: Int
    let deferredBefore: [String: [DatabaseWriter.Change]]
    var results: [@Sendable () -> Void] = []
    var waiting: [@Sendable (Failure) -> Void] = []
    /// What was deferred and is now written or dropped, to be deferred again if the commit fails.
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
      // What nothing durable follows for long is written for its own sake.
      if deferred[subject]?.count.isMultiple(of: Self.deferredAtMost) == true {
        // The change itself is deferred already, so what begins here begins after it.
        try perform(
          .operation(.nothing(after: [subject])), at: index + 1, in: &group, isOnlyWrite: false,
          true)
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

  /// Inside a group a reader may have seen what is not committed yet, so it waits for the commit.
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

  private func write(
    _ operation: DatabaseOperation, after subjects: [String], in group: inout Group?,
    on database: Database, _ isOnlyWrite: Bool, _ guards: Bool
  ) throws {
    let changes = subjects.compactMap { subject in
      deferred[subject].map { (subject: subject, changes: $0) }
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
      // A full disk takes the whole transaction back.
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
    do {
      try database.flush()
    } catch {
      let failure = Failure(reporting: error)
      isLost = failure
      for fail in group.waiting { fail(failure) }
      return
    }
    counts.commits.add(1, ordering: .relaxed)
    counts.writes.add(group.writes, ordering: .relaxed)
    for result in group.results { result() }
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
