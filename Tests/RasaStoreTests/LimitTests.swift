import Glibc
import RasaCore
import RasaEngine
import RasaSQLite
import RasaTestKit
import Testing

@testable import RasaStore

/// A limit worth so many calls admits exactly so many, whoever asks and however often.
@Suite(.serialized) struct `A limit worth ten calls` {
  let folder = ScratchDirectory()
  let time = FixedTime()
  private static let estimate: Int64 = 100_000_000_000
  private static let legs = [
    dayLeg("*", 14, nil), monthLeg("ann", 10 * estimate), dayLeg("ann", 14, .max),
  ]

  private static func ask(_ store: any RunStore, _ id: String) async throws -> Bool {
    try await store.reserve(request(id, estimate, legs, run: id), recording: []) == .held
  }

  /// What the books say of it.
  private func check(_ store: any RunStore, admitted: Int) async throws {
    #expect(admitted == 10)
    for leg in Self.legs {
      #expect(
        try await store.balance(of: leg.scope) == Balance(0, held: Int64(admitted) * Self.estimate))
    }
    let books = try await store.spending(SpendingFilter(), by: [])
    #expect(books.map(\.calls) == [Int64(admitted)])
  }

  @Test(arguments: StoreKind.allCases)
  func `admits ten of fifty at once`(kind: StoreKind) async throws {
    let store = Fixture(kind).store
    let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<50 { group.addTask { try await Self.ask(store, "h\(number)") } }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    try await check(store, admitted: admitted)
  }

  @Test func `admits ten of fifty that eight connections ask for`() async throws {
    let stores = (0..<8).map { _ in
      SQLiteStore(path: folder.file("rasa.db"), time: time.source)
    }
    let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<50 {
        group.addTask { try await Self.ask(stores[number % 8], "h\(number)") }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    try await check(stores[0], admitted: admitted)
  }

  @Test func `admits ten of those that eight processes ask for`() async throws {
    let path = folder.file("rasa.db")
    await withTaskGroup { group in
      for process in 0..<8 {
        let name = "p\(process)"
        group.addTask {
          await #expect(processExitsWith: .success) {
            [path = path as String, name = name as String] in
            let store = SQLiteStore(path: path, time: FixedTime().source)
            for number in 0..<6 { _ = try await Self.ask(store, "\(name).\(number)") }
          }
        }
      }
    }
    let store = SQLiteStore(path: path, time: time.source)
    let admitted = try await store.spending(SpendingFilter(), by: []).first?.calls ?? 0
    try await check(store, admitted: Int(admitted))
  }

  @Test func `admits no more when processes are killed while they ask`() async throws {
    let path = folder.file("rasa.db")
    await withTaskGroup { group in
      for process in 0..<4 {
        let name = "p\(process)"
        group.addTask {
          await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, name = name as String] in
            let store = SQLiteStore(path: path, time: FixedTime().source)
            for number in 0..<2 { _ = try await Self.ask(store, "\(name).\(number)") }
            async let _ = Self.ask(store, "\(name).last")
            kill(getpid(), SIGKILL)
          }
        }
      }
    }
    let store = SQLiteStore(path: path, time: time.source)
    let before = try await store.spending(SpendingFilter(), by: []).first?.calls ?? 0
    #expect((8...10).contains(before))
    var admitted = Int(before)
    for number in 0..<6 where try await Self.ask(store, "h\(number)") { admitted += 1 }
    try await check(store, admitted: admitted)
  }
}

/// What a budget does when its file cannot be used: nothing is admitted, and nothing is half there.
@Suite(.serialized) struct `A ledger without its file` {
  let folder = ScratchDirectory()
  let time = FixedTime()

  private func store(_ options: DatabaseWriter.Options = .init()) -> SQLiteStore {
    SQLiteStore(path: folder.file("rasa.db"), time: time.source, options: options)
  }

  /// The balance is the sum of what is held, and no line is there without its money.
  private static func checkWhole(_ store: SQLiteStore) async throws {
    let books = try await store.spending(SpendingFilter(), by: [])
    let balance = try await store.balance(of: monthLeg("ann", nil).scope)
    #expect(balance.held == books.first?.held ?? .zero)
    #expect(balance.settled == books.first?.spent ?? .zero)
    let lines = try await store.entries(of: "r1").filter { $0.kind == "intent" }.count
    #expect(Int64(lines) == books.first?.calls ?? 0)
  }

