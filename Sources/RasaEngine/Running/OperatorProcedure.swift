import RasaCore
import RasaDocuments
import RasaPersona

/// Carries out one operator, in plain sequence: ask, check, repair once, try again, give up as the
/// operator's file says.
struct OperatorProcedure {
  let graph: Graph
  let start: RunStart
  let options: RunOptions
  let dependencies: RunDependencies
  let emit: RunObserver
  let runState: SharedRunState
  let recorded: RecordedEffects
  /// For whom, where this is a part of another run.
  let delegation: DelegationScope?
  /// See `RunDriver`.
  let folded: FoldedEvents?
  let onward: Onward?

  func perform(_ invocation: Invocation) async throws -> Completion {
    do {
      return try await carryOut(invocation)
    } catch let deferred as Deferred {
      return Completion(
        step: invocation.step, outcome: nil, answers: [], waitsFor: deferred.approvals)
    } catch let doubt as InDoubt {
      throw doubt.failure.inOperator(invocation.step)
    } catch var failure as Failure where failure.steps.isEmpty && !failure.isOfWholeRun {
      // Money and keys are nobody's in particular for people; a program may know.
      failure.steps = [FailedStep(invocation.step)]
      throw failure
    }
  }

  private func carryOut(_ invocation: Invocation) async throws -> Completion {
    let node = graph.nodes[invocation.node]
    let definition = node.definition
    if let subject = invocation.review {
      let answer = try await ask(definition, invocation, about: subject)
      return Completion(step: invocation.step, outcome: .answered(answer), answers: [])
    }
    try await emit(.operatorStarted(invocation.step, kind: definition.kind.rawValue))
    var completion: Completion
    do {
      completion = try await attempts(definition, invocation)
    } catch let error where error is Failure || error is CutShort {
      let failure = (error as? CutShort)?.failure ?? (error as? Failure) ?? Failure(.run, "")
      guard failure.allowsSubstitution || canSkip(definition, invocation, failure) else {
        throw failure
      }
      switch definition.onError.otherwise {
      case .skip: completion = try await skip(invocation, because: failure)
      case .run where failure.allowsSubstitution:
        guard let substitute = node.substitute else { throw failure.inOperator(invocation.step) }
        do {
          completion = try await once(substitute, invocation, attempt: 1)
        } catch let short as CutShort {
          throw short.failure.inOperator(invocation.step)
        }
      case .fail, .run: throw failure.inOperator(invocation.step)
      }
    }
    try await emit(.operatorEnded(invocation.step, answers: completion.answers))
    return completion
  }

  /// What it wrote already is taken back, as far as it was shown.
  private func skip(_ invocation: Invocation, because failure: Failure) async throws -> Completion {
    let node = graph.nodes[invocation.node]
    let reason = dependencies.redact(failure.message)
    if node.isLive, let live = node.writes.first, let keeps = runState.restart(live) {
      try await emit(.restarted(invocation.step, Restart(.leftOut, reason, keeps: keeps)))
    }
    try await notice(.skipped(invocation.step, because: reason), isRecorded: false)
    return Completion(
      step: invocation.step, outcome: .skipped(reason: reason), answers: [])
  }

  /// Money and keys are not for an operator to get around, but one that only adds to a draft that
  /// has been paid for can be left out when they are missing.
  private func canSkip(
    _ definition: OperatorDefinition, _ invocation: Invocation, _ failure: Failure
  ) -> Bool {
    guard definition.onError.otherwise == .skip else { return false }
    guard failure.kind == .budget || failure.kind == .authentication else { return false }
    let isDrafting = definition.writes.contains { $0.key == "draft" || $0.key == "output" }
    return !isDrafting && !invocation.view[.draft].promptText.isEmpty && !runState.answers.isEmpty
  }

