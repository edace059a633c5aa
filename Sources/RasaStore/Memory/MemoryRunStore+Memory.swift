import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] {
    state.withLock { $0.memories.turns[session, default: []].suffix(max(0, limit)) }
      .map { $0 }
  }

  package func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] {
    let oldest = MemoryBounds.oldestNote(at: time.now())
    return state.withLock { state in
      state.memories.notes[session, default: []].filter { $0.time >= oldest }
        .suffix(max(0, limit)).map { $0 }
    }
  }

  package func recall(
    persona: String, user: String, query: String, limit: Int
  ) async throws -> [MemoryFact] {
    let words = searchWords(of: query)
    let owner = MemoryOwner(persona: persona, user: user)
    return state.withLock { state in
      let fitting = state.memories.search(owner, words: words)
      let found =
        fitting.isEmpty
        ? state.memories.newest(of: owner).prefix(MemoryBounds.memoriesUnasked) : fitting[...]
      return Array(found.prefix(max(0, limit)))
    }
  }

  package func remember(_ facts: [MemoryFact]) async throws {
    state.withLock { state in
      for fact in facts { state.memories.keep(fact) }
    }
  }

  package func memories(of owner: MemoryOwner, limit: Int) async throws -> [MemoryFact] {
    state.withLock { Array($0.memories.newest(of: owner).prefix(max(0, limit))) }
  }

  package func searchMemories(
    of owner: MemoryOwner, query: String, limit: Int
  ) async throws -> [MemoryFact] {
    let words = searchWords(of: query)
    return state.withLock { Array($0.memories.search(owner, words: words).prefix(max(0, limit))) }
  }

  package func forget(_ memory: Int64) async throws -> Bool {
    state.withLock { $0.memories.forget { $0.id == memory } > 0 }
  }

  package func forgetAll(of owner: MemoryOwner) async throws -> Int {
    state.withLock { $0.memories.forget(where: owner.has) }
  }

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

extension MemoryOwner {
  fileprivate func has(_ fact: MemoryFact) -> Bool {
    (persona == nil || persona == fact.persona) && (user == nil || user == fact.user)
  }
}

struct MemoryRecollections {
  private struct FactKey: Hashable {
    var persona: String
    var user: String
    var text: String
  }

  struct Session {
    var persona: String
    var startedAt: Timestamp
    var usedAt: Timestamp
  }

  private(set) var sessions: [SessionID: Session] = [:]
  private(set) var turns: [SessionID: [SessionTurn]] = [:]
  private(set) var notes: [SessionID: [WorkingNote]] = [:]
  private var facts: [FactKey: MemoryFact] = [:]
  private var factsEver: Int64 = 0

  /// Creates the session if necessary, and updates the time of its last use.
  mutating func use(_ session: SessionID, persona: String, at time: Timestamp) {
    if let known = sessions[session] {
      sessions[session]?.usedAt = max(known.usedAt, time)
    } else {
      sessions[session] = Session(persona: persona, startedAt: time, usedAt: time)
    }
  }

  func summary(of id: SessionID) -> SessionSummary? {
    sessions[id].map { session in
      SessionSummary(
        id: id, persona: session.persona, startedAt: session.startedAt, usedAt: session.usedAt,
        turns: turns[id]?.count ?? 0)
    }
  }

  mutating func delete(_ session: SessionID) {
    sessions[session] = nil
    turns[session] = nil
    notes[session] = nil
  }

  mutating func keep(_ turn: SessionTurn, persona: String) {
    use(turn.session, persona: persona, at: turn.time)
    let known = turns[turn.session]?.lastIndex { $0.run == turn.run }
    if let known {
      turns[turn.session]?[known] = turn
    } else {
      turns[turn.session, default: []].append(turn)
    }
  }

  mutating func keep(_ note: WorkingNote, persona: String, now: Timestamp) {
    if sessions[note.session] == nil { use(note.session, persona: persona, at: now) }
    let oldest = MemoryBounds.oldestNote(at: now)
    notes[note.session, default: []].append(note)
    notes[note.session]?.removeAll { $0.time < oldest }
    let extra = (notes[note.session]?.count ?? 0) - MemoryBounds.notesPerSession
    if extra > 0 { notes[note.session]?.removeFirst(extra) }
  }

  mutating func keep(_ fact: MemoryFact) {
    let key = FactKey(persona: fact.persona, user: fact.user, text: fact.text)
    var fact = fact
    if let known = facts[key] {
      fact.id = known.id
    } else {
      factsEver += 1
      fact.id = factsEver
    }
    facts[key] = fact
  }

  /// Returns how many there were.
  mutating func forget(where isMeant: (MemoryFact) -> Bool) -> Int {
    let before = facts.count
    facts = facts.filter { !isMeant($0.value) }
    return before - facts.count
  }

  func newest(of owner: MemoryOwner) -> [MemoryFact] {
    facts.values.filter(owner.has).sorted { ($0.time, $0.id) > ($1.time, $1.id) }
  }

  /// Sorted by how many of the query's words a memory contains, then newest first.
  func search(_ owner: MemoryOwner, words: [String]) -> [MemoryFact] {
    let wanted = Set(words)
    let scored = newest(of: owner).map { fact in
      (fact: fact, score: wanted.intersection(searchWords(of: fact.text)).count)
    }
    return scored.filter { $0.score > 0 }.sorted { $0.score > $1.score }.map(\.fact)
  }
}
