package import RasaCore
import RasaEngine
package import RasaSQLite

/// Journal, ledger, accounts and memory in one SQLite file. One thread does all writing, in the order of the calls,
/// and commits concurrent calls together. Lists and exports have read-only connections.
package final class SQLiteStore: RunStore {
  package let path: String
  let writer: DatabaseWriter
  private let readers: DatabaseReaders
  let time: TimeSource
  let leases: RunLeases
  let observations: PendingObservations
  let slices: DeletionSlices

  /// The file is opened at the first use, or in the background by `prepare()`. For the parameters see `openStore`.
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
    leases = RunLeases(owner: owner, lease: lease, time: time)
    observations = PendingObservations(from: time.now())
    writer = DatabaseWriter(
      path: path, schema: .store, options: options, upkeep: leases.upkeep)
    readers = DatabaseReaders(path: path, schema: .store)
  }

  package func prepare() {
    // Asking the system for the process's identity takes time, and the first commit needs it.
    let leases = leases
    writer.prepare { _ in _ = leases.worker }
  }

  package func prepareToRead() { readers.prepare() }

  package func close() async {
    try? await writeObservations()
    await readers.close()
    await writer.close()
  }

  /// Reads what is committed, which everything is that this store has settled, and waits for the writer only for that.
  func read<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    if writer.hasPostponed { try? await writer.write { _ in } }
    if let result = try await readers.read(body) { return result }
    // The file does not exist yet or has another version: the writer creates or migrates it, or says why not.
    return try await writer.read(body)
  }

  /// The number of writes and of transactions: how much was committed together.
  package var writes: Int { writer.writes }
  package var commits: Int { writer.commits }
}
