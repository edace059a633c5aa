package import RasaCore
package import RasaPersona

/// Something that can be recalled: one side of a turn, a working note, or a fact.
package struct MemoryItem: Sendable, Hashable, Identifiable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    /// What a person or a model said, verbatim. A turn of a conversation has two of them.
    case turn
    /// A working note of a short-term frame.
    case note
    /// What is remembered for later conversations.
    case fact
  }

  /// Unique across all kinds.
  package var id: Int64
  package var kind: Kind
  /// For whom it was kept: `user`, the user's `persona`, or `session`.
  package var scope: MemoryScope
  package var user: String
  package var persona: String
  /// The name of the conversation that it comes from; nil where there was none.
  package var session: String?
  /// Who said it, for turns: a person's name or that of a persona.
  package var speaker: String?
  package var text: String
  /// The run that it comes from; `by-hand` where somebody wrote it down.
  package var run: Identifier
  /// When it was said, noted or learnt.
  package var time: Timestamp
  package var trust: MemoryTrust
  /// What only facts have.
  package var fact: FactDetails?

  package init(
    id: Int64, kind: Kind, scope: MemoryScope, user: String, persona: String,
    session: String? = nil,
    speaker: String? = nil, text: String, run: Identifier, time: Timestamp, trust: MemoryTrust,
    fact: FactDetails? = nil
  ) {
    self.id = id
    self.kind = kind
    self.scope = scope
    self.user = user
    self.persona = persona
    self.session = session
    self.speaker = speaker
    self.text = text
    self.run = run
    self.time = time
    self.trust = trust
    self.fact = fact
  }
}

/// Whose word it is.
package enum MemoryTrust: String, Sendable, Hashable, CaseIterable {
  /// A person said it, or wrote it down.
  case person
  /// A tool or a page brought it: it may be what somebody else wants believed.
  case tool
  /// A model concluded it.
  case model
}

/// What becomes of a fact over time. Facts are superseded, never overwritten.
package struct FactDetails: Sendable, Hashable {
  /// What sort of fact it is, such as `preference`, `profile`, `plan` or `event`; decides when it expires.
  package var kind: String
  /// What it says something about, where only one thing can be true at a time: `risk_tolerance`, `live in`. A later
  /// fact of the same slot closes this one.
  package var slot: String?
  /// Since when it is true; nil where nobody said so, which counts as the time it was learnt.
  package var validFrom: Timestamp?
  /// From when on it is true no more: as it says itself, or since another one superseded it.
  package var until: Timestamp?
  /// When it stops being recalled, because facts of its kind go stale.
  package var expires: Timestamp?
  package var supersededBy: Int64?
  /// Since when it holds, which follows from all that was stated about the same. It never did where it ends no later.
  package var begin: Timestamp?

  package init(
    kind: String = "fact", slot: String? = nil, validFrom: Timestamp? = nil,
    until: Timestamp? = nil, expires: Timestamp? = nil, supersededBy: Int64? = nil,
    begin: Timestamp? = nil
  ) {
    self.kind = kind
    self.slot = slot
    self.validFrom = validFrom
    self.until = until
    self.expires = expires
    self.supersededBy = supersededBy
    self.begin = begin
  }
}

/// Which items are meant. A missing member means all.
package struct MemoryFilter: Sendable, Hashable {
  package var user: String?
  package var persona: String?
  package var session: String?
  package var kinds: Set<MemoryItem.Kind>
  package var run: Identifier?
  /// Whose word it is.
  package var trust: MemoryTrust?
  /// Also facts that are superseded, over or expired.
  package var includesPast: Bool
  /// What held then, as far as is known by now, and what had been said; nil for now.
  package var asOf: Timestamp?

  package init(
    user: String? = nil, persona: String? = nil, session: String? = nil,
    kinds: Set<MemoryItem.Kind> = Set(MemoryItem.Kind.allCases), run: Identifier? = nil,
    trust: MemoryTrust? = nil, includesPast: Bool = false, asOf: Timestamp? = nil
  ) {
    self.user = user
    self.persona = persona
    self.session = session
    self.kinds = kinds
    self.run = run
    self.trust = trust
    self.includesPast = includesPast
    self.asOf = asOf
  }
}

