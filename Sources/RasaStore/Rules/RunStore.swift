package import RasaCore
package import RasaEngine
import RasaSQLite

/// Everything that is stored about runs: journals, money and memories, and what commands do with runs: list,
/// claim, cancel, answer, delete. Nothing above `openStore` knows where it is stored.
///
/// Several processes may have the same store open. Each is a *worker* with one lease, and keeps the runs that it
/// owns while it lives and its lease lasts.
package protocol RunStore: Journal, Ledger, Accounts, ModelHistory, MemoryStore, MemoryIndex,
  GrantStore, PerformanceStore
{
  /// Opens the store in the background; the first operation reports what fails.
  func prepare()
  /// Opens what reading takes in the background, where a read is going to be waited for.
  func prepareToRead()
  /// Finishes the queued operations and closes the store. Only deferred journal lines need it to become
  /// durable.
  func close() async

  // MARK: Runs

  /// The newest runs that match, newest first.
  func runs(_ filter: RunFilter) async throws -> [RunListing]
  /// The run with that ID, or the only one whose ID begins so.
  func run(_ idOrPrefix: String) async throws -> RunListing?
  /// The journal after a line (the first is 1) as far as it can be read, and what is wrong with the next line. A
  /// reader passes the number of lines that it has to get the rest.
  func journal(of run: Identifier, after line: Int) async throws -> JournalReading
  /// The run's calls to models, oldest first.
  func calls(of run: Identifier) async throws -> [CallRecord]
  /// Cancels a run, or asks its owner to.
  ///
  /// - Parameter facts: what goes into the record of how it went; nil for a run that has none.
  func requestCancel(
    _ run: Identifier, _ facts: PerformanceFacts?
  ) async throws -> CancelReceipt
  /// Calls `act` once when cancellation of a run that this store owns is requested, or when another worker takes
  /// the run over. It is called on one of the store's threads and must not block.
  func onCancelRequest(_ run: Identifier, _ act: @escaping @Sendable () -> Void)

  // MARK: Questions to people

  /// The newest questions, newest first.
  func approvals(_ filter: ApprovalFilter, limit: Int) async throws -> [Approval]
  /// The question with that ID, or the only one whose ID begins so.
  func approval(_ idOrPrefix: String) async throws -> Approval?
  /// The newest entries of the audit trail, newest first.
  func audits(limit: Int) async throws -> [Audit]

  /// What people have granted, the newest first.
  func grants(includingRevoked: Bool, limit: Int) async throws -> [ToolGrant]
  /// Takes a grant back: the one with that ID, or the only one whose ID begins so. Nil if there is none.
  func revokeGrant(_ idOrPrefix: String, by: String) async throws -> ToolGrant?

  // MARK: Sessions

  /// The sessions used last, newest first; of one user, or of all.
  func sessions(of user: String?, limit: Int) async throws -> [SessionSummary]
  func session(_ id: SessionID) async throws -> SessionSummary?
  /// The users who have a session of that name.
  func users(ofSessionsNamed name: String) async throws -> [String]

  // MARK: Summaries of conversations

  /// Notes that a run is about to summarise a session up to one of its turns, unless another run has begun to. Returns the
  /// run that does it; nil where that turn is not there any more.
  func beginSummary(
    of session: SessionID, turns: Int, upTo: Identifier, by run: Identifier
  ) async throws -> Identifier?
  /// The run that has begun a summary of more turns than that, and has not come to its end; nil where there is none.
  func pendingSummary(of session: SessionID, beyond turns: Int) async throws -> Identifier?
  /// Keeps what it came to. False if turns that it covers have been forgotten meanwhile: nothing is kept then.
  func keepSummary(_ text: String, of session: SessionID, by run: Identifier) async throws -> Bool
  /// Takes back a run's intention, so that another may try.
  func dropSummary(of session: SessionID, by run: Identifier) async throws

  // MARK: Deleting

  /// Deletes runs with their journals and questions. Costs, memories and the turns of conversations stay. Throws
  /// and deletes nothing if a process is running one of them. Returns the runs that existed.
  func deleteRuns(_ ids: [Identifier]) async throws -> [Identifier]
  /// Deletes a session with its turns, notes, runs and their journals. Costs and memories stay. False if there
  /// is no such session.
  func deleteSession(_ session: SessionID) async throws -> Bool
  /// Deletes the runs that have one of the statuses and have not changed since that time. A dry run only reports
  /// what would be deleted.
  func pruneRuns(
    endedBefore time: Timestamp, statuses: Set<RunRecord.Status>, dryRun: Bool
  ) async throws -> PruneReport
  /// Whether deleted data may still be stored: a process is still deleting, or ended before it was done.
  func hasUnfinishedDeletions() async throws -> Bool
}

extension RunStore {
  package func requestCancel(_ run: Identifier) async throws -> CancelReceipt {
    try await requestCancel(run, nil)
  }

  package func entries(of run: Identifier) async throws -> [JournalEntry] {
    try await journal(of: run).whole()
  }

  package func journal(of run: Identifier) async throws -> JournalReading {
    try await journal(of: run, after: 0)
  }

  package func runs() async throws -> [RunListing] { try await runs(RunFilter()) }

  package func approvals(limit: Int) async throws -> [Approval] {
    try await approvals(ApprovalFilter(), limit: limit)
  }

  package func sessions(limit: Int) async throws -> [SessionSummary] {
    try await sessions(of: nil, limit: limit)
  }

  package func deleteRun(_ id: Identifier) async throws -> Bool {
    try await !deleteRuns([id]).isEmpty
  }

  package func pruneRuns(
    endedBefore time: Timestamp, dryRun: Bool = false
  ) async throws -> PruneReport {
    try await pruneRuns(
      endedBefore: time, statuses: [.done, .failed, .cancelled], dryRun: dryRun)
  }

  package func pruneRuns(
    endedBefore time: Timestamp, statuses: Set<RunRecord.Status>
  ) async throws -> PruneReport {
    try await pruneRuns(endedBefore: time, statuses: statuses, dryRun: false)
  }
}

/// The store in that file. It is opened at the first use, or in the background by `prepare()`.
///
/// - Parameters:
///   - owner: the name of this store for other processes; by default that of this process.
///   - lease: how long a process keeps its runs when it no longer responds and nobody can tell whether it lives.
///     Renewed every third of it.
package func openStore(
  at path: String, time: TimeSource, owner: String? = nil, lease: Duration = .seconds(30),
  flushDelay: @escaping @Sendable () -> Duration? = { nil }
) -> any RunStore {
  var options = DatabaseWriter.Options()
  options.flushDelay = flushDelay
  return SQLiteStore(path: path, time: time, owner: owner, lease: lease, options: options)
}

/// A session in a list.
package struct SessionSummary: Sendable, Hashable {
  package var id: SessionID
  package var persona: String
  package var startedAt: Timestamp
  package var usedAt: Timestamp
  package var turns: Int
}

/// The ID that equals the text, or the only one that begins with it; nil if none does. Used by both stores.
///
/// - Parameter found: the first six IDs that begin with it, in order.
func onlyMatch(of idOrPrefix: String, called kind: String, among found: [String]) throws -> String?
{
  if found.count <= 1 || found.first == idOrPrefix { return found.first }
  throw Failure(
    .usage, "more than one \(kind) begins with `\(idOrPrefix)`",
    suggestion: "give more of it: " + found.prefix(5).joined(separator: ", ")
      + (found.count > 5 ? ", …" : ""))
}
