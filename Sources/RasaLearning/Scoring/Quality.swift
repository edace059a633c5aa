import RasaCore

/// How good the answer of a run is, by criteria from 0 to 1. A criterion that nobody has judged is missing, and
/// never some middle value.
package struct Quality: Sendable, Hashable {
  package enum Criterion: String, Sendable, Hashable, CaseIterable {
    case accuracy, relevance, completeness, clarity
  }

  private var judged: [Criterion: Double]

  /// What is no number from 0 to 1 is left out.
  package init(_ judged: [Criterion: Double] = [:]) {
    self.judged = judged.filter { (0...1).contains($0.value) }
  }

  package subscript(criterion: Criterion) -> Double? { judged[criterion] }

  package var isEmpty: Bool { judged.isEmpty }

  /// The weighted mean of what has been judged; nil when nothing has.
  package func mean(_ weights: QualityWeights) -> Double? {
    var sum = 0.0
    var weight = 0.0
    // In a fixed order, so that the same values always have the same sum.
    for criterion in Criterion.allCases {
      guard let value = judged[criterion] else { continue }
      sum += weights[criterion] * value
      weight += weights[criterion]
    }
    return weight > 0 ? sum / weight : nil
  }

  /// The mean of several judgements, criterion by criterion.
  package static func mean(of judgements: [Quality]) -> Quality {
    var means: [Criterion: Double] = [:]
    for criterion in Criterion.allCases {
      let values = judgements.compactMap { $0[criterion] }
      if !values.isEmpty {
        means[criterion] = (values.reduce(0, +) / Double(values.count)).inTenThousandths
      }
    }
    return Quality(means)
  }
}

/// What each criterion counts, and what efficiency counts beside all of them.
package struct QualityWeights: Sendable, Hashable {
  package var accuracy = 0.35
  package var relevance = 0.25
  package var completeness = 0.25
  package var clarity = 0.15
  /// The rest is quality.
  package var efficiency = 0.2

  package init() {}

  package subscript(criterion: Quality.Criterion) -> Double {
    switch criterion {
    case .accuracy: accuracy
    case .relevance: relevance
    case .completeness: completeness
    case .clarity: clarity
    }
  }

  /// The score of a run: quality and efficiency together, from 0 to 1.
  package func overall(quality: Double, efficiency: Double) -> Double {
    (1 - self.efficiency) * quality + self.efficiency * efficiency
  }
}

/// How little a run needed: 1 where tokens times seconds are at most 10,000, less where they are more.
package func efficiencyScore(tokens: Int64, seconds: Double) -> Double {
  let product = Double(max(0, tokens)) * max(0, seconds)
  // Nothing used, or no time measured: there is nothing to improve.
  guard product > 0 else { return 1 }
  return min(1, 10_000 / product)
}

/// From this score on a run counts as successful.
package let successThreshold = 0.6
