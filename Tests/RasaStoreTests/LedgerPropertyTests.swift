import RasaCore
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaStore

/// Where random work is done: in memory, in a file, or in a file that two connections share.
enum RunServices: CaseIterable {
  case memory, file, sharedFile

  /// - Parameter count: how many workers there are at least.
  func stores(_ folder: ScratchDirectory, _ time: FixedTime, atLeast count: Int = 1)
    -> [any RunStore]
  {
    let lease = Duration.seconds(Fixture.lease)
    if self == .memory {
      let first = MemoryRunStore(sharing: nil, time: time.source, owner: "0", lease: lease)
      return [first, MemoryRunStore(sharing: first, time: time.source, owner: "1", lease: lease)]
    }
    return (0..<max(count, self == .file ? 1 : 2)).map { number in
      openStore(
        at: folder.file("rasa.db"), time: time.source, owner: "\(number)", lease: lease)
    }
  }
}

@Suite struct `A ledger and its oracle` {
  private static let limits: [BudgetLeg] = [
    leg("r1", 500), leg("r2", 300), leg("r3", .max), leg("r4", 0), leg("r5", -7),
    dayLeg("ann", 14, 600), dayLeg("ann", 15, 400), dayLeg("bob", 14, 200), monthLeg("ann", 900),
    monthLeg("bob", .max), dayLeg("*", 14, 700), monthLeg("*", 2000),
  ]

  private struct Work {
    var numbers: SeededNumbers
    var oracle = LedgerOracle()
    var step = 0

    mutating func amount() -> Int64 {
      Int.random(in: 0..<20, using: &numbers) == 0 ? 0 : Int64.random(in: 0...60, using: &numbers)
    }

    /// A run of the worker's, which renews its lease.
    mutating func begin(_ store: any RunStore, _ worker: Int, _ time: FixedTime) async throws {
      let run = "w\(worker).\(step)"
      store.open(record(run), [entry(run, "started")])
      try await store.append([entry(run, "a")])
      oracle.leases[worker] = time.now.milliseconds + Fixture.lease * 1000
    }

    mutating func reserve(_ store: any RunStore, _ worker: Int, _ time: FixedTime) async throws {
      // Now and then limits are lifted, as `--force` does.
      let isForced = Int.random(in: 0..<15, using: &numbers) == 0
      var legs = Array(
        limits.shuffled(using: &numbers).prefix(Int.random(in: 1...5, using: &numbers)))
      if isForced { legs = legs.map { BudgetLeg(scope: $0.scope, limit: nil) } }
      // More than any limit has room for, but not without one: sums beyond counting have their own
      // test.
      let isAbsurd = !isForced && Int.random(in: 0..<25, using: &numbers) == 0
      let amount = isAbsurd && legs.contains { $0.limit != .max } ? Int64.max : amount()
      let now = time.now.milliseconds
      let id = "\(step)"
      let refused = oracle.reserve(id, amount, legs, by: worker, now: now)
      let outcome = try await store.reserve(
        request(id, amount, legs, run: "w\(worker).-1"), recording: [])
      switch outcome {
      case .held: #expect(refused == nil, "step \(step)")
      case .refused(let leg, let balance):
        #expect(refused == leg, "step \(step)")
        #expect(balance == oracle.balance(of: leg.scope))
      }
    }

    /// Any call, settled or not, by less, as much or more than was held for it.
    mutating func settle(_ store: any RunStore) async throws {
      guard let line = oracle.lines.randomElement(using: &numbers) else { return }
      let actual: Int64 =
        switch Int.random(in: 0..<8, using: &numbers) {
        case 0: -5
        case 1: line.amount + Int64.random(in: 1...40, using: &numbers)
        case 2: line.amount
        default: Int64.random(in: 0...line.amount, using: &numbers)
        }
      oracle.settle(line.id, actual)
      try await store.settle(settlement(line.id, actual), recording: [])
    }

