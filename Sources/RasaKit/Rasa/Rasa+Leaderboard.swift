import RasaCore
import RasaEngine
import RasaLearning

extension Rasa {
  /// Personas and agents by how their runs went.
  public struct Leaderboard: Sendable, Hashable, Codable {
    /// What they are ranked by.
    @nonexhaustive
    public enum Measure: String, Sendable, Hashable, CaseIterable, Codable {
      /// The mean score. Where nobody has judged any run, the success rate stands in.
      case score
      /// The share of runs that were a success.
      case success
      /// The points for a run.
      case reward
      /// Dollars for a run; less is better.
      case cost
      /// Seconds for a run; less is better.
      case speed
    }

    /// A figure, and where it lies with 95 % confidence.
    public struct Figure: Sendable, Hashable, Codable {
      /// The figure.
      public var value: Double
      /// The lower end; nil where too few runs tell.
      public var low: Double?
      /// The upper end; nil where too few runs tell.
      public var high: Double?
      /// How many runs it rests on.
      public var runs: Int
    }

    /// A persona or agent.
    public struct Row: Sendable, Hashable, Codable {
      /// Its name.
      public var agent: String
      /// From 1; nil where it has fewer runs than a rank takes.
      public var rank: Int?
      /// The best and the worst rank that it may have, as far as the figures tell.
      public var bestRank: Int?
      /// See `bestRank`.
      public var worstRank: Int?
      /// The figure that it is ranked by; nil where it has none.
      public var figure: Figure?
      /// `better`, `worse`, `steady`: the last seven days against the seven before; `unknown` where they say too little.
      public var trend: String
      /// What its runs come to.
      public var totals: RunTotals
    }

    /// What was asked for.
    public var askedMeasure: Measure
    /// What they are ranked by.
    public var measure: Measure
    /// Best first.
    public var rows: [Row]
    /// From how many runs on an agent has a rank.
    public var rankedFrom: Int
  }

  /// What runs come to.
  public struct RunTotals: Sendable, Hashable, Codable {
    /// All of them.
    public var runs: Int64
    /// Those that came to their end.
    public var done: Int64
    /// Those that failed.
    public var failed: Int64
    /// Those that somebody cancelled.
    public var cancelled: Int64
    /// Those whose answers' end is missing.
    public var cut: Int64
    /// Those that the mock answered.
    public var mock: Int64
    /// The share of successes among those that were not cancelled.
    public var successRate: Double?
    /// The mean score.
    public var score: Double?
    /// How many runs have one.
    public var scored: Int64
    /// The mean of the users' stars.
    public var stars: Double?
    /// How many runs have stars.
    public var rated: Int64
    /// What they cost together, as far as prices are known.
    public var cost: Dollars
    /// The mean cost of those whose cost is known.
    public var meanCost: Double?
    /// Dollars for a whole point of the score.
    public var costPerPoint: Double?
    /// The mean time.
    public var seconds: Double?
    /// The mean time to the first text.
    public var firstTokenSeconds: Double?
    /// Tokens of input and output.
    public var tokens: Int64
    /// The mean reward.
    public var reward: Double?
  }

  /// Ranks personas and agents by how their runs went.
  ///
  /// - Parameters:
  ///   - measure: What they are ranked by.
  ///   - category: Only runs of that kind of task.
  ///   - model: Only runs whose answer that model wrote, as `provider:model`.
  ///   - from: The first day; nil for all time.
  ///   - to: The last day.
  public func leaderboard(
    by measure: Leaderboard.Measure = .score, category: String? = nil, model: String? = nil,
    from: Day? = nil, to: Day? = nil
  ) async throws(RasaError) -> Leaderboard {
    let today = try await today().day
    return try await redacted {
      try inOrder(from, to)
      func sums(_ from: LocalDay?, _ to: LocalDay?) async throws -> [(String, PerformanceSums)] {
        try await store.performance(
          PerformanceQuery(category: category, model: model, from: from, to: to, by: [.agent])
        ).map { ($0.keys[0], $0.sums) }
      }
      let all = try await sums(from?.day, to?.day)
      let end = to?.day ?? today
      let recent = try await sums(end.advanced(byDays: -6), end)
      let before = try await sums(end.advanced(byDays: -13), end.advanced(byDays: -7))
      var used = RankMeasure(rawValue: measure.rawValue) ?? .score
      if used == .score, all.allSatisfy({ $0.1[.scored] == 0 }) { used = .success }
      let standings = RasaLearning.standings(
        all.map { (agent: $0.0, sums: $0.1) }, by: used,
        recent: Dictionary(recent) { first, _ in first },
        before: Dictionary(before) { first, _ in first })
      return Leaderboard(
        askedMeasure: measure, measure: Leaderboard.Measure(rawValue: used.rawValue) ?? measure,
        rows: standings.map { Leaderboard.Row($0) }, rankedFrom: Int(RasaLearning.rankedFrom))
    }
  }
}

extension Rasa {
  func inOrder(_ from: Day?, _ to: Day?) throws(Failure) {
    guard let from, let to, to < from else { return }
    throw Failure(
      .usage, "the first day is \(from), and the last one is \(to), which is before it",
      suggestion: "swap the two")
  }
}

extension Rasa.Leaderboard.Figure {
  init(_ estimate: Estimate) {
    self.init(
      value: estimate.value, low: estimate.interval?.low, high: estimate.interval?.high,
      runs: estimate.count)
  }
}

extension Rasa.Leaderboard.Row {
  init(_ standing: Standing) {
    agent = standing.agent
    rank = standing.rank
    bestRank = standing.ranks?.lowerBound
    worstRank = standing.ranks?.upperBound
    figure = standing.estimate.map { Rasa.Leaderboard.Figure($0) }
    trend = standing.trend.rawValue
    totals = Rasa.RunTotals(standing.sums)
  }
}

extension Rasa.RunTotals {
  init(_ sums: PerformanceSums) {
    runs = sums[.runs]
    done = sums[.done]
    failed = sums[.failed]
    cancelled = sums[.cancelled]
    cut = sums[.cut]
    mock = sums[.mock]
    successRate = sums.successRate
    score = sums.meanScore
    scored = sums[.scored]
    stars = sums.meanStars
    rated = sums[.rated]
    cost = Rasa.Dollars(sums.totalCost)
    meanCost = sums.meanCost
    costPerPoint = sums.costPerPoint
    seconds = sums.meanSeconds
    firstTokenSeconds = sums.meanFirstTokenSeconds
    tokens = sums[.tokens]
    reward = sums.meanReward
  }
}
