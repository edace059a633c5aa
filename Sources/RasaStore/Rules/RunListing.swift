package import RasaCore
package import RasaEngine

/// A run as lists show it.
package struct RunListing: Sendable, Hashable {
  package var record: RunRecord
  /// What its calls have cost so far.
  package var cost: Money
  /// Lines of its journal.
  package var lines: Int
  package var changedAt: Timestamp
  /// Questions that wait for a person.
  package var waiting: Int
  /// Whether a process is running it. A run with the status `running` that is not alive was left behind by a
  /// process that has ended.
  package var isAlive: Bool
  /// The process that runs it, as `ProcessIdentity` writes it.
  package var owner: String?
}

/// Which runs a list shows.
package struct RunFilter: Sendable, Hashable {
  package var session: String?
  package var user: String?
  package var persona: String?
  /// Runs that name no persona's files and belong to one of these owners are left out. A person's persona may have the
  /// same name.
  package var exceptOwners: Set<String>
  /// Empty for all.
  package var status: Set<RunRecord.Status>
  package var limit: Int

  package init(
    session: String? = nil, user: String? = nil, persona: String? = nil,
    exceptOwners: Set<String> = [],
    status: Set<RunRecord.Status> = [], limit: Int = 50
  ) {
    self.user = user
    self.session = session
    self.persona = persona
    self.exceptOwners = exceptOwners
    self.status = status
    self.limit = limit
  }
}

/// A call to a model in the ledger.
package struct CallRecord: Sendable, Hashable {
  package var reservation: Identifier
  package var key: String
  package var provider: String
  package var model: String
  /// The version of its price; empty if none was known or recorded.
  package var price: String
  /// What was held for it.
  package var amount: Money
  /// What it has cost; nil while it is held.
  package var actual: Money?
  package var usage: Usage?
  package var state: ReservationState
  package var outcome: Settlement.Outcome?
  package var madeAt: Timestamp
  package var settledAt: Timestamp?
}

/// The result of a request to cancel a run.
package enum CancelReceipt: Sendable, Hashable {
  /// The run had already ended.
  case ended(RunRecord.Status)
  /// No process was running it; it is cancelled now.
  case cancelled
  /// The process that runs it has been asked and will stop soon.
  case asked
}

/// What was, or would be, deleted.
package struct PruneReport: Sendable, Hashable {
  package var runs: [Identifier]
  /// Bytes of journals, and of texts that nothing else refers to.
  package var bytes: Int
}
