import RasaCore
import RasaEngine
import Testing

@testable import RasaStore

@Suite struct `Every journal` {
  @Test(arguments: StoreKind.allCases)
  func `gives back its entries as they were`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let long = Value.string(String(repeating: "long body 🦆 ", count: 200))
    let lines = [
      entry("r1", "started"),
      entry(
        "r1", "called", ["text": "short", "n": 3, "x": 1.5, "deep": [["a": .null]]], key: "f:1/o"),
      entry("r1", "answered", ["text": long, "of": "r1"]),
      entry("r1", "answered again", ["text": long, "of": "r1"]), entry("r1", "empty", ""),
    ]
    store.open(record("r1"), [lines[0]])
    store.record([lines[1]])
    try await store.append(Array(lines[2...]))
    #expect(try await store.entries(of: "r1") == lines)
    #expect(try await store.record(of: "r1") == record("r1"))
  }

  @Test(arguments: StoreKind.allCases)
  func `has nothing of a run it does not know`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    #expect(try await store.entries(of: "none") == [])
    #expect(try await store.record(of: "none") == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `shows deferred lines to who reads the run`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [entry("r1", "a")])
    store.record([entry("r1", "b"), entry("r1", "c")])
    #expect(try await store.entries(of: "r1").map(\.kind) == ["a", "b", "c"])
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps the order of the calls, for several runs in one call too`(kind: StoreKind)
    async throws
  {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    store.open(record("r2"), [])
    for number in 0..<20 {
      store.record([entry("r1", "deferred \(number)"), entry("r2", "deferred \(number)")])
      try await store.append([entry("r2", "durable \(number)"), entry("r1", "durable \(number)")])
    }
    let expected = (0..<20).flatMap { ["deferred \($0)", "durable \($0)"] }
    #expect(try await store.entries(of: "r1").map(\.kind) == expected)
    #expect(try await store.entries(of: "r2").map(\.kind) == expected)
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps each writer's order when many write at once`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    try await withThrowingTaskGroup { group in
      for writer in 0..<8 {
        group.addTask {
          for number in 0..<25 {
            store.record([entry("r1", "\(writer)", .int(Int64(number * 2)))])
            try await store.append([entry("r1", "\(writer)", .int(Int64(number * 2 + 1)))])
          }
        }
      }
      try await group.waitForAll()
    }
    let entries = try await store.entries(of: "r1")
    #expect(entries.count == 400)
    for writer in 0..<8 {
      #expect(
        entries.filter { $0.kind == "\(writer)" }.map(\.body.int) == (0..<50).map { Int64($0) })
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `tells a failure of a deferred line to the next durable call`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    try await store.append([entry("r1", "kept")])
    store.open(record("r1"), [])
    await #expect(throws: Failure.self) { try await store.append([entry("r1", "lost")]) }
    await #expect(throws: Failure.self) {
      try await store.close("r1", RunEnding(.done), [])
    }
    store.open(record("r2"), [])
    try await store.append([entry("r2", "unharmed")])
  }

  @Test(arguments: StoreKind.allCases)
  func `refuses lines of a run that was never opened`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    await #expect(throws: Failure.self) {
      try await store.append([entry("r1", "a"), entry("none", "b")])
    }
    #expect(try await store.entries(of: "r1") == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `ends a run with its turn and notes at once`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    store.open(record("r1", session: "s"), [entry("r1", "a")])
    let note = note("s", "a note", at: fixture.time.now)
    try await store.close(
      "r1", RunEnding(.done, turn: turn("s", "r1"), notes: [note]), [entry("r1", "z")])
    #expect(try await store.record(of: "r1")?.status == .done)
    #expect(try await store.turns(of: "s", limit: 9) == [turn("s", "r1")])
    #expect(try await store.notes(of: "s", limit: 9) == [note])
    #expect(try await store.entries(of: "r1").map(\.kind) == ["a", "z"])
  }

  @Test(arguments: StoreKind.allCases)
  func `ends a run wholly or not at all`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    store.open(record("r1", session: "s"), [])
    await #expect(throws: Failure.self) {
      try await store.close(
        "r1",
        RunEnding(.done, turn: turn("s", "r1"), notes: [note("s", "n", at: fixture.time.now)]),
        [entry("r1", "a"), entry("unknown", "b")])
    }
    #expect(try await store.entries(of: "r1") == [])
    #expect(try await store.record(of: "r1")?.status == .running)
    #expect(try await store.turns(of: "s", limit: 9) == [])
    #expect(try await store.notes(of: "s", limit: 9) == [])
    await #expect(throws: Failure.self) {
      try await store.close("never", RunEnding(.done, turn: turn("s", "never")), [])
    }
    #expect(try await store.turns(of: "s", limit: 9) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `lets a parked run go on and end again with one turn`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1", session: "s"), [])
    try await store.close("r1", RunEnding(.parked, turn: turn("s", "r1")), [])
    _ = try await store.claim("r1")
    store.record([entry("r1", "resumed")])
    var last = turn("s", "r1")
    last.output = "the last word"
    try await store.close("r1", RunEnding(.done, turn: last), [])
    #expect(try await store.turns(of: "s", limit: 9) == [last])
    #expect(try await store.record(of: "r1")?.status == .done)
  }
}
