import Glibc
import RasaCore
import RasaEngine
import RasaSQLite
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaStore

@Suite struct `A run's owner` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  /// Long enough for its renewal not to come by itself during a test.
  private func store(_ owner: String) -> SQLiteStore {
    SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: owner, lease: .seconds(3600))
  }

  private func lapse() { time.pass(seconds: 3601) }

  private func expectTakenOver(_ body: () async throws -> Void) async {
    let failure = await #expect(throws: Failure.self) { try await body() }
    #expect(failure?.kind == .run)
    #expect(failure?.message == "r1 has been taken over by another process")
    #expect(failure?.suggestion == "see `rasa runs show r1`")
  }

  @Test func `is refused while another process is at work`() async throws {
    let (one, two) = (store("one"), store(ProcessIdentity.current.text))
    one.open(record("r1"), [])
    try await one.append([entry("r1", "a")])
    let failure = await #expect(throws: Failure.self) { try await two.claim("r1") }
    #expect(failure?.kind == .run)
    #expect(failure?.message == "r1 is being run by one")
    #expect(failure?.suggestion == "wait for it, or stop it with `rasa runs cancel r1`")
    // The one who has it may not take it a second time either.
    await #expect(throws: Failure.self) { try await one.claim("r1") }
    try await one.append([entry("r1", "b")])
    try await one.close("r1", RunEnding(.parked), [])

    _ = try await two.claim("r1")
    let refusal = await #expect(throws: Failure.self) { try await one.claim("r1") }
    #expect(refusal?.message.hasPrefix("r1 is being run by process \(getpid()) on ") == true)
    await expectTakenOver { try await one.append([entry("r1", "c")]) }
    try await two.append([entry("r1", "d")])
    #expect(try await one.entries(of: "r1").map(\.kind) == ["a", "b", "d"])
  }

  @Test func `that has stalled past its lease writes nothing and is told why`() async throws {
    let (stalled, other) = (store("stalled"), store("other"))
    let legs = [leg("r1", 100), monthLeg("ann", 100)]
    stalled.open(record("r1"), [entry("r1", "started")])
    _ = try await stalled.reserve(request("h1", 40, legs), recording: [entry("r1", "intent")])
    let asked = approval("r1", "May it?")
    _ = try await stalled.ask(asked, recording: [entry("r1", "asked")])
    stalled.record([entry("r1", "deferred before")])

    lapse()
    let history = try await other.claim("r1")
    #expect(history.entries.map(\.kind) == ["started", "intent", "asked"])
    try await other.append([entry("r1", "resumed")])

    let lines = try await other.entries(of: "r1")
    let approvals = try await other.approvals(ApprovalFilter(onlyPending: false), limit: 9)
    let audits = try await other.audits(limit: 99)
    stalled.record([entry("r1", "deferred after")])
    await expectTakenOver { try await stalled.append([entry("r1", "late")]) }
    await expectTakenOver {
      _ = try await stalled.reserve(request("h2", 5, legs), recording: [entry("r1", "late")])
    }
    await expectTakenOver {
      try await stalled.settle(settlement("h1", 30), recording: [entry("r1", "late")])
    }
    await expectTakenOver {
      _ = try await stalled.ask(approval("r1", "And this?"), recording: [entry("r1", "late")])
    }
    await expectTakenOver {
      let fact = fact("what a stalled run has learnt")
      try await stalled.close(
        "r1", RunEnding(.done, turn: turn("s", "r1"), facts: [fact]), [entry("r1", "late")]
      )
    }
    #expect(try await other.entries(of: "r1") == lines)
    #expect(
      try await other.approvals(ApprovalFilter(onlyPending: false), limit: 9) == approvals)
    #expect(try await other.audits(limit: 99) == audits)
    for leg in legs {
      #expect(try await other.balance(of: leg.scope) == Balance(0, held: 40))
    }
    #expect(try await other.facts(of: FactOwner(), limit: 9) == [])
    #expect(try await other.turns(of: "s", limit: 9) == [])
    // The new owner decides about the money that is held.
    try await other.settle(settlement("h1", 30), recording: [entry("r1", "settled")])
    #expect(try await other.balance(of: legs[0].scope) == Balance(30, held: 0))

    // What it had deferred is gone for good, also when the run comes back to it.
    try await other.close("r1", RunEnding(.parked), [])
    let again = try await stalled.claim("r1")
    #expect(
      again.entries.map(\.kind) == ["started", "intent", "asked", "resumed", "settled"])
    try await stalled.append([entry("r1", "back")])
    #expect(try await other.entries(of: "r1").last?.kind == "back")
  }

  @Test func `keeps what nobody has taken, however late it is`() async throws {
    let stalled = store("stalled")
    stalled.open(record("r1"), [])
    try await stalled.append([entry("r1", "a")])
    lapse()
    try await stalled.append([entry("r1", "b")])
    #expect(try await stalled.entries(of: "r1").map(\.kind) == ["a", "b"])
  }

  @Test func `that was killed is known to be gone at once`() async throws {
    let path = folder.file("rasa.db")
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let store = SQLiteStore(path: path, time: FixedTime().source)
      store.open(record("r1"), [])
      try await store.append([entry("r1", "a")])
      kill(getpid(), SIGKILL)
    }
    let store = SQLiteStore(path: path, time: time.source)
    #expect(try await store.run("r1")?.isAlive == false)
    #expect(try await store.claim("r1").entries.map(\.kind) == ["a"])
    #expect(try await store.run("r1")?.isAlive == true)
  }

  @Test func `that was killed keeps nobody waiting for what it held`() async throws {
    let path = folder.file("rasa.db")
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
      let store = SQLiteStore(path: path, time: FixedTime().source)
      store.open(record("r1"), [])
      let held = request("h1", 60, [monthLeg("ann", 100)])
      _ = try await store.reserve(held, recording: [entry("r1", "intent")])
      kill(getpid(), SIGKILL)
    }
    let store = SQLiteStore(path: path, time: time.source)
    store.open(record("r2"), [])
    let asked = request("h2", 60, [monthLeg("ann", 100)], run: "r2")
    let outcome = try await store.reserve(asked, recording: [entry("r2", "intent")])
    // Nothing is held that could come back: it counts as spent.
    guard case .refused(_, let balance) = outcome else {
      Issue.record("there is no room for it")
      return
    }
    #expect(balance.held == .zero)
    #expect(balance.settled == Money(picoDollars: 60))

    // Until somebody takes the run up.
    _ = try await store.claim("r1")
    try await store.settle(settlement("h1", 5), recording: [])
    #expect(try await store.reserve(asked, recording: [entry("r2", "intent")]) == .held)
  }

  @Test(arguments: StoreKind.allCases)
  func `takes up what has stopped, and nothing that has ended`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for status in [RunRecord.Status.parked, .failed, .cancelled, .done] {
      let run = Identifier("r-\(status.rawValue)")
      store.open(record(run.text), [entry(run.text, "a")])
      try await store.close(run, RunEnding(status), [entry(run.text, "z")])
      #expect(try await store.record(of: run)?.status == status)
      if status == .done {
        let failure = await #expect(throws: Failure.self) { try await store.claim(run) }
        #expect(failure?.kind == .usage)
        #expect(failure?.message == "r-done has ended")
        #expect(failure?.suggestion.contains("`rasa runs show r-done`") == true)
      } else {
        let history = try await store.claim(run)
        #expect(history.entries.map(\.kind) == ["a", "z"])
        #expect(history.record.status == .running)
        #expect(try await store.record(of: run)?.status == .running)
        await #expect(throws: Failure.self) { try await store.claim(run) }
      }
    }
    let failure = await #expect(throws: Failure.self) { try await store.claim("r-don") }
    #expect(failure?.kind == .usage)
    #expect(failure?.message == "there is no run `r-don`")
    #expect(failure?.suggestion == "did you mean r-done? `rasa runs list` shows all of them")
  }

  @Test(arguments: StoreKind.allCases)
  func `is who has opened or claimed a run, and nobody after its close`(kind: StoreKind)
    async throws
  {
    let store = Fixture(kind).store
    store.open(record("r1"), [])
    try await store.close("r1", RunEnding(.parked), [])
    store.record([entry("r1", "deferred")])
    await expectTakenOver { try await store.append([entry("r1", "a")]) }
    await expectTakenOver { try await store.close("r1", RunEnding(.done), []) }
    await expectTakenOver {
      _ = try await store.reserve(request("h", 1, [leg("r1", 9)]), recording: [entry("r1", "a")])
    }
    await expectTakenOver { _ = try await store.ask(approval("r1", "May it?"), recording: []) }
    #expect(try await store.balance(of: leg("r1", nil).scope) == Balance())
    _ = try await store.claim("r1")
    try await store.append([entry("r1", "b")])
    #expect(try await store.entries(of: "r1").map(\.kind) == ["b"])
  }

  @Test func `renews its lease while the run goes on`() async throws {
    let store = SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: "one", lease: .zero)
    store.open(record("r1"), [])
    try await store.append([entry("r1", "a")])
    let before = try await leaseEnds(store)
    time.pass(seconds: 100)
    // Nothing is written about the run; only its time goes on.
    while try await leaseEnds(store) == before { await Task.yield() }
    #expect(try await leaseEnds(store) == time.now.milliseconds)
    try await store.close("r1", RunEnding(.parked), [])
    #expect(try await leaseEnds(store) == nil)
  }

  @Test func `has one lease for all of its runs`() async throws {
    let one = store("one")
    for number in 0..<5 {
      one.open(record("r\(number)"), [])
      try await one.append([entry("r\(number)", "a")])
    }
    let database = try Database(path: folder.file("rasa.db"))
    func workers() throws -> [String] {
      try database.rows("SELECT name FROM workers ORDER BY number") { $0.text(0) }
    }
    #expect(try workers() == ["one"])
    time.pass(seconds: 1800)
    // What begins later renews it for all.
    one.open(record("r9"), [])
    try await one.append([entry("r9", "a")])
    time.pass(seconds: 1801)
    let other = store("other")
    await #expect(throws: Failure.self) { try await other.claim("r1") }
    lapse()
    _ = try await other.claim("r1")
    #expect(try workers() == ["one", "other"])
    #expect(try await other.run("r1")?.owner == "other")
    // Rows of workers that own nothing any more are not kept for ever.
    try await other.close("r1", RunEnding(.done), [])
    lapse()
    let third = store("third")
    third.open(record("r11"), [])
    try await third.append([entry("r11", "a")])
    #expect(try workers() == ["one", "third"])
  }

  @Test func `that cannot write down its end lets go of the run`() async throws {
    let store = SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: "one", lease: .seconds(3600))
    store.open(record("r1"), [entry("r1", "a")])
    try await store.append([entry("r1", "b")])
    // As if the disk were full for what ends a run.
    let database = try Database(path: folder.file("rasa.db"))
    try database.execute(
      """
      CREATE TRIGGER no_end BEFORE UPDATE OF status ON runs
      BEGIN SELECT RAISE(ABORT, 'no room'); END
      """)
    let failure = await #expect(throws: Failure.self) {
      try await store.close("r1", RunEnding(.done), [entry("r1", "end")])
    }
    #expect(failure?.kind == .storage)
    // Whoever tries again may, as long as nobody else has it.
    await #expect(throws: Failure.self) {
      try await store.close("r1", RunEnding(.failed), [entry("r1", "end")])
    }
    try database.execute("DROP TRIGGER no_end")
    // Nobody asks anything of the store: it lets go by itself.
    let other = self.store("other")
    while try await leaseEnds(other) != nil { await Task.yield() }
    #expect(try await other.claim("r1").entries.map(\.kind) == ["a", "b"])
    await expectTakenOver {
      try await store.close("r1", RunEnding(.failed), [entry("r1", "end")])
    }
    try await other.close("r1", RunEnding(.done), [entry("r1", "end")])
    #expect(try await other.run("r1")?.record.status == .done)
  }

  @Test func `can take up again what it could not end`() async throws {
    let store = store("one")
    store.open(record("r1"), [entry("r1", "a")])
    try await store.append([entry("r1", "b")])
    let database = try Database(path: folder.file("rasa.db"))
    try database.execute(
      "CREATE TRIGGER no_end BEFORE UPDATE OF status ON runs BEGIN SELECT RAISE(ABORT, 'no'); END")
    await #expect(throws: Failure.self) { try await store.close("r1", RunEnding(.done), []) }
    try database.execute("DROP TRIGGER no_end")
    #expect(try await store.claim("r1").entries.map(\.kind) == ["a", "b"])
    try await store.close("r1", RunEnding(.done), [])
  }

  @Test func `stops what is done about a run that another process has taken over`() async throws {
    let (stalled, other) = (store("stalled"), store("other"))
    stalled.open(record("r1"), [])
    try await stalled.append([entry("r1", "a")])
    let (stops, stopped) = AsyncStream.makeStream(of: Void.self)
    stalled.onCancelRequest("r1") { stopped.yield() }
    lapse()
    _ = try await other.claim("r1")
    // Nothing is asked of the one that has lost it.
    for await _ in stops { break }
    await expectTakenOver { try await stalled.append([entry("r1", "late")]) }
  }

  /// What is asked just before money is spent, when there is no time to look.
  @Test func `knows without looking until when nobody else can have a run`() async throws {
    let (one, brief) = (
      store("one"),
      SQLiteStore(
        path: folder.file("brief.db"), time: time.source, owner: "brief", lease: .zero)
    )
    #expect(!one.isSurelyOwned("r1"))
    one.open(record("r1"), [])
    #expect(one.isSurelyOwned("r1"))
    try await one.append([entry("r1", "a")])
    lapse()
    let other = store("other")
    _ = try await other.claim("r1")
    #expect(other.isSurelyOwned("r1"))
    await expectTakenOver { try await one.append([entry("r1", "b")]) }
    try await other.close("r1", RunEnding(.parked), [])
    #expect(!other.isSurelyOwned("r1"))
    brief.open(record("r2"), [])
    #expect(!brief.isSurelyOwned("r2"))
  }

  @Test func `that has lost one run keeps the lines of the others`() async throws {
    let (one, other) = (store("one"), store("other"))
    for run in ["r1", "r2", "r3"] {
      one.open(record(run), [])
      try await one.append([entry(run, "a")])
    }
    lapse()
    _ = try await other.claim("r2")
    for run in ["r1", "r2", "r3"] { one.record([entry(run, "deferred")]) }
    await one.close()
    #expect(try await other.entries(of: "r1").map(\.kind) == ["a", "deferred"])
    #expect(try await other.entries(of: "r2").map(\.kind) == ["a"])
    #expect(try await other.entries(of: "r3").map(\.kind) == ["a", "deferred"])
  }

  private func leaseEnds(_ store: SQLiteStore) async throws -> Int64? {
    try await store.writer.read {
      try $0.first("SELECT lease_ends FROM runs JOIN workers ON workers.number = worker") {
        $0.integerOrNil(0)
      } ?? nil
    }
  }
}

