import RasaCore
import RasaDocuments
import RasaPersona

/// Carries out one operator, in plain sequence: ask, check, repair once, try again, give up as the
/// operator's file says.
struct OperatorProcedure {
  let graph: Graph
  let start: RunStart
  let options: RunOptions
  let surroundings: Surroundings
  let show: RunObserver
  let stage: Stage

  func perform(_ invocation: Invocation) async throws -> Completion {
    let node = graph.nodes[invocation.node]
    let definition = node.definition
    if let subject = invocation.review {
      let answer = try await ask(definition, invocation, about: subject)
      return Completion(step: invocation.step, outcome: .answered(answer), answers: [])
    }
    try await show(.operatorStarted(invocation.step, kind: definition.kind.rawValue))
    var completion: Completion
    do {
      completion = try await attempts(definition, invocation)
    } catch let failure as Failure where failure.allowsSubstitution {
      switch definition.onError.otherwise {
      case .fail: throw failure.inOperator(invocation.step)
      case .skip:
        completion = Completion(
          step: invocation.step, outcome: .skipped(reason: failure.message), answers: [])
      case .run:
        guard let substitute = node.substitute else { throw failure.inOperator(invocation.step) }
        completion = try await once(substitute, invocation, attempt: 1)
      }
    }
    try await show(.operatorEnded(invocation.step, answers: completion.answers))
    return completion
  }

