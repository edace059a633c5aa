import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite

/// Vectors of items. A table of small rows rather than an index that has to be loaded: a process that lives for one
/// question reads a few cells, several processes share one file, a transaction covers the item and its vector, and
/// what is deleted is gone.
extension Database {
  /// The items that the query may find whose vectors are nearest to its own, nearest first. It does not look at times
  /// and runs, which few items fail; none are found where the model has no vectors of that length here.
  func nearest(
    to query: MemoryQuery, limit: Int, cells settings: VectorCells = VectorCells()
  ) throws -> [NearestVectors.Neighbour] {
    guard let wanted = query.vector, let vector = QuantisedVector(wanted.numbers),
      let space = try vectorSpace(of: wanted.model, length: vector.numbers.count)
    else { return [] }
    let (condition, values) = try visibleCells(query)
    let cells = try rows(
      "SELECT number, count, scale, centroid FROM vector_cells WHERE space = ?\(condition)",
      values: [.integer(space)] + values
    ) { row in
      VectorCells.Cell(
        number: row.integer(0), count: Int(clamping: row.integer(1)),
        similarity: row.withBytes(3) {
          vector.similarity(toScale: Float(row.real(2)), bytes: $0)
        })
    }
    var nearest = NearestVectors(limit: limit)
    for cell in settings.probes(cells) {
      try eachVector(in: cell.number) { item, scale, bytes in
        nearest.note(item, vector.similarity(toScale: scale, bytes: bytes))
      }
    }
    return nearest.sorted
  }

  /// What of the cells the query may look into, as a condition that follows another one.
  private func visibleCells(_ query: MemoryQuery) throws -> (condition: String, [SQLValue]) {
    var condition = ""
    var values: [SQLValue] = []
    if let user = query.user {
      condition += " AND user = ?"
      values.append(.integer(try knownWord(user)))
    }
    if query.kinds.count < MemoryItem.Kind.allCases.count {
      let kinds = query.kinds.map { "\($0.column)" }.sorted()
      condition += " AND kind IN (\(kinds.joined(separator: ", ")))"
    }
    // As in `MemoryQuery.sees`.
    var places: [String] = []
    if query.scopes.contains(.user) { places.append("scope = \(MemoryScope.user.column)") }
    if query.scopes.contains(.persona) {
      var place = "scope = \(MemoryScope.persona.column)"
      if let persona = query.persona {
        place += " AND persona = ?"
        values.append(.integer(try knownWord(persona)))
      }
      places.append(place)
    }
    if query.scopes.contains(.session) {
      let place = "scope = \(MemoryScope.session.column)"
      if let session = query.session {
        places.append("\(place) AND session IN (SELECT key FROM sessions WHERE id = ?)")
        values.append(.text(session))
      } else if query.persona == nil {
        places.append(place)
      }
    }
    condition += places.isEmpty ? " AND 0" : " AND (\(places.joined(separator: " OR ")))"
    return (condition, values)
  }

  /// The number of a word that is stored already; 0, which no word has, for any other.
  private func knownWord(_ text: String) throws -> Int64 {
    try first("SELECT number FROM words WHERE text = ?", .text(text)) { $0.integer(0) } ?? 0
  }

  private func eachVector(
    in cell: Int64, _ body: (_ item: Int64, _ scale: Float, _ bytes: Span<UInt8>) throws -> Void
  ) throws {
    _ = try rows(
      "SELECT number, scale, numbers FROM vectors WHERE number BETWEEN ? AND ?",
      .integer(VectorNumber.first(of: cell)), .integer(VectorNumber.last(of: cell))
    ) { row in
      try row.withBytes(2) {
        try body(VectorNumber.item(of: row.integer(0)), Float(row.real(1)), $0)
      }
    }
  }

  private func vectors(in cell: Int64) throws -> [(item: Int64, vector: QuantisedVector)] {
    var found: [(item: Int64, vector: QuantisedVector)] = []
    try eachVector(in: cell) { found.append(($0, QuantisedVector(scale: $1, bytes: $2))) }
    return found
  }
}

// MARK: Spaces

