import RasaCore
import RasaEngine
import RasaPersona

/// The journal's lines about calls: an intent with every reservation, and a result or a failure with
/// every settlement. This is the only place that makes them; how they look is `EffectEvent`'s business.
extension Gate {
  func intentEntry(
    _ plan: CallPlan, _ request: ReservationRequest, _ sizing: HoldSizing, _ price: Price,
    cap: Int64?, adaptations: String, isPriceKnown: Bool, exceedsBudget: Bool,
    attached: [Int64] = []
  ) -> JournalEntry {
    var intent = ModelIntent(provider: request.provider, model: request.model)
    intent.input = sizing.input
    intent.output = sizing.tokens
    intent.held = request.amount
    intent.cap = cap
    intent.adaptations = adaptations
    intent.attachmentTokens = attached
    intent.cut = plan.fitted?.cut
    if isPriceKnown || !request.price.isEmpty {
      let rates = price.rates(forInput: sizing.input)
      intent.price = ModelIntent.Price(
        version: request.price, input: rates.input, output: rates.output)
    }
    intent.isPriceKnown = isPriceKnown
    intent.isForced = options.force
    intent.mayExceedBudget = options.allowBudgetExceed
    intent.exceedsBudget = exceedsBudget
    return entry(
      plan,
      .intent(
        EffectIntent(
          attempt: request.id, request: plan.digest,
          idempotencyKey: plan.context.doubt?.idempotencyKey, subject: .model(intent))))
  }

  func resultEntry(
    _ plan: CallPlan, _ reservation: Identifier, _ answer: ModelAnswer, notices: [String]
  ) -> JournalEntry {
    entry(plan, .result(.answer(answer, notices: notices), attempt: reservation))
  }

  func resultEntry(
    _ plan: CallPlan, _ reservation: Identifier, _ embeddings: Embeddings, keptAs space: String?
  ) -> JournalEntry {
    var made = VectorsMade(
      provider: embeddings.provider, model: embeddings.model,
      count: Int64(embeddings.vectors.count),
      dimensions: Int64(embeddings.vectors.first?.count ?? 0), usage: embeddings.usage,
      cost: embeddings.cost)
    if let space, let only = embeddings.vectors.first {
      made.kept = MemoryQuery.Vector(model: space, numbers: only)
    }
    return entry(plan, .result(.vectors(made), attempt: reservation))
  }

  /// - Parameter partial: what had come of an answer; it is kept, and never counts as one.
  func failureEntry(
    _ plan: CallPlan, _ settlement: Settlement, provider: String, model: String, reason: String,
    message: String, partial: String
  ) -> JournalEntry {
    let failure = EffectFailure(
      provider: provider, model: model, reason: reason, message: message,
      usage: settlement.usage, cost: settlement.actual, partial: partial)
    return entry(plan, .failed(failure, attempt: settlement.reservation))
  }

  func uncertainEntry(
    _ call: UncertainCall, of run: Identifier, _ decision: UncertainPolicy
  ) -> JournalEntry {
    let doubt = EffectDoubt(
      provider: call.provider, model: call.model, decision: decision, cost: call.amount)
    return EffectEvent(.model, call.key, .uncertain(doubt, attempt: call.reservation))
      .entry(of: run, at: time.now())
  }

  private func entry(_ plan: CallPlan, _ phase: EffectEvent.Phase) -> JournalEntry {
    EffectEvent(.model, plan.context.key, phase).entry(of: plan.context.run, at: time.now())
  }
}
