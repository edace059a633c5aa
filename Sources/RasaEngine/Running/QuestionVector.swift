package import RasaCore
package import RasaPersona

/// Who makes the vectors that recall compares with.
package protocol QuestionVectors: Sendable {
  /// The model that makes them: the persona's, else the user's usual one; nil where recall goes by words alone.
  func model(named: ModelReference?) -> ModelReference?
  /// What identifies the request.
  func digest(of text: String, by model: ModelReference, for context: CallContext) -> String
  /// The vector of a question of that user's. It is paid for and on record when this returns or throws, which is soon: whoever
  /// asks is waiting for an answer.
  ///
  /// - Returns: nil where there is nothing to compare with.
  /// - Throws: a `Failure` that says why there is none.
  func vector(
    of text: String, by model: ModelReference, user: String, for context: CallContext
  ) async throws -> QuestionVector?
}

package struct QuestionVector: Sendable {
  package var vector: MemoryQuery.Vector
  package var cost: Money
  /// Why hardly anything will be found by it, if so: for example, that the vectors that are kept are those of another
  /// model.
  package var caveat: String?

  package init(vector: MemoryQuery.Vector, cost: Money, caveat: String? = nil) {
    self.vector = vector
    self.cost = cost
    self.caveat = caveat
  }
}

extension OperatorProcedure {
  /// The vector of what is looked for; nil where no model makes any, or none could be had in time. Recall goes by words
  /// alone then, and the reader of the answer is told why. A vector that is on record is not paid for again.
  ///
  /// - Parameter named: the model that the persona names.
  func questionVector(
    of text: String, by named: ModelReference?, _ definition: OperatorDefinition, in step: Step
  ) async throws -> MemoryQuery.Vector? {
    guard let maker = dependencies.vectors, let model = maker.model(named: named), !text.isBlank
    else { return nil }
    let key = definition.effect(EffectKey.vectorLabel, in: step)
    let effect = QuestionVectorEffect(
      text: text, model: model, user: start.user, maker: maker,
      context: graph.callContext(
        start, definition, key, profile: options.profile, delegation: delegation),
      gate: dependencies.gate, runState: runState)
    do {
      guard let made = try await perform(effect, definition) else { return nil }
      if let caveat = made.caveat { try await notice(.wordsAlone(caveat, model, at: step)) }
      return made.vector
    } catch let failure as Failure where failure.kind != .cancelled && failure.kind != .storage {
      runState.pay(failure.spent)
      try Task.checkCancellation()
      let reason = dependencies.redact(failure.message)
      try await notice(
        .wordsAlone(reason, model, at: step, suggestion: failure.suggestion))
      return nil
    }
  }
}

extension RunNotice {
  static func wordsAlone(
    _ reason: String, _ model: ModelReference, at step: Step, suggestion: String = ""
  ) -> RunNotice {
    RunNotice(
      .recall, at: step, "what is remembered was looked for by words alone: \(reason)",
      suggestion: suggestion,
      facts: ["model": .string("\(model)"), "because": .string(reason)])
  }
}

extension EffectKey {
  /// What the vector of a question is labelled.
  static let vectorLabel = "vector"

  /// Whether it is the key of such a vector, which no recording needs: it has what was recalled.
  var isQuestionVector: Bool {
    let label = labelInAnyRound
    return label == Self.vectorLabel
      || label.hasSuffix(".\(Self.vectorLabel)") && !label.utf8.contains(UInt8(ascii: ":"))
  }
}

private struct QuestionVectorEffect: Effect {
  let text: String
  let model: ModelReference
  let user: String
  let maker: any QuestionVectors
  let context: CallContext
  let gate: any ModelGate
  let runState: SharedRunState

  var kind: EffectKind { .model }
  var key: EffectKey { context.key }
  /// Nothing is done twice by asking twice.
  var uncertain: UncertainPolicy { .retry }

  func digest() -> String { maker.digest(of: text, by: model, for: context) }

  func answer(_ result: EffectResult) -> QuestionVector?? {
    guard case .vectors(let made) = result, let kept = made.kept else { return nil }
    return QuestionVector(vector: kept, cost: .zero)
  }

  func noteReuse(_ answer: QuestionVector?) {}

  func question(about attempt: InDoubtEffect) -> (title: String, payload: ValueObject) {
    (
      "Ask \(model) for the vector of the question again?",
      ["call": .string(attempt.key.description), "model": .string("\(model)")]
    )
  }

  func failure(inDoubt attempt: InDoubtEffect) -> Failure {
    Failure(.run, "whether \(model) made the vector of the question is not known")
  }

  func giveUp(_ attempt: InDoubtEffect, decision: UncertainPolicy) async throws {
    guard let call = UncertainCall(attempt.key, attempt.intent) else { return }
    try await gate.giveUp(call, of: context.run, decision: decision)
    runState.pay(call.amount)
  }

  func perform(after doubt: InDoubtEffect?) async throws -> QuestionVector? {
    var context = context
    context.doubt = doubt.flatMap { UncertainCall($0.key, $0.intent) }
    let made = try await maker.vector(of: text, by: model, user: user, for: context)
    if let made { runState.pay(made.cost) }
    return made
  }
}
