package import RasaCore

extension Agent {
  /// What a run of an agent needs besides its definition.
  package struct Parts: Sendable {
    package var prompt: AgentPrompt
    /// The prompt, compiled.
    package var template: Template
    /// Reads a file that the prompt inserts.
    package var insert: @Sendable (String) throws(Failure) -> SourceDocument
    /// Looks up a shipped operator, or the user's replacement for it.
    package var operatorNamed: @Sendable (String) throws(Failure) -> OperatorDefinition

    package init(
      prompt: AgentPrompt, template: Template,
      insert: @escaping @Sendable (String) throws(Failure) -> SourceDocument,
      operatorNamed: @escaping @Sendable (String) throws(Failure) -> OperatorDefinition
    ) {
      self.prompt = prompt
      self.template = template
      self.insert = insert
      self.operatorNamed = operatorNamed
    }
  }

  /// The agent as a persona: an operator with its prompt, followed by its quality gates, its loop
  /// and its trigger.
  ///
  /// - Parameter isPart: whether it works in a frame of another persona and loops over that
  ///   persona's frames.
  package func persona(_ parts: Parts, isPart: Bool = false) throws(Failure) -> PersonaDefinition {
    let prompt = parts.prompt
    var persona = PersonaDefinition(name: id, frames: [], operators: [])
    persona.description = description
    persona.location = prompt.location
    persona.metadata = constraints
    persona.metadataAsWritten = constraintsAsWritten
    persona.exampleQueries = exampleQueries
    persona.models = wantedModels
    persona.profile = profile
    persona.budget = budget
    persona.limits = limits.whole
    persona.capabilities = capabilities
    persona.agents = agents
    persona.skills = skills
    persona.seesProject = seesProject
    persona.memory = memory ?? MemorySettings()
    persona.agent = AgentRules()
    persona.agent?.maxConcurrentTasks = maxConcurrentTasks
    persona.agent?.sandbox = sandbox
    persona.agent?.loop = isPart ? boundedLoop : nil
    let work = try work(prompt, parts, &persona)
    persona.operators.append(work)
    try addGates(after: work.name, parts, &persona)
    try addLoop(back: work.name, parts, &persona, isPart: isPart)
    let home = FrameDefinition(
      name: traits.contextRequirements == .minimal ? "task_frame" : "session_frame",
      // In a stateless frame the gates would not see the draft.
      kind: .session, operators: persona.operators.map(\.name), location: prompt.location)
    persona.frames = [home]
    if remembers {
      persona.frames.append(FrameDefinition(name: "long_term_frame", location: prompt.location))
    }
    try addTrigger(&persona, isPart: isPart)
    return persona
  }

  /// Whether it is told of earlier conversations.
  private var remembers: Bool { traits.contextRequirements == .extensive || memory != nil }

  /// A loop with at most as many rounds as the agent has answers.
  private var boundedLoop: LoopBehavior? {
    guard var loop else { return nil }
    if let maxTurns { loop.maxIterations = min(loop.maxIterations, maxTurns - 1) }
    return loop.maxIterations > 0 ? loop : nil
  }

  /// The recommended models, otherwise the model of the TOML file, otherwise a class of models.
  package var wantedModels: RecommendedModels {
    var models = models
    if models.primary == nil, let model {
      models.primary = ModelReference(engine: engine, model: model)
    }
    models.engine = models.engine ?? engine
    return models
  }

  // MARK: The work

  private func work(
    _ prompt: AgentPrompt, _ parts: Parts, _ persona: inout PersonaDefinition
  ) throws(Failure) -> OperatorDefinition {
    var work = OperatorDefinition(name: id, kind: .llm, location: prompt.location)
    work.description = description
    work.reads = ["input", "preferences", "draft", "quality", "loop", "feedback"]
    if traits.contextRequirements != .minimal { work.reads.append("context.session") }
    if remembers { work.reads.append("context.memories") }
    work.optionalReads = Set(work.reads.dropFirst())
    work.writes = [Write(key: "draft", type: .text)]
    work.tools = tools.map { ToolReference(claudeCode: $0)?.text ?? $0 }
    work.hasForeignTools = true
    work.effort = effort
    work.temperature = temperature
    work.isStrict = isStrict
    // An agent can ask for short answers; rasa itself sets no limit.
    if traits.outputVolume == .low { work.maxTokens = 800 }
    persona.warnings += parts.template.warnings
    let template = try parts.template.inserting { path throws(Failure) in
      try parts.insert(path).bytes
    }
    work.defaults = values
    work.sections = [
      "input", "preferences", "context.memories", "draft", "quality", "loop", "feedback",
    ]
    .filter { path in
      work.reads.contains(path) && !template.paths.contains { $0.overlaps(path) }
    }
    let loose = looseNames(in: template)
    if !template.paths.isEmpty {
      work.prompt = template
      work.looseNames = Set(loose)
      persona.looseNames = isStrict ? [] : loose
    }
    let plain = "You are \(name)." + (description.isEmpty ? "" : " \(description)")
    // Only the author's own text is a system message; once it contains a user's words, it is a
    // message like any other.
    if loose.count == template.paths.count {
      persona.instructions = template.prompt(leaving: Set(loose), isWhole: true) { _ in .null }
      persona.plainInstructions = plain
      work.isInstructions = true
    } else {
      persona.instructions = plain
    }
    return work
  }

