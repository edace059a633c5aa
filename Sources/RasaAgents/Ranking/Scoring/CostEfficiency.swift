import Glibc
import RasaCore
import RasaPersona

/// 0–10: more for cheaper answers. Each factor of ten is two and a half points, from a hundredth of
/// a cent (10) to a dollar (0).
enum CostEfficiency {
  static let most = 10.0
  private static let unknown = 5.0

  static func term(of agent: Agent, cost: Money?) -> Recommendation.Term {
    guard let cost else {
      return .init(
        unknown, of: most,
        "the price of \(agent.modelName) is unknown, which counts neither for nor against it")
    }
    guard cost > .zero else { return .init(most, of: most, "its model is free") }
    let dollars = Double(cost.picoDollars) / 1e12
    let value = min(most, max(0, -2.5 * log10(dollars)))
    return .init(value, of: most, "a typical answer costs about \(cost.displayText)")
  }
}

extension Agent {
  /// The first model that it tries, for people.
  var modelName: String {
    if let model = models.primary { return model.description }
    guard let model else { return "its model" }
    return engine.map { "\($0):\(model)" } ?? model
  }
}
