package import RasaPersona

/// Agents by ID, as an immutable value: readers keep theirs while others build the next one.
package struct AgentRegistry: Sendable {
  /// One agent. Entries are immutable and shared between registries, so that the next registry
  /// costs little more than its list.
  package final class Entry: Sendable {
    package let agent: Agent
    /// The data about the agent's words for recommendation, from `AgentDiscovery.note`.
    package let relevance: [UInt8]
    package init(agent: Agent, relevance: [UInt8] = []) {
      self.agent = agent
      self.relevance = relevance
    }
  }

  /// Sorted by id.
  package let entries: [Entry]
  private let places: [String: Int]
  /// Built on the first search for similar words.
  let vocabulary: LazyVocabulary

  /// Of several agents with one ID, the first counts.
  package init(_ entries: [Entry] = []) {
    var places: [String: Int] = [:]
    places.reserveCapacity(entries.count)
    var kept: [(id: String, entry: Entry)] = []
    kept.reserveCapacity(entries.count)
    for entry in entries {
      let id = entry.agent.id
      if places.updateValue(0, forKey: id) == nil { kept.append((id, entry)) }
    }
    kept.sort { $0.id < $1.id }
    for (index, pair) in kept.enumerated() { places[pair.id] = index }
    self.entries = kept.map(\.entry)
    self.places = places
    vocabulary = LazyVocabulary()
  }

  package var count: Int { entries.count }
  package var agents: [Agent] { entries.map(\.agent) }
  package var ids: [String] { entries.map(\.agent.id) }

  package subscript(id: String) -> Entry? { places[id].map { entries[$0] } }

  /// The ID that a word refers to: an ID, a name that becomes one, or the display name of exactly
  /// one agent.
  package func id(for word: String) -> String? {
    if let entry = self[word] { return entry.agent.id }
    let named = entries.filter { $0.agent.name.lowercased() == word.lowercased() }
    if named.count == 1 { return named[0].agent.id }
    guard named.isEmpty, let id = AgentID.make(of: word) else { return nil }
    return self[id]?.agent.id
  }

  /// The registry with these entries added, replacing those with the same IDs.
  package func replacing(with others: [Entry]) -> AgentRegistry {
    AgentRegistry(others + entries)
  }
}

extension AgentRegistry {
  package func narrowed(to narrowing: AgentNarrowing) -> AgentRegistry {
    guard !narrowing.isEmpty else { return self }
    return AgentRegistry(entries.filter { narrowing.allows($0.agent.id) })
  }
}
