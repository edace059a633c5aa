import RasaCore
import RasaTestKit
import Testing

@testable import RasaSQLite

@Suite struct `A schema` {
  let folder = ScratchDirectory()
  let first = Schema(applicationID: 7, scripts: ["CREATE TABLE a (x); INSERT INTO a VALUES (1)"])
  let second = Schema(
    applicationID: 7,
    scripts: [
      "CREATE TABLE a (x); INSERT INTO a VALUES (1)", "ALTER TABLE a ADD COLUMN y DEFAULT 2",
    ])

  private func open() throws -> Database { try Database(path: folder.file("a.db")) }

  @Test func `is made from nothing, with a write-ahead log`() throws {
    try open().migrate(to: second)
    let database = try open()
    #expect(try database.schemaVersion() == 2)
    #expect(try database.first("SELECT x, y FROM a") { $0.integer(0) + $0.integer(1) } == 3)
    #expect(try database.first("PRAGMA journal_mode") { $0.text(0) } == "wal")
  }

  @Test func `grows and keeps what is there`() throws {
    try open().migrate(to: first)
    try open().execute("INSERT INTO a VALUES (5)")
    try open().migrate(to: second)
    #expect(try open().rows("SELECT x FROM a ORDER BY x") { $0.integer(0) } == [1, 5])
  }

  @Test func `is made whole or not at all`() throws {
    let broken = Schema(applicationID: 7, scripts: ["CREATE TABLE a (x)", "CREATE TABEL b"])
    #expect(throws: Failure.self) { try open().migrate(to: broken) }
    #expect(try open().schemaVersion() == 0)
    try open().migrate(to: first)
  }

  @Test func `of a newer version is refused and not touched`() async throws {
    try open().migrate(to: second)
    let writer = DatabaseWriter(path: folder.file("a.db"), schema: first)
    let failure = await #expect(throws: Failure.self) {
      try await writer.write { try $0.execute("INSERT INTO a VALUES (9)") }
    }
    #expect(failure?.message.contains("newer version") == true)
    #expect(try open().rows("SELECT x FROM a") { $0.integer(0) } == [1])
  }

  @Test func `of another program is refused and not touched`() throws {
    try open().execute("CREATE TABLE theirs (x)")
    let failure = #expect(throws: Failure.self) { try open().migrate(to: first) }
    #expect(failure?.message.contains("another program") == true)
  }
}