  private func attempts(
    _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws -> Completion {
    // Where a run left off, earlier tries had failed.
    var attempt = max(1, recorded.own.tries(of: invocation.step.effect(definition.firstLabel)))
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
    case .human where definition.ask != nil:
      let updates = try await askUser(definition, invocation)
      return Completion(step: invocation.step, outcome: .wrote(updates), answers: [])
    case .human:
      let subject = definition.reviewSubject ?? "draft"
      let answer = try await ask(definition, invocation, about: subject)
      return Completion(step: invocation.step, outcome: .answered(answer), answers: [])
    case .memory:
      let updates = try await useMemory(definition, invocation)
      return Completion(step: invocation.step, outcome: .wrote(updates), answers: [])
    case .rule:
      let (updates, warnings) = definition.evaluateRules(
        invocation.view, in: kind(of: invocation))
      for warning in warnings { try await emit(.event(.warned(warning))) }
      return Completion(step: invocation.step, outcome: .wrote(updates), answers: [])
    case .agent: return try await delegate(definition, invocation, attempt: attempt)
    case .tool: return try await useTool(definition, invocation, attempt: attempt)
    }
  }

  /// A prompt of nothing but names can come out empty, and no model should be paid to answer that.
  private func checkWords(
    of request: ModelRequest, _ definition: OperatorDefinition
  ) throws(Failure) {
    guard let prompt = definition.prompt, !definition.isInstructions,
      request.messages.last?.text.isBlank != false
    else { return }
    let names = prompt.paths.prefix(5).map { "`\($0)`" }.joined(separator: ", ")
    throw Failure(
      .configuration,
      "the prompt of `\(definition.name)` came out empty"
        + (names.isEmpty ? "" : ": \(names) had no value"),
      suggestion: "write in it what is to be done, or give a value to what it inserts",
      at: prompt.location)
  }

  func kind(of invocation: Invocation) -> FrameKind {
    graph.frames[graph.nodes[invocation.node].frame].kind
  }

  // MARK: Models

  private func askModel(
    _ definition: OperatorDefinition, _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    try checkNames(of: definition, invocation)
    let request = Prompt.request(
      for: definition, view: invocation.view, kind: kind(of: invocation),
      system: graph.systemMessage(invocation.view), attachments: start.attachments,
      session: start.session, wishes: clientWishes(of: invocation))
    try checkSize(of: request, definition)
    try checkWords(of: request, definition)
    guard definition.tools.isEmpty, !definition.mayAsk, clientTools(of: invocation).isEmpty else {
      return try await converse(about: request, definition, invocation, attempt: attempt)
    }
    let answer = try await reply(
      to: request, definition, invocation, label: "call", attempt: attempt)
    return try await complete(answer, to: request, definition, invocation, attempt: attempt)
  }

  /// What becomes of an answer: a text, or JSON that is checked, and repaired once.
  func complete(
    _ answer: Reply, to request: ModelRequest, _ definition: OperatorDefinition,
    _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    var request = request
    request.allowsToolCalls = false
    guard !answer.text.isBlank else { throw nothing(answer, definition) }
    guard let output = definition.output else {
      try await noteEnding(of: answer, definition, at: invocation.step)
      let text = Value.string(answer.text)
      let path = StatePath(definition.writes.first?.key ?? "draft")
      return Completion(
        step: invocation.step, outcome: .wrote([Update(path, text)]), answers: answer.answers)
    }
    let schema =
      if let known = graph.nodes[invocation.node].schema, known.source == output { known } else {
        try Schema.compile(output)
      }
    let first = check(answer.text, schema)
    if let value = first.value, first.problems.isEmpty {
      return Completion(
        step: invocation.step, outcome: .wrote(updates(definition, value)),
        answers: answer.answers)
    }
    if answer.finish.isCut, first.value == nil { throw short(answer, definition) }
    // One repair: the model sees its own answer and what is wrong with it.
    if let last = answer.answers.last, last.cap != nil {
      request.room = min(last.usage.output.twice, last.ceiling ?? .max)
    }
    request.messages.append(ChatMessage(.assistant, answer.text))
    request.messages.append(
      ChatMessage(
        .user,
        "That answer does not have the required form:\n"
          + first.problems.prefix(8).map { "- \($0)" }.joined(separator: "\n")
          + "\nGive the same answer again as JSON that fits the schema, and nothing else."))
    let repaired = try await reply(
      to: request, definition, invocation, label: "repair", attempt: attempt)
    let second = check(repaired.text, schema)
    guard let value = second.value, second.problems.isEmpty else {
      if repaired.finish.isCut, second.value == nil { throw short(repaired, definition) }
      throw Failure(
        .run,
        "the answer of `\(definition.name)` does not have the form its file asks for, also after "
          + "one repair",
        suggestion: "simplify the `output:` schema, or choose a stronger model",
        details: Array(second.problems.prefix(8)))
    }
    return Completion(
      step: invocation.step, outcome: .wrote(updates(definition, value)),
      answers: answer.answers + repaired.answers)
  }

