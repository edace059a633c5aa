import RasaCore
import RasaPersona

/// Calls: what is recorded is not asked again, what is in doubt is decided first.
extension OperatorProcedure {
  ///
  /// - Parameter text: what this goes on with; nil for an answer of its own.
  func call(
    _ request: ModelRequest, _ definition: OperatorDefinition, _ invocation: Invocation,
    label: String, occurrence: Int, after text: String? = nil
  ) async throws -> ModelAnswer {
    let step = invocation.step
    let node = graph.nodes[invocation.node]
    let live = node.isLive ? node.writes.first : nil
    // A substitute asks in the place of another operator, and not the same.
    let isSubstitute = definition.name != step.operatorName
    let key = step.effect(
      isSubstitute ? "\(definition.name).\(label)" : label, occurrence: occurrence)
    var context = graph.callContext(
      start, definition, key, profile: options.profile, assignment: assignment)
    if text == nil, occurrence > 1 || label != "call", let live, stage.restart(live) {
      try await show(.restarted(step, Restart(.askedAgain, "asked again"), wasShown: true))
    }
    let part = Part(of: live, after: text)
    if let answer = try await known(request, context) {
      try await show(.modelChosen(step, provider: answer.provider, model: answer.model))
      // What an earlier version delivered although it was no answer still counts, and is told of.
      if answer.text.isBlank, let failure = answer.failure { throw failure }
      try await show(.textArrived(step, answer.text))
      try await show(part.take(answer.text))
      try await show(part.finish())
      return answer
    }
    context.doubt = recorded.own.doubt(at: key)
    for call in recorded.own.uncertain(at: key) {
      try await decide(call, definition, invocation)
      context.doubt = call
    }
    var request = request
    let left = stage.secondsLeft(at: surroundings.time.monotonic())
    guard left > 0 else { throw stage.tooLate(at: surroundings.time.monotonic()) }
    request.timeout = min(request.timeout ?? left, left)
    do {
      let answer = try await ask(request, context, part, step)
      stage.note(answer)
      if let notice = RunNotice.fallback(answer, at: step), stage.note(notice) {
        try await show(.notice(notice))
      }
      if let failure = answer.failure { throw failure }
      try await show(part.finish())
      return answer
    } catch var failure as Failure {
      stage.pay(failure.spent)
      failure.spent = .zero
      if failure.kind == .budget { noteRefusal(failure, at: key) }
      // The operator's own time, or the whole run's?
      if failure.kind == .timeout, stage.secondsLeft(at: surroundings.time.monotonic()) <= 0 {
        throw stage.tooLate(at: surroundings.time.monotonic())
      }
      throw failure
    }
  }

  /// A reservation that is refused leaves no line of its own.
  private func noteRefusal(_ failure: Failure, at key: EffectKey) {
    surroundings.journal.record([
      JournalEntry(
        run: start.run, time: surroundings.time.now(), kind: "call.refused",
        key: key.description,
        body: [
          "kind": .string(failure.kind.rawValue), "message": .string(failure.message),
          "mend": .string(failure.mend),
        ])
    ])
  }

  /// The answer that is already there, of this run or the one that it is a fork of.
  private func known(_ request: ModelRequest, _ context: CallContext) async throws -> ModelAnswer? {
    if let call = recorded.own.answer(at: context.key) { return call.answer }
    guard let inherited = recorded.inherited, let origin = start.fork?.run else { return nil }
    let digest = surroundings.gate.digest(of: request, for: context)
    guard let call = inherited.answer(to: digest, at: context.key) else { return nil }
    var answer = call.answer
    answer.cost = .zero
    var body = answer.value
    body["from"] = .string(origin.text)
    body["request"] = .string(digest)
    surroundings.journal.record([
      JournalEntry(
        run: start.run, time: surroundings.time.now(), kind: "call.reused",
        key: context.key.description, body: .object(body))
    ])
    stage.note(answer)
    return answer
  }

