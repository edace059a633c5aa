package import RasaCore
import RasaEngine

/// The arithmetic of both stores.
extension Balance {
  mutating func hold(_ amount: Money) { held = held + amount }

  mutating func settle(held amount: Money, at actual: Money) {
    held = max(.zero, held - amount)
    settled = settled + actual
  }

  /// An expired hold was settled at its estimate; now the actual amount is known.
  /// A saturated sum stays so.
  mutating func correct(_ estimate: Money, to actual: Money) {
    if settled < .max { settled = max(.zero, settled + (actual - estimate)) }
  }
}

/// An entry of the audit trail: a correction of the accounts, a question to people, an answer.
package struct Audit: Sendable, Hashable {
  package var time: Timestamp
  package var kind: String
  package var subject: String
  package var amount: Money
  /// Who did it, and what.
  package var detail: String = ""
}

extension Audit {
  /// A reservation that had expired was settled after all; the amount is what it changed.
  static func lateSettlement(
    of reservation: Identifier, estimate: Money, actual: Money, at time: Timestamp
  ) -> Audit {
    Audit(time: time, kind: "late_settlement", subject: reservation.text, amount: actual - estimate)
  }
}

extension BudgetLeg.Scope {
  /// The name of the row: a new day or month is a new row.
  var row: String {
    switch self {
    case .execution(let run): "execution:\(run)"
    case .day(let owner, let day): "day:\(owner):\(day)"
    case .month(let owner, let month): "month:\(owner):\(month)"
    }
  }
}

/// The state of a reservation. One whose lease ended unsettled counts as spent at its estimate, for
/// the provider may have done the work.
package enum ReservationState: Int64, Sendable { case held, expired, settled }
