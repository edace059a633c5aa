/// Sets of weights on the same runs: each run is scored with all of them, whichever it was scored with at its end.
package struct WeightComparison: Sendable {
  private let sets: [ScoringWeights]
  private var scores: [Sample]
  private var differences: [Sample]
  /// The scores of runs that have stars, and these.
  private var starred: [[Double]]
  private var stars: [Double] = []

  /// Fewer runs with stars say nothing about which set agrees with people.
  package static let fewestStars = 20

  /// - Parameter sets: the others are compared with the first.
  package init(_ sets: [ScoringWeights]) {
    self.sets = sets
    scores = Array(repeating: Sample(), count: sets.count)
    differences = scores
    starred = Array(repeating: [], count: sets.count)
  }

  package mutating func add(_ run: RunPerformance) {
    // The score of a failed run is nothing with any weights.
    guard run.status == .done else { return }
    let found = sets.map { run.score($0) }
    guard let first = found.first?.overall else { return }
    // A score that was made of stars agrees with them by itself.
    let isJudged = found[0].basis == .judge || found[0].basis == .peers
    if isJudged, let given = run.stars { stars.append(Double(given)) }
    for (index, score) in found.enumerated() {
      let overall = score.overall ?? first
      scores[index].add(overall)
      differences[index].add(overall - first)
      if isJudged, run.stars != nil { starred[index].append(overall) }
    }
  }

  /// How many runs have both stars and the score of a judge or of peers.
  package var starredRuns: Int { stars.count }

  /// A set, over all runs that can be scored with it.
  package struct Result: Sendable, Hashable {
    package var score: Estimate?
    /// Its scores less those of the first set, run by run; nil for the first set itself.
    package var difference: Estimate?
    /// The rank correlation with the stars; nil where too few runs have any, or they are all alike.
    package var agreement: Double?
    /// How likely its agreement would differ so much from the first set's by chance.
    package var probability: Double?

    package init(score: Estimate? = nil) { self.score = score }
  }

  package func result(_ index: Int) -> Result {
    func estimate(_ sample: Sample) -> Estimate? {
      sample.count > 0
        ? Estimate(value: sample.mean, interval: sample.interval, count: sample.count) : nil
    }
    var result = Result(score: estimate(scores[index]))
    if index > 0 { result.difference = estimate(differences[index]) }
    guard starredRuns >= Self.fewestStars else { return result }
    result.agreement = rankCorrelation(starred[index], stars)
    if index > 0, let own = result.agreement, let first = rankCorrelation(starred[0], stars),
      let between = rankCorrelation(starred[0], starred[index])
    {
      result.probability = RasaLearning.probability(
        ofCorrelations: first, own, between: between, count: starredRuns)
    }
    return result
  }
}
