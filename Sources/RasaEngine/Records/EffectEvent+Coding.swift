package import RasaCore
import RasaPersona

/// The lines about effects, as they stand in journals: `call.intent`, `call.result` and so on for calls to
/// models, `tool.intent` and so on for tools, `hook.intent` and so on for hooks.
extension EffectEvent {
  private enum Line: String {
    case intent, result, failed, uncertain, refused, ended, reused
  }

  private var line: Line {
    switch phase {
    case .intent: .intent
    case .result: .result
    case .failed: .failed
    case .uncertain: .uncertain
    case .ended(_, let isRefused): isRefused ? .refused : .ended
    case .reused: .reused
    }
  }

  package func entry(of run: Identifier, at time: Timestamp) -> JournalEntry {
    JournalEntry(
      run: run, time: time, kind: "\(kind.rawValue).\(line.rawValue)", key: key.description,
      body: .object(body))
  }

  /// Nil for lines that are not about effects, and for those of kinds that this version does not know.
  package init?(_ entry: JournalEntry) {
    let name = entry.kind
    guard let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")),
      let kind = EffectKind(rawValue: String(name[..<dot])),
      let line = Line(rawValue: String(name[name.utf8.index(after: dot)...])),
      let key = entry.key.flatMap({ EffectKey($0) }),
      // Whether a tool may be used is decided before there is an effect.
      !(kind == .tool && line == .refused)
    else { return nil }
    let body = entry.body
    let attempt = Identifier(body[kind.attemptName].string ?? "")
    let phase: Phase =
      switch line {
      case .intent: .intent(EffectIntent(kind, attempt, body))
      case .result: .result(EffectResult(kind, body), attempt: attempt)
      case .failed: .failed(EffectFailure(body), attempt: attempt)
      case .uncertain: .uncertain(EffectDoubt(body), attempt: attempt)
      case .refused: .ended(Failure(journal: body, else: .budget), isRefused: true)
      case .ended: .ended(Failure(journal: body), isRefused: false)
      case .reused:
        .reused(
          EffectResult(kind, body), from: Identifier(body["from"].string ?? ""),
          request: body["request"].string ?? "")
      }
    self.init(kind, key, phase)
  }

  private var body: ValueObject {
    var body: ValueObject
    switch phase {
    case .intent(let intent):
      body = intent.body
      body[kind.attemptName] = .string(intent.attempt.text)
    case .result(let result, let attempt):
      body = result.body
      body[kind.attemptName] = .string(attempt.text)
    case .failed(let failure, let attempt):
      body = failure.body
      body[kind.attemptName] = .string(attempt.text)
    case .uncertain(let doubt, let attempt):
      body = doubt.body
      body[kind.attemptName] = .string(attempt.text)
    case .ended(let failure, _): body = failure.journalBody
    case .reused(let result, let from, let request):
      body = result.body
      body["from"] = .string(from.text)
      body["request"] = .string(request)
    }
    return body
  }
}

extension EffectKind {
  /// What the attempt is called in a line.
  fileprivate var attemptName: String {
    switch self {
    case .model: "reservation"
    case .tool, .hook: "attempt"
    }
  }
}

extension EffectIntent {
  fileprivate init(_ kind: EffectKind, _ attempt: Identifier, _ body: Value) {
    let subject: Subject =
      switch kind {
      case .model: .model(ModelIntent(body))
      case .tool: .tool(name: body["tool"].string ?? "", arguments: body["arguments"])
      case .hook: .hook(name: body["hook"].string ?? "", point: body["point"].string ?? "")
      }
    self.init(
      attempt: attempt, request: body["request"].string ?? "",
      idempotencyKey: body["idempotency"].string, subject: subject)
  }

  fileprivate var body: ValueObject {
    var body: ValueObject
    switch subject {
    case .model(let model):
      body = model.body
    case .tool(let name, let arguments): body = ["tool": .string(name), "arguments": arguments]
    case .hook(let name, let point): body = ["hook": .string(name), "point": .string(point)]
    }
    body["request"] = .string(request)
    if let idempotencyKey { body["idempotency"] = .string(idempotencyKey) }
    return body
  }
}

extension ModelIntent {
  fileprivate init(_ body: Value) {
    self.init(provider: body["provider"].string ?? "", model: body["model"].string ?? "")
    let estimate = body["estimate"]
    input = estimate["input"].int ?? 0
    output = estimate["output"].int ?? 0
    held = Money(estimate["cost"]) ?? .zero
    cap = body["uncapped"] == true ? nil : body["cap"].int ?? estimate["output"].int
    adaptations = body["adapted"].string ?? ""
    if let input = Money(body["price"]["input"]), let output = Money(body["price"]["output"]) {
      price = Price(version: body["price"]["version"].string ?? "", input: input, output: output)
    }
    attachmentTokens = (body["attachment_tokens"].array ?? []).compactMap(\.int)
    cut = HistoryCut(body["left_out"], model: "\(provider):\(model)")
    isPriceKnown = body["price_known"].bool ?? true
    isForced = body["force"].bool ?? false
    mayExceedBudget = body["allow_budget_exceed"].bool ?? false
    exceedsBudget = body["exceeds_budget"].bool ?? false
  }