/// What is looked for.
package struct MemoryQuery: Sendable, Hashable {
  /// A vector of `text` by a model, and which model that was: `provider:model` and its address.
  package struct Vector: Sendable, Hashable {
    package var model: String
    package var numbers: [Float]
    package init(model: String, numbers: [Float]) {
      self.model = model
      self.numbers = numbers
    }
  }

  package var text: String
  package var kinds: Set<MemoryItem.Kind>
  /// Nil for everybody's, as for whoever keeps house.
  package var user: String?
  /// With `scopes`: what is visible to that persona in that conversation. Without a persona everything of the user is.
  package var persona: String?
  package var session: String?
  package var scopes: Set<MemoryScope>
  /// What held then, as far as is known by now, and what had been said; nil for now.
  package var asOf: Timestamp?
  /// What comes from these runs is left out, as it stands in the prompt already.
  package var exceptRuns: Set<Identifier>
  package var vector: Vector?
  package var limit: Int

  package init(
    text: String, kinds: Set<MemoryItem.Kind> = Set(MemoryItem.Kind.allCases), user: String? = nil,
    persona: String? = nil, session: String? = nil,
    scopes: Set<MemoryScope> = Set(MemoryScope.allCases), asOf: Timestamp? = nil,
    exceptRuns: Set<Identifier> = [], vector: Vector? = nil, limit: Int = 8
  ) {
    self.text = text
    self.kinds = kinds
    self.user = user
    self.persona = persona
    self.session = session
    self.scopes = scopes
    self.asOf = asOf
    self.exceptRuns = exceptRuns
    self.vector = vector
    self.limit = limit
  }
}

/// An item that was found, and why.
package struct RecalledItem: Sendable, Hashable {
  /// One reason, and how much of the score it is.
  package struct Share: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
      /// The words of the query.
      case words
      /// What stands around it in its conversation.
      case context
      /// The similarity of vectors.
      case vector
      case recency
      case validity
      case trust
    }
    package var reason: Reason
    package var value: Double
    /// For words: which ones.
    package var words: [String]
    package init(_ reason: Reason, _ value: Double, words: [String] = []) {
      self.reason = reason
      self.value = value
      self.words = words
    }
  }

  package var item: MemoryItem
  package var score: Double
  package var shares: [Share]
  package init(item: MemoryItem, score: Double, shares: [Share]) {
    self.item = item
    self.score = score
    self.shares = shares
  }
}

/// A fact that is to be remembered.
package struct NewFact: Sendable, Hashable {
  package var scope: MemoryScope
  package var user: String
  package var persona: String
  package var session: String?
  package var text: String
  package var run: Identifier
  package var time: Timestamp
  package var trust: MemoryTrust
  /// `supersededBy` and `begin` are ignored; a slot and times that are nil are read from the text.
  package var details: FactDetails

  package init(
    scope: MemoryScope = .persona, user: String, persona: String, session: String? = nil,
    text: String, run: Identifier, time: Timestamp, trust: MemoryTrust,
    details: FactDetails = FactDetails()
  ) {
    self.scope = scope
    self.user = user
    self.persona = persona
    self.session = session
    self.text = text
    self.run = run
    self.time = time
    self.trust = trust
    self.details = details
  }
}

/// What became of a fact that was added.
package enum FactOutcome: Sendable, Hashable {
  /// It is new, and closes those.
  case added(id: Int64, closes: [Int64])
  /// The same is known already.
  case known(id: Int64)
}

/// How many items were deleted.
package struct ForgottenItems: Sendable, Hashable {
  package var turns: Int
  package var notes: Int
  package var facts: Int
  /// Runs whose journals were deleted.
  package var runs: Int
  package init(turns: Int = 0, notes: Int = 0, facts: Int = 0, runs: Int = 0) {
    self.turns = turns
    self.notes = notes
    self.facts = facts
    self.runs = runs
  }
}

