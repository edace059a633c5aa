import RasaCore
import RasaEngine
import RasaLearning

extension Rasa {
  /// How the runs of one persona or agent went, or those of all.
  public struct Statistics: Sendable, Hashable, Codable {
    /// Runs of one kind, or with one model.
    public struct Part: Sendable, Hashable, Codable {
      /// The category, or `provider:model`; empty where no model wrote an answer.
      public var name: String
      /// What they come to.
      public var totals: RunTotals
      /// When the first of them ended, in milliseconds since 1970 in UTC.
      public var since: Int64
      /// When the last of them ended.
      public var until: Int64
    }

    /// A frame, operator, model or tool.
    public struct Node: Sendable, Hashable, Codable {
      /// The persona or agent that used it.
      public var agent: String
      /// `frame`, `operator`, `model` or `tool`.
      public var kind: String
      /// Its name.
      public var name: String
      /// How often it was used.
      public var uses: Int64
      /// How often it failed.
      public var failed: Int64
      /// The mean time of one use.
      public var seconds: Double
      /// Tokens of all uses.
      public var tokens: Int64
      /// What all uses cost.
      public var cost: Dollars
    }

    /// A measure of success, this month and the last one.
    public struct Success: Sendable, Hashable, Codable {
      /// `routing_accuracy`, `rated`, `score`, `cost_per_point`, `seconds`.
      public var name: String
      /// This month's; nil where it rests on nothing.
      public var value: Double?
      /// Last month's; nil where it rests on nothing.
      public var before: Double?
      /// What it should be at least; nil for those that should become better.
      public var aim: Double?
      /// Whether the aim is reached, or it became better; nil where nothing tells.
      public var isReached: Bool?
      /// How many runs this month's rests on.
      public var runs: Int64
    }

    /// The persona or agent; nil for all.
    public var agent: String?
    /// What its runs come to.
    public var totals: RunTotals
    /// When the first of its runs ended, in milliseconds since 1970 in UTC; nil without any.
    public var since: Int64?
    /// Whether that is less than seven days ago: it is on probation.
    public var isNew: Bool
    /// How many of its runs are under way.
    public var inFlight: Int
    /// By the kind of task.
    public var categories: [Part]
    /// By who wrote the answer, the last one first.
    public var models: [Part]
    /// What its runs used.
    public var nodes: [Node]
    /// The measures of success, of all agents.
    public var success: [Success]
  }

  /// How runs went.
  ///
  /// - Parameters:
  ///   - agent: Only those of this persona or agent.
  ///   - from: The first day; nil for all time.
  ///   - to: The last day.
  /// - Throws: A `RasaError` of code `configuration` when nothing has that name, and never had a run.
  public func statistics(
    of agent: String? = nil, from: Day? = nil, to: Day? = nil
  ) async throws(RasaError) -> Statistics {
    let today = try await today().day
    return try await redacted {
      let agent = try await measuredOwner(agent)
      func rows(_ keys: [PerformanceQuery.Key]) async throws -> [PerformanceRow] {
        try await store.performance(
          PerformanceQuery(agent: agent, from: from?.day, to: to?.day, by: keys))
      }
      let total = try await rows([]).first
      let first = try await store.performance(PerformanceQuery(agent: agent, by: [])).first?.firstAt
      let inFlight = try await store.runsInFlight()
      return Statistics(
        agent: agent, totals: RunTotals(total?.sums ?? PerformanceSums()),
        since: first?.milliseconds,
        isNew: first.map { composition.time.now().milliseconds - $0.milliseconds < newFor }
          ?? false,
        inFlight: agent.map { inFlight[$0] ?? 0 } ?? inFlight.values.reduce(0, +),
        categories: try await rows([.category]).map { Statistics.Part($0) },
        models: try await rows([.model]).sorted { $0.lastAt > $1.lastAt }
          .map { Statistics.Part($0) },
        nodes: try await store.nodes(of: agent, from: from?.day, to: to?.day).map {
          Statistics.Node(
            agent: $0.agent, kind: $0.node.kind.name, name: $0.node.name, uses: $0.sums.uses,
            failed: $0.sums.failed,
            seconds: $0.sums.uses > 0
              ? Double($0.sums.milliseconds) / Double($0.sums.uses) / 1000 : 0,
            tokens: $0.sums.tokens, cost: Dollars(PerformanceSums.money(nanoDollars: $0.sums.cost)))
        },
        success: try await success(today))
    }
  }

