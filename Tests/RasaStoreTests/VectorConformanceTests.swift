import RasaCore
import RasaEngine
import RasaMemory
import RasaPersona
import RasaSQLite
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaStore

@Suite struct `Every memory with vectors` {
  private static let model = "openai:small https://api.example.com"
  private static let viewer = MemoryViewer(user: "ann", persona: "p")

  private func fact(
    _ number: Int, of user: String = "ann", _ persona: String = "p",
    _ scope: MemoryScope = .persona,
    session: String? = nil
  ) -> NewFact {
    NewFact(
      scope: scope, user: user, persona: persona, session: session,
      text: "thing \(number) of \(user)",
      run: Identifier("r\(number)"), time: Timestamp(milliseconds: 1_700_000_000_000),
      trust: .person)
  }

  @discardableResult
  private func add(
    _ count: Int, to store: any RunStore, of user: String = "ann", _ persona: String = "p",
    _ scope: MemoryScope = .persona, session: String? = nil, from first: Int = 0
  ) async throws -> [Int64] {
    try await store.add(
      (first..<(first + count)).map { fact($0, of: user, persona, scope, session: session) }
    ).map {
      switch $0 {
      case .added(let id, _), .known(let id): id
      }
    }
  }

  private func keep(
    _ vectors: [Int64: [Float]], in store: any RunStore, by model: String = model,
    for viewer: MemoryViewer = viewer, cells: VectorCells? = nil
  ) async throws {
    let made = MadeVectors(
      model: model,
      vectors: vectors.sorted { $0.key < $1.key }
        .map { MadeVectors.One(item: $0.key, numbers: $0.value) }, viewer: viewer)
    guard let cells, let store = store as? SQLiteStore else {
      return try await store.keepVectors(made)
    }
    let now = store.time.now()
    try await store.writer.write { try $0.keepVectors(made, at: now, cells: cells) }
  }

  private func nearest(
    _ numbers: [Float], in store: any RunStore, limit: Int = 10, cells: VectorCells = VectorCells(),
    _ change: (inout MemoryQuery) -> Void = { _ in }
  ) async throws -> [NearestVectors.Neighbour] {
    var query = MemoryQuery(text: "", user: "ann", persona: "p")
    query.vector = MemoryQuery.Vector(model: Self.model, numbers: numbers)
    change(&query)
    let wanted = query
    if let store = store as? SQLiteStore {
      return try await store.writer.read {
        try $0.nearest(to: wanted, limit: limit, cells: cells)
      }
    }
    let store = try #require(store as? MemoryRunStore)
    let now = store.time.now()
    return store.state.withLock { $0.memories.nearest(to: wanted, limit: limit, now: now) }
  }

