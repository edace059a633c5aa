import Glibc
import RasaCore
import RasaEngine
import RasaLearning
import RasaPersona
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// Files that released versions have written. Every further version adds one.
private let fixtures = [
  "version-1.db", "version-2.db", "version-3.db", "version-4.db", "version-5.db", "version-6.db",
  "version-7.db", "version-8.db",
]

/// What has to be found in such a file, whatever the version: it was read from it by hand.
private let madeUp = SessionID("made-up", of: "tester")

private struct Expected {
  static let lines = [32, 32, 7, 8, 8]
  static let statuses: [RunRecord.Status] = [.done, .done, .done, .done, .failed]
}

@Suite struct `A store of an earlier version` {
  let folder = ScratchDirectory()
  let time = FixedTime(1_795_240_000_000)

  private func copy(_ name: String) -> String {
    let bytes = RawFile.read(Repository.path("Tests/Fixtures/journals/\(name)"))
    #expect(!bytes.isEmpty, "the fixture \(name) is missing")
    let path = folder.file("rasa.db")
    close(unsafe Glibc.open(path, O_WRONLY | O_CREAT, 0o600))
    RawFile.overwrite(bytes, in: path, at: 0)
    return path
  }

  /// Every row of a table that is in the file as it was written, by the old names of its columns.
  private func rows(_ path: String, _ query: String) throws -> [[SQLValue]] {
    let database = try Database(path: path)
    return try database.rows(query) { row in
      (0..<8).map { row.value($0) }
    }
  }

  @Test(arguments: fixtures)
  func `is read whole`(name: String) async throws {
    let path = copy(name)
    let store = SQLiteStore(path: path, time: time.source)
    let runs = Array(try await store.runs(RunFilter(limit: 99)).reversed())
    #expect(runs.count == 7)
    #expect(runs.prefix(5).map(\.record.status) == Expected.statuses)
    #expect(runs.suffix(2).map(\.record.status) == [.running, .running])
    #expect(runs.allSatisfy { !$0.isAlive && $0.cost == .zero })
    #expect(runs.prefix(5).allSatisfy { $0.owner == nil })
    #expect(
      runs.map(\.record.persona) == [
        "strategic_stock_analyst", "strategic_stock_analyst", "single", "reviewed", "reviewed",
        "single", "strategic_stock_analyst",
      ])
    #expect(runs.allSatisfy { $0.record.user == "tester" && $0.record.personaDigest.count == 64 })
    let words = ["one", "two", "three", "four", "five", "six", "seven"]
    #expect(runs.map(\.record.input) == words.map { "Made-up question \($0)?" })
    #expect(runs[0].record.session == "made-up")
    #expect(runs[2].record.session == nil)

