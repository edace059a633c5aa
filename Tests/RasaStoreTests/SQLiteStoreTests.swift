import Glibc
import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

@Suite struct `A store on disk` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  /// Its leases are so long that nothing is renewed during a test, which would be a commit more.
  private func store() -> SQLiteStore {
    SQLiteStore(path: folder.file("rasa.db"), time: time.source, lease: .seconds(3600))
  }

  @Test func `keeps everything for the next process`() async throws {
    let first = store()
    first.prepare()
    first.open(record("r1", session: "s"), [entry("r1", "a")])
    _ = try await first.reserve(request("h", 5, [leg("r1", 10)]), recording: [entry("r1", "b")])
    first.record([entry("r1", "c")])
    await first.close()
    let second = store()
    #expect(try await second.entries(of: "r1").map(\.kind) == ["a", "b", "c"])
    #expect(try await second.balance(of: leg("r1", nil).scope) == Balance(0, held: 5))
    await #expect(throws: Failure.self) { try await first.append([entry("r1", "late")]) }
  }

  /// Lists and exports have connections of their own.
  @Test func `is read while its writer is busy`() async throws {
    let store = store()
    store.open(record("r1", session: "s"), [entry("r1", "a")])
    try await store.close("r1", RunEnding(.done), [])
    let (begins, begun) = AsyncStream.makeStream(of: Void.self)
    // The writer's thread waits in `read` until something is written to the pipe.
    var ends: [Int32] = [0, 0]
    try #require(unsafe pipe(&ends) == 0)
    let (reading, writing) = (ends[0], ends[1])
    defer {
      close(reading)
      close(writing)
    }
    let write = Task {
      try await store.writer.write { _ in
        begun.yield()
        var byte: UInt8 = 0
        _ = unsafe Glibc.read(reading, &byte, 1)
      }
    }
    for await _ in begins { break }
    #expect(try await store.runs().map(\.record.id) == ["r1"])
    #expect(try await store.run("r1")?.lines == 1)
    #expect(try await store.journal(of: "r1").entries.map(\.kind) == ["a"])
    #expect(try await store.sessions(limit: 9).map(\.id) == ["s"])
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance())
    #expect(try await store.audits(limit: 9) == [])
    #expect(unsafe Glibc.write(writing, [1], 1) == 1)
    try await write.value
  }

  @Test func `costs one commit for a step, not one for each line`() async throws {
    let store = store()
    store.open(record("r1"), [entry("r1", "started")])
    for _ in 0..<10 { store.record([entry("r1", "entered")]) }
    _ = try await store.reserve(request("h", 5, []), recording: [entry("r1", "intent")])
    #expect(store.commits == 1)
  }

  @Test func `runs few statements for a call, however many lines are deferred`() async throws {
    let store = store()
    store.open(record("r1"), [])
    func call(_ id: String) async throws {
      for _ in 0..<3 { store.record([entry("r1", "operator.started")]) }
      _ = try await store.reserve(
        request(id, 60, [leg("r1", 1_000)]), recording: [entry("r1", "call.intent")])
      for _ in 0..<3 { store.record([entry("r1", "operator.finished")]) }
      let observation = ModelObservation(
        key: ModelKey(provider: "openai", model: "m"), time: time.now, outcome: .answered)
      try await store.settle(
        settlement(id, 25, observation: observation), recording: [entry("r1", "call.result")])
    }
    func statements() async throws -> Int { try await store.writer.read { $0.statementsRun } }
    // The words of the lines are known after the first call.
    try await call("a")
    var used: [Int] = []
    for id in ["b", "c", "d"] {
      let before = try await statements()
      try await call(id)
      used.append(try await statements() - before)
    }
    // Eight lines; else two transactions that read and write the end of the journal, the balance and the reservation.
    // What is due in between, such as the lease of the run, adds to one of them at most.
    #expect(used.min() == 8 + 13, "\(used)")
    #expect(try await store.entries(of: "r1").count == 32)
  }

  @Test func `keeps a long body once`() async throws {
    let store = store()
    let body = Value.string(String(repeating: "the same ", count: 1000))
    store.open(record("r1"), [])
    for number in 0..<10 { try await store.append([entry("r1", "\(number)", body)]) }
    let bodies = try await store.writer.read {
      try $0.first("SELECT count(*) FROM bodies") { $0.integer(0) }
    }
    #expect(bodies == 1)
    #expect(try await store.entries(of: "r1").allSatisfy { $0.body == body })
  }

  @Test func `serves two stores on one file`() async throws {
    let stores = [store(), store()]
    for number in 0..<2 { stores[number].open(record("r\(number)"), []) }
    let month = monthLeg("ann", 100)
    let held = try await withThrowingTaskGroup(of: Int.self) { group in
      for caller in 0..<4 {
        group.addTask {
          let store = stores[caller % 2]
          var held = 0
          for number in 0..<25 {
            let id = "\(caller).\(number)"
            let lines = [entry("r\(caller % 2)", id)]
            let outcome = try await store.reserve(request(id, 2, [month]), recording: lines)
            if outcome == .held { held += 1 }
          }
          return held
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(held == 50)
    #expect(try await stores[0].balance(of: month.scope) == Balance(0, held: 100))
    let kept = [
      try await stores[1].entries(of: "r0").count, try await stores[0].entries(of: "r1").count,
    ]
    #expect(kept.reduce(0, +) == 50)
  }

  @Test func `lists sessions and runs, newest first`() async throws {
    let store = store()
    let order: [String?] = ["s1", "s2", "s1", nil]
    for (number, session) in order.enumerated() {
      let run = "r\(number)"
      let time = Int64(1000 + number)
      store.open(record(run, session: session, at: time), [])
      let last = session.map { turn(SessionID($0, of: "ann"), run, at: time) }
      try await store.close(Identifier(run), RunEnding(.done, turn: last), [])
    }
    let sessions = try await store.sessions(limit: 9)
    #expect(sessions.map(\.id) == ["s1", "s2"])
    #expect(sessions.map(\.turns) == [2, 1])
    #expect(sessions.first?.startedAt.milliseconds == 1000)
    #expect(sessions.first?.usedAt.milliseconds == 1002)
    #expect(try await store.session("s2")?.persona == "analyst")
    #expect(try await store.session("s3") == nil)
    #expect(try await store.runs(RunFilter(limit: 2)).map(\.record.id) == ["r3", "r2"])
    #expect(try await store.runs(RunFilter(session: "s1")).map(\.record.id) == ["r2", "r0"])
  }

  @Test func `deletes a session so that nothing of it is left in its files`() async throws {
    let store = store()
    let secret = "xylophonic-secret"
    let shared = Value.string(String(repeating: "said in both ", count: 100))
    for run in ["gone", "kept"] {
      var record = record(run, session: run)
      if run == "gone" { record.input = secret }
      store.open(record, [entry(run, "a", shared)])
      try await store.append([entry(run, "b", run == "gone" ? .string(secret) : "fine")])
      let long = run == "gone" ? Value.string(String(repeating: secret, count: 1000)) : "fine"
      let turn = SessionTurn(
        session: SessionID(run, of: "ann"), run: Identifier(run), time: time.now,
        input: record.input, output: "out")
      try await store.close(
        Identifier(run),
        RunEnding(
          .done, turn: turn, notes: [note(SessionID(run, of: "ann"), record.input, at: time.now)]),
        [entry(run, "c", long)])
    }
    _ = try await store.reserve(request("h", 5, [monthLeg("ann", 9)], run: "gone"), recording: [])
    #expect(try await store.deleteSession("gone"))
    #expect(try await store.deleteSession("gone") == false)
    #expect(try await store.entries(of: "gone") == [])
    #expect(try await store.turns(of: "gone", limit: 9) == [])
    #expect(try await store.sessions(limit: 9).map(\.id) == ["kept"])
    #expect(try await store.entries(of: "kept").map(\.body).first == shared)
    #expect(try await store.balance(of: monthLeg("ann", nil).scope) == Balance(0, held: 5))
    #expect(!contains(secret))
  }

  @Test func `forgets memories so that nothing of them is left in its files`() async throws {
    let store = store()
    let secret = "xylophonicsecret"
    _ = try await store.add([
      fact("\(secret) one"), fact("plain two"), fact("\(secret) three", user: "bob"),
      fact("\(secret) four", persona: "chef"),
    ])
    let ann = FactOwner(persona: "analyst", user: "ann")
    let all = try await store.facts(of: ann, limit: 9)
    #expect(all.map(\.text) == ["plain two", "\(secret) one"])
    #expect(try await store.facts(of: FactOwner(), limit: 9).count == 4)
    #expect(
      try await store.facts(of: FactOwner(user: "bob"), about: secret, limit: 9).count
        == 1)
    #expect(try await store.forgetItems([all[1].id]).facts == 1)
    #expect(try await store.forgetItems([all[1].id]) == ForgottenItems())
    #expect(try await store.facts(of: ann, about: secret, limit: 9) == [])
    #expect(try await store.forgetAll(of: FactOwner(persona: "chef")) == 1)
    #expect(try await store.forgetAll(of: FactOwner(user: "bob")) == 1)
    #expect(try await store.facts(of: FactOwner(), limit: 9).map(\.text) == ["plain two"])
    #expect(!contains(secret))
  }

  /// Whether any of the store's files holds the text.
  private func contains(_ text: String) -> Bool {
    ["rasa.db", "rasa.db-wal"].contains { name in
      let bytes = RawFile.read(folder.file(name))
      let wanted = Array(text.utf8)
      return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }
  }
}
