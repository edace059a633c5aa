import RasaCore
import RasaEngine
import RasaLearning
import RasaSQLite

/// Sums over records, for all time, each month and each day.
extension Database {
  private enum Period {
    static let allTime: Int64 = 0

    /// Negative, so that no month is taken for a day.
    static func month(of day: LocalDay) -> Int64 { -(Int64(day.year) * 12 + Int64(day.month) - 1) }

    static func day(_ day: LocalDay) -> Int64 { max(1, day.ordinal) }

    /// A period as its key: `2026-01-31`, `2026-01`, or nothing for all time.
    static func text(_ period: Int64) -> String {
      if period == allTime { return "" }
      if period > 0 { return LocalDay(ordinal: period).description }
      return LocalDay(year: Int(-period / 12), month: Int(-period % 12) + 1, day: 1).monthText
    }

    /// Those that make up the days from one to another, with as few rows as possible.
    static func covering(_ from: LocalDay?, _ to: LocalDay?) -> [ClosedRange<Int64>] {
      if from == nil, to == nil { return [allTime...allTime] }
      let from = from ?? LocalDay(year: 1970, month: 1, day: 2)
      let to = to ?? LocalDay(year: 9999, month: 12, day: 31)
      guard from <= to else { return [] }
      // The first month that begins within, and the first that does not end within.
      let first = from.day == 1 ? from : from.advanced(byDays: from.daysInMonth - from.day + 1)
      let last = to.day == to.daysInMonth ? to.advanced(byDays: 1) : to.firstOfMonth
      guard first < last else { return [day(from)...day(to)] }
      var ranges = [month(of: last.advanced(byDays: -1))...month(of: first)]
      if from < first { ranges.append(day(from)...day(first.advanced(byDays: -1))) }
      if last <= to { ranges.append(day(last)...day(to)) }
      return ranges
    }
  }

  /// - Parameter sign: -1 to take out what was added.
  func addToSums(_ run: RunPerformance, _ score: RunScore, sign: Int64) throws {
    let sums = PerformanceSums(run, score)
    let nodes = run.nodeSums
    try addToSums(run, sums, nodes, sign: sign)
  }

  private func addToSums(
    _ run: RunPerformance, _ sums: PerformanceSums, _ nodes: [NodeKey: NodeSums], sign: Int64
  ) throws {
    let agent = SQLValue.integer(try word(run.agent))
    let keys: [SQLValue] = [
      agent, .integer(try word(run.category)), .integer(try word(run.model)),
      .integer(try word(run.weights)),
    ]
    let ended = SQLValue.integer(run.endedAt.milliseconds)
    let values = sums.all.map { SQLValue.integer($0 * sign) }
    let day = Period.day(run.day)
    for period in [Period.allTime, Period.month(of: run.day), day] {
      try self.run(Self.upsertSums, values: [.integer(period)] + keys + [ended, ended] + values)
    }
    for (node, sums) in nodes.sorted(by: { $0.key.name < $1.key.name }) {
      let name = SQLValue.integer(try word(node.name))
      for period in [Period.allTime, day] {
        try self.run(
          Self.upsertNodeSums, .integer(period), agent, .integer(Int64(node.kind.rawValue)), name,
          .integer(sums.uses * sign), .integer(sums.failed * sign),
          .integer(sums.milliseconds * sign), .integer(sums.durationSquares * sign),
          .integer(sums.tokens * sign), .integer(sums.cost * sign))
      }
    }
  }

  private static let sumColumns = PerformanceSums.Column.allCases.map(\.rawValue)

  private static let upsertSums = """
    INSERT INTO performance_sums
      (period, agent, category, model, weights, first_at, last_at, \(sumColumns.joined(separator: ", ")))
    VALUES (?, ?, ?, ?, ?, ?, ?, \(sumColumns.map { _ in "?" }.joined(separator: ", ")))
    ON CONFLICT DO UPDATE SET
      first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
      \(sumColumns.map { "\($0) = \($0) + excluded.\($0)" }.joined(separator: ", "))
    """

