import RasaCore

/// Content as Gemini streams it: a response per token, with the counts so far.
enum GeminiFormat {
  static func stream(_ script: Script, _ facts: AnswerFacts) -> StreamFormat {
    // Gemini's own streams use these line ends.
    let lineEnding = script.lineEnding == .lf ? "\r\n" : script.lineEnding.rawValue
    let frame: @Sendable (Value) -> [UInt8] = { value in
      Array("data: ".utf8) + value.jsonBytes() + Array((lineEnding + lineEnding).utf8)
    }
    func event(_ part: Value, _ usage: ValueObject?) -> [UInt8] {
      frame(response(facts, ["content": ["parts": [part], "role": "model"], "index": 0], usage))
    }
    let counted = facts.reportsUsage && facts.isTrue
    var tokenUsage: ValueObject? = nil
    var thoughtUsage: ValueObject? = nil
    if counted {
      var usage = input(facts)
      thoughtUsage = usage
      thoughtUsage?["thoughtsTokenCount"] = .int(Marker.count)
      usage["candidatesTokenCount"] = .int(Marker.count)
      if facts.reasoningTokens > 0 {
        usage["thoughtsTokenCount"] = .int(Int64(facts.reasoningTokens))
      }
      tokenUsage = usage
    }
    var finish: ValueObject = ["finishReason": .string(WireFormat.gemini.finishReason(script))]
    finish["index"] = 0
    if finish["finishReason"] != "SAFETY" {
      finish["content"] = ["parts": [["text": ""]], "role": "model"]
    }
    let ending = frame(response(facts, .object(finish), usage(facts)))
    return StreamFormat(
      contentType: "text/event-stream",
      token: aroundWithCount(event(["text": .string(Marker.token)], tokenUsage)),
      reasoning: aroundWithCount(
        event(["text": .string(Marker.token), "thought": true], thoughtUsage)),
      calls: script.toolCalls.map { event(part($0), nil) },
      comment: Array((": keep-alive" + lineEnding + lineEnding).utf8),
      finish: script.repeatsUsage || script.repeatsFinish ? ending + ending : ending,
      malformed: Array((#"data: {"candidates":[{"content":{"par"# + lineEnding + lineEnding).utf8),
      frame: frame)
  }

  static func whole(_ text: String, _ script: Script, _ facts: AnswerFacts) -> Value {
    var parts: [Value] = script.reasoning.map { ["text": .string($0), "thought": true] }
    if facts.textTokens > 0 { parts.append(["text": .string(text)]) }
    parts += script.toolCalls.map(part)
    return response(
      facts,
      [
        "content": ["parts": .array(parts), "role": "model"], "index": 0,
        "finishReason": .string(WireFormat.gemini.finishReason(script)),
      ], usage(facts))
  }

  static func error(_ script: Script) -> Value {
    let names: [Int: Value] = [
      400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED",
      404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE",
      504: "DEADLINE_EXCEEDED",
    ]
    var error: ValueObject = [
      "code": .int(Int64(script.status)), "message": .string(script.errorMessage),
      "status": script.errorCode.string == nil
        ? names[script.status] ?? "UNKNOWN" : script.errorCode,
    ]
    if let delay = script.retryDelay {
      error["details"] = [
        [
          "@type": "type.googleapis.com/google.rpc.RetryInfo",
          "retryDelay": .string("\(Double(nanoseconds(delay)) / 1e9)s"),
        ]
      ]
    }
    return ["error": .object(error)]
  }

  static func models(_ names: [String]) -> Value {
    [
      "models": .array(
        names.map {
          [
            "name": .string("models/\($0)"), "displayName": .string($0),
            "supportedGenerationMethods": ["generateContent", "countTokens"],
          ]
        } + [["name": "models/scripted-embedding", "supportedGenerationMethods": ["embedContent"]]])
    ]
  }

  // MARK: Parts

  private static func part(_ call: ScriptedCall) -> Value {
    var function: ValueObject = ["name": .string(call.name), "args": call.value]
    if let id = call.id { function["id"] = .string(id) }
    var part: ValueObject = ["functionCall": .object(function)]
    if let signature = call.signature { part["thoughtSignature"] = .string(signature) }
    return .object(part)
  }

  private static func response(
    _ facts: AnswerFacts, _ candidate: Value, _ usage: ValueObject?
  ) -> Value {
    var response: ValueObject = ["candidates": [candidate]]
    if let usage { response["usageMetadata"] = .object(usage) }
    response["modelVersion"] = .string(facts.model)
    response["responseId"] = .string(facts.identifier)
    return .object(response)
  }

  private static func input(_ facts: AnswerFacts) -> ValueObject {
    var usage: ValueObject = ["promptTokenCount": facts.promptTokens]
    if facts.isTrue, facts.cachedTokens > 0 {
      usage["cachedContentTokenCount"] = .int(facts.cachedTokens)
    }
    return usage
  }

  /// Thoughts are counted separately.
  private static func usage(_ facts: AnswerFacts) -> ValueObject? {
    guard facts.reportsUsage else { return nil }
    var usage = input(facts)
    guard facts.isTrue, let completion = facts.completionTokens.int else {
      usage["candidatesTokenCount"] = facts.completionTokens
      return usage
    }
    let thoughts = Int64(facts.reasoningTokens)
    usage["candidatesTokenCount"] = .int(completion - thoughts)
    if thoughts > 0 { usage["thoughtsTokenCount"] = .int(thoughts) }
    return usage
  }
}
