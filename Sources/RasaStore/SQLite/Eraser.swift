import RasaCore
import RasaEngine
import RasaSQLite
import RasaSystem

/// Deletes the lines of deleted runs, and the bodies that nothing refers to any more, in small transactions, so that
/// other writers can work in between.
///
/// It finds the bodies that are in use by scanning everything that may refer to one (mark and sweep): counting
/// references would make every line more expensive, and deletions are rare. Others write meanwhile, so before
/// deleting a body it scans what is new. That requires that line numbers have only grown; if another process has
/// begun to delete, the scan starts over.
struct Eraser: Sendable {
  private let writer: DatabaseWriter
  private let slices: DeletionSlices
  private let path: String

  init(_ store: SQLiteStore) {
    path = store.path
    writer = store.writer
    slices = store.slices
  }

  /// Finishes all deletions, including those that other processes left, and scrubs the files. Returns the number
  /// of deleted bytes.
  func erase() async throws -> Int {
    let isDue = try await writer.read { database in
      try database.first("SELECT 1 FROM deletions LIMIT 1") { _ in true } != nil
    }
    let items = slices.items
    let terms = slices.terms
    while isDue, try await writer.write({ try $0.deleteStrayTerms(atMost: terms) }) {
      faultPoint("erase.terms")
      try Task.checkCancellation()
    }
    while isDue, try await writer.write({ try $0.deleteItemsOfUsers(atMost: items) }) {
      faultPoint("erase.items")
      try Task.checkCancellation()
    }
    var (bytes, last) = (0, Int64?.none)
    while isDue, last == nil {
      bytes += try await eraseLines()
      faultPoint("erase.lines")
      guard let survey = try await survey() else { continue }
      let (erased, isDone) = try await eraseBodies(survey)
      bytes += erased
      faultPoint("erase.bodies")
      if isDone { last = survey.newest.deletion }
    }
    try await scrub()
    faultPoint("erase.scrubbed")
    if let last {
      try await writer.write { database in
        try database.run(
          "DELETE FROM deletions WHERE number <= ? AND next IS NULL AND user IS NULL",
          .integer(last))
      }
    }
    return bytes
  }

  /// Removes everything from the files that deleted rows of any table have left.
  func scrub() async throws {
    while try await writer.write({ try $0.refreshVectorCells(atMost: 50) }) {
      try Task.checkCancellation()
    }
    let clock = ContinuousClock()
    var deadline = clock.now + slices.patience
    var page: Int64 = 1
    while true {
      try Task.checkCancellation()
      switch try await writer.scrub(from: page) {
      case .isDone: return
      case .next(let next):
        page = next
        deadline = clock.now + slices.patience
      case .isBusy:
        guard clock.now < deadline else {
          throw Failure(
            .storage, "another program keeps reading \(path), so its log cannot be emptied",
            suggestion: "end the programs that use it (`fuser \(path)` names them)")
        }
        await Task.yield()
      }
    }
  }

  /// How many bytes deleting these runs would free.
  func bytes(without runs: [String]) async throws -> Int {
    var bytes = 0
    var gone: Set<Int64> = []
    for run in runs {
      let found = try await writer.read { database -> (number: Int64, bytes: Int)? in
        guard let end = try database.end(of: run) else { return nil }
        return (end.number, try database.size(ofJournal: end))
      }
      if let found {
        gone.insert(found.number)
        bytes += found.bytes
      }
    }
    if gone.isEmpty { return 0 }
    let survey = try await survey(without: gone, newest: try await newest())
    var last = survey.newest.body
    while let unused = try await unused(survey, upTo: &last) {
      bytes += unused.reduce(0) { $0 + $1.bytes }
    }
    return bytes
  }

  // MARK: Lines