extension Database {
  /// The space of the model's vectors of that length; by default, of the length that it last had.
  func vectorSpace(of model: String, length: Int? = nil) throws -> Int64? {
    try first(
      """
      SELECT number FROM vector_spaces WHERE model = ?1 AND (?2 IS NULL OR length = ?2)
      ORDER BY number DESC LIMIT 1
      """, .text(model), length.map { .integer($0) } ?? .null
    ) { $0.integer(0) }
  }

  func vectorLengths(of model: String?) throws -> [Int] {
    try rows(
      """
      SELECT length FROM vector_spaces
      WHERE (?1 IS NULL OR model = ?1)
        AND EXISTS (SELECT 1 FROM vector_cells WHERE space = vector_spaces.number)
      ORDER BY number DESC
      """, .text(orNull: model)
    ) { Int(clamping: $0.integer(0)) }
  }

  /// How many of these items have a vector, by model.
  func vectorCounts(of selection: MemorySelection) throws -> [String: Int] {
    let counts = try rows(
      """
      SELECT space, count(*) FROM vector_places JOIN items ON items.id = vector_places.item
        LEFT JOIN facts ON items.kind = 2 AND facts.item = items.id
      WHERE cell IS NOT NULL AND \(selection.text) GROUP BY space
      """, values: selection.values
    ) { (space: $0.integer(0), count: Int(clamping: $0.integer(1))) }
    var byModel: [String: Int] = [:]
    for (space, count) in counts {
      let model = try first("SELECT model FROM vector_spaces WHERE number = ?", .integer(space)) {
        $0.text(0)
      }
      if let model { byModel[model, default: 0] += count }
    }
    return byModel
  }

  func usedVectorSpace(
    of model: String, length: Int?, at now: Timestamp
  ) throws -> Int64? {
    if let known = try vectorSpace(of: model, length: length) {
      try run(
        "UPDATE vector_spaces SET used_at = max(used_at, ?) WHERE number = ?",
        .integer(now.milliseconds), .integer(known))
      return known
    }
    guard let length else { return nil }
    try run(
      "INSERT INTO vector_spaces (model, length, used_at) VALUES (?, ?, ?)", .text(model),
      .integer(length), .integer(now.milliseconds))
    return lastInsertedRow
  }

  /// Removes up to about so many vectors of spaces that nobody has used since that time, and of models whose vectors
  /// have another length by now. True when there are none left.
  func removeUnusedVectors(usedBefore time: Timestamp, atMost: Int = 5_000) throws -> Bool {
    let unused = try first(
      """
      SELECT number FROM vector_spaces AS space
      WHERE used_at < ? OR EXISTS (
        SELECT 1 FROM vector_spaces AS newer
        WHERE newer.model = space.model AND newer.number > space.number)
      ORDER BY number LIMIT 1
      """, .integer(time.milliseconds)
    ) { $0.integer(0) }
    guard let unused else { return true }
    let cells = try rows(
      "SELECT number, count FROM vector_cells WHERE space = ? ORDER BY number LIMIT 1000",
      .integer(unused)
    ) { (number: $0.integer(0), count: Int(clamping: $0.integer(1))) }
    var removed = 0
    for cell in cells where removed < atMost {
      try eachVectorsItem(in: cell.number) { item in
        try run(
          "DELETE FROM vector_places WHERE item = ? AND space = ?", .integer(item),
          .integer(unused))
      }
      try run(
        "DELETE FROM vectors WHERE number BETWEEN ? AND ?",
        .integer(VectorNumber.first(of: cell.number)), .integer(VectorNumber.last(of: cell.number)))
      try run("DELETE FROM vector_cells WHERE number = ?", .integer(cell.number))
      removed += max(1, cell.count)
    }
    guard cells.isEmpty else { return false }
    try run("DELETE FROM vector_places WHERE space = ?", .integer(unused))
    try run("DELETE FROM vector_progress WHERE space = ?", .integer(unused))
    try run("DELETE FROM vector_spaces WHERE number = ?", .integer(unused))
    return false
  }

  private func eachVectorsItem(in cell: Int64, _ body: (Int64) throws -> Void) throws {
    let items = try rows(
      "SELECT number FROM vectors WHERE number BETWEEN ? AND ?",
      .integer(VectorNumber.first(of: cell)), .integer(VectorNumber.last(of: cell))
    ) { VectorNumber.item(of: $0.integer(0)) }
    for item in items { try body(item) }
  }
}