  fileprivate var body: ValueObject {
    var body: ValueObject = [
      "provider": .string(provider), "model": .string(model),
      "estimate": [
        "input": .int(input), "output": .int(output), "cost": .string(held.decimalText),
      ],
    ]
    if !attachmentTokens.isEmpty {
      body["attachment_tokens"] = .array(attachmentTokens.map { .int($0) })
    }
    // `output` is the amount held; `cap` is written only if it differs.
    if cap == nil { body["uncapped"] = true }
    if let cap, cap != output { body["cap"] = .int(cap) }
    if !adaptations.isEmpty { body["adapted"] = .string(adaptations) }
    if let price {
      body["price"] = [
        "version": .string(price.version), "input": .string(price.input.decimalText),
        "output": .string(price.output.decimalText),
      ]
    }
    if let cut { body["left_out"] = cut.value }
    if !isPriceKnown { body["price_known"] = false }
    if isForced { body["force"] = true }
    if mayExceedBudget { body["allow_budget_exceed"] = true }
    if exceedsBudget { body["exceeds_budget"] = true }
    return body
  }
}

extension EffectResult {
  fileprivate init(_ kind: EffectKind, _ body: Value) {
    switch kind {
    case .tool where !body["input_required"].isNull:
      self = .inputRequired(ToolInputRequest(body["input_required"]))
    case .tool: self = .tool(ToolResult(body))
    case .hook: self = .value(body["value"])
    case .model where body["vectors"].int != nil: self = .vectors(VectorsMade(body))
    case .model:
      self = .answer(
        ModelAnswer(body), notices: (body["notices"].array ?? []).compactMap(\.string))
    }
  }

  fileprivate var body: ValueObject {
    switch self {
    case .answer(let answer, let notices):
      var body = answer.value
      if !notices.isEmpty { body["notices"] = .array(notices.map(Value.string)) }
      return body
    case .vectors(let made): return made.body
    case .tool(let result): return result.body
    case .inputRequired(let request): return ["input_required": request.body]
    case .value(let value): return ["value": value]
    }
  }
}

extension VectorsMade {
  fileprivate init(_ body: Value) {
    self.init(
      provider: body["provider"].string ?? "", model: body["model"].string ?? "",
      count: body["vectors"].int ?? 0, dimensions: body["dimensions"].int ?? 0,
      usage: Usage(body["usage"]), cost: Money(body["cost"]) ?? .zero)
    if let space = body["space"].string,
      let bytes = body["numbers"].string.flatMap({ Base64.decode($0) }), bytes.count % 4 == 0
    {
      kept = MemoryQuery.Vector(
        model: space,
        numbers: stride(from: 0, to: bytes.count, by: 4).map { place in
          Float(
            bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << (UInt32($1) * 8) })
        })
    }
  }

  fileprivate var body: ValueObject {
    var body: ValueObject = [
      "provider": .string(provider), "model": .string(model), "vectors": .int(count),
      "dimensions": .int(dimensions), "usage": usage.value, "cost": .string(cost.decimalText),
    ]
    if let kept {
      body["space"] = .string(kept.model)
      body["numbers"] = .string(
        Base64.encode(
          kept.numbers.flatMap { number in
            (0..<4).map { UInt8(truncatingIfNeeded: number.bitPattern >> ($0 * 8)) }
          }))
    }
    return body
  }
}

extension EffectFailure {
  fileprivate init(_ body: Value) {
    self.init(
      provider: body["provider"].string ?? "", model: body["model"].string ?? "",
      reason: body["reason"].string ?? "",
      message: body["message"].string ?? "the provider gave no answer",
      usage: Usage(body["usage"]), cost: Money(body["cost"]) ?? .zero,
      partial: body["partial"].string ?? "")
  }

  fileprivate var body: ValueObject {
    var body: ValueObject = [
      "provider": .string(provider), "model": .string(model), "reason": .string(reason),
      "message": .string(message), "usage": usage.value, "cost": .string(cost.decimalText),
    ]
    if !partial.isEmpty { body["partial"] = .string(partial) }
    if let finish = FinishReason(rawValue: reason), finish.isNoAnswer {
      body["finish"] = .string(finish.rawValue)
    }
    return body
  }
}

extension EffectDoubt {
  fileprivate init(_ body: Value) {
    self.init(
      provider: body["provider"].string ?? "", model: body["model"].string ?? "",
      decision: body["decision"].string.flatMap { UncertainPolicy(rawValue: $0) },
      cost: Money(body["cost"]) ?? .zero)
  }

  fileprivate var body: ValueObject {
    [
      "provider": .string(provider), "model": .string(model),
      "decision": .string(decision?.rawValue ?? ""), "cost": .string(cost.decimalText),
    ]
  }
}
