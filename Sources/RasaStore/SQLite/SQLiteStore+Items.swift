package import RasaCore
package import RasaEngine
import RasaMemory
import RasaSQLite
import RasaSystem

extension SQLiteStore {
  package func items(
    _ filter: MemoryFilter, before: Int64?, limit: Int
  ) async throws -> [MemoryItem] {
    let now = time.now()
    return try await read { database in
      try database.items(
        try database.newestItems(filter, before: before ?? .max, limit: limit, now: now))
    }
  }

  package func item(_ id: Int64) async throws -> MemoryItem? {
    try await read { try $0.items([id]).first }
  }

  package func add(_ facts: [NewFact]) async throws -> [FactOutcome] {
    if facts.isEmpty { return [] }
    let stored = facts.map(StoredFact.init)
    return try await writer.write { database in
      let outcomes = try stored.map { try database.add($0) }
      faultPoint("remember.before")
      return outcomes
    }
  }

  package func edit(
    _ fact: Int64, to text: String, at time: Timestamp
  ) async throws -> FactOutcome? {
    try await writer.write { try $0.edit(fact, to: text, at: time) }
  }

  package func importItems(_ items: [MemoryItem]) async throws -> ImportedItems {
    let prepared = ImportedItem.prepare(items)
    return try await writer.write { database in
      var imported = ImportedItems()
      for item in prepared {
        if try database.add(item) { imported.added += 1 } else { imported.known += 1 }
      }
      return imported
    }
  }

  package func stats(_ filter: MemoryFilter) async throws -> MemoryStats {
    let now = time.now()
    return try await read { database in
      var stats = MemoryStats()
      var all = filter
      all.includesPast = true
      let selection = MemorySelection(all, now: now)
      _ = try database.rows(
        "SELECT items.kind, count(*), sum(bytes) FROM items WHERE \(selection.text) GROUP BY items.kind",
        values: selection.values
      ) { row in
        let count = Int(clamping: row.integer(1))
        stats.bytes += row.integer(2)
        switch MemoryItem.Kind(column: row.integer(0)) {
        case .turn: stats.turns = count
        case .note: stats.notes = count
        case .fact: stats.facts = count
        }
      }
      stats.vectors = try database.vectorCounts(of: selection)
      let past = try database.first(
        """
        SELECT count(*) FROM facts CROSS JOIN items ON items.id = facts.item
        WHERE (facts.until <= max(?, facts.begin) OR facts.expires <= ?) AND \(selection.text)
        """,
        values: [.integer(now.milliseconds), .integer(now.milliseconds)] + selection.values
      ) { $0.integer(0) }
      stats.past = Int(clamping: past ?? 0)
      return stats
    }
  }

  // MARK: Forgetting

  package func forgetItems(_ ids: [Int64]) async throws -> ForgottenItems {
    try await erase { database in try database.forget(ids) }
  }

  package func forgetItems(_ filter: MemoryFilter) async throws -> ForgottenItems {
    let now = time.now()
    var filter = filter
    filter.includesPast = true
    let wanted = filter
    return try await erase { database in
      if let run = wanted.run, wanted.kinds.contains(.fact) {
        // What others have stated as well stays.
        var rest = wanted
        rest.kinds.remove(.fact)
        let others = try database.newestItems(rest, before: .max, limit: .max, now: now)
        var forgotten = try database.forget(others)
        let facts = try database.newestItems(wanted, before: .max, limit: .max, now: now)
        forgotten.facts = try database.retractStatements(of: run.text, among: Set(facts)).count
        return forgotten
      }
      return try database.forget(
        try database.newestItems(wanted, before: .max, limit: .max, now: now))
    }
  }

  /// Deletes and erases from the files.
  private func erase(
    _ body: @escaping @Sendable (Database) throws -> ForgottenItems
  ) async throws -> ForgottenItems {
    // If the process ends before it is done, the next deletion finishes the job.
    let (forgotten, note, isMore) = try await writer.write { database in
      let before = try database.longItems()
      let forgotten = try body(database)
      let note = try database.noteDeletion()
      let isUnfinished = try database.first(
        "SELECT 1 FROM deletions WHERE number < ? LIMIT 1", .integer(note)
      ) { _ in true }
      faultPoint("forget.before")
      return (forgotten, note, try isUnfinished != nil || database.longItems() < before)
    }
    faultPoint("forget.after")
    if isMore {
      try await finishErasing("it is forgotten") { try await $0.erase() }
    } else {
      // Nothing but rows is gone, so that nobody has to look for texts that nothing refers to.
      try await finishErasing("it is forgotten") { try await $0.scrub() }
      try await writer.write {
        try $0.run("DELETE FROM deletions WHERE number = ?", .integer(note))
      }
    }
    return forgotten
  }
}

extension Database {
  /// How many items have a text that is a body.
  fileprivate func longItems() throws -> Int64 {
    try first(
      "SELECT count(*) FROM items INDEXED BY items_with_body WHERE typeof(text) = 'integer'"
    ) { $0.integer(0) } ?? 0
  }
}

