import RasaCore
import RasaDocuments
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

extension Rasa {
  /// Asks a model, in no provider's words, and hands on its answer while it comes.
  ///
  /// The call goes through the gate as every other does: a model is selected, its cost is held before
  /// anything is sent, the answer is metered and cut off at what is held, and it is settled and journalled
  /// in a run of its own. Where a model fails before it has given any content, the next one is asked: of the
  /// class, or of `alternatives`. After that a stream that breaks is an error, so nothing is ever given
  /// twice.
  ///
  /// - Parameters:
  ///   - request: The question.
  ///   - onPart: Is given the parts in order. It is awaited, so a slow reader slows the provider down; an
  ///     error that it throws ends the call at the provider, and what was used is settled.
  /// - Returns: The whole answer, which is what the parts were.
  /// - Throws: A `RasaError`: `budget` when nothing was sent, `usage` when the request makes no sense,
  ///   `configuration` with the reason `unfit` when no model can be asked it, and whatever a run throws
  ///   where no model answered or the answer broke off.
  public func complete(
    _ request: Completion, onPart: @Sendable (CompletionPart) async throws -> Void
  ) async throws(RasaError) -> CompletionResult {
    let run = composition.newIdentifier("r")
    do {
      return try await redacted { try await answer(request, run, onPart) }
    } catch {
      var error = error
      error.run = run.text
      throw error
    }
  }

  private func answer(
    _ request: Completion, _ run: Identifier,
    _ onPart: @Sendable (CompletionPart) async throws -> Void
  ) async throws -> CompletionResult {
    let question = try request.modelRequest()
    var options = GateOptions()
    options.servesClient = true
    options.maxCost = request.maxCost?.money
    options.extra = request.budget?.own
    let owner = request.owner ?? Self.completion
    var context = CallContext(
      run: run,
      key: EffectKey(
        frame: Self.completion, visit: 1, operatorName: Self.completion, label: "call",
        occurrence: 1), persona: owner)
    Self.choose(request.model, request.alternatives, &options, &context.models)
    if request.owner != nil { context.budget = try budget(of: owner) }
    let gate = try services.gate(options, onWarning: { self.warn($0) })
    let relay = Locked(CompletionRelay())
    let answer = try await services.running(
      run, owner, input: request.model, user: composition.user(request.user)
    ) { [context] in
      let answer = try await gate.answer(question, for: context) { event in
        for part in relay.withLock({ $0.parts(of: event) }) { try await onPart(part) }
      }
      for part in relay.withLock({ $0.rest(of: answer) }) { try await onPart(part) }
      return answer
    }
    return CompletionResult(answer, run)
  }

  /// Whom the books name where nobody is named.
  private static let completion = "completion"
}

/// What a client is given of a call's events.
private struct CompletionRelay: Sendable {
  private var source: Rasa.CompletionPart?

  mutating func parts(of event: ModelEvent) -> [Rasa.CompletionPart] {
    switch event {
    case .started(let provider, let model):
      source = .started(provider: provider, model: model)
      return []
    case .text(let text): return begin() + [.text(text)]
    case .reasoning(let text): return begin() + [.reasoning(text)]
    // Nothing has been given of what is told of here.
    case .restarted, .retracted, .continued, .fellBack, .waiting, .noticed, .trimmed: return []
    }
  }

  mutating func rest(of answer: ModelAnswer) -> [Rasa.CompletionPart] {
    begin() + answer.toolCalls.map { .toolCall(Rasa.Completion.ToolCall($0)) }
  }

  private mutating func begin() -> [Rasa.CompletionPart] {
    defer { source = nil }
    return source.map { [$0] } ?? []
  }
}