  /// One that has records counts, whether or not it still exists; any other has to exist.
  func measuredOwner(_ name: String?) async throws -> String? {
    guard let name else { return nil }
    let known = try await store.performance(PerformanceQuery(agent: name, by: []))
    if !known.isEmpty { return name }
    let books = try BudgetBooks(
      composition, store, registry: { self.registered.registry }, warn: warn)
    return try await books.owner(named: name).name
  }

  private func success(_ today: LocalDay) async throws -> [Statistics.Success] {
    func month(_ first: LocalDay) async throws -> PerformanceSums {
      try await store.performance(
        PerformanceQuery(
          from: first, to: first.advanced(byDays: first.daysInMonth - 1), by: [])
      ).first?.sums ?? PerformanceSums()
    }
    let now = try await month(today.firstOfMonth)
    let before = try await month(today.firstOfMonth.advanced(byDays: -1).firstOfMonth)
    func aimed(
      _ name: String, _ value: Double?, _ old: Double?, _ aim: Double, _ runs: Int64
    ) -> Statistics.Success {
      Statistics.Success(
        name: name, value: value, before: old, aim: aim, isReached: value.map { $0 > aim },
        runs: runs)
    }
    func compared(
      _ name: String, _ value: Double?, _ old: Double?, isLessBetter: Bool, _ runs: Int64
    ) -> Statistics.Success {
      var isReached: Bool?
      if let value, let old { isReached = isLessBetter ? value < old : value > old }
      return Statistics.Success(
        name: name, value: value, before: old, aim: nil, isReached: isReached, runs: runs)
    }
    func rated(_ sums: PerformanceSums) -> Double? {
      sums[.done] > 0 ? Double(sums[.rated]) / Double(sums[.done]) : nil
    }
    let (routed, routedBefore) = (
      try await routingAccuracy(in: today.firstOfMonth),
      try await routingAccuracy(in: today.firstOfMonth.advanced(byDays: -1).firstOfMonth)
    )
    return [
      aimed("routing_accuracy", routed.rate, routedBefore.rate, 0.85, routed.runs),
      aimed("rated", rated(now), rated(before), 0.5, now[.done]),
      compared("score", now.meanScore, before.meanScore, isLessBetter: false, now[.scored]),
      compared(
        "cost_per_point", now.costPerPoint, before.costPerPoint, isLessBetter: true, now[.scored]),
      compared("seconds", now.meanSeconds, before.meanSeconds, isLessBetter: true, now[.runs]),
    ]
  }

  /// The share of successes among the runs that a decision of the router led to.
  private func routingAccuracy(
    in month: LocalDay
  ) async throws -> (rate: Double?, runs: Int64) {
    let routed = try await store.routedRuns(
      from: month, to: month.advanced(byDays: month.daysInMonth - 1))
    var (runs, succeeded): (Int64, Int64) = (0, 0)
    for isSuccess in routed.compactMap(\.score.isSuccess) {
      runs += 1
      succeeded += isSuccess ? 1 : 0
    }
    return (runs > 0 ? Double(succeeded) / Double(runs) : nil, runs)
  }
}

/// In milliseconds: seven days.
private let newFor: Int64 = 7 * 86_400_000

extension Rasa.Statistics.Part {
  init(_ row: PerformanceRow) {
    name = row.keys[0]
    totals = Rasa.RunTotals(row.sums)
    since = row.firstAt.milliseconds
    until = row.lastAt.milliseconds
  }
}
