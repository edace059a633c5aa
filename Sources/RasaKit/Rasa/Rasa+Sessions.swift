import RasaCore
import RasaEngine
import RasaStore

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
