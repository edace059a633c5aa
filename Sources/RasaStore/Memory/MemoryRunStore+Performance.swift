package import RasaCore
package import RasaEngine
package import RasaLearning

/// How runs went, with sums that are added up when somebody asks.
struct MemoryPerformance {
  var records: [StoredPerformance] = []
  var evaluations: [Identifier: [RunEvaluation]] = [:]
  var decisions: [StoredDecision] = []
  var pending: [(evaluation: PendingEvaluation, leaseEnds: Int64)] = []

  func place(of run: Identifier) -> Int? { records.firstIndex { $0.performance.run == run } }

  mutating func replace(_ stored: StoredPerformance) {
    if let place = place(of: stored.performance.run) {
      records[place] = stored
    } else {
      records.append(stored)
    }
  }

  mutating func endEvaluation(of run: Identifier, _ name: String) {
    pending.removeAll { $0.evaluation.run == run && $0.evaluation.name == name }
  }

  /// The runs in which a run was judged, or is to be.
  func evaluationRuns(of run: Identifier) -> Set<Identifier> {
    let names =
      (evaluations[run] ?? []).map(\.name)
      + pending.filter { $0.evaluation.run == run }.map(\.evaluation.name)
    return Set(names.map { .ofEvaluation($0, of: run) })
  }

  mutating func keep(_ decision: StoredDecision, run: Identifier?) {
    guard !decisions.contains(where: { $0.id == decision.id }) else { return }
    var decision = decision
    decision.run = run
    decision.number = (decisions.last?.number ?? 0) + 1
    decisions.append(decision)
  }

  mutating func forgetWords(aboutRun run: Identifier) {
    if let place = place(of: run) { records[place].comment = "" }
    for index in (evaluations[run] ?? []).indices { evaluations[run]?[index].feedback = "" }
    pending.removeAll { $0.evaluation.run == run }
    for index in decisions.indices where decisions[index].run == run {
      decisions[index].forgetTask()
    }
  }

  mutating func forget(user: String) {
    for index in records.indices where records[index].performance.user == user {
      let run = records[index].performance.run
      records[index].performance.user = nil
      records[index].comment = ""
      for place in (evaluations[run] ?? []).indices { evaluations[run]?[place].feedback = "" }
    }
    for index in decisions.indices where decisions[index].user == user {
      decisions[index].user = ""
      decisions[index].forgetTask()
    }
  }
}

extension StoredPerformance {
  fileprivate var withoutNodes: StoredPerformance {
    var stored = self
    stored.performance.nodes = []
    return stored
  }
}

extension StoredDecision {
  fileprivate mutating func forgetTask() {
    guard var object = content.object else { return }
    object["task"] = nil
    content = .object(object)
  }
}

extension MemoryRunStore.State {
  mutating func keepPerformance(
    of run: Identifier, _ status: RunPerformance.Status, _ facts: PerformanceFacts, now: Timestamp
  ) {
    guard let entries = try? journals.entries(of: run),
      let performance = RunPerformance(
        journal: entries, of: run, status: status, facts, endedAt: now)
    else { return }
    self.performance.replace(
      StoredPerformance(performance: performance, score: performance.score(facts.weights)))
    for name in facts.evaluations where status == .done && !performance.isMock {
      let isKnown = self.performance.pending.contains {
        $0.evaluation.run == run && $0.evaluation.name == name
      }
      guard !isKnown else { continue }
      self.performance.pending.append(
        (PendingEvaluation(run: run, name: name, askedAt: now, attempts: 0), 0))
    }
  }
}

extension MemoryRunStore {
  package func performance(of run: Identifier) async throws -> StoredPerformance? {
    state.withLock { state in
      state.performance.place(of: run).map { state.performance.records[$0] }
    }
  }

  package func evaluations(of run: Identifier) async throws -> [RunEvaluation] {
    state.withLock { state in
      (state.performance.evaluations[run] ?? []).sorted {
        ($0.kind.rawValue, $0.name) < ($1.kind.rawValue, $1.name)
      }
    }
  }

