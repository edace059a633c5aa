package import RasaPersona

/// Which agents are wanted. What is left out is not asked for: an empty filter fits all.
package struct AgentFilter: Sendable, Hashable {
  package enum Logic: Sendable, Hashable {
    /// Everything that is asked for has to fit.
    case all
    /// One thing of it has to.
    case any
  }
  package var query: AgentQuery?
  /// A part of the category.
  package var category: String?
  /// An engine that it names, for itself or for a model that it recommends.
  package var engine: String?
  /// A part of the name of a model that it names or recommends.
  package var model: String?
  /// One of these among its tags and capabilities.
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
  /// The agents that fit, in the given order; without one those that the query found best come
  /// first, then by id.
  package func select(_ filter: AgentFilter, sortedBy orders: [AgentOrder] = []) -> [Entry] {
    let matches = matches(filter)
    return orders.isEmpty ? matches.map(\.entry) : matches.map(\.entry).sorted(by: orders)
  }

  /// As `select`, with what the query found. What fits without it is as close as nothing.
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
  /// Everything that is asked of an agent beside the query.
  fileprivate var tests: [(Agent) -> Bool] {
    var tests: [(Agent) -> Bool] = []
    if let category = asked(category) {
      tests.append { $0.category?.lowercased().contains(category) == true }
    }
    if let engine = asked(engine) {
      tests.append { $0.engines.contains { $0.lowercased() == engine } }
    }
    if let model = asked(model) {
      tests.append { $0.modelNames.contains { $0.lowercased().contains(model) } }
    }
    let tags = Set(tags.compactMap(asked).map(asTag))
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

  private func asked(_ text: String?) -> String? {
    let text = trimmed(text ?? "").lowercased()
    return text.isEmpty ? nil : text
  }
}

/// `system_design`, `system design` and `system-design` are one tag.
private func asTag(_ text: String) -> String {
  String(text.map { $0 == "_" || $0 == " " ? "-" : $0 })
}

extension Agent {
  /// Those that it names, for itself or for a model that it recommends.
  package var engines: [String] {
    (engine.map { [$0] } ?? []) + recommended.compactMap(\.engine)
  }

  /// Those that it names or recommends.
  package var modelNames: [String] { (model.map { [$0] } ?? []) + recommended.map(\.model) }

  private var recommended: [ModelReference] {
    [models.primary, models.fallback, models.premium].compactMap { $0 }
  }
}
