import RasaCore
import RasaEngine

/// Balances by scope, and the reservations that made them.
struct MemoryLedger {
  struct Reservation {
    var request: ReservationRequest
    var scopes: Set<BudgetLeg.Scope>
    var state: ReservationState
    /// What it has cost, or counts as; nil while it is held.
    var actual: Money?
    var settlement: Settlement?
    var madeAt: Timestamp
    var settledAt: Timestamp?
  }

  private(set) var balances: [BudgetLeg.Scope: Balance] = [:]
  private(set) var reservations: [Identifier: Reservation] = [:]
  /// The reservations that are held: what may expire, without going through all that ever were.
  private var held: Set<Identifier> = []
  /// No lease ends before this, so that there is nothing to look for until then.
  private var firstLeaseEnd = Timestamp(milliseconds: .max)
  var audits: [Audit] = []

  func balance(of scope: BudgetLeg.Scope) -> Balance { balances[scope] ?? Balance() }

  mutating func expire(at now: Timestamp) {
    guard firstLeaseEnd < now else { return }
    firstLeaseEnd = Timestamp(milliseconds: .max)
    for id in held {
      guard let reservation = reservations[id] else { continue }
      guard reservation.request.leaseEnds < now else {
        firstLeaseEnd = min(firstLeaseEnd, reservation.request.leaseEnds)
        continue
      }
      release(id, reservation, at: reservation.request.amount)
      reservations[id]?.state = .expired
      reservations[id]?.actual = reservation.request.amount
    }
  }

  func refusal(of request: ReservationRequest) -> ReservationOutcome? {
    .refusal(of: request) { balance(of: $0) }
  }

  func refuseKnown(_ request: ReservationRequest) throws {
    if reservations[request.id] != nil { throw Failure.knownReservation(request.id) }
  }

  mutating func hold(_ request: ReservationRequest, at now: Timestamp) {
    let scopes = Set(request.legs.map(\.scope))
    for scope in scopes { balances[scope, default: Balance()].hold(request.amount) }
    reservations[request.id] = Reservation(
      request: request, scopes: scopes, state: .held, madeAt: now)
    held.insert(request.id)
    firstLeaseEnd = min(firstLeaseEnd, request.leaseEnds)
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
      // What was more than can be counted is counted anew.
      if !isCounted {
        let others = held.compactMap { reservations[$0] }.filter { $0.scopes.contains(scope) }
        balance.held = others.reduce(.zero) { $0 + $1.request.amount }
      }
      balances[scope] = balance
    }
  }

  mutating func renew(_ id: Identifier, _ leaseEnds: Timestamp) {
    guard held.contains(id) else { return }
    reservations[id]?.request.leaseEnds = leaseEnds
    firstLeaseEnd = min(firstLeaseEnd, leaseEnds)
  }

  /// What the balance of what counts as spent has changed by.
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
