import RasaCore
import RasaEngine

@testable import RasaStore

/// The ledger said again as simply as possible: a list of reservations, and one sum for each limit.
struct LedgerOracle {
  struct Line {
    var id: String
    var amount: Int64
    var worker: Int
    var scopes: Set<BudgetLeg.Scope>
    var state = ReservationState.held
    var actual: Int64 = 0
  }

  var lines: [Line] = []
  /// Until when each worker is believed to be alive.
  var leases: [Int: Int64] = [:]
  private var settled: [BudgetLeg.Scope: Int64] = [:]
  /// By how much a limit may be passed: what was forced, corrected by hand, or cost more than was
  /// held for it.
  private var excess: [BudgetLeg.Scope: Int64] = [:]

  func balance(of scope: BudgetLeg.Scope) -> Balance {
    let held = lines.filter { $0.state == .held && $0.scopes.contains(scope) }
    return Balance(settled[scope] ?? 0, held: held.reduce(0) { $0 + $1.amount })
  }

  func mayReach(_ limit: Int64, under scope: BudgetLeg.Scope) -> Int64 {
    let (sum, overflow) = max(0, limit).addingReportingOverflow(excess[scope] ?? 0)
    return overflow ? .max : sum
  }

  /// The leg that has no room, if any: one that would have none without any hold before others.
  private func fullLeg(_ amount: Int64, _ legs: [BudgetLeg]) -> BudgetLeg? {
    let full = legs.filter { leg in
      leg.limit.map { Money(picoDollars: amount) > balance(of: leg.scope).room(under: $0) } ?? false
    }
    let spent = full.first { leg in
      let left = (leg.limit ?? .max) - Money(picoDollars: settled[leg.scope] ?? 0)
      return Money(picoDollars: amount) > max(.zero, left)
    }
    return spent ?? full.first
  }

  /// The leg that has no room, if any. Who lacks room finds what others hold and will not settle.
  mutating func reserve(
    _ id: String, _ amount: Int64, _ legs: [BudgetLeg], by worker: Int, now: Int64
  ) -> BudgetLeg? {
    if let leg = fullLeg(amount, legs), balance(of: leg.scope).held > .zero {
      for index in lines.indices
      where lines[index].state == .held && lines[index].worker != worker
        && leases[lines[index].worker, default: .min] < now
      {
        lines[index].state = .expired
        for scope in lines[index].scopes { settled[scope, default: 0] += lines[index].amount }
      }
    }
    if let leg = fullLeg(amount, legs) { return leg }
    lines.append(Line(id: id, amount: amount, worker: worker, scopes: Set(legs.map(\.scope))))
    for leg in legs where leg.limit == nil { excess[leg.scope, default: 0] += amount }
    return nil
  }

  mutating func settle(_ id: String, _ reported: Int64) {
    guard let index = lines.firstIndex(where: { $0.id == id }), lines[index].state != .settled
    else { return }
    let line = lines[index]
    let actual = max(0, reported)
    for scope in line.scopes {
      let change = line.state == .expired ? actual - line.amount : actual
      settled[scope] = max(0, (settled[scope] ?? 0) + change)
      excess[scope, default: 0] += max(0, actual - line.amount)
    }
    lines[index].state = .settled
    lines[index].actual = actual
  }

  mutating func adjust(_ scope: BudgetLeg.Scope, _ change: Adjustment.Change) -> Int64 {
    let before = settled[scope] ?? 0
    switch change {
    case .to(let amount): settled[scope] = amount.picoDollars
    case .atLeast(let amount): settled[scope] = max(before, amount.picoDollars)
    }
    let difference = (settled[scope] ?? 0) - before
    excess[scope, default: 0] += max(0, difference)
    return difference
  }

  /// What all calls have cost; of expired holds the estimate.
  var spent: Int64 {
    lines.reduce(0) { sum, line in
      switch line.state {
      case .held: sum
      case .expired: sum + line.amount
      case .settled: sum + line.actual
      }
    }
  }
  var held: Int64 { lines.filter { $0.state == .held }.reduce(0) { $0 + $1.amount } }
}
