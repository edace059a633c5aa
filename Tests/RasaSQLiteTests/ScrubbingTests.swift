import Glibc
import RasaCore
import RasaTestKit
import Testing

@testable import RasaSQLite

@Suite struct `Scrubbing` {
  let folder = ScratchDirectory()
  private static let schema = Schema(
    applicationID: 7,
    scripts: [
      """
      CREATE TABLE by_number (number INTEGER PRIMARY KEY, kind TEXT, text ANY) STRICT;
      CREATE TABLE by_text (text TEXT NOT NULL PRIMARY KEY, kind TEXT) STRICT, WITHOUT ROWID;
      CREATE INDEX texts ON by_number (text)
      """
    ])
  private static let tables = ["by_number", "by_text"]

  private var path: String { folder.file("a.db") }

  private func writer(_ change: (inout DatabaseWriter.Options) -> Void = { _ in }) -> DatabaseWriter
  {
    var options = DatabaseWriter.Options()
    change(&options)
    return DatabaseWriter(path: path, schema: Self.schema, options: options)
  }

  /// Rows of all sizes in random order, of which about a third are to be deleted.
  private func fill(_ writer: DatabaseWriter, _ numbers: inout SeededNumbers) async throws {
    for _ in 0..<12 {
      let texts = (0..<40).map { _ -> (kind: String, text: String) in
        let isSecret = Int.random(in: 0..<3, using: &numbers) == 0
        let length = [0, 8, 30, 200, 900, 9000].randomElement(using: &numbers) ?? 0
        let words = String(
          (0..<length).map { _ in "abcdefgh".randomElement(using: &numbers) ?? "a" })
        let name = "\(UInt64.random(in: .min ... .max, using: &numbers))"
        return isSecret ? ("gone", "\(name) SECRET \(words)") : ("kept", "\(name) \(words)")
      }
      let grown = Int.random(in: 0..<400, using: &numbers)
      try await writer.write { database in
        for (kind, text) in texts {
          try database.run(
            "INSERT INTO by_number (kind, text) VALUES (?, ?)", .text(kind), .text(text))
          try database.run("INSERT INTO by_text VALUES (?, ?)", .text(text), .text(kind))
        }
        try database.run(
          "UPDATE by_number SET text = text || text WHERE number % 400 = ?", .integer(grown))
      }
    }
  }

  private func delete(_ writer: DatabaseWriter) async throws {
    for table in Self.tables {
      try await writer.write { try $0.run("DELETE FROM \(table) WHERE kind = 'gone'") }
    }
  }

  private func scrub(_ writer: DatabaseWriter) async throws {
    var page: Int64 = 1
    while case .next(let next) = try await writer.scrub(from: page) { page = next }
  }

  private func content(_ writer: DatabaseWriter) async throws -> [String] {
    try await writer.read { database in
      try Self.tables.flatMap { table in
        try database.rows("SELECT text FROM \(table) ORDER BY text") { $0.text(0) }
      }
    }
  }

  private func isMentioned(_ text: String) -> Bool {
    ["", "-wal", "-shm"].contains { RawFile.read(path + $0).contains(text) }
  }

  /// The pages of its pointer maps look like others.
  @Test func `refuses a file with auto_vacuum`() async throws {
    let first = writer()
    try await first.write { _ in }
    await first.close()
    try Database(path: path).execute("PRAGMA auto_vacuum = FULL; VACUUM")
    let writer = writer()
    let failure = await #expect(throws: Failure.self) { try await scrub(writer) }
    #expect(failure?.message.contains("`auto_vacuum` on") == true, "\(failure?.message ?? "")")
    await writer.close()
  }

