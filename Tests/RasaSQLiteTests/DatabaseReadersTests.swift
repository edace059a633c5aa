import RasaCore
import RasaTestKit
import Testing

@testable import RasaSQLite

@Suite struct `Readers of a database` {
  let folder = ScratchDirectory()
  let schema = Schema(applicationID: 7, scripts: ["CREATE TABLE t (a UNIQUE)"])

  private func readers() async throws -> DatabaseReaders {
    let writer = DatabaseWriter(path: folder.file("a.db"), schema: schema)
    _ = try await writer.write { try $0.run("INSERT INTO t VALUES (1)") }
    await writer.close()
    return DatabaseReaders(path: folder.file("a.db"), schema: schema)
  }

  private func connection(_ readers: DatabaseReaders) async throws -> ObjectIdentifier? {
    try await readers.read { database in
      let value = try database.first("SELECT a FROM t") { $0.integer(0) }
      #expect(value == 1)
      return ObjectIdentifier(database)
    }
  }

  @Test(arguments: [false, true])
  func `use one connection for what is read one after the other`(isPrepared: Bool) async throws {
    let readers = try await readers()
    if isPrepared { readers.prepare() }
    let first = try #require(try await connection(readers))
    for _ in 0..<200 {
      let next = try await connection(readers)
      #expect(next == first)
    }
    await readers.close()
  }

  @Test func `open another connection while one is in use`() async throws {
    let readers = try await readers()
    let (isRead, mayGoOn) = (Gate(), Gate())
    let slow = Task {
      try await readers.read { database in
        isRead.open()
        mayGoOn.wait()
        return ObjectIdentifier(database)
      }
    }
    await isRead.opened()
    let other = try await connection(readers)
    mayGoOn.open()
    #expect(try await slow.value != other)
    await readers.close()
  }

  @Test func `find the file that was made after they were prepared`() async throws {
    let readers = DatabaseReaders(path: folder.file("a.db"), schema: schema)
    readers.prepare()
    let early = try await readers.read { _ in true }
    #expect(early == nil)
    _ = try await self.readers()
    #expect(try await connection(readers) != nil)
    await readers.close()
  }
}
