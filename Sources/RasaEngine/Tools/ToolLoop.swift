import RasaCore
import RasaPersona

/// Operators of kind `llm` that have tools: the model calls some, sees what they return, and goes on until it answers.
extension OperatorProcedure {
  /// - Parameter first: the question.
  func converse(
    about first: ModelRequest, _ definition: OperatorDefinition, _ invocation: Invocation,
    attempt: Int
  ) async throws -> Completion {
    let offer = try await offer(definition, invocation, for: first)
    var session = ToolSession(offer.tools, definition.toolLimits, window: offer.window)
    let clock = OperatorClock(definition.timeout, dependencies.time, runState)
    var request = first
    var attempt = attempt
    var answers: [ModelAnswer] = []
    var round = 1
    while true {
      let label = round == 1 ? "call" : "call.\(round)"
      // Where a run left off, earlier tries at this round had failed.
      attempt = max(attempt, recorded.own.tries(of: definition.effect(label, in: invocation.step)))
      do {
        try clock.check()
        request.tools = session.definitions
        if definition.timeout != nil {
          request.timeout = clock.ownSecondsLeft(at: dependencies.time.monotonic())
        }
        let reply = try await reply(
          to: request, definition, invocation, label: label, attempt: attempt)
        let calls = reply.toolCalls
        guard !calls.isEmpty, request.mayCallTools else {
          var completion = try await complete(
            reply, to: request, definition, invocation, attempt: attempt)
          completion.answers = answers + completion.answers
          return completion
        }
        answers += reply.answers
        try await retract(reply, invocation)
        request.messages.append(
          ChatMessage(
            .assistant, reply.text, toolCalls: calls,
            reasoning: reply.answers.last?.reasoning ?? []))
        request.messages += try await perform(
          calls, in: &session, definition, invocation, round: round, attempt: attempt, clock: clock)
        if let bound = session.bound(after: round) {
          request.allowsToolCalls = false
          request.messages.append(ChatMessage(.user, bound.instruction))
          try await notice(.bound(bound, of: definition.name, at: invocation.step))
        }
        request.reader = ToolSession.read
        round += 1
      } catch let failure as Failure where round > 1 && failure.allowsSubstitution {
        // Tools have been used: only this round is asked again, never the whole.
        guard attempt <= definition.onError.retry else { throw CutShort(failure: failure) }
        attempt += 1
      }
    }
  }

  /// What the operator's tools are: as the run knows them, or as they are now.
  private func offer(
    _ definition: OperatorDefinition, _ invocation: Invocation, for request: ModelRequest
  ) async throws -> ToolOffer {
    let key = definition.effect("tools", in: invocation.step)
    if let known = recorded.own.offer(at: key) { return known }
    let delegates = graph.nodes[invocation.node].toolDelegates(of: definition)
    let references = definition.tools.filter { name in
      !delegates.contains { $0.description.name == name }
    }
    var tools = delegates.map(\.description)
    if !references.isEmpty {
      tools += try await dependencies.tools.tools(named: references, for: key).map(\.description)
    }
    if definition.mayAsk { tools.append(AskUserTool().description) }
    for tool in clientTools(of: invocation) {
      guard !tools.contains(where: { $0.name == tool.name }) else {
        throw Failure(
          .usage,
          "the client's tool \(quoted(tool.name)) has the name of a tool of `\(definition.name)`",
          suggestion: "give it another name")
      }
      tools.append(tool)
    }
    var offer = ToolOffer(key: key, tools: tools)
    if ToolSession.dependsOnWindow(tools, definition.toolLimits) {
      let context = graph.callContext(
        start, definition, definition.effect("call", in: invocation.step),
        profile: options.profile, delegation: delegation)
      // Where no model can be asked, its call says so.
      offer.window = try? await dependencies.gate.estimate(request, for: context).window
    }
    dependencies.journal.record([offer.entry(of: start.run, at: dependencies.time.now())])
    return offer
  }

  /// What a model says beside its calls is no part of the answer.
  private func retract(_ reply: Reply, _ invocation: Invocation) async throws {
    guard !reply.text.isEmpty else { return }
    let node = graph.nodes[invocation.node]
    let keeps = node.isLive ? node.writes.first.flatMap { runState.restart($0) } : nil
    try await emit(
      .restarted(
        invocation.step, Restart(.toolCalls, "the model uses tools first", keeps: keeps)))
  }

  // MARK: The calls of one turn