  package func judge(
    _ run: Identifier, _ judgement: Judgement,
    weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> StoredPerformance? {
    state.withLock { state in
      guard let place = state.performance.place(of: run) else { return nil }
      switch judgement {
      case .stars: break
      case .evaluation(var evaluation):
        if state.journals.places[run] == nil { evaluation.feedback = "" }
        state.performance.evaluations[run, default: []].removeAll { $0.name == evaluation.name }
        state.performance.evaluations[run, default: []].append(evaluation)
        state.performance.endEvaluation(of: run, evaluation.name)
      case .kind(_, _, let name): state.performance.endEvaluation(of: run, name)
      }
      let all = state.performance.evaluations[run] ?? []
      state.performance.records[place].take(judgement, with: all, weights)
      return state.performance.records[place]
    }
  }

  package func performance(_ query: PerformanceQuery) async throws -> [PerformanceRow] {
    let records = state.withLock { $0.performance.records }
    var found: [[String]: (sums: PerformanceSums, first: Timestamp, last: Timestamp)] = [:]
    for record in records {
      let run = record.performance
      if let agent = query.agent, agent != run.agent { continue }
      if let category = query.category, category != run.category { continue }
      if let model = query.model, model != run.model { continue }
      if let from = query.from, run.day < from { continue }
      if let to = query.to, run.day > to { continue }
      let keys = query.keys.map { key in
        switch key {
        case .agent: run.agent
        case .category: run.category
        case .model: run.model
        case .weights: run.weights
        case .day: run.day.description
        case .month: run.day.monthText
        }
      }
      let sums = PerformanceSums(run, record.score)
      let known = found[keys] ?? (PerformanceSums(), run.endedAt, run.endedAt)
      found[keys] = (known.sums + sums, min(known.first, run.endedAt), max(known.last, run.endedAt))
    }
    return found.map {
      PerformanceRow(keys: $0, sums: $1.sums, firstAt: $1.first, lastAt: $1.last)
    }
    .sorted { $0.keys.lexicographicallyPrecedes($1.keys) }
  }

  package func nodes(
    of agent: String?, from: LocalDay?, to: LocalDay?
  ) async throws -> [NodeRow] {
    struct Key: Hashable {
      var agent: String
      var node: NodeKey
    }
    let records = state.withLock { $0.performance.records }
    var found: [Key: NodeSums] = [:]
    for record in records {
      let run = record.performance
      if let agent, agent != run.agent { continue }
      if let from, run.day < from { continue }
      if let to, run.day > to { continue }
      for use in run.nodes {
        found[Key(agent: run.agent, node: NodeKey(use.kind, use.name)), default: NodeSums()].add(
          use)
      }
    }
    return found.map { NodeRow(agent: $0.agent, node: $0.node, sums: $1) }.sorted {
      ($0.agent, $0.node.kind.rawValue, $0.node.name)
        < ($1.agent, $1.node.kind.rawValue, $1.node.name)
    }
  }

  package func records(
    of agent: String?, before number: Int64?, limit: Int
  ) async throws -> [StoredPerformance] {
    let records = state.withLock { $0.performance.records }
    return Array(
      records.enumerated().reversed().lazy.map { place, record in
        var record = record
        record.number = Int64(place) + 1
        return record
      }
      .filter { $0.number < number ?? .max && (agent == nil || $0.performance.agent == agent) }
      .prefix(max(0, limit)))
  }

  package func importPerformance(
    _ records: [StoredPerformance], weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> Int {
    state.withLock { state in
      var new = 0
      for record in records where state.performance.place(of: record.performance.run) == nil {
        var record = record
        record.score = record.performance.score(weights(record.performance.weights))
        state.performance.records.append(record)
        new += 1
      }
      return new
    }
  }

  package func rebuildStatistics(
    weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> Int {
    state.withLock { state in
      for index in state.performance.records.indices {
        let run = state.performance.records[index].performance
        state.performance.records[index].score = run.score(weights(run.weights))
      }
      return state.performance.records.count
    }
  }

  package func renameAgent(_ old: String, to new: String) async throws -> Int {
    state.withLock { state in
      var count = 0
      for index in state.performance.records.indices
      where state.performance.records[index].performance.agent == old {
        state.performance.records[index].performance.agent = new
        count += 1
      }
      return count
    }
  }

  package func runsInFlight() async throws -> [String: Int] {
    try work { state, _, now in
      var counts: [String: Int] = [:]
      for run in state.journals.runs where state.journals.places[run.record.id] != nil {
        guard run.record.status == .running, let owner = run.owner,
          state.workers[owner].isAlive(at: now)
        else { continue }
        counts[run.record.persona, default: 0] += 1
      }
      return counts
    }
  }

  package func keep(_ decision: StoredDecision) async throws {
    state.withLock { $0.performance.keep(decision, run: decision.run) }
  }

  package func decisions(
    from: Timestamp?, to: Timestamp?, after number: Int64, limit: Int
  ) async throws -> [StoredDecision] {
    state.withLock { state in
      let records = Dictionary(
        state.performance.records.map { ($0.performance.run, $0) },
        uniquingKeysWith: { _, new in new })
      return state.performance.decisions.lazy.filter { decision in
        decision.number > number && (from.map { decision.time >= $0 } ?? true)
          && (to.map { decision.time <= $0 } ?? true)
      }
      .prefix(max(0, limit)).map { decision in
        var decision = decision
        decision.outcome = decision.run.flatMap { records[$0]?.withoutNodes }
        return decision
      }
    }
  }

  package func routedRuns(from: LocalDay, to: LocalDay) async throws -> [StoredPerformance] {
    state.withLock { state in
      let routed = Set(state.performance.decisions.compactMap(\.run))
      return state.performance.records.filter { record in
        (from...to).contains(record.performance.day) && routed.contains(record.performance.run)
      }.map(\.withoutNodes)
    }
  }

  package func takeEvaluations(limit: Int, lease: Duration) async throws -> [PendingEvaluation] {
    let now = time.now().milliseconds
    return state.withLock { state in
      var taken: [PendingEvaluation] = []
      for index in state.performance.pending.indices where taken.count < limit {
        guard state.performance.pending[index].leaseEnds <= now else { continue }
        state.performance.pending[index].evaluation.attempts += 1
        state.performance.pending[index].leaseEnds = now &+ lease.components.seconds * 1000
        taken.append(state.performance.pending[index].evaluation)
      }
      return taken
    }
  }

  package func endEvaluation(of run: Identifier, _ name: String) async throws {
    state.withLock { state in
      state.performance.endEvaluation(of: run, name)
    }
  }

  package func putBackEvaluation(of run: Identifier, _ name: String) async throws {
    state.withLock { state in
      for index in state.performance.pending.indices
      where state.performance.pending[index].evaluation.run == run
        && state.performance.pending[index].evaluation.name == name
      {
        state.performance.pending[index].leaseEnds = 0
      }
    }
  }

  package func ratedEvaluations() async throws -> [RatedEvaluation] {
    state.withLock { state in
      state.performance.records.flatMap { record -> [RatedEvaluation] in
        guard let stars = record.performance.stars else { return [] }
        return (state.performance.evaluations[record.performance.run] ?? []).compactMap {
          $0.rated(stars)
        }
      }
    }
  }

  package func pendingEvaluations() async throws -> [PendingEvaluation] {
    state.withLock { $0.performance.pending.map(\.evaluation) }
  }
}
