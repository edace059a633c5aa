import RasaCore
import RasaEngine
import RasaPersona
import RasaSQLite

/// An item as the index of words and that of vectors see it.
struct StoredItem {
  var id: Int64
  var kind: MemoryItem.Kind
  var scope: MemoryScope
  /// Numbers of words.
  var user: Int64
  var persona: Int64
  var speaker: Int64?
  /// The key of its session.
  var session: String?
  var run: String
  var time: Timestamp
  var trust: MemoryTrust
  /// The beginning of the text, as far as it is indexed.
  var text: String
  /// What the index of words found when it was indexed; empty before.
  var language: String
}

/// An item that is to be written.
struct UnwrittenItem {
  var kind: MemoryItem.Kind
  var scope: MemoryScope
  var user: String
  var persona: String
  /// The key of its session.
  var session: String?
  var speaker: String?
  var text: PreparedText
  var run: String
  var time: Timestamp
  var trust: MemoryTrust
}

/// A text, and in which form it is written.
struct PreparedText: Sendable {
  let text: String
  let stored: StoredText
  init(_ text: String) {
    self.text = text
    stored = StoredText(text)
  }
  var bytes: Int { text.utf8.count }
}

/// Keeping the indexes of words and vectors in step with the items: whatever inserts, changes or deletes an item
/// calls these, in the same transaction.
extension Database {
  func index(_ item: StoredItem) throws {
    guard try !unindexedItems().contains(item.id) else { return }
    try insertTerms(of: item)
  }

  /// With the item as it was indexed. Its vectors go, too.
  func unindex(_ item: StoredItem) throws {
    if try !unindexedItems().contains(item.id) { try deleteTerms(of: item) }
    try deleteVectors(of: item.id)
  }

  /// The IDs of the items that are not in the index of words yet. When the rules of the terms have changed, that is
  /// all of them.
  func unindexedItems() throws -> Range<Int64> {
    let row = try first("SELECT version, first, end FROM indexing WHERE name = 'terms'") {
      (version: $0.integer(0), first: $0.integer(1), end: $0.integer(2))
    }
    if let row, row.version == Self.termsVersion { return row.first..<max(row.first, row.end) }
    let end = try (first("SELECT max(id) FROM items") { $0.integer(0) } ?? 0) + 1
    try deleteAllTerms()
    try run(
      "INSERT OR REPLACE INTO indexing (name, version, first, end) VALUES ('terms', ?, 0, ?)",
      .integer(Self.termsVersion), .integer(end))
    return 0..<end
  }

  /// Whether the index of words has all items.
  func isIndexed() throws -> Bool {
    try first(
      "SELECT 1 FROM indexing WHERE name = 'terms' AND version = ? AND first >= end",
      .integer(Self.termsVersion)
    ) { _ in true } ?? false
  }

  /// Indexes some of the items that are not in the index of words yet. False when none is left.
  func indexNext(atMost count: Int) throws -> Bool {
    let gap = try unindexedItems()
    if gap.isEmpty { return false }
    let items = try storedItems(
      "items.id >= ? AND items.id < ? ORDER BY items.id LIMIT ?",
      [.integer(gap.lowerBound), .integer(gap.upperBound), .integer(count)])
    for item in items { try insertTerms(of: item) }
    let next = items.count < count ? gap.upperBound : (items.last?.id ?? 0) + 1
    try run("UPDATE indexing SET first = ? WHERE name = 'terms'", .integer(next))
    return next < gap.upperBound
  }

  /// Makes the index of words anew, when it is asked for next.
  func discardTerms() throws { try run("UPDATE indexing SET version = -1 WHERE name = 'terms'") }
}