extension Rasa.Completion {
  fileprivate func modelRequest() throws(Failure) -> ModelRequest {
    func wrong(_ message: String, _ suggestion: String) -> Failure {
      Failure(.usage, message, suggestion: suggestion)
    }
    if model.utf8.allSatisfy({ $0 == 0x20 }) {
      throw wrong("the request names no model", "name one, such as `openai:gpt-4o-mini` or `fast`")
    }
    if messages.isEmpty {
      throw wrong("the request has no messages", "give at least one, of the user")
    }
    if let maxTokens, maxTokens < 1 {
      throw wrong(
        "`max_tokens` is \(maxTokens)", "leave it out, or ask for at least one token of answer")
    }
    for (name, number) in [("temperature", temperature), ("top_p", topP)] {
      guard let number, !number.isFinite || number < 0 else { continue }
      throw wrong("`\(name)` is \(number)", "give a number from 0 on")
    }
    if let topP, topP > 1 { throw wrong("`top_p` is \(topP)", "give a number up to 1") }
    let last = messages.last { $0.role == .user }
    var request = ModelRequest(
      messages: try messages.map { message throws(Failure) in try message.chatMessage() },
      schema: schema?.value,
      tools: tools.map {
        ToolDefinition(
          name: $0.name, description: $0.description, parameters: $0.parameters.value)
      },
      effort: effort.flatMap { ReasoningEffort(rawValue: $0.rawValue) }, maxTokens: maxTokens,
      temperature: temperature, input: last?.text ?? "")
    request.topP = topP
    request.stop = stop.filter { !$0.isEmpty }
    switch toolChoice {
    case .auto: break
    case .none: request.allowsToolCalls = false
    case .required:
      if tools.isEmpty { throw wrong("a tool has to be called, and there is none", "give `tools`") }
      request.requiredCall = .any
    case .named(let name):
      guard tools.contains(where: { $0.name == name }) else {
        throw wrong(
          "\(quoted(name)) has to be called, and is not among the tools",
          tools.isEmpty
            ? "give `tools`" : "name one of \(listed(tools.map { quoted($0.name) }, "or"))")
      }
      request.requiredCall = .named(name)
    }
    return request
  }
}

extension Rasa.Completion.Message {
  fileprivate func chatMessage() throws(Failure) -> ChatMessage {
    let files = attachments.map(\.own)
    if !files.isEmpty, role == .system || role == .assistant {
      throw Failure(
        .usage, "a message of the \(role.rawValue) cannot have attachments",
        suggestion: "attach them to one of the user")
    }
    if role == .tool, answers == nil {
      throw Failure(
        .usage, "a message of a tool does not say which call it answers",
        suggestion: "give the id of the call")
    }
    var calls: [ToolCall] = []
    for call in role == .assistant ? toolCalls : [] { calls.append(try call.toolCall()) }
    var message = ChatMessage(
      ChatRole(rawValue: role.rawValue) ?? .user, files.below(text), toolCalls: calls,
      toolCallID: answers, attachments: files.media)
    message.isError = isError
    return message
  }
}

extension Rasa.Completion.ToolCall {
  fileprivate init(_ call: ToolCall) {
    self.init(
      id: call.id, name: call.name, arguments: call.unreadable ?? call.arguments.json(.compact))
  }

  fileprivate func toolCall() throws(Failure) -> ToolCall {
    let written = arguments.utf8.allSatisfy { $0 <= 0x20 } ? "{}" : arguments
    guard let value = try? JSON.parse(Array(written.utf8)), value.object != nil else {
      throw Failure(
        .usage, "the arguments of the call \(quoted(id)) of \(quoted(name)) are no JSON object",
        suggestion: "give them back as the model wrote them")
    }
    return ToolCall(id: id, name: name, arguments: value)
  }
}

extension Rasa.CompletionResult {
  fileprivate init(_ answer: ModelAnswer, _ run: Identifier) {
    let usage = answer.usage
    self.init(
      run: run.text, provider: answer.provider, model: answer.model, text: answer.text,
      toolCalls: answer.toolCalls.map { Rasa.Completion.ToolCall($0) },
      finish: answer.finish.rawValue, refusal: answer.refusal.isEmpty ? nil : answer.refusal,
      inputTokens: Int(clamping: usage.input), cachedInputTokens: Int(clamping: usage.cachedInput),
      outputTokens: Int(clamping: usage.output), reasoningTokens: Int(clamping: usage.reasoning),
      isCounted: usage.isReported, cost: Rasa.Dollars(answer.cost + answer.wasted),
      isPriceKnown: answer.isPriceKnown, isMock: answer.isMock,
      insteadOf: answer.fallback?.insteadOf, because: answer.fallback?.because)
  }
}