// MARK: Keeping and removing

extension Database {
  /// Keeps vectors, in one transaction with whatever else it holds. An empty vector, or one without a direction,
  /// says that none can be made of that item. Those of items that are gone are dropped.
  func keepVectors(
    _ made: MadeVectors, at now: Timestamp, cells settings: VectorCells = VectorCells()
  ) throws {
    let length = made.vectors.lazy.map(\.numbers.count).first { $0 > 0 }
    guard let space = try usedVectorSpace(of: made.model, length: length, at: now) else { return }
    var rooms: [VectorRoom: [LoadedCell]] = [:]
    for one in made.vectors where one.item <= VectorNumber.largestItem {
      let (item, numbers) = (one.item, one.numbers)
      guard let room = try room(of: item) else { continue }
      try deleteVectors(of: item, in: space)
      guard numbers.isEmpty || numbers.count == length else { continue }
      guard let vector = QuantisedVector(numbers) else {
        try run(
          "INSERT INTO vector_places (item, space, cell) VALUES (?, ?, NULL)", .integer(item),
          .integer(space))
        continue
      }
      var cells = try rooms[room] ?? loadedCells(of: room, in: space)
      try add(vector, of: item, to: &cells, room, space, settings)
      rooms[room] = cells
    }
    try noteVectorProgress(in: space, for: made.viewer)
  }

  private struct LoadedCell {
    var number: Int64
    var count: Int
    /// The centroid as it is stored: adding one vector reads those of all cells.
    var scale: Float
    var bytes: [UInt8]

    init(number: Int64, count: Int, scale: Float, bytes: [UInt8]) {
      self.number = number
      self.count = count
      self.scale = scale
      self.bytes = bytes
    }

    init(number: Int64, count: Int, centroid: QuantisedVector) {
      self.init(number: number, count: count, scale: centroid.scale, bytes: centroid.bytes)
    }

    mutating func move(to centroid: QuantisedVector) {
      scale = centroid.scale
      bytes = centroid.bytes
    }
  }

  /// Where items are kept that are found together.
  private struct VectorRoom: Hashable {
    var user: SQLValue
    var scope: SQLValue
    var kind: SQLValue
    var persona: SQLValue
    var session: SQLValue

    var values: [SQLValue] { [user, scope, kind, persona, session] }
  }

  private func room(of item: Int64) throws -> VectorRoom? {
    try first(
      "SELECT user, scope, kind, persona, session FROM items WHERE id = ?", .integer(item)
    ) { row in
      let scope = MemoryScope(column: row.integer(1))
      return VectorRoom(
        user: row.value(0), scope: .integer(scope.column), kind: row.value(2),
        persona: scope == .user ? .null : row.value(3),
        session: scope == .session ? row.value(4) : .null)
    }
  }

  private func loadedCells(of room: VectorRoom, in space: Int64) throws -> [LoadedCell] {
    try rows(
      """
      SELECT number, count, scale, centroid FROM vector_cells
      WHERE space = ? AND user = ? AND scope = ? AND kind = ? AND persona IS ? AND session IS ?
      """, values: [.integer(space)] + room.values
    ) { row in
      LoadedCell(
        number: row.integer(0), count: Int(clamping: row.integer(1)),
        scale: Float(row.real(2)), bytes: row.bytes(3))
    }
  }

  private func add(
    _ vector: QuantisedVector, of item: Int64, to cells: inout [LoadedCell], _ room: VectorRoom,
    _ space: Int64, _ settings: VectorCells
  ) throws {
    var (place, nearest) = (-1, -Float.infinity)
    for (index, cell) in cells.enumerated() {
      let similarity = vector.similarity(toScale: cell.scale, bytes: cell.bytes.span)
      if similarity > nearest { (place, nearest) = (index, similarity) }
    }
    if place < 0 {
      place = cells.count
      cells.append(try newCell(vector, count: 0, room, space))
    }
    try run(
      "INSERT INTO vectors (number, scale, numbers) VALUES (?, ?, ?)",
      .integer(VectorNumber.of(item, in: cells[place].number)), .real(Double(vector.scale)),
      .bytes(vector.bytes))
    try run(
      "INSERT INTO vector_places (item, space, cell) VALUES (?, ?, ?)", .integer(item),
      .integer(space), .integer(cells[place].number))
    cells[place].count += 1
    let count = cells[place].count
    if count > settings.bound(cells: cells.count) {
      try divide(place, of: &cells, room, space)
    } else if count & (count - 1) == 0 {
      // The mean hardly moves in between, and to find it the whole cell is read.
      cells[place].move(
        to: VectorCells.centroid(of: try vectors(in: cells[place].number).map(\.vector)))
      try write(cells[place])
    } else {
      try run(
        "UPDATE vector_cells SET count = ? WHERE number = ?", .integer(count),
        .integer(cells[place].number))
    }
  }

