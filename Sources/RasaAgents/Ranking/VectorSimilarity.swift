package import RasaPersona

/// How similar agents are to a task by embeddings, if a provider offers them. They find matches
/// that words miss (a task in another language, or in different words).
///
/// The scale of cosines differs between models: with one, any two texts have 0.7, with another
/// matching ones have 0.4. So the measure is the number of standard deviations by which an agent
/// exceeds the others for that task.
package enum VectorSimilarity {
  package struct Value: Sendable, Hashable {
    package var cosine: Double
    /// How far it exceeds the mean, in standard deviations.
    package var deviations: Double

    package init(cosine: Double, deviations: Double) {
      self.cosine = cosine
      self.deviations = deviations
    }

    /// Whether the agent counts as related to the task, regardless of words.
    package var isNear: Bool {
      deviations >= VectorSimilarity.nearFrom && cosine >= VectorSimilarity.leastCosine
    }

    /// What it adds to the word score (`RelevanceScale.fit`), or takes from it. Some agents are always a little
    /// nearer than others, so it is the first deviation that adds nothing.
    var counts: Double {
      VectorSimilarity.weight
        * (max(-VectorSimilarity.most, min(deviations, VectorSimilarity.most))
          - VectorSimilarity.usual)
    }
  }

  /// From this many agents on their mean cosine is used; for fewer, a fixed one.
  private static let enoughToCompare = 5
  private static let usualCosine = 0.3
  private static let usualDeviation = 0.1

  fileprivate static let nearFrom = 2.5
  fileprivate static let leastCosine = 0.2
  fileprivate static let usual = 1.0
  fileprivate static let most = 5.0
  fileprivate static let weight = 0.15

  /// The similarity of each agent; zero vectors are skipped.
  package static func find(
    _ task: [Float], among agents: [String: [Float]]
  ) -> [String: Value] {
    let cosines = agents.compactMapValues { cosine(task, $0) }
    let (mean, deviation) = spread(of: Array(cosines.values))
    return cosines.mapValues {
      Value(cosine: $0, deviations: deviation > 0 ? ($0 - mean) / deviation : 0)
    }
  }

  /// The similarity of each tool to a wish; nil without a vector that can be compared.
  package static func find(_ wish: [Float], among tools: [[Float]]) -> [Value?] {
    let found = find(
      wish, among: Dictionary(uniqueKeysWithValues: tools.enumerated().map { ("\($0)", $1) }))
    return tools.indices.map { found["\($0)"] }
  }

  /// A tool as a single text, for embedding.
  package static func text(of tool: ToolIndex.Entry) -> String { ToolTerms.text(of: tool) }

  /// An agent as a single text, for embedding. As long as it stays the same, so does its vector.
  package static func text(of agent: Agent) -> String { AgentTerms.text(of: agent) }

  static func spread(of cosines: [Double]) -> (mean: Double, deviation: Double) {
    cosines.count >= enoughToCompare ? ownSpread(of: cosines) : (usualCosine, usualDeviation)
  }

  static func ownSpread(of values: [Double]) -> (mean: Double, deviation: Double) {
    let count = Double(max(1, values.count))
    // Sums depend on the order of summation.
    let sorted = values.sorted()
    let mean = sorted.reduce(0, +) / count
    let variance = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    return (mean, variance.squareRoot())
  }

  /// `0.83 near`.
  static func text(_ nearness: Double) -> String {
    let hundredths = Int((100 * max(0, min(1, nearness))).rounded())
    let (whole, rest) = (hundredths / 100, hundredths % 100)
    return "\(whole).\(rest < 10 ? "0" : "")\(rest) near"
  }

  /// Nil for vectors of different lengths, and for zero vectors.
  static func cosine(_ left: [Float], _ right: [Float]) -> Double? {
    guard left.count == right.count, !left.isEmpty else { return nil }
    var product = 0.0
    var leftSquare = 0.0
    var rightSquare = 0.0
    for index in left.indices {
      let (one, other) = (Double(left[index]), Double(right[index]))
      product += one * other
      leftSquare += one * one
      rightSquare += other * other
    }
    let size = (leftSquare * rightSquare).squareRoot()
    guard size > 0, size.isFinite, product.isFinite else { return nil }
    return max(-1, min(1, product / size))
  }
}
