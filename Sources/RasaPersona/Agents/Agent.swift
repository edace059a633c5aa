package import RasaCore

/// An agent as defined by its files: a TOML file, a Markdown prompt with YAML front matter, or
/// both.
///
/// It contains everything but the text of the prompt, which is read when the agent runs.
package struct Agent: Sendable, Hashable {
  /// Kebab-case; the key for looking the agent up.
  package var id: String
  /// The display name.
  package var name: String
  package var description: String
  /// Its folder, relative to the agents root; for files in the root itself, the category in the
  /// front matter.
  package var category: String?
  package var tags: [String] = []
  package var color: String?

  package var engine: String?
  package var model: String?
  package var effort: ReasoningEffort?
  package var models = RecommendedModels()
  package var temperature: Double?
  /// How often it may answer in one run of it, including reviews and loops.
  package var maxTurns: Int?
  package var profile: PerformanceProfile?
  package var traits = PerformanceTraits()
  /// The number of tokens of a typical answer, input and output together.
  package var estimatedTokens: Int?
  package var budget = CostBudget()
  /// The maximum number of concurrent runs.
  package var maxConcurrentTasks: Int?
  package var limits = AgentLimits()

  /// What it can do, for recommendation.
  package var capabilities: [String] = []
  package var exampleQueries: [String] = []
  package var worksWellWith: [String] = []
  /// The agents that it may delegate to; nil for any.
  package var agents: AgentNarrowing.List?
  package var typicalWorkflows: [String] = []
  package var qualityGates: [String] = []
  package var tools: [String] = []
  /// The skills that it is offered.
  package var skills: [String] = []
  /// Whether it is shown the project's `AGENTS.md`.
  package var seesProject = false
  /// Where it remembers and what it recalls, if its file says so.
  package var memory: MemorySettings?
  /// Its fields that rasa does not support, in the order of the file.
  package var unused: [String] = []
  package var constraints = ValueObject()
  /// The same with numbers as written, for prompts.
  package var constraintsAsWritten = ValueObject()

  package var loop: LoopBehavior?
  package var trigger: TriggerBehavior?
  package var sandbox: SandboxDefinition?

  /// The values of names in its prompt that have no other value.
  package var defaults = ValueObject()
  /// A name without a value or default is an error, not empty.
  package var isStrict = false

  package var files = AgentFiles()

  package init(id: String, name: String = "", description: String = "") {
    self.id = id
    self.name = name.isEmpty ? id : name
    self.description = description
  }
}

extension Agent {
  /// The notice about fields that another tool would act on; nil if there are none.
  package var unusedNotice: Warning? {
    guard !unused.isEmpty else { return nil }
    let fields = DocumentReader.listed(unused, "and")
    let verb = unused.count == 1 ? "means" : "mean"
    return Warning(
      "\(fields) of the agent `\(id)` \(verb) nothing here yet: it answers by its prompt alone")
  }
}

/// The limits of one run of an agent; nil if its file does not set one.
package struct AgentLimits: Sendable, Hashable {
  package var steps: Int?
  package var seconds: Double?
  package var cost: Money?
  package var depth: Int?

  package init(
    steps: Int? = nil, seconds: Double? = nil, cost: Money? = nil, depth: Int? = nil
  ) {
    self.steps = steps
    self.seconds = seconds
    self.cost = cost
    self.depth = depth
  }

  /// With default values for the limits that are not set.
  package var whole: RunLimits {
    var limits = RunLimits(seconds: seconds, cost: cost)
    if let steps { limits.steps = steps }
    if let depth { limits.depth = depth }
    return limits
  }
}

/// The files of an agent. Paths are as they were found.
package struct AgentFiles: Sendable, Hashable {
  /// The TOML file; nil for an agent that is one Markdown file.
  package var config: String?
  /// The Markdown file with the prompt; nil if it is missing.
  package var prompt: String?
  /// The name of the place in lists: `shipped`, or the agents root.
  package var origin: String = ""
  package var kind: AgentKind

  package init(
    config: String? = nil, prompt: String? = nil, origin: String = "", kind: AgentKind = .rasa
  ) {
    self.config = config
    self.prompt = prompt
    self.origin = origin
    self.kind = kind
  }
}

package enum Amount: String, Sendable, Hashable, CaseIterable { case low, medium, high }

package struct PerformanceTraits: Sendable, Hashable {
  package enum Context: String, Sendable, Hashable, CaseIterable {
    case minimal, moderate, extensive
  }
  package var thinkingDepth: Amount?
  package var iterationSpeed: Amount?
  package var contextRequirements: Context?
  package var outputVolume: Amount?
  package init() {}
}

/// Repeating earlier frames of the run.
package struct LoopBehavior: Sendable, Hashable {
  package var steps: Int
  package var maxIterations: Int
  /// Frames that are skipped when frames are repeated.
  package var skip: [String]
  /// A condition on the run's state; without one the agent is asked whether another round is
  /// needed.
  package var when: String?
  package var location: SourceLocation?
  package init(
    steps: Int, maxIterations: Int, skip: [String] = [], when: String? = nil,
    location: SourceLocation? = nil
  ) {
    self.steps = steps
    self.maxIterations = maxIterations
    self.skip = skip
    self.when = when
    self.location = location
  }
}

/// Handing the output over to another agent.
package struct TriggerBehavior: Sendable, Hashable {
  package var agent: String
  /// A condition on the run's state; without one the trigger always fires.
  package var when: String?
  package var location: SourceLocation?
  package init(agent: String, when: String? = nil, location: SourceLocation? = nil) {
    self.agent = agent
    self.when = when
    self.location = location
  }
}

/// The environment in which the agent's tools run.
package struct SandboxDefinition: Sendable, Hashable {
  package enum Profile: String, Sendable, Hashable, CaseIterable {
    case permissive, restrictive, custom
  }
  package enum Network: String, Sendable, Hashable, CaseIterable { case open, closed, proxied }
  /// `docker`, `podman`, `seatbelt`, `bubblewrap`, `none`.
  package var type: String
  package var image: String?
  package var profile: Profile?
  package var network: Network?
  package init(
    type: String, image: String? = nil, profile: Profile? = nil, network: Network? = nil
  ) {
    self.type = type
    self.image = image
    self.profile = profile
    self.network = network
  }
}

/// The text of an agent's prompt, below its front matter.
package struct AgentPrompt: Sendable, Hashable {
  package var text: String
  /// The start of the text.
  package var location: SourceLocation
  package init(text: String, location: SourceLocation) {
    self.text = text
    self.location = location
  }
}

extension AgentPrompt {
  /// Whether it contains nothing for a model: only blanks and comments.
  package var isBlank: Bool {
    var rest = text[...]
    while let start = rest.firstRange(ofBytes: "<!--") {
      guard rest[..<start.lowerBound].allSatisfy(\.isWhitespace) else { return false }
      guard let end = rest[start.upperBound...].firstRange(ofBytes: "-->") else { return false }
      rest = rest[end.upperBound...]
    }
    return String(rest).trimmed.isEmpty
  }
}
