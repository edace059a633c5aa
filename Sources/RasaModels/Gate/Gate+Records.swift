import RasaCore
import RasaEngine

/// The journal's lines about calls: an intent with every reservation, and a result or a failure with
/// every settlement. This is the only place that makes them.
extension Gate {
  func intentEntry(
    _ plan: CallPlan, _ request: ReservationRequest, cap: Int64, isPriceKnown: Bool,
    exceedsBudget: Bool
  ) -> JournalEntry {
    var body: ValueObject = [
      "reservation": .string(request.id.text),
      "provider": .string(request.provider),
      "model": .string(request.model),
      "request": .string(plan.digest),
      "estimate": [
        "input": .int(plan.estimate.tokens), "output": .int(cap),
        "cost": .string(request.amount.decimalText),
      ],
    ]
    if !isPriceKnown { body["price_known"] = false }
    if options.force { body["force"] = true }
    if options.allowBudgetExceed { body["allow_budget_exceed"] = true }
    if exceedsBudget { body["exceeds_budget"] = true }
    return entry("call.intent", plan, body)
  }

  func resultEntry(_ plan: CallPlan, _ reservation: Identifier, _ answer: ModelAnswer)
    -> JournalEntry
  {
    var body: ValueObject = [
      "reservation": .string(reservation.text),
      "provider": .string(answer.provider),
      "model": .string(answer.model),
      "text": .string(answer.text),
      "usage": Self.value(answer.usage),
      "cost": .string(answer.cost.decimalText),
      "finish": .string(answer.finish.rawValue),
    ]
    if answer.isMock { body["mock"] = true }
    return entry("call.result", plan, body)
  }

  func failureEntry(
    _ plan: CallPlan, _ settlement: Settlement, provider: String, model: String, reason: String,
    message: String
  ) -> JournalEntry {
    entry(
      "call.failed", plan,
      [
        "reservation": .string(settlement.reservation.text),
        "provider": .string(provider),
        "model": .string(model),
        "reason": .string(reason),
        "message": .string(message),
        "usage": Self.value(settlement.usage),
        "cost": .string(settlement.actual.decimalText),
      ])
  }

  private func entry(_ kind: String, _ plan: CallPlan, _ body: ValueObject) -> JournalEntry {
    JournalEntry(
      run: plan.context.run, time: time.now(), kind: kind, key: "\(plan.context.key)",
      body: .object(body))
  }

  private static func value(_ usage: Usage) -> Value {
    [
      "input": .int(usage.input), "output": .int(usage.output),
      "cached_input": .int(usage.cachedInput), "reasoning": .int(usage.reasoning),
      "reported": .bool(usage.isReported),
    ]
  }
}
