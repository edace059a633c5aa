import RasaCore
import RasaEngine
import RasaSQLite

/// The columns of a run's row that say who may write, and where its journal ends.
struct RunEnd {
  var number: Int64
  var epoch: Int64
  var lines: Int64
  var last: Int64?
  var seal: [UInt8]?
}

/// The ends of the journals that an operation writes to: read once and written once, however many batches of
/// lines it adds.
private final class JournalEnds: UnwrittenChanges {
  var ends: [String: (end: RunEnd, changedAt: Int64?)] = [:]

  func write(to database: Database) throws {
    for (end, changedAt) in ends.values {
      guard let changedAt else { continue }
      try database.run(
        "UPDATE runs SET lines = ?, last = ?, seal = ?, changed_at = ? WHERE number = ?",
        .integer(end.lines), end.last.map { .integer($0) } ?? .null,
        end.seal.map { .bytes($0) } ?? .null, .integer(changedAt), .integer(end.number))
    }
  }
}

extension Database {
  /// The ends of journals that the current operation has read.
  private var journalEnds: JournalEnds {
    if let known = unwritten as? JournalEnds { return known }
    let ends = JournalEnds()
    unwritten = ends
    return ends
  }

  /// Keeps the end of a journal that the current operation has just created.
  func begin(_ run: String, at end: RunEnd) { journalEnds.ends[run] = (end, nil) }

  /// The end as the file has it, without what the current operation has added.
  func end(of run: String) throws -> RunEnd? {
    try first("SELECT number, epoch, lines, last, seal FROM runs WHERE id = ?", .text(run)) { row in
      RunEnd(
        number: row.integer(0), epoch: row.integer(1), lines: row.integer(2),
        last: row.integerOrNil(3), seal: row.isNull(4) ? nil : row.bytes(4))
    }
  }

  /// The end of a run that this store owns; throws if another process has taken it over.
  func ownedEnd(of run: String, epoch: Int64) throws -> RunEnd {
    let ends = journalEnds
    guard let end = try ends.ends[run]?.end ?? end(of: run) else { throw Failure.unknownRun(run) }
    guard end.epoch == epoch else { throw Failure.takenOver(run) }
    if ends.ends[run] == nil { ends.ends[run] = (end, nil) }
    return end
  }

  func insert(_ owned: [OwnedLines]) throws {
    for part in owned { try insert(part) }
  }

