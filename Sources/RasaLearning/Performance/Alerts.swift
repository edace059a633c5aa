/// Something that became worse, by more than chance explains.
package struct PerformanceAlert: Sendable, Hashable {
  package enum Kind: String, Sendable, Hashable, CaseIterable {
    case score, success, cost, time
    /// A node of the agent.
    case nodeTime = "node_time"
    case nodeFailures = "node_failures"
    /// After another model had taken over.
    case model

    /// The least change that is worth a word: of a share or score so much, of anything else so many times the old.
    fileprivate var least: Double {
      switch self {
      case .score, .success, .model: 0.05
      case .nodeFailures: 0.1
      case .cost, .time: 0.25
      case .nodeTime: 0.5
      }
    }
  }

  package var kind: Kind
  package var agent: String
  /// The node, or the model that took over; empty for anything else.
  package var subject: String
  /// The mean or the share before and after, in the units of the kind: dollars, seconds, 0 to 1.
  package var before: Double
  package var after: Double
  package var runsBefore: Int
  package var runsAfter: Int
  /// How likely such a difference would be if nothing had changed.
  package var p: Double
}

/// What the runs of one agent, or the uses of one of its nodes, were before and are now.
package struct PerformanceChange: Sendable {
  package enum Subject: Sendable {
    case agent(before: PerformanceSums, after: PerformanceSums)
    case node(NodeKey, before: NodeSums, after: NodeSums)
    /// All runs with a model, and those with the one that took over.
    case model(String, before: PerformanceSums, after: PerformanceSums)
  }
  package var agent: String
  package var subject: Subject

  package init(agent: String, _ subject: Subject) {
    self.agent = agent
    self.subject = subject
  }
}

/// What became worse. Among many comparisons some look striking by chance: of what is returned, one in twenty is false
/// on average (Benjamini and Hochberg).
package func alerts(_ changes: [PerformanceChange]) -> [PerformanceAlert] {
  let found = changes.flatMap(\.comparisons)
  let sorted = found.sorted { $0.p < $1.p }
  var count = 0
  for (index, alert) in sorted.enumerated()
  where alert.p <= 0.05 * Double(index + 1) / Double(sorted.count) { count = index + 1 }
  return sorted.prefix(count).filter(\.isWorthAWord)
}

extension PerformanceAlert {
  fileprivate var isWorthAWord: Bool {
    switch kind {
    case .score, .success, .model: before - after >= kind.least
    case .nodeFailures: after - before >= kind.least
    case .cost, .time, .nodeTime: after > before && after - before >= before * kind.least
    }
  }
}

extension PerformanceChange {
  /// One for each thing that can be compared, whether it became better or worse.
  fileprivate var comparisons: [PerformanceAlert] {
    var found: [PerformanceAlert] = []
    func add(
      _ kind: PerformanceAlert.Kind, _ subject: String, _ before: Double, _ after: Double,
      _ runsBefore: Int, _ runsAfter: Int, _ p: Double
    ) {
      found.append(
        PerformanceAlert(
          kind: kind, agent: agent, subject: subject, before: before, after: after,
          runsBefore: runsBefore, runsAfter: runsAfter, p: p))
    }
    func means(
      _ kind: PerformanceAlert.Kind, _ subject: String, _ before: Sample, _ after: Sample,
      by scale: Double
    ) {
      guard min(before.count, after.count) >= rankedFrom,
        let comparison = MeanComparison(before, after)
      else { return }
      add(
        kind, subject, before.mean / scale, after.mean / scale, before.count, after.count,
        comparison.p)
    }
    func rates(
      _ kind: PerformanceAlert.Kind, _ subject: String, _ before: (Int64, of: Int64),
      _ after: (Int64, of: Int64)
    ) {
      guard min(before.of, after.of) >= rankedFrom,
        let comparison = RateComparison(
          successes: Int(before.0), of: Int(before.of), and: Int(after.0), of: Int(after.of))
      else { return }
      add(
        kind, subject, Double(before.0) / Double(before.of), Double(after.0) / Double(after.of),
        Int(before.of), Int(after.of), comparison.p)
    }
    switch subject {
    case .agent(let before, let after):
      means(.score, "", before.scores, after.scores, by: 10_000)
      rates(
        .success, "", (before[.succeeded], of: before.tried), (after[.succeeded], of: after.tried))
      means(.cost, "", before.costs, after.costs, by: 10_000)
      means(.time, "", before.durations, after.durations, by: 10)
    case .model(let model, let before, let after):
      if min(before.scores.count, after.scores.count) >= rankedFrom {
        means(.model, model, before.scores, after.scores, by: 10_000)
      } else {
        rates(
          .model, model, (before[.succeeded], of: before.tried),
          (after[.succeeded], of: after.tried))
      }
    case .node(let node, let before, let after):
      let name = "\(node.kind.name) \(node.name)"
      means(.nodeTime, name, before.durations, after.durations, by: 10)
      rates(
        .nodeFailures, name, (before.failed, of: before.uses), (after.failed, of: after.uses))
    }
    return found
  }
}

extension NodeSums {
  /// In tenths of a second.
  fileprivate var durations: Sample {
    Sample(
      count: Int(uses), sum: Double(milliseconds) / 100, roundedSquares: Double(durationSquares))
  }
}
