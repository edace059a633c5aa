import RasaCore
import RasaEngine
import RasaPersona
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// A fact that was learnt at that time, in milliseconds since 1970.
func known(
  _ text: String, slot: String? = nil, at time: Int64 = 10, from: Int64? = nil,
  until: Int64? = nil, expires: Int64? = nil, scope: MemoryScope = .persona, user: String = "ann",
  persona: String = "analyst", session: String? = nil, run: String = "r1",
  trust: MemoryTrust = .person
) -> NewFact {
  func stamp(_ time: Int64?) -> Timestamp? { time.map { Timestamp(milliseconds: $0) } }
  return NewFact(
    scope: scope, user: user, persona: persona, session: session, text: text,
    run: Identifier(run), time: Timestamp(milliseconds: time), trust: trust,
    details: FactDetails(
      slot: slot, validFrom: stamp(from), until: stamp(until), expires: stamp(expires)))
}

extension RunStore {
  /// Oldest first.
  func all(_ user: String? = nil, past: Bool = true) async throws -> [MemoryItem] {
    try await items(MemoryFilter(user: user, includesPast: past), before: nil, limit: .max)
      .reversed()
  }

  /// The texts of the facts that hold, oldest first.
  func holding(_ user: String = "ann") async throws -> [String] {
    try await all(user, past: false).filter { $0.kind == .fact }.map(\.text)
  }

  func found(_ text: String, asOf: Int64? = nil, user: String = "ann") async throws -> [String] {
    try await search(
      MemoryQuery(
        text: text, user: user, asOf: asOf.map { Timestamp(milliseconds: $0) }, limit: 99)
    ).map(\.item.text).sorted()
  }

  func say(
    _ run: String, in session: SessionID, _ input: String, _ output: String,
    persona: String = "analyst", notes: [String] = [], facts: [NewFact] = [],
    scope: MemoryScope = .persona, at time: Int64 = 10
  ) async throws {
    var record = RasaStoreTests.record(run, session: session.name, persona: persona)
    record.user = session.user
    open(record, [])
    let stamp = Timestamp(milliseconds: time)
    try await close(
      record.id,
      RunEnding(
        .done,
        turn: SessionTurn(
          session: session, run: record.id, time: stamp, input: input, output: output),
        notes: notes.map {
          WorkingNote(session: session, run: record.id, time: stamp, text: $0)
        }, facts: facts, scope: scope), [])
  }
}

