import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite

// The index of words. A shelf is what is ranked together; an item on it has a place, in the order in which
// items were added. `postings` says at which places a term stands: places of the last items in block 0, which also has the
// term's frequency, those of earlier ones in blocks that are no longer written, each under its first place and one.
// `shelf_items` has what the ranking must know of each item, 32 to a row (`ShelfRow`). Rows are shorter than a quarter of a page,
// so that none needs a page of its own, and adding an item changes one row for each of its words, however many items
// there are.
//
// Terms are numbers (`Term`), so that no word stands in the index; deleting an item takes it out of every row.

/// A shelf in the file, as it is read in one transaction.
struct StoredShelf: ItemShelf {
  let database: Database
  let number: Int64
  let isConversation: Bool
  var items: Int
  var end: Int32
  var length: Int64
  var speakers: [ShelfSpeaker]
  var languages: TextLanguages

  static let columns = "number, kind, items, places, length, speakers, languages"

  init(_ row: Row, of database: Database) {
    self.database = database
    number = row.integer(0)
    isConversation = MemoryItem.Kind(column: row.integer(1)) == .turn
    items = Int(clamping: row.integer(2))
    end = Int32(clamping: row.integer(3))
    length = row.integer(4)
    speakers = ShelfSpeaker.all(in: row.bytes(5))
    languages = TextLanguages(row.text(6))
  }

  init(_ number: Int64, isConversation: Bool, of database: Database) {
    self.database = database
    self.number = number
    self.isConversation = isConversation
    items = 0
    end = 0
    length = 0
    speakers = []
    languages = TextLanguages()
  }

  func frequency(of term: Term) throws -> Int {
    try database.first(
      "SELECT frequency FROM postings WHERE shelf = ? AND term = ? AND block = 0",
      .integer(number), .integer(term.bits)
    ) { Int(clamping: $0.integer(0)) } ?? 0
  }

  func postings(of term: Term) throws -> Postings {
    var postings = Postings()
    // Block 0 comes first, and what it says last.
    let blocks = try database.rows(
      "SELECT bytes FROM postings WHERE shelf = ? AND term = ? ORDER BY block",
      .integer(number), .integer(term.bits)
    ) { $0.bytes(0) }
    // Most postings take a byte or two.
    let bytes = blocks.reduce(0) { $0 + $1.count }
    postings.places.reserveCapacity(bytes)
    postings.counts.reserveCapacity(bytes)
    for block in blocks.dropFirst() + blocks.prefix(1) { PostingBlock.read(block, into: &postings) }
    return postings
  }

  func items(at places: ClosedRange<Int32>) throws -> [ShelfItem] {
    var items: [ShelfItem] = []
    let blocks = try database.rows(
      "SELECT block, bytes FROM shelf_items WHERE shelf = ? AND block BETWEEN ? AND ? ORDER BY block",
      .integer(number), .integer(Int64(places.lowerBound / ShelfRow.places)),
      .integer(Int64(places.upperBound / ShelfRow.places))
    ) { (block: Int32(clamping: $0.integer(0)), bytes: $0.bytes(1)) }
    for (block, bytes) in blocks {
      ShelfRow.forEach(bytes, block) { if places.contains($0.place) { items.append($0) } }
    }
    return items
  }

  fileprivate func save() throws {
    try database.run(
      """
      UPDATE shelves SET items = ?, places = ?, length = ?, speakers = ?, languages = ? WHERE number = ?
      """,
      .integer(items), .integer(Int64(end)), .integer(length),
      .bytes(ShelfSpeaker.bytes(of: speakers)), .text(languages.text), .integer(number))
  }
}

extension Database {
  /// Goes up whenever a text may have other terms than before, or the ranking other needs: the index is made anew then.
  static let termsVersion: Int64 = 1

  /// Makes an item's words known. It must not be indexed already.
  func insertTerms(of item: StoredItem) throws {
    var shelf = try shelfForWriting(ShelfNumbers(item))
    let language = shelf.languages.language(of: item.text)
    let languagePlace = shelf.languages.add(language)
    let kept = shelf.languages.code(at: languagePlace)
    let indexed = IndexedText(
      item.text, language: kept, speaker: try item.speaker.flatMap(text(ofWord:)))
    let place = shelf.end
    guard place < Int32.max - 64 else {
      throw Failure(
        .storage, "\(path) has more memories of one user than can be searched",
        suggestion: "forget some of them")
    }
    shelf.items += 1
    shelf.end += 1
    shelf.length += Int64(indexed.length)
    let speaker = shelf.speakers.add(indexed.speaker)
    try shelf.save()
    try run(
      "INSERT INTO shelved (item, shelf, place) VALUES (?, ?, ?)", .integer(item.id),
      .integer(shelf.number), .integer(Int64(place)))
    try write(
      ShelfItem(
        place: place, item: item.id, conversation: item.conversation, length: indexed.length,
        isQuestion: indexed.isQuestion, time: item.time, speaker: speaker),
      at: place, on: shelf.number)
    for occurrence in indexed.occurrences { try add(occurrence, at: place, on: shelf.number) }
    if kept != item.language {
      try run("UPDATE items SET language = ? WHERE id = ?", .text(kept), .integer(item.id))
    }
  }

