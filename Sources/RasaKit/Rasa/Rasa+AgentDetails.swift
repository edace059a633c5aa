import RasaAgents
import RasaCore
import RasaPersona

extension Rasa {
  /// Everything about one agent, as its files are now.
  public struct AgentDetails: Sendable {
    private let own: RasaPersona.Agent
    /// The words of its prompt; nil when they are not there, so that the agent cannot run.
    public let prompt: String?
    /// The files that this agent takes the place of.
    public let shadowed: [String]
    /// What is odd about its files.
    public let warnings: [FileWarning]

    init(
      _ agent: RasaPersona.Agent, prompt: String?, shadowed: [String], warnings: [FileWarning]
    ) {
      own = agent
      self.prompt = prompt
      self.shadowed = shadowed
      self.warnings = warnings
    }

    /// The agent.
    public var agent: Agent { Agent(own, prompt: prompt) }
    /// Whose form its file has.
    public var format: AgentFormat { AgentFormat(own.files.kind) }
    /// The fields of its file that mean nothing to rasa.
    public var ignoredFields: [String] { own.unused }
    /// Everything that is known of it, as `rasa agents info --json` prints it.
    public var json: JSON {
      var object = own.page
      object["shadows"] = .array(shadowed.map(Value.string))
      object["warnings"] = .array(warnings.map { .string($0.description) })
      for (key, value) in own.pageEnd { object[key] = value }
      object["prompt_bytes"] = prompt.map { .int(Int64($0.utf8.count)) } ?? .null
      return JSON(.object(object))
    }
  }

  /// An agent by its id or name, or by its file.
  ///
  /// - Throws: A `RasaError` of code `configuration` when there is none, or its files are broken.
  public func details(ofAgent word: String) async throws(RasaError) -> AgentDetails {
    try await prepared { rasa throws(Failure) in
      let composition = rasa.composition
      let found = composition.agents.found
      guard let documents = try rasa.documents(ofAgent: word) else {
        throw composition.library.unknownAgent(word)
      }
      let reading = AgentLoader.load(documents, engines: composition.library.engines)
      let loaded = try reading.get()
      let id = loaded.agent.id
      var warnings = reading.warnings
      if !CompositionRoot.isAgentPath(word) { warnings += rasa.registered.duplicates(ofAgent: id) }
      if let notice = loaded.agent.unusedNotice { warnings.append(notice) }
      return AgentDetails(
        loaded.agent, prompt: loaded.prompt?.text,
        shadowed: found.shadowed.filter { $0.id == id }.map(\.file),
        warnings: warnings.map { FileWarning($0) })
    }
  }

  private func documents(ofAgent word: String) throws(Failure) -> AgentDocuments? {
    if CompositionRoot.isAgentPath(word) { return try composition.agents.documents(at: word) }
    if let documents = try registered.documents(ofAgent: word) { return documents }
    guard let id = registered.agentID(for: word) else { return nil }
    return try registered.documents(ofAgent: id)
  }
}
