package import RasaCore

/// One line of a run's journal, as stores keep it: a kind, a key for lines about effects, and a body.
/// A store needs to know nothing of what they mean.
package struct JournalEntry: Sendable, Hashable {
  /// An event is encoded when somebody looks, which for a journal in memory is never.
  private enum Content: Sendable, Hashable {
    case encoded(kind: String, key: String?, body: Value)
    case event(RunEvent)
  }

  package var run: Identifier
  package var time: Timestamp
  private var content: Content

  package init(
    run: Identifier, time: Timestamp, kind: String, key: String? = nil, body: Value = .null
  ) {
    self.run = run
    self.time = time
    content = .encoded(kind: kind, key: key, body: body)
  }

  package init(run: Identifier, time: Timestamp, event: RunEvent) {
    self.run = run
    self.time = time
    content = .event(event)
  }

  package var kind: String {
    switch content {
    case .encoded(let kind, _, _): kind
    case .event(let event): event.kind
    }
  }

  package var key: String? {
    switch content {
    case .encoded(_, let key, _): key
    case .event(let event): event.key
    }
  }

  package var body: Value {
    switch content {
    case .encoded(_, _, let body): body
    case .event(let event): event.body
    }
  }
}

/// What `runs list` and sessions need of a run without folding its journal.
package struct RunRecord: Sendable, Hashable {
  package enum Status: String, Sendable, Hashable { case running, parked, done, failed, cancelled }
  package var id: Identifier
  package var session: String?
  package var persona: String
  package var personaDigest: String
  package var user: String
  package var input: String
  package var startedAt: Timestamp
  package var status: Status

  package init(
    id: Identifier, session: String?, persona: String, personaDigest: String, user: String,
    input: String, startedAt: Timestamp, status: Status = .running
  ) {
    self.id = id
    self.session = session
    self.persona = persona
    self.personaDigest = personaDigest
    self.user = user
    self.input = input
    self.startedAt = startedAt
    self.status = status
  }
}

/// The append-only record of runs. Entries of one run get growing sequence numbers in the order of
/// the calls, deferred ones included.
///
/// Two ways in: what can be derived again (a frame entered, an operator finished) is *deferred* and
/// shares the next commit; what cannot (a question to a person, an effect's intent and result) is
/// durable when the call returns. So a step costs one commit, not one for each line about it.
package protocol Journal: Sendable {
  /// Deferred: the run's row and first entries. A failure shows at the next durable call.
  func open(_ run: RunRecord, _ entries: [JournalEntry])
  /// Deferred.
  func record(_ entries: [JournalEntry])
  /// Durable when it returns: all of the entries, and all that was deferred, or nothing.
  func append(_ entries: [JournalEntry]) async throws
  /// Ends the run: the last entries, its status, and, for a run in a session, the turn and notes —
  /// in one transaction, so that a session never shows half a turn.
  func close(
    _ run: Identifier, status: RunRecord.Status, turn: SessionTurn?, notes: [WorkingNote],
    _ entries: [JournalEntry]
  ) async throws
  func entries(of run: Identifier) async throws -> [JournalEntry]
}
