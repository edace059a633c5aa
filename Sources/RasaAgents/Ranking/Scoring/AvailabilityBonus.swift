import RasaPersona

/// 0–10: whether the agent's model is available now.
enum AvailabilityBonus {
  static let most = 10.0

  static func term(
    of agent: Agent, _ availability: Recommendation.Availability
  ) -> Recommendation.Term {
    let model = agent.modelName
    return switch availability {
    case .available: .init(most, of: most, "\(model) answered or was listed recently")
    case .unknown: .init(5, of: most, "\(model) was not asked recently")
    case .unavailable: .init(0, of: most, "\(model) is unavailable now")
    }
  }
}