  /// Forgets an item's words: nothing of it is left in the index. An item that is not indexed has none.
  ///
  /// - Parameter item: as it was when it was indexed.
  func deleteTerms(of item: StoredItem) throws {
    let found = try first(
      "SELECT shelf, place FROM shelved WHERE item = ?", .integer(item.id)
    ) { (shelf: $0.integer(0), place: Int32(clamping: $0.integer(1))) }
    guard let found else { return }
    try run("DELETE FROM shelved WHERE item = ?", .integer(item.id))
    let shelves = try rows(
      "SELECT \(StoredShelf.columns) FROM shelves WHERE number = ?", .integer(found.shelf)
    ) { StoredShelf($0, of: self) }
    guard var shelf = shelves.first else { return }
    if shelf.items <= 1 { return try deleteShelf(shelf.number) }
    var bytes = try itemBytes(of: found.place, on: shelf.number)
    let kept = ShelfRow.item(bytes, at: found.place)
    bytes = ShelfRow.bytes(of: bytes, setting: nil, at: found.place)
    try write(bytes, at: found.place, on: shelf.number)
    let indexed = IndexedText(item.text, language: item.language)
    var isComplete = kept?.length == indexed.length
    for occurrence in indexed.occurrences {
      if try !remove(occurrence.term, at: found.place, on: shelf.number) { isComplete = false }
    }
    // Its terms were others when it was stored: by another version of a library, say.
    if !isComplete { try removeAll(at: found.place, on: shelf.number) }
    shelf.items -= 1
    shelf.languages.remove(item.language)
    if let kept {
      shelf.length -= Int64(kept.length)
      shelf.speakers.remove(kept.speaker)
    }
    try shelf.save()
  }

  /// Takes the shelves of a user away, so that no search finds them. What stood on them is deleted by `deleteStrayTerms`,
  /// and with the items.
  func deleteShelves(ofUser user: Int64) throws {
    try run("DELETE FROM shelves WHERE user = ?", .integer(user))
  }

  /// Deletes some rows of shelves that are no longer there; false if there are none left.
  func deleteStrayTerms(atMost: Int) throws -> Bool {
    for table in ["postings", "shelf_items"] {
      // From each shelf to the next, whatever stands on them.
      let shelf = try first(
        """
        WITH RECURSIVE known (shelf) AS (
          SELECT min(shelf) FROM \(table)
          UNION ALL
          SELECT (SELECT min(shelf) FROM \(table) WHERE shelf > known.shelf) FROM known
            WHERE known.shelf IS NOT NULL)
        SELECT shelf FROM known
          WHERE shelf IS NOT NULL AND shelf NOT IN (SELECT number FROM shelves) LIMIT 1
        """
      ) { $0.integer(0) }
      guard let shelf else { continue }
      let key = table == "postings" ? "term, block" : "block"
      try run(
        """
        DELETE FROM \(table) WHERE shelf = ?1 AND (\(key)) IN
          (SELECT \(key) FROM \(table) WHERE shelf = ?1 LIMIT ?2)
        """, .integer(shelf), .integer(atMost))
      return true
    }
    return false
  }

  func deleteAllTerms() throws {
    for table in ["shelves", "shelved", "shelf_items", "postings"] {
      try run("DELETE FROM \(table)")
    }
  }

  private func deleteShelf(_ number: Int64) throws {
    let shelf = SQLValue.integer(number)
    // `shelved` has no index by shelf: the items are those of the rows.
    let blocks = try rows("SELECT block, bytes FROM shelf_items WHERE shelf = ?", shelf) {
      (block: Int32(clamping: $0.integer(0)), bytes: $0.bytes(1))
    }
    for (block, bytes) in blocks {
      try ShelfRow.forEach(bytes, block) {
        try run("DELETE FROM shelved WHERE item = ?", .integer($0.item))
      }
    }
    try run("DELETE FROM shelf_items WHERE shelf = ?", shelf)
    try run("DELETE FROM postings WHERE shelf = ?", shelf)
    try run("DELETE FROM shelves WHERE number = ?", shelf)
  }

  // MARK: Shelves

