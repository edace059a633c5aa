import RasaCore
import RasaEngine
import Testing

@testable import RasaStore

/// A generator that gives the same numbers for the same seed.
struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// The ledger said again as simply as possible: a list of reservations that is added up each time.
struct LedgerOracle {
  struct Line {
    var id: String
    var amount: Int64
    var actual: Int64?
    var isSettled = false
    var leaseEnds: Int64
    var scopes: Set<BudgetLeg.Scope>
  }
  var lines: [Line] = []

  func settled(_ scope: BudgetLeg.Scope) -> Int64 {
    lines.filter { $0.scopes.contains(scope) }.reduce(0) { $0 + ($1.actual ?? 0) }
  }
  func held(_ scope: BudgetLeg.Scope) -> Int64 {
    lines.filter { $0.scopes.contains(scope) && $0.actual == nil }.reduce(0) { $0 + $1.amount }
  }

  mutating func reserve(
    _ id: String, _ amount: Int64, _ legs: [BudgetLeg], now: Int64, lease: Int64
  )
    -> BudgetLeg?
  {
    for index in lines.indices where lines[index].actual == nil && lines[index].leaseEnds < now {
      lines[index].actual = lines[index].amount
    }
    for leg in legs {
      guard let limit = leg.limit?.picoDollars else { continue }
      if settled(leg.scope) + held(leg.scope) + amount > limit { return leg }
    }
    lines.append(
      Line(id: id, amount: amount, leaseEnds: lease, scopes: Set(legs.map(\.scope))))
    return nil
  }

  mutating func settle(_ id: String, _ actual: Int64) {
    for index in lines.indices where lines[index].id == id && !lines[index].isSettled {
      lines[index].actual = actual
      lines[index].isSettled = true
    }
  }
}

@Suite struct `A ledger and its oracle` {
  private static let legs = [
    leg("r1", 500), leg("r2", 300), leg("r3", nil), dayLeg("ann", 14, 600), dayLeg("ann", 15, 400),
    dayLeg("bob", 14, 200), monthLeg("ann", 900), monthLeg("bob", nil),
  ]

  @Test(arguments: StoreKind.allCases, [1, 2, 3, 4, 5])
  func `agree over random work`(kind: StoreKind, seed: UInt64) async throws {
    let fixture = Fixture(kind)
    let store = fixture.store
    var numbers = SeededNumbers(state: seed)
    var oracle = LedgerOracle()
    for step in 0..<250 {
      let now = fixture.time.now.milliseconds
      switch Int.random(in: 0..<10, using: &numbers) {
      case 0..<5:
        let legs = Self.legs.shuffled(using: &numbers).prefix(
          Int.random(in: 1...4, using: &numbers))
        let amount = Int64.random(in: 0...60, using: &numbers)
        let lease = now + Int64.random(in: 1...60, using: &numbers) * 1000
        let refused = oracle.reserve("\(step)", amount, Array(legs), now: now, lease: lease)
        let outcome = try await store.reserve(
          request("\(step)", amount, Array(legs), leaseEnds: Timestamp(milliseconds: lease)),
          recording: [])
        switch outcome {
        case .held: #expect(refused == nil)
        case .refused(let leg, _): #expect(refused == leg)
        }
      case 5..<9:
        guard let line = oracle.lines.randomElement(using: &numbers) else { continue }
        let actual = Int64.random(in: 0...line.amount, using: &numbers)
        oracle.settle(line.id, actual)
        try await store.settle(settlement(line.id, actual), recording: [])
      default: fixture.time.pass(seconds: Int64.random(in: 0...30, using: &numbers))
      }
      for leg in Self.legs {
        let balance = try await store.balance(of: leg.scope)
        #expect(
          balance == Balance(oracle.settled(leg.scope), held: oracle.held(leg.scope)),
          "step \(step), \(leg.scope)")
        if let limit = leg.limit { #expect(balance.settled + balance.held <= limit) }
      }
    }
  }
}
