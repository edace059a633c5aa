import RasaCore
import Synchronization

/// One database and the thread that works on it. Everything asked of it is done in the order it was
/// asked, and what waits together is committed together: a batch costs one flush of the disk.
///
/// A *deferred* change belongs to a subject and is made with the next change of that subject, in
/// the same transaction or not at all; until then it waits here, also through failures.
package final class DatabaseWriter: Sendable {
  package struct Options: Sendable {
    /// How many pieces of work share a transaction at most.
    package var batch = 128
    /// Pages in the write-ahead log that are worth carrying over while working.
    package var pagesBeforeCheckpoint = 1000
    /// How many may be left by earlier processes: every opening reads them. What is more is carried
    /// over after the first commit, when the work is most likely waiting for a model.
    package var pagesFromBefore = 32
    /// How many pages are scrubbed at once, while nobody else can write.
    package var pagesPerScrub: Int64 = 4096
    /// How long to wait for other processes.
    package var patience: Duration = .seconds(10)
    package init() {}
  }

  package typealias Change = @Sendable (Database) throws -> Void

  /// What the writer's thread sees to from time to time, whether or not anything is asked of it.
  package struct Maintenance: Sendable {
    /// When to look next; nil while there is nothing to see to, and the thread sleeps.
    package var due: @Sendable () -> ContinuousClock.Instant?
    /// Looks, and says what to change, if anything. `due` lies in the future afterwards, whether it
    /// has thrown or not.
    package var look: @Sendable (Database) throws -> Change?
    /// Called when the change is durable.
    package var done: @Sendable () -> Void

    package init(
      due: @escaping @Sendable () -> ContinuousClock.Instant?,
      look: @escaping @Sendable (Database) throws -> Change?,
      done: @escaping @Sendable () -> Void = {}
    ) {
      self.due = due
      self.look = look
      self.done = done
    }
  }

  let queue = WorkQueue<DatabaseWork>()
  let counts = DatabaseCounts()
  private let pagesPerScrub: Int64
  private let thread: Locked<ThreadState>
  private let start: @Sendable (WorkQueue<DatabaseWork>, DatabaseCounts) throws -> Void

  private enum ThreadState {
    case notStarted, started
    case failed(Failure)
  }

  package init(
    path: String, schema: Schema, options: Options = Options(), upkeep: Maintenance? = nil
  ) {
    thread = Locked(.notStarted)
    pagesPerScrub = options.pagesPerScrub
    start = { queue, counts in
      try startThread {
        DatabaseLoop(
          path: path, schema: schema, options: options, upkeep: upkeep, counts: counts
        ).run(queue)
      }
    }
  }

  deinit { _ = queue.close(with: .close {}) }

  /// Opens the database in the background and makes ready what will be needed; what goes wrong
  /// shows when it is used.
  package func prepare(_ body: @escaping Change = { _ in }) { add(.prepare(body)) }

  /// Makes the change with the next one of the subject.
  package func deferred(_ subject: String, _ change: @escaping Change) {
    add(.deferred(subject: subject, change), urgent: false)
  }

  /// Makes the subjects' deferred changes and this one: durable when it returns, and all or nothing.
  /// When it has been made, what was deferred for the discarded subjects is dropped.
  ///
  /// - Parameter isFollowed: the next write follows at once, so that nothing is tidied up before it.
  package func write<Result: Sendable>(
    after subjects: [String] = [], discarding discarded: [String] = [], isFollowed: Bool = false,
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    try await perform(
      .write(after: subjects, discarding: discarded, isFollowed: isFollowed), body)
  }

  /// Zeroes what deleted rows have left behind in some pages of the file, and cuts the log to nothing. It
  /// waits for others for a moment only, since nobody can write meanwhile.
  package func scrub(from page: Int64) async throws -> ScrubStep {
    let step = Locked(ScrubStep.isBusy)
    let atMost = pagesPerScrub
    return try await perform(
      .alone { database in
        let result = try database.scrub(from: page, atMost: atMost)
        step.withLock { $0 = result }
      }
    ) { _ in step.withLock { $0 } }
  }

  package func read<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    try await perform(.read, body)
  }

  /// Finishes what was asked, makes what is deferred, and closes the file.
  package func close() async {
    await withCheckedContinuation { continuation in
      let work = DatabaseWork.close { continuation.resume() }
      // Without its thread there is nothing to finish.
      if startedThread() != nil || !queue.close(with: work) { continuation.resume() }
    }
  }

  private func perform<Result: Sendable>(
    _ access: DatabaseOperation.Access, _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      let operation = DatabaseOperation(
        access: access,
        run: { database in
          let result = try body(database)
          return { continuation.resume(returning: result) }
        },
        fail: { continuation.resume(throwing: $0) })
      add(.operation(operation))
    }
  }

  private func add(_ work: DatabaseWork, urgent: Bool = true) {
    let failure =
      startedThread()
      ?? (queue.add(work, urgent: urgent)
        ? nil : Failure(.storage, "the database was used after it had been closed"))
    if let failure, case .operation(let operation) = work { operation.fail(failure) }
  }

  /// Starts the thread when it is first needed. The failure is kept: without a thread nothing is
  /// ever taken from the queue.
  private func startedThread() -> Failure? {
    thread.withLock { thread -> Failure? in
      switch thread {
      case .started: return nil
      case .failed(let failure): return failure
      case .notStarted:
        do {
          try start(queue, counts)
          thread = .started
          return nil
        } catch {
          let failure = Failure(reporting: error)
          thread = .failed(failure)
          return failure
        }
      }
    }
  }
}

extension DatabaseWriter {
  /// Transactions committed, and pieces of work done in them.
  package var commits: Int { counts.commits.load(ordering: .relaxed) }
  package var writes: Int { counts.writes.load(ordering: .relaxed) }
  package var checkpoints: Int { counts.checkpoints.load(ordering: .relaxed) }
}

final class DatabaseCounts: Sendable {
  let commits = Atomic(0)
  let writes = Atomic(0)
  let checkpoints = Atomic(0)
}

/// What the thread is asked to do.
enum DatabaseWork: Sendable {
  case prepare(DatabaseWriter.Change)
  case deferred(subject: String, DatabaseWriter.Change)
  case operation(DatabaseOperation)
  case close(@Sendable () -> Void)

  var isFollowed: Bool {
    guard case .operation(let operation) = self,
      case .write(_, _, let isFollowed) = operation.access
    else { return false }
    return isFollowed
  }
}

/// A piece of work that somebody waits for. What `run` returns tells them the result; it is called
/// when the result is durable, and no lock is held.
struct DatabaseOperation: Sendable {
  enum Access: Sendable {
    case read
    case write(after: [String], discarding: [String] = [], isFollowed: Bool = false)
    /// Done while nobody writes, and outside of any transaction, if that comes about soon; `run` is
    /// called either way.
    case alone(@Sendable (Database) throws -> Void)
  }

  let access: Access
  /// Who has waited in vain together with others does not wait again after them.
  let askedAt = ContinuousClock.now
  let run: @Sendable (Database) throws -> @Sendable () -> Void
  let fail: @Sendable (Failure) -> Void

  /// Nothing but what is deferred.
  static func nothing(after subjects: [String]) -> DatabaseOperation {
    DatabaseOperation(access: .write(after: subjects), run: { _ in {} }, fail: { _ in })
  }
}

extension Failure {
  init(reporting error: any Error) {
    self = error as? Failure ?? Failure(.storage, "the database failed: \(error)")
  }
}
