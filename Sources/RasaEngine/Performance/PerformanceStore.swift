package import RasaCore
package import RasaLearning

/// What the journal does not say of a run's performance, and what it is scored with. Given where a run ends; a run
/// that ends without it has no record.
package struct PerformanceFacts: Sendable, Hashable {
  package var category: String
  /// From 1 to 5.
  package var complexity: Int
  /// The day of its end, where the user is.
  package var day: LocalDay
  package var temperature: Double?
  package var firstTokenMilliseconds: Int64?
  package var weights = ScoringWeights()
  /// Who is to evaluate the run, by the names of the evaluations; empty for most runs.
  package var evaluations: [String] = []

  package init(category: String, complexity: Int, day: LocalDay) {
    self.category = category
    self.complexity = complexity
    self.day = day
  }
}

/// A run's performance as it is stored, with the score that it was given.
package struct StoredPerformance: Sendable, Hashable {
  package var performance: RunPerformance
  package var score: RunScore
  /// What the user said with the stars.
  package var comment: String
  /// Its place among the records; 0 for one that is not stored yet.
  package var number: Int64 = 0

  package init(performance: RunPerformance, score: RunScore, comment: String = "") {
    self.performance = performance
    self.score = score
    self.comment = comment
  }
}

/// What somebody has said of a run after its end.
package enum Judgement: Sendable, Hashable {
  /// A user's stars, from 1 to 5; nil takes them back.
  case stars(Int?, comment: String, by: String)
  /// Of a judge or a peer. An evaluation of the same name replaces the one before.
  case evaluation(RunEvaluation)
  /// What kind of task it was, and how complex from 1 to 5, by the evaluation of that name.
  case kind(category: String, complexity: Int, by: String)
}

/// What a model said of a run's answer.
package struct RunEvaluation: Sendable, Hashable {
  package enum Kind: Int, Sendable, Hashable { case judge, peer }
  package var kind: Kind
  /// The judge or the peer.
  package var name: String
  /// Who answered, as `provider:model`.
  package var model: String
  /// Empty where the answer could not be read as a judgement: it counts as missing.
  package var criteria: Quality
  /// Criteria that count in no formula, from 0 to 1.
  package var others: [String: Double] = [:]
  /// A peer's score as a whole, from 0 to 1.
  package var score: Double?
  package var feedback: String
  package var cost: Money
  package var time: Timestamp

  package init(
    kind: Kind, name: String, model: String, criteria: Quality, score: Double? = nil,
    feedback: String, cost: Money, time: Timestamp
  ) {
    self.kind = kind
    self.name = name
    self.model = model
    self.criteria = criteria
    self.score = score
    self.feedback = feedback
    self.cost = cost
    self.time = time
  }
}

/// What a judge or a peer found where a person gave stars, too.
package struct RatedEvaluation: Sendable, Hashable {
  /// The judge or the peer.
  package var name: String
  package var model: String
  /// From 0 to 1.
  package var score: Double
  package var stars: Int

  package init(name: String, model: String, score: Double, stars: Int) {
    self.name = name
    self.model = model
    self.score = score
    self.stars = stars
  }
}

extension Identifier {
  /// The ID of the run that makes an evaluation. It is derived from the judged run's ID, so that another process can
  /// find it after a crash, and so that it is deleted together with the judged run.
  package static func ofEvaluation(_ name: String, of run: Identifier) -> Identifier {
    let digest = Digest.sha256("\(run.text) \(name)").utf8.prefix(13)
    // The beginning is a time, by which IDs are sorted.
    return Identifier("\(run.text.prefix(11))\(String(decoding: digest, as: UTF8.self))")
  }
}

/// What sums are asked for: of which runs, and by what they are kept apart.
package struct PerformanceQuery: Sendable, Hashable {
  package enum Key: String, Sendable, Hashable, CaseIterable {
    case agent, category, model, weights, day, month
  }
  package var agent: String?
  package var category: String?
  package var model: String?
  /// Both days are inclusive. With neither, the sums for all time are read, which have the fewest rows.
  package var from: LocalDay?
  package var to: LocalDay?
  package var keys: [Key]

  package init(
    agent: String? = nil, category: String? = nil, model: String? = nil, from: LocalDay? = nil,
    to: LocalDay? = nil, by keys: [Key]
  ) {
    self.agent = agent
    self.category = category
    self.model = model
    self.from = from
    self.to = to
    self.keys = keys
  }
}

package struct PerformanceRow: Sendable, Hashable {
  /// One text for each key that was asked for, in that order: days as `2026-01-31`, months as `2026-01`.
  package var keys: [String]
  package var sums: PerformanceSums
  /// When the first and the last of the runs ended; nil where it was asked by days.
  package var firstAt: Timestamp
  package var lastAt: Timestamp

  package init(keys: [String], sums: PerformanceSums, firstAt: Timestamp, lastAt: Timestamp) {
    self.keys = keys
    self.sums = sums
    self.firstAt = firstAt
    self.lastAt = lastAt
  }
}

