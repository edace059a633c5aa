package import RasaCore

/// An agent as its files say it: a TOML file, a Markdown prompt with YAML front matter, or both.
///
/// It holds everything but the words of its prompt, which are read when the agent runs.
package struct Agent: Sendable, Hashable {
  /// Kebab-case; what the agent is found by.
  package var id: String
  /// What people call it.
  package var name: String
  package var description: String
  /// The folder that it lies in, relative to the agents root; the front matter's where it lies in
  /// the root itself.
  package var category: String?
  package var tags: [String] = []
  package var color: String?

  package var engine: String?
  package var model: String?
  package var effort: ReasoningEffort?
  package var models = RecommendedModels()
  package var temperature: Double?
  /// How often it may answer in one run of it, with what reviews and loops send back.
  package var maxTurns: Int?
  package var profile: PerformanceProfile?
  package var traits = PerformanceTraits()
  /// How many tokens a usual answer takes, in and out together.
  package var estimatedTokens: Int?
  package var budget = CostBudget()
  /// At most so many runs of it at a time.
  package var maxConcurrentTasks: Int?
  package var limits = AgentLimits()

  /// What it can do, for recommendation.
  package var capabilities: [String] = []
  package var exampleQueries: [String] = []
  package var worksWellWith: [String] = []
  /// Whom it may have work of all agents; nil for any.
  package var agents: AgentNarrowing.List?
  package var typicalWorkflows: [String] = []
  package var qualityGates: [String] = []
  package var tools: [String] = []
  /// The fields that it has and that mean nothing here yet, in the order of the file.
  package var unused: [String] = []
  package var constraints = ValueObject()
  /// The same with numbers as the file has them, for prompts.
  package var constraintsAsWritten = ValueObject()

  package var loop: LoopBehavior?
  package var trigger: TriggerBehavior?
  package var sandbox: SandboxDefinition?

  /// What its prompt says where a name has no value.
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
  /// What a run has to say about fields that another tool would act on; nil when there are none.
  package var unusedNotice: Warning? {
    guard !unused.isEmpty else { return nil }
    let fields = DocumentReader.spoken(unused, "and")
    let verb = unused.count == 1 ? "means" : "mean"
    return Warning(
      "\(fields) of the agent `\(id)` \(verb) nothing here yet: it answers by its prompt alone")
  }
}

/// What one run of an agent may take; nil is what its file does not say.
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

  /// With the usual limits in place of those that are not said.
  package var whole: RunLimits {
    var limits = RunLimits(seconds: seconds, cost: cost)
    if let steps { limits.steps = steps }
    if let depth { limits.depth = depth }
    return limits
  }
}

/// Where an agent was read from. Paths are as they were found.
package struct AgentFiles: Sendable, Hashable {
  /// The TOML file; nil for an agent that is one Markdown file.
  package var config: String?
  /// The Markdown file with the prompt; nil when it is not there.
  package var prompt: String?
  /// What lists call the place: `shipped`, or the agents root.
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

/// Going back over earlier frames of the run.
package struct LoopBehavior: Sendable, Hashable {
  package var steps: Int
  package var maxIterations: Int
  /// Frames that are left out on the way again.
  package var skip: [String]
  /// Over the run's state; without one the agent is asked whether another round is needed.
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

/// Handing the output on to another agent.
package struct TriggerBehavior: Sendable, Hashable {
  package var agent: String
  /// Over the run's state; without one it always happens.
  package var when: String?
  package var location: SourceLocation?
  package init(agent: String, when: String? = nil, location: SourceLocation? = nil) {
    self.agent = agent
    self.when = when
    self.location = location
  }
}

/// What the agent's tools are run in.
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

/// The words of an agent's prompt, below its front matter.
package struct AgentPrompt: Sendable, Hashable {
  package var text: String
  /// Where the text begins.
  package var location: SourceLocation
  package init(text: String, location: SourceLocation) {
    self.text = text
    self.location = location
  }
}

extension AgentPrompt {
  /// Whether nothing in it tells a model anything: blanks and comments do not.
  package var isBlank: Bool {
    var rest = text[...]
    while let start = rest.firstRange(of: "<!--") {
      guard rest[..<start.lowerBound].allSatisfy(\.isWhitespace) else { return false }
      guard let end = rest[start.upperBound...].firstRange(of: "-->") else { return false }
      rest = rest[end.upperBound...]
    }
    return String(rest).trimmed.isEmpty
  }
}
