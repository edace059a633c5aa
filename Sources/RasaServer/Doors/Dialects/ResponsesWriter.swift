import RasaCore
import RasaKit

/// Writes answers of OpenAI's Responses: typed items, and `response.*` events with a sequence number each.
struct ResponsesWriter: AnswerWriter {
  static let contentType = "text/event-stream"
  /// What the response repeats of its request.
  let repeated: ValueObject
  let isStored: Bool
  private var head = AnswerHead(id: "", model: "", time: Timestamp(milliseconds: 0))
  private var sequence: Int64 = 0
  /// Items that are complete.
  private var items: [Value] = []
  private var open: Item?

  /// The item that is being written.
  private struct Item {
    enum Kind: Sendable { case message, reasoning }
    var kind: Kind
    var text = ""
  }

  init(repeated: ValueObject = ValueObject(), isStored: Bool = false) {
    self.repeated = repeated
    self.isStored = isStored
  }

  mutating func begin(_ head: AnswerHead) -> String {
    self.head = head
    let response = response("in_progress", items: [])
    return event("response.created", ["response": response])
      + event("response.in_progress", ["response": response])
  }

  mutating func write(_ event: AnswerEvent) -> String {
    switch event {
    case .text(let text): return write(text, .message)
    case .reasoning(let text): return write(text, .reasoning)
    case .toolCall(let call): return closeItem() + write(call)
    }
  }

  mutating func end(_ end: AnswerEnd) -> String {
    let closing = closeItem(isCut: end.isCut)
    if let model = end.model { head.model = model }
    let name = Self.status(end)
    return closing
      + event("response.\(name)", ["response": response(name, items: items, end: end)])
  }

  mutating func fail(_ problem: ServerProblem) -> String {
    let error = ErrorForm.openAI.document(problem)["error"]
    var response = response("failed", items: items).object ?? ValueObject()
    response["error"] = ["code": error["code"], "message": error["message"]]
    return event(
      "error",
      ["code": error["code"], "message": error["message"], "param": error["param"]])
      + event("response.failed", ["response": .object(response)])
  }

  func heartbeat() -> String { ": waiting\n\n" }

  func document(_ head: AnswerHead, _ answer: WholeAnswer) -> Value {
    var writer = self
    writer.head = head
    if let model = answer.end.model { writer.head.model = model }
    if !answer.reasoning.isEmpty {
      writer.items.append(writer.reasoningItem(answer.reasoning))
    }
    if !answer.text.isEmpty || answer.toolCalls.isEmpty {
      writer.items.append(
        writer.messageItem(answer.text, answer.end.isCut ? "incomplete" : "completed"))
    }
    for call in answer.toolCalls { writer.items.append(writer.callItem(call, "completed")) }
    return writer.response(Self.status(answer.end), items: writer.items, end: answer.end)
  }
}

// MARK: Items

extension ResponsesWriter {
  private var nextID: String { "\(head.id)_\(items.count)" }

  private mutating func write(_ text: String, _ kind: Item.Kind) -> String {
    var result = ""
    if open?.kind != kind {
      result += closeItem()
      open = Item(kind: kind)
      let added =
        kind == .message ? messageItem(nil, "in_progress") : reasoningItem(nil)
      result += event("response.output_item.added", place(["item": added]))
      switch kind {
      case .message:
        result += event(
          "response.content_part.added", place(["part": Self.outputText("")], in: .message))
      case .reasoning:
        result += event(
          "response.reasoning_summary_part.added",
          place(["part": Self.summary("")], in: .reasoning))
      }
    }
    open?.text += text
    let name =
      kind == .message ? "response.output_text.delta" : "response.reasoning_summary_text.delta"
    var body = place(["delta": .string(text)], in: kind)
    if kind == .message { body["logprobs"] = [] }
    return result + event(name, body)
  }

  private mutating func closeItem(isCut: Bool = false) -> String {
    guard let item = open else { return "" }
    open = nil
    let text = Value.string(item.text)
    let result: String
    let done: Value
    switch item.kind {
    case .message:
      var body = place(["text": text], in: .message)
      body["logprobs"] = []
      result =
        event("response.output_text.done", body)
        + event(
          "response.content_part.done",
          place(["part": Self.outputText(item.text)], in: .message))
      done = messageItem(item.text, isCut ? "incomplete" : "completed")
    case .reasoning:
      result =
        event("response.reasoning_summary_text.done", place(["text": text], in: .reasoning))
        + event(
          "response.reasoning_summary_part.done",
          place(["part": Self.summary(item.text)], in: .reasoning))
      done = reasoningItem(item.text)
    }
    let end = event("response.output_item.done", place(["item": done]))
    items.append(done)
    return result + end
  }

