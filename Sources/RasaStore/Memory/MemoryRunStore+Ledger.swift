package import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome {
    guard request.amount >= .zero else { throw Failure.negativeAmount(request.amount) }
    return try work { state, worker, now in
      for entry in entries { _ = try state.journals.ownedPlace(of: entry.run, by: worker) }
      state.ledger.expire(at: now)
      if let refusal = state.ledger.refusal(of: request) { return refusal }
      try state.ledger.refuseKnown(request)
      try state.journals.append(entries, by: worker)
      state.ledger.hold(request, at: now)
      return .held
    }
  }

  package func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws {
    try work { state, worker, now in
      for entry in entries { _ = try state.journals.ownedPlace(of: entry.run, by: worker) }
      guard try state.ledger.isOpen(settlement.reservation) else { return }
      try state.journals.append(entries, by: worker)
      state.ledger.settle(settlement, at: now)
      if let observation = settlement.observation { state.note(observation) }
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
}
