import RasaCore
import RasaPersona

/// Calls to models, as effects.
extension OperatorProcedure {
  /// - Parameters:
  ///   - text: the text that the call continues; nil for an answer of its own.
  ///   - given: who asks and what that may cost, where it is not as for the operator's own answers.
  func call(
    _ request: ModelRequest, _ definition: OperatorDefinition, _ invocation: Invocation,
    label: String, occurrence: Int, after text: String? = nil, in given: CallContext? = nil
  ) async throws -> ModelAnswer {
    let step = invocation.step
    let node = graph.nodes[invocation.node]
    let live = node.isLive ? node.writes.first : nil
    let key = definition.effect(label, in: step, occurrence: occurrence)
    let context =
      given
      ?? graph.callContext(
        start, definition, key, profile: options.profile, delegation: delegation)
    if text == nil, occurrence > 1 || label != "call", let live, let keeps = runState.restart(live)
    {
      try await emit(.restarted(step, Restart(.askedAgain, "asked again", keeps: keeps)))
    }
    // What a model says before it calls tools is no answer, and a pipe takes nothing back.
    let isHeld = request.mayCallTools && options.holdsToolRounds
    let part = Part(of: isHeld ? nil : live, after: text)
    let request = try await hooked(request, definition, key)
    let effect = ModelEffect(
      request: request, context: context, run: start.run, uncertain: context.uncertain,
      gate: dependencies.gate,
      runState: runState,
      ask: { request, context in try await ask(request, context, part, step) })
    if let answer = recordedAnswer(for: effect) {
      try await emit(.modelChosen(step, provider: answer.provider, model: answer.model))
      // An earlier version delivered such an answer although it is none.
      if answer.text.isBlank, let failure = answer.failure { throw failure }
      try await emit(.textArrived(step, answer.text))
      if answer.toolCalls.isEmpty {
        let whole = Part(of: live, after: text)
        try await emit(whole.take(answer.text))
        try await emit(whole.finish())
      }
      return answer
    }
    let doubt = try await resolveDoubts(about: effect, definition)
    let left = runState.secondsLeft(at: dependencies.time.monotonic())
    guard left > 0 else { throw runState.timeoutFailure(at: dependencies.time.monotonic()) }
    do {
      let answer = try await effect.within(left).perform(after: doubt)
      runState.note(answer)
      if let notice = RunNotice.fallback(answer, at: step), runState.note(notice) {
        try await emit(.notice(notice))
      }
      if let failure = answer.failure { throw NoAnswer(failure: failure) }
      if isHeld, answer.toolCalls.isEmpty {
        let whole = Part(of: live, after: text)
        try await emit(whole.take(answer.text))
        try await emit(whole.finish())
      } else {
        try await emit(part.finish())
      }
      return answer
    } catch let none as NoAnswer {
      throw none.failure
    } catch var failure as Failure {
      runState.pay(failure.spent)
      failure.spent = .zero
      // The operator's own time, or the whole run's?
      if failure.kind == .timeout, runState.secondsLeft(at: dependencies.time.monotonic()) <= 0 {
        throw runState.timeoutFailure(at: dependencies.time.monotonic())
      }
      noteEnd(failure, at: key)
      throw failure
    }
  }

  /// Records the failure that the operator receives, for replays: attempts have lines of their own,
  /// from which the failure of the whole call does not follow.
  private func noteEnd(_ failure: Failure, at key: EffectKey) {
    switch failure.kind {
    case .cancelled, .storage: return
    default: break
    }
    record(
      EffectEvent(
        .model, key, .ended(dependencies.redact(failure), isRefused: failure.kind == .budget)))
  }

  private func ask(
    _ request: ModelRequest, _ context: CallContext, _ part: Part, _ step: Step
  ) async throws -> ModelAnswer {
    try await dependencies.gate.answer(request, for: context) { event in
      switch event {
      case .started(let provider, let model):
        try await emit(.modelChosen(step, provider: provider, model: model))
      case .text(let text):
        try await emit(.textArrived(step, text))
        try await emit(part.take(text))
      case .reasoning(let text): try await emit(.reasoning(step, text))
      case .restarted(let reason):
        let (keeps, again) = part.restart(runState)
        try await emit(.restarted(step, Restart(.brokenStream, reason, keeps: keeps)))
        try await emit(again)
      case .fellBack(let fallback, let answering):
        let notice = RunNotice.fallback(fallback, to: answering, at: step)
        if runState.noteShown(notice) { try await emit(.notice(notice)) }
      case .waiting(let reason): try await emit(.notice(RunNotice(.waiting, at: step, reason)))
      case .retracted(let reason):
        let (keeps, again) = part.restart(runState)
        try await emit(.restarted(step, Restart(.reasoning, reason, keeps: keeps)))
        try await emit(again)
      case .continued(let reason):
        try await notice(
          RunNotice(
            .continued, at: step,
            "the stream broke (\(reason)); the next model continues where it broke off",
            facts: ["because": .string(reason)]), isRecorded: true)
      case .noticed(let message):
        // The gate keeps it with the call's result.
        try await notice(RunNotice(.accounting, at: step, message), isRecorded: false)
      case .trimmed(let cut):
        // Once for each model: the rounds of a loop leave out a few turns more each time.
        guard !runState.notices.contains(where: { $0.isTrimming(cut) }) else { break }
        try await notice(.trimmed(cut, at: step))
      }
    }
  }

