import RasaCore

/// Messages as Anthropic streams them: content blocks that start, grow and stop.
enum AnthropicFormat {
  static func stream(_ script: Script, _ facts: AnswerFacts) -> StreamFormat {
    let lineEnding = script.lineEnding.rawValue
    let frame: @Sendable (Value) -> [UInt8] = { value in
      let name = value["type"].string ?? "unknown"
      return Array("event: \(name)\(lineEnding)data: ".utf8) + value.jsonBytes()
        + Array((lineEnding + lineEnding).utf8)
    }
    func begin(_ index: Int, _ block: Value) -> [UInt8] {
      frame([
        "type": "content_block_start", "index": .int(Int64(index)), "content_block": block,
      ])
    }
    func delta(_ index: Int, _ delta: Value) -> [UInt8] {
      frame(["type": "content_block_delta", "index": .int(Int64(index)), "delta": delta])
    }
    func end(_ index: Int) -> [UInt8] {
      frame(["type": "content_block_stop", "index": .int(Int64(index))])
    }
    var index = 0
    var beforeReasoning: [UInt8] = []
    var afterReasoning: [UInt8] = []
    let reasoning = index
    if !script.reasoning.isEmpty {
      beforeReasoning = begin(index, ["type": "thinking", "thinking": "", "signature": ""])
      afterReasoning =
        delta(index, ["type": "signature_delta", "signature": .string(signature(facts))])
        + end(index)
      index += 1
      if let data = script.redactedReasoning {
        afterReasoning +=
          begin(index, ["type": "redacted_thinking", "data": .string(data)]) + end(index)
        index += 1
      }
    }
    let text = index
    if facts.textTokens > 0 { index += 1 }
    var calls: [[UInt8]] = []
    for (position, call) in script.toolCalls.enumerated() {
      calls.append(
        begin(
          index,
          [
            "type": "tool_use", "id": .string(call.id ?? "toolu_\(facts.identifier)_\(position)"),
            "name": .string(call.name), "input": [:],
          ]))
      calls += call.pieces.map {
        delta(index, ["type": "input_json_delta", "partial_json": .string($0)])
      }
      calls[calls.count - 1] += end(index)
      index += 1
    }
    let ending = frame(ending(script, facts))
    return StreamFormat(
      contentType: "text/event-stream; charset=utf-8",
      token: around(
        Marker.token, delta(text, ["type": "text_delta", "text": .string(Marker.token)])),
      reasoning: around(
        Marker.token,
        delta(reasoning, ["type": "thinking_delta", "thinking": .string(Marker.token)])),
      opening: frame(opening(facts)) + frame(["type": "ping"]), beforeReasoning: beforeReasoning,
      afterReasoning: afterReasoning, beforeText: begin(text, ["type": "text", "text": ""]),
      afterText: end(text), calls: calls, comment: frame(["type": "ping"]),
      finish: script.repeatsUsage ? ending + ending : ending,
      terminator: frame(["type": "message_stop"]),
      malformed: Array(
        (#"data: {"type":"content_block_delta","index":0,"delta":{"type":"text_d"#
          + lineEnding + lineEnding).utf8), frame: frame)
  }

  static func whole(_ text: String, _ script: Script, _ facts: AnswerFacts) -> Value {
    var blocks: [Value] = []
    if !script.reasoning.isEmpty {
      blocks.append([
        "type": "thinking", "thinking": .string(script.reasoning.joined()),
        "signature": .string(signature(facts)),
      ])
    }
    if facts.textTokens > 0 { blocks.append(["type": "text", "text": .string(text)]) }
    for (position, call) in script.toolCalls.enumerated() {
      blocks.append([
        "type": "tool_use", "id": .string(call.id ?? "toolu_\(facts.identifier)_\(position)"),
        "name": .string(call.name), "input": call.value,
      ])
    }
    var message = message(facts)
    message["content"] = .array(blocks)
    message["stop_reason"] = .string(WireFormat.anthropic.finishReason(script))
    if facts.reportsUsage {
      var usage = input(facts)
      usage["output_tokens"] = facts.completionTokens
      message["usage"] = .object(usage)
    }
    return .object(message)
  }

  static func error(_ script: Script) -> Value {
    let types: [Int: Value] = [
      400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
      403: "permission_error", 404: "not_found_error", 413: "request_too_large",
      429: "rate_limit_error", 529: "overloaded_error",
    ]
    let type = script.errorCode.string == nil ? types[script.status] : script.errorCode
    return [
      "type": "error", "request_id": "req_scripted",
      "error": ["type": type ?? "api_error", "message": .string(script.errorMessage)],
    ]
  }

  static func models(_ names: [String]) -> Value {
    [
      "data": .array(
        names.map {
          ["type": "model", "id": .string($0), "display_name": .string($0)]
        }), "has_more": false,
    ]
  }

  // MARK: Parts

  private static func signature(_ facts: AnswerFacts) -> String { "signed \(facts.identifier)" }

  private static func message(_ facts: AnswerFacts) -> ValueObject {
    [
      "id": .string(facts.identifier), "type": "message", "role": "assistant",
      "model": .string(facts.model),
    ]
  }

  private static func opening(_ facts: AnswerFacts) -> Value {
    var message = message(facts)
    message["content"] = []
    message["stop_reason"] = .null
    if facts.reportsUsage {
      var usage = input(facts)
      // The count so far, which is not that of the answer.
      usage["output_tokens"] = 1
      message["usage"] = .object(usage)
    }
    return ["type": "message_start", "message": .object(message)]
  }

  private static func ending(_ script: Script, _ facts: AnswerFacts) -> Value {
    var ending: ValueObject = [
      "type": "message_delta",
      "delta": [
        "stop_reason": .string(WireFormat.anthropic.finishReason(script)), "stop_sequence": .null,
      ],
    ]
    if facts.reportsUsage {
      var usage: ValueObject = ["output_tokens": facts.completionTokens]
      if facts.isTrue, facts.reasoningTokens > 0 {
        usage["output_tokens_details"] = ["thinking_tokens": .int(Int64(facts.reasoningTokens))]
      }
      ending["usage"] = .object(usage)
    }
    return .object(ending)
  }

  /// Cached input is counted separately.
  private static func input(_ facts: AnswerFacts) -> ValueObject {
    guard facts.isTrue, let prompt = facts.promptTokens.int else {
      return ["input_tokens": facts.promptTokens]
    }
    return [
      "input_tokens": .int(prompt - facts.cachedTokens - facts.cacheWrites),
      "cache_read_input_tokens": .int(facts.cachedTokens),
      "cache_creation_input_tokens": .int(facts.cacheWrites),
    ]
  }
}
