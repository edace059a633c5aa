package import RasaCore
package import RasaPersona
import RasaSystem

/// The agents of a user and a project, looked up when somebody first asks, and their files as they
/// are whenever somebody runs one.
///
/// Who reads what was found never waits for somebody who is looking again.
package final class AgentLibrary: AgentSource {
  let discovery: AgentDiscovery
  private let looked = Locked<AgentSurvey?>(nil)
  /// Who looks again does so after whoever is at it.
  private let looking = Locked(false)

  package init(_ discovery: AgentDiscovery) { self.discovery = discovery }

  /// What was found when somebody last looked.
  package var found: DiscoveredAgents { survey().found }

  /// The same, where somebody has looked; nil else.
  package var foundSoFar: DiscoveredAgents? { looked.withLock { $0?.found } }

  /// Looks again; what has not changed is not read again.
  @discardableResult
  package func refresh() -> DiscoveredAgents { look().found }

  /// What is there now.
  func look() -> AgentSurvey {
    looking.withLock { _ in
      let survey = discovery.look(remembering: looked.withLock { $0?.memory })
      looked.withLock { $0 = survey }
      return survey
    }
  }

  /// What was there when somebody last looked.
  func survey() -> AgentSurvey {
    if let survey = looked.withLock({ $0 }) { return survey }
    return looking.withLock { _ in
      if let survey = looked.withLock({ $0 }) { return survey }
      let survey = discovery.look()
      looked.withLock { $0 = survey }
      return survey
    }
  }

  // MARK: Source

  package func agentIDs() -> [String] { found.registry.ids }

  package func limits(ofAgent id: String) -> [CostBudget] { found.limits(of: id) }

  package func duplicates(ofAgent id: String) -> [Warning] { found.duplicates(of: id) }

  package func agentID(for word: String) -> String? { found.registry.id(for: word) }

  /// A file that was to be this agent and is broken is a failure, also when another place has an
  /// agent of that id.
  package func documents(ofAgent id: String) throws(Failure) -> AgentDocuments? {
    let wasLooked = looked.withLock { $0 != nil }
    if let documents = try? read(id) { return documents }
    // Moved, removed or mended since.
    if wasLooked { refresh() }
    return try read(id)
  }

  private func read(_ id: String) throws(Failure) -> AgentDocuments? {
    let survey = survey()
    if let broken = survey.found.brokenFile(for: id) { throw broken.failure }
    guard let agent = survey.found.registry[id]?.agent,
      let path = agent.files.config ?? agent.files.prompt, var record = survey.memory[path]?.record
    else { return nil }
    return try discovery.reading().documents(record.file, &record)
  }

  package func insert(
    _ path: String, intoPromptOf documents: AgentDocuments
  ) throws(Failure) -> SourceDocument {
    try discovery.insertion(path, into: documents)
  }
}

extension DiscoveredAgents.Broken {
  /// One that tells of all.
  fileprivate var failure: Failure {
    let reading = Reading<Int>(read: 0, failures: failures, warnings: [])
    do throws(Failure) {
      _ = try reading.get()
      return Failure(.configuration, "\(file) cannot be read")
    } catch {
      return error
    }
  }
}
