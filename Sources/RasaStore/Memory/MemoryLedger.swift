import RasaCore
import RasaEngine

/// Balances by scope, and the reservations that made them.
struct MemoryLedger {
  struct Reservation {
    var request: ReservationRequest
    var scopes: Set<BudgetLeg.Scope>
    var state: ReservationState
    /// Its cost, or the estimate that counts as its cost; nil while it is held.
    var actual: Money?
    var settlement: Settlement?
    var madeAt: Timestamp
    /// Whether its run existed.
    var isOfRun: Bool
    var settledAt: Timestamp?
  }

  private(set) var balances: [BudgetLeg.Scope: Balance] = [:]
  private(set) var reservations: [Identifier: Reservation] = [:]
  /// The reservations that are held.
  private var held: Set<Identifier> = []
  var audits: [Audit] = []

  func balance(of scope: BudgetLeg.Scope) -> Balance { balances[scope] ?? Balance() }

  /// Counts holds of runs that no live worker owns as spent.
  ///
  /// - Returns: whether there were any.
  mutating func expire(where isLeft: (Identifier) -> Bool) -> Bool {
    let gone = held.filter { id in
      reservations[id].map { $0.isOfRun && isLeft($0.request.run) } ?? false
    }
    for id in gone {
      guard let reservation = reservations[id] else { continue }
      release(id, reservation, at: reservation.request.amount)
      reservations[id]?.state = .expired
      reservations[id]?.actual = reservation.request.amount
    }
    return !gone.isEmpty
  }

  func refusal(of request: ReservationRequest) -> ReservationOutcome? {
    .refusal(of: request) { balance(of: $0) }
  }

  /// Whether the same request was made before; throws if a different one has that ID.
  func isKnown(_ request: ReservationRequest) throws -> Bool {
    guard let known = reservations[request.id] else { return false }
    guard known.request == request else { throw Failure.knownReservation(request.id) }
    return true
  }

  mutating func hold(_ request: ReservationRequest, isOfRun: Bool, at now: Timestamp) {
    let scopes = Set(request.legs.map(\.scope))
    for scope in scopes { balances[scope, default: Balance()].hold(request.amount) }
    reservations[request.id] = Reservation(
      request: request, scopes: scopes, state: .held, madeAt: now, isOfRun: isOfRun)
    held.insert(request.id)
  }

  func isOpen(_ reservation: Identifier) throws -> Bool {
    guard let found = reservations[reservation] else {
      throw Failure.unknownReservation(reservation)
    }
    return found.state != .settled
  }

  mutating func settle(_ settlement: Settlement, at now: Timestamp) {
    let id = settlement.reservation
    guard let reservation = reservations[id] else { return }
    let actual = max(.zero, settlement.actual)
    let estimate = reservation.request.amount
    if reservation.state == .expired {
      for scope in reservation.scopes { balances[scope]?.correct(estimate, to: actual) }
      audits.append(.lateSettlement(of: id, estimate: estimate, actual: actual, at: now))
    } else {
      release(id, reservation, at: actual)
    }
    reservations[id]?.state = .settled
    reservations[id]?.actual = actual
    reservations[id]?.settlement = settlement
    reservations[id]?.settledAt = now
  }

  /// Turns what is held into what is spent.
  private mutating func release(_ id: Identifier, _ reservation: Reservation, at actual: Money) {
    held.remove(id)
    for scope in reservation.scopes {
      guard var balance = balances[scope] else { continue }
      let isCounted = balance.held < .max
      balance.settle(held: reservation.request.amount, at: actual)
      // A saturated sum cannot be reduced, so it is computed again.
      if !isCounted {
        let others = held.compactMap { reservations[$0] }.filter { $0.scopes.contains(scope) }
        balance.held = others.reduce(.zero) { $0 + $1.request.amount }
      }
      balances[scope] = balance
    }
  }

  /// Returns by how much `settled` has changed.
  mutating func adjust(_ adjustment: Adjustment) -> Money {
    let before = balance(of: adjustment.scope)
    var after = before
    after.apply(adjustment.change)
    balances[adjustment.scope] = after
    let difference = after.settled - before.settled
    audits.append(adjustment.audit(difference))
    return difference
  }
}
