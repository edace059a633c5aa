package import RasaCore
package import RasaEngine

extension MemoryRunStore {
  package func balances(on day: LocalDay) async throws -> [AccountBalance] {
    state.withLock { state in
      state.ledger.balances.compactMap { scope, balance -> AccountBalance? in
        switch scope {
        case .day(let owner, day): AccountBalance(owner: owner, period: .day(day), balance: balance)
        case .month(let owner, day.monthText):
          AccountBalance(owner: owner, period: .month(day.monthText), balance: balance)
        default: nil
        }
      }.sorted(by: AccountBalance.precedes)
    }
  }

  package func balance(of scope: BudgetLeg.Scope) async throws -> Balance {
    state.withLock { $0.ledger.balance(of: scope) }
  }

  package func lastReset(of scope: BudgetLeg.Scope) async throws -> Timestamp? {
    state.withLock { state in
      state.ledger.audits.last {
        $0.subject == scope.row && $0.kind == Adjustment.Kind.reset.rawValue
      }?.time
    }
  }

  package func adjust(_ adjustment: Adjustment) async throws -> Money {
    try adjustment.refuseImpossible()
    return state.withLock { $0.ledger.adjust(adjustment) }
  }

  package func spending(
    _ filter: SpendingFilter, by keys: [SpendingKey]
  ) async throws -> [SpendingRow] {
    let rows = state.withLock { state in
      var rows: [[String]: SpendingRow] = [:]
      for call in state.ledger.reservations.values where filter.takes(call.request) {
        let texts = keys.map { state.text($0, of: call.request) }
        rows[texts, default: SpendingRow(keys: texts)].add(call)
      }
      return Array(rows.values)
    }
    return SpendingRules.sorted(rows, by: keys)
  }

  package func audits(limit: Int) async throws -> [Audit] {
    state.withLock { $0.ledger.audits.suffix(max(0, limit)).reversed() }
  }
}

extension MemoryRunStore.State {
  fileprivate func text(_ key: SpendingKey, of request: ReservationRequest) -> String {
    switch key {
    case .persona: request.persona
    case .operator: request.key.operatorName
    case .model: request.model
    case .provider: request.provider
    case .day: request.day.description
    case .month: request.day.monthText
    case .run: journals.record(of: request.run)?.id.text ?? ""
    }
  }
}

extension SpendingFilter {
  fileprivate func takes(_ request: ReservationRequest) -> Bool {
    if let persona, persona != request.persona { return false }
    if let model, model != request.model { return false }
    if let from, request.day < from { return false }
    if let to, to < request.day { return false }
    return true
  }
}

extension SpendingRow {
  fileprivate mutating func add(_ call: MemoryLedger.Reservation) {
    calls += 1
    if call.settlement?.outcome == .failed { failures += 1 }
    if call.request.price.isEmpty { unpriced += 1 }
    if call.state == .held {
      held = held + call.request.amount
    } else {
      spent = spent + (call.actual ?? .zero)
    }
    if let settlement = call.settlement { usage.add(settlement.usage) }
  }
}

extension MemoryRunStore {
  package func standings() async throws -> [ModelStanding] {
    let standings = state.withLock { Array($0.standings.values) }
    return standings.sorted {
      ($0.key.provider, $0.key.account, $0.key.model)
        < ($1.key.provider, $1.key.account, $1.key.model)
    }
  }

  package func observe(_ observations: [ModelObservation]) async throws {
    state.withLock { state in
      for observation in observations { state.note(observation) }
    }
  }
}

extension MemoryRunStore.State {
  mutating func note(_ observation: ModelObservation) {
    standings[
      observation.key, default: ModelStanding(key: observation.key, seenAt: observation.time)
    ].note(observation)
  }
}
