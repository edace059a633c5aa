import RasaCore
import RasaEngine
import RasaSQLite

extension Database {
  func balance(of scope: String) throws -> Balance {
    try balances(of: [scope])[scope] ?? Balance()
  }

  /// The balances that have a row. One statement reads all of them, because the statement itself is what costs.
  func balances(of scopes: [String]) throws -> [String: Balance] {
    if scopes.isEmpty { return [:] }
    let found = try rows(
      Self.selections.text(for: scopes.count), values: scopes.map { .text($0) }
    ) { row in
      let balance = Balance(
        settled: Money(picoDollars: row.integer(1)), held: Money(picoDollars: row.integer(2)))
      return (row.text(0), balance)
    }
    return Dictionary(found) { first, _ in first }
  }

  func set(_ balances: [String: Balance]) throws {
    if balances.isEmpty { return }
    try run(
      Self.changes.text(for: balances.count),
      values: balances.flatMap { scope, balance -> [SQLValue] in
        [
          .text(scope), .integer(balance.settled.picoDollars), .integer(balance.held.picoDollars),
        ]
      })
  }

  // MARK: In one step

  /// Holds the amount under all of the limits or under none, with one conditional statement instead of reading the
  /// balances first.
  ///
  /// - Returns: false if one has no room or no row yet.
  func hold(_ amount: Money, under limits: [BalanceLimit]) throws -> Bool {
    if limits.isEmpty { return true }
    var values: [SQLValue] = [.integer(amount.picoDollars)]
    for limit in limits {
      // What `settled` and `held` may add up to before.
      let (most, overflow) = limit.limit.picoDollars.subtractingReportingOverflow(
        amount.picoDollars)
      if overflow || most < 0 { return false }
      values += [.text(limit.scope), .integer(most)]
    }
    let held = try rows(Self.holds.text(for: limits.count), values: values) { $0.text(0) }
    if held.count == limits.count { return true }
    try giveBack(amount, to: held)
    return false
  }

  /// Reverts `hold`.
  func giveBack(_ amount: Money, to scopes: [String]) throws {
    if scopes.isEmpty { return }
    try run(
      Self.returns.text(for: scopes.count),
      values: [.integer(amount.picoDollars)] + scopes.map { .text($0) })
  }

  /// Turns a hold into spending, with one statement.
  ///
  /// - Returns: the balances that it changed: those that have a row and no saturated sum.
  func settle(_ held: Money, at actual: Money, under scopes: [String]) throws -> [String] {
    if scopes.isEmpty { return [] }
    return try rows(
      Self.settlements.text(for: scopes.count),
      values: [.integer(held.picoDollars), .integer(actual.picoDollars)]
        + scopes.map { .text($0) }
    ) { $0.text(0) }
  }

  private static let selections = StatementsByCount { count in
    "SELECT scope, settled, held FROM balances WHERE scope IN (\(list("?", count)))"
  }
  private static let changes = StatementsByCount { count in
    """
    INSERT INTO balances (scope, settled, held) VALUES \(list("(?, ?, ?)", count))
    ON CONFLICT (scope) DO UPDATE SET settled = excluded.settled, held = excluded.held
    """
  }
  private static let holds = StatementsByCount { count in
    let places = (0..<count).map { (scope: "?\(2 * $0 + 2)", most: "?\(2 * $0 + 3)") }
    let cases = places.map { "WHEN \($0.scope) THEN \($0.most)" }.joined(separator: " ")
    return """
      UPDATE balances SET held = held + ?1
      WHERE scope IN (\(places.map(\.scope).joined(separator: ", ")))
        AND held <= CASE scope \(cases) END - settled
      RETURNING scope
      """
  }
  private static let returns = StatementsByCount { count in
    "UPDATE balances SET held = max(0, held - ?) WHERE scope IN (\(list("?", count)))"
  }
  private static let settlements = StatementsByCount { count in
    """
    UPDATE balances SET held = max(0, held - ?1), settled = settled + ?2
    WHERE scope IN (\((0..<count).map { "?\($0 + 3)" }.joined(separator: ", ")))
      AND held < \(Int64.max) AND settled <= \(Int64.max) - ?2
    RETURNING scope
    """
  }

  private static func list(_ part: String, _ count: Int) -> String {
    Array(repeating: part, count: count).joined(separator: ", ")
  }
}

/// The most that may be spent and held in one balance.
struct BalanceLimit: Sendable {
  var scope: String
  var limit: Money
}

/// A statement for any number of values; those for few values are built once.
private struct StatementsByCount: Sendable {
  private let make: @Sendable (Int) -> String
  private let usual: [String]

  init(_ make: @escaping @Sendable (Int) -> String) {
    self.make = make
    usual = (0...8).map(make)
  }

  func text(for count: Int) -> String { count < usual.count ? usual[count] : make(count) }
}
