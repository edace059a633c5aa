import RasaCore
import RasaEngine

/// A ledger as small as the gate's tests need it: sums per scope, and a record of all it was told.
final class MemoryLedger: Ledger, ModelHistory {
  struct State {
    var spent: [BudgetLeg.Scope: Money] = [:]
    var held: [Identifier: ReservationRequest] = [:]
    var reservations: [ReservationRequest] = []
    var settlements: [Settlement] = []
    var confirmed: [Identifier] = []
    var entries: [JournalEntry] = []
    var standings: [ModelKey: ModelStanding] = [:]

    mutating func note(_ observation: ModelObservation) {
      let key = observation.key
      standings[key, default: ModelStanding(key: key, seenAt: observation.time)].note(observation)
    }
  }

  private let locked = Locked(State())
  var state: State { locked.withLock { $0 } }
  var settlements: [Settlement] { state.settlements }
  var entries: [JournalEntry] { state.entries }

  func spend(_ amount: Money, in scope: BudgetLeg.Scope) {
    locked.withLock { $0.spent[scope, default: .zero] += amount }
  }

  func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome {
    locked.withLock { state in
      let refusal = ReservationOutcome.refusal(of: request) { scope in
        let spent = state.spent[scope] ?? .zero
        return Balance(settled: spent, held: Self.taken(scope, in: state) - spent)
      }
      if let refusal { return refusal }
      state.held[request.id] = request
      state.reservations.append(request)
      state.entries += entries
      return .held
    }
  }

  func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws {
    locked.withLock { state in
      guard let request = state.held.removeValue(forKey: settlement.reservation) else { return }
      for leg in request.legs { state.spent[leg.scope, default: .zero] += settlement.actual }
      state.settlements.append(settlement)
      if let observation = settlement.observation { state.note(observation) }
      state.entries += entries
    }
  }

  func headroom(_ legs: [BudgetLeg]) async throws -> Money? {
    locked.withLock { state in
      legs.compactMap { leg in leg.limit.map { $0 - Self.taken(leg.scope, in: state) } }.min()
    }
  }

  func confirm(_ run: Identifier) async throws { locked.withLock { $0.confirmed.append(run) } }

  func standings() async throws -> [ModelStanding] { Array(state.standings.values) }

  func observe(_ observations: [ModelObservation]) async throws {
    locked.withLock { state in for observation in observations { state.note(observation) } }
  }

  private static func taken(_ scope: BudgetLeg.Scope, in state: State) -> Money {
    state.held.values.reduce(state.spent[scope] ?? .zero) { sum, request in
      request.legs.contains { $0.scope == scope } ? sum + request.amount : sum
    }
  }
}
