import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

private func said(
  _ number: Int, _ text: String, kind: MemoryItem.Kind = .turn, scope: MemoryScope = .persona,
  user: String = "ann", persona: String = "p", session: String? = "s", speaker: String? = nil,
  at time: Int64? = nil, trust: MemoryTrust = .person, fact: FactDetails? = nil
) -> MemoryItem {
  MemoryItem(
    id: Int64(number), kind: kind, scope: scope, user: user, persona: persona, session: session,
    speaker: speaker, text: text, run: Identifier("r\(number)"),
    time: Timestamp(milliseconds: time ?? 1_600_000_000_000 + Int64(number)), trust: trust,
    fact: kind == .fact ? fact ?? FactDetails() : nil)
}

extension RunStore {
  fileprivate func found(_ query: MemoryQuery) async throws -> [String] {
    try await search(query).map(\.item.run.text)
  }
}

@Suite struct `A search` {
  @Test(arguments: StoreKind.allCases)
  func `finds what may be seen, and nothing else`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    _ = try await store.importItems([
      said(1, "one violin", scope: .user, persona: "other", session: "a"), said(2, "two violins"),
      said(3, "three violins", scope: .session),
      said(4, "four violins", scope: .session, session: "t"),
      said(5, "five violins", persona: "other", session: "b"), said(6, "six violins", user: "bob"),
      said(7, "seven violins", kind: .note), said(8, "eight violins", kind: .fact, session: nil),
    ])
    func runs(_ query: MemoryQuery) async throws -> Set<String> {
      Set(try await store.found(query))
    }
    var query = MemoryQuery(text: "violin", user: "ann", persona: "p", session: "s", limit: 20)
    #expect(try await runs(query) == ["r1", "r2", "r3", "r7", "r8"])
    query.session = nil
    #expect(try await runs(query) == ["r1", "r2", "r7", "r8"])
    query.kinds = [.turn]
    query.scopes = [.persona]
    #expect(try await runs(query) == ["r2"])
    query.exceptRuns = ["r2"]
    #expect(try await runs(query) == [])
    query = MemoryQuery(text: "violin", user: "ann", limit: 20)
    #expect(try await runs(query) == ["r1", "r2", "r3", "r4", "r5", "r7", "r8"])
    query.user = "bob"
    query.persona = "p"
    #expect(try await runs(query) == ["r6"])
    query.user = "eve"
    #expect(try await runs(query) == [])
    #expect(try await runs(MemoryQuery(text: "violin", limit: 20)).count == 8)
    #expect(try await runs(MemoryQuery(text: "violin", limit: 0)) == [])
    #expect(try await runs(MemoryQuery(text: "violin", limit: -1)) == [])
    #expect(try await runs(MemoryQuery(text: "cello")) == [])
    #expect(try await runs(MemoryQuery(text: " ?! ")) == [])
  }

  @Test(
    arguments: StoreKind.allCases,
    [
      ("ユーザーは東京に住んでいます", "東京"), ("我住在北京", "北"), ("Она живёт в Москве", "Москва"),
      ("She collects playing cards", "card"), ("저는 서울에서 살아요", "서울"),
      ("ผมอยู่ที่กรุงเทพ", "กรุงเทพ"), ("Order 4711 is late", "4711"), ("Uses GPT-4o daily", "gpt-4o"),
      ("It costs 10.5 EUR", "10.5"), ("Mail anna@example.org", "anna@example.org"),
      ("Isparta'da yağmur yağdı", "ısparta"), ("Elle aime les cafés", "cafe"),
    ])
  func `finds the words of every script`(kind: StoreKind, example: (String, String)) async throws {
    let store = Fixture(kind).store
    _ = try await store.importItems([
      said(1, "Nothing of that kind was said here"),
      said(2, "Der Hund schläft im Garten", session: "t"),
      said(3, example.0, session: "u"),
    ])
    let query = MemoryQuery(text: example.1, user: "ann", persona: "p", limit: 1)
    #expect(try await store.found(query) == ["r3"])
  }

  @Test(arguments: StoreKind.allCases)
  func `finds an answer that repeats nothing of what was asked`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    var items: [MemoryItem] = []
    for number in 0..<40 {
      items.append(said(number, "Let us talk about topic number \(number).", session: "s\(number)"))
    }
    items += [
      said(50, "Which instrument did you play as a child?", session: "z", speaker: "Rex"),
      said(51, "The cello, for ten years.", session: "z", speaker: "Ann"),
      said(52, "Fine weather.", session: "z2", speaker: "Ann"),
    ]
    _ = try await store.importItems(items)
    let query = MemoryQuery(
      text: "instrument Ann played as a child", user: "ann", persona: "p", limit: 2)
    let found = try await store.search(query)
    #expect(found.map(\.item.run) == ["r51", "r50"] || found.map(\.item.run) == ["r50", "r51"])
    let answer = try #require(found.first { $0.item.run == "r51" })
    #expect(answer.shares.contains { $0.reason == .context && $0.value > 0.2 })
    let question = try #require(found.first { $0.item.run == "r50" })
    #expect(question.shares.first { $0.reason == .words }?.words.contains("instrument") == true)
    for one in found { #expect(abs(one.score - one.shares.reduce(0) { $0 + $1.value }) < 1e-9) }
  }

  @Test(arguments: StoreKind.allCases)
  func `finds by a name alone what somebody said, and what is said of them`(
    kind: StoreKind
  ) async throws {
    let store = Fixture(kind).store
    var items = (0..<30).map { said($0, "Fine weather number \($0).", speaker: "Rex") }
    items += [
      said(40, "The cello, for ten years.", session: "z", speaker: "Ada Berg"),
      said(41, "Hardly any rain there.", session: "z2", speaker: "Ada Berg"),
      said(42, "Yesterday Ada won the race.", session: "z3", speaker: "Rex"),
      said(43, "Rome in May", kind: .fact, session: nil),
    ]
    _ = try await store.importItems(items)
    func found(_ text: String, limit: Int = 3) async throws -> Set<String> {
      Set(
        try await store.found(MemoryQuery(text: text, user: "ann", persona: "p", limit: limit)))
    }
    #expect(try await found("Ada") == ["r40", "r41", "r42"])
    #expect(try await found("ada berg") == ["r40", "r41", "r42"])
    #expect(try await found("berg") == ["r40", "r41"])
    #expect(try await found("Rex", limit: 50).count == 31)
    #expect(try await found("Rex", limit: 5).count == 5)
    #expect(try await found("Ada cello").contains("r40"))
    #expect(try await found("Nobody").isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `orders by time and trust only what fits about equally`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let now = fixture.time.now.milliseconds
    let day: Int64 = 86_400_000
    var items = [
      said(1, "Her sister Berta plays the violin", kind: .fact, session: nil, at: now - 730 * day),
      said(2, "Berta said good morning", session: "b", at: now - day),
      said(3, "The boat is moored in Split", kind: .fact, session: nil, at: now - 500 * day),
      said(4, "In Split the boat is moored", kind: .fact, session: nil, at: now - day),
      said(5, "Ships are red", kind: .fact, session: nil, at: now, trust: .tool),
      said(6, "red are ships", kind: .fact, session: nil, at: now, trust: .person),
    ]
    for number in 10..<40 {
      items.append(said(number, "chatter \(number)", session: "c\(number)", at: now - day))
    }
    _ = try await store.importItems(items)
    func first(_ text: String) async throws -> [String] {
      Array(
        try await store.found(MemoryQuery(text: text, user: "ann", persona: "p")).prefix(2))
    }
    #expect(try await first("does Berta play the violin").first == "r1")
    #expect(try await first("moored boat") == ["r4", "r3"])
    #expect(try await first("red ships") == ["r6", "r5"])
  }

  @Test(arguments: StoreKind.allCases)
  func `finds what held at a time`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let now = fixture.time.now.milliseconds
    let day: Int64 = 86_400_000
    _ = try await store.importItems([
      said(
        1, "The office plant is a fern", kind: .fact, session: nil, at: now - 100 * day,
        fact: FactDetails(until: Timestamp(milliseconds: now - 10 * day))),
      said(2, "the fern was watered", session: "a", at: now - 50 * day),
      said(3, "the fern is gone", session: "b", at: now - 5 * day),
    ])
    var query = MemoryQuery(text: "fern", user: "ann", persona: "p")
    #expect(Set(try await store.found(query)) == ["r2", "r3"])
    query.asOf = Timestamp(milliseconds: now - 40 * day)
    #expect(Set(try await store.found(query)) == ["r1", "r2"])
    query.asOf = Timestamp(milliseconds: now - 200 * day)
    #expect(try await store.found(query) == [])
  }

  @Test func `finds the same in both stores`() async throws {
    let (one, other) = (Fixture(.sqlite).store, Fixture(.memory).store)
    var random = SeededNumbers(seed: 7)
    let words = ["tea", "Москве", "cards", "東京", "café", "violins", "Häuser", "the", "is", "rain"]
    var items: [MemoryItem] = []
    for number in 1...500 {
      let text = (0..<Int.random(in: 1...9, using: &random)).map { _ in
        words[min(Int.random(in: 0..<10, using: &random), Int.random(in: 0..<10, using: &random))]
      }.joined(separator: " ")
      items.append(
        said(
          number, "\(text) \(number)" + (number % 7 == 0 ? "?" : ""),
          kind: number % 11 == 0 ? .note : .turn, session: "s\(number / 20)",
          speaker: number % 2 == 0 ? "Ann Berg" : "Rex"))
    }
    for store in [one, other] { _ = try await store.importItems(items) }
    for forgets in [false, true] {
      if forgets {
        for store in [one, other] { _ = try await store.forgetItems(Array(100..<300)) }
      }
      for text in [
        "tea", "what did Ann say of Москва", "cafe cards", "東京 rain", "Haus", "the", "Rex",
      ] {
        let query = MemoryQuery(text: text, user: "ann", persona: "p", limit: 12)
        let found = try await one.search(query)
        if text.hasPrefix("tea") { #expect(found.count == 12) }
        #expect(found == (try await other.search(query)), "\(text)")
      }
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `bears any text`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    var random = SeededNumbers(seed: 3)
    let texts =
      [
        "\u{0}\u{1}\u{1b}[31m\u{7f}", "\u{301}\u{302}", "", "'",
        String(repeating: "a", count: 200_000),
        String(repeating: "東", count: 100_000), String(repeating: "\u{1}", count: 10_000_000),
        "needle " + String(repeating: "ab ", count: 3_400_000),
      ]
      + (0..<20).map { _ in
        String(
          decoding: (0..<300).map { _ in UInt8.random(in: 0...255, using: &random) }, as: UTF8.self)
      }
    _ = try await store.importItems(
      texts.enumerated().map { said($0.offset, $0.element, session: "s\($0.offset)") })
    for text in texts { _ = try await store.search(MemoryQuery(text: text, user: "ann", limit: 3)) }
    #expect(try await store.found(MemoryQuery(text: "needle", user: "ann", limit: 1)) == ["r7"])
  }
}

/// The index of words in the file.
@Suite struct `The index of words` {
  private static let tables = ["shelves", "shelved", "shelf_items", "postings"]

  private func counts(in store: SQLiteStore) async throws -> [Int64] {
    try await store.writer.read { database in
      try Self.tables.map { table in
        try database.first("SELECT count(*) FROM \(table)") { $0.integer(0) } ?? -1
      }
    }
  }

  private func open(_ folder: ScratchDirectory) -> SQLiteStore {
    SQLiteStore(path: folder.file("rasa.db"), time: FixedTime().source, lease: .seconds(3600))
  }

  @Test func `keeps nothing of what is forgotten`() async throws {
    let folder = ScratchDirectory()
    let store = open(folder)
    let words = ["oslo", "rome", "cards", "music", "tea"]
    let items = (1...1500).map { number in
      said(
        number, "\(words[number % 5]) and \(words[number % 3]) \(number)",
        session: "s\(number / 50)", speaker: number % 2 == 0 ? "Ann Berg" : "Rex")
    }
    _ = try await store.importItems(items)
    let query = MemoryQuery(text: "oslo", user: "ann", persona: "p", limit: 5000)
    let expected = Set(items.filter { $0.text.contains("oslo") }.map(\.run.text))
    #expect(expected.isSubset(of: Set(try await store.found(query))))

    var random = SeededNumbers(seed: 5)
    let ids = (1...1500).map { Int64($0) }.shuffled(using: &random)
    _ = try await store.forgetItems(Array(ids.prefix(700)))
    let gone = Set(ids.prefix(700))
    let left = items.filter { !gone.contains($0.id) }
    let found = Set(try await store.found(query))
    #expect(found.isDisjoint(with: gone.map { "r\($0)" }))
    #expect(Set(left.filter { $0.text.contains("oslo") }.map(\.run.text)).isSubset(of: found))

    _ = try await store.forgetItems(Array(ids.dropFirst(700).dropLast(1)))
    let last = try #require(left.first { $0.id == ids.last })
    let terms = try await store.writer.read { database in
      try database.rows("SELECT DISTINCT term FROM postings ORDER BY term") {
        Term(bits: $0.integer(0))
      }
    }
    #expect(terms == IndexedText(last.text, language: "en").occurrences.map(\.term))
    _ = try await store.forgetItems([last.id])
    #expect(try await counts(in: store) == [0, 0, 0, 0])
    await store.close()
  }

  @Test func `forgets terms that its rules do not make any more`() async throws {
    let folder = ScratchDirectory()
    let store = open(folder)
    _ = try await store.importItems([said(1, "green tea"), said(2, "black coffee")])
    // As if another version of a library had made the stems.
    try await store.writer.write { database in
      try database.run("UPDATE postings SET term = term + 1")
    }
    _ = try await store.forgetItems([1])
    #expect(try await counts(in: store) == [1, 1, 1, 2])
    _ = try await store.forgetItems([2])
    #expect(try await counts(in: store) == [0, 0, 0, 0])
    await store.close()
  }

  @Test func `forgets a user`() async throws {
    let folder = ScratchDirectory()
    let store = open(folder)
    _ = try await store.importItems(
      (1...100).map { said($0, "tea \($0)", user: $0 % 2 == 0 ? "ann" : "bob") })
    #expect(try await store.found(MemoryQuery(text: "tea", limit: 200)).count == 100)
    _ = try await store.forgetItems(MemoryFilter(user: "ann"))
    #expect(try await counts(in: store).prefix(2) == [1, 50])
    #expect(try await store.found(MemoryQuery(text: "tea", limit: 99)).count == 50)
    _ = try await store.forgetItems(MemoryFilter(user: "bob"))
    #expect(try await counts(in: store) == [0, 0, 0, 0])
    await store.close()
  }

  @Test func `is made anew for other rules`() async throws {
    let folder = ScratchDirectory()
    let store = open(folder)
    _ = try await store.importItems((1...700).map { said($0, "tea \($0)", session: "s\($0)") })
    try await store.writer.write { try $0.discardTerms() }
    #expect(try await store.found(MemoryQuery(text: "tea 699", limit: 1)) == ["r699"])
    #expect(try await counts(in: store).prefix(2) == [1, 700])
    await store.close()
  }
}