  /// Shows a piece of the output, if there is one.
  private func emit(_ piece: Part.Piece?) async throws {
    guard let piece, let shown = runState.emit(piece.text, of: piece.path) else { return }
    runState.noteOutput(at: dependencies.time.monotonic())
    try await emit(.output(shown))
  }
}

extension OperatorDefinition {
  /// The key of something that it asks for. A substitute's request is another one than that of the operator that it
  /// replaces.
  func effect(_ label: String, in step: Step, occurrence: Int = 1) -> EffectKey {
    step.effect(name == step.operatorName ? label : "\(name).\(label)", occurrence: occurrence)
  }
}

/// An answer, or a further part of one, while it arrives: what of it goes to the reader.
private final class Part: Sendable {
  struct Piece {
    var text: String
    var path: StatePath
  }
  private struct State {
    var joint: ContinuationJoiner?
    var hasPassedOn = false
  }
  private let path: StatePath?
  /// What the reader has of the parts before.
  private let before: String?
  private let state: Locked<State>

  init(of path: StatePath?, after text: String?) {
    self.path = path
    before = text
    state = Locked(State(joint: path == nil ? nil : text.map { ContinuationJoiner(after: $0) }))
  }

  func take(_ text: String) -> Piece? {
    guard let path else { return nil }
    let new = state.withLock { state in
      let new = state.joint?.take(text) ?? text
      state.hasPassedOn = state.hasPassedOn || !new.isEmpty
      return new
    }
    return new.isEmpty ? nil : Piece(text: new, path: path)
  }

  func finish() -> Piece? {
    guard let path, let rest = state.withLock({ $0.joint?.finish() }), !rest.isEmpty else {
      return nil
    }
    return Piece(text: rest, path: path)
  }

  /// The part comes anew. What was shown of it makes the reader begin again, with the parts before.
  func restart(_ runState: SharedRunState) -> (keeps: Int?, again: Piece?) {
    guard let path else { return (nil, nil) }
    let hasPassedOn = state.withLock { state in
      defer { state = State(joint: before.map { ContinuationJoiner(after: $0) }) }
      return state.hasPassedOn
    }
    guard let before else { return (runState.restart(path), nil) }
    guard hasPassedOn else { return (nil, nil) }
    return (runState.restart(path), Piece(text: before, path: path))
  }
}

/// The answer is in the journal, and none that counts.
private struct NoAnswer: Error {
  var failure: Failure
}

/// A call to a model. Both commits are the gate's: the intent with what is held, the result with what
/// was spent.
private struct ModelEffect: Effect {
  var request: ModelRequest
  let context: CallContext
  let run: Identifier
  let uncertain: UncertainPolicy
  let gate: any ModelGate
  let runState: SharedRunState
  let ask: @Sendable (ModelRequest, CallContext) async throws -> ModelAnswer

  var kind: EffectKind { .model }
  var key: EffectKey { context.key }

  func digest() -> String { gate.digest(of: request, for: context) }

  /// The same with a bound for the whole call, in seconds.
  func within(_ seconds: Double) -> ModelEffect {
    var effect = self
    effect.request.timeout = min(request.timeout ?? seconds, seconds)
    return effect
  }

  func answer(_ result: EffectResult) -> ModelAnswer? {
    guard case .answer(let answer, _) = result else { return nil }
    return answer
  }

  func noteReuse(_ answer: ModelAnswer) { runState.note(answer) }

  func question(about attempt: InDoubtEffect) -> (title: String, payload: ValueObject) {
    let call = UncertainCall(attempt.key, attempt.intent)
    return (
      "Ask \(call?.model ?? "the model") again? Whether it answered before the run stopped is not "
        + "known, so the call may be paid twice.",
      [
        "call": .string(attempt.key.description), "provider": .string(call?.provider ?? ""),
        "model": .string(call?.model ?? ""),
        "held_usd": .string((call?.amount ?? .zero).decimalText),
        "reservation": .string(attempt.intent.attempt.text),
      ]
    )
  }

  func failure(inDoubt attempt: InDoubtEffect) -> Failure {
    let model = UncertainCall(attempt.key, attempt.intent)?.model ?? "a model"
    return Failure(
      .run,
      "the call to \(model) was under way when the run stopped, and whether it was answered is "
        + "not known")
  }

  /// What was held for it counts as spent by this run from now on.
  func giveUp(_ attempt: InDoubtEffect, decision: UncertainPolicy) async throws {
    guard let call = UncertainCall(attempt.key, attempt.intent) else { return }
    try await gate.giveUp(call, of: run, decision: decision)
    runState.pay(call.amount)
  }

  func perform(after doubt: InDoubtEffect?) async throws -> ModelAnswer {
    var context = context
    context.doubt = doubt.flatMap { UncertainCall($0.key, $0.intent) }
    return try await ask(request, context)
  }
}
