import RasaCore
import RasaEngine
import RasaPersona
import RasaStore

extension Rasa {
  /// Something that can be recalled: one side of a turn, a working note, or a fact.
  public struct Memory: Sendable, Hashable, Codable, Identifiable {
    /// What sort of memory it is.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
      /// What a person or a persona said, word for word.
      case turn
      /// A working note of a conversation.
      case note
      /// What is remembered for later conversations.
      case fact
    }

    /// For whom something is kept.
    public enum Scope: String, Sendable, Hashable, Codable, CaseIterable {
      /// All personas of the user.
      case user
      /// The persona that kept it, with this user.
      case persona
      /// The conversation that it comes from.
      case session
    }

    /// Its number, which `forget` and `correct` take.
    public var id: Int64
    /// What it is.
    public var kind: Kind
    /// For whom it is kept.
    public var scope: Scope
    /// The persona that kept it.
    public var persona: String
    /// Whose it is.
    public var user: String
    /// The conversation that it comes from; nil where there was none.
    public var session: String?
    /// Who said it, for turns.
    public var speaker: String?
    /// What was said, noted or remembered.
    public var text: String
    /// The run that it comes from; `by-hand` where somebody wrote it down.
    public var run: String
    /// Whose word it is: `person`, `tool` or `model`.
    public var source: String
    /// When it was said, noted or learnt, in milliseconds since 1970.
    public var time: Int64
    /// What sort of fact it is, such as `preference`; nil for turns and notes.
    public var factKind: String?
    /// Since when the fact holds, in milliseconds since 1970; nil where nobody said so.
    public var since: Int64?
    /// From when on it holds no more, in milliseconds since 1970: by its own words, or because another one superseded it.
    public var until: Int64?
    /// When it is recalled no more, in milliseconds since 1970, because facts of its kind go stale.
    public var expires: Int64?
    /// The fact that superseded it.
    public var supersededBy: Int64?

    init(_ item: MemoryItem) {
      id = item.id
      kind = Kind(item.kind)
      scope = Scope(item.scope)
      persona = item.persona
      user = item.user
      session = item.session
      speaker = item.speaker
      text = item.text
      run = item.run.text
      source = item.trust.rawValue
      time = item.time.milliseconds
      factKind = item.fact?.kind
      since = item.fact?.validFrom?.milliseconds
      until = item.fact?.until?.milliseconds
      expires = item.fact?.expires?.milliseconds
      supersededBy = item.fact?.supersededBy
    }

    /// Whether it holds at a moment, in milliseconds since 1970. Turns and notes always do.
    public func holds(at moment: Int64) -> Bool {
      (since.map { $0 <= moment } ?? true) && (until.map { moment < $0 } ?? true)
        && (expires.map { moment < $0 } ?? true)
    }
  }

  /// A memory that a search found, and why.
  public struct FoundMemory: Sendable, Hashable, Codable {
    /// One reason for the score.
    public struct Share: Sendable, Hashable, Codable {
      /// `words`, `context` (what stands around it in its conversation), `vector` (the similarity of meaning), `recency`,
      /// `validity` or `trust`.
      public var reason: String
      /// How much of the score it is.
      public var value: Double
      /// For `words`: which of the query's.
      public var words: [String]
    }

    /// What was found.
    public var memory: Memory
    /// How well it fits: comparable within one search only.
    public var score: Double
    /// What the score consists of.
    public var shares: [Share]

    init(_ found: RecalledItem) {
      memory = Memory(found.item)
      score = found.score
      shares = found.shares.map {
        Share(reason: $0.reason.rawValue, value: $0.value, words: $0.words)
      }
    }
  }

  /// What became of a fact that was to be remembered.
  public struct Remembered: Sendable, Hashable, Codable {
    /// The number of the memory.
    public var id: Int64
    /// False where the same was known already.
    public var isNew: Bool
    /// The facts that hold no more because of it.
    public var closes: [Int64]

    init(_ outcome: FactOutcome) {
      switch outcome {
      case .added(let id, let closes): (self.id, isNew, self.closes) = (id, true, closes)
      case .known(let id): (self.id, isNew, closes) = (id, false, [])
      }
    }
  }

  /// How much was deleted.
  public struct Forgotten: Sendable, Hashable, Codable {
    /// Sides of turns.
    public var turns: Int
    /// Working notes.
    public var notes: Int
    /// Facts.
    public var facts: Int
    /// Runs, with their journals.
    public var runs: Int

    init(_ items: ForgottenItems) {
      turns = items.turns
      notes = items.notes
      facts = items.facts
      runs = items.runs
    }
  }

  /// How much is remembered.
  public struct MemoryCounts: Sendable, Hashable, Codable {
    /// Sides of turns.
    public var turns: Int
    /// Working notes.
    public var notes: Int
    /// Facts, with those that hold no more.
    public var facts: Int
    /// Facts that hold no more.
    public var past: Int
    /// How many memories have a vector, by model.
    public var vectors: [String: Int]
    /// How many bytes of text there are.
    public var bytes: Int64

    init(_ stats: MemoryStats) {
      turns = stats.turns
      notes = stats.notes
      facts = stats.facts
      past = stats.past
      vectors = stats.vectors
      bytes = stats.bytes
    }
  }
}

