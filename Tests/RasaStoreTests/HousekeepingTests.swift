import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

@Suite struct `Tidying up` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private func store(_ owner: String = "me") -> SQLiteStore {
    SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: owner, lease: .seconds(3600))
  }

  private func bodies(_ store: SQLiteStore) async throws -> Int64 {
    try await store.writer.read {
      try $0.first("SELECT count(*) FROM bodies") { $0.integer(0) } ?? 0
    }
  }

  @Test func `deletes a run and keeps what was spent, remembered and said`() async throws {
    let store = store()
    let long = Value.string(String(repeating: "only here ", count: 100))
    store.open(record("r1", session: "s"), [entry("r1", "a", [long, "x"])])
    _ = try await store.reserve(
      request("h1", 5, [monthLeg("ann", nil)]), recording: [entry("r1", "b")])
    _ = try await store.ask(approval("r1", "May it?", payload: long), recording: [])
    let living = await #expect(throws: Failure.self) { try await store.deleteRun("r1") }
    #expect(living?.message == "r1 is being run by me")
    let said = SessionTurn(
      session: "s", run: "r1", time: time.now, input: "in",
      output: String(repeating: "kept in the conversation ", count: 20))
    try await store.close("r1", RunEnding(.parked, turn: said, facts: [fact("known")]), [])
    #expect(try await bodies(store) == 3)

    #expect(try await store.deleteRun("r1"))
    #expect(try await store.deleteRun("r1") == false)
    #expect(try await store.run("r1") == nil)
    #expect(try await store.approvals(ApprovalFilter(onlyPending: false), limit: 9) == [])
    #expect(try await store.audits(limit: 1).map(\.kind) == ["approval_withdrawn"])
    #expect(try await store.balance(of: monthLeg("ann", nil).scope) == Balance(0, held: 5))
    #expect(try await store.facts(of: FactOwner(), limit: 9).map(\.text) == ["known"])
    #expect(try await store.turns(of: "s", limit: 9) == [said])
    #expect(try await bodies(store) == 1)
    // A new run does not come upon what the old one has left.
    store.open(record("r2"), [entry("r2", "a")])
    try await store.append([])
    #expect(try await store.entries(of: "r2").map(\.kind) == ["a"])
    #expect(try await store.calls(of: "r2") == [])
  }

  @Test func `keeps in the books what runs have cost that are deleted`() async throws {
    let store = store()
    for (number, run) in ["r1", "r2", "r3", "r4"].enumerated() {
      store.open(record(run, session: run == "r2" ? "s" : nil), [entry(run, "a")])
      let legs = [leg(run, nil), dayLeg("analyst", 14, nil), monthLeg("*", nil)]
      _ = try await store.reserve(
        request("h\(number)", 50, legs, run: run), recording: [entry(run, "b")])
      // The third one's call is never settled.
      if number != 2 {
        try await store.settle(settlement("h\(number)", 1 << number), recording: [])
      }
      try await store.close(Identifier(run), RunEnding(.done), [])
    }
    let all: [SpendingKey] = [.persona, .operator, .model, .provider, .day]
    let before = try await store.spending(SpendingFilter(), by: all)
    #expect(before.map(\.spent.picoDollars) == [11])
    #expect(before.map(\.held.picoDollars) == [50])
    #expect(try await store.deleteRun("r1"))
    #expect(try await store.deleteSession("s"))
    let soon = Timestamp(milliseconds: .max)
    #expect(try await store.pruneRuns(endedBefore: soon).runs == ["r3", "r4"])

    #expect(try await store.spending(SpendingFilter(), by: all) == before)
    let byRun = try await store.spending(SpendingFilter(), by: [.run])
    #expect(byRun.map(\.keys) == [[""]])
    #expect(byRun.map(\.calls) == [4])
    for scope in [dayLeg("analyst", 14, nil).scope, monthLeg("*", nil).scope] {
      #expect(try await store.balance(of: scope) == Balance(11, held: 50))
    }
    // Its answer may still come.
    try await store.settle(settlement("h2", 4), recording: [])
    #expect(try await store.spending(SpendingFilter(), by: []).map(\.spent.picoDollars) == [15])
    #expect(try await store.balance(of: monthLeg("*", nil).scope) == Balance(15, held: 0))
  }

  @Test func `prunes what is old and has ended, and says before what that would be`() async throws {
    let store = store()
    let statuses: [RunRecord.Status] = [.done, .failed, .cancelled, .parked]
    for (number, status) in statuses.enumerated() {
      let run = "r\(number)"
      let line = JournalEntry(
        run: Identifier(run), time: Timestamp(milliseconds: Int64(number)), kind: "a",
        body: .string(String(repeating: "\(number)", count: 400)))
      store.open(record(run, at: 0), [line])
      try await store.close(Identifier(run), RunEnding(status), [])
    }
    store.open(record("living", at: 0), [])
    try await store.append([
      JournalEntry(run: "living", time: Timestamp(milliseconds: 0), kind: "a")
    ])
    let later = Timestamp(milliseconds: 2)
    let would = try await store.pruneRuns(endedBefore: later, dryRun: true)
    #expect(would.runs == ["r0", "r1"])
    #expect(try await store.runs().count == 5)
    #expect(try await bodies(store) == 4)
    #expect(try await store.pruneRuns(endedBefore: later) == would)
    #expect(would.bytes > 50)
    #expect(try await store.runs().map(\.record.id) == ["living", "r3", "r2"])
    let all = Set(RunRecord.Status.allCases)
    let rest = try await store.pruneRuns(endedBefore: time.now, statuses: all)
    #expect(rest.runs == ["r2", "r3"])
    #expect(try await store.pruneRuns(endedBefore: time.now, statuses: all).runs == [])
    #expect(try await bodies(store) == 0)
  }

  /// Everything that a run says is remembered by the model; after any deletion the store has to give
  /// exactly what is left, and keep no body that none of it needs.
  @Test(arguments: [11, 12, 13])
  func `leaves what others need, and nothing else`(seed: UInt64) async throws {
    let store = store()
    var values = RandomValues(seed: seed)
    var runs: [String: [JournalEntry]] = [:]
    var inputs: [String: String] = [:]
    for step in 0..<25 {
      if runs.count > 2, Int.random(in: 0..<3, using: &values.numbers) == 0 {
        let gone = try #require(runs.keys.sorted().randomElement(using: &values.numbers))
        #expect(try await store.deleteRun(Identifier(gone)))
        runs[gone] = nil
        inputs[gone] = nil
      } else {
        let run = "r\(step)"
        var record = record(run)
        record.input = values.text()
        var lines: [JournalEntry] = []
        for number in 0..<3 { lines.append(entry(run, "\(number)", values.value())) }
        store.open(record, lines)
        let asked = approval(run, "May it?", payload: values.value())
        _ = try await store.ask(asked, recording: [])
        _ = try await store.answer(asked.id, HumanAnswer(.edit, text: values.value(), by: "ann"))
        try await store.close(Identifier(run), RunEnding(.parked), [])
        runs[run] = lines
        inputs[run] = record.input
      }
      for (run, lines) in runs {
        #expect(try await store.entries(of: Identifier(run)) == lines)
        #expect(try await store.run(run)?.record.input == inputs[run])
      }
      let approvals = try await store.approvals(ApprovalFilter(onlyPending: false), limit: 99)
      #expect(Set(approvals.map(\.run.text)) == Set(runs.keys))
    }
    let kept = try await bodies(store)
    #expect(kept > 0)
    for run in runs.keys { #expect(try await store.deleteRun(Identifier(run))) }
    #expect(try await bodies(store) == 0)
  }
}
