import RasaCore
import RasaEngine
import RasaPersona

/// The journal's lines about calls: an intent with every reservation, and a result or a failure with
/// every settlement. This is the only place that makes them.
extension Gate {
  func intentEntry(
    _ plan: CallPlan, _ request: ReservationRequest, _ sizing: HoldSizing, _ price: Price,
    cap: Int64?, adaptations: String, isPriceKnown: Bool, exceedsBudget: Bool,
    attached: [Int64] = []
  ) -> JournalEntry {
    var body: ValueObject = [
      "reservation": .string(request.id.text),
      "provider": .string(request.provider),
      "model": .string(request.model),
      "request": .string(plan.digest),
      "estimate": [
        "input": .int(sizing.input), "output": .int(sizing.tokens),
        "cost": .string(request.amount.decimalText),
      ],
    ]
    if !attached.isEmpty { body["attachment_tokens"] = .array(attached.map { .int($0) }) }
    // Where it is what is held, that is all there is to say.
    if cap == nil { body["uncapped"] = true }
    if let cap, cap != sizing.tokens { body["cap"] = .int(cap) }
    if !adaptations.isEmpty { body["adapted"] = .string(adaptations) }
    if isPriceKnown || !request.price.isEmpty {
      let rates = price.rates(forInput: sizing.input)
      body["price"] = [
        "version": .string(request.price), "input": .string(rates.input.decimalText),
        "output": .string(rates.output.decimalText),
      ]
    }
    if let key = plan.context.doubt?.idempotencyKey { body["idempotency"] = .string(key) }
    if !isPriceKnown { body["price_known"] = false }
    if options.force { body["force"] = true }
    if options.allowBudgetExceed { body["allow_budget_exceed"] = true }
    if exceedsBudget { body["exceeds_budget"] = true }
    return entry("call.intent", plan, body)
  }

  func resultEntry(
    _ plan: CallPlan, _ reservation: Identifier, _ answer: ModelAnswer, notices: [String]
  ) -> JournalEntry {
    var body = answer.value
    if !notices.isEmpty { body["notices"] = .array(notices.map(Value.string)) }
    body["reservation"] = .string(reservation.text)
    return entry("call.result", plan, body)
  }

  /// The vectors themselves can be had again, and would be most of the journal.
  func resultEntry(
    _ plan: CallPlan, _ reservation: Identifier, _ embeddings: Embeddings
  ) -> JournalEntry {
    entry(
      "call.result", plan,
      [
        "provider": .string(embeddings.provider), "model": .string(embeddings.model),
        "vectors": .int(Int64(embeddings.vectors.count)),
        "dimensions": .int(Int64(embeddings.vectors.first?.count ?? 0)),
        "usage": embeddings.usage.value, "cost": .string(embeddings.cost.decimalText),
        "reservation": .string(reservation.text),
      ])
  }

  /// - Parameter partial: what had come of an answer; it is kept, and never counts as one.
  func failureEntry(
    _ plan: CallPlan, _ settlement: Settlement, provider: String, model: String, reason: String,
    message: String, partial: String
  ) -> JournalEntry {
    var body: ValueObject = [
      "reservation": .string(settlement.reservation.text), "provider": .string(provider),
      "model": .string(model), "reason": .string(reason), "message": .string(message),
      "usage": settlement.usage.value, "cost": .string(settlement.actual.decimalText),
    ]
    if !partial.isEmpty { body["partial"] = .string(partial) }
    if let finish = FinishReason(rawValue: reason), finish.isNoAnswer {
      body["finish"] = .string(finish.rawValue)
    }
    return entry("call.failed", plan, body)
  }

  func uncertainEntry(
    _ call: UncertainCall, of run: Identifier, _ decision: UncertainPolicy
  ) -> JournalEntry {
    JournalEntry(
      run: run, time: time.now(), kind: "call.uncertain", key: "\(call.key)",
      body: [
        "reservation": .string(call.reservation.text), "provider": .string(call.provider),
        "model": .string(call.model), "decision": .string(decision.rawValue),
        "cost": .string(call.amount.decimalText),
      ])
  }

  private func entry(_ kind: String, _ plan: CallPlan, _ body: ValueObject) -> JournalEntry {
    JournalEntry(
      run: plan.context.run, time: time.now(), kind: kind, key: "\(plan.context.key)",
      body: .object(body))
  }
}