@Suite struct `A wish to cancel` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private func store(_ owner: String) -> SQLiteStore {
    SQLiteStore(
      path: folder.file("rasa.db"), time: time.source, owner: owner, lease: .seconds(3600))
  }

  @Test func `reaches the process that runs it`() async throws {
    let (runner, other) = (store("runner"), store("other"))
    runner.open(record("r1"), [])
    try await runner.append([entry("r1", "a")])
    let call = Call()
    runner.onCancelRequest("r1") { call.comes() }
    #expect(try await other.requestCancel("r1") == .asked)
    await call.hasCome()
    // Asked before, told at once.
    let second = Call()
    runner.onCancelRequest("r1") { second.comes() }
    await second.hasCome()
    try await runner.close("r1", RunEnding(.parked), [entry("r1", "parked")])
    #expect(try await other.run("r1")?.record.status == .cancelled)
    #expect(try await other.requestCancel("r1") == .ended(.cancelled))
    // Whoever resumes it means it.
    _ = try await other.claim("r1")
    try await other.close("r1", RunEnding(.parked), [])
    #expect(try await other.run("r1")?.record.status == .parked)
  }

  @Test func `reaches the own process too`() async throws {
    let runner = store("runner")
    runner.open(record("r1"), [])
    try await runner.append([entry("r1", "a")])
    let call = Call()
    runner.onCancelRequest("r1") { call.comes() }
    #expect(try await runner.requestCancel("r1") == .asked)
    await call.hasCome()
  }

  @Test func `cancels what nobody runs, and withdraws its questions`() async throws {
    let (runner, other) = (store("runner"), store("other"))
    for run in ["r1", "r2"] { runner.open(record(run), []) }
    _ = try await runner.ask(approval("r1", "May it?"), recording: [entry("r1", "asked")])
    try await runner.close("r1", RunEnding(.parked), [])
    #expect(try await other.approvals(limit: 9).count == 1)
    #expect(try await other.requestCancel("r1") == .cancelled)
    #expect(try await other.approvals(limit: 9) == [])

    // A process that has stalled is not waited for, and cannot go on afterwards.
    try await runner.append([entry("r2", "a")])
    time.pass(seconds: 3601)
    #expect(try await other.requestCancel("r2") == .cancelled)
    await #expect(throws: Failure.self) { try await runner.append([entry("r2", "b")]) }
    #expect(try await other.run("r2")?.record.status == .cancelled)
    await #expect(throws: Failure.self) { try await other.requestCancel("r3") }
  }
}

/// Something that a callback tells and a test waits for.
private struct Call: Sendable {
  private let stream = AsyncStream.makeStream(of: Void.self)
  func comes() { stream.continuation.yield() }
  func hasCome() async { for await _ in stream.stream { return } }
}