  @Test(arguments: StoreKind.allCases)
  func `finds the nearest of what the query may see`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    var random = SeededVectors(seed: 17)
    var vectors: [Int64: [Float]] = [:]
    for (user, persona, scope, session) in [
      ("ann", "p", MemoryScope.persona, String?.none), ("ann", "q", .persona, nil),
      ("ann", "p", .user, nil), ("ann", "q", .user, nil), ("ann", "p", .session, "s"),
      ("ann", "p", .session, "t"), ("bob", "p", .persona, nil), ("bob", "p", .user, nil),
    ] {
      for id in try await add(12, to: store, of: user, persona, scope, session: session) {
        vectors[id] = random.vector(16)
      }
    }
    try await keep(vectors, in: store)
    var items: [MemoryItem] = []
    for id in vectors.keys.sorted() { items.append(try #require(try await store.item(id))) }
    let queries: [(inout MemoryQuery) -> Void] = [
      { _ in }, { $0.session = "s" }, { $0.persona = "q" }, { $0.user = "bob" },
      {
        $0.user = nil; $0.persona = nil
      }, { $0.persona = nil }, { $0.scopes = [.user] },
      {
        $0.scopes = [.session]; $0.session = "t"
      }, { $0.kinds = [.turn, .note] },
      { $0.user = "nobody" }, { $0.scopes = [] },
    ]
    for change in queries {
      let numbers = random.vector(16)
      let wanted = try #require(QuantisedVector(numbers))
      var query = MemoryQuery(text: "", user: "ann", persona: "p")
      change(&query)
      var exact = NearestVectors(limit: 7)
      for item in items
      where query.sees(item, now: Timestamp(milliseconds: 1_700_000_000_000)) {
        let other = try #require(vectors[item.id].flatMap { QuantisedVector($0) })
        exact.note(item.id, wanted.similarity(to: other))
      }
      let found = try await nearest(numbers, in: store, limit: 7, change)
      #expect(found == exact.sorted)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `never finds what is forgotten or has other words by now`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let ids = try await add(40, to: store)
    var random = SeededVectors(seed: 23)
    var vectors: [Int64: [Float]] = [:]
    for id in ids { vectors[id] = random.vector(8) }
    try await keep(vectors, in: store)
    _ = try await store.forgetItems(Array(ids[..<10]))
    var left = Set(ids[10...])
    #expect(Set(try await nearest([1], in: store, limit: 99).map(\.item)) == [])
    let one = random.vector(8)
    #expect(Set(try await nearest(one, in: store, limit: 99).map(\.item)) == left)
    #expect(try await store.stats(MemoryFilter(user: "ann")).vectors == [Self.model: 30])
    _ = try await store.edit(
      ids[20], to: "Thing 20 of Ann", at: Timestamp(milliseconds: 1_700_000_000_001))
    if try await store.item(ids[20])?.text == "Thing 20 of Ann" {
      left.remove(ids[20])
      #expect(Set(try await nearest(one, in: store, limit: 99).map(\.item)) == left)
      let missing = try await store.itemsWithoutVector(
        by: Self.model, length: 8, for: Self.viewer, limit: 9)
      #expect(missing.map(\.id) == [ids[20]])
    }
    // Vectors of what was forgotten meanwhile are not kept.
    try await keep([ids[0]: random.vector(8)], in: store)
    #expect(Set(try await nearest(one, in: store, limit: 99).map(\.item)) == left)
    _ = try await store.forgetItems(MemoryFilter(user: "ann"))
    #expect(try await nearest(one, in: store, limit: 99).isEmpty)
    #expect(try await store.stats(MemoryFilter()).vectors == [:])
  }

  @Test(arguments: StoreKind.allCases)
  func `says which items have no vector yet`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let old = try await add(10, to: store)
    _ = try await add(5, to: store, of: "bob")
    _ = try await add(5, to: store, "q")
    let shared = try await add(1, to: store, "q", .user, from: 50)
    func missing(_ limit: Int = 99, _ viewer: MemoryViewer = Self.viewer) async throws -> [Int64] {
      try await store.itemsWithoutVector(by: Self.model, length: nil, for: viewer, limit: limit)
        .map(\.id)
    }
    #expect(Set(try await missing()) == Set(old + shared))
    #expect(try await missing(3) == (shared + old.reversed()).prefix(3).map(\.self), "newest first")
    var kept: Set<Int64> = []
    for round in 0..<4 {
      let next = try await missing(3)
      #expect(next.count == [3, 3, 3, 2][round] && kept.isDisjoint(with: next))
      try await keep(
        Dictionary(uniqueKeysWithValues: next.map { ($0, [1, Float(round)]) }), in: store)
      kept.formUnion(next)
    }
    #expect(try await missing() == [])
    let new = try await add(4, to: store, from: 60)
    #expect(Set(try await missing()) == Set(new))
    // Of those none can be made.
    try await keep([new[0]: [], new[1]: [.nan, 1], new[2]: [0, 0], new[3]: [1, 1]], in: store)
    #expect(try await missing() == [])
    #expect(try await store.stats(MemoryFilter()).vectors == [Self.model: 12])
    #expect(try await missing(99, MemoryViewer(user: "ann", persona: "q")).count == 5)
    #expect(try await missing(99, MemoryViewer(user: "nobody", persona: "q")) == [])
  }

  @Test(arguments: StoreKind.allCases)
  func `never compares vectors of different models or lengths`(kind: StoreKind) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    let ids = try await add(6, to: store)
    func all(_ numbers: [Float]) -> [Int64: [Float]] {
      Dictionary(uniqueKeysWithValues: ids.map { ($0, numbers) })
    }
    #expect(try await store.vectorLengths(of: Self.model) == [])
    try await keep(all([1, 2]), in: store)
    try await keep(all([3, 1, 2]), in: store, by: "another")
    #expect(try await nearest([1, 2, 3], in: store).isEmpty)
    #expect(try await nearest([1, 2], in: store).count == 6)
    try await keep([ids[0]: [1, 2, 3]], in: store)
    #expect(try await store.vectorLengths(of: Self.model) == [3, 2])
    #expect(try await nearest([1, 2, 3], in: store).map(\.item) == [ids[0]])
    func missing(_ length: Int?) async throws -> Int {
      try await store.itemsWithoutVector(
        by: Self.model, length: length, for: Self.viewer, limit: 99
      ).count
    }
    var counts: [Int] = []
    for length in [nil, 3, 2, 7] { counts.append(try await missing(length)) }
    #expect(counts == [5, 5, 0, 6])
    while try await !store.removeUnusedVectors(usedBefore: Timestamp(milliseconds: 0)) {}
    #expect(try await store.vectorLengths(of: Self.model) == [3])
    #expect(try await store.vectorLengths(of: "another") == [3])
    fixture.time.pass(seconds: 60)
    try await keep([ids[1]: [1, 2, 4]], in: store)
    while try await !store.removeUnusedVectors(usedBefore: fixture.time.now) {}
    #expect(try await store.vectorLengths(of: "another") == [])
    #expect(try await nearest([1, 2, 3], in: store).map(\.item) == [ids[0], ids[1]])
  }

