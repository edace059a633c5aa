package import RasaCore
package import RasaPersona
import RasaSystem

/// The agents of a user and a project, discovered on first use, and their files in their current
/// state whenever one is run.
///
/// Readers of the result never wait for a new scan.
package final class AgentLibrary: AgentSource {
  let discovery: AgentDiscovery
  private let lastScan = Locked<DiscoveryScan?>(nil)
  /// The number of the newest scan that has started, and of the newest whose result is in use.
  private let scans = Locked((begun: 0, counted: 0))

  package init(_ discovery: AgentDiscovery) { self.discovery = discovery }

  /// The result of the last scan.
  package var found: DiscoveredAgents { scan().found }

  /// The same, or nil before the first scan.
  package var foundSoFar: DiscoveredAgents? { lastScan.withLock { $0?.found } }

  /// Scans again; unchanged files are not read again.
  @discardableResult
  package func refresh() -> DiscoveredAgents { rescan().found }

  /// The current state. No lock is held while folders are read: of concurrent scans, the result of
  /// the one that started last is kept.
  func rescan() -> DiscoveryScan {
    let number = scans.withLock { scans in
      scans.begun += 1
      return scans.begun
    }
    let scan = discovery.scan(remembering: lastScan.withLock { $0?.memory })
    scans.withLock { scans in
      guard number > scans.counted else { return }
      scans.counted = number
      lastScan.withLock { $0 = scan }
    }
    return scan
  }

  /// The state at the last scan.
  func scan() -> DiscoveryScan { lastScan.withLock { $0 } ?? rescan() }

  // MARK: Source

  package func agentIDs() -> [String] { found.registry.ids }

  package func limits(ofAgent id: String) -> [CostBudget] { found.limits(of: id) }

  package func duplicates(ofAgent id: String) -> [Warning] { found.duplicates(of: id) }

  package func agentID(for word: String) -> String? { found.registry.id(for: word) }

  /// If a file that was meant to be this agent is broken, running it fails, even if another folder
  /// has an agent with that ID.
  package func documents(ofAgent id: String) throws(Failure) -> AgentDocuments? {
    let wasScanned = lastScan.withLock { $0 != nil }
    if let documents = try? read(id) { return documents }
    // Moved, removed or fixed since.
    if wasScanned { refresh() }
    return try read(id)
  }

  private func read(_ id: String) throws(Failure) -> AgentDocuments? {
    let scan = scan()
    if let broken = scan.found.brokenFile(for: id) { throw broken.failure }
    guard let agent = scan.found.registry[id]?.agent,
      let path = agent.files.config ?? agent.files.prompt, var record = scan.memory[path]?.record
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
