import RasaCore
import RasaDocuments
import RasaMemory
import RasaPersona

/// Operators of kind `memory`.
extension OperatorProcedure {
  func useMemory(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> [Update] {
    switch definition.memory {
    case .recall: try await recall(definition, invocation)
    case .remember: try await remember(definition, invocation)
    case nil: []
    }
  }

  // MARK: Recall

  private func recall(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> [Update] {
    let updates: [Update]
    if let known = recorded.recall(in: invocation.step) {
      updates = known
    } else {
      let now = dependencies.time.now()
      let recollection = Recollection(
        start: start, settings: graph.persona.memory, memory: dependencies.memory, now: now,
        conversation: invocation.view[.conversation],
        shownRuns: ConversationContext.shownRuns(invocation.view["context"]))
      // What is looked for by words is read while the vector is on its way.
      async let byWords = recollection.readByWords()
      var vector: MemoryQuery.Vector?
      if graph.persona.memory.recall.items > 0 {
        vector = try await questionVector(
          of: recollection.query.text, by: graph.persona.memory.embeddings, definition,
          in: invocation.step)
      }
      let (memories, record) = try await recollection.gather(try await byWords, vector)
      let key = invocation.step.effect("recall")
      // A process that was killed just then has written it already.
      if memories.array?.isEmpty == false || !record.cut.isEmpty, !recorded.own.hasRecalled(key) {
        dependencies.journal.record([
          record.entry(of: start.run, at: key, time: now)
        ])
      }
      updates = [Update(.memories, memories)]
    }
    for update in updates where update.path == .memories {
      for source in update.value.memoryTaint { runState.note(source) }
    }
    return updates
  }

  // MARK: Remember

  /// Only noted here: facts are stored when the run ends.
  private func remember(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> [Update] {
    let settings = graph.persona.memory
    let now = dependencies.time.now()
    var facts = start.preferences.map { key, value in
      var fact = RememberedFact(
        text: "\(key): \(MemoryText.line(value.inWords))", trust: .person)
      fact.kind = "preference"
      // Whoever names it again means the same thing, whatever it is called.
      fact.slot = FactReading.read(fact.text, at: now).slot ?? FactReading.key(key)
      return fact.value(settings)
    }
    // Whatever came into the run may be in what its models wrote.
    let concluded: MemoryTrust =
      runState.taint.flow.contains(.untrustedContent) || !start.attachments.isEmpty ? .tool : .model
    let written = definition.reads.contains("facts") ? invocation.view["facts"].array ?? [] : []
    for conclusion in written {
      let text = (conclusion["text"].string ?? conclusion.promptText)
      guard !text.isBlank else { continue }
      var fact = RememberedFact(text: MemoryText.line(text), trust: concluded)
      fact.kind = conclusion["kind"].string ?? FactReading.read(fact.text, at: now).kind
      fact.slot = conclusion["slot"].string.flatMap { FactReading.slot(named: $0) }
      facts.append(fact.value(settings))
    }
    if let model = settings.extract {
      facts += try await extracted(by: model, definition, invocation, concluded, at: now)
    }
    return [Update(.remembered, .array(facts))]
  }

  /// What a model finds worth remembering. A failure is reported in a notice and never fails the run, which has its
  /// answer already.
  private func extracted(
    by model: MemoryModel, _ definition: OperatorDefinition, _ invocation: Invocation,
    _ concluded: MemoryTrust, at now: Timestamp
  ) async throws -> [Value] {
    let view = invocation.view
    let answered = [view[.output], view[.draft]].map(\.promptText).first { !$0.isBlank } ?? ""
    let extraction = FactExtraction(
      input: start.input, output: answered, settings: graph.persona.memory, otherTrust: concluded,
      now: now)
    guard let request = graph.extractionRequest(definition, view, extraction) else {
      try await skipExtraction(
        invocation, "`\(definition.name)` has no prompt for it",
        suggestion: "give it the prompt of the shipped `remember`, or remove its own file")
      return []
    }
    let key = definition.effect("extract", in: invocation.step)
    let context = graph.extractionContext(
      graph.callContext(
        start, definition, key, profile: options.profile, delegation: delegation), model)
    do {
      let answer = try await call(
        request, definition, invocation, label: "extract", occurrence: 1, in: context)
      if answer.isMock {
        try await skipExtraction(
          invocation, "no model could be asked",
          suggestion: "`rasa models list` shows which ones can be asked")
        return []
      }
      guard let value = check(answer.text, try schema(of: definition, invocation)).value,
        let facts = extraction.facts(in: value)
      else {
        try await skipExtraction(
          invocation, "the answer of \(answer.source) has another form",
          suggestion: "name a model that writes JSON in `memory: {extract: …}`")
        return []
      }
      return facts
    } catch let failure as Failure where failure.kind != .cancelled && failure.kind != .storage {
      try await skipExtraction(
        invocation, dependencies.redact(failure.message),
        suggestion: failure.kind == .budget
          ? "raise `memory: {extract: {max_cost: …}}` above \(model.maxCost)" : failure.suggestion)
      return []
    } catch let doubt as InDoubt {
      try await skipExtraction(invocation, doubt.failure.message, suggestion: "")
      return []
    }
  }

  private func schema(
    of definition: OperatorDefinition, _ invocation: Invocation
  ) throws(Failure) -> Schema {
    if let known = graph.nodes[invocation.node].schema, known.source == definition.output {
      return known
    }
    return try Schema.compile(definition.output ?? ["type": "object"])
  }

  private func skipExtraction(
    _ invocation: Invocation, _ reason: String, suggestion: String
  ) async throws {
    try await notice(
      RunNotice(
        .memory, at: invocation.step,
        "no facts of this run are remembered beside what was stated: \(reason)",
        suggestion: suggestion, facts: ["because": .string(reason)]))
  }
}

extension Graph {
  /// What the model is asked; nil where the operator's file does not say.
  func extractionRequest(
    _ definition: OperatorDefinition, _ view: State, _ extraction: FactExtraction
  ) -> ModelRequest? {
    guard definition.prompt != nil else { return nil }
    var seen = view
    seen.write(.string(FactExtraction.side(extraction.input)), at: .input)
    seen.write(.string(FactExtraction.side(extraction.output)), at: .output)
    let system = [FactExtraction.system, Prompt.dateLine(view["context"])].compactMap(\.self)
    var request = Prompt.request(
      for: definition, view: seen, kind: .longTerm, system: system.joined(separator: "\n"))
    request.timeout = min(definition.timeout ?? FactExtraction.patience, FactExtraction.patience)
    request.input = extraction.input
    return request
  }

  /// The persona's limits, and a limit for this call alone below them.
  func extractionContext(_ context: CallContext, _ model: MemoryModel) -> CallContext {
    var context = context
    let whole = context.payers
    context.models = RecommendedModels(primary: model.model ?? context.models.primary)
    context.profile = .speed
    context.budget.maxPerExecution = model.maxCost
    context.budget.policy = .reject
    context.runLimit = nil
    context.execution = Identifier("\(context.run)/\(context.key)")
    context.above = whole
    return context
  }
}

extension Value {
  /// As a person would write it: lists without brackets.
  fileprivate var inWords: String {
    switch self {
    case .array(let elements): elements.map(\.inWords).joined(separator: ", ")
    case .object: json(.compact)
    default: promptText
    }
  }
}