  private func eraseLines() async throws -> Int {
    var bytes = 0
    var isBroken = false
    while true {
      try Task.checkCancellation()
      let atMost = slices.lines
      let part = try await writer.write { try $0.deleteLines(atMost: atMost) }
      guard let part else { break }
      bytes += part.bytes
      isBroken = isBroken || part.isBroken
    }
    guard isBroken else { return bytes }
    // The chain of a journal is broken: its lines are found by scanning all lines.
    let last = try await newest().line
    for first in stride(from: Int64(0), through: last, by: slices.lines) {
      try Task.checkCancellation()
      let end = first + Int64(slices.lines)
      bytes += try await writer.write { try $0.deleteStrayLines(from: first, before: end) }
    }
    return bytes
  }

  // MARK: Bodies in use

  /// The bodies in use that have been found, and how far the scan has come.
  struct Survey: Sendable {
    var used: Set<Int64> = []
    /// Found, but not searched for references yet.
    var unseen: [Int64] = []
    var newest: Newest
    /// Runs that count as deleted.
    var without: Set<Int64> = []

    mutating func use(_ number: Int64) {
      if used.insert(number).inserted { unseen.append(number) }
    }
  }

  struct Newest: Sendable {
    var line: Int64
    var body: Int64
    var deletion: Int64
  }

  private func newest() async throws -> Newest { try await writer.read { try $0.newest() } }

  /// Nil if another process has begun to delete.
  private func survey() async throws -> Survey? {
    let newest = try await writer.read { database -> Newest? in
      let waiting = try database.first("SELECT 1 FROM deletions WHERE next IS NOT NULL LIMIT 1") {
        _ in true
      }
      return waiting == nil ? try database.newest() : nil
    }
    guard let newest else { return nil }
    return try await survey(without: [], newest: newest)
  }

  private func survey(without: Set<Int64>, newest: Newest) async throws -> Survey {
    let survey = Locked(Survey(newest: newest, without: without))
    /// Returns whether there are bodies that have not been searched yet.
    func look(
      _ body: @escaping @Sendable (Database, inout Survey) throws -> Void
    ) async throws -> Bool {
      try Task.checkCancellation()
      return try await writer.read { database in
        try survey.withLock { survey in
          try body(database, &survey)
          return !survey.unseen.isEmpty
        }
      }
    }
    var isMore = try await look { try $0.lookAtTexts(&$1) }
    let (lines, bodies) = (Int64(slices.lines), slices.bodies)
    for first in stride(from: Int64(0), through: newest.line, by: slices.lines) {
      while isMore { isMore = try await look { try $0.lookIntoBodies(&$1, atMost: bodies) } }
      isMore = try await look { try $0.lookAtLines(&$1, from: first, before: first + lines) }
    }
    while isMore { isMore = try await look { try $0.lookIntoBodies(&$1, atMost: bodies) } }
    return survey.withLock { $0 }
  }

  // MARK: Bodies

  private struct Unused: Sendable {
    var number: Int64
    var bytes: Int
  }

  /// The next unused bodies, newest first; nil after the oldest one.
  ///
  /// A body is newer than those that it refers to and has to be deleted before them: a writer that finds a body
  /// between two transactions relies on its parts being there.
  private func unused(_ survey: Survey, upTo last: inout Int64) async throws -> [Unused]? {
    if last < 1 { return nil }
    let end = last
    let atMost = slices.bodies * 10
    let found = try await writer.read { database in
      try database.rows(
        "SELECT number, length(bytes) FROM bodies WHERE number <= ? ORDER BY number DESC LIMIT ?",
        .integer(end), .integer(atMost)
      ) { Unused(number: $0.integer(0), bytes: Int($0.integer(1))) }
    }
    last = found.count < atMost ? 0 : (found.last?.number ?? 1) - 1
    return found.filter { !survey.used.contains($0.number) }
  }

