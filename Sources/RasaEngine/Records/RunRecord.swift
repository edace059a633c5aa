package import RasaCore

/// What lists and sessions need of a run without folding its journal.
package struct RunRecord: Sendable, Hashable {
  /// A run whose process died is still `running`; `parked` runs wait for a person's
  /// answer, or were stopped, and can go on.
  package enum Status: String, Sendable, Hashable, CaseIterable {
    case running, parked, done, failed, cancelled
  }
  package var id: Identifier
  package var session: String?
  package var persona: String
  package var personaDigest: String
  package var user: String
  package var input: String
  package var startedAt: Timestamp
  package var status: Status
  /// The run that this one is a fork of.
  package var forkOf: Identifier?
  /// The decision that led to it, which is stored together with the run's first line. Nil for a run that is read.
  package var decision: StoredDecision?

  package init(
    id: Identifier, session: String?, persona: String, personaDigest: String, user: String,
    input: String, startedAt: Timestamp, status: Status = .running, forkOf: Identifier? = nil
  ) {
    self.id = id
    self.session = session
    self.persona = persona
    self.personaDigest = personaDigest
    self.user = user
    self.input = input
    self.startedAt = startedAt
    self.status = status
    self.forkOf = forkOf
  }
}

extension RunRecord {
  /// Whether a persona was run. Vectors are asked for in runs without one, and with them there is
  /// nothing to go on with.
  package var hasPersona: Bool { !personaDigest.isEmpty }
  /// Whether it is of no persona that somebody could have written: it has none, or one of rasa's own.
  package var isInternal: Bool { !hasPersona || personaDigest.hasPrefix(Graph.ownDigest) }
}

/// A run as its journal tells it.
package struct RunHistory: Sendable {
  package var record: RunRecord
  package var entries: [JournalEntry]

  package init(record: RunRecord, entries: [JournalEntry]) {
    self.record = record
    self.entries = entries
  }

  /// What the run began with; nil when its journal does not begin with it.
  package var start: RunStart? {
    get throws(Failure) { try RunStart(recordedIn: entries) }
  }
}
