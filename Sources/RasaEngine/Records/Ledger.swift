package import RasaCore

/// One limit that a reservation falls under.
package struct BudgetLeg: Sendable, Hashable {
  package enum Scope: Sendable, Hashable {
    case execution(Identifier)
    case day(owner: String, LocalDay)
    case month(owner: String, String)
  }
  /// The owner of what all together may spend. No persona can have this name.
  package static let everyone = "*"
  package var scope: Scope
  /// Nil when spending is only counted here.
  package var limit: Money?

  package init(scope: Scope, limit: Money?) {
    self.scope = scope
    self.limit = limit
  }
}

package struct ReservationRequest: Sendable, Hashable {
  package var id: Identifier
  package var run: Identifier
  package var key: EffectKey
  package var persona: String
  package var operatorName: String
  package var provider: String
  package var model: String
  /// Which price the call is reckoned with, as the catalogue names it; empty when none is known.
  package var price: String
  /// The day that it counts into, where the budget lives.
  package var day: LocalDay
  package var amount: Money
  package var legs: [BudgetLeg]
  package init(
    id: Identifier, run: Identifier, key: EffectKey, persona: String, operatorName: String,
    provider: String, model: String, price: String = "",
    day: LocalDay = LocalDay(year: 1970, month: 1, day: 1), amount: Money, legs: [BudgetLeg]
  ) {
    self.price = price
    self.day = day
    self.id = id
    self.run = run
    self.key = key
    self.persona = persona
    self.operatorName = operatorName
    self.provider = provider
    self.model = model
    self.amount = amount
    self.legs = legs
  }
}

package enum ReservationOutcome: Sendable, Hashable {
  case held
  /// A leg that has no room, and what is spent and held under it: one that would have none either
  /// if nothing were held, before one that only lacks what others hold.
  case refused(BudgetLeg, Balance)

  /// Why the legs have no room for a request; nil when they have. Both stores decide with this.
  package static func refusal(
    of request: ReservationRequest, balance: (BudgetLeg.Scope) -> Balance
  ) -> ReservationOutcome? {
    var awaiting: ReservationOutcome?
    for leg in request.legs {
      guard let limit = leg.limit, case let balance = balance(leg.scope),
        request.amount > balance.room(under: limit)
      else { continue }
      if request.amount > balance.roomWithoutHolds(under: limit) { return .refused(leg, balance) }
      awaiting = awaiting ?? .refused(leg, balance)
    }
    return awaiting
  }
}

package struct Settlement: Sendable, Hashable {
  package enum Outcome: String, Sendable, Hashable { case answered, failed, cancelled, uncertain }
  package var reservation: Identifier
  package var actual: Money
  package var usage: Usage
  package var outcome: Outcome
  /// What the call has taught about its model, kept in the same transaction.
  package var observation: ModelObservation?
  /// The vectors that the call returned, stored in the same transaction so that they are never paid for twice.
  package var vectors: MadeVectors?
  /// Whether `settle` may return before it is durable, so that it can share the run's next commit. A crash
  /// within the few milliseconds until then leaves the call in doubt.
  package var mayWait = false
  package init(
    reservation: Identifier, actual: Money, usage: Usage, outcome: Outcome,
    observation: ModelObservation? = nil
  ) {
    self.observation = observation
    self.reservation = reservation
    self.actual = actual
    self.usage = usage
    self.outcome = outcome
  }
}

/// Reservations and settlements of money against limits. `recording` entries are committed in the
/// same transaction, or not at all.
package protocol Ledger: Sendable {
  /// All legs or none. A hold lasts until it is settled; what is held for a run that nobody is at work on
  /// counts as spent where somebody else lacks room. The same request again changes nothing, so that it
  /// can be repeated when its answer was lost.
  func reserve(
    _ request: ReservationRequest, recording entries: [JournalEntry]
  ) async throws -> ReservationOutcome
  /// Once: a second settlement of the same reservation changes nothing.
  func settle(_ settlement: Settlement, recording entries: [JournalEntry]) async throws
  /// The smallest room left under the legs; nil when none of them has a limit.
  func headroom(_ legs: [BudgetLeg]) async throws -> Money?
  /// Makes sure that the run is still this process's. Throws when another one has taken it over.
  func confirm(_ run: Identifier) async throws
  /// Whether nobody else can have taken the run over by now, as far as can be told without asking
  /// anybody and at once. Where it is false, `confirm` shows it.
  func isSurelyOwned(_ run: Identifier) -> Bool
}

extension Ledger {
  package func isSurelyOwned(_ run: Identifier) -> Bool { true }
}