@Suite struct `Every index of memories` {
  @Test(arguments: StoreKind.allCases)
  func `has both sides of a turn, notes and facts`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let now = fixture.time.now.milliseconds
    try await store.say(
      "r1", in: "s", "Is tea good?", "Tea is fine.", notes: ["about tea"],
      facts: [known("likes tea", at: now, session: "s")], at: now)
    let items = try await store.all()
    #expect(items.map(\.kind) == [.turn, .turn, .note, .fact])
    #expect(items.map(\.text) == ["Is tea good?", "Tea is fine.", "about tea", "likes tea"])
    #expect(items.map(\.speaker) == ["ann", "analyst", nil, nil])
    #expect(items.map(\.trust) == [.person, .model, .model, .person])
    #expect(items.allSatisfy { $0.session == "s" && $0.run == "r1" && $0.user == "ann" })
    #expect(items.map { $0.fact != nil } == [false, false, false, true])
    let page = try await store.items(MemoryFilter(), before: items[2].id, limit: 1)
    #expect(page == [items[1]])
    #expect(try await store.item(items[0].id) == items[0])
    #expect(try await store.item(99) == nil)
    #expect(
      try await store.found("tea") == [
        "Is tea good?", "Tea is fine.", "about tea", "likes tea",
      ])
    let stats = try await store.stats(MemoryFilter(user: "ann"))
    #expect(stats.turns == 2 && stats.notes == 1 && stats.facts == 1 && stats.past == 0)
    #expect(stats.bytes == Int64(items.reduce(0) { $0 + $1.text.utf8.count }))
    #expect(try await store.stats(MemoryFilter(user: "bob")) == MemoryStats())
  }

  @Test(arguments: StoreKind.allCases)
  func `supersedes facts of one slot, and opens the one before again`(kind: StoreKind)
    async throws
  {
    let store = Fixture(kind).store
    let added = try await store.add([
      known("Rome", slot: "home", at: 100), known("Oslo", slot: "home", at: 300),
    ])
    #expect(added == [.added(id: 1, closes: []), .added(id: 2, closes: [1])])
    #expect(try await store.holding() == ["Oslo"])
    let rome = try #require(try await store.item(1))
    #expect(rome.fact?.until == Timestamp(milliseconds: 300) && rome.fact?.supersededBy == 2)
    // One that is told of later, but was over by then, takes its place between them.
    #expect(
      try await store.add([known("Bern", slot: "home", at: 400, from: 200, until: 250)])
        == [.added(id: 3, closes: [1])])
    #expect(try await store.item(1)?.fact?.supersededBy == 3)
    #expect(try await store.item(3)?.fact?.supersededBy == 2)
    #expect(try await store.holding() == ["Oslo"])
    #expect(try await store.forgetItems([2]).facts == 1)
    #expect(try await store.holding() == [])
    #expect(try await store.forgetItems([3]).facts == 1)
    #expect(try await store.holding() == ["Rome"])
    #expect(try await store.item(1)?.fact?.until == nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `knows a fact that is stated again, and one that is true again as another`(kind: StoreKind)
    async throws
  {
    let store = Fixture(kind).store
    #expect(
      try await store.add([
        known("Rome", slot: "home", at: 100, trust: .person),
        known("rome.", slot: "home", at: 150, run: "r2", trust: .model),
        known("Oslo", slot: "home", at: 300), known("Rome", slot: "home", at: 500),
      ]) == [
        .added(id: 1, closes: []), .known(id: 1), .added(id: 2, closes: [1]),
        .added(id: 3, closes: [2]),
      ])
    let first = try #require(try await store.item(1))
    #expect(first.trust == .person && first.time == Timestamp(milliseconds: 150))
    #expect(first.run == "r2")
    for (time, home) in [(50, []), (120, ["Rome"]), (400, ["Oslo"]), (600, ["Rome"])] {
      #expect(try await store.found("Rome Oslo", asOf: Int64(time)) == home, "\(time)")
    }
    // Without what was between them they are one.
    #expect(try await store.forgetItems([2]).facts == 1)
    #expect(try await store.all().map(\.id) == [1])
    #expect(try await store.item(1)?.time == Timestamp(milliseconds: 500))
    // And two when something comes between.
    _ = try await store.add([known("Bern", slot: "home", at: 200)])
    #expect(try await store.all().map(\.text) == ["Rome", "Bern", "Rome"])
    #expect(try await store.holding() == ["Rome"])
  }

  /// Of what is said about the present the last word holds, from the day that it names.
  @Test(arguments: StoreKind.allCases)
  func `takes the last word about a day`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([known("Rome", slot: "home", at: 500)])
    #expect(
      try await store.add([known("Oslo", slot: "home", at: 600, from: 200)])
        == [.added(id: 2, closes: [1])])
    #expect(try await store.holding() == ["Oslo"])
    // Nobody said since when the first one was true, and it was over when it was said.
    for (time, home) in [(100, ["Rome"]), (199, ["Rome"]), (200, ["Oslo"]), (900, ["Oslo"])] {
      #expect(try await store.found("Rome Oslo", asOf: Int64(time)) == home, "\(time)")
    }
    // What had ended is not closed by it.
    _ = try await store.add([known("Bonn", slot: "work", at: 500, until: 550)])
    #expect(
      try await store.add([known("Graz", slot: "work", at: 600)]) == [.added(id: 4, closes: [])])
    #expect(try await store.forgetItems([3, 4]).facts == 2)
    // A word that reaches behind two others: neither of them held.
    #expect(
      try await store.add([known("Bern", slot: "home", at: 700, from: 150)])
        == [.added(id: 5, closes: [2, 1])])
    for time in [150, 300, 900] {
      #expect(try await store.found("Rome Oslo Bern", asOf: Int64(time)) == ["Bern"], "\(time)")
    }
    #expect(try await store.stats(MemoryFilter()).past == 2)
    #expect(try await store.forgetItems([5]).facts == 1)
    #expect(try await store.holding() == ["Oslo"])
    #expect(try await store.found("Rome Oslo", asOf: 100) == ["Rome"])
  }

  @Test(arguments: StoreKind.allCases)
  func `ends what is denied from a day on, whatever came between`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      known("Ann lives in Rome.", at: 100), known("Ann lives in Oslo.", at: 300),
      known("Ann no longer lives in Rome.", at: 400, from: 200),
    ])
    #expect(try await store.item(1)?.fact?.until == Timestamp(milliseconds: 200))
    #expect(try await store.item(1)?.fact?.supersededBy == 3)
    #expect(try await store.found("Rome", asOf: 250) == ["Ann no longer lives in Rome."])
    #expect(try await store.forgetItems([3]).facts == 1)
    #expect(try await store.item(1)?.fact?.supersededBy == 2)
    // What is denied and true again is denied no longer, nor in between.
    _ = try await store.add([
      known("Ann no longer lives in Oslo.", at: 500),
      known("Ann no longer lives in Oslo.", at: 900),
      known("Ann lives in Oslo.", at: 700),
    ])
    for (time, home) in [
      (600, ["Ann no longer lives in Oslo."]), (800, ["Ann lives in Oslo."]),
      (950, ["Ann no longer lives in Oslo."]),
    ] {
      #expect(try await store.found("Oslo", asOf: Int64(time)) == home, "\(time)")
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `lets what is over be corrected`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      known("Rmoe", slot: "home", at: 100), known("Oslo", slot: "home", at: 300),
    ])
    let time = Timestamp(milliseconds: 900)
    #expect(try await store.edit(1, to: "Rome", at: time) == .added(id: 3, closes: [1]))
    #expect(try await store.holding() == ["Oslo"])
    for (moment, home) in [(50, []), (200, ["Rome"]), (400, ["Oslo"]), (950, ["Oslo"])] {
      #expect(try await store.found("Rome Rmoe Oslo", asOf: Int64(moment)) == home, "\(moment)")
    }
    let other = Fixture(kind).store
    _ = try await other.importItems(try await store.all())
    #expect(try await other.holding() == ["Oslo"])
    #expect(try await other.found("Rome Rmoe Oslo", asOf: 200) == ["Rome"])
    #expect(try await store.forgetItems([2]).facts == 1)
    #expect(try await store.holding() == ["Rome"])
  }

  @Test(arguments: StoreKind.allCases)
  func `ends what a later fact denies, and only that`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([known("Ann lives in Rome.", at: 100)])
    let denial = try await store.add([known("Ann no longer lives in Rome.", at: 200)])
    #expect(denial == [.added(id: 2, closes: [1])])
    #expect(try await store.item(1)?.fact?.until == Timestamp(milliseconds: 200))
    #expect(try await store.holding() == ["Ann no longer lives in Rome."])
    #expect(try await store.forgetItems([2]).facts == 1)
    #expect(try await store.holding() == ["Ann lives in Rome."])
    // Whatever comes first.
    _ = try await store.add([
      known("Ann no longer lives in Oslo.", at: 200), known("Ann lives in Oslo.", at: 150),
    ])
    #expect(try await store.holding() == ["Ann no longer lives in Oslo."])
    _ = try await store.add([known("Ann lives in Oslo.", at: 300)])
    #expect(try await store.holding() == ["Ann lives in Oslo."])
  }

  @Test(arguments: StoreKind.allCases)
  func `lets a person correct a fact`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      known("Rome", slot: "home", at: 100), known("Olso", slot: "home", at: 300, trust: .model),
      known("likes tea", at: 100),
    ])
    let time = Timestamp(milliseconds: 900)
    #expect(try await store.edit(2, to: "Oslo", at: time) == .added(id: 4, closes: [2, 1]))
    let wrong = try #require(try await store.item(2))
    #expect(wrong.fact?.until == time && wrong.fact?.supersededBy == 4)
    let right = try #require(try await store.item(4))
    #expect(right.trust == .person && right.fact?.slot == "home" && right.run == "by-hand")
    #expect(right.fact?.validFrom == Timestamp(milliseconds: 300))
    #expect(try await store.found("Rome Oslo Olso", asOf: 200) == ["Rome"])
    #expect(try await store.found("Rome Oslo Olso", asOf: 800) == ["Oslo"])
    #expect(try await store.found("Rome Oslo Olso", asOf: 950) == ["Oslo"])
    #expect(try await store.edit(3, to: "Likes tea!", at: time) == .known(id: 3))
    #expect(try await store.edit(3, to: "likes coffee", at: time) == .added(id: 5, closes: [3]))
    #expect(try await store.holding() == ["Oslo", "likes coffee"])
    #expect(try await store.edit(77, to: "x", at: time) == nil)
    // The correction forgotten, what it corrected holds again.
    #expect(try await store.forgetItems([4, 5]).facts == 2)
    #expect(try await store.holding() == ["Olso", "Likes tea!"])
    #expect(try await store.item(1)?.fact?.supersededBy == 2)
  }

  @Test(arguments: StoreKind.allCases)
  func `takes back what a run has stated, unless another has stated it as well`(kind: StoreKind)
    async throws
  {
    let fixture = Fixture(kind)
    let store = fixture.store
    let now = fixture.time.now.milliseconds
    try await store.say(
      "r1", in: "s", "in", "out", notes: ["note"],
      facts: [
        known("Rome", slot: "home", at: 100, run: "r1"), known("likes tea", at: 100, run: "r1"),
      ], at: now)
    try await store.say(
      "r2", in: "s", "in", "out", notes: ["note"],
      facts: [
        known("Oslo", slot: "home", at: 200, run: "r2"), known("likes tea", at: 200, run: "r2"),
        known("plays chess", at: 200, run: "r2"),
      ], at: now)
    let forgotten = try await store.forgetItems(MemoryFilter(run: "r2"))
    #expect(forgotten == ForgottenItems(turns: 2, notes: 1, facts: 2))
    #expect(try await store.holding() == ["Rome", "likes tea"])
    #expect(try await store.all().filter { $0.run == "r2" } == [])
    #expect(try await store.turns(of: "s", limit: 9).map(\.run) == ["r1"])
    #expect(try await store.run("r2") != nil)
  }

  @Test(arguments: StoreKind.allCases)
  func `forgets everything of a user, and nothing of others`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    for user in ["ann", "bob"] {
      let session = SessionID("s", of: user)
      try await store.say(
        "\(user)1", in: session, "in of \(user)", "out", notes: ["note"],
        facts: [known("fact", user: user, run: "\(user)1")], at: fixture.time.now.milliseconds)
      _ = try await store.add([known("fact by hand", scope: .user, user: user, run: "by-hand")])
      store.open(
        {
          var record = record("\(user)2", session: "s")
          record.user = user
          return record
        }(), [])
      _ = try await store.ask(approval("\(user)2", "ask", payload: "Really?"), recording: [])
      try await store.close(Identifier("\(user)2"), RunEnding(.parked), [])
    }
    let before = try await store.all("bob")
    #expect(
      try await store.forgetUser("ann")
        == ForgottenItems(turns: 2, notes: 1, facts: 2, runs: 2))
    #expect(try await store.all("ann") == [])
    #expect(try await store.sessions(of: "ann", limit: 9) == [])
    #expect(try await store.all() == before)
    #expect(try await store.runs().map(\.record.user) == ["bob", "bob"])
    #expect(try await store.approvals(ApprovalFilter(onlyPending: false), limit: 9).count == 1)
    #expect(try await store.audits(limit: 99).allSatisfy { !$0.detail.contains("ann") })
    #expect(try await store.forgetUser("ann") == ForgottenItems())
    // Somebody else may have that name.
    try await store.say("new", in: SessionID("s", of: "ann"), "hello", "hello")
    #expect(try await store.all("ann").map(\.text) == ["hello", "hello"])
  }

  @Test(arguments: StoreKind.allCases)
  func `does not forget a user of whom a run is going on`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    try await store.say("r1", in: "s", "in", "out")
    store.open(record("r2"), [])
    try await store.append([entry("r2", "a")])
    await #expect(throws: Failure.self) { try await store.forgetUser("ann") }
    #expect(try await store.all("ann").count == 2)
  }

  @Test(arguments: StoreKind.allCases)
  func `shows each scope to whom it is for`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      known("word of ann", scope: .user), known("word of the analyst", scope: .persona),
      known("word of the session", scope: .session, session: "s"),
      known("word of bob", scope: .user, user: "bob"),
    ])
    func found(
      _ persona: String?, _ session: String?, _ scopes: Set<MemoryScope> = Set(MemoryScope.allCases)
    ) async throws -> Set<String> {
      Set(
        try await store.search(
          MemoryQuery(
            text: "word", user: "ann", persona: persona, session: session, scopes: scopes)
        ).map { String($0.item.text.dropFirst("word of ".count)) })
    }
    #expect(try await found("analyst", "s") == ["ann", "the analyst", "the session"])
    #expect(try await found("analyst", nil) == ["ann", "the analyst"])
    #expect(try await found("analyst", "other") == ["ann", "the analyst"])
    #expect(try await found("chef", "s") == ["ann", "the session"])
    #expect(try await found("chef", nil) == ["ann"])
    #expect(try await found(nil, nil) == ["ann", "the analyst", "the session"])
    #expect(try await found("analyst", "s", [.persona]) == ["the analyst"])
    #expect(try await found("analyst", "s", [.session, .user]) == ["ann", "the session"])
    await #expect(throws: Failure.self) {
      try await store.add([known("whose?", scope: .session)])
    }
    // What is for one conversation goes with it.
    #expect(try await store.deleteSession("s"))
    #expect(try await found(nil, nil) == ["ann", "the analyst"])
  }

  @Test(arguments: StoreKind.allCases)
  func `leaves out runs that are to be left out, and what is over`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let now = fixture.time.now.milliseconds
    _ = try await store.add([
      known("word one", at: now, run: "r1"), known("word two", at: now, run: "r2"),
      known("word over", at: now, until: now - 1), known("word stale", at: now, expires: now),
      known("word later", at: now, from: now + 5000),
    ])
    let found = try await store.search(
      MemoryQuery(text: "word", user: "ann", exceptRuns: ["r2"], limit: 9)
    ).map(\.item.text)
    #expect(Set(found) == ["word one", "word later"])
    #expect(try await store.found("word", asOf: now) == ["word one", "word two"])
    #expect(try await store.stats(MemoryFilter()).past == 2)
    #expect(try await store.all(past: false).count == 3)
  }

  @Test(arguments: StoreKind.allCases)
  func `reads the end of a conversation by bytes`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for number in 0..<10 {
      try await store.say(
        "r\(number)", in: "s", String(repeating: "i", count: 40),
        String(repeating: "o", count: 60))
    }
    for (bytes, count) in [(0, 0), (1, 1), (100, 1), (101, 2), (350, 4), (99_999, 10)] {
      let end = try await store.conversation(of: "s", bytes: bytes)
      #expect(end.turns.map(\.run.text) == ((10 - count)..<10).map { "r\($0)" }, "\(bytes)")
      #expect(end.earlier == 10 - count)
    }
    #expect(try await store.conversation(of: "none", bytes: 9) == RasaEngine.Conversation())
    // A turn of which one side is forgotten is none any more.
    let item = try #require(try await store.all().last)
    #expect(try await store.forgetItems([item.id]).turns == 1)
    #expect(try await store.turns(of: "s", limit: 1).map(\.run) == ["r8"])
  }

  @Test(arguments: StoreKind.allCases)
  func `takes what another has exported`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    try await fixture.store.say(
      "r1", in: "s", "in", "out", notes: ["note"],
      facts: [
        known("Rome", slot: "home", at: 100, run: "r1"),
        known("Oslo", slot: "home", at: 200, run: "r1"), known("over", until: 50),
      ], at: fixture.time.now.milliseconds)
    let exported = try await fixture.store.all()
    let other = Fixture(kind).store
    _ = try await other.add([known("known before")])
    #expect(try await other.importItems(exported) == ImportedItems(added: 6, known: 0))
    #expect(try await other.importItems(exported.reversed()) == ImportedItems(added: 0, known: 6))
    #expect(try await other.turns(of: "s", limit: 9) == fixture.store.turns(of: "s", limit: 9))
    let texts = try await other.all().map { "\($0.text) \($0.fact?.until?.milliseconds ?? 0)" }
    #expect(
      texts.sorted()
        == [
          "Oslo 0", "Rome 200", "in 0", "known before 0", "note 0", "out 0", "over 50",
        ])
    var broken = exported[0]
    broken.session = nil
    await #expect(throws: Failure.self) { try await other.importItems([exported[5], broken]) }
  }

  @Test(arguments: StoreKind.allCases)
  func `bears texts and times of all kinds`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let long = String(repeating: "東京 Москва needle ", count: 400_000)
    let texts = [
      "", " ", "\u{0}\u{1}\u{7F}\u{FFFD}", "\u{202E}abc", long,
      String(repeating: "x", count: 70_000),
      "e\u{301}", "🦆",
    ]
    for (number, text) in texts.enumerated() {
      _ = try await store.add([
        known(text, at: number % 2 == 0 ? .min : .max, from: .max, until: .min, expires: .max),
        known(text, slot: text, at: .min, from: .min, scope: .user, run: "r\(number)"),
      ])
    }
    let all = try await store.all()
    #expect(Set(all.map(\.text)) == Set(texts))
    #expect(try await store.found("needle") != [])
    let ids = all.map(\.id)
    #expect(try await store.forgetItems(ids).facts == all.count)
    #expect(try await store.all() == [])
    #expect(try await store.found("needle") == [])
  }
}