/// What there is.
package struct MemoryStats: Sendable, Hashable {
  package var turns: Int
  package var notes: Int
  package var facts: Int
  /// Facts that are superseded, over or expired; part of `facts`.
  package var past: Int
  /// How many items have a vector, by model.
  package var vectors: [String: Int]
  /// How many bytes of text there are.
  package var bytes: Int64
  package init(
    turns: Int = 0, notes: Int = 0, facts: Int = 0, past: Int = 0, vectors: [String: Int] = [:],
    bytes: Int64 = 0
  ) {
    self.turns = turns
    self.notes = notes
    self.facts = facts
    self.past = past
    self.vectors = vectors
    self.bytes = bytes
  }
}

/// What became of imported items.
package struct ImportedItems: Sendable, Hashable {
  package var added: Int
  package var known: Int
  package init(added: Int = 0, known: Int = 0) {
    self.added = added
    self.known = known
  }
}

/// Turns, notes and facts as one thing to search: all that a run needs of them.
package protocol MemorySearch: Sendable {
  /// What fits best, best first.
  func search(_ query: MemoryQuery) async throws -> [RecalledItem]
  /// The newest first; those with an ID below `before`, where it is given.
  func items(_ filter: MemoryFilter, before: Int64?, limit: Int) async throws -> [MemoryItem]
}

/// Turns, notes and facts as one thing to read and to change.
package protocol MemoryIndex: MemorySearch {
  func item(_ id: Int64) async throws -> MemoryItem?
  /// In the order of the facts. All of them in one transaction.
  func add(_ facts: [NewFact]) async throws -> [FactOutcome]
  /// A person's correction of a fact: the new one supersedes it. Nil where there is no such fact.
  func edit(_ fact: Int64, to text: String, at time: Timestamp) async throws -> FactOutcome?
  /// Deletes items and erases them from the files. Facts that were superseded by one of them are open again. Returns what
  /// existed.
  func forgetItems(_ ids: [Int64]) async throws -> ForgottenItems
  /// The same for everything that the filter matches, also the past.
  func forgetItems(_ filter: MemoryFilter) async throws -> ForgottenItems
  /// Deletes everything of a user: items, sessions, runs with their journals and questions. Costs stay, without text.
  func forgetUser(_ user: String) async throws -> ForgottenItems
  func stats(_ filter: MemoryFilter) async throws -> MemoryStats
  /// Adds items as an export has them, in one transaction: each gets an ID of its own, facts supersede one another as if they
  /// had been added, and what is there already is known.
  func importItems(_ items: [MemoryItem]) async throws -> ImportedItems

  /// Items that the viewer sees and that have no vector by that model yet: first what is new since the viewer's were
  /// last made, then older ones, newest first.
  ///
  /// - Parameter length: how long the model's vectors are; nil for as long as they last were.
  func itemsWithoutVector(
    by model: String, length: Int?, for viewer: MemoryViewer, limit: Int
  ) async throws -> [MemoryItem]
  /// Keeps vectors; those of items that are gone by now are dropped. `Settlement.vectors` does so where they are paid
  /// for.
  func keepVectors(_ vectors: MadeVectors) async throws
  /// How long the vectors by that model are that are kept, or those by any, the newest length first; nothing where there
  /// are none.
  func vectorLengths(of model: String?) async throws -> [Int]
  /// The model makes vectors of that length now: items have none yet.
  func noteVectorLength(_ length: Int, of model: String) async throws
  /// Removes some of the vectors that nobody has used since then, or that are of another length than those that their
  /// model makes now. True when none are left.
  func removeUnusedVectors(usedBefore time: Timestamp) async throws -> Bool
}

/// Who looks at memory: a persona, and the user that it works for.
package struct MemoryViewer: Sendable, Hashable {
  package var user: String
  package var persona: String
  package init(user: String, persona: String) {
    self.user = user
    self.persona = persona
  }
}

/// Vectors of items by one model, all of one length.
package struct MadeVectors: Sendable, Hashable {
  package struct One: Sendable, Hashable {
    package var item: Int64
    /// Empty where the model makes none of this item.
    package var numbers: [Float]
    package init(item: Int64, numbers: [Float]) {
      self.item = item
      self.numbers = numbers
    }
  }
  /// As in `MemoryQuery.Vector`.
  package var model: String
  package var vectors: [One]
  /// For whom they were made.
  package var viewer: MemoryViewer
  package init(model: String, vectors: [One], viewer: MemoryViewer) {
    self.model = model
    self.vectors = vectors
    self.viewer = viewer
  }
}
