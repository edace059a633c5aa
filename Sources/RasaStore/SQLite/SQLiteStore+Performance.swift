package import RasaCore
import RasaDocuments
package import RasaEngine
package import RasaLearning
import RasaSQLite
import RasaSystem

extension SQLiteStore {
  package func performance(of run: Identifier) async throws -> StoredPerformance? {
    try await read { try $0.storedPerformance(of: run) }
  }

  package func evaluations(of run: Identifier) async throws -> [RunEvaluation] {
    try await read { try $0.evaluations(of: run) }
  }

  package func judge(
    _ run: Identifier, _ judgement: Judgement,
    weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> StoredPerformance? {
    try await writer.write { database in
      guard var stored = try database.storedPerformance(of: run) else { return nil }
      if case .evaluation(var evaluation) = judgement {
        // What it says in words is about a text that was deleted while it was written.
        if try database.end(of: run.text) == nil { evaluation.feedback = "" }
        try database.keep(evaluation, of: run)
      }
      stored.take(judgement, with: try database.evaluations(of: run), weights)
      try database.replacePerformance(
        stored.performance, stored.score, comment: stored.comment)
      switch judgement {
      case .stars: break
      case .evaluation(let evaluation): try database.endEvaluation(of: run, evaluation.name)
      case .kind(_, _, let name): try database.endEvaluation(of: run, name)
      }
      faultPoint("judge.before")
      return stored
    }
  }

  package func performance(_ query: PerformanceQuery) async throws -> [PerformanceRow] {
    try await read { try $0.performance(query) }
  }

  package func nodes(
    of agent: String?, from: LocalDay?, to: LocalDay?
  ) async throws -> [NodeRow] {
    try await read { try $0.nodeRows(of: agent, from: from, to: to) }
  }

  package func records(
    of agent: String?, before number: Int64?, limit: Int
  ) async throws -> [StoredPerformance] {
    try await read { database in
      try database.storedPerformances(
        """
        WHERE performance.number < ? \(agent == nil ? "" : "AND agent.text = ?")
        ORDER BY performance.number DESC LIMIT ?
        """,
        [.integer(number ?? .max)] + (agent.map { [.text($0)] } ?? [])
          + [.integer(Int64(max(0, limit)))])
    }
  }

  package func importPerformance(
    _ records: [StoredPerformance], weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> Int {
    var new = 0
    for start in stride(from: 0, to: records.count, by: 500) {
      let part = Array(records[start..<min(start + 500, records.count)])
      new += try await writer.write { database in
        var new = 0
        for record in part where try database.storedPerformance(of: record.performance.run) == nil {
          let performance = record.performance
          try database.replacePerformance(
            performance, performance.score(weights(performance.weights)), comment: record.comment)
          new += 1
        }
        return new
      }
    }
    return new
  }

  package func rebuildStatistics(
    weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> Int {
    try await writer.write { try $0.rebuildSums(weights) }
  }

  package func renameAgent(_ old: String, to new: String) async throws -> Int {
    try await writer.write { try $0.renameAgent(old, to: new) }
  }

  package func runsInFlight() async throws -> [String: Int] {
    let now = time.now()
    return try await read { database in
      let lives = OwnerLiveness(now: now)
      var counts: [String: Int] = [:]
      let rows = try database.rows(
        """
        SELECT persona.text, workers.name, workers.lease_ends FROM runs
          JOIN words AS persona ON persona.number = persona
          JOIN workers ON workers.number = runs.worker
        WHERE status = 'running'
        """
      ) {
        (
          agent: $0.text(0), owner: $0.textOrNil(1),
          leaseEnds: $0.integerOrNil(2).map(Timestamp.init(milliseconds:))
        )
      }
      for row in rows where lives.isAlive(row.owner, leaseEnds: row.leaseEnds) {
        counts[row.agent, default: 0] += 1
      }
      return counts
    }
  }

  // MARK: Decisions

  package func keep(_ decision: StoredDecision) async throws {
    try await writer.write { try $0.keep(decision, run: decision.run) }
  }

  package func decisions(
    from: Timestamp?, to: Timestamp?, after number: Int64, limit: Int
  ) async throws -> [StoredDecision] {
    try await read { database in
      try database.rows(
        """
        SELECT \(Database.performanceColumns),
          decisions.number, decisions.id, time, decisions.run, coalesce(owner.text, ''), content
        FROM decisions LEFT JOIN words AS owner ON owner.number = decisions.user
          LEFT JOIN performance ON performance.run = decisions.run
          \(Database.optionalPerformance)
        WHERE decisions.number > ? AND time >= ? AND time <= ? ORDER BY decisions.number LIMIT ?
        """,
        .integer(number), .integer(from?.milliseconds ?? .min), .integer(to?.milliseconds ?? .max),
        .integer(Int64(max(0, limit)))
      ) { row in
        let first = Database.performanceColumnCount
        var decision = StoredDecision(
          id: Identifier(row.text(first + 1)),
          time: Timestamp(milliseconds: row.integer(first + 2)),
          run: row.textOrNil(first + 3).map { Identifier($0) }, user: row.text(first + 4),
          content: (try? BodyReader.value(ofJSON: Array(row.text(first + 5).utf8))) ?? .null)
        decision.number = row.integer(first)
        if !row.isNull(0) { decision.outcome = PerformanceColumns(row).stored }
        return decision
      }
    }
  }

  package func routedRuns(from: LocalDay, to: LocalDay) async throws -> [StoredPerformance] {
    try await read { database in
      try database.rows(
        """
        SELECT \(Database.performanceColumns) FROM \(Database.performanceTables)
        WHERE performance.day BETWEEN ? AND ?
          AND performance.run IN (SELECT run FROM decisions WHERE run IS NOT NULL)
        ORDER BY performance.number
        """, .integer(Int64(from.ordinal)), .integer(Int64(to.ordinal))
      ) { PerformanceColumns($0).stored }
    }
  }

  // MARK: Evaluations

  package func takeEvaluations(limit: Int, lease: Duration) async throws -> [PendingEvaluation] {
    let now = time.now().milliseconds
    return try await writer.write { database in
      let taken = try database.rows(
        """
        UPDATE pending_evaluations SET attempts = attempts + 1, lease_ends = ?1
        WHERE number IN (
          SELECT number FROM pending_evaluations WHERE coalesce(lease_ends, 0) <= ?2
          ORDER BY number LIMIT ?3)
        RETURNING run, name, asked_at, attempts, number
        """, .integer(now &+ lease.components.seconds * 1000), .integer(now),
        .integer(Int64(max(0, limit)))
      ) { row in
        (row.integer(4), Self.pendingEvaluation(row))
      }
      return taken.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }

  package func endEvaluation(of run: Identifier, _ name: String) async throws {
    try await writer.write { try $0.endEvaluation(of: run, name) }
  }

  package func putBackEvaluation(of run: Identifier, _ name: String) async throws {
    try await writer.write { database in
      try database.run(
        "UPDATE pending_evaluations SET lease_ends = NULL WHERE run = ? AND name = ?",
        .text(run.text), .text(name))
    }
  }

  package func ratedEvaluations() async throws -> [RatedEvaluation] {
    try await read { database in
      let runs = try database.rows(
        "SELECT run, stars FROM performance WHERE stars IS NOT NULL AND run IN (SELECT run FROM evaluations)"
      ) { (Identifier($0.text(0)), Int(clamping: $0.integer(1))) }
      return try runs.flatMap { run, stars in
        try database.evaluations(of: run).compactMap { $0.rated(stars) }
      }
    }
  }

  package func pendingEvaluations() async throws -> [PendingEvaluation] {
    try await read { database in
      try database.rows(
        "SELECT run, name, asked_at, attempts FROM pending_evaluations ORDER BY number",
        transform: Self.pendingEvaluation)
    }
  }

  private static func pendingEvaluation(_ row: Row) -> PendingEvaluation {
    PendingEvaluation(
      run: Identifier(row.text(0)), name: row.text(1),
      askedAt: Timestamp(milliseconds: row.integer(2)), attempts: Int(row.integer(3)))
  }
}

extension Database {
  /// One that is kept already is left as it is.
  func keep(_ decision: StoredDecision, run: Identifier?) throws {
    try self.run(
      """
      INSERT INTO decisions (id, time, user, run, content) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO NOTHING
      """,
      .text(decision.id.text), .integer(decision.time.milliseconds),
      decision.user.isEmpty ? .null : .integer(try name(decision.user)),
      .text(orNull: run?.text), .text(decision.content.json(.compact)))
  }

  fileprivate func keep(_ evaluation: RunEvaluation, of run: Identifier) throws {
    func scaled(_ value: Double?) -> SQLValue {
      value.map { .integer(PerformanceSums.tenThousandths($0)) } ?? .null
    }
    try self.run(
      """
      INSERT OR REPLACE INTO evaluations (run, name, kind, model, accuracy, relevance, completeness,
        clarity, others, score, feedback, cost, time)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """, .text(run.text), .integer(try word(evaluation.name)),
      .integer(Int64(evaluation.kind.rawValue)), .integer(try word(evaluation.model)),
      scaled(evaluation.criteria[.accuracy]), scaled(evaluation.criteria[.relevance]),
      scaled(evaluation.criteria[.completeness]), scaled(evaluation.criteria[.clarity]),
      evaluation.others.isEmpty
        ? .null
        : .text(
          Value.object(ValueObject(evaluation.others.map { ($0.key, .double($0.value)) })).json(
            .canonical)),
      scaled(evaluation.score), .text(evaluation.feedback),
      .integer(evaluation.cost.picoDollars), .integer(evaluation.time.milliseconds))
  }

  fileprivate func evaluations(of run: Identifier) throws -> [RunEvaluation] {
    try rows(
      """
      SELECT kind, name.text, model.text, accuracy, relevance, completeness, clarity, score, feedback,
        cost, time, others
      FROM evaluations JOIN words AS name ON name.number = name
        JOIN words AS model ON model.number = model
      WHERE run = ? ORDER BY kind, name.text
      """, .text(run.text)
    ) { row in
      func share(_ column: Int) -> Double? { row.integerOrNil(column).map { Double($0) / 10_000 } }
      var criteria: [Quality.Criterion: Double] = [:]
      for (index, criterion) in Quality.Criterion.allCases.enumerated() {
        criteria[criterion] = share(3 + index)
      }
      var evaluation = RunEvaluation(
        kind: RunEvaluation.Kind(rawValue: Int(clamping: row.integer(0))) ?? .judge,
        name: row.text(1), model: row.text(2), criteria: Quality(criteria), score: share(7),
        feedback: row.text(8), cost: Money(picoDollars: row.integer(9)),
        time: Timestamp(milliseconds: row.integer(10)))
      if let others = row.textOrNil(11).flatMap({ try? JSON.parse(Array($0.utf8)).object }) {
        for (name, share) in others { evaluation.others[name] = share.double }
      }
      return evaluation
    }
  }

  fileprivate func endEvaluation(of run: Identifier, _ name: String) throws {
    try self.run(
      "DELETE FROM pending_evaluations WHERE run = ? AND name = ?", .text(run.text), .text(name))
  }

  /// The runs in which a run was judged, as far as there are any.
  func evaluationRuns(of run: String) throws -> [String] {
    try rows(
      """
      SELECT text FROM evaluations JOIN words ON words.number = name WHERE run = ?1
      UNION SELECT name FROM pending_evaluations WHERE run = ?1
      """, .text(run)
    ) { Identifier.ofEvaluation($0.text(0), of: Identifier(run)).text }
  }

  /// Deletes what people and models have said about the answer of a run that is deleted, in words. How it went
  /// stays, like what it cost.
  func forgetWords(aboutRun run: String) throws {
    try self.run("UPDATE performance SET comment = NULL WHERE run = ?", .text(run))
    try self.run("UPDATE evaluations SET feedback = '' WHERE run = ?", .text(run))
    try self.run("DELETE FROM pending_evaluations WHERE run = ?", .text(run))
    try self.run(
      "UPDATE decisions SET content = json_remove(content, '$.task') WHERE run = ?", .text(run))
  }

  /// Takes the user's name and words from all records and decisions.
  func forgetPerformance(ofUser user: Int64) throws {
    try run(
      """
      UPDATE evaluations SET feedback = '' WHERE run IN (SELECT run FROM performance WHERE user = ?)
      """, .integer(user))
    try run(
      "UPDATE performance SET user = NULL, comment = NULL WHERE user = ?", .integer(user))
    try run(
      """
      UPDATE decisions SET user = NULL, content = json_remove(content, '$.task') WHERE user = ?
      """, .integer(user))
  }
}
