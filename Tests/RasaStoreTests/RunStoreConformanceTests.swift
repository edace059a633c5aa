import RasaCore
import RasaEngine
import RasaSystem
import Testing

@testable import RasaStore

/// What commands and other processes do with runs, on every store; two workers have it open at once.
@Suite struct `Every store of runs` {
  private func expectTakenOver(_ body: () async throws -> Void) async {
    let failure = await #expect(throws: Failure.self) { try await body() }
    #expect(failure?.kind == .run)
    #expect(failure?.message == "r1 has been taken over by another process")
  }

  // MARK: Two workers

  @Test(arguments: StoreKind.allCases)
  func `shows one worker what the other has written`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "one")
    let (one, two) = (fixture.store, fixture.another("two"))
    one.open(record("r1", session: "s"), [entry("r1", "a")])
    let legs = [leg("r1", nil), monthLeg("ann", 100)]
    _ = try await one.reserve(request("h1", 40, legs), recording: [entry("r1", "b")])
    #expect(try await two.entries(of: "r1").map(\.kind) == ["a", "b"])
    #expect(try await two.balance(of: legs[1].scope) == Balance(0, held: 40))
    two.open(record("r2"), [])
    #expect(
      try await two.reserve(
        request("h2", 61, [legs[1]], run: "r2"), recording: [entry("r2", "a")])
        == .refused(legs[1], Balance(0, held: 40)))
    // Whose call it was, anybody may settle it once.
    try await two.settle(settlement("h1", 30), recording: [])
    try await one.settle(settlement("h1", 35), recording: [])
    #expect(try await one.balance(of: legs[1].scope) == Balance(30, held: 0))
    #expect(try await two.run("r1")?.cost == Money(picoDollars: 30))
    _ = try await two.add([fact("Ann likes tea")])
    #expect(try await one.facts(of: FactOwner(), limit: 9).map(\.text) == ["Ann likes tea"])
  }

  @Test(arguments: StoreKind.allCases)
  func `lets one worker have a run at a time`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "one")
    let (one, two) = (fixture.store, fixture.another("two"))
    one.open(record("r1"), [])
    try await one.append([entry("r1", "a")])
    #expect(try await two.run("r1")?.isAlive == true)
    #expect(try await two.run("r1")?.owner == "one")
    let failure = await #expect(throws: Failure.self) { try await two.claim("r1") }
    #expect(failure?.message == "r1 is being run by one")
    await #expect(throws: Failure.self) { try await one.claim("r1") }
    await expectTakenOver { try await two.append([entry("r1", "x")]) }
    try await one.close("r1", RunEnding(.parked), [])
    #expect(try await two.run("r1")?.isAlive == false)
    #expect(try await two.run("r1")?.owner == nil)

    #expect(try await two.claim("r1").entries.map(\.kind) == ["a"])
    await expectTakenOver { try await one.append([entry("r1", "x")]) }
    await expectTakenOver { try await one.close("r1", RunEnding(.done), []) }
    try await two.append([entry("r1", "b")])
    #expect(try await one.entries(of: "r1").map(\.kind) == ["a", "b"])
  }

  @Test(arguments: StoreKind.allCases)
  func `fences off a worker whose lease has lapsed when another takes its run`(kind: StoreKind)
    async throws
  {
    let fixture = Fixture(kind, owner: "stalled")
    let (stalled, other) = (fixture.store, fixture.another("other"))
    stalled.open(record("r1"), [])
    let legs = [leg("r1", 100)]
    _ = try await stalled.reserve(request("h1", 40, legs), recording: [entry("r1", "intent")])
    let stopped = Locked(0)
    stalled.onCancelRequest("r1") { stopped.withLock { $0 += 1 } }
    fixture.time.pass(seconds: Fixture.lease + 1)
    #expect(try await other.run("r1")?.isAlive == false)
    // Nobody else has it, so it is still its own.
    try await stalled.append([entry("r1", "late")])
    #expect(try await other.claim("r1").entries.map(\.kind) == ["intent", "late"])

    stalled.record([entry("r1", "deferred")])
    await expectTakenOver { try await stalled.append([entry("r1", "x")]) }
    await expectTakenOver {
      _ = try await stalled.reserve(request("h2", 5, legs), recording: [entry("r1", "x")])
    }
    await expectTakenOver {
      try await stalled.settle(settlement("h1", 30), recording: [entry("r1", "x")])
    }
    await expectTakenOver { _ = try await stalled.ask(approval("r1", "And?"), recording: []) }
    await expectTakenOver {
      try await stalled.close(
        "r1", RunEnding(.done, facts: [fact("x")]), [entry("r1", "x")])
    }
    #expect(try await other.entries(of: "r1").map(\.kind) == ["intent", "late"])
    #expect(try await other.balance(of: legs[0].scope) == Balance(0, held: 40))
    #expect(try await other.facts(of: FactOwner(), limit: 9) == [])
    try await other.settle(settlement("h1", 30), recording: [entry("r1", "settled")])
    #expect(try await other.balance(of: legs[0].scope) == Balance(30, held: 0))
  }

  @Test(arguments: StoreKind.allCases)
  func `has one winner among workers that claim at once`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "0")
    fixture.store.open(record("r1"), [entry("r1", "a")])
    try await fixture.store.close("r1", RunEnding(.parked), [])
    let workers = (1...6).map { fixture.another("\($0)") }
    let winners = await withTaskGroup(of: Int.self) { group in
      for worker in workers {
        group.addTask { (try? await worker.claim("r1")) == nil ? 0 : 1 }
      }
      return await group.reduce(0, +)
    }
    #expect(winners == 1)
  }

  // MARK: Cancelling

  @Test(arguments: StoreKind.allCases)
  func `asks the owner to cancel, and cancels what nobody runs`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "one")
    let (one, two) = (fixture.store, fixture.another("two"))
    one.open(record("r1"), [])
    try await one.append([entry("r1", "a")])
    let (asked, ask) = AsyncStream.makeStream(of: Void.self)
    one.onCancelRequest("r1") { ask.yield() }
    #expect(try await two.requestCancel("r1") == .asked)
    for await _ in asked { break }
    // Who comes later is told at once.
    one.onCancelRequest("r1") { ask.yield() }
    for await _ in asked { break }
    try await one.close("r1", RunEnding(.parked), [])
    #expect(try await two.run("r1")?.record.status == .cancelled)
    #expect(try await two.requestCancel("r1") == .ended(.cancelled))

    one.open(record("r2"), [])
    _ = try await one.ask(approval("r2", "May it?"), recording: [entry("r2", "asked")])
    try await one.close("r2", RunEnding(.parked), [])
    #expect(try await two.approvals(limit: 9).count == 1)
    #expect(try await two.requestCancel("r2") == .cancelled)
    #expect(try await two.approvals(limit: 9) == [])
    #expect(try await two.run("r2")?.record.status == .cancelled)
    let failure = await #expect(throws: Failure.self) { try await two.requestCancel("r") }
    #expect(failure?.message == "there is no run `r`")
    // Whoever takes it up again means it.
    _ = try await two.claim("r1")
    try await two.close("r1", RunEnding(.parked), [])
    #expect(try await one.run("r1")?.record.status == .parked)
  }

  // MARK: Lists

  @Test(arguments: StoreKind.allCases)
  func `lists runs, newest first, that fit a filter`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let statuses: [RunRecord.Status] = [.done, .failed, .parked, .cancelled]
    for number in 0..<12 {
      var record = record(
        "r\(number)", session: number < 6 ? "s" : nil,
        persona: number.isMultiple(of: 2) ? "chef" : "analyst")
      record.user = number.isMultiple(of: 3) ? "bob" : "ann"
      if record.persona == "chef" { record.personaDigest = "" }
      store.open(record, [])
      try await store.close(record.id, RunEnding(statuses[number % 4]), [])
    }
    func listed(_ filter: RunFilter) async throws -> [Int] {
      try await store.runs(filter).map { Int($0.record.id.text.dropFirst()) ?? -1 }
    }
    #expect(try await listed(RunFilter()) == Array((0..<12).reversed()))
    #expect(try await listed(RunFilter(limit: 2)) == [11, 10])
    #expect(try await listed(RunFilter(limit: -1)) == [])
    #expect(try await listed(RunFilter(session: "s", limit: 2)) == [5, 4])
    #expect(try await listed(RunFilter(user: "bob")) == [9, 6, 3, 0])
    #expect(try await listed(RunFilter(persona: "chef", limit: 2)) == [10, 8])
    #expect(try await listed(RunFilter(persona: "nobody")) == [])
    #expect(
      try await listed(RunFilter(exceptOwners: ["chef", "nobody"], limit: 3)) == [11, 9, 7])
    // Somebody's persona, whatever its name.
    #expect(try await listed(RunFilter(exceptOwners: ["analyst"], limit: 2)) == [11, 10])
    #expect(
      try await listed(RunFilter(exceptOwners: ["chef"], status: [.failed, .parked])) == [
        9, 5, 1,
      ])
    #expect(try await listed(RunFilter(status: [.parked])) == [10, 6, 2])
    #expect(try await listed(RunFilter(session: "s", status: [.done, .failed])) == [5, 4, 1, 0])
    #expect(try await listed(RunFilter(status: [.running])) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `says what a run has cost, how long it is and who waits`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "me")
    let store = fixture.store
    var first = record("r1", session: "s", at: 1)
    first.input = String(repeating: "a long question ", count: 50)
    store.open(first, [entry("r1", "a")])
    let legs = [leg("r1", nil), monthLeg("ann", nil)]
    _ = try await store.reserve(request("h1", 40, legs), recording: [entry("r1", "intent")])
    try await store.settle(settlement("h1", 30), recording: [entry("r1", "result")])
    _ = try await store.reserve(request("h2", 7, legs), recording: [entry("r1", "intent")])
    _ = try await store.ask(approval("r1", "May it?"), recording: [entry("r1", "asked")])
    var forked = record("r2", persona: "chef", at: 2)
    forked.forkOf = "r1"
    store.open(forked, [])
    try await store.close("r2", RunEnding(.failed), [entry("r2", "z")])
    forked.status = .failed

    let runs = try await store.runs()
    #expect(runs.map(\.record) == [forked, first])
    #expect(runs[0].isAlive == false && runs[0].owner == nil && runs[0].waiting == 0)
    let listed = try #require(runs.last)
    #expect(listed.cost == Money(picoDollars: 30))
    #expect(listed.lines == 5 && listed.waiting == 1)
    #expect(listed.isAlive && listed.owner == "me")
    #expect(listed.changedAt == Timestamp(milliseconds: 5))
    let calls = try await store.calls(of: "r1")
    #expect(calls.map(\.reservation) == ["h1", "h2"])
    #expect(calls.map(\.state) == [.settled, .held])
    #expect(calls.map(\.amount.picoDollars) == [40, 7])
    #expect(calls.map(\.actual?.picoDollars) == [30, nil])
    #expect(
      calls[0].usage == Usage(input: 10, output: 20, cachedInput: 5, cacheWrites: 3, reasoning: 2))
    #expect(calls.map(\.outcome) == [.answered, nil])
    #expect(calls[0].settledAt == fixture.time.now && calls[1].settledAt == nil)
    #expect(calls[0].key == "session:1/respond/call#1")
    #expect(calls[0].provider == "openai" && calls[0].model == "m" && calls[0].price == "2023-11")
    #expect(try await store.calls(of: "r2") == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `finds runs and questions by how they begin, if only one does`(kind: StoreKind) async throws
  {
    let store = Fixture(kind).store
    for run in ["r01abc", "r01abd", "r01ab", "r02x"] {
      store.open(record(run), [])
      try await store.append([entry(run, "a")])
    }
    #expect(try await store.run("r02")?.record.id == "r02x")
    #expect(try await store.run("r01ab")?.record.id == "r01ab")
    #expect(try await store.run("r01abc")?.record.id == "r01abc")
    #expect(try await store.run("r03") == nil)
    #expect(try await store.run("") == nil)
    #expect(try await store.run("%") == nil)
    let failure = await #expect(throws: Failure.self) { try await store.run("r01") }
    #expect(failure?.kind == .usage)
    #expect(failure?.message == "more than one run begins with `r01`")
    #expect(failure?.suggestion == "give more of it: r01ab, r01abc, r01abd")
    let asked = approval("r01ab", "May it?")
    _ = try await store.ask(asked, recording: [])
    #expect(try await store.approval(String(asked.id.prefix(6))) == asked)
    #expect(try await store.approval("b") == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `gives the lines of a run after a number of them`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let (store, reader) = (fixture.store, fixture.another("reader"))
    store.open(record("r1"), [entry("r1", "1")])
    try await store.append([entry("r1", "2"), entry("r1", "3")])
    #expect(try await reader.journal(of: "r1", after: 1).entries.map(\.kind) == ["2", "3"])
    #expect(try await reader.journal(of: "r1", after: 3).entries == [])
    let beyond = try await reader.journal(of: "r1", after: 99)
    #expect(beyond.entries == [] && beyond.damage == nil)
    #expect(try await reader.journal(of: "r1", after: -1).entries.count == 3)
    try await store.append([entry("r1", "4")])
    let rest = try await reader.journal(of: "r1", after: 3)
    #expect(rest.entries.map(\.kind) == ["4"] && rest.damage == nil)
    #expect(try await reader.journal(of: "none").entries == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `lists sessions by their last use`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let order: [String?] = ["s1", "s2", "s1", nil]
    for (number, session) in order.enumerated() {
      let (run, time) = ("r\(number)", Int64(1000 + number))
      store.open(record(run, session: session, at: time), [])
      let last = session.map { turn(SessionID($0, of: "ann"), run, at: time) }
      try await store.close(Identifier(run), RunEnding(.done, turn: last), [])
    }
    var bobs = record("r9", session: "s1", persona: "chef", at: 900)
    bobs.user = "bob"
    store.open(bobs, [])
    try await store.close("r9", RunEnding(.done), [])
    let sessions = try await store.sessions(limit: 9)
    #expect(sessions.map(\.id) == ["s1", "s2", SessionID("s1", of: "bob")])
    #expect(sessions.map(\.turns) == [2, 1, 0])
    #expect(sessions.map(\.startedAt.milliseconds) == [1000, 1001, 900])
    #expect(sessions.map(\.usedAt.milliseconds) == [1002, 1001, 900])
    #expect(try await store.sessions(of: "bob", limit: 9).map(\.persona) == ["chef"])
    #expect(try await store.sessions(limit: 1).map(\.id) == ["s1"])
    #expect(try await store.session("s2")?.persona == "analyst")
    #expect(try await store.session("s3") == nil)
    #expect(try await store.users(ofSessionsNamed: "s1") == ["ann", "bob"])
  }

  // MARK: Deleting

  @Test(arguments: StoreKind.allCases)
  func `deletes a run and keeps what was spent, remembered and said`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "me")
    let store = fixture.store
    store.open(record("r1", session: "s"), [entry("r1", "a")])
    _ = try await store.reserve(
      request("h1", 5, [monthLeg("ann", nil)]), recording: [entry("r1", "b")])
    try await store.settle(settlement("h1", 3), recording: [])
    _ = try await store.ask(approval("r1", "May it?"), recording: [])
    let books = try await store.spending(SpendingFilter(), by: [.persona, .model])
    let living = await #expect(throws: Failure.self) { try await store.deleteRun("r1") }
    #expect(living?.message == "r1 is being run by me")
    let said = turn("s", "r1", at: fixture.time.now.milliseconds)
    try await store.close("r1", RunEnding(.parked, turn: said, facts: [fact("known")]), [])

    #expect(try await store.deleteRuns(["r1", "none"]) == ["r1"])
    #expect(try await store.deleteRun("r1") == false)
    #expect(try await store.run("r1") == nil)
    #expect(try await store.entries(of: "r1") == [])
    #expect(try await store.calls(of: "r1") == [])
    #expect(try await store.approvals(ApprovalFilter(onlyPending: false), limit: 9) == [])
    #expect(try await store.audits(limit: 1).map(\.kind) == ["approval_withdrawn"])
    #expect(try await store.balance(of: monthLeg("ann", nil).scope) == Balance(3, held: 0))
    #expect(try await store.spending(SpendingFilter(), by: [.persona, .model]) == books)
    #expect(try await store.spending(SpendingFilter(), by: [.run]).map(\.keys) == [[""]])
    #expect(try await store.facts(of: FactOwner(), limit: 9).map(\.text) == ["known"])
    #expect(try await store.turns(of: "s", limit: 9) == [said])
    #expect(try await store.hasUnfinishedDeletions() == false)
    // Its name is free again, and nothing of it comes back.
    store.open(record("r1"), [entry("r1", "new")])
    try await store.append([])
    #expect(try await store.entries(of: "r1").map(\.kind) == ["new"])
  }

  @Test(arguments: StoreKind.allCases)
  func `deletes a session with its runs, of one user only`(kind: StoreKind) async throws {
    let fixture = Fixture(kind, owner: "me")
    let store = fixture.store
    for (run, user) in [("r1", "ann"), ("r2", "bob"), ("r3", "ann")] {
      var record = record(run, session: "s")
      record.user = user
      store.open(record, [entry(run, "a")])
      let session = SessionID("s", of: user)
      let ending = RunEnding(
        .done, turn: turn(session, run), notes: [note(session, run, at: fixture.time.now)])
      try await store.close(record.id, ending, [])
    }
    store.open(record("r4", session: "s"), [])
    try await store.append([entry("r4", "a")])
    await #expect(throws: Failure.self) { try await store.deleteSession("s") }
    #expect(try await store.turns(of: "s", limit: 9).count == 2)
    try await store.close("r4", RunEnding(.failed), [])
    #expect(try await store.deleteSession("s"))
    #expect(try await store.deleteSession("s") == false)
    #expect(try await store.runs().map(\.record.id) == ["r2"])
    #expect(try await store.turns(of: "s", limit: 9) == [])
    #expect(try await store.notes(of: "s", limit: 9) == [])
    #expect(try await store.sessions(limit: 9).map(\.id.user) == ["bob"])
    #expect(try await store.turns(of: SessionID("s", of: "bob"), limit: 9).count == 1)
  }

  @Test(arguments: StoreKind.allCases)
  func `prunes what is old and has ended, and says before what that would be`(kind: StoreKind)
    async throws
  {
    let store = Fixture(kind).store
    let statuses: [RunRecord.Status] = [.done, .failed, .cancelled, .parked]
    for (number, status) in statuses.enumerated() {
      let run = Identifier("r\(number)")
      let line = JournalEntry(
        run: run, time: Timestamp(milliseconds: Int64(number)), kind: "a",
        body: .string(String(repeating: "\(number)", count: 400)))
      store.open(record(run.text, at: 0), [line])
      try await store.close(run, RunEnding(status), [])
    }
    store.open(record("living", at: 0), [])
    try await store.append([
      JournalEntry(run: "living", time: Timestamp(milliseconds: 0), kind: "a")
    ])
    let later = Timestamp(milliseconds: 2)
    let would = try await store.pruneRuns(endedBefore: later, dryRun: true)
    #expect(would.runs == ["r0", "r1"])
    #expect(try await store.runs().count == 5)
    #expect(try await store.pruneRuns(endedBefore: later) == would)
    #expect(would.bytes > 50)
    #expect(try await store.runs().map(\.record.id) == ["living", "r3", "r2"])
    let all = Set(RunRecord.Status.allCases)
    let soon = Timestamp(milliseconds: 1_000)
    #expect(try await store.pruneRuns(endedBefore: soon, statuses: all).runs == ["r2", "r3"])
    #expect(try await store.pruneRuns(endedBefore: soon, statuses: all).runs == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `searches and forgets memories, of one owner or of all`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      fact("tea one", at: 1), fact("plain two", at: 2), fact("tea three", user: "bob", at: 3),
      fact("tea four", persona: "chef", at: 4),
    ])
    let ann = FactOwner(persona: "analyst", user: "ann")
    let all = try await store.facts(of: ann, limit: 9)
    #expect(all.map(\.text) == ["plain two", "tea one"])
    #expect(try await store.facts(of: FactOwner(), limit: 3).count == 3)
    let bobs = try await store.facts(of: FactOwner(user: "bob"), about: "tea", limit: 9)
    #expect(bobs.map(\.text) == ["tea three"])
    #expect(try await store.facts(of: ann, about: "coffee", limit: 9) == [])
    #expect(try await store.forgetItems([all[1].id]).facts == 1)
    #expect(try await store.forgetItems([all[1].id]) == ForgottenItems())
    #expect(try await store.facts(of: ann, about: "tea", limit: 9) == [])
    #expect(try await store.forgetAll(of: FactOwner(persona: "chef")) == 1)
    #expect(try await store.forgetAll(of: FactOwner(user: "bob")) == 1)
    #expect(try await store.facts(of: FactOwner(), limit: 9).map(\.text) == ["plain two"])
    // A number is never given twice.
    _ = try await store.add([fact("another", at: 9)])
    let known = Set(all.map(\.id))
    #expect(
      try await store.facts(of: ann, limit: 9).filter { $0.text == "another" }
        .allSatisfy { !known.contains($0.id) })
  }

  @Test(arguments: StoreKind.allCases)
  func `refuses work after it was closed`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    store.open(record("r1"), [entry("r1", "a")])
    store.record([entry("r1", "b")])
    await store.close()
    await #expect(throws: Failure.self) { try await store.append([entry("r1", "late")]) }
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps what it was given for the next one that opens it`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    fixture.store.open(record("r1"), [entry("r1", "a")])
    fixture.store.record([entry("r1", "b")])
    await fixture.store.close()
    let next = fixture.another("next")
    #expect(try await next.entries(of: "r1").map(\.kind) == ["a", "b"])
  }
}