  private static let upsertNodeSums = """
    INSERT INTO node_sums
      (period, agent, kind, name, uses, failed, duration, duration_squares, tokens, cost)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET uses = uses + excluded.uses, failed = failed + excluded.failed,
      duration = duration + excluded.duration,
      duration_squares = duration_squares + excluded.duration_squares,
      tokens = tokens + excluded.tokens, cost = cost + excluded.cost
    """

  // MARK: Reading

  func performance(_ query: PerformanceQuery) throws -> [PerformanceRow] {
    var conditions: [String] = []
    var values: [SQLValue] = []
    for (column, text) in [
      ("agent", query.agent), ("category", query.category), ("model", query.model),
    ] {
      guard let text else { continue }
      conditions.append("\(column) = (SELECT number FROM words WHERE text = ?)")
      values.append(.text(text))
    }
    var keys = query.keys.map(\.rawValue)
    var ranges = Period.covering(query.from, query.to)
    if let place = query.keys.firstIndex(where: { $0 == .day || $0 == .month }) {
      let isDay = query.keys[place] == .day
      let (from, to) = (query.from, query.to)
      let (least, most) = (
        from ?? LocalDay(year: 1970, month: 1, day: 2),
        to ?? LocalDay(year: 9999, month: 12, day: 31)
      )
      ranges =
        isDay
        ? [Period.day(least)...Period.day(most)]
        : [Period.month(of: most)...Period.month(of: least)]
      keys[place] = "period"
    }
    let sums = Self.sumColumns.map { "sum(\($0))" }.joined(separator: ", ")
    let group = keys.isEmpty ? "" : "GROUP BY \(keys.joined(separator: ", "))"
    var found: [[Int64]: (sums: PerformanceSums, first: Int64, last: Int64)] = [:]
    for range in ranges {
      let condition = (["period BETWEEN ? AND ?"] + conditions).joined(separator: " AND ")
      let rows = try rows(
        """
        SELECT min(first_at), max(last_at), \(sums)\(keys.map { ", \($0)" }.joined())
        FROM performance_sums WHERE \(condition) \(group)
        """, values: [.integer(range.lowerBound), .integer(range.upperBound)] + values
      ) { row in
        let first = 2 + Self.sumColumns.count
        return (
          keys: keys.indices.map { row.integer(first + $0) },
          sums: PerformanceSums(Self.sumColumns.indices.map { row.integer(2 + $0) }),
          first: row.integer(0), last: row.integer(1)
        )
      }
      // Those of which everything has been taken out again are none.
      for row in rows where row.sums[.runs] > 0 {
        if let known = found[row.keys] {
          found[row.keys] = (
            known.sums + row.sums, min(known.first, row.first), max(known.last, row.last)
          )
        } else {
          found[row.keys] = (row.sums, row.first, row.last)
        }
      }
    }
    var words: [Int64: String] = [:]
    func word(_ number: Int64) throws -> String {
      if let known = words[number] { return known }
      let text = try text(ofWord: number) ?? "?"
      words[number] = text
      return text
    }
    let rows = try found.map { numbers, value in
      let texts = try zip(keys, numbers).map { key, number in
        key == "period" ? Period.text(number) : try word(number)
      }
      return PerformanceRow(
        keys: texts, sums: value.sums, firstAt: Timestamp(milliseconds: value.first),
        lastAt: Timestamp(milliseconds: value.last))
    }
    return rows.sorted { $0.keys.lexicographicallyPrecedes($1.keys) }
  }

