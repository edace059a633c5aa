package import RasaCore
import RasaDocuments

/// A missing field of an agent, and a proposed value.
package struct AgentProposal: Sendable, Hashable {
  package var key: String
  /// A text, a list of texts, or a mapping of texts.
  package var value: Value
  /// What it was derived from.
  package var reason: String

  package init(key: String, value: Value, reason: String) {
    self.key = key
    self.value = value
    self.reason = reason
  }
}

extension AgentProposal {
  /// The fields that can be proposed, in the order in which they are written.
  package static let keys = [
    "display_name", "capabilities", "performance_profile", "recommended_models", "tags",
    "example_queries",
  ]

  /// Those of these fields that the agent does not have.
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
  /// The model beside `engine`, in the form of a recommendation.
  var ownModel: ModelReference? { model.map { ModelReference(engine: engine, model: $0) } }
}

extension AgentProposal {
  private static let mostCapabilities = 8
  private static let mostQueries = 3

  /// What follows from the agent's own text. Nothing is invented.
  ///
  /// - Parameter model: a model that was named for the agent.
  package static func byRules(
    for agent: Agent, prompt: String, model: ModelReference? = nil
  ) -> [AgentProposal] {
    let evidence = AgentEvidence(agent, prompt)
    let missing = Set(missing(from: agent))
    return keys.compactMap { key in
      missing.contains(key) ? proposal(key, agent, evidence, model) : nil
    }
  }

  private static func proposal(
    _ key: String, _ agent: Agent, _ evidence: AgentEvidence, _ model: ModelReference?
  ) -> AgentProposal? {
    switch key {
    case "display_name":
      return AgentProposal(
        key: key, value: .string(displayName(of: agent.id)), reason: "the words of its ID")
    case "capabilities":
      var names = evidence.skills.prefix(mostCapabilities / 2).map(\.name)
      // The author's own words say more than generic ones.
      for name in evidence.topics + evidence.skills.map(\.name)
      where names.count < mostCapabilities && !names.contains(name) {
        names.append(name)
      }
      if names.isEmpty { names = [subject(of: agent.id)] }
      return list(key, names, "its name, description and prompt")
    case "performance_profile":
      let (profile, reason) = evidence.profile
      return AgentProposal(key: key, value: .string(profile.rawValue), reason: reason)
    case "recommended_models":
      // `sonnet` alone does not say which provider has it.
      guard let model = model ?? agent.ownModel.flatMap({ $0.engine == nil ? nil : $0 }) else {
        return nil
      }
      return AgentProposal(
        key: key, value: ["primary": .string(model.description)], reason: "the model that it names")
    case "tags":
      var tags: [String] = []
      let folders = (agent.category ?? "").split(separator: "/").map(String.init)
      for tag in folders + evidence.skills.prefix(mostCapabilities).map(\.field.rawValue)
      where !tags.contains(tag) {
        tags.append(tag)
      }
      return list(key, tags, "its category and capabilities")
    default:
      let quoted = AgentEvidence.quotedQueries(in: agent.description)
      let queries = quoted.isEmpty ? evidence.skills.map(\.query) : quoted
      return list(
        key, Array(queries.prefix(mostQueries)),
        quoted.isEmpty ? "its capabilities" : "the examples in its description")
    }
  }

  private static func list(_ key: String, _ texts: [String], _ reason: String) -> AgentProposal? {
    guard !texts.isEmpty else { return nil }
    return AgentProposal(key: key, value: .array(texts.map { .string($0) }), reason: reason)
  }

  /// `api-design-agent` is the `API Design Agent`.
  package static func displayName(of id: String) -> String {
    let short: Set<Substring> = [
      "ai", "api", "aws", "cd", "ci", "cpu", "css", "csv", "db", "gpu", "hr", "html", "http", "io",
      "it", "json", "llm", "ml", "pdf", "pr", "qa", "rest", "sdk", "seo", "sql", "sre", "ui", "ux",
      "xml", "yaml",
    ]
    return id.split(separator: "-").map { word in
      short.contains(word) ? word.uppercased() : word.prefix(1).uppercased() + word.dropFirst()
    }.joined(separator: " ")
  }

  /// The subject of an ID, without words such as `agent`.
  private static func subject(of id: String) -> String {
    let kinds: Set<Substring> = ["agent", "assistant", "bot", "expert", "helper", "specialist"]
    let trades: Set<Substring> = [
      "analyst", "builder", "checker", "designer", "developer", "editor", "engineer", "generator",
      "maker", "manager", "planner", "reviewer", "writer",
    ]
    var words = id.split(separator: "-").filter { !kinds.contains($0) }
    // `release-notes` describes a release-notes-writer well; `code` alone would say too little.
    if words.count > 2, let last = words.last, trades.contains(last) { words.removeLast() }
    return words.isEmpty ? id : words.joined(separator: "-")
  }
}
