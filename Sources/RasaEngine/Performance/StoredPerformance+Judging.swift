import RasaCore
package import RasaLearning

extension StoredPerformance {
  /// Takes what somebody said of the run, and scores it anew.
  ///
  /// - Parameter evaluations: all of the run, this one included.
  package mutating func take(
    _ judgement: Judgement, with evaluations: [RunEvaluation],
    _ weights: (String) -> ScoringWeights
  ) {
    switch judgement {
    case .stars(let stars, let comment, _):
      performance.stars = stars.map { min(max($0, 1), 5) }
      self.comment = stars == nil ? "" : comment
    case .kind(let category, let complexity, _):
      performance.category = category
      performance.complexity = min(max(complexity, 1), 5)
    case .evaluation:
      performance.quality = .mean(
        of: evaluations.filter { $0.kind == .judge && !$0.criteria.isEmpty }.map(\.criteria))
      let peers = evaluations.filter { $0.kind == .peer }.compactMap(\.score)
      performance.peers =
        peers.isEmpty ? nil : (peers.reduce(0, +) / Double(peers.count)).inTenThousandths
    }
    score = performance.score(weights(performance.weights))
  }
}

extension RunPerformance.Status {
  /// Nil for a run that has not come to its end.
  package init?(_ status: RunRecord.Status) {
    switch status {
    case .done: self = .done
    case .failed: self = .failed
    case .cancelled: self = .cancelled
    case .running, .parked: return nil
    }
  }
}
