package import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome {
    guard request.amount >= .zero else { throw Failure.negativeAmount(request.amount) }
    return try work { state, worker, now in
      for entry in entries { _ = try state.journals.ownedPlace(of: entry.run, by: worker) }
      if try state.ledger.isKnown(request) { return .held }
      if case .refused(_, let balance)? = state.ledger.refusal(of: request), balance.held > .zero {
        state.expireReservationsOfTheGone(by: worker, at: now)
      }
      if let refusal = state.ledger.refusal(of: request) { return refusal }
      try state.journals.append(entries, by: worker)
      state.ledger.hold(
        request, isOfRun: state.journals.places[request.run] != nil, at: now)
      return .held
    }
  }

  package func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws {
    try work { state, worker, now in
      for entry in entries { _ = try state.journals.ownedPlace(of: entry.run, by: worker) }
      guard try state.ledger.isOpen(settlement.reservation) else { return }
      try state.journals.append(entries, by: worker)
      state.ledger.settle(settlement, at: now)
      if let vectors = settlement.vectors { state.memories.keepVectors(vectors, at: now) }
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

  package func confirm(_ run: Identifier) async throws {
    try work(renewing: true) { state, worker, _ in
      guard state.journals.places[run] != nil else { return }
      _ = try state.journals.ownedPlace(of: run, by: worker)
    }
  }
}

extension MemoryRunStore.State {
  /// - Parameter worker: the caller, which is alive.
  fileprivate mutating func expireReservationsOfTheGone(by worker: Int, at now: Timestamp) {
    let (journals, workers) = (journals, workers)
    _ = ledger.expire { run in
      guard let place = journals.places[run], let owner = journals.runs[place].owner else {
        return true
      }
      return owner != worker && !workers[owner].isAlive(at: now)
    }
  }
}