  private mutating func write(_ call: Rasa.Completion.ToolCall) -> String {
    var begun = call
    begun.arguments = ""
    let id = Value.string("fc_\(nextID)")
    let done = callItem(call, "completed")
    let result =
      event("response.output_item.added", place(["item": callItem(begun, "in_progress")]))
      + event(
        "response.function_call_arguments.delta",
        place(["item_id": id, "delta": .string(call.arguments)]))
      + event(
        "response.function_call_arguments.done",
        place(["item_id": id, "name": .string(call.name), "arguments": .string(call.arguments)]))
      + event("response.output_item.done", place(["item": done]))
    items.append(done)
    return result
  }

  private func place(_ body: ValueObject, in kind: Item.Kind? = nil) -> ValueObject {
    var place: ValueObject = ["output_index": .int(Int64(items.count))]
    switch kind {
    case nil: break
    case .message:
      place["item_id"] = .string("msg_\(nextID)")
      place["content_index"] = 0
    case .reasoning:
      place["item_id"] = .string("rs_\(nextID)")
      place["summary_index"] = 0
    }
    for (name, value) in body { place[name] = value }
    return place
  }

  /// - Parameter text: Nil for one that begins.
  private func messageItem(_ text: String?, _ status: String) -> Value {
    [
      "id": .string("msg_\(nextID)"), "type": "message", "status": .string(status),
      "role": "assistant", "content": .array(text.map { [Self.outputText($0)] } ?? []),
    ]
  }

  private func reasoningItem(_ text: String?) -> Value {
    [
      "id": .string("rs_\(nextID)"), "type": "reasoning",
      "summary": .array(text.map { [Self.summary($0)] } ?? []),
    ]
  }

  private func callItem(_ call: Rasa.Completion.ToolCall, _ status: String) -> Value {
    [
      "id": .string("fc_\(nextID)"), "type": "function_call", "status": .string(status),
      "call_id": .string(call.id), "name": .string(call.name),
      "arguments": .string(call.arguments),
    ]
  }

  private static func outputText(_ text: String) -> Value {
    ["type": "output_text", "text": .string(text), "annotations": [], "logprobs": []]
  }

  private static func summary(_ text: String) -> Value {
    ["type": "summary_text", "text": .string(text)]
  }
}

// MARK: The response

extension ResponsesWriter {
  private static func status(_ end: AnswerEnd) -> String {
    end.isCut || end.isFiltered ? "incomplete" : "completed"
  }

  private func response(_ status: String, items: [Value], end: AnswerEnd? = nil) -> Value {
    var response: ValueObject = [
      "id": .string("resp_\(head.id)"), "object": "response",
      "created_at": .int(head.time.milliseconds / 1_000), "status": .string(status),
      "background": false, "error": .null, "incomplete_details": .null, "instructions": .null,
      "max_output_tokens": .null, "metadata": [:], "model": .string(head.model),
      "output": .array(items), "parallel_tool_calls": true, "previous_response_id": .null,
      "reasoning": .null, "store": .bool(isStored), "temperature": .null,
      "text": ["format": ["type": "text"]], "tool_choice": "auto", "tools": [], "top_p": .null,
      "truncation": "disabled", "usage": .null,
    ]
    for (name, value) in repeated { response[name] = value }
    guard let end else { return .object(response) }
    if end.isCut {
      response["incomplete_details"] = ["reason": "max_output_tokens"]
    } else if end.isFiltered {
      response["incomplete_details"] = ["reason": "content_filter"]
    }
    response["usage"] = [
      "input_tokens": .int(Int64(end.inputTokens)),
      "input_tokens_details": ["cached_tokens": .int(Int64(end.cachedTokens))],
      "output_tokens": .int(Int64(end.outputTokens)),
      "output_tokens_details": ["reasoning_tokens": .int(Int64(end.reasoningTokens))],
      "total_tokens": .int(Int64(end.inputTokens.addingClamped(end.outputTokens))),
    ]
    if !end.facts.isEmpty { response["rasa"] = .object(end.facts) }
    return .object(response)
  }

  private mutating func event(_ type: String, _ body: ValueObject) -> String {
    var event: ValueObject = ["type": .string(type), "sequence_number": .int(sequence)]
    sequence &+= 1
    for (name, value) in body { event[name] = value }
    return serverSentEvent(.object(event), named: type)
  }
}
