import RasaCore
import RasaEngine
import RasaPersona
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// Two implementations that share nothing but the order of statements: one reckons neighbours, the other whole chains.
@Suite struct `Any order of what is remembered and forgotten` {
  private struct Chance {
    var numbers: SeededNumbers

    mutating func pick<Element>(_ choices: [Element]) -> Element {
      choices[Int.random(in: 0..<choices.count, using: &numbers)]
    }

    mutating func fact() -> NewFact {
      let slot = pick([nil, "home", "home", "home", "risk"])
      let text: String
      switch slot {
      case nil:
        text = pick([
          "likes tea", "plays chess", "Ann no longer lives in Rome.",
          "Ann no longer lives in Oslo.",
        ])
      case "home": text = pick(["Rome", "Oslo", "Bern", "oslo."])
      default: text = pick(["risk_tolerance: low", "risk_tolerance: high"])
      }
      let said = pick([text, "Ann lives in Rome.", "Ann lives in Oslo.", text])
      return known(
        said, slot: said == text ? slot : nil, at: pick([100, 200, 300, 400]),
        from: pick([nil, nil, 50, 250, 350, 450]), until: pick([nil, nil, nil, 150, 320, 420]),
        scope: pick([.persona, .persona, .user]), user: pick(["ann", "ann", "bob"]),
        persona: pick(["analyst", "chef"]), run: pick(["r1", "r2", "r3", "r4"]),
        trust: pick([.person, .tool, .model]))
    }
  }

  /// What there is, without IDs and without who spelt it.
  private func state(of store: any RunStore) async throws -> [String] {
    let items = try await store.all()
    func name(_ item: MemoryItem) -> String {
      """
      \(item.user) \(item.scope) \(item.scope == .user ? "" : item.persona) \(item.fact?.slot ?? "-") \
      \(item.text.lowercased().filter(\.isLetter)) \(item.time.milliseconds) \(item.run) \(item.trust) \
      \(item.fact?.validFrom?.milliseconds ?? -1) \(item.fact?.begin?.milliseconds ?? -1) \
      \(item.fact?.until?.milliseconds ?? -1)
      """
    }
    return items.map { item in
      let next = items.first { $0.id == item.fact?.supersededBy }
      return "\(name(item)) -> \(next.map(name) ?? "")"
    }.sorted()
  }

