package import RasaCore

/// A conversation. Users do not see each other's, also where they give them the same name.
package struct SessionID: Sendable, Hashable {
  package var name: String
  package var user: String
  package init(_ name: String, of user: String) {
    self.name = name
    self.user = user
  }
}

/// One pass of a conversation: what was asked and what was answered.
package struct SessionTurn: Sendable, Hashable {
  package var session: SessionID
  package var run: Identifier
  package var time: Timestamp
  package var input: String
  package var output: String
  package init(
    session: SessionID, run: Identifier, time: Timestamp, input: String, output: String
  ) {
    self.session = session
    self.run = run
    self.time = time
    self.input = input
    self.output = output
  }
}

/// What a short-term frame keeps when it is left; bounded by count and age in the store.
package struct WorkingNote: Sendable, Hashable {
  package var session: SessionID
  package var run: Identifier
  package var time: Timestamp
  package var text: String
  package init(session: SessionID, run: Identifier, time: Timestamp, text: String) {
    self.session = session
    self.run = run
    self.time = time
    self.text = text
  }
}

/// Something to be known again in later conversations, with where it came from.
package struct MemoryFact: Sendable, Hashable {
  package var id: Int64
  package var persona: String
  package var user: String
  package var text: String
  package var sourceRun: Identifier
  package var time: Timestamp
  /// `person` for what a user said, `model` for what a model concluded.
  package var trust: String
  package init(
    id: Int64 = 0, persona: String, user: String, text: String, sourceRun: Identifier,
    time: Timestamp, trust: String
  ) {
    self.id = id
    self.persona = persona
    self.user = user
    self.text = text
    self.sourceRun = sourceRun
    self.time = time
    self.trust = trust
  }
}

/// Sessions, working notes and long-term memories.
package protocol MemoryStore: Sendable {
  /// The newest turns of a session, oldest first.
  func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn]
  /// The newest notes of a session that are not older than the store's bound, oldest first.
  func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote]
  /// The memories of persona and user that fit the query best, by full-text rank; when nothing
  /// fits, the newest few.
  func recall(
    persona: String, user: String, query: String, limit: Int
  ) async throws -> [MemoryFact]
  /// Keeps facts; one that is already kept (same persona, user and text) is refreshed, not doubled.
  func remember(_ facts: [MemoryFact]) async throws
}
