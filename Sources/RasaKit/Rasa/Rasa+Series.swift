import RasaCore
import RasaEngine
import RasaLearning

extension Rasa {
  /// How runs went, by day or by what they have in common: the figures of a chart.
  public struct Series: Sendable, Hashable {
    /// What the figures are of.
    @nonexhaustive
    public enum Measure: String, Sendable, Hashable, CaseIterable {
      /// The mean score, from 0 to 1. Where nobody has judged any run, the success rate stands in.
      case score
      /// The share of runs that were a success, from 0 to 1.
      case success
      /// The mean points of a run.
      case reward
      /// The mean dollars of a run.
      case cost
      /// The mean seconds of a run.
      case speed
      /// The dollars of all runs together.
      case spent
      /// How many runs there were.
      case runs
    }

    /// What runs are kept apart by.
    @nonexhaustive
    public enum Grouping: String, Sendable, Hashable, CaseIterable {
      /// The day on which they ended.
      case day
      /// The kind of task.
      case category
      /// Who wrote the answer, as `provider:model`.
      case model
      /// The persona or agent.
      case agent
    }

    /// The runs of one day, kind, model or agent.
    public struct Point: Sendable, Hashable {
      /// A day such as `2026-01-31`, or a name; empty where no model wrote an answer.
      public var name: String
      /// Nil where nothing tells: nobody has judged any of the runs, or no price is known. What the mock answered cost
      /// nothing and is no cost.
      public var figure: Leaderboard.Figure?
      /// How many of the runs have a cost that is not known as a whole.
      public var unpriced: Int64
      /// What the runs come to.
      public var totals: RunTotals
    }

    /// What was asked for.
    public var askedMeasure: Measure
    /// What the figures are of.
    public var measure: Measure
    /// What runs are kept apart by.
    public var grouping: Grouping
    /// Days in their order, those without runs left out; names by their figures, the highest first.
    public var points: [Point]
  }

  /// How runs went by day, kind of task, model or agent.
  ///
  /// - Parameters:
  ///   - measure: What the figures are of.
  ///   - grouping: What runs are kept apart by.
  ///   - agent: Only those of this persona or agent.
  ///   - from: The first day; nil for all time.
  ///   - to: The last day.
  /// - Throws: A `RasaError` of code `configuration` when nothing has that name, and never had a run, and of code `usage`
  ///   when the last day is before the first.
  public func series(
    of measure: Series.Measure, by grouping: Series.Grouping, agent: String? = nil,
    from: Day? = nil, to: Day? = nil
  ) async throws(RasaError) -> Series {
    try await redacted {
      try inOrder(from, to)
      let agent = try await measuredOwner(agent)
      let rows = try await store.performance(
        PerformanceQuery(
          agent: agent, from: from?.day, to: to?.day,
          by: [PerformanceQuery.Key(rawValue: grouping.rawValue) ?? .day]))
      var used = measure
      if used == .score, rows.allSatisfy({ $0.sums[.scored] == 0 }) { used = .success }
      var points = rows.map { Series.Point($0, used) }
      if grouping != .day {
        points.sort {
          let (one, other) = ($0.figure?.value ?? -.infinity, $1.figure?.value ?? -.infinity)
          return one == other ? $0.name < $1.name : one > other
        }
      }
      return Series(askedMeasure: measure, measure: used, grouping: grouping, points: points)
    }
  }
}

extension Rasa.Series.Point {
  fileprivate init(_ row: PerformanceRow, _ measure: Rasa.Series.Measure) {
    name = row.keys[0]
    unpriced = row.sums[.runs] - row.sums[.priced]
    totals = Rasa.RunTotals(row.sums)
    figure = row.sums.figure(measure)
  }
}

extension PerformanceSums {
  fileprivate func figure(_ measure: Rasa.Series.Measure) -> Rasa.Leaderboard.Figure? {
    let runs = Int(self[.runs])
    switch measure {
    case .runs: return Rasa.Leaderboard.Figure(value: Double(runs), runs: runs)
    case .cost, .spent:
      var paid = self
      // The mock's answers cost nothing, which says nothing about what runs cost.
      paid[.priced] = self[.priced] - self[.mock]
      guard paid[.priced] > 0 else { return nil }
      if measure == .cost { return paid.estimate(.cost).map { Rasa.Leaderboard.Figure($0) } }
      return Rasa.Leaderboard.Figure(
        value: Double(self[.cost]) / 1e9, runs: Int(paid[.priced]))
    default:
      return RankMeasure(rawValue: measure.rawValue).flatMap { estimate($0) }
        .map { Rasa.Leaderboard.Figure($0) }
    }
  }
}