  /// Nothing is left of deleted rows, whether their table, an index or a balanced page had them.
  @Test(arguments: 1...6)
  func `leaves rows as they are and nothing of those that are deleted`(seed: UInt64) async throws {
    var numbers = SeededNumbers(seed: seed)
    let writer = writer { $0.pagesPerScrub = 16 }
    try await fill(writer, &numbers)
    try await delete(writer)
    let kept = try await content(writer)
    try await scrub(writer)
    #expect(!isMentioned("SECRET"))
    #expect(try await content(writer) == kept)
    // What has been read before is not what the file is judged by.
    await writer.close()
    let next = self.writer()
    #expect(try await content(next) == kept)
    let check = try await next.read { try $0.first("PRAGMA integrity_check") { $0.text(0) } }
    #expect(check == "ok")
    #expect(deadBytes(of: path) == 0)
    await next.close()
  }

  /// A page in memory could bring back what has been zeroed in the file.
  @Test(arguments: 1...3)
  func `is not undone by connections that had read the pages before`(seed: UInt64) async throws {
    var numbers = SeededNumbers(seed: seed)
    let (writer, another) = (writer(), writer())
    try await fill(writer, &numbers)
    try await delete(writer)
    let kept = try await content(another)
    #expect(try await content(writer) == kept)
    try await scrub(writer)
    for one in [another, writer, another] {
      try await one.write { database in
        for table in Self.tables {
          try database.run("UPDATE \(table) SET kind = kind || ' again'")
        }
      }
    }
    for one in [writer, another] { await one.close() }
    #expect(!isMentioned("SECRET"))
    let next = self.writer()
    #expect(try await content(next) == kept)
    await next.close()
  }

  @Test func `waits for nobody who keeps reading, and reports it`() async throws {
    let writer = writer()
    try await writer.write { try $0.run("INSERT INTO by_text VALUES ('SECRET', 'gone')") }
    let reader = try Database(path: path)
    try reader.execute("BEGIN; SELECT count(*) FROM by_text")
    try await delete(writer)
    #expect(try await writer.scrub(from: 1) == .isBusy)
    #expect(isMentioned("SECRET"))
    try reader.execute("COMMIT")
    #expect(try await writer.scrub(from: 1) == .isDone)
    #expect(!isMentioned("SECRET"))
    await writer.close()
  }

  /// What no page of a whole database looks like is left alone.
  @Test(arguments: 1...40)
  func `takes no page apart that is damaged`(seed: UInt64) {
    var numbers = SeededNumbers(seed: seed)
    for header in [0, 100] {
      var page = [UInt8](repeating: 0, count: 512)
      for place in page.indices { page[place] = .random(in: 0...255, using: &numbers) }
      page[header] = [2, 5, 10, 13, 0, 255].randomElement(using: &numbers) ?? 0
      if Bool.random(using: &numbers) { page[header + 3] = 0 }
      if Bool.random(using: &numbers) { page[header + 5] = 1 }
      if Bool.random(using: &numbers) { page[header + 1] = 1 }
      for length in [512, 480, header + 11, header] {
        let slice = page[..<length]
        for unused in BTreePage.unused(in: slice, headerAt: header) {
          #expect(unused.lowerBound >= header + 8 && unused.upperBound <= length)
        }
      }
    }
    // A block that is its own successor.
    var page = [UInt8](repeating: 0, count: 512)
    page.replaceSubrange(0..<8, with: [13, 1, 0, 0, 0, 1, 0, 0])
    page.replaceSubrange(256..<260, with: [1, 0, 0, 8])
    #expect(BTreePage.unused(in: page[...], headerAt: 0) == [])
  }

  /// How many bytes that no cell of the database's tables and indexes has are not zero.
  private func deadBytes(of path: String) -> Int {
    let file = RawFile.read(path)
    let size = Int(file[16]) << 8 | Int(file[17])
    var dead = 0
    for start in stride(from: 0, to: file.count, by: size) {
      let header = start == 0 ? 100 : 0
      for unused in BTreePage.unused(in: file[start..<(start + size)], headerAt: header) {
        dead += file[unused].count { $0 != 0 }
      }
    }
    return dead
  }
}
