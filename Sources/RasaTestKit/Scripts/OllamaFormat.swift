import RasaCore

/// Chat as Ollama streams it: one object per line.
enum OllamaFormat {
  static func stream(_ script: Script, _ facts: AnswerFacts) -> StreamFormat {
    let lineEnding = script.lineEnding.rawValue
    let frame: @Sendable (Value) -> [UInt8] = { $0.jsonBytes() + Array(lineEnding.utf8) }
    func line(_ message: ValueObject) -> Value {
      var message = message
      message["role"] = "assistant"
      return head(facts) {
        $0["message"] = .object(message)
        $0["done"] = false
      }
    }
    let ending = frame(last("", script, facts))
    return StreamFormat(
      contentType: "application/x-ndjson",
      token: around(Marker.token, frame(line(["content": .string(Marker.token)]))),
      reasoning: around(
        Marker.token, frame(line(["content": "", "thinking": .string(Marker.token)]))),
      calls: script.toolCalls.map { frame(line(["content": "", "tool_calls": [call($0)]])) },
      finish: script.repeatsUsage ? ending + ending : ending,
      malformed: Array((#"{"model":"x","message":{"role":"assi"# + lineEnding).utf8),
      frame: frame)
  }

  static func whole(_ text: String, _ script: Script, _ facts: AnswerFacts) -> Value {
    last(text, script, facts)
  }

  static func error(_ script: Script) -> Value { ["error": .string(script.errorMessage)] }

  static func models(_ names: [String]) -> Value {
    [
      "models": .array(
        names.map { ["name": .string($0), "model": .string($0), "size": 1_000_000] })
    ]
  }

  private static func call(_ call: ScriptedCall) -> Value {
    var object: ValueObject = [
      "function": ["name": .string(call.name), "arguments": call.value]
    ]
    if let id = call.id { object["id"] = .string(id) }
    return .object(object)
  }

  private static func head(_ facts: AnswerFacts, _ fill: (inout ValueObject) -> Void) -> Value {
    var object: ValueObject = [
      "model": .string(facts.model), "created_at": "2026-01-01T00:00:00.000000Z",
    ]
    fill(&object)
    return .object(object)
  }

  private static func last(_ text: String, _ script: Script, _ facts: AnswerFacts) -> Value {
    head(facts) {
      var message: ValueObject = ["role": "assistant", "content": .string(text)]
      if !text.isEmpty, !script.reasoning.isEmpty {
        message["thinking"] = .string(script.reasoning.joined())
      }
      if !text.isEmpty, !script.toolCalls.isEmpty {
        message["tool_calls"] = .array(script.toolCalls.map(call))
      }
      $0["message"] = .object(message)
      $0["done"] = true
      $0["done_reason"] = .string(WireFormat.ollama.finishReason(script))
      $0["total_duration"] = 5_000_000
      if facts.reportsUsage {
        $0["prompt_eval_count"] = facts.promptTokens
        $0["eval_count"] = facts.completionTokens
      }
    }
  }
}
