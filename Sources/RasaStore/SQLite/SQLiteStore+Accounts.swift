package import RasaCore
package import RasaEngine
import RasaSQLite

extension SQLiteStore {
  package func balances(on day: LocalDay) async throws -> [AccountBalance] {
    try await read { database in
      let days = try database.balances(of: "day:", ending: ":\(day)", period: .day(day))
      let months = try database.balances(
        of: "month:", ending: ":\(day.monthText)", period: .month(day.monthText))
      return (days + months).sorted(by: AccountBalance.precedes)
    }
  }

  package func balance(of scope: BudgetLeg.Scope) async throws -> Balance {
    try await read { try $0.balance(of: scope.row) }
  }

  package func lastReset(of scope: BudgetLeg.Scope) async throws -> Timestamp? {
    try await read { database in
      try database.first(
        "SELECT time FROM audits WHERE subject = ? AND kind = ? ORDER BY number DESC LIMIT 1",
        .text(scope.row), .text(Adjustment.Kind.reset.rawValue)
      ) { Timestamp(milliseconds: $0.integer(0)) }
    }
  }

  package func adjust(_ adjustment: Adjustment) async throws -> Money {
    try adjustment.refuseImpossible()
    return try await writer.write { database in
      let row = adjustment.scope.row
      let before = try database.balance(of: row)
      var after = before
      after.apply(adjustment.change)
      try database.set([row: after])
      // The actual difference: a sum may have been saturated.
      let difference = try database.balance(of: row).settled - before.settled
      try database.insert(adjustment.audit(difference))
      return difference
    }
  }

  package func spending(
    _ filter: SpendingFilter, by keys: [SpendingKey]
  ) async throws -> [SpendingRow] {
    let query = SpendingQuery(filter, by: keys)
    let rows = try await read { database in
      try database.rows(query.text, values: query.values) { query.row($0) }
    }
    return SpendingRules.sorted(rows, by: keys)
  }

  package func audits(limit: Int) async throws -> [Audit] {
    try await read { database in
      try database.rows(
        "SELECT time, kind, subject, amount, detail FROM audits ORDER BY number DESC LIMIT ?",
        .integer(max(0, limit))
      ) { row in
        Audit(
          time: Timestamp(milliseconds: row.integer(0)), kind: row.text(1), subject: row.text(2),
          amount: Money(picoDollars: row.integer(3)), detail: row.text(4))
      }
    }
  }
}

extension Database {
  /// The rows whose names have that prefix and suffix; the owner is between them.
  fileprivate func balances(
    of beginning: String, ending: String, period: AccountBalance.Period
  ) throws -> [AccountBalance] {
    try rows(
      """
      SELECT substr(scope, length(?1) + 1, length(scope) - length(?1) - length(?2)), settled, held
      FROM balances WHERE scope >= ?1 AND scope < ?1 || char(0x10FFFF)
        AND length(scope) >= length(?1) + length(?2) AND substr(scope, -length(?2)) = ?2
      """, .text(beginning), .text(ending)
    ) { row in
      AccountBalance(
        owner: row.text(0), period: period,
        balance: Balance(
          settled: Money(picoDollars: row.integer(1)), held: Money(picoDollars: row.integer(2))))
    }
  }
}