  /// The shelf, which is made if it is new.
  private func shelfForWriting(_ key: ShelfNumbers) throws -> StoredShelf {
    if let known = try shelves(
      "user = ? AND scope = ? AND kind = ? AND persona = ? AND session = ?", key.values
    ).first {
      return known
    }
    try run(
      """
      INSERT INTO shelves (user, scope, kind, persona, session, items, places, length, speakers, languages)
      VALUES (?, ?, ?, ?, ?, 0, 0, 0, x'', '')
      """, values: key.values)
    return StoredShelf(lastInsertedRow, isConversation: key.kind == .turn, of: self)
  }

  private func shelves(_ condition: String, _ values: [SQLValue]) throws -> [StoredShelf] {
    try rows(
      "SELECT \(StoredShelf.columns) FROM shelves WHERE \(condition)", values: values
    ) { StoredShelf($0, of: self) }
  }

  /// The shelves that a query looks at, as `MemoryQuery.sees` has it.
  private func shelves(for query: MemoryQuery) throws -> [StoredShelf] {
    func known(_ text: String) throws -> Int64? {
      try first("SELECT number FROM words WHERE text = ?", .text(text)) { $0.integer(0) }
    }
    var user: [(String, SQLValue)] = []
    if let name = query.user {
      guard let number = try known(name) else { return [] }
      user = [("user", .integer(number))]
    }
    // A shelf has the scope, and the persona or the session that this scope asks for.
    var places: [[(String, SQLValue)]] = []
    for scope in MemoryScope.allCases where query.scopes.contains(scope) {
      let place = user + [("scope", SQLValue.integer(scope.column))]
      switch scope {
      case .user: places.append(place)
      case .persona:
        guard let name = query.persona else {
          places.append(place)
          continue
        }
        if let number = try known(name) { places.append(place + [("persona", .integer(number))]) }
      case .session:
        if query.persona == nil, query.session == nil {
          places.append(place)
        } else if let name = query.session {
          let keys = try rows("SELECT key FROM sessions WHERE id = ?", .text(name)) { $0.text(0) }
          places += keys.map { place + [("session", .text($0))] }
        }
      }
    }
    var shelves: [StoredShelf] = []
    for kind in MemoryItem.Kind.allCases where query.kinds.contains(kind) {
      for place in places {
        let columns = place + [("kind", .integer(kind.column))]
        shelves += try self.shelves(
          columns.map { "\($0.0) = ?" }.joined(separator: " AND "), columns.map(\.1))
      }
    }
    return shelves
  }

  // MARK: Rows

  private func itemBytes(of place: Int32, on shelf: Int64) throws -> [UInt8] {
    try first(
      "SELECT bytes FROM shelf_items WHERE shelf = ? AND block = ?", .integer(shelf),
      .integer(Int64(place / ShelfRow.places))
    ) { $0.bytes(0) } ?? []
  }

  private func write(_ item: ShelfItem, at place: Int32, on shelf: Int64) throws {
    let bytes = try itemBytes(of: place, on: shelf)
    try write(
      ShelfRow.bytes(of: bytes, setting: item, at: place), at: place, on: shelf)
  }

  private func write(_ bytes: [UInt8], at place: Int32, on shelf: Int64) throws {
    try run(
      """
      INSERT INTO shelf_items (shelf, block, bytes) VALUES (?, ?, ?)
      ON CONFLICT (shelf, block) DO UPDATE SET bytes = excluded.bytes
      """,
      .integer(shelf), .integer(Int64(place / ShelfRow.places)), .bytes(bytes))
  }

  private func add(_ occurrence: IndexedText.Occurrence, at place: Int32, on shelf: Int64) throws {
    let key: [SQLValue] = [.integer(shelf), .integer(occurrence.term.bits)]
    let open = try first(
      "SELECT frequency, last, bytes FROM postings WHERE shelf = ? AND term = ? AND block = 0",
      key[0], key[1]
    ) { (frequency: $0.integer(0), last: Int32(clamping: $0.integer(1)), bytes: $0.bytes(2)) }
    guard var open else {
      var bytes: [UInt8] = []
      PostingBlock.append(place, count: occurrence.count, after: -1, to: &bytes)
      return try run(
        "INSERT INTO postings (shelf, term, block, frequency, last, bytes) VALUES (?, ?, 0, 1, ?, ?)",
        key[0], key[1], .integer(Int64(place)), .bytes(bytes))
    }
    if open.bytes.count >= PostingBlock.room {
      try close(open.bytes, of: key)
      open.bytes = []
    }
    guard open.bytes.isEmpty || open.last < place else {
      throw Failure(
        .storage, "the index of words in \(path) is damaged",
        suggestion: "export the memories, forget them, and import them again")
    }
    PostingBlock.append(
      place, count: occurrence.count, after: open.bytes.isEmpty ? -1 : open.last, to: &open.bytes)
    try run(
      """
      UPDATE postings SET frequency = frequency + 1, last = ?, bytes = ?
      WHERE shelf = ? AND term = ? AND block = 0
      """,
      .integer(Int64(place)), .bytes(open.bytes), key[0], key[1])
  }