  /// If money was missing for the rest, the failure is one of the budget.
  private func short(_ reply: Reply, _ definition: OperatorDefinition) -> CutShort {
    let kind = reply.obstacle.flatMap { $0.kind == .budget ? $0.kind : nil } ?? .run
    return CutShort(
      failure: Failure(
        kind,
        "the answer of `\(definition.name)` was cut off at \(reply.tokens) tokens, before its JSON "
          + "was complete",
        suggestion: reply.remedy(for: definition.name, maxTokens: definition.maxTokens)))
  }

  /// A text that had no room in the prompt is not left out silently.
  private func checkSize(
    of request: ModelRequest, _ definition: OperatorDefinition
  ) throws(Failure) {
    guard request.messages.contains(where: { $0.text.utf8.count > Template.longestText }) else {
      return
    }
    throw Failure(
      .limit, "the prompt of `\(definition.name)` would have more than 64 MB",
      suggestion: "give it a smaller input, or insert the input only once", at: definition.location)
  }

  /// Where a prompt is strict, everything it inserts has to be there.
  private func checkNames(
    of definition: OperatorDefinition, _ invocation: Invocation
  ) throws(Failure) {
    guard definition.isStrict, let prompt = definition.prompt else { return }
    let read = invocation.view.promptReader(in: kind(of: invocation))
    do {
      try prompt.checkNames(defaults: definition.defaults, read)
    } catch {
      var failure = error
      failure.suggestion =
        "name them with `--preferences NAME=VALUE`, or declare `defaults` in the file"
      throw failure
    }
  }

  func check(_ text: String, _ schema: Schema) -> (problems: [String], value: Value?) {
    switch JSON.extraction(from: text) {
    case .value(let value): (schema.problems(in: value), value)
    case .unfinished: (["the JSON in it breaks off before its end"], nil)
    case .nothing: (["there is no JSON in it"], nil)
    }
  }

  /// One write takes the whole answer, unless the answer has a member of its name and the write is
  /// no object; several writes take the members of their names.
  func updates(_ definition: OperatorDefinition, _ value: Value) -> [Update] {
    if definition.writes.count == 1, let write = definition.writes.first {
      let member = value[write.key]
      let isWhole = write.type == .object || write.type == .any || member.isNull
      return [Update(StatePath(write.key), isWhole ? value : member)]
    }
    return definition.writes.map { Update(StatePath($0.key), value[$0.key]) }
  }
}

extension OperatorDefinition {
  /// What its first effect is called.
  fileprivate var firstLabel: String {
    kind == .tool ? "tool:\(tools.first ?? "")" : "call"
  }
}

/// The outcome of an operator.
struct Completion: Sendable {
  var step: Step
  /// Nil when it waits for people.
  var outcome: OperatorOutcome?
  var answers: [ModelAnswer]
  var waitsFor: [Approval] = []
}

extension Failure {
  /// Whether another try, or doing without, can be the answer. Money, keys, people's decisions and
  /// limits are not for an operator to get around.
  var allowsSubstitution: Bool {
    switch kind {
    case .run, .provider: true
    case .timeout: !isOfWholeRun
    default: false
    }
  }

  fileprivate func inOperator(_ step: Step) -> Failure {
    var failure = self
    let place = FailedStep(step)
    failure.steps.append(place)
    failure.details.append(place.line)
    return failure
  }
}

extension Int64 {
  fileprivate var twice: Int64 { self > .max / 2 ? .max : self * 2 }
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