// MARK: Reading

extension Rasa {
  /// What is remembered, the newest first.
  ///
  /// - Parameters:
  ///   - persona: Only what this persona kept; nil for all.
  ///   - user: Only of this user; nil for everybody.
  ///   - session: Only from this conversation.
  ///   - kinds: Turns, notes or facts.
  ///   - run: Only what came of this run.
  ///   - includingPast: Whether facts are listed that hold no more.
  ///   - asOf: What held then, as far as is known by now, and what had been said, in milliseconds since 1970; nil for
  ///     now.
  ///   - before: Only those with a lower number, to read on where a list ended.
  ///   - limit: The most that are returned.
  public func memories(
    persona: String? = nil, user: String? = nil, session: String? = nil,
    kinds: Set<Memory.Kind> = [.fact], run: String? = nil, includingPast: Bool = false,
    asOf: Int64? = nil, before: Int64? = nil, limit: Int = 50
  ) async throws(RasaError) -> [Memory] {
    try await redacted {
      let filter = MemoryFilter(
        user: user, persona: persona, session: session, kinds: Set(kinds.map(\.item)),
        run: run.map { Identifier($0) }, includesPast: includingPast,
        asOf: asOf.map { Timestamp(milliseconds: $0) })
      return try await store.items(filter, before: before, limit: max(1, limit)).map { Memory($0) }
    }
  }

  /// The memory with that number.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is none.
  public func memory(_ id: Int64) async throws(RasaError) -> Memory {
    try await redacted {
      guard let item = try await store.item(id) else { throw noMemory(id) }
      return Memory(item)
    }
  }

  /// Looks for memories by words, in any language, and says why each was found. What fits best comes first.
  ///
  /// - Parameters:
  ///   - text: What to look for.
  ///   - persona: What this persona can recall, from all scopes; nil for everything of the user.
  ///   - user: Whose; nil for everybody's.
  ///   - session: With a persona: the conversation whose own memories count, too. Without one: only of this conversation.
  ///   - kinds: Turns, notes or facts.
  ///   - asOf: What held then, as far as is known by now, and what had been said, in milliseconds since 1970; nil for
  ///     now.
  ///   - limit: The most that are returned.
  public func searchMemories(
    _ text: String, persona: String? = nil, user: String? = nil, session: String? = nil,
    kinds: Set<Memory.Kind> = Set(Memory.Kind.allCases), asOf: Int64? = nil, limit: Int = 50
  ) async throws(RasaError) -> [FoundMemory] {
    try await redacted {
      try await store.search(
        MemoryQuery(
          text: text, kinds: Set(kinds.map(\.item)), user: user, persona: persona,
          session: session, asOf: asOf.map { Timestamp(milliseconds: $0) }, limit: max(1, limit))
      ).map { FoundMemory($0) }
    }
  }

  /// How much is remembered.
  ///
  /// - Parameters:
  ///   - persona: Only by this persona; nil for all.
  ///   - user: Only of this user; nil for everybody.
  public func memoryCounts(
    persona: String? = nil, user: String? = nil
  ) async throws(RasaError) -> MemoryCounts {
    try await redacted {
      MemoryCounts(try await store.stats(MemoryFilter(user: user, persona: persona)))
    }
  }
}

// MARK: Changing

extension Rasa {
  /// Has a persona remember something of a user. A fact that contradicts an older one, such as another place to live,
  /// closes it: the older one stays, and holds until then.
  ///
  /// - Parameters:
  ///   - text: The fact, as a sentence or as `key: value`.
  ///   - persona: Who remembers it.
  ///   - user: Of whom; nil for the user of this `Rasa`.
  ///   - scope: For whom it is kept; nil for what the persona's file says.
  ///   - kind: What sort of fact it is.
  ///   - since: Since when it holds, in milliseconds since 1970; nil for what the text says, else for now.
  ///   - until: From when on it holds no more, in milliseconds since 1970.
  /// - Throws: A `RasaError` when there is no such persona.
  @discardableResult
  public func remember(
    _ text: String, persona: String, user: String? = nil, scope: Memory.Scope? = nil,
    kind: String = "fact", since: Int64? = nil, until: Int64? = nil
  ) async throws(RasaError) -> Remembered {
    try await redacted {
      guard text.contains(where: { !$0.isWhitespace }) else {
        throw Failure(.usage, "there is nothing to remember", suggestion: "give a text")
      }
      if let since, let until, until <= since {
        throw Failure(.usage, "the fact would end before it begins")
      }
      let definition = try composition.persona(persona)
      let fact = NewFact(
        scope: scope?.item ?? definition.memory.keep, user: composition.user(user),
        persona: definition.name, text: text, run: Identifier("by-hand"),
        time: composition.time.now(), trust: .person,
        details: FactDetails(
          kind: kind, validFrom: since.map { Timestamp(milliseconds: $0) },
          until: until.map { Timestamp(milliseconds: $0) }))
      guard let outcome = try await store.add([fact]).first else {
        throw Failure(.storage, "the fact was not stored")
      }
      return Remembered(outcome)
    }
  }