  @Test(arguments: StoreKind.allCases, 1...25)
  func `leaves what adding the rest leaves`(kind: StoreKind, seed: UInt64) async throws {
    var chance = Chance(numbers: SeededNumbers(seed: seed))
    let facts = (0..<24).map { _ in chance.fact() }
    let one = Fixture(kind)
    for fact in facts { _ = try await one.store.add([fact]) }
    let forgotten = Identifier(chance.pick(["r1", "r2", "r3"]))
    _ = try await one.store.forgetItems(MemoryFilter(run: forgotten))

    let other = Fixture(kind)
    _ = try await other.store.add(
      facts.filter { $0.run != forgotten }.shuffled(using: &chance.numbers))
    #expect(try await state(of: one.store) == state(of: other.store))
    for fixture in [one, other] {
      for item in try await fixture.store.all() { #expect(item.run != forgotten) }
    }
  }

  /// The first one parts another fact while one holds again.
  @Test(arguments: [130] + (1...25))
  func `is the same in both stores`(seed: UInt64) async throws {
    var chance = Chance(numbers: SeededNumbers(seed: seed))
    let stores = [Fixture(.sqlite), Fixture(.memory)]
    for _ in 0..<60 {
      let all = try await stores[0].store.all()
      let item = all.isEmpty ? 1 : chance.pick(all).id
      let fact = chance.fact()
      let run = Identifier(chance.pick(["r1", "r2", "r3", "r4"]))
      let act = Int.random(in: 0..<20, using: &chance.numbers)
      for fixture in stores {
        let store = fixture.store
        switch act {
        case 0, 1: _ = try await store.forgetItems([item])
        case 2: _ = try await store.forgetItems(MemoryFilter(run: run))
        case 3, 4: _ = try await store.edit(item, to: fact.text, at: fact.time)
        default: _ = try await store.add([fact])
        }
      }
      let found = [try await stores[0].store.all(), try await stores[1].store.all()]
      #expect(found[0] == found[1], "after \(act) on \(item), \(run), \(fact)")
      guard found[0] == found[1] else { return }
    }
  }

  @Test(arguments: StoreKind.allCases, 1...25)
  func `lets one of those that contradict each other hold on any day`(kind: StoreKind, seed: UInt64)
    async throws
  {
    var chance = Chance(numbers: SeededNumbers(seed: seed &+ 1000))
    let store = Fixture(kind).store
    for _ in 0..<30 {
      _ = try await store.add([chance.fact()])
      let item = chance.pick(try await store.all())
      switch Int.random(in: 0..<8, using: &chance.numbers) {
      case 0: _ = try await store.forgetItems([item.id])
      case 1:
        let fact = chance.fact()
        _ = try await store.edit(item.id, to: fact.text, at: fact.time)
      default: break
      }
    }
    let places = Dictionary(grouping: try await store.all().filter { $0.fact?.slot != nil }) {
      item in
      "\(item.user) \(item.scope) \(item.scope == .user ? "" : item.persona) \(item.fact?.slot ?? "")"
    }
    for day in stride(from: 0, through: 500, by: 10) {
      for user in ["ann", "bob"] {
        let query = MemoryQuery(
          text: "Rome Oslo Bern Ann risk low high", user: user,
          asOf: Timestamp(milliseconds: Int64(day)), limit: 99)
        let found = Set(try await store.search(query).map(\.item.id))
        for (place, items) in places {
          let holding = items.filter { found.contains($0.id) }
          #expect(holding.count <= 1, "\(place) on \(day): \(holding)")
        }
      }
    }
  }

  /// Whatever is looked for, and however.
  @Test(arguments: StoreKind.allCases, 1...6)
  func `shows nothing that is forgotten, and nothing of others`(kind: StoreKind, seed: UInt64)
    async throws
  {
    var chance = Chance(numbers: SeededNumbers(seed: seed))
    let store = Fixture(kind).store
    // Words by which everything can be found, and a mark that tells whose it is.
    let words = ["tea", "house", "東京", "cards"]
    var forgotten: Set<String> = []
    for number in 0..<40 {
      let user = chance.pick(["ann", "bob"])
      let mark = "\(user)mark\(number)"
      let text = "\(chance.pick(words)) \(mark)"
      let session = SessionID(chance.pick(["s", "t"]), of: user)
      if number % 2 == 0 {
        try await store.say(
          "run\(number)", in: session, text, text, persona: chance.pick(["analyst", "chef"]),
          notes: [text], scope: chance.pick(MemoryScope.allCases))
      } else {
        _ = try await store.add([
          known(
            text, slot: chance.pick([nil, "home"]), scope: chance.pick(MemoryScope.allCases),
            user: user, persona: chance.pick(["analyst", "chef"]), session: session.name,
            run: "run\(number)")
        ])
      }
      guard number % 5 == 4 else { continue }
      let all = try await store.all()
      if Bool.random(using: &chance.numbers) {
        let item = chance.pick(all)
        _ = try await store.forgetItems([item.id])
        if item.kind == .fact { forgotten.insert(item.text) }
      } else {
        let run = chance.pick(all).run
        for item in all where item.run == run { forgotten.insert(item.text) }
        _ = try await store.forgetItems(MemoryFilter(run: run))
      }
    }
    if seed % 2 == 0 {
      for item in try await store.all("bob") { forgotten.insert(item.text) }
      _ = try await store.forgetUser("bob")
    }
    for user in ["ann", "bob"] {
      let other = user == "ann" ? "bobmark" : "annmark"
      for persona in [nil, "analyst", "chef"] {
        for session in [nil, "s", "t"] {
          for asOf in [nil, Int64.max] {
            var found: [MemoryItem] = []
            for word in words + (0..<40).map({ "\(user)mark\($0)" }) {
              found += try await store.search(
                MemoryQuery(
                  text: word, user: user, persona: persona, session: session,
                  asOf: asOf.map { Timestamp(milliseconds: $0) }, limit: 99)
              ).map(\.item)
            }
            for past in [true, false] {
              found += try await store.items(
                MemoryFilter(user: user, persona: persona, session: session, includesPast: past),
                before: nil, limit: 999)
            }
            for item in found {
              #expect(item.user == user && !item.text.contains(other))
              #expect(!forgotten.contains(item.text), "\(item.text)")
            }
          }
        }
      }
      for session in try await store.sessions(of: user, limit: 9) {
        for turn in try await store.turns(of: session.id, limit: 99) {
          #expect(!forgotten.contains(turn.input) && !turn.output.contains(other))
        }
        for note in try await store.notes(of: session.id, limit: 99) {
          #expect(!forgotten.contains(note.text) && !note.text.contains(other))
        }
      }
    }
    #expect(!forgotten.isEmpty)
  }
}

@Suite struct `An index of many memories` {
  private let fixture = Fixture(.sqlite)

  /// How many statements it takes to add a fact.
  private func cost(_ fact: NewFact, in store: SQLiteStore) async throws -> Int {
    let stored = StoredFact(fact)
    return try await store.writer.write { database in
      let before = database.statementsRun
      _ = try database.add(stored)
      return database.statementsRun - before
    }
  }

