import RasaCore
import RasaEngine
import RasaLearning
import RasaSQLite

/// Records of how runs went.
extension Database {
  /// Writes the record of a run, and evaluations that are to be made. A run that failed and was resumed replaces its
  /// record: what has been said of it is about another answer.
  func keepPerformance(
    of run: Identifier, _ status: RunPerformance.Status, _ facts: PerformanceFacts, now: Timestamp
  ) throws {
    guard let reading = try journal(of: run) else { return }
    let performance = RunPerformance(
      journal: reading.entries, of: run, status: status, facts, endedAt: now)
    guard let performance else { return }
    try replacePerformance(performance, performance.score(facts.weights), comment: "")
    for name in facts.evaluations where status == .done && !performance.isMock {
      try self.run(
        "INSERT OR IGNORE INTO pending_evaluations (run, name, asked_at) VALUES (?, ?, ?)",
        .text(run.text), .text(name), .integer(now.milliseconds))
    }
  }

  /// Takes what the run had added to the sums out of them, and adds what it adds now.
  func replacePerformance(
    _ performance: RunPerformance, _ score: RunScore, comment: String
  ) throws {
    if let before = try storedPerformance(of: performance.run) {
      try addToSums(before.performance, before.score, sign: -1)
    }
    try write(performance, score, comment: comment)
    try addToSums(performance, score, sign: 1)
  }

  private func write(
    _ performance: RunPerformance, _ score: RunScore, comment: String
  ) throws {
    func scaled(_ value: Double?) -> SQLValue {
      value.map { .integer(PerformanceSums.tenThousandths($0)) } ?? .null
    }
    let values: [SQLValue] = [
      .text(performance.run.text), .integer(try word(performance.agent)),
      try performance.user.map { .integer(try name($0)) } ?? .null,
      .integer(try word(performance.category)), .integer(Int64(performance.complexity)),
      .integer(Int64(performance.status.rawValue)), .integer(try word(performance.finish)),
      .integer(try word(performance.model)), .integer(performance.isMock ? 1 : 0),
      performance.temperature.map { .real($0) } ?? .null,
      .integer(performance.inputTokens), .integer(performance.outputTokens),
      .integer(performance.cost.picoDollars), .integer(performance.isCostKnown ? 1 : 0),
      .integer(performance.milliseconds),
      performance.firstTokenMilliseconds.map { .integer($0) } ?? .null,
      .integer(performance.day.ordinal), .integer(performance.endedAt.milliseconds),
      .bytes(try bytes(of: performance.nodes)),
      scaled(performance.quality[.accuracy]), scaled(performance.quality[.relevance]),
      scaled(performance.quality[.completeness]), scaled(performance.quality[.clarity]),
      scaled(performance.peers), performance.stars.map { .integer(Int64($0)) } ?? .null,
      comment.isEmpty ? .null : .text(comment), .integer(try word(performance.weights)),
      scaled(score.overall), .integer(Int64(score.basis.rawValue)),
      .integer(Int64(score.reward.points)),
    ]
    try run(Self.insertPerformance, values: values)
  }

  private static let insertPerformance: String = {
    let columns = [
      "run", "agent", "user", "category", "complexity", "status", "finish", "model", "is_mock",
      "temperature", "input_tokens", "output_tokens", "cost", "is_cost_known", "duration",
      "first_token", "day", "ended_at", "nodes", "accuracy", "relevance", "completeness", "clarity",
      "peers", "stars", "comment", "weights", "overall", "basis", "reward",
    ]
    return """
      INSERT INTO performance (\(columns.joined(separator: ", ")))
      VALUES (\(columns.map { _ in "?" }.joined(separator: ", ")))
      ON CONFLICT (run) DO UPDATE SET
        \(columns.dropFirst().map { "\($0) = excluded.\($0)" }.joined(separator: ", "))
      """
  }()

  // MARK: Reading

