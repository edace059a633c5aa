package import RasaCore
package import RasaEngine

/// All that is kept of runs: their journals, money and memories, and what commands do with them from
/// outside: list, claim, cancel, answer, delete. Nothing above `openStore` knows where it is kept.
///
/// Several processes may have one store open. Each is a *worker* with one lease; the runs that it owns are
/// its own for as long as the lease lasts and it lives.
package protocol RunStore: Journal, Ledger, Accounts, ModelHistory, MemoryStore {
  /// Begins to open the store and returns at once; what goes wrong shows when it is used.
  func prepare()
  /// Finishes what was asked and closes the store. What is durable is so without it; deferred
  /// journal lines are not.
  func close() async

  // MARK: Runs

  /// The newest runs that fit, newest first.
  func runs(_ filter: RunFilter) async throws -> [RunListing]
  /// The run of that identity, or the only one that begins so.
  func run(_ idOrPrefix: String) async throws -> RunListing?
  /// The journal after a line (the first is 1), as far as it can be read, and what is wrong with what
  /// follows. A reader that asks again with the number of lines that it has gets the rest.
  func journal(of run: Identifier, after line: Int) async throws -> JournalReading
  /// The attempts at models that a run has made, oldest first.
  func calls(of run: Identifier) async throws -> [CallRecord]
  /// Cancels a run, or asks its owner to.
  func requestCancel(_ run: Identifier) async throws -> CancelReceipt
  /// Calls `act` once when somebody asks to cancel the run while this store owns it, or when another
  /// worker takes the run over. It is called on a thread of the store's and must not wait.
  func onCancelRequest(_ run: Identifier, _ act: @escaping @Sendable () -> Void)

  // MARK: Questions to people

  /// The newest questions, newest first.
  func approvals(_ filter: ApprovalFilter, limit: Int) async throws -> [Approval]
  /// The question of that identity, or the only one that begins so.
  func approval(_ idOrPrefix: String) async throws -> Approval?
  /// The newest of what has to be seen to have happened, newest first.
  func audits(limit: Int) async throws -> [Audit]

  // MARK: Sessions and memories

  /// The sessions used last, newest first; of one user, or of all.
  func sessions(of user: String?, limit: Int) async throws -> [SessionSummary]
  func session(_ id: SessionID) async throws -> SessionSummary?
  /// Whose sessions have that name.
  func users(ofSessionsNamed name: String) async throws -> [String]
  /// The newest memories, newest first.
  func memories(of owner: MemoryOwner, limit: Int) async throws -> [MemoryFact]
  /// The memories that have any word of the query, best first.
  func searchMemories(of owner: MemoryOwner, query: String, limit: Int) async throws -> [MemoryFact]

  // MARK: Deleting

  /// Deletes runs with their journals and questions. What was spent stays in the ledger, what was
  /// remembered in the memories, and what was said in the conversation. Deletes none and throws when
  /// a process is at work on one of them; returns those that there were.
  func deleteRuns(_ ids: [Identifier]) async throws -> [Identifier]
  /// Deletes a session with its turns, notes, runs and their journals. What was spent stays in the
  /// ledger, and what was remembered in the memories. False when there is no such session.
  func deleteSession(_ session: SessionID) async throws -> Bool
  /// Deletes the runs that have not changed since then and have one of the statuses. A dry run only
  /// says what would go.
  func pruneRuns(
    endedBefore time: Timestamp, statuses: Set<RunRecord.Status>, dryRun: Bool
  ) async throws -> PruneReport
  /// Whether something of what was deleted may still be stored: a process is at it, or ended before
  /// it was done.
  func hasUnfinishedDeletions() async throws -> Bool
  /// False when there was none of that number.
  func forget(_ memory: Int64) async throws -> Bool
  /// Forgets every memory of the owner and says how many there were.
  func forgetAll(of owner: MemoryOwner) async throws -> Int
}

extension RunStore {
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

/// The store of that file. Nothing is opened yet: that happens at the first use, or in the background by
/// `prepare()`.
///
/// - Parameters:
///   - owner: who this store is to other processes; this process when nothing is said.
///   - lease: how long the runs of a process that no longer answers, and of which nothing can be
///     known, stay its own. Renewed every third of it.
package func openStore(
  at path: String, time: TimeSource, owner: String? = nil, lease: Duration = .seconds(30)
) -> any RunStore {
  SQLiteStore(path: path, time: time, owner: owner, lease: lease)
}

/// Whose memories are meant; nil means everybody's.
package struct MemoryOwner: Sendable, Hashable {
  package var persona: String?
  package var user: String?
  package init(persona: String? = nil, user: String? = nil) {
    self.persona = persona
    self.user = user
  }
}

/// A conversation as lists show it.
package struct SessionSummary: Sendable, Hashable {
  package var id: SessionID
  package var persona: String
  package var startedAt: Timestamp
  package var usedAt: Timestamp
  package var turns: Int
}

/// The identity that is meant by itself or by its beginning; nil when nothing begins so. Both stores
/// decide with this.
///
/// - Parameter found: the first six that begin so, in their order.
func onlyMatch(of idOrPrefix: String, called kind: String, among found: [String]) throws -> String?
{
  if found.count <= 1 || found.first == idOrPrefix { return found.first }
  throw Failure(
    .usage, "more than one \(kind) begins with `\(idOrPrefix)`",
    suggestion: "give more of it: " + found.prefix(5).joined(separator: ", ")
      + (found.count > 5 ? ", …" : ""))
}
