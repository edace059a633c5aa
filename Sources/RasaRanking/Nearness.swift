package import RasaPersona

/// How near agents are to a task by vectors of their texts, where a provider makes some. What words
/// cannot show (a task in another language, or in other words) can count as related by it.
package enum Nearness {
  /// Of so many agents the usual cosine says what counts; of fewer, this one does.
  private static let enoughToCompare = 20
  private static let usualThreshold = 0.55
  private static let deviations = 2.5
  private static let leastThreshold = 0.2

  /// The agents that count as related to the task, with the cosine between them and it.
  ///
  /// What a cosine means differs between models: with one, any two texts come to 0.7, with another
  /// those that answer each other come to 0.4. So among many agents those are related that stand
  /// out.
  package static func find(
    _ task: [Float], among agents: [String: [Float]]
  ) -> [String: Double] {
    let cosines = agents.compactMapValues { cosine(task, $0) }
    let threshold = threshold(of: Array(cosines.values))
    return cosines.filter { $0.value >= threshold }
  }

  /// An agent in one text, for whoever makes vectors of texts. As long as it stays what it is, so
  /// does its vector.
  package static func text(of agent: Agent) -> String { AgentTerms.text(of: agent) }

  static func threshold(of cosines: [Double]) -> Double {
    guard cosines.count >= enoughToCompare else { return usualThreshold }
    let count = Double(cosines.count)
    // Sums depend on the order in which they are made.
    let sorted = cosines.sorted()
    let mean = sorted.reduce(0, +) / count
    let variance = sorted.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    return max(leastThreshold, mean + deviations * variance.squareRoot())
  }

  /// `0.83 near`.
  static func text(_ nearness: Double) -> String {
    let hundredths = Int((100 * max(0, min(1, nearness))).rounded())
    let (whole, rest) = (hundredths / 100, hundredths % 100)
    return "\(whole).\(rest < 10 ? "0" : "")\(rest) near"
  }

  /// Nil for vectors of different lengths, and for those without a direction.
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
