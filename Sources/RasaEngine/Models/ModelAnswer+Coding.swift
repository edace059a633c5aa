package import RasaCore

extension ModelAnswer {
  /// Reads a line about an answer, as the gate writes it.
  package init(_ body: Value) {
    self.init(
      text: body["text"].string ?? "",
      toolCalls: (body["tool_calls"].array ?? []).compactMap { ToolCall($0) },
      reasoning: (body["reasoning"].array ?? []).map { ReasoningPart($0) },
      provider: body["provider"].string ?? "", model: body["model"].string ?? "",
      usage: Usage(body["usage"]), cost: Money(body["cost"]) ?? .zero,
      finish: body["finish"].string.flatMap { FinishReason(recorded: $0) } ?? .stop,
      isMock: body["mock"].bool ?? false, cap: body["cap"].int, ceiling: body["ceiling"].int,
      fallback: ModelFallback(body))
    attachmentTokens = (body["attachment_tokens"].array ?? []).compactMap(\.int)
  }

  /// What the journal keeps of an answer.
  package var value: ValueObject {
    var body: ValueObject = [
      "provider": .string(provider), "model": .string(model), "text": .string(text),
      "usage": usage.value, "cost": .string(cost.decimalText), "finish": .string(finish.rawValue),
    ]
    if !toolCalls.isEmpty { body["tool_calls"] = .array(toolCalls.map(\.value)) }
    if !reasoning.isEmpty { body["reasoning"] = .array(reasoning.map(\.value)) }
    if isMock { body["mock"] = true }
    if let cap { body["cap"] = .int(cap) }
    if let ceiling { body["ceiling"] = .int(ceiling) }
    if !attachmentTokens.isEmpty {
      body["attachment_tokens"] = .array(attachmentTokens.map { .int($0) })
    }
    if let fallback {
      body["instead_of"] = .string(fallback.insteadOf)
      body["because"] = .string(fallback.because)
    }
    return body
  }
}

extension ModelFallback {
  fileprivate init?(_ body: Value) {
    guard let insteadOf = body["instead_of"].string else { return nil }
    self.init(insteadOf: insteadOf, because: body["because"].string ?? "")
  }
}

extension ToolCall {
  package init?(_ value: Value) {
    guard let name = value["name"].string else { return nil }
    self.init(
      id: value["id"].string ?? "", name: name, arguments: value["arguments"],
      signature: value["signature"].string)
    unreadable = value["unreadable"].string
  }

  package var value: Value {
    var body: ValueObject = [
      "id": .string(id), "name": .string(name), "arguments": arguments,
    ]
    if let signature { body["signature"] = .string(signature) }
    if let unreadable { body["unreadable"] = .string(unreadable) }
    return .object(body)
  }
}

extension ReasoningPart {
  package init(_ value: Value) {
    self.init(
      text: value["text"].string ?? "", signature: value["signature"].string,
      redacted: value["redacted"].string)
  }

  package var value: Value {
    var body: ValueObject = ["text": .string(text)]
    if let signature { body["signature"] = .string(signature) }
    if let redacted { body["redacted"] = .string(redacted) }
    return .object(body)
  }
}

extension Usage {
  package init(_ value: Value) {
    self.init(
      input: value["input"].int ?? 0, output: value["output"].int ?? 0,
      cachedInput: value["cached_input"].int ?? 0, cacheWrites: value["cache_writes"].int ?? 0,
      reasoning: value["reasoning"].int ?? 0, isReported: value["reported"].bool ?? false)
  }

  /// What the journal keeps of a count.
  package var value: Value {
    var body: ValueObject = [
      "input": .int(input), "output": .int(output), "cached_input": .int(cachedInput),
      "reasoning": .int(reasoning), "reported": .bool(isReported),
    ]
    if cacheWrites > 0 { body["cache_writes"] = .int(cacheWrites) }
    return .object(body)
  }
}
