import Glibc
import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

@Suite struct `A damaged journal` {
  let folder = ScratchDirectory()
  let time = FixedTime()
  private let text = String(
    repeating: "a text that is long enough to be a body of its own ", count: 9)

  private var path: String { folder.file("rasa.db") }
  private func store() -> SQLiteStore { SQLiteStore(path: path, time: time.source) }

  /// Six lines of a parked run: short bodies, a long one, a key, none.
  private func write() async throws {
    let store = store()
    store.open(record("r1"), [entry("r1", "started", ["input": "short"])])
    try await store.append([
      entry("r1", "intent", ["n": 1], key: "f:1/o/call#1"),
      entry("r1", "result", ["text": .string(text), "n": 2], key: "f:1/o/call#1"),
      entry("r1", "entered"), entry("r1", "finished", ["n": 5]),
    ])
    try await store.close("r1", RunEnding(.parked), [entry("r1", "parked", ["n": 6])])
    await store.close()
    let database = try Database(path: path)
    try database.checkpoint(emptying: true)
  }

  /// Expects that what comes before the line is given, and that nobody goes on from it.
  private func expectDamage(at line: Int, _ change: String) async throws {
    let store = store()
    let reading = try await store.journal(of: "r1")
    #expect(reading.entries.count == line - 1, "\(change)")
    #expect(reading.damage?.kind == .storage)
    #expect(reading.damage?.message == "line \(line) of the journal of r1 is damaged", "\(change)")
    if line > 1 {
      #expect(
        reading.damage?.suggestion
          == "what came before can be used: `rasa runs fork r1 --at \(line - 1)`")
    }
    await #expect(throws: Failure.self) { try await store.entries(of: "r1") }
    let failure = await #expect(throws: Failure.self) { try await store.claim("r1") }
    #expect(failure == reading.damage)
    // A refused claim has changed nothing.
    #expect(try await store.run("r1")?.record.status == .parked)
    await store.close()
  }

  private static let third = "WHERE number = 3"

  @Test(
    arguments: [
      ("UPDATE lines SET time = time + 1 \(third)", 3),
      ("UPDATE lines SET kind = 1 \(third)", 3),
      ("UPDATE lines SET kind = 4711 \(third)", 3),
      ("UPDATE lines SET key = NULL \(third)", 3),
      ("UPDATE lines SET key = 1 \(third)", 3),
      ("UPDATE lines SET body = NULL \(third)", 3),
      ("UPDATE lines SET body = 1 \(third)", 3),
      ("UPDATE lines SET body = x'b1' \(third)", 3),
      ("UPDATE lines SET body = (SELECT body FROM lines WHERE number = 2) \(third)", 3),
      ("UPDATE lines SET seal = x'0102030405060708' \(third)", 3),
      ("UPDATE lines SET seal = NULL \(third)", 3),
      ("UPDATE lines SET number = number + 100 \(third)", 3),
      ("UPDATE lines SET run = run + 5 \(third)", 3),
      ("UPDATE lines SET before = NULL \(third)", 3),
      ("UPDATE lines SET before = 1 \(third)", 3),
      ("UPDATE lines SET before = 6 \(third)", 3),
      ("DELETE FROM lines \(third)", 3),
      ("DELETE FROM lines WHERE number = 1", 1),
      ("DELETE FROM lines WHERE number = 6", 6),
      ("DELETE FROM lines WHERE number >= 3", 3),
      ("UPDATE runs SET seal = x'00'", 7),
      ("UPDATE runs SET lines = 5", 6), ("UPDATE runs SET last = NULL", 7),
      ("UPDATE runs SET last = 2", 7),
      ("DELETE FROM bodies", 3),
      ("UPDATE bodies SET digest = x'00000000000000000000000000000000'", 3),
      ("UPDATE bodies SET bytes = x'4161'", 3),
      ("UPDATE words SET text = 'other' WHERE text = 'result'", 3),
    ])
  func `gives what came before, and says which line it is`(change: String, line: Int) async throws {
    try await write()
    try Database(path: path).execute(change)
    if change.contains("lines = 5") {
      let reading = try await store().journal(of: "r1")
      #expect(reading.damage != nil)
      return
    }
    try await expectDamage(at: line, change)
  }

  @Test func `shows every bit of a body and of a line that has changed`() async throws {
    try await write()
    let database = try Database(path: path)
    let body = try database.first("SELECT bytes FROM bodies") { $0.bytes(0) } ?? []
    let line = try database.first("SELECT body FROM lines \(Self.third)") { $0.bytes(0) } ?? []
    #expect(body.count > 20 && line.count > 5)
    let entries = try database.journal(of: "r1")?.entries ?? []
    try database.execute("PRAGMA synchronous = OFF")
    for bit in 0..<(body.count * 8) {
      try flip(
        bit, of: body, "UPDATE bodies SET bytes = ?", in: database, expecting: entries)
    }
    for bit in 0..<(line.count * 8) {
      try flip(
        bit, of: line, "UPDATE lines SET body = ? \(Self.third)", in: database,
        expecting: entries)
    }
  }

  /// A bit that says nothing (the end of a compressed text has some) may change.
  private func flip(
    _ bit: Int, of bytes: [UInt8], _ update: String, in database: Database,
    expecting entries: [JournalEntry]
  ) throws {
    var changed = bytes
    changed[bit / 8] ^= 1 << UInt8(bit % 8)
    try database.run(update, .bytes(changed))
    let reading = try #require(try database.journal(of: "r1"))
    if let damage = reading.damage {
      #expect(damage.message == "line 3 of the journal of r1 is damaged", "bit \(bit)")
      #expect(reading.entries == Array(entries.prefix(2)))
    } else {
      #expect(reading.entries == entries, "bit \(bit) with \(update)")
    }
    try database.run(update, .bytes(bytes))
  }

  @Test func `of one run harms no other`() async throws {
    try await write()
    let first = store()
    first.open(record("r2"), [entry("r2", "a", .string(text))])
    try await first.close("r2", RunEnding(.done), [])
    await first.close()
    try Database(path: path).execute("DELETE FROM lines WHERE run = 1")
    let store = store()
    #expect(try await store.journal(of: "r2").damage == nil)
    #expect(try await store.runs().count == 2)
    #expect(try await store.deleteRun("r1"))
    #expect(try await store.entries(of: "r2").map(\.body) == [.string(text)])
  }

  @Test func `whose file was cut short is refused with what may help`() async throws {
    try await write()
    let length = RawFile.size(of: path)
    for part in [0.9, 0.5, 0.1] {
      #expect(unsafe truncate(path, Int(Double(length) * part)) == 0)
      let store = store()
      let failure = await #expect(throws: Failure.self) { try await store.entries(of: "r1") }
      #expect(failure?.kind == .storage)
      #expect(failure?.suggestion.contains(".recover") == true)
      await store.close()
    }
  }

  @Test func `shows in turns and questions too`() async throws {
    let first = store()
    first.open(record("r1", session: "s"), [])
    _ = try await first.ask(approval("r1", "May it?", payload: .string(text)), recording: [])
    let turn = SessionTurn(
      session: "s", run: "r1", time: time.now, input: "short", output: text + text)
    try await first.close("r1", RunEnding(.parked, turn: turn), [])
    await first.close()
    try Database(path: path).execute("UPDATE bodies SET bytes = x'4161'")
    let store = store()
    let failure = await #expect(throws: Failure.self) { try await store.turns(of: "s", limit: 1) }
    #expect(failure?.message.contains("is damaged") == true)
    let other = await #expect(throws: Failure.self) { try await store.approvals(limit: 1) }
    #expect(other?.message.contains("is damaged") == true)
    #expect(try await store.runs().count == 1)
  }
}
