package import RasaCore
package import RasaEngine
import RasaMemory

extension MemoryRunStore {
  package func search(_ query: MemoryQuery) async throws -> [RecalledItem] {
    let now = time.now()
    return try state.withLock { try $0.memories.search(query, now: now) }
  }

  package func items(
    _ filter: MemoryFilter, before: Int64?, limit: Int
  ) async throws -> [MemoryItem] {
    let now = time.now()
    return state.withLock { state in
      Array(
        state.memories.newest(filter, now: now).filter { $0.id < before ?? .max }
          .prefix(max(0, limit)))
    }
  }

  package func item(_ id: Int64) async throws -> MemoryItem? {
    state.withLock { $0.memories.items[id] }
  }

  package func add(_ facts: [NewFact]) async throws -> [FactOutcome] {
    let stored = facts.map(StoredFact.init)
    return try state.withLock { state in
      // All or none.
      var memories = state.memories
      let outcomes = try stored.map { try memories.add($0) }
      state.memories = memories
      return outcomes
    }
  }

  package func edit(
    _ fact: Int64, to text: String, at time: Timestamp
  ) async throws -> FactOutcome? {
    try state.withLock { try $0.memories.edit(fact, to: text, at: time) }
  }

  package func forgetItems(_ ids: [Int64]) async throws -> ForgottenItems {
    let now = time.now()
    return state.withLock { state in
      defer { for run in state.memories.takeOrphans() { state.delete(run, at: now) } }
      return state.memories.forget(ids)
    }
  }

  package func forgetItems(_ filter: MemoryFilter) async throws -> ForgottenItems {
    let now = time.now()
    var filter = filter
    filter.includesPast = true
    let wanted = filter
    return state.withLock { state in
      defer { for run in state.memories.takeOrphans() { state.delete(run, at: now) } }
      let found = state.memories.newest(wanted, now: now)
      guard let run = wanted.run else { return state.memories.forget(found.map(\.id)) }
      var forgotten = state.memories.forget(found.filter { $0.kind != .fact }.map(\.id))
      forgotten.facts = state.memories.retractStatements(
        of: run, among: Set(found.filter { $0.kind == .fact }.map(\.id)))
      return forgotten
    }
  }

  package func importItems(_ items: [MemoryItem]) async throws -> ImportedItems {
    let prepared = ImportedItem.prepare(items)
    return try state.withLock { state in
      // All or none.
      var memories = state.memories
      var imported = ImportedItems()
      for item in prepared {
        if try memories.add(item) { imported.added += 1 } else { imported.known += 1 }
      }
      state.memories = memories
      return imported
    }
  }

  package func stats(_ filter: MemoryFilter) async throws -> MemoryStats {
    let now = time.now()
    var all = filter
    all.includesPast = true
    let wanted = all
    let (found, vectors) = state.withLock { state in
      let found = state.memories.newest(wanted, now: now)
      return (found, state.memories.vectorCounts(of: found))
    }
    return MemoryStats(
      turns: found.count { $0.kind == .turn }, notes: found.count { $0.kind == .note },
      facts: found.count { $0.kind == .fact },
      past: found.count { $0.fact?.isPast(at: now) == true }, vectors: vectors,
      bytes: found.reduce(0) { $0 + Int64($1.text.utf8.count) })
  }
}

// MARK: Summaries

extension MemoryRunStore {
  package func summary(of session: SessionID) async throws -> ConversationSummary? {
    state.withLock { $0.memories.conversationSummary(of: session) }
  }

  package func beginSummary(
    of session: SessionID, turns: Int, upTo: Identifier, by run: Identifier
  ) async throws -> Identifier? {
    state.withLock {
      $0.memories.beginSummary(of: session, turns: turns, upTo: upTo, by: run)
    }
  }

  package func pendingSummary(
    of session: SessionID, beyond turns: Int
  ) async throws -> Identifier? {
    state.withLock { $0.memories.pendingSummary(of: session, beyond: turns) }
  }

  package func keepSummary(
    _ text: String, of session: SessionID, by run: Identifier
  ) async throws -> Bool {
    state.withLock { $0.memories.keepSummary(text, of: session, by: run) }
  }

  package func dropSummary(of session: SessionID, by run: Identifier) async throws {
    state.withLock { $0.memories.dropSummary(of: session, by: run) }
  }
}