  /// A hundred thousand facts: half of them of one chain, each learnt ten milliseconds after the one before, and half
  /// in chains of their own. Adding them one by one would take the test long.
  private func fill(_ store: SQLiteStore) async throws {
    _ = try await store.add([known("town number 1", slot: "home", at: 10)])
    let chain = StoredFact(known("", slot: "home")).chain
    try await store.writer.write { database in
      try database.run(
        """
        WITH RECURSIVE counts (number) AS (
          SELECT 2 UNION ALL SELECT number + 1 FROM counts WHERE number < 100000)
        INSERT INTO items (id, kind, scope, user, persona, text, run, time, trust, bytes)
        SELECT number, 2, scope, user, persona, iif(number <= 50000, 'town number ', 'word number ') || number,
          run, number * 10, 0, 18 FROM counts JOIN items ON items.id = 1
        """)
      try database.run(
        """
        INSERT INTO facts (item, kind, slot, learnt, stated_from, begin)
        SELECT id, 'fact', iif(id <= 50000, 'home', NULL), time, time, time FROM items WHERE id > 1
        """)
      try database.run(
        """
        UPDATE facts SET until = learnt + 10, next_begin = learnt + 10, next_item = item + 1,
          superseded_by = item + 1 WHERE item < 50000
        """)
      try database.run(
        """
        INSERT INTO statements (chain, place, time, form, run, item, trust, kind)
        SELECT iif(id <= 50000, ?, CAST(printf('%032d', id) AS BLOB)), time, time,
          CAST(printf('%032d', id) AS BLOB), run, id, 0, 'fact' FROM items WHERE id > 1
        """, .bytes(chain))
      // Their words are left out of the index.
      _ = try database.unindexedItems()
    }
  }

  @Test func `adds, forgets and finds among a hundred thousand what it does among five`()
    async throws
  {
    let small = try #require(Fixture(.sqlite).store as? SQLiteStore)
    func home(_ number: Int64) -> NewFact {
      known("town number \(number)", slot: "home", at: number * 10)
    }
    _ = try await small.add((1...5).map { home($0) })
    let store = try #require(fixture.store as? SQLiteStore)
    try await fill(store)
    func statements(_ facts: [NewFact]) async throws -> [Int] {
      var costs: [Int] = []
      for fact in facts { costs.append(try await cost(fact, in: store)) }
      return costs
    }
    let few = try await cost(known("village", slot: "home", at: 25, until: 25), in: small)
    let last = try await cost(known("village", slot: "home", at: 55), in: small)
    // In the middle, at the end, and in a chain of its own.
    let costs = try await statements([
      known("village", slot: "home", at: 250_005, until: 250_005),
      known("hamlet", slot: "home", at: 500_005), known("likes pelicans", at: 500_005),
    ])
    #expect(costs[0] <= few + 5 && costs[1] <= last + 5 && costs[2] <= last + 5, "\(costs)")
    func homes(_ asOf: Int64? = nil, past: Bool = false) async throws -> [String] {
      try await store.items(
        MemoryFilter(
          user: "ann", includesPast: past, asOf: asOf.map { Timestamp(milliseconds: $0) }),
        before: nil, limit: .max
      ).filter { $0.fact?.slot == "home" }.map(\.text)
    }
    #expect(try await homes() == ["hamlet"])
    #expect(try await homes(past: true).count == 50_002)
    for (moment, town) in [
      (5, nil), (15, "town number 1"), (123_456, "town number 12345"),
      (250_003, "town number 25000"), (250_010, "town number 25001"),
      (500_004, "town number 50000"), (500_005, "hamlet"),
    ] as [(Int64, String?)] {
      #expect(try await homes(moment) == [town].compactMap(\.self), "\(moment)")
    }
    #expect(try await store.found("pelicans") == ["likes pelicans"])
    // Whatever is taken out, what was there before holds as long as it would have without.
    _ = try await store.forgetItems([12345, 100_002])
    #expect(try await homes() == ["town number 50000"])
    #expect(try await homes(123_456) == ["town number 12344"])
    #expect(try await store.stats(MemoryFilter()).facts == 100_001)
    // As is the same fact, stated over and over.
    _ = try await store.add((0..<2000).map { known("likes tea", at: $0, run: "r\($0)") })
    let again = try await cost(known("likes tea", at: 999_999, run: "again"), in: store)
    #expect(again <= last)
  }

  /// One that reaches behind all others ends each of them once.
  @Test func `ends a thousand facts with one`() async throws {
    let store = try #require(fixture.store as? SQLiteStore)
    _ = try await store.add(
      (1...1000).map { known("town number \($0)", slot: "home", at: $0 * 10) })
    guard
      case .added(let id, let closes) = try await store.add([
        known("Bern", slot: "home", at: 20_000, from: 5)
      ])[0]
    else {
      Issue.record("it is new")
      return
    }
    #expect(closes.count == 1000)
    #expect(try await store.stats(MemoryFilter()).past == 1000)
    #expect(try await store.forgetItems([id]).facts == 1)
    #expect(try await store.holding() == ["town number 1000"])
    let first = try #require(try await store.item(1)?.fact)
    #expect(first.until == Timestamp(milliseconds: 20) && first.supersededBy == 2)
  }

