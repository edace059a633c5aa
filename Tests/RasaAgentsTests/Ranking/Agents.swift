import RasaCore
import RasaPersona

@testable import RasaAgents

/// An agent in one line.
func agent(
  _ id: String, _ capabilities: [String] = [], name: String? = nil, description: String = "",
  profile: PerformanceProfile? = nil, examples: [String] = []
) -> Agent {
  var agent = Agent(id: id, name: name ?? id, description: description)
  agent.capabilities = capabilities
  agent.profile = profile
  agent.exampleQueries = examples
  return agent
}

func registry(_ agents: Agent...) -> AgentRegistry { registry(agents) }

func registry(_ agents: [Agent]) -> AgentRegistry {
  AgentRegistry(agents.map { .init(agent: $0, relevance: AgentTerms.note($0, prompt: "")) })
}

extension Recommender {
  static let plain = Recommender(related: RelatedTerms())

  /// Every agent that matches the task at all, including those that do not fit.
  func all(_ task: String, among registry: AgentRegistry) -> Recommendations {
    recommend(.init(task: task, limit: 100_000, includesUnfit: true), among: registry)
  }

  func one(_ id: String, for task: String, among registry: AgentRegistry) -> Recommendation? {
    all(task, among: registry).agents.first { $0.agent == id }
  }
}

extension Recommendation {
  /// `design = exact design`, in the order of the task.
  var matchLines: [String] { matches.map { "\($0.requirement): \($0.kind.rawValue) \($0.with)" } }
}