  private enum CallEnding: Sendable {
    case result(ToolResult)
    case deferred([Approval])
    case inDoubt(InDoubt)
  }

  /// Performs them at the same time. The messages come in the order of the calls.
  private func perform(
    _ calls: [ToolCall], in session: inout ToolSession, _ definition: OperatorDefinition,
    _ invocation: Invocation, round: Int, attempt: Int, clock: OperatorClock
  ) async throws -> [ChatMessage] {
    let allowed = session.takeCalls(calls.count)
    let current = session
    var endings = [CallEnding?](repeating: nil, count: calls.count)
    @Sendable func perform(_ index: Int) async throws -> CallEnding {
      do {
        return .result(
          try await self.perform(
            calls[index], index: index + 1, in: current, definition, invocation, round: round,
            attempt: attempt, clock: clock))
      } catch let deferred as Deferred {
        return .deferred(deferred.approvals)
      } catch let doubt as InDoubt {
        return .inDoubt(doubt)
      }
    }
    if allowed == 1 {
      endings[0] = try await perform(0)
    } else if options.rank != nil {
      // A replay goes through one thing at a time.
      for index in 0..<allowed { endings[index] = try await perform(index) }
    } else {
      try await withThrowingTaskGroup(of: (Int, CallEnding).self) { group in
        for index in 0..<allowed { group.addTask { (index, try await perform(index)) } }
        for try await (index, ending) in group { endings[index] = ending }
      }
    }
    // What the others came to is on record when the run stops for one of them.
    var approvals: [Approval] = []
    for ending in endings {
      switch ending {
      case .inDoubt(let doubt): throw doubt
      case .deferred(let open): approvals += open
      case .result, nil: break
      }
    }
    guard approvals.isEmpty else { throw Deferred(approvals: approvals) }
    return calls.indices.map { index in
      var result = ToolResult(
        [.text("This call was not made: \(session.limits.calls) are the most.")], isError: true)
      if case .result(let known) = endings[index] { result = known }
      if session.isSearched, calls[index].name == ToolSession.searchName {
        session.take(hits: result)
      }
      if session.tool(named: calls[index].name)?.origin == .skill { session.take(skill: result) }
      return session.message(result, of: calls[index], number: "\(round).\(index + 1)")
    }
  }

  private func perform(
    _ call: ToolCall, index: Int, in session: ToolSession, _ definition: OperatorDefinition,
    _ invocation: Invocation, round: Int, attempt: Int, clock: OperatorClock
  ) async throws -> ToolResult {
    if let unreadable = call.unreadable { return .unreadable(unreadable, of: call.name) }
    let node = graph.nodes[invocation.node]
    let tool: ToolAtHand
    if let description = session.tool(named: call.name) {
      if let refusal = session.refusal(of: description) { return refusal }
      if let delegate = node.toolDelegate(definition, description.name) {
        return try await have(
          delegate, do: call.arguments, definition, invocation,
          number: "\(round).\(index)", attempt: attempt)
      }
      let source = dependencies.tools
      tool = ToolAtHand(description) {
        if description.name == AskUserTool.name, description.origin == .builtIn {
          return source.builtIn(AskUserTool())
        }
        if description.origin == .client {
          return source.builtIn(ClientTool(description: description))
        }
        guard let tool = try await source.tools(named: [description.name]).first else {
          throw Failure(.run, "the tool `\(description.name)` is not there any more")
        }
        return tool
      }
    } else if let builtIn = session.builtIn(call.name, dependencies.tools) {
      tool = ToolAtHand(dependencies.tools.builtIn(builtIn))
    } else {
      return session.unknown(call.name)
    }
    let place = ToolPlace(
      label: "tool:\(tool.description.name.inKey).\(round).\(index)", occurrence: attempt)
    return try await use(
      tool, call.arguments, at: place, definition, invocation, clock: clock, isForModel: true)
  }