  func nodeRows(of agent: String?, from: LocalDay?, to: LocalDay?) throws -> [NodeRow] {
    var range = Period.allTime...Period.allTime
    if from != nil || to != nil {
      let first = from.map(Period.day) ?? 1
      let last = to.map(Period.day) ?? Int64.max
      guard first <= last else { return [] }
      range = first...last
    }
    let condition = agent == nil ? "" : "AND agent.text = ?"
    return try rows(
      """
      SELECT agent.text, kind, name.text, sum(uses), sum(failed), sum(duration),
        sum(duration_squares), sum(tokens), sum(cost)
      FROM node_sums JOIN words AS agent ON agent.number = agent
        JOIN words AS name ON name.number = name
      WHERE period BETWEEN ? AND ? \(condition)
      GROUP BY agent, kind, name HAVING sum(uses) > 0 ORDER BY agent.text, kind, name.text
      """,
      values: [.integer(range.lowerBound), .integer(range.upperBound)]
        + (agent.map { [.text($0)] } ?? [])
    ) { row in
      var sums = NodeSums()
      sums.uses = row.integer(3)
      sums.failed = row.integer(4)
      sums.milliseconds = row.integer(5)
      sums.durationSquares = row.integer(6)
      sums.tokens = row.integer(7)
      sums.cost = row.integer(8)
      return NodeRow(
        agent: row.text(0),
        node: NodeKey(NodeUse.Kind(rawValue: Int(clamping: row.integer(1))) ?? .tool, row.text(2)),
        sums: sums)
    }
  }

  // MARK: Anew

  /// Returns how many records there are of the old name.
  func renameAgent(_ old: String, to new: String) throws -> Int {
    let from = SQLValue.integer(try word(old))
    let to = SQLValue.integer(try word(new))
    let count = try first("SELECT count(*) FROM performance WHERE agent = ?", from) {
      $0.integer(0)
    }
    guard let count, count > 0, old != new else { return Int(count ?? 0) }
    try run("UPDATE performance SET agent = ?2 WHERE agent = ?1", from, to)
    let sums = Self.sumColumns
    try run(
      """
      INSERT INTO performance_sums
        (period, agent, category, model, weights, first_at, last_at, \(sums.joined(separator: ", ")))
      SELECT period, ?2, category, model, weights, first_at, last_at, \(sums.joined(separator: ", "))
        FROM performance_sums WHERE agent = ?1
      ON CONFLICT DO UPDATE SET
        first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at),
        \(sums.map { "\($0) = \($0) + excluded.\($0)" }.joined(separator: ", "))
      """, from, to)
    try run("DELETE FROM performance_sums WHERE agent = ?", from)
    let columns = ["uses", "failed", "duration", "duration_squares", "tokens", "cost"]
    try run(
      """
      INSERT INTO node_sums (period, agent, kind, name, \(columns.joined(separator: ", ")))
      SELECT period, ?2, kind, name, \(columns.joined(separator: ", ")) FROM node_sums WHERE agent = ?1
      ON CONFLICT DO UPDATE SET
        \(columns.map { "\($0) = \($0) + excluded.\($0)" }.joined(separator: ", "))
      """, from, to)
    try run("DELETE FROM node_sums WHERE agent = ?", from)
    return Int(count)
  }

  /// Returns how many records there are.
  func rebuildSums(_ weights: (String) -> ScoringWeights) throws -> Int {
    try run("DELETE FROM performance_sums")
    try run("DELETE FROM node_sums")
    var last: Int64 = 0
    var count = 0
    while true {
      let numbers = try rows(
        "SELECT number FROM performance WHERE number > ? ORDER BY number LIMIT 500", .integer(last)
      ) { $0.integer(0) }
      guard let end = numbers.last else { return count }
      let records = try storedPerformances(
        "WHERE performance.number > ? AND performance.number <= ?", [.integer(last), .integer(end)])
      for record in records {
        let score = record.performance.score(weights(record.performance.weights))
        if score.overall != record.score.overall
          || score.reward.points != record.score.reward.points
          || score.basis != record.score.basis
        {
          try run(
            "UPDATE performance SET overall = ?, basis = ?, reward = ? WHERE run = ?",
            score.overall.map { .integer(PerformanceSums.tenThousandths($0)) } ?? .null,
            .integer(Int64(score.basis.rawValue)), .integer(Int64(score.reward.points)),
            .text(record.performance.run.text))
        }
        try addToSums(record.performance, score, sign: 1)
      }
      count += records.count
      last = end
    }
  }
}
