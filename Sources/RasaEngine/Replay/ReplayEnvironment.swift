import RasaCore
import RasaPersona

/// Stands in for everything outside of a run: says what was recorded, and notes what was asked.
final class ReplayEnvironment: ModelGate, ToolSource, ToolPolicy, HookRunner,
  ApprovalHandler,
  MemoryStore
{
  private struct Shared {
    var asked: [Recording.Effect] = []
    var differences: [Difference] = []
    /// Places in the recording's effects that have been served.
    var served: Set<Int> = []
    /// Milliseconds since the start.
    var elapsed: Int64 = 0
    /// Whether the run's own time is up.
    var isTimeUp = false
    var current: Step?
  }

  private let recording: Recording
  private let fallback: @Sendable (EffectKey) -> Recording.Call.Outcome?
  private let shared = Locked(Shared())

  init(
    _ recording: Recording, fallback: @escaping @Sendable (EffectKey) -> Recording.Call.Outcome?
  ) {
    self.recording = recording
    self.fallback = fallback
  }

  /// What was asked, in order.
  var asked: [Recording.Effect] { shared.withLock { $0.asked } }
  var differences: [Difference] { shared.withLock { $0.differences } }

  /// Recorded effects that nobody asked for.
  func unasked(in recording: Recording) -> [Difference] {
    let served = shared.withLock { $0.served }
    return recording.effects.enumerated().compactMap { place, effect in
      if served.contains(place) { return nil }
      switch effect {
      // Nothing had come of it.
      case .call(let call) where call.outcome == .cutOff: return nil
      case .call(let call): return .missingCall(call.key)
      // A tool that asked while it worked has its recorded result, for which nobody is asked again.
      case .question(let asked) where isOfTool(asked.key, served): return nil
      case .question(let asked): return .missingQuestion(asked.key)
      case .recall(let recalled):
        return recalled.memories == nil ? nil : .missingRecall(recalled.step)
      // What it was used for is told by its calls.
      case .offer: return nil
      }
    }
  }

  private func isOfTool(_ question: EffectKey, _ served: Set<Int>) -> Bool {
    served.contains { place in
      guard case .call(let call) = recording.effects[place], case .tool = call.outcome else {
        return false
      }
      return (1...16).contains { call.key.question("asks.\($0)").firstOccurrence == question }
    }
  }

  private func note(_ difference: Difference) {
    shared.withLock { $0.differences.append(difference) }
  }

  private func serve(_ place: Int, _ effect: Recording.Effect, after: Int64) {
    shared.withLock { shared in
      shared.served.insert(place)
      shared.asked.append(effect)
      shared.elapsed = max(shared.elapsed, after)
    }
  }

  /// Recalled memories come from the run's origin; they count as asked for when they are there.
  func see(_ progress: RunProgress) {
    switch progress {
    case .operatorStarted(let step, _): shared.withLock { $0.current = step }
    case .event(.operatorFinished(let step, _)):
      for (place, effect) in recording.effects.enumerated() {
        if case .recall(let recalled) = effect, recalled.step == step, recalled.memories != nil {
          serve(place, effect, after: 0)
        }
      }
    default: break
    }
  }

  // MARK: Time

  var time: TimeSource {
    TimeSource(
      now: { [self] in
        Timestamp(
          milliseconds: recording.startedAt.milliseconds + shared.withLock { $0.elapsed })
      },
      localDay: { _ in LocalDay(year: 1970, month: 1, day: 1) },
      // What the recorded run had time for, this one has.
      monotonic: { [self] in shared.withLock { $0.isTimeUp } ? .max : 0 },
      // What answers from a recording never has to be waited for.
      sleep: { _ in
        let never = AsyncStream<Void> { _ in }
        for await _ in never {}
        try Task.checkCancellation()
      })
  }

  // MARK: Models

  func answer(
    _ request: ModelRequest, for context: CallContext,
    onEvent: @Sendable (ModelEvent) async throws -> Void
  ) async throws -> ModelAnswer {
    switch try outcome(of: RecordedRequest(request), at: context.key) {
    case .answer(let answer):
      try await onEvent(.started(provider: answer.provider, model: answer.model))
      for piece in answer.text.pieces(ofBytes: 64) { try await onEvent(.text(piece)) }
      return answer
    case .tool, .inputRequired: throw otherForm(at: context.key)
    }
  }

  // MARK: Tools

  private struct RecordedTool: Tool {
    let description: ToolDescription
    let environment: ReplayEnvironment

    func perform(_ use: ToolUse, _ context: ToolContext) async throws -> ToolOutcome {
      switch try environment.outcome(of: RecordedRequest(use), at: use.key) {
      case .tool(let result): return .result(result)
      case .inputRequired(let request): return .inputRequired(request)
      case .answer: throw environment.otherForm(at: use.key)
      }
    }
  }

  func tools(named references: [String]) -> [any Tool] {
    references.map {
      RecordedTool(
        description: ToolDescription(name: $0, origin: .program), environment: self)
    }
  }

  func tools(named references: [String], for key: EffectKey) -> [any Tool] {
    for (place, effect) in recording.effects.enumerated() {
      guard case .offer(let offer) = effect, offer.key == key else { continue }
      serve(place, effect, after: 0)
      return offer.tools.map { RecordedTool(description: $0, environment: self) }
    }
    return tools(named: references)
  }

  func builtIn(_ tool: any Tool) -> any Tool {
    RecordedTool(description: tool.description, environment: self)
  }

  /// Whoever was asked then is asked again, and nobody else.
  func verdict(on use: ToolUse, of tool: ToolDescription) -> ToolVerdict {
    let label = use.key.permission.label
    let wasAsked = recording.effects.contains { effect in
      if case .question(let asked) = effect {
        asked.key.label == label && asked.key.step == use.key.step
          && asked.key.step.operatorName == use.key.operatorName
      } else {
        false
      }
    }
    return wasAsked
      ? .ask(ToolAsk(because: "it was asked about")) : .allow(because: "it was allowed")
  }

  /// Those of the user that asked in the recorded run; whatever the user has now is no part of it.
  var hasOwn: Bool { true }
  func hooks(at place: HookPlace) -> [HookDefinition] {
    recording.effects.compactMap { effect in
      guard case .call(let call) = effect, let (_, name) = HookPlace.reading(call.key),
        name.hasBytePrefix(HookPlace.userPrefix), place.key(of: name) == call.key
      else { return nil }
      var hook = HookDefinition(
        name: String(name.dropFirst(HookPlace.userPrefix.count)), point: place.point,
        action: .program(command: []), onFailure: .refuse)
      if case .tool(let result) = call.outcome,
        case .failed = HookAnswer(recorded: result.value)
      {
        hook.onFailure = .pass
      }
      return hook
    }
  }

  func ask(_ call: HookCall) async throws -> Value {
    let asked = RecordedRequest(
      messages: [ChatMessage(.tool, Value.object(call.payload).json(.canonical))], schema: nil,
      maxTokens: nil, temperature: nil, profile: nil)
    guard case .tool(let result) = try outcome(of: asked, at: call.key),
      let answer = HookAnswer(recorded: result.value)
    else { throw otherForm(at: call.key) }
    if case .failed(let message) = answer { throw Failure(.run, message) }
    return answer.value
  }

  private func otherForm(at key: EffectKey) -> Failure {
    Failure(
      .configuration, "the recording has something of another kind at `\(key)`",
      suggestion: "record the run anew")
  }

  private enum Delivery {
    case answer(ModelAnswer)
    case tool(ToolResult)
    case inputRequired(ToolInputRequest)
  }

  /// What is recorded for it, and notes where it is asked for in other words. Throws what was thrown
  /// then.
  private func outcome(of asked: RecordedRequest, at key: EffectKey) throws -> Delivery {
    try Task.checkCancellation()
    guard let (place, recorded) = call(at: key) else {
      guard let outcome = fallback(key) else {
        note(.newCall(key, asked))
        throw deferral(at: key)
      }
      let call = Recording.Call(
        key: key, after: shared.withLock { $0.elapsed }, request: asked, outcome: outcome)
      shared.withLock { $0.asked.append(.call(call)) }
      return try deliver(call)
    }
    if let expected = recorded.request, let change = RequestChange(from: expected, to: asked) {
      note(.request(key, change))
    }
    var call = recorded
    call.request = asked
    serve(place, .call(call), after: call.after)
    return try deliver(call)
  }

  private func call(at key: EffectKey) -> (place: Int, call: Recording.Call)? {
    for (place, effect) in recording.effects.enumerated() {
      if case .call(let call) = effect, call.key == key { return (place, call) }
    }
    return nil
  }

  private func deliver(_ call: Recording.Call) throws -> Delivery {
    switch call.outcome {
    case .answer(let answer): return .answer(answer)
    case .tool(let result): return .tool(result)
    case .inputRequired(let request): return .inputRequired(request)
    case .failure(let failure):
      if failure.isOfWholeRun { shared.withLock { $0.isTimeUp = true } }
      throw failure
    case .inDoubt(let failure): throw InDoubt(failure: failure)
    case .cutOff: throw deferral(at: call.key)
    }
  }

  /// Leaves an operator without an outcome, and lets the others go on: the run stops when there is
  /// nothing left to do.
  private func deferral(at key: EffectKey) -> Deferred {
    let question = Question(
      key: key, title: "the recording has no answer", subject: "draft", payload: .null)
    return Deferred(
      approvals: [
        Approval(run: recording.start.run, question: question, askedAt: time.now())
      ])
  }

  func digest(of request: ModelRequest, for context: CallContext) -> String { "" }

  func giveUp(
    _ call: UncertainCall, of run: Identifier, decision: UncertainPolicy
  ) async throws {}

  func estimate(_ request: ModelRequest, for context: CallContext) async throws -> CallEstimate {
    var estimate = CallEstimate(
      provider: "recording", model: "recording", inputTokens: 0, outputTokens: 0, cost: .zero,
      isPriceKnown: false)
    for case .offer(let offer) in recording.effects where offer.key.step == context.key.step {
      estimate.window = offer.window
    }
    return estimate
  }

  // MARK: People

  func decide(_ question: Question) async throws -> HumanAnswer? {
    let key = question.key.firstOccurrence
    guard let (place, recorded) = asked(question) else {
      guard let outcome = fallback(key) else {
        note(.newQuestion(key, title: question.title, payload: question.payload))
        return nil
      }
      let asked = Recording.Asked(
        key: key, after: shared.withLock { $0.elapsed }, payload: question.payload)
      shared.withLock { $0.asked.append(.question(asked)) }
      if case .failure(let failure) = outcome { throw failure }
      return nil
    }
    if recorded.payload != question.payload {
      note(.question(key, expected: recorded.payload, found: question.payload))
    }
    var asked = recorded
    asked.payload = question.payload
    serve(place, .question(asked), after: asked.after)
    if let failure = asked.failure { throw failure }
    return asked.answer
  }

  /// The same question if it was recorded, else the next one that was put at that place.
  private func asked(_ question: Question) -> (place: Int, asked: Recording.Asked)? {
    let key = question.key.firstOccurrence
    let served = shared.withLock { $0.served }
    var found: [(place: Int, asked: Recording.Asked)] = []
    for (place, effect) in recording.effects.enumerated() where !served.contains(place) {
      if case .question(let asked) = effect, asked.key == key { found.append((place, asked)) }
    }
    return found.first { $0.asked.payload == question.payload } ?? found.first
  }

  // MARK: Memory

  func search(_ query: MemoryQuery) async throws -> [RecalledItem] {
    guard let step = shared.withLock({ $0.current }) else { return [] }
    let recorded = recording.effects.firstIndex {
      if case .recall(let recalled) = $0 { recalled.step == step } else { false }
    }
    let key = step.effect("recall")
    let cutOff = Recording.Effect.recall(Recording.Recalled(step: step, memories: nil))
    if let recorded {
      serve(recorded, cutOff, after: 0)
    } else {
      guard fallback(key) != nil else {
        note(.newRecall(step))
        return []
      }
      shared.withLock { $0.asked.append(cutOff) }
    }
    throw deferral(at: key)
  }
  func items(_ filter: MemoryFilter, before: Int64?, limit: Int) async throws -> [MemoryItem] { [] }
  func turns(of session: SessionID, limit: Int) async throws -> [SessionTurn] { [] }
  func notes(of session: SessionID, limit: Int) async throws -> [WorkingNote] { [] }
}

extension String {
  /// As they might arrive: each of about so many bytes, characters whole.
  fileprivate func pieces(ofBytes size: Int) -> [String] {
    var pieces: [String] = []
    var piece = ""
    for character in self {
      piece.append(character)
      if piece.utf8.count >= size {
        pieces.append(piece)
        piece = ""
      }
    }
    if !piece.isEmpty { pieces.append(piece) }
    return pieces
  }
}
