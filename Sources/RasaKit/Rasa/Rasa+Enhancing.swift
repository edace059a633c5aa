import RasaAgents
import RasaCore
import RasaModels
import RasaPersona
import RasaSystem

extension Rasa {
  /// What an agent's file does not say, and how it would read with it. Nothing has been written.
  public struct AgentEnhancement: Sendable {
    /// A field that is missing, and what it could say.
    public struct Proposal: Sendable, Hashable, Codable {
      /// The field, such as `capabilities`.
      public var key: String
      /// A text, a list of texts, or an object of texts.
      public var value: JSON
      /// What it follows from.
      public var reason: String
    }

    /// The agent.
    public let agent: String
    /// The file that the fields go to.
    public let file: String
    /// What the file would say more; empty where nothing is missing.
    public let proposals: [Proposal]
    /// The file as it is.
    public var before: String { String(decoding: document.bytes, as: UTF8.self) }
    /// The file as it would be.
    public var after: String { String(decoding: bytes, as: UTF8.self) }

    fileprivate let document: SourceDocument
    fileprivate let bytes: [UInt8]
  }

  /// How an agent is to be enhanced.
  public struct EnhanceOptions: Sendable {
    /// A model that is proposed for the agent, and asked where a model is asked: `model` or
    /// `provider:model`.
    public var model: String?
    /// Whether a model describes the agent. Otherwise everything follows from its own words.
    public var asksModel = false
    /// The most that this may cost.
    public var maxCost: Dollars?
    /// Called before a model is asked; throws to keep that from happening.
    public var beforeAsking: (@Sendable () async throws -> Void)?
    /// Receives which model is going to be asked, and what that costs at most.
    public var notify: (@Sendable (String) -> Void)?

    /// By the agent's own words.
    public init() {}
  }

  /// The files that a word means: an agent's by its id or name, a file, or all agents' of a folder.
  ///
  /// - Throws: A `RasaError` of code `configuration` when there is no such agent.
  public func agentFiles(_ word: String) async throws(RasaError) -> [String] {
    try await prepared { rasa throws(Failure) in
      try AgentFileResolver(rasa.composition, warn: rasa.warn).files(word)
    }
  }

  /// Proposes what an agent's file does not say.
  ///
  /// - Parameters:
  ///   - word: The agent's id or name, or its file.
  ///   - options: Whether a model is asked, and what that may cost.
  /// - Throws: A `RasaError` of code `usage` when the agent ships with rasa or has the form of another tool,
  ///   and so is not changed.
  public func enhancement(
    ofAgent word: String, options: EnhanceOptions = EnhanceOptions()
  ) async throws(RasaError) -> AgentEnhancement {
    try await redacted {
      let resolver = AgentFileResolver(composition, warn: warn)
      let documents = try resolver.documents(at: try resolver.file(word))
      let loaded = try AgentLoader.load(documents, engines: try resolver.engines()).get()
      let agent = loaded.agent
      guard let document = documents.prompt, let prompt = loaded.prompt else {
        throw loaded.missingPrompt
          ?? Failure(.configuration, "the agent `\(agent.id)` has no prompt to analyse")
      }
      guard !document.path.hasPrefix("shipped:") else {
        throw Failure(
          .usage, "`\(agent.id)` ships with rasa and cannot be changed",
          suggestion: "`rasa agents copy \(agent.id)` writes a copy to change")
      }
      guard agent.files.kind == .rasa else {
        throw Failure(
          .usage, "\(document.path) is a \(agent.files.kind.name), which is not changed",
          suggestion: "`rasa import \(document.path)` converts it to a rasa agent")
      }
      let model = options.model.map(ModelConfiguration.reference)
      var proposals = AgentProposal.byRules(for: agent, prompt: prompt.text, model: model)
      if options.asksModel {
        let asked = try await AgentDescriber(
          services: services, beforeAsking: options.beforeAsking,
          notify: options.notify ?? { _ in }, warn: { self.warn($0) }
        ).proposals(
          for: agent, prompt: prompt.text, model: model, maxCost: options.maxCost?.money)
        proposals = proposals.map { own in asked.first { $0.key == own.key } ?? own }
      }
      proposals = try FrontMatterEdit.new(proposals, in: document)
      // What ties a front matter to the agent that its TOML file is.
      let identity = [("agent_id", agent.id), ("name", agent.name)].map {
        AgentProposal(key: $0.0, value: .string($0.1), reason: "the TOML file")
      }
      return AgentEnhancement(
        agent: agent.id, file: document.path,
        proposals: proposals.map {
          AgentEnhancement.Proposal(key: $0.key, value: JSON($0.value), reason: $0.reason)
        },
        document: document,
        bytes: try FrontMatterEdit.adding(proposals, to: document, identity: identity))
    }
  }

  /// Writes an enhancement to the agent's file.
  ///
  /// - Throws: A `RasaError` of code `configuration` when the file has changed since it was read. It is left
  ///   as it is then.
  public func apply(_ enhancement: AgentEnhancement) async throws(RasaError) {
    try await prepared { rasa throws(Failure) in
      let document = enhancement.document
      guard try FileSystem.read(document.path, limit: 10_000_000) == document.bytes else {
        throw Failure(
          .configuration, "\(document.path) has changed since, so nothing was written",
          suggestion: "try again")
      }
      try rasa.composition.agents.replace(enhancement.bytes, in: document.path)
    }
  }
}
