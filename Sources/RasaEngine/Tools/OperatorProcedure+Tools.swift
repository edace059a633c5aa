import RasaCore
import RasaPersona

/// Uses of tools: by operators of kind `tool`, and by models.
extension OperatorProcedure {
  /// A tool may ask so often before it does anything.
  private static let mostInputRounds = 8

  // MARK: Operators of kind `tool`

  func useTool(
    _ definition: OperatorDefinition, _ invocation: Invocation, attempt: Int
  ) async throws -> Completion {
    let name = definition.tools.first ?? ""
    let value: Value
    if let delegate = graph.nodes[invocation.node].toolDelegate(definition, name) {
      let arguments = arguments(definition, invocation, for: delegate.description)
      try check(arguments, of: ToolAtHand(delegate.description) { throw Failure(.run, "") })
      value = try await delegate.value(
        of: work(
          delegate, arguments: .object(arguments), invocation,
          scope: invocation.step.scope(attempt: attempt)))
    } else {
      let tool: any Tool
      do {
        guard let known = try await dependencies.tools.tools(named: [name]).first else {
          throw missing(name, of: definition)
        }
        tool = known
      } catch let failure as Failure where failure.kind == .configuration {
        throw missing(name, of: definition, because: failure)
      }
      var atHand = ToolAtHand(tool)
      atHand.description.name = name
      let arguments = arguments(definition, invocation, for: tool.description)
      let place = ToolPlace(
        label: "tool:\(name)", occurrence: attempt,
        idempotencyKey: "\(start.run)/\(invocation.step.effect(name))")
      do {
        let result = try await use(
          atHand, .object(arguments), at: place, definition, invocation,
          clock: OperatorClock(definition.timeout, dependencies.time, runState), isForModel: false)
        value = try result.checkedValue(of: name)
        // An operator writes none of them, so whoever started the run gets them.
        runState.note(files: result.attachments)
      } catch let failure as Failure where failure.kind != .cancelled && failure.kind != .storage {
        let key = definition.effect(place.label, in: invocation.step, occurrence: attempt)
        record(EffectEvent(.tool, key, .ended(dependencies.redact(failure), isRefused: false)))
        throw failure
      }
    }
    return Completion(
      step: invocation.step, outcome: .wrote(updates(definition, value)), answers: [])
  }

  private func missing(
    _ name: String, of definition: OperatorDefinition, because failure: Failure? = nil
  ) -> Failure {
    guard var failure else {
      return Failure(
        .configuration,
        "`\(definition.name)` calls the tool `\(name)`, which this program does not have",
        suggestion: "resume the run in the program that registers it", at: definition.location)
    }
    failure.message = "the tool `\(name)` cannot be used: \(failure.message)"
    failure.location = failure.location ?? definition.location
    return failure
  }

  private static func wrongArguments(of tool: String) -> String {
    "`rasa tools show \(tool)` lists what it takes; an operator says it under `arguments:`"
  }

  private func check(_ arguments: ValueObject, of tool: ToolAtHand) throws(Failure) {
    let problems = tool.problems(of: .object(arguments))
    guard !problems.isEmpty else { return }
    throw Failure(
      .run, "`\(tool.description.name)` does not take these arguments",
      suggestion: Self.wrongArguments(of: tool.description.name),
      details: Array(problems.prefix(8)))
  }

  /// What the operator gives: what its `arguments` say, else all that it reads, by name. An object alone is the
  /// arguments.
  func arguments(
    _ definition: OperatorDefinition, _ invocation: Invocation, for tool: ToolDescription
  ) -> ValueObject {
    let read = invocation.view.reader(in: kind(of: invocation))
    if !definition.arguments.isEmpty { return definition.arguments.value(read) }
    let reads = definition.reads
    if tool.origin == .program {
      return ValueObject(reads.map { ($0.description, read($0)) })
    }
    let known = Set(tool.parameters["properties"].object?.keys ?? [])
    func name(_ path: StatePath) -> String {
      let whole = path.description
      guard !known.contains(whole), let last = path.components.last else { return whole }
      return last
    }
    if reads.count == 1, !known.contains(name(reads[0])), let object = read(reads[0]).object {
      return object
    }
    return ValueObject(
      reads.compactMap { path in
        let value = read(path)
        return value.isNull ? nil : (name(path), value)
      })
  }

