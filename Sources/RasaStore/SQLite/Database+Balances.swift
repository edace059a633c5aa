import RasaCore
import RasaEngine
import RasaSQLite

extension Database {
  func balance(of scope: String) throws -> Balance {
    try balances(of: [scope])[scope] ?? Balance()
  }

  /// Those that there are. Several at once: each statement costs as much as what it does.
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

  private static let selections = RepeatedText(
    "SELECT scope, settled, held FROM balances WHERE scope IN (", "?", ")")
  private static let changes = RepeatedText(
    "INSERT INTO balances (scope, settled, held) VALUES ", "(?, ?, ?)",
    " ON CONFLICT (scope) DO UPDATE SET settled = excluded.settled, held = excluded.held")
}

/// A statement for so many values, put together once for each number of them that is usual.
private struct RepeatedText: Sendable {
  private let beginning: String
  private let part: String
  private let ending: String
  private var known: [String] = []

  init(_ beginning: String, _ part: String, _ ending: String) {
    (self.beginning, self.part, self.ending) = (beginning, part, ending)
    known = (0...8).map(make)
  }

  func text(for count: Int) -> String { count < known.count ? known[count] : make(count) }

  private func make(_ count: Int) -> String {
    beginning + Array(repeating: part, count: count).joined(separator: ", ") + ending
  }
}
