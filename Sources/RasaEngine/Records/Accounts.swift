package import RasaCore

/// What has been spent and is held under one limit. Sums saturate, so that an absurd amount fails a
/// limit instead of passing it.
package struct Balance: Sendable, Hashable {
  package var settled: Money
  package var held: Money

  package init(settled: Money = .zero, held: Money = .zero) {
    self.settled = settled
    self.held = held
  }

  package func room(under limit: Money) -> Money { max(.zero, limit - (settled + held)) }

  /// The room that there would be if no hold were spent.
  package func roomWithoutHolds(under limit: Money) -> Money { max(.zero, limit - settled) }
}

/// What one owner (a persona, an agent, or everyone) has spent in one day or month.
package struct AccountBalance: Sendable, Hashable {
  package enum Period: Sendable, Hashable {
    case day(LocalDay)
    /// As `2026-01`.
    case month(String)
  }
  package var owner: String
  package var period: Period
  package var balance: Balance

  package init(owner: String, period: Period, balance: Balance) {
    self.owner = owner
    self.period = period
    self.balance = balance
  }
}

/// What spending is added up by.
package enum SpendingKey: String, Sendable, Hashable, CaseIterable {
  case persona, `operator`, model, provider, day, month, run
}

package struct SpendingFilter: Sendable, Hashable {
  package var persona: String?
  package var model: String?
  package var from: LocalDay?
  /// Inclusive.
  package var to: LocalDay?

  package init(
    persona: String? = nil, model: String? = nil, from: LocalDay? = nil, to: LocalDay? = nil
  ) {
    self.persona = persona
    self.model = model
    self.from = from
    self.to = to
  }
}

/// The sum over the calls that have the same keys.
package struct SpendingRow: Sendable, Hashable {
  /// One text for each key that was asked for, in that order.
  package var keys: [String]
  package var calls: Int64
  package var failures: Int64
  /// Settled; of expired holds the estimate.
  package var spent: Money
  package var held: Money
  package var usage: Usage
  /// Calls whose price was not known: their cost counts as nothing.
  package var unpriced: Int64

  package init(
    keys: [String], calls: Int64 = 0, failures: Int64 = 0, spent: Money = .zero,
    held: Money = .zero, usage: Usage = Usage(), unpriced: Int64 = 0
  ) {
    self.keys = keys
    self.calls = calls
    self.failures = failures
    self.spent = spent
    self.held = held
    self.usage = usage
    self.unpriced = unpriced
  }
}

/// A correction of what counts as spent: nothing is ever reset, so the books always say why.
package struct Adjustment: Sendable, Hashable {
  package enum Change: Sendable, Hashable {
    /// What counts as spent is this from now on.
    case to(Money)
    /// At least this: nothing where more has been counted.
    case atLeast(Money)
  }
  package var scope: BudgetLeg.Scope
  package var change: Change
  package enum Kind: String, Sendable, Hashable { case reset, `import` }
  package var kind: Kind
  package var by: String
  package var time: Timestamp

  package init(
    scope: BudgetLeg.Scope, change: Change, kind: Kind, by: String, time: Timestamp
  ) {
    self.scope = scope
    self.change = change
    self.kind = kind
    self.by = by
    self.time = time
  }
}

/// The books, for people to look at and to correct.
package protocol Accounts: Sendable {
  /// Of all owners with a balance in that day or its month, sorted by owner, day before month.
  func balances(on day: LocalDay) async throws -> [AccountBalance]
  func balance(of scope: BudgetLeg.Scope) async throws -> Balance
  /// When a day or month of an owner was last counted from nothing by hand; nil when never.
  func lastReset(of scope: BudgetLeg.Scope) async throws -> Timestamp?
  /// What it changed the balance by.
  func adjust(_ adjustment: Adjustment) async throws -> Money
  /// Sorted by what was spent, the most first; by the key where `day` or `month` is the first.
  func spending(_ filter: SpendingFilter, by keys: [SpendingKey]) async throws -> [SpendingRow]
}