  /// `isDone` is false if another process has begun to delete, so that the scan has to start over.
  private func eraseBodies(_ begun: Survey) async throws -> (bytes: Int, isDone: Bool) {
    // What a failed transaction has added to it does no harm: it only keeps more bodies.
    let survey = Locked(begun)
    var bytes = 0
    var newestLeft = begun.newest.body
    while let found = try await unused(begun, upTo: &newestLeft) {
      for start in stride(from: 0, to: found.count, by: slices.bodies) {
        try Task.checkCancellation()
        let part = Array(found[start..<min(found.count, start + slices.bodies)])
        let erased = try await writer.write { database -> (bytes: Int, line: Int64)? in
          try survey.withLock { survey in
            guard let line = try database.lookAtNewcomers(&survey) else { return nil }
            var bytes = 0
            for body in part where !survey.used.contains(body.number) {
              try database.run("DELETE FROM bodies WHERE number = ?", .integer(body.number))
              bytes += body.bytes
            }
            return (bytes, line)
          }
        }
        guard let erased else { return (bytes, false) }
        bytes += erased.bytes
        // Only after the commit: a rollback makes line numbers available again.
        survey.withLock { $0.newest.line = erased.line }
      }
    }
    return (bytes, true)
  }
}

extension Database {
  fileprivate func size(ofJournal end: RunEnd) throws -> Int {
    let bytes = try first(
      """
      WITH RECURSIVE journal AS (
        SELECT number, before, body FROM lines WHERE number = ?1 AND run = ?2
        UNION ALL
        SELECT lines.number, lines.before, lines.body FROM journal
          CROSS JOIN lines ON lines.number = journal.before WHERE lines.run = ?2
      )
      SELECT sum(24 + coalesce(length(body), 0)) FROM journal
      """, end.last.map { .integer($0) } ?? .null, .integer(end.number)
    ) { $0.integer(0) }
    return Int(bytes ?? 0)
  }

  /// Deletes the next items of a user who is to be forgotten; false if none is left to delete.
  fileprivate func deleteItemsOfUsers(atMost: Int) throws -> Bool {
    let deletion = try first(
      "SELECT number, user, lines FROM deletions WHERE user IS NOT NULL ORDER BY number LIMIT 1"
    ) { (number: $0.integer(0), user: $0.integer(1), last: $0.integer(2)) }
    guard let deletion else { return false }
    let items = try rows(
      "SELECT id FROM items WHERE user = ? AND id <= ? LIMIT ?", .integer(deletion.user),
      .integer(deletion.last), .integer(atMost)
    ) { $0.integer(0) }
    for item in items {
      // Chains are of one user, so that all of their facts go.
      try run("DELETE FROM statements WHERE item = ?", .integer(item))
      try run("DELETE FROM facts WHERE item = ?", .integer(item))
      try deleteItem(item)
    }
    if items.count == atMost { return true }
    try run("UPDATE deletions SET user = NULL WHERE number = ?", .integer(deletion.number))
    try deleteWord(deletion.user)
    return true
  }

  /// Deletes the next lines of a deleted run, from its last one back; nil if no lines are left to delete.
  fileprivate func deleteLines(atMost: Int) throws -> (bytes: Int, isBroken: Bool)? {
    let deletion = try first(
      "SELECT number, run, next, lines FROM deletions WHERE next IS NOT NULL ORDER BY number LIMIT 1"
    ) { (number: $0.integer(0), run: $0.integer(1), next: $0.integer(2), left: $0.integer(3)) }
    guard let deletion else { return nil }
    var (next, left, bytes) = (Int64?.some(deletion.next), deletion.left, 0)
    for _ in 0..<atMost {
      guard let number = next else { break }
      let line = try first(
        """
        DELETE FROM lines WHERE number = ? AND run = ?
        RETURNING before, 24 + coalesce(length(body), 0)
        """, .integer(number), .integer(deletion.run)
      ) { (before: $0.integerOrNil(0), bytes: Int($0.integer(1))) }
      next = line?.before
      guard let line else { break }
      left -= 1
      bytes += line.bytes
    }
    try run(
      "UPDATE deletions SET next = ?, lines = ? WHERE number = ?",
      next.map { .integer($0) } ?? .null, .integer(left), .integer(deletion.number))
    return (bytes, next == nil && left != 0)
  }

