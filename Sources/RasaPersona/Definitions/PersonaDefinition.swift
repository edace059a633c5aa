package import RasaCore

/// A persona as written in its file, with all its operators looked up. Nothing is inferred here:
/// binding to frames, implied operators and all checks belong to the graph.
package struct PersonaDefinition: Sendable {
  package var name: String
  package var alias: String?
  package var description: String
  package var frames: [FrameDefinition]
  /// In list order, with the overrides of mapped entries applied.
  package var operators: [OperatorDefinition]
  package var promptStyle: String
  package var metadata: ValueObject
  package var exampleQueries: [String]
  package var models: RecommendedModels
  package var profile: PerformanceProfile?
  package var budget: CostBudget
  package var capabilities: [String]
  /// The tools that its file declares.
  package var tools: [ToolDeclaration]
  /// The skills that operators are offered that do not say which; `all` stands for all there are.
  package var skills: [String] = []
  /// Whether such operators are shown the project's `AGENTS.md`.
  package var seesProject = false
  /// What is asked at points of each of its runs, in the order of the file.
  package var hooks: [HookDefinition] = []
  package var memory = MemorySettings()
  /// Whether the user is asked for stars after an answer, where there is a terminal to ask on.
  package var asksForFeedback = false
  package var limits: RunLimits
  /// The system message that replaces name, description and style: an agent's prompt.
  package var instructions: String?
  /// The same once a name in the instructions has a value: it is then an ordinary message, because
  /// it contains somebody else's words.
  package var plainInstructions: String?
  /// Names in an agent's prompt without a value in its files.
  package var looseNames: [StatePath] = []
  /// The metadata with numbers as written, `1.10` instead of 1.1, for prompts. Guards compare the
  /// numbers of `metadata`.
  package var metadataAsWritten: ValueObject {
    get { ValueObject(metadata.map { ($0.key, spellings[$0.key] ?? $0.value) }) }
    set { spellings = newValue }
  }
  private var spellings = ValueObject()
  /// The agents that it may delegate to; nil for any.
  package var agents: AgentNarrowing.List?
  /// What it forbids its tools, or wants people to be asked about, beside what its user's rules say.
  package var policy: [ToolRule] = []
  /// Rules that only agents have.
  package var agent: AgentRules?
  package var location: SourceLocation
  package var warnings: [Warning]

  package init(
    name: String, alias: String? = nil, description: String = "",
    frames: [FrameDefinition], operators: [OperatorDefinition], promptStyle: String = "default",
    metadata: ValueObject = ValueObject(), exampleQueries: [String] = [],
    models: RecommendedModels = RecommendedModels(), profile: PerformanceProfile? = nil,
    budget: CostBudget = CostBudget(), capabilities: [String] = [], tools: [ToolDeclaration] = [],
    limits: RunLimits = RunLimits(),
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0),
    warnings: [Warning] = []
  ) {
    self.name = name
    self.alias = alias
    self.description = description
    self.frames = frames
    self.operators = operators
    self.promptStyle = promptStyle
    self.metadata = metadata
    self.exampleQueries = exampleQueries
    self.models = models
    self.profile = profile
    self.budget = budget
    self.capabilities = capabilities
    self.tools = tools
    self.limits = limits
    self.location = location
    self.warnings = warnings
  }
}

/// Restrictions of an agent that personas do not have.
package struct AgentRules: Sendable, Hashable {
  /// The maximum number of concurrent runs.
  package var maxConcurrentTasks: Int?
  /// How a persona repeats its frames after this agent.
  package var loop: LoopBehavior?
  /// The environment of its tools.
  package var sandbox: SandboxDefinition?
  package init() {}
}

/// The memory that a frame provides, and what it stores after the run.
package enum FrameKind: String, Sendable, Hashable, CaseIterable {
  case stateless, session
  case shortTerm = "short_term"
  case longTerm = "long_term"

  /// The names that imply a kind.
  package static let names = [
    "stateless_frame", "session_frame", "short_term_frame", "long_term_frame", "stateless",
    "session", "short_term", "long_term", "short_term_memory_frame", "long_term_memory_frame",
    "persona_frame",
  ]

  /// The kind that a frame's name implies if its file does not set one; a name such as
  /// `persona_frame`, or a domain's own, implies none, and the frame is stateless.
  package init(impliedBy name: String) {
    switch name {
    case "session_frame", "session": self = .session
    case "short_term_frame", "short_term_memory_frame", "short_term": self = .shortTerm
    case "long_term_frame", "long_term_memory_frame", "long_term": self = .longTerm
    default: self = .stateless
    }
  }
}

package struct FrameDefinition: Sendable {
  package var name: String
  package var kind: FrameKind
  /// Whether the kind is set neither by the file nor by the frame's name.
  package var isKindAssumed = false
  /// Names of the operators that run here; nil if the operators name their frames.
  package var operators: [String]?
  package var next: [Transition]
  /// Frames that run in parallel after this frame's own operators; each is a branch of its own.
  package var parallel: [String]
  /// The agent that does this frame's work.
  package var agent: String?
  package var location: SourceLocation

  package init(
    name: String, kind: FrameKind? = nil, operators: [String]? = nil, next: [Transition] = [],
    parallel: [String] = [], agent: String? = nil,
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.agent = agent
    self.name = name
    self.kind = kind ?? (agent == nil ? FrameKind(impliedBy: name) : .session)
    self.operators = operators
    self.next = next
    self.parallel = parallel
    self.location = location
  }
}