package struct NodeRow: Sendable, Hashable {
  package var agent: String
  package var node: NodeKey
  package var sums: NodeSums

  package init(agent: String, node: NodeKey, sums: NodeSums) {
    self.agent = agent
    self.node = node
    self.sums = sums
  }
}

/// A decision about which agent and model does a task, and the run that followed.
package struct StoredDecision: Sendable, Hashable {
  package var id: Identifier
  package var time: Timestamp
  /// The run that the decision led to; nil where none was started.
  package var run: Identifier?
  package var user: String
  /// The user's words may stand in its `task` alone, which is forgotten with the run or the user.
  package var content: Value
  /// How that run went, without its nodes; nil while it has not come to an end.
  package var outcome: StoredPerformance?
  /// Its place among the decisions; 0 for one that is not stored yet.
  package var number: Int64 = 0

  package init(
    id: Identifier, time: Timestamp, run: Identifier?, user: String, content: Value,
    outcome: StoredPerformance? = nil
  ) {
    self.id = id
    self.time = time
    self.run = run
    self.user = user
    self.content = content
    self.outcome = outcome
  }
}

/// An evaluation that is to be made.
package struct PendingEvaluation: Sendable, Hashable {
  package var run: Identifier
  package var name: String
  package var askedAt: Timestamp
  package var attempts: Int

  package init(run: Identifier, name: String, askedAt: Timestamp, attempts: Int) {
    self.run = run
    self.name = name
    self.askedAt = askedAt
    self.attempts = attempts
  }
}

/// How runs went, and what was decided because of it. Records are written by `Journal.close`, in its transaction.
package protocol PerformanceStore: Sendable {
  /// Nil for a run that has no record.
  func performance(of run: Identifier) async throws -> StoredPerformance?
  func evaluations(of run: Identifier) async throws -> [RunEvaluation]
  /// Changes the record of a run and all sums that it is part of; nil where the run has no record.
  ///
  /// - Parameter weights: the set of that name, with which the run is scored anew.
  func judge(
    _ run: Identifier, _ judgement: Judgement,
    weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> StoredPerformance?
  /// Sorted by their keys.
  func performance(_ query: PerformanceQuery) async throws -> [PerformanceRow]
  /// The nodes of an agent, or of all; those of the days from then on, or of all time.
  func nodes(of agent: String?, from: LocalDay?, to: LocalDay?) async throws -> [NodeRow]
  /// The records of runs, the last one first.
  ///
  /// - Parameter number: only those before this one; nil for all.
  func records(
    of agent: String?, before number: Int64?, limit: Int
  ) async throws -> [StoredPerformance]
  /// Records that are written as they are: of another machine, or of runs that are long gone. Those that are known
  /// are left alone. Returns how many are new.
  func importPerformance(
    _ records: [StoredPerformance], weights: @escaping @Sendable (String) -> ScoringWeights
  ) async throws -> Int
  /// Counts what an agent did as done by another: it was renamed. Returns how many records that are.
  func renameAgent(_ old: String, to new: String) async throws -> Int
  /// Works out all sums anew from the records. Returns how many records there are.
  func rebuildStatistics(weights: @escaping @Sendable (String) -> ScoringWeights) async throws
    -> Int
  /// How many runs of each agent are under way.
  func runsInFlight() async throws -> [String: Int]

  /// Keeps a decision that leads to no run; one that does is kept when the run is opened. One that is kept already is
  /// left as it is.
  func keep(_ decision: StoredDecision) async throws
  /// Decisions, oldest first.
  ///
  /// - Parameter number: only those after this one; 0 for all.
  func decisions(
    from: Timestamp?, to: Timestamp?, after number: Int64, limit: Int
  ) async throws -> [StoredDecision]
  /// How runs went that a decision led to, without their nodes, of those that ended on these days.
  func routedRuns(from: LocalDay, to: LocalDay) async throws -> [StoredPerformance]

  /// Evaluations that are to be made, oldest first, each for this process alone until the lease ends.
  func takeEvaluations(limit: Int, lease: Duration) async throws -> [PendingEvaluation]
  /// Takes one from the list: it has been made, or cannot be.
  func endEvaluation(of run: Identifier, _ name: String) async throws
  /// Gives back one that was taken and not made.
  func putBackEvaluation(of run: Identifier, _ name: String) async throws
  /// Those that are to be made, oldest first, whoever is at them.
  func pendingEvaluations() async throws -> [PendingEvaluation]
  /// Everything that judges and peers said of runs to which people gave stars.
  func ratedEvaluations() async throws -> [RatedEvaluation]
}

extension RunEvaluation {
  /// A peer's score, else the mean of a judge's criteria; nil where it could not be read.
  package var overall: Double? { score ?? criteria.mean(QualityWeights()) }

  /// Nil where it is missing.
  package func rated(_ stars: Int) -> RatedEvaluation? {
    overall.map {
      RatedEvaluation(name: name, model: model, score: $0, stars: stars)
    }
  }
}

extension PerformanceStore {
  package func records(of agent: String?, limit: Int) async throws -> [StoredPerformance] {
    try await records(of: agent, before: nil, limit: limit)
  }
}