  /// Deletes lines whose run does not exist.
  fileprivate func deleteStrayLines(from first: Int64, before end: Int64) throws -> Int {
    let stray = """
      FROM lines WHERE number >= ? AND number < ? AND run NOT IN (SELECT number FROM runs)
      """
    let bytes = try self.first(
      "SELECT sum(24 + coalesce(length(body), 0)) \(stray)", .integer(first), .integer(end)
    ) { $0.integer(0) }
    try run("DELETE \(stray)", .integer(first), .integer(end))
    // Scans of other processes have to notice it.
    if changes > 0 { try noteDeletion() }
    return Int(bytes ?? 0)
  }

  /// Records a deletion after which the files have to be scrubbed, and may have bodies that nothing refers to any
  /// more. Returns the number of the record.
  @discardableResult
  func noteDeletion() throws -> Int64 {
    try run("INSERT INTO deletions (run, next, lines) VALUES (0, NULL, 0)")
    return lastInsertedRow
  }

  fileprivate func newest() throws -> Eraser.Newest {
    Eraser.Newest(
      line: try first("SELECT max(number) FROM lines") { $0.integer(0) } ?? 0,
      body: try first("SELECT max(number) FROM bodies") { $0.integer(0) } ?? 0,
      deletion: try first("SELECT seq FROM sqlite_sequence WHERE name = 'deletions'") {
        $0.integer(0)
      } ?? 0)
  }

  /// Finds the bodies that items, runs and questions refer to.
  fileprivate func lookAtTexts(_ survey: inout Eraser.Survey) throws {
    let queries = [
      ("SELECT text FROM items INDEXED BY items_with_body WHERE typeof(text) = 'integer'", false),
      ("SELECT input, number FROM runs WHERE typeof(input) = 'integer'", true),
      ("SELECT question, run FROM approvals", true),
      ("SELECT answer, run FROM approvals WHERE answer IS NOT NULL", true),
    ]
    for (query, isOfRun) in queries {
      let found = try rows(query) { row in
        (body: row.integer(0), run: isOfRun ? row.integer(1) : 0)
      }
      for one in found where !survey.without.contains(one.run) { survey.use(one.body) }
    }
  }

  fileprivate func lookAtLines(
    _ survey: inout Eraser.Survey, from first: Int64, before end: Int64
  ) throws {
    let found = try rows(
      """
      SELECT run, body, seal IS NOT NULL FROM lines
      WHERE number >= ? AND number < ? AND body IS NOT NULL
      """, .integer(first), .integer(end)
    ) { (run: $0.integer(0), body: $0.value(1), isSealed: $0.integer(2) != 0) }
    for line in found where !survey.without.contains(line.run) {
      switch line.body {
      case .integer(let number): survey.use(number)
      // A line that cannot be read refers to nothing. Lines of version 1 are JSON.
      case .bytes(let bytes) where line.isSealed:
        for number in (try? ContentReader.references(in: bytes)) ?? [] { survey.use(number) }
      default: break
      }
    }
  }

  /// The parts of a body in use are in use.
  fileprivate func lookIntoBodies(_ survey: inout Eraser.Survey, atMost: Int) throws {
    for _ in 0..<atMost {
      guard let number = survey.unseen.popLast() else { return }
      let content = try first(
        "SELECT bytes FROM bodies WHERE number = ? AND typeof(digest) = 'blob'", .integer(number)
      ) { $0.bytes(0) }
      let parts = try? ContentReader.references(in: ContentReader.expanded(content ?? []))
      for part in parts ?? [] { survey.use(part) }
    }
  }

  /// Scans what was written meanwhile, and returns the last line. Nil if another process has deleted lines, so that
  /// line numbers do not show what is new.
  fileprivate func lookAtNewcomers(_ survey: inout Eraser.Survey) throws -> Int64? {
    let newest = try newest()
    guard newest.deletion == survey.newest.deletion else { return nil }
    try lookAtTexts(&survey)
    try lookAtLines(&survey, from: survey.newest.line + 1, before: newest.line + 1)
    try lookIntoBodies(&survey, atMost: .max)
    return newest.line
  }
}
