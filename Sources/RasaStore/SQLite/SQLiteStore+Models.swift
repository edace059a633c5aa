package import RasaEngine
import RasaCore
import RasaSQLite

extension SQLiteStore {
  package func standings() async throws -> [ModelStanding] {
    try await writer.read { database in
      var standings = try database.rows(
        """
        SELECT \(StandingRow.columns) FROM standings ORDER BY provider, account, model
        """, transform: StandingRow.standing)
      var places: [ModelKey: Int] = [:]
      for (place, standing) in standings.enumerated() { places[standing.key] = place }
      let countings = try database.rows(
        "SELECT \(CountingRow.columns), provider, account, model FROM countings"
      ) { row in
        let key = ModelKey(provider: row.text(8), account: row.text(9), model: row.text(10))
        return (key: key, counting: CountingRow.counting(row))
      }
      for found in countings {
        guard let place = places[found.key], let counting = found.counting else { continue }
        standings[place].counting[counting.kind] = counting.counting
      }
      let needs = try database.rows(
        "SELECT \(NeedRow.columns), operator, provider, account, model FROM needs"
      ) { row in
        let key = ModelKey(provider: row.text(5), account: row.text(6), model: row.text(7))
        return (key: key, operatorName: row.text(4), need: NeedRow.need(row))
      }
      for found in needs {
        guard let place = places[found.key] else { continue }
        standings[place].needs[found.operatorName] = found.need
      }
      return standings
    }
  }

  package func observe(_ observations: [ModelObservation]) async throws {
    if observations.isEmpty { return }
    try await writer.write { database in
      for observation in observations { try database.note(observation) }
    }
  }
}

extension Database {
  /// Folds what was seen into what is remembered.
  func note(_ observation: ModelObservation) throws {
    let key = observation.key
    var standing =
      try standing(
        of: key, counting: observation.counted?.kind, needOf: observation.output?.operatorName)
      ?? ModelStanding(key: key, seenAt: observation.time)
    standing.note(observation)
    try run(
      """
      INSERT OR REPLACE INTO standings (provider, account, model, seen_at, unavailable_until,
        reason, failures, calls, first_content, tokens_per_second, overrun, adapted, adapted_under,
        adapted_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      .text(key.provider), .text(key.account), .text(key.model),
      .integer(standing.seenAt.milliseconds),
      standing.unavailableUntil.map { .integer($0.milliseconds) } ?? .null,
      .text(standing.reason), .integer(standing.failures), .integer(standing.calls),
      standing.firstContent.map { .integer($0) } ?? .null,
      standing.tokensPerSecond.map { .real($0) } ?? .null, .integer(standing.overrun),
      standing.adapted.map { .text($0.words) } ?? .null,
      standing.adapted.map { .text($0.settings) } ?? .null,
      standing.adapted.map { .integer($0.learntAt.milliseconds) } ?? .null)
    if let name = observation.output?.operatorName, let need = standing.needs[name] {
      try run(
        """
        INSERT OR REPLACE INTO needs (provider, account, model, operator, answers, cut, tokens,
          histogram) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        .text(key.provider), .text(key.account), .text(key.model), .text(name),
        .integer(need.answers), .integer(need.cut), .integer(need.tokens),
        .bytes(need.histogram.bytes))
    }
    guard let kind = observation.counted?.kind, let counting = standing.counting[kind] else {
      return
    }
    try run(
      """
      INSERT OR REPLACE INTO countings (provider, account, model, kind, calls, bytes, estimated,
        tokens, densest, exceeded, distrusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """,
      .text(key.provider), .text(key.account), .text(key.model), .text(kind.rawValue),
      .integer(counting.calls), .integer(counting.bytes), .integer(counting.estimated),
      .integer(counting.tokens), .integer(counting.densest), .integer(counting.exceeded),
      .integer(counting.distrusted))
  }

  /// With the one kind of text, and the one operator's need, that are about to change.
  private func standing(
    of key: ModelKey, counting kind: TextKind?, needOf operatorName: String?
  ) throws -> ModelStanding? {
    var standing = try first(
      """
      SELECT \(StandingRow.columns) FROM standings
      WHERE provider = ? AND account = ? AND model = ?
      """, .text(key.provider), .text(key.account), .text(key.model),
      transform: StandingRow.standing)
    if standing != nil, let operatorName {
      standing?.needs[operatorName] = try first(
        """
        SELECT \(NeedRow.columns) FROM needs
        WHERE provider = ? AND account = ? AND model = ? AND operator = ?
        """, .text(key.provider), .text(key.account), .text(key.model), .text(operatorName),
        transform: NeedRow.need)
    }
    guard standing != nil, let kind else { return standing }
    let counting = try first(
      """
      SELECT \(CountingRow.columns) FROM countings
      WHERE provider = ? AND account = ? AND model = ? AND kind = ?
      """, .text(key.provider), .text(key.account), .text(key.model), .text(kind.rawValue),
      transform: CountingRow.counting)
    standing?.counting[kind] = counting??.counting
    return standing
  }
}

private enum StandingRow {
  static let columns = """
    provider, account, model, seen_at, unavailable_until, reason, failures, calls, first_content,
    tokens_per_second, overrun, adapted, adapted_under, adapted_at
    """

  static func standing(_ row: Row) -> ModelStanding {
    var standing = ModelStanding(
      key: ModelKey(provider: row.text(0), account: row.text(1), model: row.text(2)),
      seenAt: Timestamp(milliseconds: row.integer(3)))
    standing.unavailableUntil = row.integerOrNil(4).map(Timestamp.init)
    standing.reason = row.text(5)
    standing.failures = row.integer(6)
    standing.calls = row.integer(7)
    standing.firstContent = row.integerOrNil(8)
    standing.tokensPerSecond = row.isNull(9) ? nil : row.real(9)
    standing.overrun = row.integer(10)
    if !row.isNull(11) {
      standing.adapted = AdaptedForm(
        words: row.text(11), settings: row.text(12),
        learntAt: Timestamp(milliseconds: row.integer(13)))
    }
    return standing
  }
}

private enum CountingRow {
  static let columns = "kind, calls, bytes, estimated, tokens, densest, exceeded, distrusted"

  /// Nil for a kind that this version does not know.
  static func counting(_ row: Row) -> (kind: TextKind, counting: ModelStanding.Counting)? {
    guard let kind = TextKind(rawValue: row.text(0)) else { return nil }
    var counting = ModelStanding.Counting()
    counting.calls = row.integer(1)
    counting.bytes = row.integer(2)
    counting.estimated = row.integer(3)
    counting.tokens = row.integer(4)
    counting.densest = row.integer(5)
    counting.exceeded = row.integer(6)
    counting.distrusted = row.integer(7)
    return (kind, counting)
  }
}

private enum NeedRow {
  static let columns = "answers, cut, tokens, histogram"

  static func need(_ row: Row) -> OutputNeed {
    var need = OutputNeed()
    need.answers = row.integer(0)
    need.cut = row.integer(1)
    need.tokens = row.integer(2)
    need.histogram = TokenHistogram(bytes: row.bytes(3))
    return need
  }
}