  private func close(_ bytes: [UInt8], of key: [SQLValue]) throws {
    var postings = Postings()
    PostingBlock.read(bytes, into: &postings)
    guard let first = postings.places.first else { return }
    try run(
      "INSERT INTO postings (shelf, term, block, frequency, last, bytes) VALUES (?, ?, ?, 0, 0, ?)",
      key[0], key[1], .integer(Int64(first) + 1), .bytes(bytes))
  }

  /// False if the term does not stand at that place.
  private func remove(_ term: Term, at place: Int32, on shelf: Int64) throws -> Bool {
    let key: [SQLValue] = [.integer(shelf), .integer(term.bits)]
    // In the last closed block that begins before or at the place, or in the open one.
    for condition in ["block = 0", "block BETWEEN 1 AND ?3 + 1 ORDER BY block DESC LIMIT 1"] {
      let block = try first(
        "SELECT block, bytes FROM postings WHERE shelf = ?1 AND term = ?2 AND ?3 >= 0 AND \(condition)",
        key[0], key[1], .integer(Int64(place))
      ) { (block: $0.integer(0), bytes: $0.bytes(1)) }
      guard let block else { continue }
      if try remove(place, from: block, of: key) { return true }
    }
    return false
  }

  private func remove(
    _ place: Int32, from block: (block: Int64, bytes: [UInt8]), of key: [SQLValue]
  ) throws -> Bool {
    var postings = Postings()
    PostingBlock.read(block.bytes, into: &postings)
    guard let at = postings.places.firstIndex(of: place) else { return false }
    postings.places.remove(at: at)
    postings.counts.remove(at: at)
    if block.block > 0, postings.places.isEmpty {
      try run(
        "DELETE FROM postings WHERE shelf = ? AND term = ? AND block = ?", key[0], key[1],
        .integer(block.block))
    } else {
      // The block's key is a place that it has had; the place itself is not to be known any more, but its number says
      // nothing: it is given to no other item.
      try run(
        "UPDATE postings SET bytes = ?, last = ? WHERE shelf = ? AND term = ? AND block = ?",
        .bytes(PostingBlock.bytes(of: postings)), .integer(Int64(postings.places.last ?? 0)),
        key[0],
        key[1], .integer(block.block))
    }
    try run(
      "UPDATE postings SET frequency = frequency - 1 WHERE shelf = ? AND term = ? AND block = 0",
      key[0], key[1])
    try run(
      "DELETE FROM postings WHERE shelf = ? AND term = ? AND block = 0 AND frequency <= 0", key[0],
      key[1])
    return true
  }

  /// Looks at every term of the shelf.
  private func removeAll(at place: Int32, on shelf: Int64) throws {
    let terms = try rows(
      "SELECT DISTINCT term FROM postings WHERE shelf = ?", .integer(shelf)
    ) { Term(bits: $0.integer(0)) }
    for term in terms { _ = try remove(term, at: place, on: shelf) }
  }
}

/// Which items are ranked together: those of one kind that the same people see. What others keep costs a search nothing.
private struct ShelfNumbers {
  var kind: MemoryItem.Kind
  var values: [SQLValue]

  init(_ item: StoredItem) {
    kind = item.kind
    values = [
      .integer(item.user), .integer(item.scope.column), .integer(item.kind.column),
      .integer(item.scope == .persona ? item.persona : 0),
      .text(item.scope == .session ? item.session ?? "" : ""),
    ]
  }
}

extension StoredItem {
  /// What was said in the same conversation has the same number; 0 for what stands alone.
  fileprivate var conversation: Int64 { kind == .turn ? ShelfItem.conversation(session ?? "") : 0 }
}

extension Database {
  /// The best results of a query. The index of words has all items.
  func search(_ query: MemoryQuery, at now: Timestamp) throws -> [RecalledItem] {
    let shelves = try shelves(for: query)
    let nearest = try nearest(to: query, limit: Ranking.nearestWanted)
    var places: [Int64: [Int32]] = [:]
    for neighbour in nearest {
      let found = try first(
        "SELECT shelf, place FROM shelved WHERE item = ?", .integer(neighbour.item)
      ) { (shelf: $0.integer(0), place: Int32(clamping: $0.integer(1))) }
      if let found { places[found.shelf, default: []].append(found.place) }
    }
    let selection = MemorySelection(query, now: now)
    return try MemorySearch(query: query, now: now).results(
      on: shelves, languages: TextLanguages.union(shelves.map(\.languages)),
      similarities: (
        Dictionary(nearest.map { ($0.item, Double($0.similarity)) }) { first, _ in first },
        shelves.map { places[$0.number] ?? [] }
      )
    ) { id in
      try memoryItems("items.id = ? AND \(selection.text)", [.integer(id)] + selection.values).first
    }
  }
}
