package import RasaCore
package import RasaPersona

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

/// How a run stopped: what is stored with its last lines, in one transaction.
package struct RunEnding: Sendable, Hashable {
  package var status: RunRecord.Status
  /// For a run in a session that came to its end.
  package var turn: SessionTurn?
  package var notes: [WorkingNote]
  package var facts: [NewFact]
  /// For whom the turn and the notes are kept.
  package var scope: MemoryScope
  /// Whose word the answer and the notes are: a tool's where one brought what they may be made of.
  package var trust: MemoryTrust
  /// What goes into the record of how it went; nil for a run that has none. One that is parked has none yet, unless it
  /// is cancelled.
  package var performance: PerformanceFacts?

  package init(
    _ status: RunRecord.Status, turn: SessionTurn? = nil, notes: [WorkingNote] = [],
    facts: [NewFact] = [], scope: MemoryScope = .persona, trust: MemoryTrust = .model
  ) {
    self.status = status
    self.turn = turn
    self.notes = notes
    self.facts = facts
    self.scope = scope
    self.trust = trust
  }
}

/// The append-only record of runs. Entries of one run get the sequence numbers 1, 2, 3, … in the
/// order of the calls, deferred ones included.
///
/// Two ways in: what can be derived again (a frame entered, an operator finished) is *deferred* and
/// shares the next commit; what cannot (a question to a person, an effect's intent and result) is
/// durable when the call returns. So a step costs one commit, not one for each line about it.
///
/// Only who owns a run writes to its journal. `open` and `claim` make this process the owner, `close`
/// ends that; when another process has taken a run over, every write about it fails, those of the
/// ledger that record lines included, and changes nothing.
package protocol Journal: Sendable {
  /// Deferred: the run's row and first entries. A failure shows at the next durable call.
  func open(_ run: RunRecord, _ entries: [JournalEntry])
  /// Claims a run that no process owns and reads what is known of it. Throws when another
  /// process is at work on it, and when its journal is damaged.
  func claim(_ run: Identifier) async throws -> RunHistory
  /// Deferred.
  func record(_ entries: [JournalEntry])
  /// Durable when it returns: all of the entries, and all that was deferred, or nothing.
  func append(_ entries: [JournalEntry]) async throws
  /// Puts a question to people, with its line, unless the same question was put before: then
  /// nothing changes, and what has become of it is returned.
  func ask(_ approval: Approval, recording entries: [JournalEntry]) async throws -> Approval
  /// Answers a question that waits; an answer that comes second changes nothing and is told of the
  /// first.
  func answer(_ approval: String, _ answer: HumanAnswer) async throws -> AnswerReceipt
  /// Ends or parks the run and lets go of it: the last entries, its status, and what is kept of it,
  /// in one transaction, so that a session never shows half a turn. A parked run that somebody has
  /// asked to cancel is cancelled.
  func close(_ run: Identifier, _ ending: RunEnding, _ entries: [JournalEntry]) async throws
  func entries(of run: Identifier) async throws -> [JournalEntry]
}
