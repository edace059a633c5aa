import RasaCore

/// Chat completions as OpenAI-compatible servers speak them.
enum OpenAIFormat {
  static func stream(_ script: Script, _ facts: AnswerFacts) -> StreamFormat {
    let lineEnding = script.lineEnding.rawValue
    let frame: @Sendable (Value) -> [UInt8] = { value in
      Array("data: ".utf8) + value.jsonBytes() + Array((lineEnding + lineEnding).utf8)
    }
    func chunk(_ delta: Value, finish: Value = .null) -> Value {
      head(facts, "chat.completion.chunk") {
        $0["choices"] = [["index": 0, "delta": delta, "finish_reason": finish]]
      }
    }
    var finish = chunk([:], finish: .string(WireFormat.openAI.finishReason(script)))
    let sendsUsage = facts.reportsUsage && (facts.asksForUsage || script.usageOnFinish)
    var usageChunk: [UInt8] = []
    if sendsUsage, script.usageOnFinish, case .object(var object) = finish {
      object["usage"] = usage(facts)
      finish = .object(object)
    } else if sendsUsage {
      usageChunk = frame(
        head(facts, "chat.completion.chunk") {
          $0["choices"] = []
          $0["usage"] = usage(facts)
        })
      if script.repeatsUsage { usageChunk += usageChunk }
    }
    let finishBytes = frame(finish)
    return StreamFormat(
      contentType: "text/event-stream; charset=utf-8",
      token: around(Marker.token, frame(chunk(["content": .string(Marker.token)]))),
      reasoning: around(Marker.token, frame(chunk(["reasoning_content": .string(Marker.token)]))),
      opening: frame(chunk(["role": "assistant", "content": ""])),
      calls: script.toolCalls.enumerated().flatMap { index, call in
        pieces(of: call, index).map { frame(chunk(["tool_calls": [$0]])) }
      },
      comment: Array((": keep-alive" + lineEnding + lineEnding).utf8),
      finish: script.repeatsFinish ? finishBytes + finishBytes : finishBytes,
      usage: usageChunk,
      terminator: Array(("data: [DONE]" + lineEnding + lineEnding).utf8),
      malformed: Array((#"data: {"choices":[{"delta":{"cont"# + lineEnding + lineEnding).utf8),
      frame: frame)
  }

  static func whole(_ text: String, _ script: Script, _ facts: AnswerFacts) -> Value {
    head(facts, "chat.completion") {
      var message: ValueObject = ["role": "assistant", "content": .string(text)]
      if !script.reasoning.isEmpty {
        message["reasoning_content"] = .string(script.reasoning.joined())
      }
      if !script.toolCalls.isEmpty {
        message["tool_calls"] = .array(
          script.toolCalls.enumerated().map { index, call in
            piece(
              index, id: call.id,
              ["name": .string(call.name), "arguments": .string(call.arguments)])
          })
      }
      $0["choices"] = [
        [
          "index": 0, "message": .object(message),
          "finish_reason": .string(WireFormat.openAI.finishReason(script)),
        ]
      ]
      if facts.reportsUsage { $0["usage"] = usage(facts) }
    }
  }

  static func error(_ script: Script) -> Value {
    [
      "error": [
        "message": .string(script.errorMessage), "type": "scripted_error", "param": .null,
        "code": script.errorCode,
      ]
    ]
  }

  static func models(_ names: [String]) -> Value {
    [
      "object": "list",
      "data": .array(names.map { ["id": .string($0), "object": "model", "owned_by": "scripted"] }),
    ]
  }

  private static func head(
    _ facts: AnswerFacts, _ kind: String, _ fill: (inout ValueObject) -> Void
  ) -> Value {
    var object: ValueObject = [
      "id": .string(facts.identifier), "object": .string(kind), "created": 1_767_225_600,
      "model": .string(facts.model),
    ]
    fill(&object)
    return .object(object)
  }

  /// The call's name, followed by its arguments in pieces.
  private static func pieces(of call: ScriptedCall, _ index: Int) -> [Value] {
    [piece(index, id: call.id, ["name": .string(call.name), "arguments": ""])]
      + call.pieces.map { piece(index, id: nil, ["arguments": .string($0)]) }
  }

  private static func piece(_ index: Int, id: String?, _ function: Value) -> Value {
    var piece: ValueObject = ["index": .int(Int64(index))]
    if let id {
      piece["id"] = .string(id)
      piece["type"] = "function"
    }
    piece["function"] = function
    return .object(piece)
  }

  private static func usage(_ facts: AnswerFacts) -> Value {
    let total = (facts.promptTokens.int ?? 0).addingReportingOverflow(
      facts.completionTokens.int ?? 0)
    var usage: ValueObject = [
      "prompt_tokens": facts.promptTokens, "completion_tokens": facts.completionTokens,
      "total_tokens": .int(total.partialValue),
    ]
    guard facts.isTrue else { return .object(usage) }
    if facts.cachedTokens > 0 {
      usage["prompt_tokens_details"] = ["cached_tokens": .int(facts.cachedTokens)]
    }
    if facts.reasoningTokens > 0 {
      usage["completion_tokens_details"] = [
        "reasoning_tokens": .int(Int64(facts.reasoningTokens))
      ]
    }
    return .object(usage)
  }
}
