package import RasaCore
import Synchronization

/// A database and the thread that works on it. Operations run in the order in which they were added, and those
/// that wait at the same time are committed together, with one flush of the disk.
///
/// A *deferred* change belongs to a subject and is made together with the next write of that subject, in the
/// same transaction or not at all. Until then it is kept here, also if a write fails.
package final class DatabaseWriter: Sendable {
  package struct Options: Sendable {
    /// The most operations that share a transaction.
    package var batch = 128
    /// So many pages in the write-ahead log are worth a checkpoint while working.
    package var pagesBeforeCheckpoint = 1000
    /// How many pages earlier processes may leave: every opening of the file reads them. If there are more, they
    /// are checkpointed after the first commit, when the run is most likely waiting for a model.
    package var pagesFromBefore = 32
    /// How many pages are scrubbed at once, while nobody else can write.
    package var pagesPerScrub: Int64 = 4096
    /// How long to wait for other processes.
    package var patience: Duration = .seconds(10)
    /// How long commits may stay in the system's memory before they are on the disk; nil for not at all: then a commit
    /// returns when it is. Asked once, on the writer's thread, when the file is opened.
    package var flushDelay: @Sendable () -> Duration? = { nil }
    package init() {}
  }

  package typealias Change = @Sendable (Database) throws -> Void

  /// What the writer's thread does from time to time, even if nothing is asked of it.
  package struct Maintenance: Sendable {
    /// When to look next; nil while there is nothing to do, and the thread sleeps.
    package var due: @Sendable () -> ContinuousClock.Instant?
    /// Looks, and returns a change to make, if any. Afterwards `due` lies in the future, even if this throws.
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

  /// Opens the database and prepares what will be needed, in the background. The first operation reports
  /// what fails.
  package func prepare(_ body: @escaping Change = { _ in }) { add(.prepare(body)) }

  /// Makes the change together with the subject's next write.
  package func deferred(_ subject: String, _ change: @escaping Change) {
    add(.deferred(subject: subject, change), urgent: false)
  }

  /// Makes the change, and what is deferred for its subject, together with the next operation, or after the delay if
  /// there is none. Until then only operations of this writer see it. If it fails, it becomes a deferred change,
  /// so that the subject's next write reports the failure.
  ///
  /// - Parameter done: called when it is durable.
  /// - Throws: if the database has been closed.
  package func postponed(
    _ subject: String, for delay: Duration, _ change: @escaping Change,
    done: @escaping @Sendable () -> Void = {}
  ) throws(Failure) {
    counts.postponed.add(1, ordering: .relaxed)
    let work = DatabaseWork.postponed(subject: subject, change, done: done)
    if let failure = add(work, urgent: false, within: delay) {
      counts.postponed.subtract(1, ordering: .relaxed)
      throw failure
    }
  }

  /// Makes the subjects' deferred changes and this one, all or none; they are durable when it returns. Then
  /// it drops what was deferred for the discarded subjects.
  ///
  /// - Parameter isFollowed: the next write follows at once, so no checkpoint is made before it.
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

  /// Finishes the queued operations, writes deferred changes, and closes the file.
  package func close() async {
    await withCheckedContinuation { continuation in
      let work = DatabaseWork.close { continuation.resume() }
      // Without a thread there is nothing to finish.
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

  /// Why the work will not be done; nil when it will.
  @discardableResult
  private func add(
    _ work: DatabaseWork, urgent: Bool = true, within delay: Duration? = nil
  ) -> Failure? {
    let failure =
      startedThread()
      ?? (queue.add(work, urgent: urgent, within: delay)
        ? nil : Failure(.storage, "the database was used after it had been closed"))
    if let failure, case .operation(let operation) = work { operation.fail(failure) }
    return failure
  }

  /// Starts the thread when it is first needed. A failure is kept: without a thread nothing ever leaves the
  /// queue.
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
  /// The number of committed transactions, and of the writes in them.
  package var commits: Int { counts.commits.load(ordering: .relaxed) }
  package var writes: Int { counts.writes.load(ordering: .relaxed) }
  package var flushes: Int { counts.flushes.load(ordering: .relaxed) }
  package var checkpoints: Int { counts.checkpoints.load(ordering: .relaxed) }
  /// Whether changes are postponed that other connections cannot see yet.
  package var hasPostponed: Bool { counts.postponed.load(ordering: .relaxed) > 0 }
}

final class DatabaseCounts: Sendable {
  let commits = Atomic(0)
  let writes = Atomic(0)
  let flushes = Atomic(0)
  let checkpoints = Atomic(0)
  let postponed = Atomic(0)
}

/// Work for the thread.
enum DatabaseWork: Sendable {
  case prepare(DatabaseWriter.Change)
  case deferred(subject: String, DatabaseWriter.Change)
  case postponed(subject: String, DatabaseWriter.Change, done: @Sendable () -> Void)
  case operation(DatabaseOperation)
  case close(@Sendable () -> Void)

  var isWrite: Bool {
    switch self {
    case .postponed: true
    case .operation(let operation): if case .write = operation.access { true } else { false }
    case .prepare, .deferred, .close: false
    }
  }

  var isFollowed: Bool {
    guard case .operation(let operation) = self,
      case .write(_, _, let isFollowed) = operation.access
    else { return false }
    return isFollowed
  }
}

/// An operation whose caller waits. `run` returns a function that delivers the result; it is called once the
/// result is durable, while no lock is held.
struct DatabaseOperation: Sendable {
  enum Access: Sendable {
    case read
    case write(after: [String], discarding: [String] = [], isFollowed: Bool = false)
    /// Runs under the write lock, outside of any transaction, if the lock can be had soon; `run` is called
    /// either way.
    case alone(@Sendable (Database) throws -> Void)
  }

  let access: Access
  /// An operation that was queued while others timed out does not wait again.
  let askedAt = ContinuousClock.now
  let run: @Sendable (Database) throws -> @Sendable () -> Void
  let fail: @Sendable (Failure) -> Void

  /// Writes only what is deferred.
  static func nothing(after subjects: [String]) -> DatabaseOperation {
    DatabaseOperation(access: .write(after: subjects), run: { _ in {} }, fail: { _ in })
  }
}

extension Failure {
  init(reporting error: any Error) {
    self = error as? Failure ?? Failure(.storage, "the database failed: \(error)")
  }
}
