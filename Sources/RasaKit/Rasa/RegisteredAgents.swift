import RasaAgents
import RasaCore
import RasaPersona
import RasaSystem

/// Agents that a program adds, above those that are found in files.
final class RegisteredAgents: AgentSource {
  private struct Registered: Sendable {
    var documents: AgentDocuments
    var entry: AgentRegistry.Entry
  }

  private let files: AgentLibrary
  /// The folder that their prompts insert files from.
  private let project: String
  private let agents = Locked<[String: Registered]>([:])
  private static let largestInsertion = 1_000_000

  init(files: AgentLibrary, project: String) {
    self.files = files
    self.project = project
  }

  /// Everybody, those who were registered in place of those found under the same id.
  var registry: AgentRegistry { over(files.found.registry) }

  func over(_ registry: AgentRegistry) -> AgentRegistry {
    let own = agents.withLock { $0.values.map(\.entry) }
    return own.isEmpty ? registry : registry.replacing(with: own)
  }

  /// Adds what documents say, after they have been read as files are.
  func add(
    _ documents: AgentDocuments, replacing: Bool, engines: Set<String>
  ) throws(Failure) -> (agent: RasaPersona.Agent, warnings: [Warning]) {
    let reading = AgentLoader.load(documents, engines: engines)
    let loaded = try reading.get()
    // A program says who its agent is.
    guard loaded.agent.files.kind != .prompt else {
      throw Failure(
        .configuration, "the text has no front matter, so it is no agent",
        suggestion: "begin it with `---`, `name: …`, `description: …`, `---`")
    }
    if let missing = loaded.missingPrompt { throw missing }
    let agent = loaded.agent
    var documents = documents
    documents.fileName = agent.id
    let entry = AgentRegistry.Entry(
      agent: agent, relevance: AgentTerms.note(agent, prompt: loaded.prompt?.text ?? ""))
    let isTaken = !replacing && files.found.registry[agent.id] != nil
    let isAdded = agents.withLock { agents in
      if isTaken || (!replacing && agents[agent.id] != nil) { return false }
      agents[agent.id] = Registered(documents: documents, entry: entry)
      return true
    }
    guard isAdded else {
      throw Failure(
        .configuration, "there is already an agent `\(agent.id)`",
        suggestion: "choose another id, or say `replacing: true`")
    }
    return (agent, reading.warnings)
  }

  /// Whether there was one. What was found under its id counts again.
  func remove(_ id: String) -> Bool { agents.withLock { $0.removeValue(forKey: id) != nil } }

  func prompt(of id: String) -> String? {
    guard let documents = agents.withLock({ $0[id]?.documents }) else { return nil }
    return AgentLoader.load(documents).definition?.prompt?.text
  }

  // MARK: Source

  func documents(ofAgent id: String) throws(Failure) -> AgentDocuments? {
    if let own = agents.withLock({ $0[id]?.documents }) { return own }
    return try files.documents(ofAgent: id)
  }

  func limits(ofAgent id: String) -> [CostBudget] {
    agents.withLock { $0[id] != nil } ? [] : files.limits(ofAgent: id)
  }

  func agentIDs() -> [String] { registry.ids }

  func duplicates(ofAgent id: String) -> [Warning] {
    agents.withLock { $0[id] != nil } ? [] : files.duplicates(ofAgent: id)
  }

  func agentID(for word: String) -> String? { registry.id(for: word) }

  func insert(
    _ path: String, intoPromptOf documents: AgentDocuments
  ) throws(Failure) -> SourceDocument {
    guard documents.origin == Self.origin else {
      return try files.insert(path, intoPromptOf: documents)
    }
    return SourceDocument(
      bytes: try FileSystem.read(path, beneath: project, limit: Self.largestInsertion),
      path: FileSystem.path(path, in: project))
  }

  static let origin = "registered"
}