extension Database {
  func insert(_ item: UnwrittenItem, as id: Int64? = nil) throws -> Int64 {
    let (user, persona) = (try name(item.user), try name(item.persona))
    let speaker = try item.speaker.map { try name($0) }
    try run(
      """
      INSERT INTO items (id, kind, scope, user, persona, session, speaker, text, run, time, trust, bytes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, id.map { .integer($0) } ?? .null, .integer(item.kind.column),
      .integer(item.scope.column), .integer(user), .integer(persona), .text(orNull: item.session),
      speaker.map { .integer($0) } ?? .null, try keep(item.text.stored), .text(item.run),
      .integer(item.time.milliseconds), .integer(item.trust.column), .integer(item.text.bytes))
    if let id { try noteLostVector(of: id) }
    let id = lastInsertedRow
    if item.kind == .turn { try count(1, in: item.session) }
    try index(
      StoredItem(
        id: id, kind: item.kind, scope: item.scope, user: user, persona: persona,
        speaker: speaker, session: item.session, run: item.run, time: item.time,
        trust: item.trust, text: MemoryBounds.indexed(item.text.text), language: ""))
    return id
  }

  func change(_ id: Int64, to text: PreparedText, at time: Timestamp) throws {
    guard var item = try storedItem(id) else { return }
    try unindex(item)
    try noteLostVector(of: id)
    try run(
      "UPDATE items SET text = ?, bytes = ?, time = ?, language = '' WHERE id = ?",
      try keep(text.stored), .integer(text.bytes), .integer(time.milliseconds), .integer(id))
    item.text = MemoryBounds.indexed(text.text)
    item.time = time
    item.language = ""
    try index(item)
  }

  /// Only the row and what is indexed of it. False when there was none.
  @discardableResult
  func deleteItem(_ id: Int64) throws -> Bool {
    guard let item = try storedItem(id) else { return false }
    try unindex(item)
    try run("DELETE FROM items WHERE id = ?", .integer(id))
    if item.kind == .turn, let session = item.session {
      try count(-1, in: session)
      try discardSummaries(ofSession: session)
    }
    return true
  }

  /// Of the sides of turns that a session has.
  private func count(_ sides: Int, in session: String?) throws {
    try run(
      "UPDATE sessions SET sides = sides + ? WHERE key = ?", .integer(sides),
      .text(orNull: session))
  }

  func storedItem(_ id: Int64) throws -> StoredItem? {
    try storedItems("items.id = ?", [.integer(id)]).first
  }

  /// Damaged texts count as empty.
  func storedItems(_ condition: String, _ values: [SQLValue]) throws -> [StoredItem] {
    let found = try rows(
      """
      SELECT id, kind, scope, user, persona, speaker, session, run, time, trust, text, language
      FROM items WHERE \(condition)
      """, values: values
    ) { row in
      (
        item: StoredItem(
          id: row.integer(0), kind: MemoryItem.Kind(column: row.integer(1)),
          scope: MemoryScope(column: row.integer(2)), user: row.integer(3), persona: row.integer(4),
          speaker: row.integerOrNil(5), session: row.textOrNil(6), run: row.text(7),
          time: Timestamp(milliseconds: row.integer(8)),
          trust: MemoryTrust(column: row.integer(9)), text: "", language: row.text(11)),
        text: row.value(10)
      )
    }
    return found.map { item, text in
      var item = item
      item.text = MemoryBounds.indexed((try? BodyReader(self).text(text)) ?? "")
      return item
    }
  }

  // MARK: Reading

  /// Items with their names and texts, in the order of the IDs that are given.
  func items(_ ids: [Int64]) throws -> [MemoryItem] {
    try ids.compactMap { id in
      try memoryItems("items.id = ?", [.integer(id)]).first
    }
  }

  /// - Parameter condition: what comes after `WHERE`; `facts` is joined.
  func memoryItems(_ condition: String, _ values: [SQLValue]) throws -> [MemoryItem] {
    let found = try rows(
      """
      SELECT items.id, items.kind, scope, user.text, persona.text,
        (SELECT id FROM sessions WHERE key = items.session),
        (SELECT text FROM words WHERE number = speaker), items.text, run, time, trust,
        facts.kind, slot, valid_from, until, expires, superseded_by, replaced_by, begin
      FROM items JOIN words AS user ON user.number = items.user
        JOIN words AS persona ON persona.number = items.persona
        LEFT JOIN facts ON facts.item = items.id
      WHERE \(condition)
      """, values: values
    ) { row in (item: MemoryItem(row), text: row.value(7)) }
    let bodies = BodyReader(self)
    return try found.map { item, text in
      var item = item
      do {
        item.text = try bodies.text(text)
      } catch is DamagedContent {
        throw Failure(
          .storage, "the \(item.kind.rawValue) \(item.id) in the memory is damaged",
          suggestion: "forget it with `rasa memory forget \(item.id)`")
      }
      return item
    }
  }
}

extension MemoryItem {
  fileprivate init(_ row: Row) {
    func time(_ column: Int) -> Timestamp? {
      row.integerOrNil(column).map { Timestamp(milliseconds: $0) }
    }
    self.init(
      id: row.integer(0), kind: Kind(column: row.integer(1)),
      scope: MemoryScope(column: row.integer(2)), user: row.text(3), persona: row.text(4),
      session: row.textOrNil(5), speaker: row.textOrNil(6), text: "",
      run: Identifier(row.text(8)), time: Timestamp(milliseconds: row.integer(9)),
      trust: MemoryTrust(column: row.integer(10)))
    guard let kind = row.textOrNil(11) else { return }
    fact = FactDetails(
      kind: kind, slot: row.textOrNil(12), validFrom: time(13), until: time(14), expires: time(15),
      supersededBy: row.integerOrNil(17) ?? row.integerOrNil(16), begin: time(18))
  }
}
