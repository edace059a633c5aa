import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// What deleting does to others, and what it leaves in the files.
@Suite struct `Erasing` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private func store(
    _ owner: String = "me", _ change: (inout DeletionSlices) -> Void = { _ in }
  ) -> SQLiteStore {
    var slices = DeletionSlices()
    change(&slices)
    return SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: owner, lease: .seconds(3600),
      options: DatabaseWriter.Options(), slices: slices)
  }

  private func contains(_ text: String) -> Bool {
    ["rasa.db", "rasa.db-wal", "rasa.db-shm", "rasa.db-turn"].contains { name in
      RawFile.read(folder.file(name)).contains(text)
    }
  }

  private func count(_ store: SQLiteStore, _ table: String) async throws -> Int64 {
    try await store.writer.read {
      try $0.first("SELECT count(*) FROM \(table)") { $0.integer(0) } ?? 0
    }
  }

  /// A finished run that says so many things, each of which only it has said.
  private func talk(_ store: SQLiteStore, _ run: String, lines: Int) async throws {
    store.open(record(run), [])
    try await store.close(
      Identifier(run), RunEnding(.done),
      (0..<lines).map {
        entry(run, "a", .string("\(run) \($0) " + String(repeating: "\($0 % 10)", count: 200)))
      })
  }

  @Test func `goes in small transactions, between which others write`() async throws {
    let store = store {
      $0.runs = 3
      $0.lines = 10
      $0.bodies = 10
    }
    for number in 0..<12 { try await talk(store, "old\(number)", lines: 20) }
    let shared = Value.string("shared " + String(repeating: "said again ", count: 40))
    store.open(record("kept"), [entry("kept", "a", shared)])
    try await store.append([])
    let writer = self.store("another")
    writer.open(record("living"), [])
    try await writer.append([])

    let before = (commits: store.commits, writes: store.writes)
    async let pruning = store.pruneRuns(
      endedBefore: Timestamp(milliseconds: .max), statuses: [.done])
    var lines = 0
    let isDone = Locked(false)
    async let writing: Int = {
      while !isDone.withLock({ $0 }) {
        // It says what others said, too: a body that is found unused must be seen to be used again.
        try await writer.append([
          entry("living", "b", shared),
          entry("living", "c", .string("old3 \(lines % 20) " + String(repeating: "x", count: 200))),
        ])
        lines += 2
      }
      return lines
    }()
    let report = try await pruning
    isDone.withLock { $0 = true }
    let written = try await writing
    #expect(report.runs.count == 12)
    // 4 for the runs, 240 lines and 240 bodies by tens, and the end of it.
    #expect(store.commits - before.commits >= 4 + 24 + 24)
    #expect(store.commits - before.commits == store.writes - before.writes)
    let reading = try await writer.journal(of: "living")
    #expect(reading.damage == nil && reading.entries.count == written)
    #expect(try await store.entries(of: "kept").map(\.body) == [shared])
    #expect(try await count(store, "lines") == Int64(written) + 1)
    #expect(try await count(store, "deletions") == 0)
  }

  @Test func `deletes what refers to others before them`() async throws {
    let store = store { $0.bodies = 1 }
    let texts = (0..<8).map { Value.string(String(repeating: "long text \($0) ", count: 40)) }
    let nested = Value.array([.array(texts)])
    store.open(record("old"), [entry("old", "a", nested)])
    try await store.close("old", RunEnding(.done), [])
    try await store.writer.write { database in
      try database.execute(
        """
        CREATE TABLE gone (place INTEGER PRIMARY KEY, body INTEGER);
        CREATE TRIGGER going AFTER DELETE ON bodies
          BEGIN INSERT INTO gone (body) VALUES (old.number); END
        """)
    }
    #expect(try await store.deleteRun("old"))
    // Whoever writes in between and finds a body there takes it for whole.
    let gone = try await store.writer.read {
      try $0.rows("SELECT body FROM gone ORDER BY place") { $0.integer(0) }
    }
    #expect(gone.count > 2 && gone == gone.sorted(by: >))
  }

  @Test(arguments: [1, 2, 3])
  func `keeps what is said again while it looks`(seed: UInt64) async throws {
    let store = store {
      $0.lines = 2
      $0.bodies = 1
    }
    let writer = self.store("another")
    writer.open(record("living"), [])
    try await writer.append([])
    var values = RandomValues(seed: seed)
    let said = (0..<20).map { _ in values.value() }
    for (number, value) in said.enumerated() {
      store.open(record("old\(number)"), [entry("old\(number)", "a", value)])
      try await store.close(Identifier("old\(number)"), RunEnding(.done), [])
    }
    let isDone = Locked(false)
    async let writing: Void = {
      while !isDone.withLock({ $0 }) {
        for value in said { try await writer.append([entry("living", "b", [value, value])]) }
      }
    }()
    async let others = self.store("third").deleteRuns((0..<10).map { Identifier("old\($0)") })
    _ = try await store.pruneRuns(endedBefore: Timestamp(milliseconds: .max), statuses: [.done])
    _ = try await others
    isDone.withLock { $0 = true }
    try await writing
    let reading = try await store.journal(of: "living")
    #expect(reading.damage == nil)
    #expect(reading.entries.count.isMultiple(of: said.count))
    #expect(reading.entries.prefix(said.count).map(\.body) == said.map { [$0, $0] })
    #expect(try await count(store, "deletions") == 0)
    try await writer.close("living", RunEnding(.done), [])
    #expect(try await store.deleteRun("living"))
    #expect(try await count(store, "bodies") == 0)
  }

  @Test func `is finished by the next deletion when it was broken off`() async throws {
    let store = store { $0.lines = 5 }
    try await talk(store, "r1", lines: 30)
    try await talk(store, "r2", lines: 3)
    let deleting = Task {
      unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
      return try await store.deleteRun("r1")
    }
    let failure = await #expect(throws: Failure.self) { try await deleting.value }
    #expect(failure?.message.contains("its text may still stand in the files") == true)
    #expect(failure?.suggestion.contains("`rasa runs prune`") == true)
    #expect(try await store.run("r1") == nil)
    #expect(try await count(store, "lines") == 33)
    await store.close()

    let next = self.store("next")
    #expect(try await next.pruneRuns(endedBefore: Timestamp(milliseconds: 0)).runs == [])
    #expect(try await count(next, "lines") == 3)
    #expect(try await count(next, "bodies") == 3)
    #expect(try await count(next, "deletions") == 0)
  }

  @Test func `finds the lines of a run whose journal is damaged`() async throws {
    let store = store { $0.lines = 4 }
    for run in ["r1", "r2"] { try await talk(store, run, lines: 10) }
    try await store.writer.write { database in
      try database.run("UPDATE lines SET before = 999 WHERE number = 6")
    }
    #expect(try await store.deleteRun("r1"))
    #expect(try await count(store, "lines") == 10)
    #expect(try await count(store, "bodies") == 10)
    #expect(try await store.journal(of: "r2").damage == nil)
  }

  @Test func `leaves nothing in the files, whoever writes at the same time`() async throws {
    let store = store()
    let writer = self.store("another")
    writer.open(record("living"), [])
    try await writer.append([])
    let isDone = Locked(false)
    async let writing: Void = {
      var number = 0
      while !isDone.withLock({ $0 }) {
        number += 1
        try await writer.append([entry("living", "b", .string("something else \(number)"))])
        _ = try await writer.entries(of: "living")
      }
    }()
    for round in 0..<5 {
      let secret = "a secret of round \(round)"
      let session = SessionID("s\(round)", of: "ann")
      var record = record("r\(round)", session: session.name)
      record.input = secret
      store.open(record, [entry(record.id.text, "a", .string(secret))])
      let ending = RunEnding(
        .done,
        turn: SessionTurn(
          session: session, run: record.id, time: time.now, input: secret, output: secret),
        notes: [note(session, secret, at: time.now)], facts: [fact(secret)])
      // What grows moves in its page, and must not leave itself behind.
      for number in 0..<20 {
        try await store.append([entry(record.id.text, "b", .string("\(secret) \(number)"))])
      }
      try await store.close(record.id, ending, [])
      async let forgetting = store.forgetAll(of: FactOwner(user: "ann"))
      async let deleting = store.deleteSession(session)
      #expect(try await forgetting == 1)
      #expect(try await deleting)
      #expect(!contains(secret))
    }
    isDone.withLock { $0 = true }
    try await writing
  }

  @Test func `says that text may remain while another reads on`() async throws {
    let store = store { $0.patience = .zero }
    _ = try await store.add([fact("a secret")])
    let reader = try Database(path: folder.file("rasa.db"))
    try reader.execute("BEGIN; SELECT count(*) FROM items")
    let failure = await #expect(throws: Failure.self) {
      try await store.forgetAll(of: FactOwner(user: "ann"))
    }
    #expect(failure?.kind == .storage)
    #expect(failure?.message.contains("may still stand in") == true)
    #expect(failure?.suggestion.contains("fuser") == true)
    #expect(try await store.facts(of: FactOwner(), limit: 9) == [])
    #expect(contains("a secret"))
    // What it says helps.
    try reader.execute("COMMIT")
    _ = try await store.pruneRuns(endedBefore: Timestamp(milliseconds: 0))
    #expect(!contains("a secret"))
  }
}
