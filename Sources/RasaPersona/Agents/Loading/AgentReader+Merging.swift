import RasaCore
import RasaDocuments

extension AgentReader {
  static let roundsWhereNoneAreSaid = 5

  /// The agent that results from both files.
  mutating func agent(
    _ layer: AgentLayer, _ identity: AgentIdentity?, _ documents: AgentDocuments
  ) -> Agent {
    var agent = Agent(id: identity?.id ?? "", name: identity?.name ?? "")
    agent.description = layer.description ?? ""
    agent.category = documents.category ?? layer.category
    agent.tags = layer.tags ?? []
    agent.color = layer.color

    agent.engine = layer.engine
    agent.model = layer.model?.model
    agent.effort = layer.effort
    agent.temperature = layer.temperature
    agent.maxTurns = layer.maxTurns
    agent.unused = layer.unused ?? []
    agent.models = models(layer)
    agent.profile =
      layer.profileWord ?? layer.profile ?? layer.primary?.note.priority ?? layer.profileOfDepth
    agent.traits = layer.traits
    agent.estimatedTokens = layer.estimatedTokens
    agent.budget = CostBudget(
      maxPerExecution: layer.maxPerExecution, maxDaily: layer.maxDaily,
      maxMonthly: layer.maxMonthly, policy: layer.budgetPolicy ?? .reject)
    agent.maxConcurrentTasks = layer.maxConcurrentTasks
    agent.limits = AgentLimits(
      steps: layer.steps, seconds: layer.seconds, cost: layer.cost, depth: layer.depth)

    agent.capabilities = layer.capabilities ?? []
    agent.exampleQueries = layer.exampleQueries ?? []
    agent.worksWellWith = layer.worksWellWith ?? []
    agent.agents = layer.agents
    agent.typicalWorkflows = layer.typicalWorkflows ?? []
    agent.qualityGates = layer.qualityGates ?? []
    agent.tools = layer.tools ?? []
    agent.skills = layer.skills ?? []
    agent.seesProject = layer.seesProject ?? false
    agent.memory = layer.memory
    agent.constraints = layer.constraints
    agent.constraintsAsWritten = layer.constraintsAsWritten

    agent.loop = layer.loop.flatMap { loop($0) }
    agent.trigger = layer.trigger.flatMap { trigger($0) }
    agent.sandbox = layer.sandbox.flatMap { sandbox($0) }
    agent.defaults = layer.defaults
    agent.isStrict = layer.isStrict ?? false
    return agent
  }

  /// The agent's own model comes first if nothing else is recommended. A model without an engine
  /// belongs to the agent's engine.
  private func models(_ layer: AgentLayer) -> RecommendedModels {
    let roles = [layer.primary, layer.fallback, layer.premium].map { choice in
      choice.map { ModelChoice(reference: $0.reference.on(layer.engine), note: $0.note) }
    }
    var models = RecommendedModels(
      primary: roles[0]?.reference ?? layer.model?.on(layer.engine), fallback: roles[1]?.reference,
      premium: roles[2]?.reference)
    // If one model has two roles, the note of the first counts.
    for choice in roles.reversed() { models.note(choice) }
    models.modelClass = layer.modelClass
    models.costTier = layer.costTier
    models.anyEngine = layer.anyEngine ?? false
    return models
  }

  private mutating func loop(_ layer: AgentLayer.Loop) -> LoopBehavior? {
    // A wrong number was already reported.
    guard let steps = layer.steps else {
      if layer.node["steps"] == nil {
        reader.fail(
          layer.node, "`loop_behavior` does not say how far to go back",
          suggestion: "add `steps`, the number of frames")
      }
      return nil
    }
    if layer.maxIterations == nil, layer.node["max_iterations"] == nil {
      reader.warn(
        "`loop_behavior` has no `max_iterations`; \(Self.roundsWhereNoneAreSaid) is used",
        at: layer.node.location)
    }
    return LoopBehavior(
      steps: steps, maxIterations: layer.maxIterations ?? Self.roundsWhereNoneAreSaid,
      skip: layer.skip ?? [], when: layer.when, location: layer.node.location)
  }

  private mutating func trigger(_ layer: AgentLayer.Trigger) -> TriggerBehavior? {
    guard let agent = layer.agent else {
      if case .mapping = layer.node.content, layer.node["trigger_agent_id"] == nil {
        reader.fail(
          layer.node, "`trigger_behavior` does not name an agent",
          suggestion: "add `trigger_agent_id`")
      }
      return nil
    }
    return TriggerBehavior(agent: agent, when: layer.when, location: layer.node.location)
  }

  private mutating func sandbox(_ layer: AgentLayer.Sandbox) -> SandboxDefinition? {
    guard let type = layer.type else {
      if case .mapping = layer.node.content, layer.node["type"] == nil,
        layer.node["sandbox_type"] == nil
      {
        reader.fail(
          layer.node, "`sandbox` has no type",
          suggestion: "add `type`, one of "
            + DocumentReader.listed(SandboxType.allCases.map(\.rawValue)))
      }
      return nil
    }
    return SandboxDefinition(
      type: type.rawValue, image: layer.image, profile: layer.profile, network: layer.network)
  }
}
