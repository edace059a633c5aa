import RasaCore
package import RasaPersona

/// Conditions on agents. Missing conditions match everything, and so does an empty filter.
package struct AgentFilter: Sendable, Hashable {
  package enum Logic: Sendable, Hashable {
    /// All conditions must match.
    case all
    /// One condition must match.
    case any
  }
  package var query: AgentQuery?
  /// A part of the category.
  package var category: String?
  /// The agent's engine, or one of a model that it recommends.
  package var engine: String?
  /// A part of the name of its model, or of one that it recommends.
  package var model: String?
  /// One of its tags or capabilities.
  package var tags: [String]
  package var logic: Logic

  package init(
    query: AgentQuery? = nil, category: String? = nil, engine: String? = nil,
    model: String? = nil, tags: [String] = [], logic: Logic = .all
  ) {
    self.query = query
    self.category = category
    self.engine = engine
    self.model = model
    self.tags = tags
    self.logic = logic
  }
}

extension AgentRegistry {
  /// The matching agents in the given order; without one, those that the query found come first,
  /// best first, then the others by ID.
  package func select(_ filter: AgentFilter, sortedBy orders: [AgentOrder] = []) -> [Entry] {
    let matches = matches(filter)
    return orders.isEmpty ? matches.map(\.entry) : matches.map(\.entry).sorted(by: orders)
  }

  /// Like `select`, with the result of the query. Agents that match without it have a closeness of
  /// zero.
  package func matches(_ filter: AgentFilter) -> [AgentMatch] {
    let tests = filter.tests
    let found = filter.query.map(search)
    guard let found else {
      return entries.filter { filter.fits($0.agent, tests) }
        .map { AgentMatch(entry: $0, field: .id, closeness: 0) }
    }
    guard !tests.isEmpty else { return found }
    switch filter.logic {
    case .all: return found.filter { filter.fits($0.agent, tests) }
    case .any:
      let ids = Set(found.map(\.agent.id))
      let others = entries.filter {
        !ids.contains($0.agent.id) && filter.fits($0.agent, tests)
      }
      return found + others.map { AgentMatch(entry: $0, field: .id, closeness: 0) }
    }
  }
}

extension AgentFilter {
  /// All conditions but the query.
  fileprivate var tests: [(Agent) -> Bool] {
    var tests: [(Agent) -> Bool] = []
    if let category = normalized(category) {
      tests.append { $0.category?.lowercased().hasBytes(category) == true }
    }
    if let engine = normalized(engine) {
      tests.append { $0.engines.contains { $0.lowercased() == engine } }
    }
    if let model = normalized(model) {
      tests.append { $0.modelNames.contains { $0.lowercased().hasBytes(model) } }
    }
    let tags = Set(tags.compactMap(normalized).map(asTag))
    if !tags.isEmpty {
      tests.append { agent in
        agent.tags.contains { tags.contains(asTag($0.lowercased())) }
          || agent.capabilities.contains { tags.contains(asTag($0.lowercased())) }
      }
    }
    return tests
  }

  fileprivate func fits(_ agent: Agent, _ tests: [(Agent) -> Bool]) -> Bool {
    guard !tests.isEmpty else { return true }
    switch logic {
    case .all: return tests.allSatisfy { $0(agent) }
    case .any: return tests.contains { $0(agent) }
    }
  }

  private func normalized(_ text: String?) -> String? {
    let text = trimmed(text ?? "").lowercased()
    return text.isEmpty ? nil : text
  }
}

/// `system_design`, `system design` and `system-design` are one tag.
private func asTag(_ text: String) -> String {
  String(text.map { $0 == "_" || $0 == " " ? "-" : $0 })
}

extension Agent {
  /// Its own engine, and those of the models that it recommends.
  package var engines: [String] {
    (engine.map { [$0] } ?? []) + recommended.compactMap(\.engine)
  }

  /// Its own model, and those that it recommends.
  package var modelNames: [String] { (model.map { [$0] } ?? []) + recommended.map(\.model) }

  private var recommended: [ModelReference] {
    [models.primary, models.fallback, models.premium].compactMap { $0 }
  }
}