  private func attempts(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> Completion {
    var attempt = 1
    while true {
      do {
        return try await once(definition, invocation, attempt: attempt)
      } catch let failure as Failure where failure.allowsSubstitution {
        guard attempt <= definition.onError.retry else { throw failure }
        attempt += 1
      }
    }
  }

  private func once(
    _ definition: OperatorDefinition, _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    switch definition.kind {
    case .llm: return try await askModel(definition, invocation, attempt: attempt)
    case .human:
      let subject = definition.reviewSubject ?? "draft"
      let answer = try await ask(definition, invocation, about: subject)
      return Completion(step: invocation.step, outcome: .answered(answer), answers: [])
    case .memory:
      let updates = try await remember(definition, invocation)
      return Completion(step: invocation.step, outcome: .wrote(updates), answers: [])
    case .rule:
      let updates = definition.evaluateRules(invocation.view, in: kind(of: invocation))
      return Completion(step: invocation.step, outcome: .wrote(updates), answers: [])
    case .tool, .agent:
      throw Failure(
        .configuration, "operators of kind `\(definition.kind.rawValue)` cannot be run",
        at: definition.location)
    }
  }

  private func kind(of invocation: Invocation) -> FrameKind {
    graph.frames[graph.nodes[invocation.node].frame].kind
  }

  // MARK: Models

  private func askModel(
    _ definition: OperatorDefinition, _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    var request = Prompt.request(
      for: definition, view: invocation.view, kind: kind(of: invocation),
      system: graph.systemMessage)
    let answer = try await call(
      request, definition, invocation, label: "call", attempt: attempt)
    guard let output = definition.output else {
      let text = Value.string(answer.text)
      let path = StatePath(definition.writes.first?.key ?? "draft")
      return Completion(
        step: invocation.step, outcome: .wrote([Update(path, text)]), answers: [answer])
    }
    let schema =
      if let known = graph.nodes[invocation.node].schema, known.source == output { known } else {
        try Schema.compile(output)
      }
    let first = check(answer.text, schema)
    if let value = first.value, first.problems.isEmpty {
      return Completion(
        step: invocation.step, outcome: .wrote(updates(definition, value)), answers: [answer])
    }
    // One repair: the model sees its own answer and what is wrong with it.
    request.messages.append(ChatMessage(.assistant, answer.text))
    request.messages.append(
      ChatMessage(
        .user,
        "That answer does not have the required form:\n"
          + first.problems.prefix(8).map { "- \($0)" }.joined(separator: "\n")
          + "\nGive the same answer again as JSON that fits the schema, and nothing else."))
    let repaired = try await call(
      request, definition, invocation, label: "repair", attempt: attempt)
    let second = check(repaired.text, schema)
    guard let value = second.value, second.problems.isEmpty else {
      throw Failure(
        .run,
        "the answer of `\(definition.name)` does not have the form its file asks for, also after "
          + "one repair",
        mend: "simplify the `output:` schema, raise `max_tokens`, or choose a stronger model",
        details: Array(second.problems.prefix(8)))
    }
    return Completion(
      step: invocation.step, outcome: .wrote(updates(definition, value)),
      answers: [answer, repaired])
  }

  private func check(_ text: String, _ schema: Schema) -> (problems: [String], value: Value?) {
    guard let value = JSON.extract(from: text) else { return (["there is no JSON in it"], nil) }
    return (schema.problems(in: value), value)
  }

  /// One write takes the whole answer, unless the answer has a member of its name and the write is
  /// no object; several writes take the members of their names.
  private func updates(_ definition: OperatorDefinition, _ value: Value) -> [Update] {
    if definition.writes.count == 1, let write = definition.writes.first {
      let member = value[write.key]
      let isWhole = write.type == .object || write.type == .any || member.isNull
      return [Update(StatePath(write.key), isWhole ? value : member)]
    }
    return definition.writes.map { Update(StatePath($0.key), value[$0.key]) }
  }

  private func call(
    _ request: ModelRequest, _ definition: OperatorDefinition, _ invocation: Invocation,
    label: String, attempt: Int
  ) async throws -> ModelAnswer {
    let step = invocation.step
    let node = graph.nodes[invocation.node]
    let live = node.isLive ? node.writes.first : nil
    let context = graph.callContext(
      start, definition, step.effect(label, occurrence: attempt), profile: options.profile)
    if attempt > 1 || label != "call", let live, stage.restart(live) {
      try await show(.restarted(step, reason: "asked again", wasShown: true))
    }
    var request = request
    let left = stage.secondsLeft(at: surroundings.time.monotonic())
    guard left > 0 else { throw stage.tooLate }
    request.timeout = min(request.timeout ?? left, left)
    do {
      return try await ask(request, context, live, step)
    } catch let failure as Failure where failure.kind == .timeout {
      // The operator's own time, or the whole run's?
      guard stage.secondsLeft(at: surroundings.time.monotonic()) > 0 else { throw stage.tooLate }
      throw failure
    }
  }

  private func ask(
    _ request: ModelRequest, _ context: CallContext, _ live: StatePath?, _ step: Step
  ) async throws -> ModelAnswer {
    try await surroundings.gate.answer(request, for: context) { event in
      switch event {
      case .started(let provider, let model):
        try await show(.modelChosen(step, provider: provider, model: model))
      case .text(let text):
        try await show(.textArrived(step, text))
        if let live, let shown = stage.offer(text, of: live) { try await show(.output(shown)) }
      case .reasoning(let text): try await show(.reasoning(step, text))
      case .restarted(let reason):
        let wasShown = live.map { stage.restart($0) } ?? false
        try await show(.restarted(step, reason: reason, wasShown: wasShown))
      }
    }
  }

  // MARK: People

  private func ask(
    _ definition: OperatorDefinition, _ invocation: Invocation, about subject: StatePath
  ) async throws -> HumanAnswer {
    let read = invocation.view.reader(in: kind(of: invocation))
    var title = "\(definition.name) asks for a review of `\(subject)`"
    if definition.kind == .human, let prompt = definition.prompt { title = prompt.render(read) }
    let key = invocation.step.effect("review")
    let shown = graph.nodes[invocation.node].writes + definition.reads
    var context: [Question.ContextLine] = []
    for path in shown where path != subject && !State.provided.contains(path.key) {
      let text = invocation.view[path].promptText
      if !text.isEmpty, !context.contains(where: { $0.name == path.description }) {
        context.append(Question.ContextLine(name: path.description, text: text))
      }
    }
    let question = Question(
      key: key, title: title, subject: subject, payload: invocation.view[subject],
      context: context, spent: stage.spent)
    try await surroundings.journal.append([
      RunEvent.asked(key, question).entry(of: start.run, at: surroundings.time.now())
    ])
    try await show(.event(.asked(key, question)))
    let asked = surroundings.time.monotonic()
    let answer = try await surroundings.people.decide(question)
    stage.wait(surroundings.time.monotonic() &- asked)
    try await surroundings.journal.append([
      RunEvent.answered(key, answer).entry(of: start.run, at: surroundings.time.now())
    ])
    try await show(.event(.answered(key, answer)))
    return answer
  }

  // MARK: Memory

  private func remember(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> [Update] {
    let view = invocation.view
    switch definition.memory {
    case .recall:
      let facts = try await surroundings.memory.recall(
        persona: start.persona, user: start.user, query: start.input, limit: 8)
      return [
        Update(
          .memories,
          .array(
            facts.map { fact in
              [
                "text": .string(fact.text), "source": .string(fact.sourceRun.text),
                "trust": .string(fact.trust),
              ]
            }))
      ]
    case .remember:
      // Only noted here: what is remembered is kept when the run has come to its end.
      func fact(_ text: String, trust: String) -> Value {
        ["text": .string(text), "trust": .string(trust)]
      }
      var facts = start.preferences.map {
        fact("\($0.key): \($0.value.promptText)", trust: "person")
      }
      let concluded = definition.reads.contains("facts") ? view["facts"].array ?? [] : []
      for conclusion in concluded {
        facts.append(fact(conclusion["text"].string ?? conclusion.promptText, trust: "model"))
      }
      if concluded.isEmpty {
        let answer = view[.draft].promptText
        let said = answer.isEmpty ? view[.output].promptText : answer
        facts.append(
          fact("Asked: \(start.input.opening(200)) Answered: \(said.opening(300))", trust: "model"))
      }
      return [Update(.remembered, .array(facts))]
    case nil: return []
    }
  }
}

/// What an operator came to.
struct Completion: Sendable {
  var step: Step
  var outcome: OperatorOutcome
  var answers: [ModelAnswer]
}

extension Failure {
  /// Whether another try, or doing without, can be the answer. Money, keys, people's decisions and
  /// limits are not for an operator to get around.
  fileprivate var allowsSubstitution: Bool {
    switch kind {
    case .run, .provider: true
    case .timeout: !isOfWholeRun
    default: false
    }
  }

  fileprivate func inOperator(_ step: Step) -> Failure {
    var failure = self
    failure.details.append("in the operator `\(step.operatorName)` of `\(step.frame)`")
    return failure
  }
}

extension String {
  /// The beginning, on one line, cut at a word where possible.
  func opening(_ length: Int) -> String {
    var words: [UInt8] = []
    var hasMore = false
    for byte in utf8 {
      if byte <= 0x20 {
        if let last = words.last, last != 0x20 { words.append(0x20) }
      } else if words.count >= length {
        hasMore = true
        break
      } else {
        words.append(byte)
      }
    }
    if hasMore, let cut = words.lastIndex(of: 0x20), cut > length / 2 {
      words.removeSubrange(cut...)
    }
    // A character that was cut in two is left out.
    while let last = words.last, hasMore, last >= 0x80,
      String(validating: words, as: UTF8.self) == nil
    { words.removeLast() }
    if words.last == 0x20 { words.removeLast() }
    return String(decoding: words, as: UTF8.self) + (hasMore ? "…" : "")
  }
}
