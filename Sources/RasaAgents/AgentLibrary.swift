package import RasaCore
package import RasaPersona
import RasaSystem

/// The agents of a user and a project, discovered on first use, and their files in their current
/// state whenever one is run.
///
/// Readers of the result never wait for a new scan.
package final class AgentLibrary: AgentSource {
  let discovery: AgentDiscovery
  private let looked = Locked<DiscoveryScan?>(nil)
  /// Which look is the newest that began, and the newest whose findings count.
  private let looks = Locked((begun: 0, counted: 0))

  package init(_ discovery: AgentDiscovery) { self.discovery = discovery }

  /// The result of the last scan.
  package var found: DiscoveredAgents { survey().found }

  /// The same, or nil before the first scan.
  package var foundSoFar: DiscoveredAgents? { looked.withLock { $0?.found } }

  /// Scans again; unchanged files are not read again.
  @discardableResult
  package func refresh() -> DiscoveredAgents { look().found }

  /// The current state. Nothing is locked while folders are read: of concurrent scans, the one that started
  /// last wins.
  func look() -> DiscoveryScan {
    let number = looks.withLock { looks in
      looks.begun += 1
      return looks.begun
    }
    let survey = discovery.look(remembering: looked.withLock { $0?.memory })
    looks.withLock { looks in
      guard number > looks.counted else { return }
      looks.counted = number
      looked.withLock { $0 = survey }
    }
    return survey
  }

  /// The state at the last scan.
  func survey() -> DiscoveryScan { looked.withLock { $0 } ?? look() }

  // MARK: Source

  package func agentIDs() -> [String] { found.registry.ids }

  package func limits(ofAgent id: String) -> [CostBudget] { found.limits(of: id) }

  package func duplicates(ofAgent id: String) -> [Warning] { found.duplicates(of: id) }

  package func agentID(for word: String) -> String? { found.registry.id(for: word) }

  /// If a file that was meant to be this agent is broken, running it fails, even if another folder
  /// has an agent with that ID.
  package func documents(ofAgent id: String) throws(Failure) -> AgentDocuments? {
    let wasLooked = looked.withLock { $0 != nil }
    if let documents = try? read(id) { return documents }
    // Moved, removed or fixed since.
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
  /// One failure that includes all of them.
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
