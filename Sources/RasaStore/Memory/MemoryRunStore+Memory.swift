import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] {
    state.withLock { $0.memories.newestTurns(of: session, limit: limit, bytes: .max).turns }
  }

  package func conversation(of session: SessionID, bytes: Int) async throws -> Conversation {
    state.withLock { $0.memories.newestTurns(of: session, limit: .max, bytes: bytes) }
  }

  package func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] {
    let oldest = MemoryBounds.oldestNote(at: time.now())
    return state.withLock { state in
      state.memories.notes(of: session).filter { $0.time >= oldest }.suffix(max(0, limit)).map {
        WorkingNote(session: session, run: $0.run, time: $0.time, text: $0.text)
      }
    }
  }

  // MARK: Sessions

  package func sessions(of user: String?, limit: Int) async throws -> [SessionSummary] {
    let all = state.withLock { state in
      state.memories.sessions.keys.compactMap { state.memories.summary(of: $0) }
    }
    return Array(
      all.filter { user == nil || $0.id.user == user }.sorted {
        ($0.usedAt, $0.id.name, $0.id.user) > ($1.usedAt, $1.id.name, $1.id.user)
      }.prefix(max(0, limit)))
  }

  package func session(_ id: SessionID) async throws -> SessionSummary? {
    state.withLock { $0.memories.summary(of: id) }
  }

  package func users(ofSessionsNamed name: String) async throws -> [String] {
    state.withLock { $0.memories.sessions.keys.filter { $0.name == name }.map(\.user).sorted() }
  }
}
