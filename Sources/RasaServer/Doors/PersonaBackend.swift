import RasaCore
import RasaKit

/// Personas and agents as models, behind a door: each answer is a run.
enum PersonaBackend {
  static func source(
    _ call: Call, _ request: DoorRequest, named asked: String
  ) async throws -> AnswerSource {
    let runnable = try await Backends.runnable(call.rasa, named: asked)
    let name = Backends.prefix + runnable.name
    try await ModelBackend.check(call.client, name)
    try refuse(request)
    if let housework = Housework(request) {
      return try await housework.source(call, request, for: runnable)
    }
    if request.completion.messages.isEmpty {
      return try await ModelBackend.source(call, request, isClass: true)
    }
    let ready: Rasa.ReadyRun
    var session: String?
    if let going = try await ClientCalls.resumed(call, request, for: runnable.name) {
      if let answered = going.answered { return source(of: going.run, answered, name) }
      ready = try await call.rasa.ready(toResume: going.run, options: options(call))
    } else {
      let conversation = try ClientConversation(request.completion.messages)
      var options = options(call)
      options.attachments = conversation.attachments
      options.instructions = conversation.instructions
      if request.completion.toolChoice != .none { options.clientTools = request.completion.tools }
      session = try await Self.session(call, request, conversation)
      options.session = session
      // A session has its own conversation, and what the client repeats of it is not used.
      if session == nil { options.conversation = conversation.turns }
      ready = try runnable.ready(conversation.input, options: options)
    }
    return source(of: ready, name, session)
  }

  private static func options(_ call: Call) -> Rasa.RunOptions {
    var options = Rasa.RunOptions()
    options.user = call.client.user
    options.maxCost = call.client.maxCost
    options.client = call.client.name
    // Nothing that a client was shown can be taken back.
    options.finishesBrokenAnswers = true
    return options
  }

  private static func source(
    of ready: Rasa.ReadyRun, _ name: String, _ session: String?
  ) -> AnswerSource {
    var source = AnswerSource(id: ready.id, model: name) { emit in
      let shown = Locked("")
      // Nothing waits for the client: a slow one slows no model down.
      let observer = Rasa.Observer(takesNow: { _ in false }) { observation in
        switch observation.event {
        case .output(let text):
          shown.withLock { $0 += text }
          try await emit(.event(.text(text)))
        case .reasoning(_, let text): try await emit(.event(.reasoning(text)))
        default: break
        }
      }
      let result = try await ready.run(observer)
      return try await end(of: result, shown: shown.withLock { $0 }, emit)
    }
    source.headers = [(name: "X-Rasa-Run", value: ready.id)]
    if let session { source.headers.append((name: "X-Rasa-Session", value: session)) }
    return source
  }

  /// A run that had ended when its client asked again. Its tokens were told the first time.
  private static func source(of run: String, _ text: String, _ name: String) -> AnswerSource {
    var source = AnswerSource(id: run, model: name) { emit in
      if !text.isEmpty { try await emit(.event(.text(text))) }
      var end = AnswerEnd()
      end.facts = ["run": .string(run), "repeated": true]
      return end
    }
    source.headers = [(name: "X-Rasa-Run", value: run)]
    return source
  }

  /// What is left to say when a run has stopped: calls for the client, or that it waits for a person.
  private static func end(
    of result: Rasa.RunResult, shown: String,
    _ emit: @Sendable (AnswerSource.Part) async throws -> Void
  ) async throws -> AnswerEnd {
    var end = AnswerEnd(result)
    let calls = result.pending.compactMap(\.clientCall)
    if !calls.isEmpty {
      for call in calls { try await emit(.event(.toolCall(ClientCalls.named(call)))) }
      end.finish = "tool_calls"
    } else if !result.pending.isEmpty {
      let text = waiting(result)
      try await emit(.event(.text(shown.isEmpty ? text : "\n\n" + text)))
      end.finish = "stop"
    } else if shown.isEmpty, !result.text.isEmpty {
      try await emit(.event(.text(result.text)))
    }
    return end
  }

  /// No answer is made up: it says what the run waits for, and how that is answered.
  private static func waiting(_ result: Rasa.RunResult) -> String {
    let questions = result.pending.map { approval in
      "- \(approval.title)\n  `rasa approvals show \(approval.id)`, or POST /v1/approvals/\(approval.id)"
    }
    return "There is no answer yet: the run \(result.run) waits for a person.\n"
      + questions.joined(separator: "\n")
      + "\nOnce that is answered, `rasa resume \(result.run)` continues it."
  }

  /// What a persona says itself cannot be said by a client.
  private static func refuse(_ request: DoorRequest) throws(ServerProblem) {
    if request.completion.schema != nil {
      throw Member(.null, "response_format").problem(
        "is not possible here: a persona or agent answers in the form that its file says",
        suggestion: "leave it out, or ask a model")
    }
    switch request.completion.toolChoice {
    case .auto, .none: break
    case .required, .named:
      throw Member(.null, "tool_choice").problem(
        "is not possible here: a persona or agent decides itself whether to call a tool",
        suggestion: "give `auto` or `none`")
    }
  }
}

// MARK: Sessions

extension PersonaBackend {
  /// The conversation of rasa's that the run belongs to: the one that is named, or that of the response before.
  private static func session(
    _ call: Call, _ request: DoorRequest, _ conversation: ClientConversation
  ) async throws -> String? {
    if let session = request.session { return session }
    if let previous = request.previous { return try await self.session(after: previous, call) }
    // A response that is to be continued by its id begins a conversation, unless the client brought one along.
    return request.isStored && conversation.turns.isEmpty ? call.rasa.newSession() : nil
  }

  private static func session(after previous: String, _ call: Call) async throws -> String {
    let member = Member(.null, "previous_response_id")
    let prefix = "resp_"
    let id = String(previous.dropFirst(prefix.utf8.count))
    guard previous.hasBytePrefix(prefix), let run = try? await call.rasa.run(withID: id),
      run.id == id, try await ClientCalls.owns(call, run)
    else {
      throw member.problem(
        "is \(quoted(previous)), and there is no such response",
        suggestion: "send the whole conversation as `input`")
    }
    guard let session = run.session else {
      throw member.problem(
        "names a response that was not stored, or had a conversation of its own",
        suggestion: "send the whole conversation as `input`")
    }
    let last = try await call.rasa.turns(of: session, user: run.user, limit: 1).last
    guard last?.run == run.id else {
      throw member.problem(
        "names a response that is not the last one of its conversation",
        suggestion: "name the last one, or send the whole conversation as `input`")
    }
    return session
  }
}

extension AnswerEnd {
  init(_ result: Rasa.RunResult) {
    finish = result.finish
    inputTokens = result.inputTokens
    cachedTokens = result.cachedInputTokens
    outputTokens = result.outputTokens
    reasoningTokens = result.reasoningTokens
    facts = ["run": .string(result.run), "cost_usd": .string(result.cost.description)]
    if let session = result.session { facts["session"] = .string(session) }
    if !result.isReported { facts["estimated_usage"] = true }
    if result.usedMock { facts["mock"] = true }
    if !result.answeredBy.isEmpty {
      facts["answered_by"] = .array(result.answeredBy.map { .string($0) })
    }
    if let other = result.insteadOf { facts["instead_of"] = .string(other) }
    if let reason = result.because { facts["because"] = .string(reason) }
    if !result.pending.isEmpty {
      facts["waits_for"] = .array(result.pending.map { .string($0.id) })
    }
    if !result.notices.isEmpty {
      facts["notices"] = .array(result.notices.map { .string($0.message) })
    }
  }
}