    for run in runs {
      let journal = try await store.journal(of: run.record.id)
      #expect(journal.damage == nil)
      #expect(journal.entries.count == run.lines)
      #expect(journal.entries[0].kind == "run.started")
      #expect(journal.entries[0].body["input"].string == run.record.input)
      #expect(journal.entries.allSatisfy { !$0.body.isNull })
    }
    let asked = try #require(
      try await store.entries(of: runs[4].record.id).first { $0.kind == "human.asked" })
    #expect(asked.key == "session_frame:1/hitl/review#1")
    #expect(asked.body["payload"].string?.hasPrefix("This is a made-up answer") == true)
    let finished = try #require(try await store.entries(of: runs[0].record.id).last)
    #expect(finished.kind == "run.finished")

    let turns = try await store.turns(of: madeUp, limit: 9)
    #expect(turns.map(\.run) == [runs[0].record.id, runs[1].record.id])
    #expect(turns[0].output == finished.body["output"].string)
    #expect(try await store.sessions(limit: 9).map(\.id.name) == ["killed", "made-up"])
    let notes = try await store.notes(of: madeUp, limit: 9)
    #expect(notes.map(\.run) == turns.map(\.run))
    #expect(notes.allSatisfy { $0.text.hasPrefix("explanation: The made-up answer") })
    let memories = try await store.facts(of: FactOwner(), limit: 9)
    #expect(memories.count == 3)
    #expect(memories.contains { $0.text == "risk_tolerance: low" })
    let found = try await store.facts(
      of: FactOwner(persona: "strategic_stock_analyst", user: "tester"), about: "risk tolerance",
      limit: 1)
    #expect(found.first?.text == "risk_tolerance: low")

    let calls = try await store.calls(of: runs[0].record.id)
    #expect(calls.count == 7)
    #expect(calls[0].key == "stateless_frame:1/preference_agent/call#1")
    #expect(calls[0].usage == Usage(input: 517, output: 25, isReported: false))
    #expect(calls.allSatisfy { $0.state == .settled && $0.outcome == .answered })
    let held = try await store.calls(of: runs[5].record.id)
    #expect(held.map(\.state) == [.held])
    #expect(held[0].provider == "mock")
  }

  @Test(arguments: fixtures)
  func `keeps every balance`(name: String) async throws {
    let path = copy(name)
    let query = "SELECT scope, settled, held FROM balances ORDER BY scope"
    let before = try rows(path, query)
    #expect(before.count == 13)
    let store = SQLiteStore(path: path, time: time.source)
    _ = try await store.runs()
    await store.close()
    #expect(try rows(path, query) == before)
    #expect(try rows(path, "PRAGMA integrity_check").first?.first == .text("ok"))
  }

  @Test func `has its statistics worked out anew, in the units of today`() async throws {
    let store = SQLiteStore(path: copy("version-8.db"), time: time.source)
    let query = PerformanceQuery(by: [])
    let sums = try #require(try await store.performance(query).first?.sums)
    #expect(sums[.runs] == 3)
    #expect(sums.totalCost == Money(decimal: "20.000427"))
    _ = try await store.rebuildStatistics { ScoringWeights(name: $0) }
    #expect(try await store.performance(query).first?.sums == sums)
    let node = try #require(try await store.nodes(of: nil, from: nil, to: nil).first)
    #expect(PerformanceSums.money(nanoDollars: node.sums.cost) == Money(decimal: "60.000081"))
  }

  @Test(arguments: fixtures)
  func `counts what was spent into the days on which it was`(name: String) async throws {
    let store = SQLiteStore(path: copy(name), time: time.source)
    let rows = try await store.spending(SpendingFilter(), by: [.day, .operator])
    // Wherever this machine is.
    let noon = Set(rows.map { $0.keys[0] })
    #expect(noon.isSubset(of: ["2026-11-20", "2026-11-21", "2026-11-22"]) && noon.count == 1)
    #expect(rows.reduce(0) { $0 + $1.calls } == 22)
    #expect(rows.allSatisfy { $0.unpriced == 0 && $0.failures == 0 })
    let operators = Set(rows.map { $0.keys[1] })
    #expect(operators.isSuperset(of: ["respond", "critic_agent", "preference_agent"]))
    let day = try #require(noon.first)
    let balances = try await store.balances(
      on: LocalDay(year: 2026, month: 11, day: Int(day.suffix(2)) ?? 0))
    #expect(balances.contains { $0.owner == "strategic_stock_analyst" })
  }

  @Test(arguments: fixtures)
  func `lets what was interrupted go on, and settles what was held`(name: String) async throws {
    let store = SQLiteStore(path: copy(name), time: time.source)
    let runs = Array(try await store.runs(RunFilter(limit: 99)).reversed())
    for run in runs.suffix(2).map(\.record.id) {
      let history = try await store.claim(run)
      #expect(history.entries.first?.kind == "run.started")
      let call = try #require(try await store.calls(of: run).first { $0.state == .held })
      try await store.settle(
        Settlement(
          reservation: call.reservation, actual: call.amount, usage: Usage(), outcome: .uncertain),
        recording: [
          JournalEntry(
            run: run, time: time.now, kind: "call.uncertain", key: call.key, body: ["a": "b"])
        ])
      try await store.close(
        run, RunEnding(.done), [JournalEntry(run: run, time: time.now, kind: "run.finished")])
      let entries = try await store.entries(of: run)
      #expect(Array(entries.prefix(history.entries.count)) == history.entries)
      #expect(entries.suffix(2).map(\.kind) == ["call.uncertain", "run.finished"])
    }
    for run in runs.prefix(4).map(\.record.id) {
      await #expect(throws: Failure.self) { try await store.claim(run) }
    }
    _ = try await store.claim(runs[4].record.id)
  }

  @Test(arguments: fixtures)
  func `asks two people, and keeps grants, like a new one`(name: String) async throws {
    let store = SQLiteStore(path: copy(name), time: time.source)
    for old in try await store.approvals(ApprovalFilter(onlyPending: false), limit: 99) {
      #expect(old.people == 1 && old.votes.isEmpty && !old.isEscalated, "\(old.id)")
    }
    #expect(try await store.grants(includingRevoked: true, limit: 9).isEmpty)
    let run = try #require(try await store.runs(RunFilter(limit: 99)).first).record.id
    _ = try await store.claim(run)
    let asked = permission(
      run.text, people: 2, onExpiry: .escalate, expiresAt: time.now.milliseconds - 1)
    _ = try await store.ask(asked, recording: [])
    var answer = HumanAnswer(.approve, by: "ann")
    answer.uid = 1000
    guard case .counted = try await store.answer(asked.id, answer) else {
      Issue.record("one was enough")
      return
    }
    let found = try #require(try await store.approval(asked.id))
    #expect(found.votes.map(\.uid) == [1000] && found.isEscalated)
    answer.uid = 1001
    answer.grant = ["allow": "send", "arguments": ["to": "bob"]]
    _ = try await store.answer(asked.id, answer)
    let grant = try #require(try await store.grants(includingRevoked: true, limit: 9).first)
    #expect(grant.run == run && grant.by.contains("ann"))
    #expect(try await store.revokeGrant(grant.id, by: "bob")?.revokedBy == "bob")
  }

  @Test(arguments: fixtures)
  func `can be tidied up like a new one`(name: String) async throws {
    let store = SQLiteStore(path: copy(name), time: time.source)
    let runs = Array(try await store.runs(RunFilter(limit: 99)).reversed()).map(\.record.id)
    #expect(try await store.deleteRun(runs[0]))
    #expect(try await store.journal(of: runs[1]).damage == nil)
    #expect(try await store.deleteSession(madeUp))
    #expect(try await store.pruneRuns(endedBefore: time.now).runs == Array(runs[2...4]))
    #expect(try await store.runs().map(\.record.id) == [runs[6], runs[5]])
    for run in runs[5...] { #expect(try await store.journal(of: run).damage == nil) }
  }

  @Test func `keeps what it has learnt of models, and begins to learn what operators need`()
    async throws
  {
    let store = SQLiteStore(path: copy("version-3.db"), time: time.source)
    let standing = try #require(try await store.standings().first)
    let key = ModelKey(provider: "openai", account: "ab12cd34", model: "gpt-4o-mini")
    #expect(standing.key == key && standing.calls == 12 && standing.firstContent == 350_000_000)
    #expect(standing.needs.isEmpty && standing.overrun == 0)
    // An estimate that was once too low is trusted again when it has been enough for a while.
    #expect(standing.counting[.prose]?.distrusted == 0)
    #expect(standing.counting[.dense]?.distrusted == 20)
    let output = ModelObservation.Output(operatorName: "respond", tokens: 40, isWhole: true)
    try await store.observe([
      ModelObservation(key: key, time: time.now, outcome: .answered, output: output)
    ])
    #expect(try await store.standings().first?.needs["respond"]?.answers == 1)
  }

  /// Two users gave their sessions one name, when a session belonged to nobody.
  @Test func `leaves a session to who began it`() async throws {
    let store = SQLiteStore(path: copy("two-users-3.db"), time: time.source)
    let (first, other) = (SessionID("shared", of: "tester"), SessionID("shared", of: "other"))
    let own = SessionID("own", of: "other")
    #expect(try await store.sessions(limit: 9).map(\.id) == [own, first])
    let turns = try await store.turns(of: first, limit: 9)
    #expect(
      turns.map(\.input) == ["first", "second"].map { "Made-up question of the \($0) turn?" })
    #expect(try await store.turns(of: other, limit: 9) == [])
    #expect(try await store.turns(of: own, limit: 9).count == 1)

    // What follows is kept apart.
    let record = RunRecord(
      id: "r-new", session: "shared", persona: "single", personaDigest: "d", user: "other",
      input: "hello", startedAt: time.now)
    store.open(record, [entry("r-new", "a")])
    let said = SessionTurn(
      session: other, run: "r-new", time: time.now, input: "hello", output: "hello yourself")
    try await store.close("r-new", RunEnding(.done, turn: said), [])
    #expect(try await store.turns(of: other, limit: 9) == [said])
    #expect(try await store.turns(of: first, limit: 9) == turns)
    #expect(try await store.run("r-new")?.record.session == "shared")
    #expect(try await store.runs(RunFilter(session: "shared")).count == 3)
    #expect(
      try await store.runs(RunFilter(session: "shared", user: "other")).map(\.record.id)
        == ["r-new", turns[1].run])
    #expect(try await store.deleteSession(first))
    #expect(try await store.runs().map(\.record.session) == ["shared", "own"])
    #expect(try await store.turns(of: other, limit: 9) == [said])
  }

  /// What a process of version 4 owns stays its own for as long as its lease lasts.
  @Test func `leaves runs to the processes that own them`() async throws {
    let path = copy("version-4.db")
    let end = time.now.milliseconds + 30_000
    do {
      let database = try Database(path: path)
      try database.run(
        "UPDATE runs SET owner = 'one', lease_ends = ? WHERE status = 'running'", .integer(end))
    }
    let store = SQLiteStore(path: path, time: time.source, owner: "new", lease: .seconds(3600))
    let running = try await store.runs(RunFilter(status: [.running]))
    #expect(running.map(\.owner) == ["one", "one"] && running.allSatisfy(\.isAlive))
    let run = running[0].record.id
    let refusal = await #expect(throws: Failure.self) { try await store.claim(run) }
    #expect(refusal?.message == "\(run) is being run by one")
    #expect(
      try rows(path, "SELECT name, lease_ends FROM workers").map { Array($0.prefix(2)) }
        == [[.text("one"), .integer(end)]])
    // A process of version 4 that is still there asks for what is gone, and changes nothing.
    #expect(throws: Failure.self) {
      try Database(path: path).run("UPDATE runs SET lease_ends = 1 WHERE owner = 'one'")
    }
    time.pass(seconds: 31)
    _ = try await store.claim(run)
    #expect(try await store.run(run.text)?.owner == "new")
  }

  /// Somebody else has started a newer version meanwhile.
  @Test func `says so when its tables become those of a later one`() async throws {
    let path = folder.file("rasa.db")
    let store = SQLiteStore(path: path, time: time.source, owner: "one", lease: .seconds(3600))
    store.open(record("r1"), [])
    try await store.append([entry("r1", "a")])
    _ = try await store.runs()
    let newer = try Database(path: path)
    try newer.execute("ALTER TABLE runs RENAME COLUMN worker TO keeper; PRAGMA user_version = 99")
    for work in 0..<3 {
      let failure = await #expect(throws: Failure.self) {
        switch work {
        case 0: try await store.close("r1", RunEnding(.done), [entry("r1", "z")])
        case 1: _ = try await store.runs()
        default: _ = try await store.claim("r1")
        }
      }
      #expect(failure?.message.contains("newer version") == true, "\(failure?.message ?? "")")
    }
  }

  @Test(arguments: fixtures)
  func `is refused when it is of a later one`(name: String) async throws {
    let path = copy(name)
    try Database(path: path).execute("PRAGMA user_version = 99")
    let failure = await #expect(throws: Failure.self) {
      try await SQLiteStore(path: path, time: time.source).runs()
    }
    #expect(failure?.message.contains("newer version") == true)
    #expect(try rows(path, "SELECT count(*) FROM runs").first?.first == .integer(7))
  }
}