  private static func reserve(_ store: SQLiteStore, _ id: String) async throws {
    // What was said before makes the commit a large one.
    let body = Value.string(String(repeating: "\(id) ", count: 300))
    _ = try await store.reserve(
      request(id, 5, [monthLeg("ann", .max)]), recording: [entry("r1", "intent", body)])
  }

  @Test func `admits nothing while somebody keeps the file locked`() async throws {
    var options = DatabaseWriter.Options()
    options.patience = .zero
    let store = store(options)
    store.open(record("r1"), [])
    try await Self.reserve(store, "a")
    let other = try Database(path: folder.file("rasa.db"))
    try other.begin()
    let failure = await #expect(throws: Failure.self) { try await Self.reserve(store, "b") }
    #expect(failure?.kind == .storage)
    #expect(failure?.message.contains("is locked by another process") == true)
    await #expect(throws: Failure.self) {
      try await store.settle(settlement("a", 5), recording: [])
    }
    #expect(try await store.balance(of: monthLeg("ann", nil).scope) == Balance(0, held: 5))
    other.rollBack()
    try await Self.reserve(store, "b")
    try await Self.checkWhole(store)
  }

  @Test func `admits nothing when the disk is full`() async throws {
    let path = folder.file("rasa.db")
    await #expect(processExitsWith: .success) { [path = path as String] in
      var limit = rlimit(rlim_cur: 400_000, rlim_max: 400_000)
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let store = SQLiteStore(path: path, time: FixedTime().source)
      store.open(record("r1"), [entry("r1", "started")])
      var failure: Failure?
      for number in 0..<10_000 {
        do { try await Self.reserve(store, "\(number)") } catch {
          failure = error as? Failure
          break
        }
      }
      #expect(failure?.kind == .storage)
      #expect(failure?.message.contains("no room left") == true)
      try await Self.checkWhole(store)
      try await Self.checkWhole(SQLiteStore(path: path, time: FixedTime().source))
    }
    let store = store()
    try await Self.checkWhole(store)
    #expect(try await store.spending(SpendingFilter(), by: []).first?.calls ?? 0 > 10)
  }

  @Test(arguments: ["rasa.db", "all of it"])
  func `admits nothing when the file is deleted under it`(what: String) async throws {
    let store = store()
    store.open(record("r1"), [])
    try await Self.reserve(store, "a")
    for name in ["rasa.db", "rasa.db-wal", "rasa.db-shm", "rasa.db-turn"]
    where what != "rasa.db" || name == what {
      _ = unsafe unlink(folder.file(name))
    }
    if what != "rasa.db" { _ = unsafe rmdir(folder.path) }
    for id in ["b", "c"] {
      let failure = await #expect(throws: Failure.self) { try await Self.reserve(store, id) }
      #expect(failure?.kind == .storage)
      #expect(failure?.message.hasSuffix("deleted or replaced while it was in use") == true)
    }
    #expect(try await store.balance(of: monthLeg("ann", nil).scope) == Balance(0, held: 5))
  }

  @Test func `admits nothing when another file has taken its place`() async throws {
    let store = store()
    store.open(record("r1"), [])
    try await Self.reserve(store, "a")
    let path = folder.file("rasa.db")
    _ = unsafe rename(path, path + ".old")
    close(unsafe Glibc.open(path, O_WRONLY | O_CREAT, 0o600))
    await #expect(throws: Failure.self) { try await Self.reserve(store, "b") }
    // Put back, all is well.
    _ = unsafe rename(path + ".old", path)
    try await Self.reserve(store, "b")
    try await Self.checkWhole(store)
  }

  @Test func `admits nothing where it may not write`() async throws {
    let path = folder.path
    await #expect(processExitsWith: .success) { [path = path as String] in
      _ = unsafe chmod(path, 0o555)
      // The administrator may write everywhere.
      if getuid() == 0 { _ = setuid(65534) }
      let store = SQLiteStore(path: path + "/rasa.db", time: FixedTime().source)
      let failure = await #expect(throws: Failure.self) {
        try await store.reserve(request("a", 5, [monthLeg("ann", .max)]), recording: [])
      }
      #expect(failure?.kind == .storage)
      #expect(failure?.message == "\(path)/rasa.db may not be written")
    }
    _ = unsafe chmod(path, 0o700)
  }
}
