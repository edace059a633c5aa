import RasaCore
import RasaEngine
import RasaSQLite

/// What a run's row says about who may write and where its journal ends.
struct RunEnd {
  var number: Int64
  var epoch: Int64
  var lines: Int64
  var seal: [UInt8]?
}

extension Database {
  func end(of run: String) throws -> RunEnd? {
    try first("SELECT number, epoch, lines, seal FROM runs WHERE id = ?", .text(run)) { row in
      RunEnd(
        number: row.integer(0), epoch: row.integer(1), lines: row.integer(2),
        seal: row.isNull(3) ? nil : row.bytes(3))
    }
  }

  /// The end of a run that may be written about; throws when somebody else has taken it over.
  func ownedEnd(of run: String, epoch: Int64) throws -> RunEnd {
    guard let end = try end(of: run) else { throw Failure.unknownRun(run) }
    guard end.epoch == epoch else { throw Failure.takenOver(run) }
    return end
  }

  func insert(_ owned: [OwnedLines]) throws {
    for part in owned { try insert(part) }
  }

  func insert(_ owned: OwnedLines) throws {
    let end = try ownedEnd(of: owned.run, epoch: owned.epoch)
    if owned.lines.isEmpty { return }
    var sequence = end.lines
    var seal = end.seal ?? LineSeal.beginning(of: owned.run)
    guard sequence + Int64(owned.lines.count) < LinePlace.linesPerRun else {
      throw Failure(.limit, "the journal of \(owned.run) is full", mend: "begin a new run")
    }
    for line in owned.lines {
      sequence += 1
      seal = line.seal(after: seal, at: sequence)
      try run(
        "INSERT INTO lines (place, time, kind, key, body, seal) VALUES (?, ?, ?, ?, ?, ?)",
        .integer(LinePlace.of(run: end.number, sequence: sequence)), .integer(line.time),
        .integer(try word(line.kind)), try word(orNull: line.key),
        try line.content.map { try keep($0) } ?? .null, .bytes(seal))
    }
    try run(
      "UPDATE runs SET lines = ?, seal = ?, changed_at = ? WHERE number = ?", .integer(sequence),
      .bytes(seal), .integer(owned.lines.last?.time ?? 0), .integer(end.number))
  }

  /// The lines of a run after that number, and what is wrong with what follows them.
  func journal(of run: Identifier, after first: Int = 0) throws -> JournalReading? {
    guard let end = try end(of: run.text) else { return nil }
    var reader = LineReader(run: run, end: end, after: Int64(clamping: first))
    do {
      let before = try reader.begin(self)
      let range = LinePlace.range(of: end.number, after: before)
      // Read first, then understood: reading bodies is a statement of its own.
      var rows: [LineRow] = []
      var failure: Failure?
      do {
        _ = try self.rows(
          """
          SELECT place, time, kind.text, key.text, body, seal FROM lines
          LEFT JOIN words AS kind ON kind.number = lines.kind
          LEFT JOIN words AS key ON key.number = lines.key
          WHERE place > ? AND place < ? ORDER BY place
          """, .integer(range.after), .integer(range.before)
        ) { rows.append(LineRow($0)) }
      } catch { failure = error as? Failure }
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
  var place: Int64
  var time: Int64
  var kind: String?
  var key: String?
  var body: SQLValue
  var seal: [UInt8]?

  init(_ row: Row) {
    place = row.integer(0)
    time = row.integer(1)
    kind = row.textOrNil(2)
    key = row.textOrNil(3)
    body = row.value(4)
    seal = row.isNull(5) ? nil : row.bytes(5)
  }
}

/// Reads lines in their order and checks that each is what was written.
private struct LineReader {
  let run: Identifier
  let end: RunEnd
  private let first: Int64
  private(set) var entries: [JournalEntry] = []
  /// The number of the line that comes next.
  private(set) var next: Int64
  /// The seal of the line before; nil while there was none.
  private var seal: [UInt8]?

  init(run: Identifier, end: RunEnd, after first: Int64) {
    self.run = run
    self.end = end
    self.first = max(0, first)
    next = self.first + 1
  }

  /// Takes up the seal of the line before the first one; answers after which line to read.
  mutating func begin(_ database: Database) throws -> Int64 {
    guard first > 0 else { return 0 }
    let last = min(first, end.lines)
    next = last + 1
    let found = try database.first(
      "SELECT seal FROM lines WHERE place = ?",
      .integer(LinePlace.of(run: end.number, sequence: last))
    ) { $0.value(0) }
    switch found {
    case .bytes(let found): seal = found
    case .null where last > 0: seal = nil
    default: if last > 0 { throw DamagedContent() }
    }
    return last
  }

  mutating func read(_ row: LineRow, _ bodies: BodyReader) throws {
    guard row.place == LinePlace.of(run: end.number, sequence: next), let kind = row.kind else {
      throw DamagedContent()
    }
    let body: (value: Value, digested: [UInt8])
    switch row.body {
    case .null: body = (.null, [])
    case .integer(let number):
      let whole = try bodies.body(number)
      body = (whole.value, [ContentTag.reference] + whole.digest)
    case .bytes(let bytes) where row.seal == nil:
      body = (try BodyReader.value(ofJSON: bytes), [])
    case .bytes(let bytes): body = try bodies.read(bytes)
    default: throw DamagedContent()
    }
    if let found = row.seal {
      let expected = LineSeal.next(
        after: seal ?? LineSeal.beginning(of: run.text), sequence: next,
        content: LineSeal.content(
          time: row.time, kind: kind, key: row.key, body: body.digested))
      guard found == expected else { throw DamagedContent() }
    } else if seal != nil {
      throw DamagedContent()
    }
    seal = row.seal
    next += 1
    entries.append(
      JournalEntry(
        run: run, time: Timestamp(milliseconds: row.time), kind: kind, key: row.key,
        body: body.value))
  }

  func finish() throws {
    guard next == end.lines + 1, seal == end.seal else { throw DamagedContent() }
  }
}
