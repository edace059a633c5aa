import RasaCore
import RasaPersona

/// Calls: what is recorded is not asked again, what is in doubt is decided first.
extension OperatorProcedure {
  func call(
    _ request: ModelRequest, _ definition: OperatorDefinition, _ invocation: Invocation,
    label: String, attempt: Int
  ) async throws -> ModelAnswer {
    let step = invocation.step
    let node = graph.nodes[invocation.node]
    let live = node.isLive ? node.writes.first : nil
    // A substitute asks in the place of another operator, and not the same.
    let isSubstitute = definition.name != step.operatorName
    let key = step.effect(
      isSubstitute ? "\(definition.name).\(label)" : label, occurrence: attempt)
    var context = graph.callContext(
      start, definition, key, profile: options.profile, assignment: assignment)
    if attempt > 1 || label != "call", let live, stage.restart(live) {
      try await show(.restarted(step, reason: "asked again", wasShown: true))
    }
    if let answer = try await known(request, context) {
      try await show(.modelChosen(step, provider: answer.provider, model: answer.model))
      try await show(.textArrived(step, answer.text))
      if let live, let shown = stage.offer(answer.text, of: live) { try await show(.output(shown)) }
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
      let answer = try await ask(request, context, live, step)
      stage.note(answer)
      return answer
    } catch var failure as Failure {
      stage.pay(failure.spent)
      failure.spent = .zero
      // The operator's own time, or the whole run's?
      if failure.kind == .timeout, stage.secondsLeft(at: surroundings.time.monotonic()) <= 0 {
        throw stage.tooLate(at: surroundings.time.monotonic())
      }
      throw failure
    }
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
      case .fellBack(let fallback, let answering):
        try await show(
          .notice(
            RunNotice(
              .fallback, at: step,
              "\(answering) answers instead of \(fallback.insteadOf): \(fallback.because)",
              facts: [
                "answered_by": .string(answering), "instead_of": .string(fallback.insteadOf),
                "because": .string(fallback.because),
              ])))
      case .waiting(let reason): try await show(.notice(RunNotice(.waiting, at: step, reason)))
      case .noticed(let message):
        try await show(.notice(RunNotice(.accounting, at: step, message)))
      }
    }
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
