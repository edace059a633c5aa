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

/// Sessions, working notes, and all that is remembered.
package protocol MemoryStore: MemorySearch {
  /// The newest turns of a session, oldest first.
  func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn]
  /// The newest turns of a session, oldest first, of which the texts have about so many bytes in all, and how many are
  /// older than these. As much is read as is returned, however long the session is.
  func conversation(of session: SessionID, bytes: Int) async throws -> Conversation
  /// The summary that covers most of a session's oldest turns; nil where none has been made.
  func summary(of session: SessionID) async throws -> ConversationSummary?
  /// The newest notes of a session that are not older than the store's bound, oldest first.
  func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote]
}

/// The end of a session.
package struct Conversation: Sendable, Hashable {
  /// Oldest first.
  package var turns: [SessionTurn]
  /// How many are older than these.
  package var earlier: Int

  package init(turns: [SessionTurn] = [], earlier: Int = 0) {
    self.turns = turns
    self.earlier = earlier
  }
}

extension Conversation {
  /// - Parameter newest: the newest turns, oldest first.
  /// - Returns: how many of them have that many bytes, the one with which they are reached included.
  package static func count(of newest: [SessionTurn], within bytes: Int) -> Int {
    var left = bytes
    var count = 0
    for turn in newest.reversed() {
      guard left > 0 else { break }
      left -= turn.input.utf8.count + turn.output.utf8.count
      count += 1
    }
    return count
  }
}

extension MemoryStore {
  package func summary(of session: SessionID) async throws -> ConversationSummary? { nil }

  package func conversation(of session: SessionID, bytes: Int) async throws -> Conversation {
    var limit = 64
    while true {
      let turns = try await turns(of: session, limit: limit)
      let count = Conversation.count(of: turns, within: bytes)
      if count == turns.count, turns.count >= limit, limit < .max / 4 {
        limit *= 4
        continue
      }
      guard count < turns.count || turns.count >= limit else { return Conversation(turns: turns) }
      let all = try await self.turns(of: session, limit: .max)
      return Conversation(turns: Array(all.suffix(count)), earlier: all.count - count)
    }
  }
}