  /// Replaces a fact by a corrected one. The old one stays as what was believed until now.
  ///
  /// - Returns: What became of the correction.
  /// - Throws: A `RasaError` of code `usage` when there is no such fact.
  @discardableResult
  public func correct(
    memory id: Int64, to text: String
  ) async throws(RasaError) -> Remembered {
    try await redacted {
      guard text.contains(where: { !$0.isWhitespace }) else {
        throw Failure(
          .usage, "there is nothing to put in its place",
          suggestion: "`rasa memory forget \(id)` deletes it")
      }
      guard let item = try await store.item(id) else { throw noMemory(id) }
      guard item.kind == .fact else {
        throw Failure(
          .usage, "memory \(id) is a \(item.kind.rawValue), which stays as it was",
          suggestion: "`rasa memory add` adds a fact; `rasa memory forget \(id)` deletes this")
      }
      guard let outcome = try await store.edit(id, to: text, at: composition.time.now()) else {
        throw noMemory(id)
      }
      return Remembered(outcome)
    }
  }

  /// Forgets memories, and erases them from the files. Facts that they had superseded hold again.
  ///
  /// - Returns: How many of each kind there were.
  /// - Throws: A `RasaError` of code `usage` when there is none of one number; then nothing is deleted.
  @discardableResult
  public func forget(memories ids: [Int64]) async throws(RasaError) -> Forgotten {
    try await redacted {
      for id in ids where try await store.item(id) == nil { throw noMemory(id) }
      return Forgotten(try await store.forgetItems(ids))
    }
  }

  /// Forgets everything that matches, also facts that hold no more.
  ///
  /// - Parameters:
  ///   - persona: Only what this persona kept; nil for all.
  ///   - user: Only of this user; nil for everybody.
  ///   - kinds: Turns, notes or facts.
  ///   - run: Only what came of this run.
  /// - Returns: How many of each kind there were.
  @discardableResult
  public func forgetMemories(
    persona: String? = nil, user: String? = nil, kinds: Set<Memory.Kind> = [.fact],
    run: String? = nil
  ) async throws(RasaError) -> Forgotten {
    try await redacted {
      Forgotten(
        try await store.forgetItems(
          MemoryFilter(
            user: user, persona: persona, kinds: Set(kinds.map(\.item)),
            run: run.map { Identifier($0) }, includesPast: true)))
    }
  }

  /// Deletes everything of a user: conversations, notes, facts, runs with their journals and questions. What was spent
  /// stays in the books, without any text.
  ///
  /// - Throws: A `RasaError` when a process is running one of the user's runs; then nothing is deleted.
  @discardableResult
  public func forget(user: String) async throws(RasaError) -> Forgotten {
    try await redacted { Forgotten(try await store.forgetUser(user)) }
  }

  /// Whether something that was forgotten or deleted may still stand in the files.
  package func hasUnfinishedDeletions() async throws(RasaError) -> Bool {
    try await redacted { try await store.hasUnfinishedDeletions() }
  }

  private func noMemory(_ id: Int64) -> Failure {
    Failure(
      .usage, "there is no memory \(id)",
      suggestion: "`rasa memory list` shows them with their IDs")
  }
}

extension Rasa.Memory.Kind {
  init(_ kind: MemoryItem.Kind) {
    self =
      switch kind {
      case .turn: .turn
      case .note: .note
      case .fact: .fact
      }
  }

  var item: MemoryItem.Kind {
    switch self {
    case .turn: .turn
    case .note: .note
    case .fact: .fact
    }
  }
}

extension Rasa.Memory.Scope {
  init(_ scope: MemoryScope) {
    self =
      switch scope {
      case .user: .user
      case .persona: .persona
      case .session: .session
      }
  }

  var item: MemoryScope {
    switch self {
    case .user: .user
    case .persona: .persona
    case .session: .session
    }
  }
}