/// An edge between frames. `to` names a frame, or is `end`.
package struct Transition: Sendable {
  package var to: String
  package var when: Guard?
  package var atMost: Int?
  package var location: SourceLocation

  package init(
    to: String, when: Guard? = nil, atMost: Int? = nil,
    location: SourceLocation = SourceLocation(file: "", line: 0, column: 0)
  ) {
    self.to = to
    self.when = when
    self.atMost = atMost
    self.location = location
  }
}

/// The limits of a whole run. Each has a default, so that no run is unbounded.
package struct RunLimits: Sendable, Hashable {
  package var steps: Int
  /// The value in the file; nil means the default time, or for delegated work the time of the whole
  /// run.
  package var ownSeconds: Double?
  package var cost: Money?
  package var depth: Int

  /// The time limit of a run.
  package var seconds: Double { ownSeconds ?? 300 }

  package init(
    steps: Int = 64, seconds: Double? = nil, cost: Money? = nil, depth: Int = 4
  ) {
    self.steps = steps
    ownSeconds = seconds
    self.cost = cost
    self.depth = depth
  }
}

package enum PerformanceProfile: String, Sendable, Hashable, CaseIterable {
  case speed, balanced, thinking, expert
}

/// How much a reasoning model should reason.
package enum ReasoningEffort: String, Sendable, Hashable, CaseIterable { case low, medium, high }

/// The class of model to use if none is named.
package enum ModelClass: String, Sendable, Hashable, CaseIterable { case fast, balanced, reasoning }

/// The maximum price of a million tokens, three quarters of them input: $0.50, $1, $10, or more.
package enum CostTier: String, Sendable, Hashable, CaseIterable, Comparable {
  case low, medium, high, premium

  package static func < (left: CostTier, right: CostTier) -> Bool { left.rank < right.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// A model by name, with its engine if the author named one (`openai:gpt-4o`).
package struct ModelReference: Sendable, Hashable, CustomStringConvertible {
  package var engine: String?
  package var model: String
  package init(engine: String? = nil, model: String) {
    self.engine = engine
    self.model = model
  }
  package var description: String { engine.map { "\($0):\(model)" } ?? model }
}

package struct RecommendedModels: Sendable, Hashable {
  package var primary: ModelReference?
  package var fallback: ModelReference?
  package var premium: ModelReference?
  /// The author's notes about models.
  package var notes: [ModelReference: ModelNote] = [:]
  /// The class to use if no model is named or available.
  package var modelClass: ModelClass?
  package var costTier: CostTier?
  /// The only provider to use in that case.
  package var engine: String?
  /// Whether a model that is named with its engine may be replaced by one of another engine.
  package var anyEngine = false

  package init(
    primary: ModelReference? = nil, fallback: ModelReference? = nil, premium: ModelReference? = nil
  ) {
    self.primary = primary
    self.fallback = fallback
    self.premium = premium
  }
}

package struct ModelNote: Sendable, Hashable {
  /// What the model is good at.
  package var priority: PerformanceProfile?
  package var costTier: CostTier?
  package init(priority: PerformanceProfile? = nil, costTier: CostTier? = nil) {
    self.priority = priority
    self.costTier = costTier
  }
}

package enum BudgetPolicy: String, Sendable, Hashable, CaseIterable {
  case reject, downgrade, mock, warn
}

package struct CostBudget: Sendable, Hashable {
  package var maxPerExecution: Money?
  package var maxDaily: Money?
  package var maxMonthly: Money?
  package var policy: BudgetPolicy
  package init(
    maxPerExecution: Money? = nil, maxDaily: Money? = nil, maxMonthly: Money? = nil,
    policy: BudgetPolicy = .reject
  ) {
    self.maxPerExecution = maxPerExecution
    self.maxDaily = maxDaily
    self.maxMonthly = maxMonthly
    self.policy = policy
  }

  package var hasLimits: Bool { maxPerExecution != nil || maxDaily != nil || maxMonthly != nil }

  /// The tighter one of each limit, and no policy that lets through what the other one stops.
  package mutating func narrow(by other: CostBudget) {
    guard other.hasLimits else { return }
    func tighter(_ one: Money?, _ other: Money?) -> Money? {
      [one, other].compactMap(\.self).min()
    }
    if policy == .warn || !hasLimits { policy = other.policy }
    maxPerExecution = tighter(maxPerExecution, other.maxPerExecution)
    maxDaily = tighter(maxDaily, other.maxDaily)
    maxMonthly = tighter(maxMonthly, other.maxMonthly)
  }
}

extension PersonaDefinition {
  /// Warnings about frames whose kind is assumed.
  package var vagueFrames: [Warning] {
    frames.filter(\.isKindAssumed).map { frame in
      Warning(
        "the frame `\(frame.name)` has no kind and is taken as \(frame.kind.rawValue): its operators "
          + "see no conversation; write `{name: \(frame.name), kind: session}` for one that does",
        at: frame.location)
    }
  }
}
