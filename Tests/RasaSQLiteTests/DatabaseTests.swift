import Glibc
import RasaCore
import RasaTestKit
import Testing

@testable import RasaSQLite

@Suite struct `A database` {
  let folder = ScratchDirectory()

  @Test(arguments: [
    SQLValue.null, 0, .integer(Int64.max), .integer(Int64.min), .real(0.1), .real(-1e300), "",
    "naïve 🦆 — \u{0}after NUL", .text(String(repeating: "long", count: 10_000)), .bytes([]),
    .bytes([0, 1, 255]),
  ])
  func `gives back every value as it was`(value: SQLValue) throws {
    let database = try Database(path: folder.file("a.db"))
    let back = try database.first("SELECT ?1, typeof(?1)", value) { row -> SQLValue in
      switch row.text(1) {
      case "null": return .null
      case "integer": return .integer(row.integer(0))
      case "real": return .real(row.real(0))
      case "text": return .text(row.text(0))
      default: return .bytes(row.bytes(0))
      }
    }
    #expect(back == value)
  }

  @Test func `makes its folder and file for this user alone`() throws {
    let path = folder.file("deep/er/a.db")
    let database = try Database(path: path)
    try database.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
    #expect(RawFile.mode(of: folder.file("deep")) == 0o700)
    #expect(RawFile.mode(of: folder.file("deep/er")) == 0o700)
    #expect(RawFile.mode(of: path) == 0o600)
    #expect(RawFile.mode(of: path + "-wal") == 0o600)
  }

  @Test func `closes an existing file to others`() throws {
    let path = folder.file("a.db")
    RawFile.write([], to: path)
    _ = unsafe chmod(path, 0o644)
    _ = try Database(path: path)
    #expect(RawFile.mode(of: path) == 0o600)
  }

  @Test func `takes a name that looks like a URI as a name`() throws {
    let path = folder.file("file:a.db?mode=memory")
    try Database(path: path).execute("CREATE TABLE t (a)")
    #expect(RawFile.mode(of: path) == 0o600)
  }

  @Test func `forbids what a foreign file could use`() throws {
    let database = try Database(path: folder.file("a.db"))
    try database.execute("CREATE VIRTUAL TABLE words USING fts5 (text)")
    #expect(throws: Failure.self) { try database.execute("DELETE FROM words_data") }
    #expect(throws: Failure.self) { try database.execute("SELECT load_extension('x')") }
    #expect(throws: Failure.self) { try database.execute("SELECT \"no such column\"") }
    #expect(try database.first("PRAGMA trusted_schema") { $0.integer(0) } == 0)
    #expect(try database.first("PRAGMA foreign_keys") { $0.integer(0) } == 1)
    #expect(try database.first("PRAGMA cell_size_check") { $0.integer(0) } == 1)
    #expect(try database.first("PRAGMA synchronous") { $0.integer(0) } == 1)
  }

  @Test func `takes back a failed savepoint and keeps the rest`() throws {
    let database = try Database(path: folder.file("a.db"))
    try database.execute("CREATE TABLE t (a UNIQUE)")
    try database.transaction {
      try database.run("INSERT INTO t VALUES (?)", 1)
      #expect(throws: Failure.self) {
        try database.savepoint {
          try database.run("INSERT INTO t VALUES (?)", 2)
          try database.run("INSERT INTO t VALUES (?)", 1)
        }
      }
      try database.savepoint { try database.run("INSERT INTO t VALUES (?)", 3) }
    }
    #expect(try database.rows("SELECT a FROM t ORDER BY a") { $0.integer(0) } == [1, 3])
  }

  @Test func `takes back a failed transaction`() throws {
    let database = try Database(path: folder.file("a.db"))
    try database.execute("CREATE TABLE t (a)")
    #expect(throws: CancellationError.self) {
      try database.transaction {
        try database.run("INSERT INTO t VALUES (?)", 1)
        throw CancellationError()
      }
    }
    #expect(!database.isInTransaction)
    #expect(try database.rows("SELECT a FROM t") { $0.integer(0) } == [])
  }

  @Test func `refuses a statement with too few or too many values`() throws {
    let database = try Database(path: folder.file("a.db"))
    #expect(throws: Failure.self) { try database.run("SELECT ?, ?", 1) }
    #expect(throws: Failure.self) { try database.run("SELECT 1", 1) }
  }
}

@Suite struct `A database says what is wrong` {
  let folder = ScratchDirectory()

  private func failure(_ body: () throws -> Void) -> Failure? {
    do {
      try body()
      return nil
    } catch { return error as? Failure }
  }

  @Test func `with a file that is something else`() {
    let path = folder.file("a.db")
    RawFile.write(Array(repeating: UInt8(ascii: "x"), count: 8192), to: path)
    let failure = failure { _ = try Database(path: path).schemaVersion() }
    #expect(failure?.kind == .storage)
    #expect(failure?.message == "\(path) is not a database")
    #expect(failure?.suggestion.isEmpty == false)
  }

  @Test func `with a damaged file`() throws {
    let path = folder.file("a.db")
    do {
      let database = try Database(path: path)
      try database.execute("CREATE TABLE t (a)")
      try database.transaction {
        for number in 0..<1000 {
          try database.run("INSERT INTO t VALUES (?)", .text("line \(number) of the table"))
        }
      }
    }
    RawFile.overwrite(Array(repeating: 0xAA, count: 8192), in: path, at: 4096)
    let failure = failure {
      _ = try Database(path: path).rows("SELECT a FROM t") { $0.text(0) }
    }
    #expect(failure?.message == "\(path) is damaged")
    #expect(failure?.suggestion.contains("recover") == true)
  }

  @Test func `with a folder in its place`() {
    let failure = failure { _ = try Database(path: folder.path) }
    #expect(failure?.message == "\(folder.path) is a folder, not a database")
  }

  @Test func `with a file in the place of its folder`() {
    RawFile.write([1], to: folder.file("plain"))
    let failure = failure { _ = try Database(path: folder.file("plain/a.db")) }
    #expect(failure?.message.contains("does not exist") == true)
  }

  @Test(arguments: ["", "a\u{0}b"]) func `with an impossible name`(name: String) {
    #expect(failure { _ = try Database(path: name) }?.kind == .storage)
  }

  @Test func `with a lock that another holds`() throws {
    let path = folder.file("a.db")
    let first = try Database(path: path)
    try first.execute("CREATE TABLE t (a)")
    try first.begin()
    let failure = failure { try Database(path: path, busyTimeout: 1).begin() }
    #expect(failure?.message == "\(path) is locked by another process")
  }

  @Test func `with a full disk, which leaves what was committed`() throws {
    let path = folder.file("a.db")
    let database = try Database(path: path)
    try database.execute("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
    try database.run("INSERT INTO t VALUES (?)", "kept")
    try database.execute("PRAGMA max_page_count = 10")
    let failure = failure {
      try database.transaction {
        for _ in 0..<100 {
          try database.run("INSERT INTO t VALUES (?)", .bytes(Array(repeating: 1, count: 4000)))
        }
      }
    }
    #expect(failure?.message == "there is no room left to write \(path)")
    #expect(try database.rows("SELECT a FROM t") { $0.text(0) } == ["kept"])
  }

  @Test func `with a statement of our own that is wrong`() throws {
    let failure = failure { try Database(path: folder.file("a.db")).run("SELEC 1") }
    #expect(failure?.details.contains { $0.contains("syntax error") } == true)
  }
}