  // MARK: What follows

  private static let wordsForPeople = [
    "human", "approval", "approve", "sign_off", "signoff", "manual",
  ]

  /// A model checks all gates in one call; gates that name a person's decision become an approval.
  private func addGates(
    after work: String, _ parts: Parts, _ persona: inout PersonaDefinition
  ) throws(Failure) {
    func isForPeople(_ gate: String) -> Bool {
      let words = gate.lowercased().map { $0 == "-" || $0 == " " ? "_" : $0 }
      return Self.wordsForPeople.contains { String(words).hasBytes($0) }
    }
    let checked = qualityGates.filter { !isForPeople($0) }
    let humanGates = qualityGates.filter(isForPeople)
    if !checked.isEmpty {
      persona.metadata["quality_gates"] = .array(checked.map(Value.string))
      persona.metadataAsWritten["quality_gates"] = .array(checked.map(Value.string))
      var review = try parts.operatorNamed("quality_review")
      if review.then.isEmpty {
        let revisions = min(2, (maxTurns ?? .max) - 1)
        if revisions > 0 {
          review.then.append(
            Route(
              when: try Guard.compile(#"quality.verdict == "revise""#), action: .to(work),
              atMost: revisions))
        }
        review.then.append(
          Route(
            when: try Guard.compile(#"quality.verdict == "escalate""#),
            action: .review(subject: "draft")))
      }
      persona.operators.append(review)
    }
    if !humanGates.isEmpty {
      var person = try parts.operatorNamed("hitl")
      let gates = humanGates.map { gate in String(gate.map { $0 == "_" || $0 == "-" ? " " : $0 }) }
      person.prompt = try Template.compile(
        "\(name) needs \(gates.joined(separator: " and ")): may this answer go out?"
          .filter { $0 != "{" })
      persona.operators.append(person)
    }
  }

  private func addLoop(
    back work: String, _ parts: Parts, _ persona: inout PersonaDefinition, isPart: Bool
  ) throws(Failure) {
    guard let loop = boundedLoop else { return }
    var decision: OperatorDefinition
    if let condition = loop.when {
      decision = OperatorDefinition(
        name: "loop_decision", kind: .rule, writes: [Write(key: "loop", type: .object)],
        location: loop.location ?? persona.location)
      let when = try Guard.compile(condition, at: loop.location)
      decision.reads = when.reads.filter { $0.key != "loop" }
      decision.optionalReads = Set(decision.reads)
      decision.rules = [
        Rule(set: [("loop", .literal(["again": false]))]),
        Rule(when: when, set: [("loop", .literal(["again": true]))]),
      ]
    } else {
      decision = try parts.operatorNamed("loop_decision")
    }
    // In a run of its own there are no earlier frames: it repeats its own work.
    if !isPart {
      decision.then = [
        Route(
          when: try Guard.compile("loop.again == true"), action: .to(work),
          atMost: loop.maxIterations)
      ]
    }
    persona.operators.append(decision)
  }

  /// The next agent starts when this one's work is done: with a loop, after the last round.
  private func addTrigger(
    _ persona: inout PersonaDefinition, isPart: Bool
  ) throws(Failure) {
    guard let trigger else { return }
    let location = trigger.location ?? persona.location
    var hand = OperatorDefinition(
      name: "hand_over", kind: .agent, reads: ["input", "draft"],
      writes: [Write(key: "output", type: .text)], agent: trigger.agent, location: location)
    hand.description = "Hands the result to \(trigger.agent)."
    hand.sections = ["input", "draft"]
    persona.operators.append(hand)
    var conditions: [String] = []
    if isPart, boundedLoop != nil {
      conditions.append("loop.again != true or context.last_round == true")
    }
    if let condition = trigger.when { conditions.append(condition) }
    if !conditions.isEmpty {
      let source =
        conditions.count == 1 ? conditions[0] : "(\(conditions[0])) and (\(conditions[1]))"
      persona.frames[persona.frames.count - 1].next = [
        Transition(
          to: "trigger_frame", when: try Guard.compile(source, at: trigger.location)),
        Transition(to: "end"),
      ]
    }
    persona.frames.append(
      FrameDefinition(
        name: "trigger_frame", kind: .session, operators: [hand.name], location: location))
  }
}
