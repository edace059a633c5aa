package import RasaCore

/// A field that an agent lacks, and what it could say.
package struct AgentProposal: Sendable, Hashable {
  package var key: String
  /// A text, a list of texts, or a mapping of texts.
  package var value: Value
  /// What it was made of.
  package var reason: String

  package init(key: String, value: Value, reason: String) {
    self.key = key
    self.value = value
    self.reason = reason
  }
}

extension AgentProposal {
  /// The fields that can be proposed, in the order that they are written in.
  package static let keys = [
    "display_name", "capabilities", "performance_profile", "recommended_models", "tags",
    "example_queries",
  ]

  /// Those of these fields that the agent does not say.
  package static func missing(from agent: Agent) -> [String] {
    keys.filter { key in
      switch key {
      case "display_name": agent.name == agent.id
      case "capabilities": agent.capabilities.isEmpty
      case "performance_profile": agent.profile == nil && agent.traits == PerformanceTraits()
      case "recommended_models":
        agent.models.fallback == nil && agent.models.premium == nil
          && agent.models.primary == agent.ownModel
      case "tags": agent.tags.isEmpty
      default: agent.exampleQueries.isEmpty
      }
    }
  }
}

extension Agent {
  /// The model that stands beside `engine`, as it would be recommended.
  var ownModel: ModelReference? { model.map { ModelReference(engine: engine, model: $0) } }
}
