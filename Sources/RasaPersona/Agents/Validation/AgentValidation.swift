package import RasaCore

/// Checks of an agent beyond reading it: whether its prompt can be rendered, and whether the agents
/// that it names exist.
package struct AgentValidation: Sendable {
  package struct Findings: Sendable {
    package var failures: [Failure] = []
    package var warnings: [Warning] = []
    package init(failures: [Failure] = [], warnings: [Warning] = []) {
      self.failures = failures
      self.warnings = warnings
    }
  }

  /// Reads a file that the prompt of these documents inserts; throws if it cannot be inserted.
  package typealias Insertion =
    @Sendable (_ path: String, _ documents: AgentDocuments) throws(Failure) -> SourceDocument

  /// All agents, by ID.
  package var agents: [String: Agent]
  package var insert: Insertion
  /// A name without a value is an error even if the agent treats it as empty.
  package var isStrict: Bool

  package init(
    agents: [String: Agent], isStrict: Bool = false, insert: @escaping Insertion
  ) {
    self.agents = agents
    self.isStrict = isStrict
    self.insert = insert
  }

  static let shortestDescription = 20

  /// All findings from reading and from these checks, in the order of the files.
  package func findings(
    on documents: AgentDocuments, _ reading: Reading<AgentLoader.LoadedAgent>
  ) -> Findings {
    var findings = Findings(failures: reading.failures, warnings: reading.warnings)
    guard let loaded = reading.definition else { return findings }
    let places = AgentExcerpts(documents)
    checkMetadata(loaded.agent, places, &findings)
    if let notice = loaded.agent.unusedNotice {
      findings.warnings.append(
        Warning(notice.message, at: places[loaded.agent.unused.first ?? "tools"]))
    }
    checkNeighbours(loaded.agent, places, &findings)
    checkPrompt(loaded, documents, places, &findings)
    return findings
  }
}

// MARK: Metadata

extension AgentValidation {
  private func checkMetadata(
    _ agent: Agent, _ places: AgentExcerpts, _ findings: inout Findings
  ) {
    if AgentDraft.isPlaceholder(agent.description) {
      findings.failures.append(
        places.failure(
          "the description is still the placeholder of a new agent",
          suggestion: "say what the agent does and when to use it, and write its prompt",
          at: places["description"]))
    }
    let count = agent.description.unicodeScalars.count
    if count < Self.shortestDescription {
      findings.warnings.append(
        Warning(
          count == 0
            ? "the agent has no description, so other agents are recommended first"
            : "the description is too short for recommendations; say when to use the agent",
          at: places["description"]))
    }
    if agent.capabilities.isEmpty {
      findings.warnings.append(
        Warning(
          "the agent lists no `capabilities`, so what it can do is derived from its text; "
            + "`rasa agents enhance` proposes some", at: places["capabilities"]))
    }
  }
}

// MARK: Other agents

extension AgentValidation {
  private func checkNeighbours(
    _ agent: Agent, _ places: AgentExcerpts, _ findings: inout Findings
  ) {
    for name in agent.worksWellWith where agents[name] == nil {
      if let id = AgentID.make(of: name), agents[id] != nil { continue }
      let nearest = nearestName(to: name, among: agents.keys.sorted())
      findings.warnings.append(
        Warning(
          "`works_well_with` names `\(DocumentReader.printable(name))`, but there is no such agent"
            + (nearest.map { "; did you mean `\($0)`?" } ?? ""), at: places["works_well_with"]))
    }
    for (sentence, hint) in AgentNarrowing().and(agent.agents).unknown(among: agents.keys.sorted())
    {
      findings.warnings.append(
        Warning(sentence + (hint.map { "; \($0)" } ?? ""), at: places["agents"]))
    }
    guard let trigger = agent.trigger else { return }
    if agents[trigger.agent] == nil, trigger.agent != agent.id {
      let nearest = nearestName(to: trigger.agent, among: agents.keys.sorted())
      findings.failures.append(
        places.failure(
          "`trigger_behavior` names `\(trigger.agent)`, but there is no such agent",
          suggestion: nearest.map { "did you mean `\($0)`?" }
            ?? "`rasa agents list` lists the agents", at: trigger.location))
    } else if let cycle = cycle(from: agent) {
      let way = cycle.ids.joined(separator: " -> ")
      if cycle.isConditional {
        findings.warnings.append(
          Warning(
            "the agents trigger each other and stop only at a condition or the depth limit: "
              + way, at: trigger.location))
      } else {
        findings.failures.append(
          places.failure(
            cycle.ids.count == 2
              ? "the agent triggers itself: \(way)"
              : "the agents trigger each other without end: \(way)",
            suggestion: "remove a trigger, or give it a `when`; to run again, use `loop_behavior`",
            at: trigger.location))
      }
    }
  }

  /// The path from an agent along its triggers back to itself; nil if there is none.
  private func cycle(from agent: Agent) -> (ids: [String], isConditional: Bool)? {
    var ids = [agent.id]
    var seen: Set<String> = []
    var isConditional = false
    var current = agent
    while let trigger = current.trigger {
      isConditional = isConditional || trigger.when != nil
      ids.append(trigger.agent)
      if trigger.agent == agent.id { return (ids, isConditional) }
      // A cycle further on belongs to other agents.
      guard seen.insert(trigger.agent).inserted, let next = agents[trigger.agent] else {
        return nil
      }
      current = next
    }
    return nil
  }
}
