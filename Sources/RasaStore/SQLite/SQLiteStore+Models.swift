package import RasaEngine
import RasaCore
import RasaSQLite

extension SQLiteStore {
  package func standings() async throws -> [ModelStanding] {
    // The result includes this process's own observations. A file that cannot be written can still be read.
    try? await writeObservations()
    return try await writer.read { database in
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
    try await write(self.observations.takeAll(at: time.now()), and: observations)
  }

  /// Writes the observations that were not written with a settlement.
  func writeObservations() async throws {
    let waiting = observations.takeAll(at: time.now())
    if !waiting.isEmpty { try await write(waiting, and: []) }
  }

  private func write(
    _ waiting: [ModelObservation], and observations: [ModelObservation]
  ) async throws {
    do {
      try await writer.write { try $0.note(waiting + observations) }
    } catch {
      self.observations.putBack(waiting)
      throw error
    }
  }
}

extension Database {
  /// Folds the observations into the stored standings; each row is read and written once.
  func note(_ observations: [ModelObservation]) throws {
    var keys: [ModelKey] = []
    for observation in observations where !keys.contains(observation.key) {
      keys.append(observation.key)
    }
    for key in keys { try note(observations.filter { $0.key == key }, of: key) }
  }

  private func note(_ observations: [ModelObservation], of key: ModelKey) throws {
    guard let first = observations.first else { return }
    let kinds = Set(observations.compactMap { $0.counted?.kind })
    let operators = Set(observations.compactMap { $0.output?.operatorName })
    var standing =
      try standing(of: key, counting: kinds, needsOf: operators)
      ?? ModelStanding(key: key, seenAt: first.time)
    for observation in observations { standing.note(observation) }
    try write(standing)
    for name in operators.sorted() {
      if let need = standing.needs[name] { try write(need, of: name, key) }
    }
    for kind in TextKind.allCases where kinds.contains(kind) {
      if let counting = standing.counting[kind] { try write(counting, of: kind, key) }
    }
  }

  private func write(_ standing: ModelStanding) throws {
    let key = standing.key
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
  }

  private func write(_ need: OutputNeed, of name: String, _ key: ModelKey) throws {
    try run(
      """
      INSERT OR REPLACE INTO needs (provider, account, model, operator, answers, cut, tokens,
        histogram) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      .text(key.provider), .text(key.account), .text(key.model), .text(name),
      .integer(need.answers), .integer(need.cut), .integer(need.tokens),
      .bytes(need.histogram.bytes))
  }

  private func write(
    _ counting: ModelStanding.Counting, of kind: TextKind, _ key: ModelKey
  ) throws {
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

  /// The standing, with the kinds of text and the operators' needs that are about to change.
  private func standing(
    of key: ModelKey, counting kinds: Set<TextKind>, needsOf operators: Set<String>
  ) throws -> ModelStanding? {
    var standing = try first(
      """
      SELECT \(StandingRow.columns) FROM standings
      WHERE provider = ? AND account = ? AND model = ?
      """, .text(key.provider), .text(key.account), .text(key.model),
      transform: StandingRow.standing)
    if standing == nil { return nil }
    for operatorName in operators {
      standing?.needs[operatorName] = try first(
        """
        SELECT \(NeedRow.columns) FROM needs
        WHERE provider = ? AND account = ? AND model = ? AND operator = ?
        """, .text(key.provider), .text(key.account), .text(key.model), .text(operatorName),
        transform: NeedRow.need)
    }
    for kind in kinds {
      let counting = try first(
        """
        SELECT \(CountingRow.columns) FROM countings
        WHERE provider = ? AND account = ? AND model = ? AND kind = ?
        """, .text(key.provider), .text(key.account), .text(key.model), .text(kind.rawValue),
        transform: CountingRow.counting)
      standing?.counting[kind] = counting??.counting
    }
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

  /// Nil if this version does not know the kind.
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
