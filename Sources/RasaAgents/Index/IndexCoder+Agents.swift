import RasaCore
import RasaPersona
import RasaSystem

// The cached data of each file, field by field. New fields of an agent must be added here.

extension IndexCoder {
  /// - Parameter origin: the name of the root with that number.
  mutating func code(_ record: inout AgentRecord, origin: (Int) -> String?) {
    code(&record.file.path)
    code(&record.file.root)
    code(&record.file.category)
    code(&record.file.isConfig)
    code(&record.file.stamp)
    code(&record.promptNames)
    code(&record.prompt, empty: PromptLookup.Found(path: "", stamp: AgentFile.shippedStamp)) {
      $0.code(&$1.path)
      $0.code(&$1.stamp)
    }
    var parts = record.entry.map { EntryParts(agent: $0.agent, relevance: $0.relevance) }
    code(&parts, empty: EntryParts(agent: Agent(id: ""), relevance: [])) {
      $0.code(&$1.agent)
      $0.code(&$1.relevance)
    }
    code(&record.other)
    code(&record.inserted)
    code(&record.failures, empty: Failure(.configuration, "")) { $0.code(&$1) }
    code(&record.warnings, empty: Warning("")) {
      $0.code(&$1.message)
      $0.code(&$1.location)
    }
    guard let origin = origin(record.file.root) else { return markDamaged() }
    record.file.origin = origin
    let name = record.file.path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let start = name.map { record.file.path.utf8.index(after: $0) }
    record.file.stem = AgentFileName.stem(
      String(record.file.path[(start ?? record.file.path.startIndex)...]))
    if record.entry == nil, let parts {
      record.entry = AgentRegistry.Entry(agent: parts.agent, relevance: parts.relevance)
    }
  }

  private mutating func code(_ stamp: inout FileStamp) {
    code(&stamp.device)
    code(&stamp.inode)
    code(&stamp.size)
    code(&stamp.modified)
    code(&stamp.changed)
  }

  private mutating func code(_ failure: inout Failure) {
    code(&failure.kind)
    code(&failure.message)
    code(&failure.suggestion)
    code(&failure.location)
    code(&failure.excerpt)
    code(&failure.details)
  }

  mutating func code(_ agent: inout Agent) {
    code(&agent.id)
    code(&agent.name)
    code(&agent.description)
    code(&agent.category)
    code(&agent.tags)
    code(&agent.color)
    code(&agent.engine)
    code(&agent.model)
    code(&agent.effort)
    code(&agent.models)
    code(&agent.temperature, empty: 0) { $0.code(&$1) }
    code(&agent.maxTurns, empty: 0) { $0.code(&$1) }
    code(&agent.unused)
    code(&agent.profile)
    code(&agent.traits.thinkingDepth)
    code(&agent.traits.iterationSpeed)
    code(&agent.traits.contextRequirements)
    code(&agent.traits.outputVolume)
    code(&agent.estimatedTokens, empty: 0) { $0.code(&$1) }
    code(&agent.budget.maxPerExecution)
    code(&agent.budget.maxDaily)
    code(&agent.budget.maxMonthly)
    code(&agent.budget.policy)
    code(&agent.maxConcurrentTasks, empty: 0) { $0.code(&$1) }
    code(&agent.limits.steps, empty: 0) { $0.code(&$1) }
    code(&agent.limits.seconds, empty: 0) { $0.code(&$1) }
    code(&agent.limits.cost)
    code(&agent.limits.depth, empty: 0) { $0.code(&$1) }
    code(&agent.capabilities)
    code(&agent.exampleQueries)
    code(&agent.worksWellWith)
    code(&agent.agents, empty: AgentNarrowing.List([], place: "")) {
      $0.code(&$1.patterns)
      $0.code(&$1.place)
    }
    code(&agent.typicalWorkflows)
    code(&agent.qualityGates)
    code(&agent.tools)
    code(&agent.constraints)
    code(&agent.constraintsAsWritten)
    code(&agent.loop, empty: LoopBehavior(steps: 0, maxIterations: 0)) {
      $0.code(&$1.steps)
      $0.code(&$1.maxIterations)
      $0.code(&$1.skip)
      $0.code(&$1.when)
      $0.code(&$1.location)
    }
    code(&agent.trigger, empty: TriggerBehavior(agent: "")) {
      $0.code(&$1.agent)
      $0.code(&$1.when)
      $0.code(&$1.location)
    }
    code(&agent.sandbox, empty: SandboxDefinition(type: "")) {
      $0.code(&$1.type)
      $0.code(&$1.image)
      $0.code(&$1.profile)
      $0.code(&$1.network)
    }
    code(&agent.defaults)
    code(&agent.isStrict)
    code(&agent.files.config)
    code(&agent.files.prompt)
    code(&agent.files.origin)
    code(&agent.files.kind)
  }

  private mutating func code(_ models: inout RecommendedModels) {
    code(&models.primary, empty: ModelReference(model: "")) { $0.code(&$1) }
    code(&models.fallback, empty: ModelReference(model: "")) { $0.code(&$1) }
    code(&models.premium, empty: ModelReference(model: "")) { $0.code(&$1) }
    var notes = models.notes.map { (model: $0.key, note: $0.value) }
      .sorted { $0.model.description < $1.model.description }
    code(&notes, empty: (model: ModelReference(model: ""), note: ModelNote())) {
      $0.code(&$1.model)
      $0.code(&$1.note.priority)
      $0.code(&$1.note.costTier)
    }
    models.notes = Dictionary(notes.map { ($0.model, $0.note) }) { first, _ in first }
    code(&models.engine)
    code(&models.modelClass)
    code(&models.costTier)
    code(&models.anyEngine)
  }

  private mutating func code(_ reference: inout ModelReference) {
    code(&reference.engine)
    code(&reference.model)
  }
}

private struct EntryParts {
  var agent: Agent
  var relevance: [UInt8]
}
