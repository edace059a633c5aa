import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  /// The newest memories, newest first.
  package func memories(of owner: MemoryOwner, limit: Int) async throws -> [MemoryFact] {
    try await read { database in
      try database.rows(
        """
        SELECT id, persona, user, text, source_run, time, trust FROM memories
        WHERE (?1 IS NULL OR persona = ?1) AND (?2 IS NULL OR user = ?2)
        ORDER BY time DESC, id DESC LIMIT ?3
        """, .text(orNull: owner.persona), .text(orNull: owner.user), .integer(max(0, limit)),
        transform: MemoryFact.init)
    }
  }

  /// The memories that have any word of the query, best first.
  package func searchMemories(
    of owner: MemoryOwner, query: String, limit: Int
  ) async throws -> [MemoryFact] {
    // Words contain letters and digits only, and quoted words are never operators.
    let words = searchWords(of: query).map { "\"\($0)\"" }
    if words.isEmpty { return [] }
    return try await read { database in
      try database.rows(
        """
        SELECT id, persona, user, memories.text, source_run, time, trust
        FROM memory_words JOIN memories ON memories.id = memory_words.rowid
        WHERE memory_words MATCH ?1
          AND (?2 IS NULL OR persona = ?2) AND (?3 IS NULL OR user = ?3)
        ORDER BY bm25(memory_words), time DESC, id DESC LIMIT ?4
        """,
        .text(words.joined(separator: " OR ")), .text(orNull: owner.persona),
        .text(orNull: owner.user), .integer(max(0, limit)), transform: MemoryFact.init)
    }
  }

  /// False when there was none of that number.
  package func forget(_ memory: Int64) async throws -> Bool {
    try await erase { database in
      let forgotten = try database.rows(
        "DELETE FROM memories WHERE id = ? RETURNING id, text", .integer(memory),
        transform: ForgottenMemory.init)
      try database.forgetWords(of: forgotten)
      return !forgotten.isEmpty
    }
  }

  /// Forgets every memory of the owner and says how many there were.
  package func forgetAll(of owner: MemoryOwner) async throws -> Int {
    try await erase { database in
      let forgotten = try database.rows(
        """
        DELETE FROM memories WHERE (?1 IS NULL OR persona = ?1) AND (?2 IS NULL OR user = ?2)
        RETURNING id, text
        """, .text(orNull: owner.persona), .text(orNull: owner.user),
        transform: ForgottenMemory.init)
      try database.forgetWords(of: forgotten)
      return forgotten.count
    }
  }

  /// Deletes and erases from the files.
  private func erase<Result: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Result
  ) async throws -> Result {
    // If the process ends before it is done, the next deletion finishes the job.
    let (result, note) = try await writer.write { (try body($0), try $0.noteDeletion()) }
    try await finishErasing("it is forgotten") { try await $0.scrub() }
    try await writer.write {
      try $0.run("DELETE FROM deletions WHERE number = ?", .integer(note))
    }
    return result
  }
}

private struct ForgottenMemory {
  var id: Int64
  var text: String
  init(_ row: Row) {
    id = row.integer(0)
    text = row.text(1)
  }
}

extension Database {
  fileprivate func forgetWords(of memories: [ForgottenMemory]) throws {
    if memories.isEmpty { return }
    for memory in memories {
      try run(
        "INSERT INTO memory_words (memory_words, rowid, text) VALUES ('delete', ?, ?)",
        .integer(memory.id), .text(memory.text))
    }
    // The index keeps deleted words until its segments are merged.
    try run("INSERT INTO memory_words (memory_words) VALUES ('optimize')")
  }
}

extension MemoryFact {
  fileprivate init(_ row: Row) {
    self.init(
      id: row.integer(0), persona: row.text(1), user: row.text(2), text: row.text(3),
      sourceRun: Identifier(row.text(4)), time: Timestamp(milliseconds: row.integer(5)),
      trust: row.text(6))
  }
}
