import RasaCore
import RasaKit

/// Writes answers of Anthropic's Messages: blocks that begin and end, between `message_start` and `message_stop`.
struct MessagesWriter: AnswerWriter {
  static let contentType = "text/event-stream"
  let wantsReasoning: Bool
  private var head = AnswerHead(id: "", model: "", time: Timestamp(milliseconds: 0))
  private var index: Int64 = 0
  private var open: Kind?

  private enum Kind: Sendable { case text, thinking }

  init(wantsReasoning: Bool = false) { self.wantsReasoning = wantsReasoning }

  mutating func begin(_ head: AnswerHead) -> String {
    self.head = head
    // How many tokens the input has is known when the provider says so, in `message_delta`.
    let message = message([], reason: .null, usage: ["input_tokens": 0, "output_tokens": 0])
    return event("message_start", ["message": .object(message)]) + heartbeat()
  }

  mutating func write(_ event: AnswerEvent) -> String {
    switch event {
    case .text(let text):
      return openBlock(.text) + delta(["type": "text_delta", "text": .string(text)])
    case .reasoning(let text):
      guard wantsReasoning else { return "" }
      return openBlock(.thinking)
        + delta(["type": "thinking_delta", "thinking": .string(text)])
    case .toolCall(let call):
      var block = Self.block(call).object ?? ValueObject()
      block["input"] = .emptyObject
      let result =
        closeBlock() + start(.object(block))
        + delta(["type": "input_json_delta", "partial_json": .string(call.arguments)])
      return result + stop()
    }
  }

  mutating func end(_ end: AnswerEnd) -> String {
    var body: ValueObject = [
      "delta": ["stop_reason": .string(Self.reason(end)), "stop_sequence": .null],
      "usage": Self.usage(end),
    ]
    if !end.facts.isEmpty { body["rasa"] = .object(end.facts) }
    return closeBlock() + event("message_delta", body) + event("message_stop", [:])
  }

  func fail(_ problem: ServerProblem) -> String {
    serverSentEvent(ErrorForm.anthropic.document(problem), named: "error")
  }

  func heartbeat() -> String { event("ping", [:]) }

  func document(_ head: AnswerHead, _ answer: WholeAnswer) -> Value {
    var writer = self
    writer.head = head
    if let model = answer.end.model { writer.head.model = model }
    var blocks: [Value] = []
    if wantsReasoning, !answer.reasoning.isEmpty {
      blocks.append(
        ["type": "thinking", "thinking": .string(answer.reasoning), "signature": ""])
    }
    if !answer.text.isEmpty { blocks.append(["type": "text", "text": .string(answer.text)]) }
    blocks += answer.toolCalls.map(Self.block)
    var message = writer.message(
      blocks, reason: .string(Self.reason(answer.end)), usage: Self.usage(answer.end))
    if !answer.end.facts.isEmpty { message["rasa"] = .object(answer.end.facts) }
    return .object(message)
  }

  // MARK: Blocks

  private mutating func openBlock(_ kind: Kind) -> String {
    guard open != kind else { return "" }
    let closing = closeBlock()
    open = kind
    return closing
      + start(
        kind == .text
          ? ["type": "text", "text": ""] : ["type": "thinking", "thinking": "", "signature": ""])
  }

  private mutating func closeBlock() -> String {
    guard open != nil else { return "" }
    open = nil
    return stop()
  }

  private func start(_ block: Value) -> String {
    event("content_block_start", ["index": .int(index), "content_block": block])
  }

  private func delta(_ delta: Value) -> String {
    event("content_block_delta", ["index": .int(index), "delta": delta])
  }

  private mutating func stop() -> String {
    defer { index &+= 1 }
    return event("content_block_stop", ["index": .int(index)])
  }

  private static func block(_ call: Rasa.Completion.ToolCall) -> Value {
    [
      "type": "tool_use", "id": .string(call.id), "name": .string(call.name),
      "input": call.argumentsValue,
    ]
  }

  // MARK: The message

  private func message(_ content: [Value], reason: Value, usage: Value) -> ValueObject {
    [
      "id": .string("msg_\(head.id)"), "type": "message", "role": "assistant",
      "model": .string(head.model), "content": .array(content), "stop_reason": reason,
      "stop_sequence": .null, "usage": usage,
    ]
  }

  private func event(_ type: String, _ body: ValueObject) -> String {
    var event: ValueObject = ["type": .string(type)]
    for (name, value) in body { event[name] = value }
    return serverSentEvent(.object(event), named: type)
  }

  private static func reason(_ end: AnswerEnd) -> String {
    if end.isCut { return "max_tokens" }
    if end.isFiltered { return "refusal" }
    return end.finish == "tool_calls" ? "tool_use" : "end_turn"
  }

  /// Cached tokens are counted beside the others.
  private static func usage(_ end: AnswerEnd) -> Value {
    [
      "input_tokens": .int(Int64(max(0, end.inputTokens &- end.cachedTokens))),
      "cache_creation_input_tokens": 0,
      "cache_read_input_tokens": .int(Int64(end.cachedTokens)),
      "output_tokens": .int(Int64(end.outputTokens)),
    ]
  }
}
