package import RasaCore

extension Library {
  /// The agent as a persona that can be run; nil when there is none of that id.
  ///
  /// - Parameter isPart: it works in another persona.
  package func agentPersona(
    named id: String, isPart: Bool = false
  ) throws(Failure) -> PersonaDefinition? {
    guard let source = agentSource, let documents = try source.documents(ofAgent: id) else {
      return nil
    }
    try narrowing.require(id)
    return try persona(of: documents, from: source, isPart: isPart)
  }

  /// The agent of these files, which need not be among those that are found.
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

  static func emptyPrompt(of id: String, at place: SourceLocation) -> Failure {
    Failure(
      .configuration, "the prompt of the agent `\(id)` is empty",
      suggestion: "write its task below the front matter", at: place)
  }

  /// Compiled now, or before while the file stood as it does.
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

  /// Who works inside a persona under that name: an agent, else a persona.
  package func delegate(named name: String) throws(Failure) -> PersonaDefinition? {
    if let agent = try agentPersona(named: name, isPart: true) { return agent }
    return try persona(strictlyNamed: name)
  }

  /// What can be run under that name: a persona, else an agent; nil when there is neither.
  package func runnable(named name: String) throws(Failure) -> PersonaDefinition? {
    if let persona = try persona(strictlyNamed: name) { return persona }
    return try agentPersona(named: name)
  }

  /// The id of the agent that somebody means by its id or by its name for people.
  package func agentID(for word: String) -> String? { agentSource?.agentID(for: word) }

  /// There is no agent of that id: it is a persona's name, or these are near.
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
