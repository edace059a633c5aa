import RasaCore
import RasaKit

/// Writes answers of OpenAI's Chat Completions.
struct ChatWriter: AnswerWriter {
  static let contentType = "text/event-stream"
  let includesUsage: Bool
  private var head = AnswerHead(id: "", model: "", time: Timestamp(milliseconds: 0))
  private var calls = 0

  init(includesUsage: Bool = false) { self.includesUsage = includesUsage }

  mutating func begin(_ head: AnswerHead) -> String {
    self.head = head
    return chunk(["role": "assistant", "content": ""])
  }

  mutating func write(_ event: AnswerEvent) -> String {
    switch event {
    case .text(let text): return chunk(["content": .string(text)])
    case .reasoning(let text): return chunk(["reasoning_content": .string(text)])
    case .toolCall(let call):
      var value = Self.value(call)
      value["index"] = .int(Int64(calls))
      calls += 1
      return chunk(["tool_calls": [.object(value)]])
    }
  }

  mutating func end(_ end: AnswerEnd) -> String {
    if let model = end.model { head.model = model }
    var text = chunk([:], finish: Self.reason(end), facts: end.facts)
    if includesUsage {
      var last = envelope("chat.completion.chunk")
      last["choices"] = []
      last["usage"] = Self.usage(end)
      text += serverSentEvent(.object(last))
    }
    return text + "data: [DONE]\n\n"
  }

  func fail(_ problem: ServerProblem) -> String {
    serverSentEvent(ErrorForm.openAI.document(problem))
  }

  func heartbeat() -> String { ": waiting\n\n" }

  func document(_ head: AnswerHead, _ answer: WholeAnswer) -> Value {
    var writer = self
    writer.head = head
    if let model = answer.end.model { writer.head.model = model }
    var message: ValueObject = [
      "role": "assistant",
      "content": answer.text.isEmpty && !answer.toolCalls.isEmpty ? .null : .string(answer.text),
      "refusal": .null,
    ]
    if !answer.reasoning.isEmpty { message["reasoning_content"] = .string(answer.reasoning) }
    if !answer.toolCalls.isEmpty {
      message["tool_calls"] = .array(answer.toolCalls.map { .object(Self.value($0)) })
    }
    var document = writer.envelope("chat.completion")
    document["choices"] = [
      [
        "index": 0, "message": .object(message), "logprobs": .null,
        "finish_reason": .string(Self.reason(answer.end)),
      ]
    ]
    document["usage"] = Self.usage(answer.end)
    if !answer.end.facts.isEmpty { document["rasa"] = .object(answer.end.facts) }
    return .object(document)
  }

  private func chunk(
    _ delta: ValueObject, finish: String? = nil, facts: ValueObject = [:]
  ) -> String {
    var chunk = envelope("chat.completion.chunk")
    chunk["choices"] = [
      [
        "index": 0, "delta": .object(delta), "logprobs": .null,
        "finish_reason": finish.map { .string($0) } ?? .null,
      ]
    ]
    if includesUsage { chunk["usage"] = .null }
    if !facts.isEmpty { chunk["rasa"] = .object(facts) }
    return serverSentEvent(.object(chunk))
  }

  private func envelope(_ kind: String) -> ValueObject {
    [
      "id": .string("chatcmpl-\(head.id)"), "object": .string(kind),
      "created": .int(head.time.milliseconds / 1_000), "model": .string(head.model),
    ]
  }

  private static func value(_ call: Rasa.Completion.ToolCall) -> ValueObject {
    [
      "id": .string(call.id), "type": "function",
      "function": ["name": .string(call.name), "arguments": .string(call.arguments)],
    ]
  }

  private static func reason(_ end: AnswerEnd) -> String {
    if end.isCut { return "length" }
    if end.isFiltered { return "content_filter" }
    return end.finish == "tool_calls" ? "tool_calls" : "stop"
  }

  private static func usage(_ end: AnswerEnd) -> Value {
    [
      "prompt_tokens": .int(Int64(end.inputTokens)),
      "completion_tokens": .int(Int64(end.outputTokens)),
      "total_tokens": .int(Int64(end.inputTokens.addingClamped(end.outputTokens))),
      "prompt_tokens_details": ["cached_tokens": .int(Int64(end.cachedTokens))],
      "completion_tokens_details": ["reasoning_tokens": .int(Int64(end.reasoningTokens))],
    ]
  }
}

extension Int {
  /// The sum, or the largest number where there is none.
  func addingClamped(_ other: Int) -> Int {
    let (sum, isBeyond) = addingReportingOverflow(other)
    return isBeyond ? .max : sum
  }
}