  /// An operator or agent works for the model.
  private func have(
    _ delegate: Graph.ToolDelegate, do arguments: Value, _ definition: OperatorDefinition,
    _ invocation: Invocation, number: String, attempt: Int
  ) async throws -> ToolResult {
    let step = invocation.step
    let name = delegate.description.name
    let scope =
      step.scope(attempt: 1) + "#\(attempt).\(number).\(name.inKey)"
    let key = definition.effect("tool:\(name.inKey).\(number)", in: step, occurrence: attempt)
    func told(_ phase: ToolActivity.Phase) async throws {
      try await emit(.tool(step, ToolActivity(key: key, tool: name, phase: phase)))
    }
    try await told(.started(arguments: arguments))
    var result: ToolResult
    do {
      let problems = ToolAtHand(delegate.description) { throw Failure(.run, "") }
        .problems(of: arguments)
      guard problems.isEmpty else {
        throw Failure(
          .run, "`\(name)` does not take these arguments",
          suggestion: "give arguments that fit its schema", details: Array(problems.prefix(8)))
      }
      let use = ToolUse(
        run: start.run, step: step, key: key, name: name, arguments: arguments,
        idempotencyKey: "\(start.run)/\(key)")
      switch try await permit(use, delegate.description, definition, invocation) {
      case .go(let permitted):
        result = delegate.result(
          of: try await work(delegate, arguments: permitted, invocation, scope: scope))
      case .refused(let reason):
        throw Failure(
          .approval, "`\(name)` was not used: \(reason)", suggestion: "go on without it")
      }
    } catch let failure as Failure where !failure.endsLoop {
      let redacted = dependencies.redact(failure)
      if !recorded.own.lines(in: scope).contains(where: { $0.kind == "agent.failed" }) {
        dependencies.journal.record([
          JournalEntry(
            run: start.run, time: dependencies.time.now(), kind: "agent.failed", key: scope,
            body: .object(redacted.journalBody))
        ])
      }
      result = ToolResult(redacted)
    }
    try await told(.ended(isError: result.isError, bytes: result.text.utf8.count))
    return result
  }
}

extension ToolSession {
  fileprivate func builtIn(_ name: String, _ source: any ToolSource) -> (any Tool)? {
    switch name {
    case Self.searchName where isSearched:
      BuiltInTool(name: name, parameters: Self.searchParameters) { arguments in
        hits(arguments["query"].promptText, by: source)
      }
    case Self.readName:
      BuiltInTool(name: name, parameters: ["type": "object"]) { arguments in read(arguments) }
    default: nil
    }
  }
}

/// What rasa does itself for a model.
private struct BuiltInTool: Tool {
  let description: ToolDescription
  private let work: @Sendable (Value) -> ToolResult

  init(name: String, parameters: Value, _ work: @escaping @Sendable (Value) -> ToolResult) {
    description = ToolDescription(
      name: name, parameters: parameters, sideEffects: .none, origin: .builtIn)
    self.work = work
  }

  func perform(_ use: ToolUse, _ context: ToolContext) -> ToolOutcome {
    .result(work(use.arguments))
  }
}

extension ToolResult {
  /// What a model is told whose arguments are no JSON object.
  fileprivate static func unreadable(_ arguments: String, of tool: String) -> ToolResult {
    ToolResult(
      [
        .text(
          "`\(tool)` was not used: the arguments that you wrote for it are no JSON object. They began "
            + "with: \(arguments.opening(200))\nCall it again with an object that fits its schema.")
      ], isError: true)
  }
}

extension Reply {
  /// What the model wants to have called.
  var toolCalls: [ToolCall] { answers.last?.toolCalls ?? [] }
}

extension String {
  /// As a part of an effect's label or of a scope, where some characters mean something.
  fileprivate var inKey: String {
    String(
      decoding: utf8.map { byte -> UInt8 in
        switch byte {
        case UInt8(ascii: "@"), UInt8(ascii: "#"), UInt8(ascii: ":"), UInt8(ascii: ">"),
          UInt8(ascii: "/"), UInt8(ascii: "."):
          UInt8(ascii: "_")
        default: byte
        }
      }, as: UTF8.self)
  }
}

extension ToolBound {
  /// What the model is told.
  fileprivate var instruction: String {
    let what =
      switch name {
      case "rounds": "You have used tools in \(most) turns, which is the most."
      case "calls": "You have called tools \(most) times, which is the most."
      default: "You have been shown as much of results as you may be."
      }
    return what + " Answer now with what you know, and say what is missing."
  }
}

extension RunNotice {
  static func bound(_ bound: ToolBound, of name: String, at step: Step) -> RunNotice {
    let what =
      switch bound.name {
      case "rounds": "in \(bound.most) turns"
      case "calls": "\(bound.most) times"
      default: "for \(bound.most) bytes of results"
      }
    return RunNotice(
      .limit, at: step,
      "`\(name)` has used tools \(what), which is the most, and answers with what it has",
      suggestion: "raise `tool_limits: {\(bound.name): …}` in its file",
      facts: ["limit": .string(bound.name), "at_most": .int(Int64(bound.most))])
  }
}
