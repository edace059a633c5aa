import RasaCore

/// Chat completions as OpenAI-compatible servers speak them.
enum OpenAIFormat {
  private static let marker = "@token@"

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
    var finish = chunk([:], finish: .string(script.finishReason))
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
    }
    let finishBytes = frame(finish)
    return StreamFormat(
      contentType: "text/event-stream; charset=utf-8",
      token: around(marker, frame(chunk(["content": .string(marker)]))),
      reasoning: around(marker, frame(chunk(["reasoning_content": .string(marker)]))),
      opening: frame(chunk(["role": "assistant", "content": ""])),
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
      $0["choices"] = [
        [
          "index": 0, "message": .object(message), "finish_reason": .string(script.finishReason),
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

  private static func usage(_ facts: AnswerFacts) -> Value {
    let total = (facts.promptTokens.int ?? 0).addingReportingOverflow(
      facts.completionTokens.int ?? 0)
    return [
      "prompt_tokens": facts.promptTokens, "completion_tokens": facts.completionTokens,
      "total_tokens": .int(total.partialValue),
    ]
  }
}