  // MARK: One use

  /// Uses a tool, or takes what is recorded of it. Questions that the tool has come in between.
  func use(
    _ tool: ToolAtHand, _ arguments: Value, at place: ToolPlace, _ definition: OperatorDefinition,
    _ invocation: Invocation, clock: OperatorClock, isForModel: Bool
  ) async throws -> ToolResult {
    let step = invocation.step
    let key = definition.effect(place.label, in: step, occurrence: place.occurrence)
    var use = ToolUse(
      run: start.run, step: step, key: key, name: tool.description.name, arguments: arguments,
      idempotencyKey: place.idempotencyKey.isEmpty
        ? "\(start.run)/\(key)" : place.idempotencyKey)
    let idempotencyKey = use.idempotencyKey
    func effect() -> ToolEffect {
      // One name for each attempt, as what a person decides about one says nothing about the next.
      let earlier = recorded.own.attempts(at: use.key)
      return ToolEffect(
        use: use,
        attempt: Identifier("\(start.run)/\(use.key)" + (earlier > 0 ? "~\(earlier + 1)" : "")),
        tool: tool, definition: definition, clock: clock,
        context: context(of: use, definition, clock: clock), isForModel: isForModel,
        dependencies: dependencies)
    }
    func ended(_ result: ToolResult) async throws -> ToolResult {
      let bytes = result.content.isEmpty ? 0 : result.text.utf8.count
      try await emit(
        .tool(
          step,
          ToolActivity(
            key: key, tool: use.name, phase: .ended(isError: result.isError, bytes: bytes))))
      return result
    }
    try await emit(
      .tool(
        step, ToolActivity(key: key, tool: use.name, phase: .started(arguments: arguments))))
    do {
      if let known = recorded.own.done(at: key), case .tool(let result) = known.result {
        // It is over, and whoever had to be asked was. What has no request was not made.
        if known.request.isEmpty, isForModel { return try await ended(result) }
        // Hooks or a person may have changed what it was used with.
        if let used = recorded.own.arguments(at: key) {
          use.arguments = used
        } else {
          use.arguments = try await takenOver(use, definition)
        }
      } else {
        var problems = tool.problems(of: arguments)
        if problems.isEmpty {
          switch try await hooked(before: use, definition) {
          case .go(let arguments):
            use.arguments = arguments
            problems = tool.problems(of: arguments)
          case .refused(let failure): throw failure
          }
        }
        guard problems.isEmpty else {
          let failure = Failure(
            .run, "`\(use.name)` does not take these arguments",
            suggestion: isForModel
              ? "give arguments that fit its schema"
              : Self.wrongArguments(of: use.name),
            details: Array(problems.prefix(8)))
          guard isForModel else { throw failure }
          return try await ended(ToolResult(failure))
        }
        switch try await permit(use, tool.description, definition, invocation) {
        case .go(let permitted): use.arguments = permitted
        case .refused(let reason):
          // Whatever its model makes of that, the reader of the answer learns it.
          if isForModel {
            try await notice(
              RunNotice(
                .refused, at: step, "`\(definition.name)` may not use `\(use.name)`: \(reason)",
                facts: ["tool": .string(use.name), "because": .string(reason)]))
          }
          throw Failure(
            .approval, "`\(use.name)` was not used: \(reason)",
            suggestion: isForModel ? "go on without it" : "")
        }
      }
      for round in 1...(Self.mostInputRounds + 1) {
        switch try await perform(effect(), definition) {
        case .result(let result):
          switch try await hooked(result, of: use, definition) {
          case .go(let result): return try await ended(result)
          case .refused(let failure): throw failure
          }
        case .inputRequired(let request):
          guard round <= Self.mostInputRounds else { break }
          use.responses = try await answers(
            to: request, of: use, definition, round: round)
          use.requestState = request.state
          // A use of its own, with another name for the tool as well.
          use.key = definition.effect(
            "\(place.label).input.\(round + 1)", in: step, occurrence: place.occurrence)
          use.idempotencyKey = "\(idempotencyKey)/\(round + 1)"
        }
      }
      throw Failure(
        .run,
        "the tool `\(use.name)` asked \(Self.mostInputRounds) times and still wants to know more",
        suggestion: "give it more in its arguments")
    } catch let failure as Failure where isForModel && !failure.endsLoop {
      // On record, so that the model is not told anything else when the run goes on. Without an intent, as nothing was
      // attempted.
      let result = ToolResult(dependencies.redact(failure))
      record(
        EffectEvent(
          .tool, key, .result(.tool(result), attempt: Identifier("\(start.run)/\(key)~0"))))
      return try await ended(result)
    }
  }

