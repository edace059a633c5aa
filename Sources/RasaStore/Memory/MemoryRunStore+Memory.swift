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
    return state.withLock { state in
      state.memories.recall(persona: persona, user: user, words: words, limit: max(0, limit))
    }
  }

  package func remember(_ facts: [MemoryFact]) async throws {
    state.withLock { state in
      for fact in facts { state.memories.keep(fact) }
    }
  }
}

struct MemoryRecollections {
  private struct FactKey: Hashable {
    var persona: String
    var user: String
    var text: String
  }

  private(set) var turns: [SessionID: [SessionTurn]] = [:]
  private(set) var notes: [SessionID: [WorkingNote]] = [:]
  private var facts: [MemoryFact] = []
  private var places: [FactKey: Int] = [:]

  mutating func keep(_ turn: SessionTurn) {
    let known = turns[turn.session]?.lastIndex { $0.run == turn.run }
    if let known {
      turns[turn.session]?[known] = turn
    } else {
      turns[turn.session, default: []].append(turn)
    }
  }

  mutating func keep(_ note: WorkingNote, now: Timestamp) {
    let oldest = MemoryBounds.oldestNote(at: now)
    notes[note.session, default: []].append(note)
    notes[note.session]?.removeAll { $0.time < oldest }
    let extra = (notes[note.session]?.count ?? 0) - MemoryBounds.notesPerSession
    if extra > 0 { notes[note.session]?.removeFirst(extra) }
  }

  mutating func keep(_ fact: MemoryFact) {
    let key = FactKey(persona: fact.persona, user: fact.user, text: fact.text)
    var fact = fact
    if let place = places[key] {
      fact.id = facts[place].id
      facts[place] = fact
    } else {
      fact.id = Int64(facts.count + 1)
      places[key] = facts.count
      facts.append(fact)
    }
  }

  /// By the number of the query's words that a memory has; of equals, the newest first.
  func recall(persona: String, user: String, words: [String], limit: Int) -> [MemoryFact] {
    let owned = facts.filter { $0.persona == persona && $0.user == user }
      .sorted { ($0.time, $0.id) > ($1.time, $1.id) }
    let wanted = Set(words)
    let scored = owned.map { fact in
      (fact: fact, score: wanted.intersection(searchWords(of: fact.text)).count)
    }
    let fitting = scored.filter { $0.score > 0 }.sorted { $0.score > $1.score }.map(\.fact)
    return Array(
      fitting.isEmpty
        ? owned.prefix(min(limit, MemoryBounds.memoriesUnasked)) : fitting.prefix(limit))
  }
}
