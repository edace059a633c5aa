import RasaCore
import RasaEngine
import RasaStore

// MARK: Sessions

extension Rasa {
  /// A conversation.
  public struct Session: Sendable, Hashable, Codable {
    /// Its name, which is one of its user.
    public var name: String
    /// Whose it is.
    public var user: String
    /// The persona or agent that it began with.
    public var persona: String
    /// How many questions were answered in it.
    public var turns: Int
    /// When it began, in milliseconds since 1970.
    public var startedAt: Int64
    /// When it was last used, in milliseconds since 1970.
    public var usedAt: Int64

    init(_ session: SessionSummary) {
      name = session.id.name
      user = session.id.user
      persona = session.persona
      turns = session.turns
      startedAt = session.startedAt.milliseconds
      usedAt = session.usedAt.milliseconds
    }
  }

  /// One question of a conversation and its answer.
  public struct Turn: Sendable, Hashable, Codable {
    /// The run that answered.
    public var run: String
    /// When it was answered, in milliseconds since 1970.
    public var time: Int64
    /// What was asked.
    public var input: String
    /// What was answered.
    public var output: String

    init(_ turn: SessionTurn) {
      run = turn.run.text
      time = turn.time.milliseconds
      input = turn.input
      output = turn.output
    }
  }

  /// The conversations, those used last first.
  ///
  /// - Parameters:
  ///   - user: Only those of this user; nil for everybody's.
  ///   - limit: The most that are returned.
  public func sessions(of user: String? = nil, limit: Int = 50) async throws(RasaError) -> [Session]
  {
    try await redacted {
      try await store.sessions(of: user, limit: max(1, limit)).map { Session($0) }
    }
  }

  /// The turns of a conversation, the oldest first.
  ///
  /// - Parameters:
  ///   - session: Its name.
  ///   - user: Whose it is; nil for the user of this `Rasa`.
  ///   - limit: The most that are returned, the newest of them.
  /// - Throws: A `RasaError` of code `usage` when there is no such session.
  public func turns(
    of session: String, user: String? = nil, limit: Int = 1_000
  ) async throws(RasaError) -> [Turn] {
    try await redacted {
      let id = SessionID(session, of: composition.user(user))
      guard try await store.session(id) != nil else { throw try await unknown(id) }
      return try await store.turns(of: id, limit: max(1, limit)).map { Turn($0) }
    }
  }

  /// Deletes a conversation with its turns and notes. Its runs stay.
  ///
  /// - Throws: A `RasaError` of code `usage` when there is no such session.
  public func deleteSession(_ session: String, user: String? = nil) async throws(RasaError) {
    try await redacted {
      let id = SessionID(session, of: composition.user(user))
      guard try await store.deleteSession(id) else { throw try await unknown(id) }
    }
  }

  private func unknown(_ id: SessionID) async throws -> Failure {
    if let other = try await store.users(ofSessionsNamed: id.name).first {
      return Failure(
        .usage, "\(id.user) has no session `\(id.name)`, but \(other) has one",
        suggestion: "add `--user \(other)`")
    }
    let known = try await store.sessions(of: id.user, limit: 200).map(\.id.name)
    let hint = nearestName(to: id.name, among: known).map { "did you mean `\($0)`? " } ?? ""
    return Failure(
      .usage, "there is no session `\(id.name)`",
      suggestion: hint + "`rasa sessions list` shows them")
  }
}

// MARK: Memories

extension Rasa {
  /// Something that a persona remembers of a user.
  public struct Memory: Sendable, Hashable, Codable, Identifiable {
    /// Its number, which `forget` takes.
    public var id: Int64
    /// Which persona remembers it.
    public var persona: String
    /// Of whom.
    public var user: String
    /// What is remembered.
    public var text: String
    /// The run that it comes from; `by-hand` where somebody wrote it down.
    public var run: String
    /// Where it comes from: `person` or `model`.
    public var source: String
    /// When it was kept, in milliseconds since 1970.
    public var time: Int64

    init(_ fact: MemoryFact) {
      id = fact.id
      persona = fact.persona
      user = fact.user
      text = fact.text
      run = fact.sourceRun.text
      source = fact.trust
      time = fact.time.milliseconds
    }
  }

  /// What is remembered, the newest first; where words are searched for, what fits best first.
  ///
  /// - Parameters:
  ///   - search: Words to look for; nil for everything.
  ///   - persona: Only what this persona remembers; nil for all.
  ///   - user: Only of this user; nil for everybody.
  ///   - limit: The most that are returned.
  public func memories(
    search: String? = nil, persona: String? = nil, user: String? = nil, limit: Int = 50
  ) async throws(RasaError) -> [Memory] {
    try await redacted {
      let owner = MemoryOwner(persona: persona, user: user)
      let facts =
        if let search {
          try await store.searchMemories(of: owner, query: search, limit: max(1, limit))
        } else {
          try await store.memories(of: owner, limit: max(1, limit))
        }
      return facts.map { Memory($0) }
    }
  }

  /// Has a persona remember something of a user.
  ///
  /// - Throws: A `RasaError` when there is no such persona.
  public func remember(
    _ text: String, persona: String, user: String? = nil
  ) async throws(RasaError) {
    try await redacted {
      _ = try composition.persona(persona)
      try await store.remember([
        MemoryFact(
          persona: persona, user: composition.user(user), text: text,
          sourceRun: Identifier("by-hand"),
          time: composition.time.now(), trust: "person")
      ])
    }
  }

  /// Forgets one memory.
  ///
  /// - Returns: Whether it was there.
  @discardableResult
  public func forget(memory id: Int64) async throws(RasaError) -> Bool {
    try await redacted { try await store.forget(id) }
  }

  /// Forgets everything that a persona remembers, of a user or of everybody.
  ///
  /// - Returns: How many memories there were.
  @discardableResult
  public func forgetAll(
    persona: String? = nil, user: String? = nil
  ) async throws(RasaError) -> Int {
    try await redacted { try await store.forgetAll(of: MemoryOwner(persona: persona, user: user)) }
  }
}
