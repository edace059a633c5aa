package import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome {
    guard request.amount >= .zero else { throw Failure.negativeAmount(request.amount) }
    let now = time.now()
    return try state.withLock { state in
      for entry in entries { _ = try state.journals.ownedPlace(of: entry.run) }
      state.ledger.expire(at: now)
      if let refusal = state.ledger.refusal(of: request) { return refusal }
      try state.ledger.refuseKnown(request)
      try state.journals.append(entries)
      state.ledger.hold(request)
      return .held
    }
  }

  package func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws {
    let now = time.now()
    try state.withLock { state in
      for entry in entries { _ = try state.journals.ownedPlace(of: entry.run) }
      guard try state.ledger.isOpen(settlement.reservation) else { return }
      try state.journals.append(entries)
      state.ledger.settle(settlement, at: now)
    }
  }

  package func headroom(_ legs: [BudgetLeg]) async throws -> Money? {
    state.withLock { state in
      legs.compactMap { leg in
        leg.limit.map { state.ledger.balance(of: leg.scope).room(under: $0) }
      }.min()
    }
  }

  package func renew(_ reservation: Identifier, leaseEnds: Timestamp) async throws {
    state.withLock { $0.ledger.renew(reservation, leaseEnds) }
  }

  package func balance(of scope: BudgetLeg.Scope) async throws -> Balance {
    state.withLock { $0.ledger.balance(of: scope) }
  }

  package func audits(limit: Int) async throws -> [Audit] {
    state.withLock { $0.ledger.audits.suffix(max(0, limit)).reversed() }
  }
}

/// Balances by scope, and the reservations that made them.
struct MemoryLedger {
  private struct Reservation {
    var amount: Money
    var scopes: Set<BudgetLeg.Scope>
    var leaseEnds: Timestamp
    var state: ReservationState
  }

  private var balances: [BudgetLeg.Scope: Balance] = [:]
  private var reservations: [Identifier: Reservation] = [:]
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
      guard var reservation = reservations[id] else { continue }
      guard reservation.leaseEnds < now else {
        firstLeaseEnd = min(firstLeaseEnd, reservation.leaseEnds)
        continue
      }
      for scope in reservation.scopes {
        balances[scope]?.settle(held: reservation.amount, at: reservation.amount)
      }
      reservation.state = .expired
      reservations[id] = reservation
      held.remove(id)
    }
  }

  func refusal(of request: ReservationRequest) -> ReservationOutcome? {
    for leg in request.legs {
      guard let limit = leg.limit else { continue }
      let room = balance(of: leg.scope).room(under: limit)
      if request.amount > room { return .refused(leg, available: room) }
    }
    return nil
  }

  func refuseKnown(_ request: ReservationRequest) throws {
    if reservations[request.id] != nil { throw Failure.knownReservation(request.id) }
  }

  mutating func hold(_ request: ReservationRequest) {
    let scopes = Set(request.legs.map(\.scope))
    for scope in scopes { balances[scope, default: Balance()].hold(request.amount) }
    reservations[request.id] = Reservation(
      amount: request.amount, scopes: scopes, leaseEnds: request.leaseEnds, state: .held)
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
    guard var reservation = reservations[id] else { return }
    let actual = max(.zero, settlement.actual)
    for scope in reservation.scopes {
      if reservation.state == .expired {
        balances[scope]?.correct(reservation.amount, to: actual)
      } else {
        balances[scope]?.settle(held: reservation.amount, at: actual)
      }
    }
    if reservation.state == .expired {
      audits.append(
        .lateSettlement(of: id, estimate: reservation.amount, actual: actual, at: now))
    }
    reservation.state = .settled
    reservations[id] = reservation
    held.remove(id)
  }

  mutating func renew(_ id: Identifier, _ leaseEnds: Timestamp) {
    guard held.contains(id) else { return }
    reservations[id]?.leaseEnds = leaseEnds
    firstLeaseEnd = min(firstLeaseEnd, leaseEnds)
  }
}
