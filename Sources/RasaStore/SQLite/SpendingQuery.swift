import RasaCore
import RasaEngine
import RasaSQLite

/// A spending report as one statement, so that SQLite does the summing.
struct SpendingQuery: Sendable {
  let text: String
  let values: [SQLValue]
  private let keys: [SpendingKey]

  init(_ filter: SpendingFilter, by keys: [SpendingKey]) {
    var conditions: [String] = []
    var values: [SQLValue] = []
    func require(_ value: SQLValue?, _ condition: (String) -> String) {
      guard let value else { return }
      values.append(value)
      conditions.append(condition("?\(values.count)"))
    }
    require(filter.persona.map { .text($0) }) {
      "persona = (SELECT number FROM words WHERE text = \($0))"
    }
    require(filter.model.map { .text($0) }) {
      "model = (SELECT number FROM words WHERE text = \($0))"
    }
    require(filter.from.map { .integer($0.number) }) { "day >= \($0)" }
    require(filter.to.map { .integer($0.number) }) { "day <= \($0)" }
    func part(_ state: String, _ index: String = "") -> String {
      "SELECT * FROM reservations \(index) WHERE "
        + (["state \(state)"] + conditions).joined(separator: " AND ")
    }
    // Held reservations are not in the index by day; there are few of them.
    let isInPeriod = filter.from != nil || filter.to != nil
    let calls =
      isInPeriod
      ? part("<> 0") + " UNION ALL " + part("= 0", "INDEXED BY reservations_held")
      : part(">= 0")

    let columns = keys.map(Self.column) + Self.counts + Self.amounts.flatMap(Self.halves)
    let places = keys.isEmpty ? "''" : keys.indices.map { "\($0 + 1)" }.joined(separator: ", ")
    // This decides which rows are left out if there are too many.
    let order = SpendingRules.isByTime(keys) ? "1 DESC, " : ""
    text = """
      SELECT \(columns.joined(separator: ", ")) FROM (\(calls)) AS calls
      \(Set(keys.compactMap(Self.join)).sorted().joined(separator: "\n"))
      GROUP BY \(places) ORDER BY \(order)total(\(Self.spent)) DESC LIMIT \(SpendingRules.rowsAtMost)
      """
    self.values = values
    self.keys = keys
  }

  private static func column(_ key: SpendingKey) -> String {
    switch key {
    case .persona, .model, .provider: "\(key.rawValue).text"
    // An effect is named `frame:visit/operator/label#occurrence`.
    case .operator:
      "substr(\(afterFrame), 1, instr(\(afterFrame), '/') - 1)"
    case .day: "calls.day"
    case .month: "calls.day / 100"
    // A deleted run has no name any more.
    case .run: "coalesce(runs.id, '')"
    }
  }

  private static let afterFrame = "substr(effect.text, instr(effect.text, '/') + 1)"

  private static func join(_ key: SpendingKey) -> String? {
    switch key {
    case .persona, .model, .provider:
      "JOIN words AS \(key.rawValue) ON \(key.rawValue).number = calls.\(key.rawValue)"
    case .operator: "JOIN words AS effect ON effect.number = calls.effect"
    case .run: "LEFT JOIN runs ON runs.number = calls.run"
    case .day, .month: nil
    }
  }

  private static let counts = [
    "count(*)", "count(iif(outcome = (SELECT number FROM words WHERE text = 'failed'), 1, NULL))",
    "count(iif(price = (SELECT number FROM words WHERE text = ''), 1, NULL))",
    "coalesce(min(is_reported), 1)",
  ]

  private static let spent = "iif(state = 0, 0, actual)"
  private static let amounts = [
    spent, "iif(state = 0, amount, 0)", "input_tokens", "output_tokens", "cached_tokens",
    "written_tokens", "reasoning_tokens",
  ]

  /// SQLite's `sum` fails on overflow; sums of halves cannot overflow.
  private static func halves(_ amount: String) -> [String] {
    ["coalesce(sum(\(amount) >> 32), 0)", "coalesce(sum(\(amount) & 0xFFFFFFFF), 0)"]
  }

  func row(_ row: Row) -> SpendingRow {
    let first = keys.count
    func amount(_ place: Int) -> Int64 {
      let column = first + Self.counts.count + 2 * place
      let (high, low) = (row.integer(column), row.integer(column + 1))
      let (scaled, overflow) = high.multipliedReportingOverflow(by: 1 << 32)
      let (sum, overflow2) = scaled.addingReportingOverflow(low)
      return overflow || overflow2 ? (high < 0 ? .min : .max) : sum
    }
    return SpendingRow(
      keys: keys.enumerated().map { place, key in
        switch key {
        case .day: LocalDay(number: row.integer(place)).description
        case .month: LocalDay(number: row.integer(place) &* 100).monthText
        default: row.text(place)
        }
      },
      calls: row.integer(first), failures: row.integer(first + 1),
      spent: Money(picoDollars: amount(0)), held: Money(picoDollars: amount(1)),
      usage: Usage(
        input: amount(2), output: amount(3), cachedInput: amount(4), cacheWrites: amount(5),
        reasoning: amount(6), isReported: row.integer(first + 3) != 0),
      unpriced: row.integer(first + 2))
  }
}
