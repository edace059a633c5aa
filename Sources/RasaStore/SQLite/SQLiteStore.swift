package import RasaCore
import RasaEngine
package import RasaSQLite

/// Journal, ledger, books and memory in one SQLite file. All writing is done by the writer's own thread, in
/// the order it was asked; what is asked at the same time is committed together. Lists and exports are
/// read by connections of their own.
package final class SQLiteStore: RunStore {
  package let path: String
  let writer: DatabaseWriter
  private let readers: DatabaseReaders
  let time: TimeSource
  let keeper: RunLeases
  let observations: PendingObservations
  let slices: DeletionSlices

  /// Nothing is opened yet: that happens at the first use, or in the background by `prepare()`.
  ///
  /// - Parameters:
  ///   - owner: who this store is to other processes; this process when nothing is said.
  ///   - lease: how long a run of a process that does not answer any more, and of which nothing can
  ///     be known, stays its own. Renewed every third of it.
  package convenience init(
    path: String, time: TimeSource, owner: String? = nil, lease: Duration = .seconds(30),
    options: DatabaseWriter.Options = DatabaseWriter.Options()
  ) {
    self.init(
      path: path, time: time, owner: owner, lease: lease, options: options,
      slices: DeletionSlices())
  }

  init(
    path: String, time: TimeSource, owner: String?, lease: Duration,
    options: DatabaseWriter.Options, slices: DeletionSlices
  ) {
    self.slices = slices
    self.path = path
    self.time = time
    keeper = RunLeases(owner: owner, lease: lease, time: time)
    observations = PendingObservations(from: time.now())
    writer = DatabaseWriter(
      path: path, schema: .store, options: options, upkeep: keeper.upkeep)
    readers = DatabaseReaders(path: path, schema: .store)
  }

  /// Begins to open the file and returns at once.
  package func prepare() {
    // Who this process is has to be asked of the system, and is written with the first commit.
    let keeper = keeper
    writer.prepare { _ in _ = keeper.worker }
  }

  /// Finishes what was asked and closes the file. What is durable is so without it; deferred
  /// journal lines are not.
  package func close() async {
    try? await writeObservations()
    await readers.close()
    await writer.close()
  }

  /// Reads what is committed, without waiting for what is being written.
  func read<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    if let result = try await readers.read(body) { return result }
    // The file is not there yet, or not of this version: the writer makes it so, or says why not.
    return try await writer.read(body)
  }

  /// Work asked and transactions made, to see how much was committed together.
  package var writes: Int { writer.writes }
  package var commits: Int { writer.commits }
}