  /// Nobody knows whether the provider answered: the operator's file says what happens now. Returns
  /// when the call is to be asked again.
  private func decide(
    _ call: UncertainCall, _ definition: OperatorDefinition, _ invocation: Invocation
  ) async throws {
    switch definition.uncertain {
    case .retry: break
    case .fail:
      try await giveUp(call, decision: .fail)
      throw call.isInDoubt(mend: "resume the run once more to ask again; it may be paid twice")
    case .ask:
      let question = Question(
        key: invocation.step.effect("\(call.key.label).uncertain", occurrence: call.key.occurrence),
        title: "Ask \(call.model) again? Whether it answered before the run stopped is not known, "
          + "so the call may be paid twice.",
        subject: StatePath(definition.writes.first?.key ?? "draft"),
        payload: [
          "call": .string(call.key.description), "provider": .string(call.provider),
          "model": .string(call.model), "held_usd": .string(call.amount.decimalText),
          "reservation": .string(call.reservation.text),
        ], spent: stage.spent)
      let answer = try await answer(to: question, lifetime: nil)
      guard answer.decision == .approve else {
        try await giveUp(call, decision: .fail)
        throw call.isInDoubt(mend: "\(answer.by) decided not to ask again")
      }
    }
    try await giveUp(call, decision: .retry)
  }

  /// What was held for it counts as spent by this run from now on.
  private func giveUp(_ call: UncertainCall, decision: UncertainPolicy) async throws {
    try await surroundings.gate.giveUp(call, of: start.run, decision: decision)
    stage.pay(call.amount)
  }

  private func ask(
    _ request: ModelRequest, _ context: CallContext, _ part: Part, _ step: Step
  ) async throws -> ModelAnswer {
    try await surroundings.gate.answer(request, for: context) { event in
      switch event {
      case .started(let provider, let model):
        try await show(.modelChosen(step, provider: provider, model: model))
      case .text(let text):
        try await show(.textArrived(step, text))
        try await show(part.take(text))
      case .reasoning(let text): try await show(.reasoning(step, text))
      case .restarted(let reason):
        let (wasShown, again) = part.restart(stage)
        try await show(.restarted(step, Restart(.brokenStream, reason), wasShown: wasShown))
        try await show(again)
      case .fellBack(let fallback, let answering):
        let notice = RunNotice.fallback(fallback, to: answering, at: step)
        if stage.noteShown(notice) { try await show(.notice(notice)) }
      case .waiting(let reason): try await show(.notice(RunNotice(.waiting, at: step, reason)))
      case .tookBack(let reason):
        let (wasShown, again) = part.restart(stage)
        try await show(.restarted(step, Restart(.reasoning, reason), wasShown: wasShown))
        try await show(again)
      case .wentOn(let reason):
        try await notice(
          RunNotice(
            .continued, at: step,
            "the stream broke (\(reason)); the answer goes on where it broke off",
            facts: ["because": .string(reason)]), isRecorded: true)
      case .noticed(let message):
        // The gate keeps it with the call's result.
        try await notice(RunNotice(.accounting, at: step, message), isRecorded: false)
      }
    }
  }

  /// Shows a piece of the output, if there is one.
  private func show(_ piece: Part.Piece?) async throws {
    guard let piece, let shown = stage.offer(piece.text, of: piece.path) else { return }
    try await show(.output(shown))
  }
}

/// An answer, or a further part of one, while it arrives: what of it goes to the reader.
private final class Part: Sendable {
  struct Piece {
    var text: String
    var path: StatePath
  }
  private struct State {
    var joint: Joint?
    var hasPassedOn = false
  }
  private let path: StatePath?
  /// What the reader has of the parts before.
  private let before: String?
  private let state: Locked<State>

  init(of path: StatePath?, after text: String?) {
    self.path = path
    before = text
    state = Locked(State(joint: path == nil ? nil : text.map { Joint(after: $0) }))
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
  func restart(_ stage: Stage) -> (wasShown: Bool, again: Piece?) {
    guard let path else { return (false, nil) }
    let hasPassedOn = state.withLock { state in
      defer { state = State(joint: before.map { Joint(after: $0) }) }
      return state.hasPassedOn
    }
    guard let before else { return (stage.restart(path), nil) }
    guard hasPassedOn else { return (false, nil) }
    return (stage.restart(path), Piece(text: before, path: path))
  }
}

/// A call is not to be asked again: no further try and no substitute is to get around that.
struct InDoubt: Error {
  var failure: Failure
}

extension UncertainCall {
  fileprivate func isInDoubt(mend: String) -> InDoubt {
    InDoubt(
      failure: Failure(
        .run,
        "the call to \(model) was under way when the run stopped, and whether it was answered is "
          + "not known", mend: mend))
  }
}