  static let performanceColumns = """
    performance.run, agent.text, user.text, category.text, complexity, status, finish.text, model.text, is_mock,
    temperature, input_tokens, output_tokens, cost, is_cost_known, duration, first_token, day,
    ended_at, nodes, accuracy, relevance, completeness, clarity, peers, stars, comment, weights.text,
    overall, basis, reward, performance.number
    """
  static let performanceColumnCount = 31
  static let performanceTables = """
    performance JOIN words AS agent ON agent.number = performance.agent
    LEFT JOIN words AS user ON user.number = performance.user
    JOIN words AS category ON category.number = performance.category
    JOIN words AS finish ON finish.number = performance.finish
    JOIN words AS model ON model.number = performance.model
    JOIN words AS weights ON weights.number = performance.weights
    """

  /// The same, where there may be none for a row.
  static let optionalPerformance = """
    LEFT JOIN words AS agent ON agent.number = performance.agent
    LEFT JOIN words AS user ON user.number = performance.user
    LEFT JOIN words AS category ON category.number = performance.category
    LEFT JOIN words AS finish ON finish.number = performance.finish
    LEFT JOIN words AS model ON model.number = performance.model
    LEFT JOIN words AS weights ON weights.number = performance.weights
    """

  func storedPerformance(of run: Identifier) throws -> StoredPerformance? {
    try storedPerformances("WHERE run = ?", [.text(run.text)]).first
  }

  func storedPerformances(_ condition: String, _ values: [SQLValue]) throws -> [StoredPerformance] {
    let rows = try rows(
      "SELECT \(Self.performanceColumns) FROM \(Self.performanceTables) \(condition)",
      values: values, transform: PerformanceColumns.init)
    return try rows.map { row in
      var stored = row.stored
      stored.performance.nodes = try nodes(in: row.nodes)
      return stored
    }
  }
}

/// A row of `performance`. The score is what was stored: the weights may have changed since.
struct PerformanceColumns {
  var stored: StoredPerformance
  var nodes: [UInt8]

  init(_ row: Row) {
    func share(_ column: Int) -> Double? { row.integerOrNil(column).map { Double($0) / 10_000 } }
    var performance = RunPerformance(
      run: Identifier(row.text(0)), agent: row.text(1), user: row.textOrNil(2),
      category: row.text(3), complexity: Int(clamping: row.integer(4)),
      status: RunPerformance.Status(rawValue: Int(clamping: row.integer(5))) ?? .failed,
      finish: row.text(6), day: LocalDay(ordinal: row.integer(16)),
      endedAt: Timestamp(milliseconds: row.integer(17)))
    performance.model = row.text(7)
    performance.isMock = row.integer(8) != 0
    performance.temperature = row.isNull(9) ? nil : row.real(9)
    performance.inputTokens = row.integer(10)
    performance.outputTokens = row.integer(11)
    performance.cost = Money(picoDollars: row.integer(12))
    performance.isCostKnown = row.integer(13) != 0
    performance.milliseconds = row.integer(14)
    performance.firstTokenMilliseconds = row.integerOrNil(15)
    nodes = row.bytes(18)
    var judged: [Quality.Criterion: Double] = [:]
    for (index, criterion) in Quality.Criterion.allCases.enumerated() {
      judged[criterion] = share(19 + index)
    }
    performance.quality = Quality(judged)
    performance.peers = share(23)
    performance.stars = row.integerOrNil(24).map { Int(clamping: $0) }
    performance.weights = row.text(26)
    var score = RunScore(
      overall: share(27),
      basis: RunPerformance.Basis(rawValue: Int(clamping: row.integer(28))) ?? .nothing,
      reward: Reward(storedPoints: Int(clamping: row.integer(29))))
    score.isSuccess = performance.isSuccess(withScore: score.overall)
    score.costPerPoint = performance.costPerPoint(ofScore: score.overall)
    stored = StoredPerformance(
      performance: performance, score: score, comment: row.textOrNil(25) ?? "")
    stored.number = row.integer(30)
  }
}
