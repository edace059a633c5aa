import Glibc
import RasaCore
import RasaTestKit
import Testing

@testable import RasaSQLite

@Suite struct `What is acknowledged` {
  let folder = ScratchDirectory()
  private static let schema = Schema(applicationID: 7, scripts: ["CREATE TABLE t (a UNIQUE)"])

  /// Puts a file that takes everything and flushes nothing in the place of the log.
  private static func spoilLog() -> Bool {
    for number in Int32(3)..<200 {
      var name = [CChar](repeating: 0, count: 4096)
      let length = unsafe readlink("/proc/self/fd/\(number)", &name, name.count)
      guard length > 0 else { continue }
      let path = String(decoding: name.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard path.hasSuffix("a.db-wal") else { continue }
      let nothing = unsafe open("/dev/null", O_RDWR)
      return dup2(nothing, number) == number
    }
    return false
  }

  @Test func `has been flushed, and after a flush that failed nothing is`() async throws {
    let path = folder.file("a.db")
    await #expect(processExitsWith: .success) { [path = path as String] in
      let writer = DatabaseWriter(path: path, schema: Self.schema)
      try await writer.write { try $0.run("INSERT INTO t VALUES (1)") }
      #expect(Self.spoilLog())
      let failure = await #expect(throws: Failure.self) {
        try await writer.write { try $0.run("INSERT INTO t VALUES (2)") }
      }
      #expect(failure?.kind == .storage)
      #expect(failure?.message == "reading or writing \(path) failed")
      for _ in 0..<2 {
        await #expect(throws: Failure.self) {
          try await writer.write { try $0.run("INSERT INTO t VALUES (3)") }
        }
        await #expect(throws: Failure.self) { try await writer.read { _ in } }
      }
      await writer.close()
    }
    // What the others knew of the log is gone with them.
    _ = unsafe unlink(folder.file("a.db-shm"))
    let writer = DatabaseWriter(path: path, schema: Self.schema)
    let kept = try await writer.read { try $0.rows("SELECT a FROM t") { $0.integer(0) } }
    #expect(kept == [1])
  }

  private func relaxed(_ delay: Duration) -> DatabaseWriter {
    var options = DatabaseWriter.Options()
    options.flushDelay = { delay }
    return DatabaseWriter(path: folder.file("a.db"), schema: Self.schema, options: options)
  }

  @Test func `can be with others before it is on the disk, and is there when the writer closes`()
    async throws
  {
    let writer = relaxed(.seconds(3_600))
    for number in 0..<20 {
      try await writer.write { try $0.run("INSERT INTO t VALUES (?)", .integer(Int64(number))) }
    }
    #expect(writer.commits >= 20 && writer.flushes == 0)
    // What another process sees is what a killed one has left.
    let other = DatabaseWriter(path: folder.file("a.db"), schema: Self.schema)
    let count = try await other.read { database in
      try database.first("SELECT count(*) FROM t") { $0.integer(0) }
    }
    #expect(count == 20)
    await other.close()
    await writer.close()
    #expect(writer.flushes == 1)
  }

  @Test(.timeLimit(.minutes(1))) func `is on the disk after the delay, with nobody asking`()
    async throws
  {
    let writer = relaxed(.milliseconds(1))
    try await writer.write { try $0.run("INSERT INTO t VALUES (1)") }
    while writer.flushes == 0 { await Task.yield() }
    // Nothing is left to be flushed.
    await writer.close()
    #expect(writer.flushes == 1)
  }

  @Test func `is known to be lost where the late flush fails`() async throws {
    let path = folder.file("a.db")
    await #expect(processExitsWith: .success) { [path = path as String] in
      var options = DatabaseWriter.Options()
      options.flushDelay = { .milliseconds(1) }
      let writer = DatabaseWriter(path: path, schema: Self.schema, options: options)
      try await writer.write { try $0.run("INSERT INTO t VALUES (1)") }
      while writer.flushes == 0 { await Task.yield() }
      #expect(Self.spoilLog())
      // It is written before the flush is due, and what comes after the flush is refused.
      var failure: Failure?
      while failure == nil {
        do throws(any Error) {
          try await writer.write { try $0.run("UPDATE t SET a = a + 1") }
        } catch { failure = error as? Failure }
      }
      #expect(failure?.kind == .storage)
      await writer.close()
    }
  }

  @Test func `lies in a short log, also when several write without a pause`() async throws {
    var options = DatabaseWriter.Options()
    options.pagesBeforeCheckpoint = 20
    let path = folder.file("a.db")
    let writers = (0..<3).map { _ in
      DatabaseWriter(path: path, schema: Self.schema, options: options)
    }
    try await withThrowingTaskGroup { group in
      for (place, writer) in writers.enumerated() {
        group.addTask {
          for number in 0..<300 {
            try await writer.write {
              try $0.run("INSERT INTO t VALUES (?)", .integer(number * 3 + place))
            }
          }
        }
      }
      try await group.waitForAll()
    }
    // Far less than the 1,800 pages that were written.
    #expect(RawFile.size(of: path + "-wal") <= 600 * 4120)
    let count = try await writers[0].read { database in
      try database.first("SELECT count(*) FROM t") { $0.integer(0) }
    }
    #expect(count == 900)
  }
}