  @Test(arguments: StoreKind.allCases)
  func `finds by meaning what shares no word with the question`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let ids = try await add(30, to: store)
    var vectors = Dictionary(uniqueKeysWithValues: ids.map { ($0, [Float(-1), Float($0) / 99]) })
    vectors[ids[17]] = [1, 0.1]
    try await keep(vectors, in: store)
    var query = MemoryQuery(text: "zymurgy", user: "ann", persona: "p", limit: 3)
    query.vector = MemoryQuery.Vector(model: Self.model, numbers: [1, 0.1])
    let found = try await store.search(query)
    #expect(found.first?.item.id == ids[17])
    #expect(found.first?.shares.contains { $0.reason == .vector && $0.value > 0 } == true)
    query.user = "bob"
    #expect(try await store.search(query).isEmpty)
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps vectors where they are paid for, or not at all`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let ids = try await add(2, to: store)
    store.open(record("r"), [entry("r", "started")])
    _ = try await store.reserve(request("h", 5, [], run: "r"), recording: [])
    var settlement = settlement("h", 3)
    settlement.vectors = MadeVectors(
      model: Self.model, vectors: ids.map { MadeVectors.One(item: $0, numbers: [1, 2]) },
      viewer: Self.viewer)
    try await store.settle(settlement, recording: [entry("r", "settled")])
    #expect(try await nearest([1, 2], in: store).count == 2)
    settlement.vectors?.vectors[0].numbers = [-1, -2]
    try await store.settle(settlement, recording: [entry("r", "settled")])
    #expect(try await nearest([1, 2], in: store).allSatisfy { $0.similarity > 0.9 })
  }
}

@Suite struct `Vectors in a file` {
  private let fixture = Fixture(.sqlite)
  private let cells = VectorCells(
    smallestBound: 8, largestBound: 8, leastCompared: 8, sharePerSearch: 0.1, cellsPerSearch: 1)

  private func filled(_ vectors: [[Float]]) async throws -> (SQLiteStore, [Int64]) {
    let store = try #require(fixture.store as? SQLiteStore)
    let outcomes = try await store.add(
      vectors.indices.map { number in
        NewFact(
          user: "ann", persona: "p", text: "thing \(number)", run: Identifier("r"),
          time: fixture.time.now, trust: .person)
      })
    let ids = outcomes.map { outcome in
      switch outcome {
      case .added(let id, _), .known(let id): id
      }
    }
    let made = MadeVectors(
      model: "m", vectors: zip(ids, vectors).map { MadeVectors.One(item: $0, numbers: $1) },
      viewer: MemoryViewer(user: "ann", persona: "p"))
    let (cells, now) = (cells, fixture.time.now)
    try await store.writer.write { try $0.keepVectors(made, at: now, cells: cells) }
    return (store, ids)
  }

  private func nearest(
    _ numbers: [Float], in store: SQLiteStore, limit: Int, _ cells: VectorCells
  ) async throws -> [Int64] {
    var query = MemoryQuery(text: "", user: "ann", persona: "p")
    query.vector = MemoryQuery.Vector(model: "m", numbers: numbers)
    let wanted = query
    return try await store.writer.read {
      try $0.nearest(to: wanted, limit: limit, cells: cells).map(\.item)
    }
  }

  @Test func `are divided into cells of which a few are enough`() async throws {
    var random = SeededVectors(seed: 29)
    let centers = (0..<20).map { _ in random.vector(24) }
    let vectors = (0..<600).map { random.near(centers[$0 % 20], 0.4) }
    let (store, ids) = try await filled(vectors)
    let counts = try await store.writer.read {
      try $0.rows("SELECT count FROM vector_cells") { $0.integer(0) }
    }
    #expect(counts.count > 75 && counts.allSatisfy { (1...8).contains($0) })
    #expect(counts.reduce(0, +) == 600)
    let places = try await store.writer.read {
      try $0.first(
        """
        SELECT count(*) FROM vector_places JOIN vectors ON vectors.number = cell << 32 | item
          JOIN vector_cells ON vector_cells.number = cell
        """
      ) { $0.integer(0) }
    }
    #expect(places == 600)
    var all = cells
    all.sharePerSearch = 1
    var found = 0
    for round in 0..<20 {
      let numbers = random.near(centers[round], 0.4)
      let wanted = try #require(QuantisedVector(numbers))
      var exact = NearestVectors(limit: 10)
      for (id, vector) in zip(ids, vectors) {
        exact.note(id, wanted.similarity(to: try #require(QuantisedVector(vector))))
      }
      let expected = exact.sorted.map(\.item)
      #expect(try await nearest(numbers, in: store, limit: 10, all) == expected)
      found +=
        Set(try await nearest(numbers, in: store, limit: 10, cells))
        .intersection(expected).count
    }
    #expect(found > 100, "of 200, in a tenth of the cells")
  }

  @Test func `leave nothing behind`() async throws {
    var random = SeededVectors(seed: 31)
    let vectors = (0..<60).map { _ in random.vector(64) }
    let (store, ids) = try await filled(vectors)
    let gone = stride(from: 0, to: 60, by: 3).map(\.self)
    func bytes(_ place: Int) throws -> [UInt8] {
      try #require(QuantisedVector(vectors[place])).bytes
    }
    func files() throws -> [UInt8] {
      try ["", "-wal"].flatMap {
        try FileSystem.readIfPresent(fixture.folder.file("rasa.db" + $0), limit: 1 << 28) ?? []
      }
    }
    let before = try files()
    for place in gone { #expect(before.contains(try bytes(place))) }
    let affected = Set(
      try await store.writer.read { database in
        try database.rows("SELECT DISTINCT cell FROM vector_places WHERE item % 3 = 1") {
          $0.integer(0)
        }
      })
    #expect(gone.allSatisfy { ids[$0] % 3 == 1 })
    _ = try await store.forgetItems(gone.map { ids[$0] })
    let after = try files()
    for place in vectors.indices {
      #expect(try after.contains(bytes(place)) == !place.isMultiple(of: 3))
    }
    // The means have no part of them, either.
    let means = try await store.writer.read { database in
      try database.rows("SELECT number, count, is_stale, centroid FROM vector_cells") {
        (number: $0.integer(0), count: $0.integer(1), isStale: $0.integer(2), mean: $0.bytes(3))
      }
    }
    for cell in means {
      let content = try await store.writer.read { database in
        try database.rows(
          "SELECT scale, numbers FROM vectors WHERE number >> 32 = ?", .integer(cell.number)
        ) { row in
          row.withBytes(1) { QuantisedVector(scale: Float(row.real(0)), bytes: $0) }
        }
      }
      #expect(content.count == Int(cell.count) && cell.isStale == 0)
      if affected.contains(cell.number) {
        #expect(VectorCells.centroid(of: content).bytes == cell.mean)
      }
    }
    _ = try await store.forgetItems(MemoryFilter(user: "ann"))
    let last = try files()
    for place in vectors.indices { #expect(try !last.contains(bytes(place))) }
    let rows = try await store.writer.read { database in
      try ["vectors", "vector_cells", "vector_places"].map { table in
        try database.first("SELECT count(*) FROM \(table)") { $0.integer(0) }
      }
    }
    #expect(rows == [0, 0, 0])
  }

  @Test func `of many cells lose them some at a time`() async throws {
    var random = SeededVectors(seed: 37)
    let (store, _) = try await filled((0..<200).map { _ in random.vector(8) })
    let later = Timestamp(milliseconds: fixture.time.now.milliseconds + 1)
    var rounds = 0
    while try await !store.writer.write({
      try $0.removeUnusedVectors(usedBefore: later, atMost: 50)
    }) { rounds += 1 }
    #expect(rounds > 3)
    let rows = try await store.writer.read { database in
      try ["vectors", "vector_cells", "vector_places", "vector_progress", "vector_spaces"].map {
        try database.first("SELECT count(*) FROM \($0)") { $0.integer(0) }
      }
    }
    #expect(rows == [0, 0, 0, 0, 0])
  }
}

extension [UInt8] {
  fileprivate func contains(_ part: [UInt8]) -> Bool {
    guard let first = part.first else { return true }
    var place = startIndex
    while let next = self[place...].firstIndex(of: first) {
      if self[next...].starts(with: part) { return true }
      place = next + 1
    }
    return false
  }
}

/// The same vectors in every run of the tests.
private struct SeededVectors {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func number() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
  }

  mutating func vector(_ length: Int) -> [Float] { (0..<length).map { _ in number() } }

  mutating func near(_ vector: [Float], _ distance: Float) -> [Float] {
    vector.map { $0 + number() * distance }
  }
}
