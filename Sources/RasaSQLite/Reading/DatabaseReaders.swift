import RasaCore
import Synchronization

/// Read-only connections, each with a thread of its own, so that lists and exports wait neither for the writer's
/// flushes nor for each other. Each read is a snapshot of what was committed when it began.
///
/// They open only a file that a writer has migrated to this version of the schema. If there is none yet, or if it
/// cannot be opened for reading only, `read` returns nil and the writer has to do it.
package final class DatabaseReaders: Sendable {
  private struct State {
    var readers: [Reader] = []
    var isClosed = false
  }

  private let path: String
  private let schema: Schema
  private let atMost: Int
  private let state = Locked(State())

  package init(path: String, schema: Schema, atMost: Int = 4) {
    self.path = path
    self.schema = schema
    self.atMost = atMost
  }

  deinit { for reader in stop() { _ = reader.queue.close(with: .close {}) } }

  /// Opens a connection in the background, so that the first read need not wait for that.
  package func prepare() {
    state.withLock { state in
      guard !state.isClosed, state.readers.isEmpty, let reader = Reader(path, schema) else {
        return
      }
      state.readers.append(reader)
      _ = reader.queue.add(.open)
    }
  }

  /// Nil if no read-only connection can be opened.
  package func read<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result? {
    try await withCheckedThrowingContinuation { continuation in
      let work = ReadingWork.read { [schema] database in
        guard let database else { return { continuation.resume(returning: nil) } }
        do {
          let result = try database.snapshot { try body(database) }
          return { continuation.resume(returning: result) }
        } catch {
          let failure = database.explained(error, schema)
          return { continuation.resume(throwing: failure) }
        }
      }
      if add(work) { return }
      continuation.resume(
        throwing: Failure(.storage, "the database was used after it had been closed"))
    }
  }

  /// Finishes the queued reads and closes the file.
  package func close() async {
    for reader in stop() {
      await withCheckedContinuation { continuation in
        if !reader.queue.close(with: .close { continuation.resume() }) { continuation.resume() }
      }
    }
  }

  private func stop() -> [Reader] {
    state.withLock { state in
      state.isClosed = true
      let readers = state.readers
      state.readers = []
      return readers
    }
  }

  /// Gives the work to an idle reader, to a new one, or to the one with the shortest queue.
  private func add(_ work: ReadingWork) -> Bool {
    state.withLock { state in
      if state.isClosed { return false }
      var chosen = state.readers.min { $0.waiting < $1.waiting }
      if chosen.map({ $0.waiting > 0 }) ?? true, state.readers.count < atMost,
        let reader = Reader(path, schema)
      {
        state.readers.append(reader)
        chosen = reader
      }
      guard let chosen else {
        work.run(nil)
        return true
      }
      chosen.load.count.add(1, ordering: .relaxed)
      return chosen.queue.add(work)
    }
  }
}

private enum ReadingWork: Sendable {
  /// Called with nil if there is no connection. Returns what tells the result to whoever waits for it.
  case read(@Sendable (Database?) -> @Sendable () -> Void)
  case open
  case close(@Sendable () -> Void)

  func run(_ database: Database?) {
    if case .read(let body) = self { body(database)() }
  }
}

private final class Reader: Sendable {
  /// How many reads are waiting or running.
  final class Load: Sendable { let count = Atomic(0) }

  let queue = WorkQueue<ReadingWork>()
  let load = Load()

  var waiting: Int { load.count.load(ordering: .relaxed) }

  /// Nil if no thread can be started.
  init?(_ path: String, _ schema: Schema) {
    let (queue, load) = (queue, load)
    do {
      try startThread { Self.serve(queue, load, path, schema) }
    } catch { return nil }
  }

  private static func serve(
    _ queue: WorkQueue<ReadingWork>, _ load: Load, _ path: String, _ schema: Schema
  ) {
    var connection: Database?
    while let batch = queue.take(1) {
      for work in batch {
        switch work {
        case .open: connection = try? Database(reading: path, schema)
        case .read(let body):
          // The file may have been created since the last attempt.
          if connection == nil { connection = try? Database(reading: path, schema) }
          let tell = body(connection)
          // Whoever hears of it may read on at once, and this reader is idle by then.
          load.count.subtract(1, ordering: .relaxed)
          tell()
        case .close(let done):
          connection = nil
          done()
          return
        }
      }
    }
  }
}

extension Database {
  /// A read-only connection to a file of this schema.
  fileprivate convenience init(reading path: String, _ schema: Schema) throws {
    try self.init(path: path, access: .read)
    let mark = try first("PRAGMA application_id") { $0.integer(0) }
    guard try schemaVersion() == schema.version, mark == Int64(schema.applicationID) else {
      throw Failure(.storage, "\(path) has another schema")
    }
  }

  /// Runs the body on one snapshot, whatever others write meanwhile.
  fileprivate func snapshot<Result>(_ body: () throws -> Result) throws -> Result {
    try run("BEGIN")
    defer { rollBack() }
    return try body()
  }
}