  /// The arguments of a use whose result another run gave: as they were changed there.
  private func takenOver(
    _ use: ToolUse, _ definition: OperatorDefinition
  ) async throws -> Value {
    if let edited = recorded.own.permission(at: use.key)?.arguments { return edited }
    guard case .go(let arguments) = try await hooked(before: use, definition) else {
      return use.arguments
    }
    return arguments
  }

  private func context(
    of use: ToolUse, _ definition: OperatorDefinition, clock: OperatorClock
  ) -> ToolContext {
    let asked = Locked(0)
    return ToolContext(
      progress: { progress in
        try await emit(
          .tool(
            use.step, ToolActivity(key: use.key, tool: use.name, phase: .progressed(progress))))
      },
      ask: { question in
        let number = asked.withLock { count in
          count += 1
          return count
        }
        do {
          return try await answer(
            to: self.question(question, of: use, definition, label: "asks.\(number)"),
            lifetime: nil)
        } catch is Deferred {
          return nil
        } catch let failure as Failure where failure.kind == .approval {
          return nil
        }
      }, secondsLeft: { clock.secondsLeft })
  }

  // MARK: What tools ask

  /// What people say to the questions of a tool: by name, `{action: accept, content: …}` or `{action: decline}`.
  private func answers(
    to request: ToolInputRequest, of use: ToolUse, _ definition: OperatorDefinition, round: Int
  ) async throws -> Value {
    var responses = ValueObject()
    for (index, entry) in request.entries.enumerated() {
      let answer = try await answer(
        to: question(entry.question, of: use, definition, label: "asks.\(index + 1)"),
        lifetime: nil)
      responses[entry.name] = answer.response
    }
    return .object(responses)
  }

  private func question(
    _ asked: ToolQuestion, of use: ToolUse, _ definition: OperatorDefinition, label: String
  ) -> Question {
    var payload: ValueObject = ["tool": .string(use.name), "ask": .string(asked.message)]
    if let schema = asked.schema { payload["form"] = schema }
    if let url = asked.url { payload["url"] = .string(url) }
    if let call = asked.call { payload["call"] = call }
    var title = "`\(use.name)` asks: \(asked.message)"
    if let url = asked.url { title += " (open \(url), and approve when you are done there)" }
    var question = Question(
      key: use.key.question(label), title: title,
      subject: StatePath(definition.writes.first?.key ?? "draft"), payload: .object(payload),
      schema: asked.schema, spent: runState.spent)
    if asked.schema != nil { question.form = .answer }
    return question
  }
}

/// Where in a run a tool is used.
struct ToolPlace: Sendable {
  var label: String
  var occurrence: Int
  /// Empty for the key itself.
  var idempotencyKey = ""
}

extension EffectKey {
  /// The key of a question that belongs to the effect; the round stays at the end.
  func question(_ name: String) -> EffectKey {
    step.effect("\(label).\(name)", occurrence: occurrence)
  }

  /// The use of a tool that put this question; nil for any other.
  package var useThatAsked: EffectKey? {
    guard label.utf8.starts(with: "tool:".utf8) || label.hasBytes(".tool:"),
      let end = label.lastRange(ofBytes: ".asks.")
    else { return nil }
    var key = self
    key.label = String(label[..<end.lowerBound])
    return key
  }
}

extension HumanAnswer {
  /// As a tool is told of it.
  var response: Value {
    switch decision {
    case .answer, .edit: ["action": "accept", "content": text]
    case .approve: ["action": "accept"]
    case .reject, .feedback: ["action": "decline"]
    }
  }
}

extension ToolResult {
  /// What an operator writes.
  fileprivate func checkedValue(of name: String) throws(Failure) -> Value {
    guard isError else { return value }
    let text = text.isEmpty ? value.promptText : text
    throw Failure(.run, "the tool `\(name)` failed: \(text)")
  }
}
