package import RasaCore

extension Library {
  /// The agent as a persona that can be run; nil if there is none with that ID.
  ///
  /// - Parameter isPart: whether it works in another persona.
  package func agentPersona(
    named id: String, isPart: Bool = false
  ) throws(Failure) -> PersonaDefinition? {
    guard let source = agentSource, let documents = try source.documents(ofAgent: id) else {
      return nil
    }
    try narrowing.require(id)
    return try persona(of: documents, from: source, isPart: isPart)
  }

  /// The agent from these files, which need not be among the discovered ones.
  package func agentPersona(_ documents: AgentDocuments) throws(Failure) -> PersonaDefinition {
    guard let source = agentSource else {
      throw Failure(.configuration, "agents are not available here")
    }
    return try persona(of: documents, from: source, isPart: false)
  }

  private func persona(
    of documents: AgentDocuments, from source: any AgentSource, isPart: Bool
  ) throws(Failure) -> PersonaDefinition {
    let reading = AgentLoader.load(documents, engines: engines)
    let loaded = try reading.get()
    guard let prompt = loaded.prompt else {
      throw loaded.missingPrompt
        ?? Failure(
          .configuration, "the agent `\(loaded.agent.id)` has no prompt", suggestion: "write one")
    }
    guard !prompt.isBlank else { throw Self.emptyPrompt(of: loaded.agent.id, at: prompt.location) }
    let parts = Agent.Parts(
      prompt: prompt, template: try template(of: loaded.agent, prompt, documents),
      insert: { path throws(Failure) in try source.insert(path, intoPromptOf: documents) },
      operatorNamed: { name throws(Failure) in try operatorDefinition(named: name) })
    var persona = try loaded.agent.persona(parts, isPart: isPart)
    persona.warnings += reading.warnings + source.duplicates(ofAgent: loaded.agent.id)
    if let notice = loaded.agent.unusedNotice { persona.warnings.append(notice) }
    for limits in (agentLimits ?? source).limits(ofAgent: loaded.agent.id) {
      persona.budget.narrow(by: limits)
    }
    return persona
  }

  static func emptyPrompt(of id: String, at location: SourceLocation) -> Failure {
    Failure(
      .configuration, "the prompt of the agent `\(id)` is empty",
      suggestion: "write its task below the front matter", at: location)
  }

  /// Compiled now, or taken from the cache if the file has not changed.
  private func template(
    of agent: Agent, _ prompt: AgentPrompt, _ documents: AgentDocuments
  ) throws(Failure) -> Template {
    guard let prompts, let path = documents.prompt?.path, let stamp = documents.promptStamp else {
      return try agent.template(prompt)
    }
    return try prompts.template(of: path, stamp) { () throws(Failure) in
      try agent.template(prompt)
    }
  }

  /// The worker with that name inside a persona: an agent, otherwise a persona.
  package func delegate(named name: String) throws(Failure) -> PersonaDefinition? {
    if let agent = try agentPersona(named: name, isPart: true) { return agent }
    return try persona(strictlyNamed: name)
  }

  /// What can be run under that name: a persona, otherwise an agent; nil if there is neither.
  package func runnable(named name: String) throws(Failure) -> PersonaDefinition? {
    if let persona = try persona(strictlyNamed: name) { return persona }
    return try agentPersona(named: name)
  }

  /// The ID of the agent with that ID or display name.
  package func agentID(for word: String) -> String? { agentSource?.agentID(for: word) }

  /// There is no agent with that ID: it is a persona's name, or a misspelling of one of these.
  package func unknownAgent(_ id: String) -> Failure {
    if (try? personaDocument(named: id)) != nil {
      return Failure(
        .configuration, "there is no agent `\(id)`; that is a persona",
        suggestion:
          "write `--persona \(id)` instead of `--agent \(id)`; `rasa personas show \(id)` "
          + "shows it")
    }
    let known = (agentSource?.agentIDs() ?? []).filter(narrowing.allows)
    let hint = nearestName(to: id, among: known).map { "did you mean `\($0)`? " } ?? ""
    return Failure(
      .configuration, "there is no agent `\(id)`",
      suggestion: hint + "`rasa agents list` lists the agents")
  }
}
