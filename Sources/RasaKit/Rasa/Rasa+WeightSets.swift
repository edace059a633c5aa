import RasaCore
import RasaEngine
import RasaLearning
import RasaPersona

extension Rasa {
  /// The sets of weights for scores, side by side.
  public struct WeightSets: Sendable, Hashable {
    /// One set.
    public struct Row: Sendable, Hashable {
      /// Its name; `standard` for the one that rasa ships.
      public var name: String
      /// The share of new runs that are scored with it; nil for one that is no longer in the configuration.
      public var share: Double?
      /// From 0 to 1, by criterion, and `efficiency`.
      public var weights: [String: Double]
      /// How many runs have been scored with it.
      public var runs: Int64
      /// The mean score of these.
      public var score: Leaderboard.Figure?
      /// The mean score that it gives all runs which came to their end and were judged. Failed ones, which `score`
      /// counts as nothing, are the same with any weights.
      public var scoreOfAll: Leaderboard.Figure?
      /// That less the standard set's, run by run.
      public var difference: Leaderboard.Figure?
      /// The rank correlation of its scores with people's stars, from -1 to 1; nil where too few runs tell.
      public var agreement: Double?
      /// How likely the agreement would differ so much from that of the standard set by chance.
      public var p: Double?
    }

    /// The standard set, then those of the configuration, then those of former ones.
    public var rows: [Row]
    /// How many runs have both stars and the score of a judge or of peers: a score made of stars agrees by itself.
    public var starredRuns: Int
    /// How many it takes to say anything about agreement.
    public var fewestStarredRuns: Int
  }

  /// Compares the sets of weights: as runs were scored, and each run scored with all of them.
  ///
  /// - Parameters:
  ///   - agent: Only runs of this persona or agent.
  ///   - from: The first day; nil for all time.
  ///   - to: The last day.
  /// - Throws: A `RasaError` of code `configuration` when nothing has that name, and never had a run, or the
  ///   configuration cannot be read.
  public func weightSets(
    agent: String? = nil, from: Day? = nil, to: Day? = nil
  ) async throws(RasaError) -> WeightSets {
    try await redacted {
      try inOrder(from, to)
      let agent = try await measuredOwner(agent)
      let assignment = WeightAssignment(try composition.configuration().learning)
      var sets = [
        (
          weights: ScoringWeights(),
          share: max(0, 1 - assignment.sets.reduce(0) { $0 + $1.share })
        )
      ]
      sets += assignment.sets
      var comparison = WeightComparison(sets.map(\.weights))
      var before: Int64?
      while true {
        let records = try await store.records(of: agent, before: before, limit: 500)
        for record in records {
          let day = record.performance.day
          if let from, day < from.day { continue }
          if let to, day > to.day { continue }
          comparison.add(record.performance)
        }
        guard let last = records.last else { break }
        before = last.number
      }
      let sums = try await store.performance(
        PerformanceQuery(agent: agent, from: from?.day, to: to?.day, by: [.weights]))
      let scored = Dictionary(sums.map { ($0.keys[0], $0.sums) }) { first, _ in first }
      var rows = sets.enumerated().map { index, set in
        WeightSets.Row(
          set.weights, share: set.share, scored[set.weights.name], comparison.result(index))
      }
      for row in sums where !sets.contains(where: { $0.weights.name == row.keys[0] }) {
        var gone = WeightSets.Row(
          ScoringWeights(name: row.keys[0]), share: nil, row.sums, WeightComparison.Result())
        gone.weights = [:]
        rows.append(gone)
      }
      return WeightSets(
        rows: rows, starredRuns: comparison.starredRuns,
        fewestStarredRuns: WeightComparison.fewestStars)
    }
  }
}

extension Rasa.WeightSets.Row {
  fileprivate init(
    _ set: ScoringWeights, share: Double?, _ sums: PerformanceSums?,
    _ result: WeightComparison.Result
  ) {
    name = set.name
    self.share = share
    weights = ["efficiency": set.quality.efficiency]
    for criterion in Quality.Criterion.allCases {
      weights[criterion.rawValue] = set.quality[criterion]
    }
    runs = sums?[.runs] ?? 0
    score = sums?.estimate(.score).map { Rasa.Leaderboard.Figure($0) }
    scoreOfAll = result.score.map { Rasa.Leaderboard.Figure($0) }
    difference = result.difference.map { Rasa.Leaderboard.Figure($0) }
    agreement = result.agreement
    p = result.probability
  }
}