    mutating func adjust(_ store: any RunStore, _ time: FixedTime) async throws {
      let scope = (limits.randomElement(using: &numbers) ?? limits[0]).scope
      let amount = Money(picoDollars: Int64.random(in: 0...300, using: &numbers))
      let change: Adjustment.Change =
        switch Int.random(in: 0..<3, using: &numbers) {
        case 0: .to(.zero)
        case 1: .to(amount)
        default: .atLeast(amount)
        }
      let expected = oracle.adjust(scope, change)
      let adjustment = Adjustment(
        scope: scope, change: change, kind: .reset, by: "ann", time: time.now)
      #expect(try await store.adjust(adjustment) == Money(picoDollars: expected))
    }
  }

  @Test(arguments: RunServices.allCases, [1, 2, 3, 4])
  func `agree over random work`(services: RunServices, seed: UInt64) async throws {
    let (folder, time) = (ScratchDirectory(), FixedTime())
    let stores = services.stores(folder, time)
    var work = Work(numbers: SeededNumbers(seed: seed))
    for (worker, store) in stores.enumerated() {
      work.step = -1
      try await work.begin(store, worker, time)
    }
    for step in 0..<250 {
      work.step = step
      let worker = Int.random(in: 0..<stores.count, using: &work.numbers)
      let store = stores[worker]
      switch Int.random(in: 0..<20, using: &work.numbers) {
      case 0..<9: try await work.reserve(store, worker, time)
      case 9..<16: try await work.settle(store)
      case 16: try await work.begin(store, worker, time)
      case 17: try await work.adjust(store, time)
      // Clocks go forward, and now and then they are set back.
      case 18: time.pass(seconds: Int64.random(in: 0...2400, using: &work.numbers))
      default: time.pass(seconds: Int64.random(in: -1200...0, using: &work.numbers))
      }
      let reader = stores[Int.random(in: 0..<stores.count, using: &work.numbers)]
      for leg in Self.limits {
        let balance = try await reader.balance(of: leg.scope)
        #expect(balance == work.oracle.balance(of: leg.scope), "step \(step), \(leg.scope)")
        guard let limit = leg.limit?.picoDollars else { continue }
        let reached = (balance.settled + balance.held).picoDollars
        #expect(reached <= work.oracle.mayReach(limit, under: leg.scope), "step \(step)")
      }
    }
    let books = try await stores[0].spending(SpendingFilter(), by: [])
    #expect(books.map(\.spent.picoDollars) == [work.oracle.spent])
    #expect(books.map(\.held.picoDollars) == [work.oracle.held])
    #expect(books.map(\.calls) == [Int64(work.oracle.lines.count)])
  }

  /// Reservations that are settled in any order, twice and late, come to the same as in order.
  @Test(arguments: RunServices.allCases, [11, 12, 13])
  func `are indifferent to order and repetition of settlements`(
    services: RunServices, seed: UInt64
  ) async throws {
    var numbers = SeededNumbers(seed: seed)
    let legs = [leg("r1", 10_000), dayLeg("*", 14, nil), monthLeg("ann", 10_000)]
    let calls = (0..<30).map { number in
      let amount = Int64.random(in: 1...100, using: &numbers)
      return (
        id: "h\(number)", amount: amount, actual: Int64.random(in: 0...amount, using: &numbers),
        isLate: number.isMultiple(of: 3)
      )
    }
    let inOrder = calls.reduce(0) { $0 + $1.actual }
    let (folder, time) = (ScratchDirectory(), FixedTime())
    let stores = services.stores(folder, time, atLeast: 2)
    for (worker, store) in stores.enumerated() {
      store.open(record("w\(worker)"), [entry("w\(worker)", "started")])
      try await store.append([entry("w\(worker)", "a")])
    }
    for call in calls {
      let worker = call.isLate ? 1 : 0
      #expect(
        try await stores[worker].reserve(
          request(call.id, call.amount, legs, run: "w\(worker)"), recording: []) == .held)
    }
    time.pass(seconds: Fixture.lease + 1)
    let more = try await stores[0].reserve(request("last", 10_001, legs, run: "w0"), recording: [])
    #expect(more != .held)
    for call in (calls + calls + calls).shuffled(using: &numbers) {
      let store = stores[Int.random(in: 0..<stores.count, using: &numbers)]
      try await store.settle(settlement(call.id, call.actual), recording: [])
    }
    for leg in legs {
      #expect(try await stores[0].balance(of: leg.scope) == Balance(inOrder, held: 0))
    }
    #expect(try await stores[0].audits(limit: 99).count == 10)
  }
}
