import RasaCore
import RasaDocuments

/// The content of one of an agent's files. Nil marks missing fields.
struct AgentLayer {
  /// A text that is compared with something else, and its location.
  struct StatedText {
    var text: String
    var node: DocumentNode
  }

  var id: StatedText?
  var name: StatedText?
  var displayName: StatedText?
  var promptPath: StatedText?
  var mirrorPath: StatedText?

  var description: String?
  var category: String?
  var color: String?
  var tags: [String]?

  var engine: String?
  var model: ModelReference?
  var effort: ReasoningEffort?
  var temperature: Double?
  var maxTurns: Int?
  var unused: [String]?
  var primary: ModelChoice?
  var fallback: ModelChoice?
  var premium: ModelChoice?
  var modelClass: ModelClass?
  var costTier: CostTier?
  var anyEngine: Bool?
  var maxConcurrentTasks: Int?

  /// `performance_profile` as one word.
  var profileWord: PerformanceProfile?
  /// `profile` of `[agent.persona.performance]`.
  var profile: PerformanceProfile?
  /// The profile derived from `thinking_depth`.
  var profileOfDepth: PerformanceProfile?
  var traits = PerformanceTraits()
  var estimatedTokens: Int?

  var maxPerExecution: Money?
  var maxDaily: Money?
  var maxMonthly: Money?
  var budgetPolicy: BudgetPolicy?

  /// The limits of one run of it.
  var steps: Int?
  var seconds: Double?
  var cost: Money?
  var depth: Int?

  var capabilities: [String]?
  var exampleQueries: [String]?
  var worksWellWith: [String]?
  var agents: AgentNarrowing.List?
  var typicalWorkflows: [String]?
  var qualityGates: [String]?
  var tools: [String]?
  var skills: [String]?
  var seesProject: Bool?
  var memory: MemorySettings?
  var constraints = ValueObject()
  var constraintsAsWritten = ValueObject()
  var defaults = ValueObject()
  var isStrict: Bool?

  var loop: Loop?
  var trigger: Trigger?
  var sandbox: Sandbox?

  struct Loop {
    var node: DocumentNode
    var steps: Int?
    var maxIterations: Int?
    var skip: [String]?
    var when: String?
  }

  struct Trigger {
    var node: DocumentNode
    var agent: String?
    var when: String?
  }

  struct Sandbox {
    var node: DocumentNode
    var type: SandboxType?
    var image: String?
    var profile: SandboxDefinition.Profile?
    var network: SandboxDefinition.Network?
  }
}

enum SandboxType: String, CaseIterable { case docker, podman, seatbelt, bubblewrap, none }

/// A recommended model with the author's note about it.
struct ModelChoice {
  var reference: ModelReference
  var note = ModelNote()
}

extension AgentLayer {
  /// Merges two layers field by field; the other one takes precedence. Identity is decided
  /// elsewhere.
  func overlaid(by upper: AgentLayer) -> AgentLayer {
    var merged = self
    func take<Field>(_ field: WritableKeyPath<AgentLayer, Field?>) {
      if let value = upper[keyPath: field] { merged[keyPath: field] = value }
    }
    take(\.description)
    take(\.category)
    take(\.color)
    take(\.tags)
    take(\.engine)
    take(\.model)
    take(\.effort)
    take(\.temperature)
    take(\.maxTurns)
    take(\.unused)
    take(\.primary)
    take(\.fallback)
    take(\.premium)
    take(\.modelClass)
    take(\.costTier)
    take(\.anyEngine)
    take(\.maxConcurrentTasks)
    take(\.profileWord)
    take(\.profile)
    take(\.profileOfDepth)
    take(\.traits.thinkingDepth)
    take(\.traits.iterationSpeed)
    take(\.traits.contextRequirements)
    take(\.traits.outputVolume)
    take(\.estimatedTokens)
    take(\.maxPerExecution)
    take(\.maxDaily)
    take(\.maxMonthly)
    take(\.budgetPolicy)
    take(\.steps)
    take(\.seconds)
    take(\.cost)
    take(\.depth)
    take(\.capabilities)
    take(\.exampleQueries)
    take(\.worksWellWith)
    take(\.agents)
    take(\.typicalWorkflows)
    take(\.qualityGates)
    take(\.tools)
    take(\.skills)
    take(\.seesProject)
    take(\.memory)
    take(\.isStrict)
    for (key, value) in upper.constraints { merged.constraints[key] = value }
    for (key, value) in upper.constraintsAsWritten { merged.constraintsAsWritten[key] = value }
    for (key, value) in upper.defaults { merged.defaults[key] = value }
    merged.loop = loop?.overlaid(by: upper.loop) ?? upper.loop
    merged.trigger = trigger?.overlaid(by: upper.trigger) ?? upper.trigger
    merged.sandbox = sandbox?.overlaid(by: upper.sandbox) ?? upper.sandbox
    return merged
  }
}

extension AgentLayer.Loop {
  fileprivate func overlaid(by upper: Self?) -> Self {
    guard let upper else { return self }
    return Self(
      node: upper.node, steps: upper.steps ?? steps,
      maxIterations: upper.maxIterations ?? maxIterations, skip: upper.skip ?? skip,
      when: upper.when ?? when)
  }
}

extension AgentLayer.Trigger {
  fileprivate func overlaid(by upper: Self?) -> Self {
    guard let upper else { return self }
    return Self(node: upper.node, agent: upper.agent ?? agent, when: upper.when ?? when)
  }
}

extension AgentLayer.Sandbox {
  fileprivate func overlaid(by upper: Self?) -> Self {
    guard let upper else { return self }
    return Self(
      node: upper.node, type: upper.type ?? type, image: upper.image ?? image,
      profile: upper.profile ?? profile, network: upper.network ?? network)
  }
}
