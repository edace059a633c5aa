import RasaAgents
import RasaCore
import RasaPersona

extension Rasa {
  /// What was found when somebody looked.
  public struct Discovery: Sendable {
    /// An agent that is not used because another file has its ID.
    public struct Shadowed: Sendable, Hashable {
      /// The id that both have.
      public var id: String
      /// The file that is not used.
      public var file: String
      /// The file that is used.
      public var by: String
    }

    private let registry: AgentRegistry
    /// Sorted by id.
    public var agents: [Agent] { registry.agents.map { Agent($0) } }
    /// Files that are no agents although they should be; the rest is found all the same.
    public let problems: [RasaError]
    /// What is odd about files that were found.
    public let warnings: [FileWarning]
    /// What is to be known about files of other tools, and about files that are no agents: a sentence for
    /// each kind and folder.
    public let notes: [String]
    /// Agents that are not used because another file has their ID.
    public let shadowed: [Shadowed]

    init(_ registry: AgentRegistry, _ found: DiscoveredAgents, _ redaction: Redaction) {
      self.registry = registry
      problems = found.failures.map { RasaError(redaction($0)) }
      warnings = found.warnings.map { FileWarning($0, redaction) }
      notes = found.notes.map { redaction($0.description) }
      shadowed = found.shadowed.map { Shadowed(id: $0.id, file: $0.file, by: $0.by) }
    }
  }

  /// Looks into all folders again; what has not changed is not read again.
  ///
  /// Folders come in the order `project/agents`, `home/agents`, `$RASA_WORKSPACE/agents`,
  /// extensions, what ships; the first that has an id wins.
  ///
  /// Readers of `agents` and `agent` do not wait for it: they have what was found before.
  @concurrent
  public func discover() async -> Discovery {
    discovery(composition.agents.refresh())
  }

  func discovery(_ found: DiscoveredAgents) -> Discovery {
    Discovery(registered.over(found.registry), found, composition.redaction)
  }

  /// Which agents are wanted. What is left out is not asked for.
  public struct Filter: Sendable, Hashable {
    /// How the text of a search is compared.
    public enum Mode: String, Sendable, Hashable, CaseIterable {
      /// The id or name is the text.
      case exact
      /// ID, name or description contains the text.
      case contains
      /// The id, the name or a word of the description is nearly the text.
      case fuzzy
    }

    /// How several conditions go together.
    public enum Logic: Sendable, Hashable {
      /// Everything that is asked for has to fit.
      case all
      /// One thing of it has to.
      case any
    }

    /// Text to look for.
    public var search: String?
    /// How the text is compared.
    public var mode: Mode
    /// How close a fuzzy search has to come, from 0 to 1.
    public var threshold: Double
    /// A part of the category.
    public var category: String?
    /// The name of a provider.
    public var engine: String?
    /// A part of the name of a model.
    public var model: String?
    /// One of these, among tags and capabilities.
    public var tags: [String]
    /// How the conditions go together.
    public var logic: Logic

    /// A filter; what is left out is not asked for.
    public init(
      search: String? = nil, mode: Mode = .contains, threshold: Double = 0.7,
      category: String? = nil, engine: String? = nil, model: String? = nil, tags: [String] = [],
      logic: Logic = .all
    ) {
      self.search = search
      self.mode = mode
      self.threshold = threshold
      self.category = category
      self.engine = engine
      self.model = model
      self.tags = tags
      self.logic = logic
    }

    var own: AgentFilter {
      AgentFilter(
        query: search.map {
          AgentQuery(
            $0, mode: AgentQuery.Mode(rawValue: mode.rawValue) ?? .contains, threshold: threshold)
        },
        category: category, engine: engine, model: model, tags: tags,
        logic: logic == .all ? .all : .any)
    }
  }

  /// What agents are sorted by; agents without it come last.
  public enum SortField: String, Sendable, Hashable, CaseIterable {
    /// The id.
    case id
    /// What people call it.
    case name
    /// The field of work.
    case category
    /// The provider of its first model.
    case engine
    /// Its first model.
    case model
  }

  /// The agents that fit, sorted by these fields, one after the other; without any, those that were
  /// searched for come with the best first, else by id.
  ///
  /// They are those of the last look, or of the first, which this makes when there was none.
  @concurrent
  public func agents(
    _ filter: Filter = Filter(), sortedBy fields: [SortField] = []
  ) async -> [Agent] {
    let orders = fields.compactMap { field in
      AgentOrder.Field(rawValue: field.rawValue).map { AgentOrder($0) }
    }
    return registered.registry.select(filter.own, sortedBy: orders).map { Agent($0.agent) }
  }

  /// The agent of that id; nil when there is none.
  @concurrent
  public func agent(_ id: String) async -> Agent? {
    registered.registry[id].map { Agent($0.agent, prompt: registered.prompt(of: id)) }
  }
}

// MARK: Registering

extension Rasa {
  /// Adds an agent, checked as a file would be.
  ///
  /// - Parameters:
  ///   - agent: The agent.
  ///   - replacing: Whether to replace an agent with the same ID.
  /// - Returns: Warnings about the agent.
  @discardableResult
  public func register(
    _ agent: Agent, replacing: Bool = false
  ) async throws(RasaError) -> [String] {
    guard agent.prompt != nil else {
      throw RasaError(
        .configuration, "the agent `\(agent.id)` has no prompt",
        suggestion: "give it a `prompt`: what it is told before anything else")
    }
    return try await add(nil, agent.markdown, agent.category, replacing).warnings
  }

  /// Adds an agent that is one Markdown text with YAML front matter.
  ///
  /// - Returns: the agent as it was read; throws a problem with line and column when it is broken.
  @discardableResult
  public func register(
    markdown: String, replacing: Bool = false
  ) async throws(RasaError) -> Agent {
    try await add(nil, markdown, nil, replacing).agent
  }

  /// Adds an agent of a TOML text and the Markdown text that it names as its prompt.
  @discardableResult
  public func register(
    toml: String, prompt: String, replacing: Bool = false
  ) async throws(RasaError) -> Agent {
    try await add(toml, prompt, nil, replacing).agent
  }

  /// Takes a registered agent away; whether there was one. One that was found under its id counts
  /// again.
  @discardableResult
  public func unregister(id: String) -> Bool { registered.remove(id) }

  @concurrent
  private func add(
    _ toml: String?, _ markdown: String, _ category: String?, _ replacing: Bool
  ) async throws(RasaError) -> (agent: Agent, warnings: [String]) {
    func document(_ text: String, _ name: String) -> SourceDocument {
      SourceDocument(bytes: Array(text.utf8), path: "\(RegisteredAgents.origin):\(name)")
    }
    let documents = AgentDocuments(
      config: toml.map { document($0, "agent.toml") }, prompt: document(markdown, "agent.md"),
      fileName: "agent", category: category, origin: RegisteredAgents.origin)
    let (agent, warnings) = try redacted { () throws(Failure) in
      try registered.add(documents, replacing: replacing, engines: composition.library.engines)
    }
    return (Agent(agent, prompt: registered.prompt(of: agent.id)), warnings.map(\.description))
  }
}
