import RasaCore
import RasaLearning

extension EvaluationGroup {
  /// The share that passed, and where it lies with 95 % confidence; empty where no trial was made.
  package var rateText: String {
    guard ran > 0 else { return "" }
    let rate = percent(Double(passes) / Double(ran))
    return "\(rate) (\(percent(interval.low))–\(percent(interval.high)))"
  }
}

extension EvaluationComparison {
  /// The comparison as people read it.
  package var text: String {
    var text = "against \(baseline): \(verdict)\n"
    guard all.pairs > 0 else { return text }
    text +=
      "  \(points(all.difference)) (\(points(all.interval.low)) to \(points(all.interval.high)))"
      + ", p = \(all.probability.fixed(3)), \(all.pairs) pairs of trials\n"
    for one in cases where one.pairs.changed > 0 {
      text +=
        "  \(one.name): \(points(one.pairs.difference)); \(one.pairs.onlyBefore) passed before only, "
        + "\(one.pairs.onlyAfter) now only\n"
    }
    return text
  }
}

private func percent(_ rate: Double) -> String { "\((rate * 100).fixed(0)) %" }

private func points(_ difference: Double) -> String {
  "\(difference > 0 ? "+" : "")\((difference * 100).fixed(1)) points"
}
