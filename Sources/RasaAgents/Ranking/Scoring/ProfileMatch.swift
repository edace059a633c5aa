import RasaPersona

/// 0–20: how close the agent's profile is to what the task needs.
enum ProfileMatch {
  static func value(of profile: PerformanceProfile?, _ complexity: TaskComplexity) -> Double {
    // No agent loses points if no profile was requested.
    guard !complexity.isAssumed else { return 20 }
    let distance = abs(rank(profile ?? .balanced) - rank(complexity.profile))
    return switch distance {
    case 0: 20
    case 1: 12
    case 2: 5
    default: 0
    }
  }

  static func term(of agent: Agent, _ complexity: TaskComplexity) -> Recommendation.Term {
    let own = agent.profile.map(\.rawValue) ?? "balanced by default"
    guard !complexity.isAssumed else {
      return .init(20, of: 20, "\(complexity.reason), and the agent is \(own)")
    }
    return .init(
      value(of: agent.profile, complexity), of: 20,
      "\(complexity.profile.rawValue) is wanted (\(complexity.reason)), the agent is \(own)")
  }

  private static func rank(_ profile: PerformanceProfile) -> Int {
    PerformanceProfile.allCases.firstIndex(of: profile) ?? 0
  }
}
