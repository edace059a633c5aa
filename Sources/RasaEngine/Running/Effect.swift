import RasaCore
import RasaPersona

/// Something that an operator does outside of the run. The procedure around it is always the same:
/// recorded results are reused, attempts in doubt are decided first, and only then is it performed.
protocol Effect: Sendable {
  associatedtype Answer: Sendable
  var kind: EffectKind { get }
  var key: EffectKey { get }
  /// What becomes of an attempt that may or may not have been performed.
  var uncertain: UncertainPolicy { get }
  /// Identifies the request, the same in every run.
  func digest() -> String
  /// What a recorded result says; nil for one of another form.
  func answer(_ result: EffectResult) -> Answer?
  /// An answer of another run counts in this one.
  func noteReuse(_ answer: Answer)
  /// The question to a person about an attempt that may or may not have been performed.
  func question(about attempt: InDoubtEffect) -> (title: String, payload: ValueObject)
  func failure(inDoubt attempt: InDoubtEffect) -> Failure
  /// Commits that its outcome will never be known, and what was decided.
  func giveUp(_ attempt: InDoubtEffect, decision: UncertainPolicy) async throws
  /// Commits the intent, performs the effect, commits the result.
  ///
  /// - Parameter doubt: an earlier attempt whose outcome is unknown.
  func perform(after doubt: InDoubtEffect?) async throws -> Answer
}

/// An attempt was not over when its time was.
struct EffectTimeout: Error {
  var attempt: InDoubtEffect
  var failure: Failure
}

/// An effect must not be attempted again, neither by another try nor by a substitute.
struct InDoubt: Error {
  var failure: Failure
}

extension OperatorProcedure {
  func perform<E: Effect>(_ effect: E, _ definition: OperatorDefinition) async throws -> E.Answer {
    if let answer = recordedAnswer(for: effect) { return answer }
    let doubt = try await resolveDoubts(about: effect, definition)
    do {
      return try await effect.perform(after: doubt)
    } catch let late as EffectTimeout {
      throw try await end(late, effect)
    }
  }

  /// Decides what becomes of an attempt that ran out of time and may have been performed all the same. The error to
  /// throw.
  private func end<E: Effect>(
    _ late: EffectTimeout, _ effect: E
  ) async throws -> any Error {
    // Its intent stays open: whoever resumes the run decides.
    if late.failure.isOfWholeRun { return late.failure }
    var failure = late.failure
    switch effect.uncertain {
    case .retry:
      try await effect.giveUp(late.attempt, decision: .retry)
      return failure
    case .fail:
      try await effect.giveUp(late.attempt, decision: .fail)
      failure.details.append("it may have been done, and `uncertain: fail` forbids another try")
    case .ask:
      failure.details.append("it may have been done, and `uncertain: ask` has a person decide")
      failure.suggestion = "`rasa resume \(start.run)` asks whether to try it again"
    }
    return InDoubt(failure: failure)
  }

  /// The recorded answer, of this run or of the run that it was forked from.
  func recordedAnswer<E: Effect>(for effect: E) -> E.Answer? {
    if let done = recorded.own.done(at: effect.key), let answer = effect.answer(done.result) {
      return answer
    }
    guard let inherited = recorded.inherited, let origin = start.fork?.run else { return nil }
    let digest = effect.digest()
    guard let done = inherited.done(digest, at: effect.key) else { return nil }
    let result = done.result.reused
    guard let answer = effect.answer(result) else { return nil }
    record(
      EffectEvent(effect.kind, effect.key, .reused(result, from: origin, request: digest)))
    effect.noteReuse(answer)
    return answer
  }

  /// Applies the policy of the effect to attempts that may or may not have been performed. Returns
  /// the last one if it is repeated, and nil if there is none.
  func resolveDoubts<E: Effect>(
    about effect: E, _ definition: OperatorDefinition
  ) async throws -> InDoubtEffect? {
    var doubt = recorded.own.doubted(at: effect.key)
    for attempt in recorded.own.open(at: effect.key) {
      try await decide(attempt, effect, definition)
      doubt = attempt
    }
    return doubt
  }

  private func decide<E: Effect>(
    _ attempt: InDoubtEffect, _ effect: E, _ definition: OperatorDefinition
  ) async throws {
    func stop(_ suggestion: String) async throws -> InDoubt {
      try await effect.giveUp(attempt, decision: .fail)
      var failure = effect.failure(inDoubt: attempt)
      failure.suggestion = suggestion
      return InDoubt(failure: failure)
    }
    switch effect.uncertain {
    case .retry: break
    case .fail:
      throw try await stop("resume the run once more to ask again; it may be paid twice")
    case .ask:
      let (title, payload) = effect.question(about: attempt)
      let question = Question(
        key: attempt.key.questionInDoubt,
        title: title, subject: StatePath(definition.writes.first?.key ?? "draft"),
        payload: .object(payload), spent: runState.spent)
      let answer = try await answer(to: question, lifetime: nil)
      guard answer.decision == .approve else {
        throw try await stop("\(answer.by) decided not to ask again")
      }
    }
    try await effect.giveUp(attempt, decision: .retry)
  }

  func record(_ event: EffectEvent) {
    dependencies.journal.record([event.entry(of: start.run, at: dependencies.time.now())])
  }
}

extension EffectResult {
  /// As another run takes it over: it is not paid for again.
  fileprivate var reused: EffectResult {
    switch self {
    case .answer(var answer, _):
      answer.cost = .zero
      return .answer(answer)
    case .vectors(var made):
      made.cost = .zero
      return .vectors(made)
    case .tool, .inputRequired, .value: return self
    }
  }
}