extension Database {
  /// False where it is known already.
  fileprivate func add(_ imported: ImportedItem) throws -> Bool {
    let item = imported.item
    if let fact = imported.fact {
      guard case .added = try add(fact) else { return false }
      return true
    }
    guard let name = item.session else { throw Failure.itemWithoutSession(item) }
    let session = SessionID(name, of: item.user)
    let key = try key(using: session, persona: item.persona, at: item.time)
    // A run has one turn, and may have several notes.
    let isKnown = try first(
      """
      SELECT 1 FROM items WHERE run = ?1 AND kind = ?2 AND session = ?3
        AND iif(kind = 0, (trust = 0) = ?4, text = ?5) LIMIT 1
      """, .text(item.run.text), .integer(item.kind.column), .text(key),
      .integer(item.trust == .person ? 1 : 0), try keep(imported.text.stored)
    ) { _ in true }
    if isKnown == true { return false }
    let newest = try first(
      "SELECT time FROM items WHERE session = ? AND kind = ? ORDER BY id DESC LIMIT 1",
      .text(key), .integer(item.kind.column)
    ) { Timestamp(milliseconds: $0.integer(0)) }
    if let newest, newest > item.time { throw Failure.isOlder(than: session) }
    _ = try insert(
      UnwrittenItem(
        kind: item.kind, scope: item.scope, user: item.user, persona: item.persona, session: key,
        speaker: item.kind == .turn ? item.speaker ?? item.persona : nil, text: imported.text,
        run: item.run.text, time: item.time, trust: item.trust))
    return true
  }

  /// The IDs of the newest items that match, newest first. Each kind of each persona of a user has its own place in
  /// the index, so that no others are looked at.
  func newestItems(
    _ filter: MemoryFilter, before: Int64, limit: Int, now: Timestamp
  ) throws -> [Int64] {
    if limit <= 0 || filter.kinds.isEmpty { return [] }
    let selection = MemorySelection(filter, now: now)
    func find(_ source: String, _ more: [SQLValue] = []) throws -> [Int64] {
      try rows(
        """
        SELECT items.id FROM \(source) LEFT JOIN facts ON items.kind = 2 AND facts.item = items.id
        WHERE \(selection.text) AND items.id < ? ORDER BY items.id DESC LIMIT ?
        """, values: selection.values + [.integer(before), .integer(limit)]
      ) { $0.integer(0) }
    }
    if filter.kinds == [.fact], filter.trust == .person, filter.user != nil, filter.run == nil {
      return try find("items INDEXED BY items_stated")
    }
    if filter.kinds == [.fact], filter.user == nil, filter.run == nil, filter.session == nil {
      return try rows(
        """
        SELECT items.id FROM facts CROSS JOIN items ON items.id = facts.item
        WHERE \(selection.text) AND facts.item < ? ORDER BY facts.item DESC LIMIT ?
        """, values: selection.values + [.integer(before), .integer(limit)]
      ) { $0.integer(0) }
    }
    if filter.run != nil || filter.session != nil || filter.user == nil { return try find("items") }
    var found: [Int64] = []
    let places = try rows(
      """
      WITH RECURSIVE places AS (
        SELECT kind, persona FROM (SELECT kind, persona FROM items WHERE user = ?1
          ORDER BY kind, persona LIMIT 1)
        UNION ALL
        SELECT next.kind, next.persona FROM places JOIN items AS next ON next.id = (
          SELECT id FROM items WHERE user = ?1 AND (kind, persona) > (places.kind, places.persona)
          ORDER BY kind, persona LIMIT 1)
      )
      SELECT kind, persona FROM places
      """, try user(of: filter)
    ) { (kind: $0.integer(0), persona: $0.integer(1)) }
    for place in places where filter.kinds.contains(MemoryItem.Kind(column: place.kind)) {
      found += try rows(
        """
        SELECT items.id FROM items INDEXED BY items_of_owner
          LEFT JOIN facts ON items.kind = 2 AND facts.item = items.id
        WHERE \(selection.text) AND items.id < ? AND items.kind = ? AND items.persona = ?
        ORDER BY items.id DESC LIMIT ?
        """,
        values: selection.values + [
          .integer(before), .integer(place.kind), .integer(place.persona), .integer(limit),
        ]
      ) { $0.integer(0) }
    }
    return Array(found.sorted(by: >).prefix(limit))
  }

  private func user(of filter: MemoryFilter) throws -> SQLValue {
    try first("SELECT number FROM words WHERE text = ?", .text(orNull: filter.user)) {
      $0.value(0)
    } ?? .null
  }

  func forget(_ ids: [Int64]) throws -> ForgottenItems {
    var forgotten = ForgottenItems()
    for id in ids {
      let kind = try first("SELECT kind FROM items WHERE id = ?", .integer(id)) {
        MemoryItem.Kind(column: $0.integer(0))
      }
      switch kind {
      case .turn:
        try deleteItem(id)
        forgotten.turns += 1
      case .note:
        try deleteItem(id)
        forgotten.notes += 1
      case .fact:
        try deleteFact(id)
        forgotten.facts += 1
      case nil: break
      }
    }
    return forgotten
  }
}