  func insert(_ owned: OwnedLines) throws {
    var end = try ownedEnd(of: owned.run, epoch: owned.epoch)
    guard let latest = owned.lines.last else { return }
    var seal = end.seal ?? LineSeal.beginning(of: owned.run)
    for line in owned.lines {
      end.lines += 1
      seal = line.seal(after: seal, at: end.lines)
      try run(
        """
        INSERT INTO lines (run, before, time, kind, key, body, seal) VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        .integer(end.number), end.last.map { .integer($0) } ?? .null, .integer(line.time),
        .integer(try word(line.kind)), try word(orNull: line.key),
        try line.content.map { try keep($0) } ?? .null, .bytes(seal))
      end.last = lastInsertedRow
    }
    end.seal = seal
    journalEnds.ends[owned.run] = (end, latest.time)
  }

  /// The lines of a run after that number, and what is wrong with the next one.
  func journal(of run: Identifier, after first: Int = 0) throws -> JournalReading? {
    try writeCollected()
    guard let end = try end(of: run.text) else { return nil }
    let first = min(max(0, Int64(clamping: first)), end.lines)
    let reading = reading(of: run, end, after: first) { take in
      _ = try rows(
        """
        WITH RECURSIVE journal AS (
          SELECT ?1 AS sequence, * FROM lines WHERE number = ?2
          UNION ALL
          SELECT sequence - 1, lines.* FROM journal
            CROSS JOIN lines ON lines.number = journal.before WHERE sequence > ?3
        )
        SELECT \(LineRow.columns) FROM journal \(LineRow.words) ORDER BY sequence
        """, .integer(end.lines), end.last.map { .integer($0) } ?? .null, .integer(max(1, first))
      ) { take(LineRow($0)) }
    }
    if reading.damage == nil { return reading }
    // The chain back from the end is broken: earlier lines are found by scanning all lines.
    return self.reading(of: run, end, after: first) { take in
      _ = try rows(
        """
        SELECT \(LineRow.columns) FROM lines AS journal \(LineRow.words) WHERE run = ?
        ORDER BY journal.number LIMIT -1 OFFSET ?
        """, .integer(end.number), .integer(max(0, first - 1))
      ) { take(LineRow($0)) }
    }
  }

  private func reading(
    of run: Identifier, _ end: RunEnd, after first: Int64,
    _ find: ((LineRow) -> Void) throws -> Void
  ) -> JournalReading {
    var reader = LineReader(run: run, end: end, after: first)
    do {
      // All rows are read before they are decoded, because reading bodies runs another statement.
      var rows: [LineRow] = []
      var failure: (any Error)?
      do { try find { rows.append($0) } } catch { failure = error }
      let bodies = BodyReader(self)
      for row in rows { try reader.read(row, bodies) }
      if let failure { throw failure }
      try reader.finish()
      return JournalReading(entries: reader.entries)
    } catch {
      return JournalReading(
        entries: reader.entries,
        damage: .damagedLine(reader.next, of: run, because: error as? Failure))
    }
  }
}

private struct LineRow {
  static let columns = "journal.number, run, before, time, kind.text, key.text, body, seal"
  static let words = """
    LEFT JOIN words AS kind ON kind.number = journal.kind
    LEFT JOIN words AS key ON key.number = journal.key
    """

  var number: Int64
  var run: Int64
  var before: Int64?
  var time: Int64
  var kind: String?
  var key: String?
  var body: SQLValue
  var seal: [UInt8]?

  init(_ row: Row) {
    number = row.integer(0)
    run = row.integer(1)
    before = row.integerOrNil(2)
    time = row.integer(3)
    kind = row.textOrNil(4)
    key = row.textOrNil(5)
    body = row.value(6)
    seal = row.isNull(7) ? nil : row.bytes(7)
  }
}

/// Decodes lines in order and verifies each of them.
private struct LineReader {
  let run: Identifier
  let end: RunEnd
  /// The line before the requested ones, of which only the seal is needed; 0 if all lines are requested.
  private let first: Int64
  private(set) var entries: [JournalEntry] = []
  /// The sequence number of the next line.
  private(set) var next: Int64
  /// The number and the seal of the previous line; nil before the first.
  private var before: Int64?
  private var seal: [UInt8]?

  init(run: Identifier, end: RunEnd, after first: Int64) {
    self.run = run
    self.end = end
    self.first = first
    next = max(1, first)
  }

  mutating func read(_ row: LineRow, _ bodies: BodyReader) throws {
    guard row.run == end.number, let kind = row.kind else { throw DamagedContent() }
    if next > first {
      guard row.before == before else { throw DamagedContent() }
      let body = try body(of: row, bodies)
      try check(row, kind, body.digested)
      entries.append(
        JournalEntry(
          run: run, time: Timestamp(milliseconds: row.time), kind: kind, key: row.key,
          body: body.value))
    }
    before = row.number
    seal = row.seal
    next += 1
  }

  private func body(
    of row: LineRow, _ bodies: BodyReader
  ) throws -> (value: Value, digested: [UInt8]) {
    switch row.body {
    case .null: return (.null, [])
    case .integer(let number):
      let whole = try bodies.body(number)
      return (whole.value, [ContentTag.reference] + whole.digest)
    case .bytes(let bytes) where row.seal == nil:
      return (try BodyReader.value(ofJSON: bytes), [])
    case .bytes(let bytes): return try bodies.read(bytes)
    default: throw DamagedContent()
    }
  }

  private func check(_ row: LineRow, _ kind: String, _ body: [UInt8]) throws {
    guard let found = row.seal else {
      // Only lines of version 1 have no seal, and they come first.
      if seal != nil { throw DamagedContent() }
      return
    }
    let expected = LineSeal.next(
      after: seal ?? LineSeal.beginning(of: run.text), sequence: next,
      content: LineSeal.content(time: row.time, kind: kind, key: row.key, body: body))
    guard found == expected else { throw DamagedContent() }
  }

  func finish() throws {
    guard next == end.lines + 1, before == end.last, seal == end.seal else {
      throw DamagedContent()
    }
  }
}