  @Test func `is made anew when its rules have changed`() async throws {
    let store = try #require(fixture.store as? SQLiteStore)
    try await store.say("r1", in: "s", "About tea", "Tea is fine", facts: [known("likes tea")])
    for _ in 0..<2 {
      try await store.writer.write { try $0.discardTerms() }
      // What is written, changed and deleted before is neither missing nor there twice.
      _ = try await store.add([known("drinks tea")])
      let item = try #require(try await store.all().first { $0.text == "drinks tea" })
      #expect(
        try await store.found("tea") == ["About tea", "Tea is fine", "drinks tea", "likes tea"])
      try await store.writer.write { try $0.discardTerms() }
      #expect(try await store.forgetItems([item.id]).facts == 1)
      #expect(try await store.found("tea") == ["About tea", "Tea is fine", "likes tea"])
    }
  }

  @Test func `reads the end of a conversation of ten thousand turns alone`() async throws {
    let store = try #require(fixture.store as? SQLiteStore)
    try await store.say("first", in: "s", "in", "out")
    try await store.writer.write { database in
      // As many as would take the test long to say.
      try database.run(
        """
        WITH RECURSIVE counts (number) AS (
          SELECT 1 UNION ALL SELECT number + 1 FROM counts WHERE number < 20000)
        INSERT INTO items (kind, scope, user, persona, session, speaker, text, run, time, trust, bytes)
        SELECT 0, 1, user, persona, session, speaker, 'text', 'run' || ((number + 1) / 2), 10,
          iif(number % 2 = 1, 0, 2), 400 FROM counts JOIN items ON items.id = 1
        """)
      try database.run("UPDATE sessions SET sides = 20002")
    }
    let end = try await store.conversation(of: "s", bytes: 8000)
    #expect(end.turns.count == 10 && end.turns.last?.run == "run10000" && end.earlier == 9991)
    let statements = try await store.writer.read { database in
      let before = database.statementsRun
      _ = try database.newestTurns(in: "s", limit: .max, bytes: 8000)
      return database.statementsRun - before
    }
    // The lengths, and then the texts.
    #expect(statements == 2)
  }
}

@Suite struct `A conversation that two processes have` {
  private let fixture = Fixture(.sqlite)

  /// What one of them has said counts for the other, in the order in which it was committed.
  @Test func `keeps all turns whole and in order`() async throws {
    let stores = [fixture.another("one"), fixture.another("two")]
    let committed = Locked<[String]>([])
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, store) in stores.enumerated() {
        group.addTask {
          for turn in 0..<25 {
            let run = "r\(number)-\(turn)"
            // The clock of one of them steps back.
            try await store.say(
              run, in: "s", "in \(run)", "out \(run)", notes: ["note \(run)"],
              at: Int64(number == 0 ? 1000 + turn : 1000 - turn))
            committed.withLock { $0.append(run) }
            let seen = try await store.turns(of: "s", limit: 99).map(\.run.text)
            #expect(seen.contains(run))
          }
        }
      }
      try await group.waitForAll()
    }
    let turns = try await stores[0].turns(of: "s", limit: 99)
    #expect(turns.count == 50 && turns.allSatisfy { $0.input == "in \($0.run)" })
    #expect(turns.allSatisfy { $0.output == "out \($0.run)" })
    #expect(try await stores[1].turns(of: "s", limit: 99) == turns)
    for number in 0..<2 {
      let own = turns.map(\.run.text).filter { $0.hasPrefix("r\(number)-") }
      #expect(own == (0..<25).map { "r\(number)-\($0)" })
    }
    // Listing newest first gives the same order.
    let sides = try await stores[1].all().filter { $0.kind == .turn }
    #expect(sides.map(\.run) == turns.flatMap { [$0.run, $0.run] })
    #expect(sides.map { $0.trust == .person } == turns.flatMap { _ in [true, false] })
  }

  /// One process waits for its model while the other one comes and goes.
  @Test func `orders turns by when they were committed, not by when they began`() async throws {
    let (one, two) = (fixture.another("one"), fixture.another("two"))
    one.open(record("slow", session: "s"), [entry("slow", "a")])
    try await one.append([])
    try await two.say("quick", in: "s", "in", "out", at: 2000)
    try await one.close("slow", RunEnding(.done, turn: turn("s", "slow", at: 1000)), [])
    for store in [one, two] {
      #expect(try await store.turns(of: "s", limit: 9).map(\.run) == ["quick", "slow"])
    }
    #expect(try await two.session("s")?.usedAt == Timestamp(milliseconds: 2000))
  }
}
