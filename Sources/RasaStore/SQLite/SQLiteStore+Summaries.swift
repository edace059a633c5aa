package import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func summary(of session: SessionID) async throws -> ConversationSummary? {
    try await writer.read { database in
      guard let key = try database.key(of: session) else { return nil }
      return try database.first(
        "SELECT text, turns, up_to FROM summaries WHERE session = ? AND text <> '' ORDER BY turns DESC LIMIT 1",
        .text(key)
      ) { row in
        ConversationSummary(
          text: row.text(0), turns: Int(clamping: row.integer(1)), upTo: row.text(2))
      }
    }
  }

  package func beginSummary(
    of session: SessionID, turns: Int, upTo: Identifier, by run: Identifier
  ) async throws -> Identifier? {
    try await writer.write { database in
      guard let key = try database.key(of: session) else { return nil }
      let isThere = try database.first(
        "SELECT 1 FROM items WHERE run = ? AND kind = 0 AND session = ?", .text(upTo.text),
        .text(key)
      ) { _ in true }
      guard isThere != nil else { return nil }
      try database.run(
        "INSERT OR IGNORE INTO summaries (session, up_to, turns, run) VALUES (?, ?, ?, ?)",
        .text(key), .text(upTo.text), .integer(turns), .text(run.text))
      return try database.first(
        "SELECT run FROM summaries WHERE session = ? AND up_to = ?", .text(key), .text(upTo.text)
      ) { Identifier($0.text(0)) }
    }
  }

  package func pendingSummary(
    of session: SessionID, beyond turns: Int
  ) async throws -> Identifier? {
    try await writer.read { database in
      guard let key = try database.key(of: session) else { return nil }
      return try database.first(
        "SELECT run FROM summaries WHERE session = ? AND turns > ? AND text = '' ORDER BY turns LIMIT 1",
        .text(key), .integer(turns)
      ) { Identifier($0.text(0)) }
    }
  }

  package func keepSummary(
    _ text: String, of session: SessionID, by run: Identifier
  ) async throws -> Bool {
    try await writer.write { database in
      guard let key = try database.key(of: session) else { return false }
      let turns = try database.first(
        "SELECT turns FROM summaries WHERE session = ? AND run = ?", .text(key), .text(run.text)
      ) { $0.integer(0) }
      guard let turns else { return false }
      try database.run(
        "UPDATE summaries SET text = ? WHERE session = ? AND run = ?", .text(text), .text(key),
        .text(run.text))
      try database.run(
        "UPDATE summaries SET text = '' WHERE session = ? AND turns < ? AND text <> ''", .text(key),
        .integer(turns))
      return true
    }
  }

  package func dropSummary(of session: SessionID, by run: Identifier) async throws {
    try await writer.write { database in
      guard let key = try database.key(of: session) else { return }
      try database.run(
        "DELETE FROM summaries WHERE session = ? AND run = ?", .text(key), .text(run.text))
    }
  }
}

extension Database {
  /// A turn of the session goes: what was made of it goes, too, with the runs that have read it. Others make a new summary
  /// of what is left.
  func discardSummaries(ofSession key: String) throws {
    let runs = try rows("SELECT run FROM summaries WHERE session = ?", .text(key)) { $0.text(0) }
    guard !runs.isEmpty else { return }
    try run("DELETE FROM summaries WHERE session = ?", .text(key))
    // Nobody can have been asked anything by them.
    for run in runs { try takeOut(run, now: Timestamp(milliseconds: 0)) }
  }
}