  private func newCell(
    _ centroid: QuantisedVector, count: Int, _ room: VectorRoom, _ space: Int64
  ) throws -> LoadedCell {
    try run(
      """
      INSERT INTO vector_cells (space, user, scope, kind, persona, session, count, scale, centroid)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      values: [.integer(space)] + room.values
        + [.integer(count), .real(Double(centroid.scale)), .bytes(centroid.bytes)])
    return LoadedCell(number: lastInsertedRow, count: count, centroid: centroid)
  }

  private func write(_ cell: LoadedCell) throws {
    try run(
      "UPDATE vector_cells SET count = ?, is_stale = 0, scale = ?, centroid = ? WHERE number = ?",
      .integer(cell.count), .real(Double(cell.scale)), .bytes(cell.bytes),
      .integer(cell.number))
  }

  /// The smaller half moves to a cell of its own. A cell has a few hundred vectors, so this is soon done.
  private func divide(
    _ place: Int, of cells: inout [LoadedCell], _ room: VectorRoom, _ space: Int64
  ) throws {
    let old = cells[place].number
    let content = try vectors(in: old)
    let halves = VectorCells.halves(of: content.map(\.vector))
    let firstMoves = halves.first.count < halves.second.count
    let moving = firstMoves ? halves.first : halves.second
    let new = try newCell(
      firstMoves ? halves.firstCentroid : halves.secondCentroid, count: moving.count, room, space)
    for index in moving {
      let (item, vector) = content[index]
      try run(
        "DELETE FROM vectors WHERE number = ?", .integer(VectorNumber.of(item, in: old)))
      try run(
        "INSERT INTO vectors (number, scale, numbers) VALUES (?, ?, ?)",
        .integer(VectorNumber.of(item, in: new.number)), .real(Double(vector.scale)),
        .bytes(vector.bytes))
      try run(
        "UPDATE vector_places SET cell = ? WHERE item = ? AND space = ?", .integer(new.number),
        .integer(item), .integer(space))
    }
    cells[place].count = content.count - moving.count
    cells[place].move(to: firstMoves ? halves.secondCentroid : halves.firstCentroid)
    try write(cells[place])
    cells.append(new)
  }

  /// Removes the vectors of an item, in the transaction that deletes it or changes its text.
  func deleteVectors(of item: Int64) throws { try deleteVectors(of: item, in: nil) }

  private func deleteVectors(of item: Int64, in space: Int64?) throws {
    let cells = try rows(
      "DELETE FROM vector_places WHERE item = ?1 AND (?2 IS NULL OR space = ?2) RETURNING cell",
      .integer(item), space.map { .integer($0) } ?? .null
    ) { $0.integerOrNil(0) }
    for case let cell? in cells {
      try run("DELETE FROM vectors WHERE number = ?", .integer(VectorNumber.of(item, in: cell)))
      try run("DELETE FROM vector_cells WHERE number = ? AND count <= 1", .integer(cell))
      try run(
        "UPDATE vector_cells SET count = count - 1, is_stale = 1 WHERE number = ?", .integer(cell))
    }
  }

  /// Finds the means of some cells anew that have lost vectors, so that no trace of these stays there. False when none
  /// is left to do.
  func refreshVectorCells(atMost count: Int) throws -> Bool {
    let stale = try rows(
      "SELECT number, count FROM vector_cells WHERE is_stale LIMIT ?", .integer(count)
    ) { (number: $0.integer(0), count: Int(clamping: $0.integer(1))) }
    for cell in stale {
      let centroid = VectorCells.centroid(of: try vectors(in: cell.number).map(\.vector))
      try write(LoadedCell(number: cell.number, count: cell.count, centroid: centroid))
    }
    return stale.count == count
  }
}

// MARK: What has no vector yet

extension Database {
  /// Items that the persona sees of that user and that have no vector by the model yet: first those that came since it
  /// was last looked for them, then older ones, newest first.
  ///
  /// - Parameter length: how long the model's vectors are now; nil for as long as they last were.
  func itemsWithoutVector(
    by model: String, length: Int?, for viewer: MemoryViewer, limit: Int
  ) throws -> [Int64] {
    let space = try vectorSpace(of: model, length: length) ?? 0
    let (user, persona) = (try knownWord(viewer.user), try knownWord(viewer.persona))
    let progress = try vectorProgress(in: space, user: user, persona: persona)
    let newer = try withoutVector(
      "id > ?4", .integer(progress.high), "ASC", in: space, user, persona, limit: limit)
    guard newer.count < limit else { return newer }
    return newer
      + (try withoutVector(
        "id <= ?4", .integer(progress.low), "DESC", in: space, user, persona,
        limit: limit - newer.count))
  }

  /// Remembers that what has places now need not be looked at again.
  private func noteVectorProgress(in space: Int64, for viewer: MemoryViewer) throws {
    let (user, persona) = (try name(viewer.user), try name(viewer.persona))
    let progress = try vectorProgress(in: space, user: user, persona: persona)
    let newer = try withoutVector(
      "id > ?4", .integer(progress.high), "ASC", in: space, user, persona, limit: 1)
    let older = try withoutVector(
      "id <= ?4", .integer(progress.low), "DESC", in: space, user, persona, limit: 1)
    let high = try newer.first.map { $0 - 1 } ?? newestItem()
    try run(
      """
      INSERT INTO vector_progress (space, user, persona, low, high) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET low = excluded.low, high = excluded.high
      """, .integer(space), .integer(user), .integer(persona), .integer(older.first ?? 0),
      .integer(max(high, progress.high)))
  }

  /// The item has another text than its vector was made of, or is there again.
  func noteLostVector(of item: Int64) throws {
    try run(
      "UPDATE vector_progress SET high = ?1 - 1 WHERE low < ?1 AND high >= ?1", .integer(item))
  }

  private func newestItem() throws -> Int64 {
    try first("SELECT max(id) FROM items") { $0.integer(0) } ?? 0
  }

  private func vectorProgress(
    in space: Int64, user: Int64, persona: Int64
  ) throws -> (low: Int64, high: Int64) {
    let known = try first(
      "SELECT low, high FROM vector_progress WHERE space = ? AND user = ? AND persona = ?",
      .integer(space), .integer(user), .integer(persona)
    ) { (low: $0.integer(0), high: $0.integer(1)) }
    if let known { return known }
    let newest = try newestItem()
    return (newest, newest)
  }

  private func withoutVector(
    _ condition: String, _ bound: SQLValue, _ order: String, in space: Int64, _ user: Int64,
    _ persona: Int64, limit: Int
  ) throws -> [Int64] {
    try rows(
      """
      SELECT id FROM items NOT INDEXED
      WHERE user = ?1 AND (scope = ?2 OR persona = ?3) AND \(condition) AND NOT EXISTS (
        SELECT 1 FROM vector_places WHERE item = items.id AND space = ?5)
      ORDER BY id \(order) LIMIT ?6
      """, .integer(user), .integer(MemoryScope.user.column), .integer(persona), bound,
      .integer(space),
      .integer(max(0, limit))
    ) { $0.integer(0) }
  }
}

/// A vector's number: that of its cell and that of its item.
private enum VectorNumber {
  static let largestItem: Int64 = 0xFFFF_FFFF

  static func of(_ item: Int64, in cell: Int64) -> Int64 { cell << 32 | item }
  static func first(of cell: Int64) -> Int64 { cell << 32 }
  static func last(of cell: Int64) -> Int64 { cell << 32 | largestItem }
  static func item(of number: Int64) -> Int64 { number & largestItem }
}
