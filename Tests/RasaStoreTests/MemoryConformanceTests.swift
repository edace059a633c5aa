import RasaCore
import RasaEngine
import Testing

@testable import RasaStore

@Suite struct `Every memory` {
  @Test(arguments: StoreKind.allCases)
  func `gives the newest turns of a session, oldest first`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    for number in 0..<10 {
      let run = Identifier("r\(number)")
      store.open(record(run.text, session: number == 5 ? "other" : "s"), [])
      let turn = turn(number == 5 ? "other" : "s", "r\(number)")
      try await store.close(run, RunEnding(.done, turn: turn), [])
    }
    #expect(try await store.turns(of: "s", limit: 3).map(\.run) == ["r7", "r8", "r9"])
    #expect(try await store.turns(of: "s", limit: 100).count == 9)
    #expect(try await store.turns(of: "s", limit: 0) == [])
    #expect(try await store.turns(of: "s", limit: -1) == [])
    #expect(try await store.turns(of: "unknown", limit: 5) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps sessions of one name and several users apart`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let users = ["ann", "bob", "ann", "cid"]
    for (number, user) in users.enumerated() {
      let session = SessionID("s", of: user)
      var record = record("r\(number)", session: "s")
      record.user = user
      store.open(record, [])
      let ending = RunEnding(
        .done, turn: turn(session, "r\(number)"),
        notes: [note(session, "of \(number)", at: fixture.time.now)])
      try await store.close(record.id, ending, [])
    }
    for (user, runs) in [("ann", [0, 2]), ("bob", [1]), ("cid", [3]), ("dan", [])] {
      let session = SessionID("s", of: user)
      #expect(try await store.turns(of: session, limit: 9).map(\.run.text) == runs.map { "r\($0)" })
      #expect(try await store.notes(of: session, limit: 9).map(\.text) == runs.map { "of \($0)" })
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `bounds notes by count and age`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    func keep(_ texts: [String]) async throws {
      let notes = texts.map { note("s", $0, at: fixture.time.now) }
      store.open(record(texts[0], session: "s"), [])
      try await store.close(Identifier(texts[0]), RunEnding(.done, notes: notes), [])
    }
    try await keep((0..<150).map { "old \($0)" })
    fixture.time.pass(seconds: 20 * 86_400)
    try await keep((0..<100).map { "new \($0)" })
    #expect(try await store.notes(of: "s", limit: 1000).count == 200)
    #expect(try await store.notes(of: "s", limit: 2).map(\.text) == ["new 98", "new 99"])
    #expect(try await store.notes(of: "s", limit: 1000).first?.text == "old 50")
    fixture.time.pass(seconds: 11 * 86_400)
    #expect(try await store.notes(of: "s", limit: 1000).count == 100)
  }

  @Test(arguments: StoreKind.allCases)
  func `recalls what fits best`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      fact("Ann prefers low risk", at: 1), fact("Ann holds shares of AMD", at: 2),
      fact("The weather in Lisbon is fine", at: 3),
    ])
    let found = try await store.facts(
      of: FactOwner(persona: "analyst", user: "ann"), about: "And what about shares of amd?",
      limit: 5)
    #expect(found.map(\.text) == ["Ann holds shares of AMD"])
    #expect(found.first?.run == "r1")
    #expect(found.first?.trust == .person)
    #expect((found.first?.id ?? 0) > 0)
  }

  @Test(arguments: StoreKind.allCases)
  func `finds nothing where nothing fits`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add((0..<9).map { fact("memory \($0)", at: Int64($0)) })
    for query in ["zebra", "", "?!", "* \"", "🦆"] {
      #expect(try await store.facts(of: FactOwner(user: "ann"), about: query) == [], "\(query)")
    }
    #expect(try await store.facts(limit: 2).map(\.text) == ["memory 8", "memory 7"])
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps personas and users apart`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([
      fact("shared word of ann"), fact("shared word of bob", user: "bob"),
      fact("shared word of the chef", persona: "chef"),
    ])
    let found = try await store.facts(
      of: FactOwner(persona: "analyst", user: "bob"), about: "shared word", limit: 9)
    #expect(found.map(\.text) == ["shared word of bob"])
    #expect(
      try await store.facts(
        of: FactOwner(persona: "chef", user: "bob"), about: "word", limit: 9) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `refreshes what it knows already`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([fact("one fact", at: 1), fact("another fact", at: 2)])
    _ = try await store.add([
      fact("one fact", run: "r2", at: 9, trust: .model), fact("one fact", user: "bob"),
    ])
    let found = try await store.facts(
      of: FactOwner(persona: "analyst", user: "ann"), about: "fact", limit: 9)
    #expect(found.count == 2)
    #expect(found.first { $0.text == "one fact" }?.run == "r2")
    #expect(found.first { $0.text == "one fact" }?.trust == .person)
  }

  @Test(
    arguments: StoreKind.allCases,
    [
      "\"", "\"\"\"", "'; DROP TABLE items; --", "NEAR(a b, 1)", "a AND OR NOT b", "text : a",
      "{text} : a", "^a*", "*", "a*", "-a", "+a", "(", ")", "a\u{0}b", "NOT", "OR", "\\", "%", "_",
      "ａ ｂ", "e\u{301}", "\u{202E}abc", "日本語", "item_terms", "rowid:1", "a\"\u{0}\"b",
    ])
  func `is not misled by a query`(kind: StoreKind, query: String) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([fact("hello world"), fact("another one")])
    #expect(try await store.facts(of: FactOwner(user: "ann"), about: query) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `bears a very long query`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.add([fact("the needle")])
    let query = "needle " + (0..<100_000).map { "w\($0)" }.joined(separator: " ")
    let found = try await store.facts(
      of: FactOwner(persona: "analyst", user: "ann"), about: query, limit: 9)
    #expect(found.map(\.text) == ["the needle"])
  }

  @Test(
    arguments: [
      ("Zürich", "zurich"), ("ZURICH", "zürich"), ("naïve café", "cafe"), ("Привет мир", "МИР"),
      ("low-risk", "risk"), ("don't sell", "don't"), ("NEAR the end", "near"),
    ])
  func `finds words whatever their case and accents`(text: String, query: String) async throws {
    let store = Fixture(.sqlite).store
    _ = try await store.add([fact(text), fact("something else")])
    let found = try await store.facts(
      of: FactOwner(persona: "analyst", user: "ann"), about: query, limit: 9)
    #expect(found.map(\.text) == [text])
  }
}
