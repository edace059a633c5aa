import RasaCore
import RasaKit

/// Writes answers of Ollama's `/api/chat` and `/api/generate`: a line of JSON for each part.
struct OllamaWriter: AnswerWriter {
  static let contentType = "application/x-ndjson"
  /// Whether texts stand in `response`, as `/api/generate` has them, and not in a message.
  let isGenerated: Bool
  let wantsReasoning: Bool
  private var head = AnswerHead(id: "", model: "", time: Timestamp(milliseconds: 0))

  init(isGenerated: Bool = false, wantsReasoning: Bool = true) {
    self.isGenerated = isGenerated
    self.wantsReasoning = wantsReasoning
  }

  mutating func begin(_ head: AnswerHead) -> String {
    self.head = head
    return ""
  }

  mutating func write(_ event: AnswerEvent) -> String {
    var answer = WholeAnswer()
    answer.take(event)
    if case .reasoning = event, !wantsReasoning { return "" }
    return line(.object(part(answer, isDone: false)))
  }

  mutating func end(_ end: AnswerEnd) -> String {
    var answer = WholeAnswer()
    answer.end = end
    return line(document(head, answer))
  }

  func fail(_ problem: ServerProblem) -> String { line(ErrorForm.ollama.document(problem)) }

  /// Clients read each line as JSON, so that it is a part without a text.
  func heartbeat() -> String { line(.object(part(WholeAnswer(), isDone: false))) }

  func document(_ head: AnswerHead, _ answer: WholeAnswer) -> Value {
    var writer = self
    writer.head = head
    if let model = answer.end.model { writer.head.model = model }
    var document = writer.part(answer, isDone: true)
    document["done_reason"] = .string(
      answer.end.finish == "load" ? "load" : answer.end.isCut ? "length" : "stop")
    document["prompt_eval_count"] = .int(Int64(answer.end.inputTokens))
    document["eval_count"] = .int(Int64(answer.end.outputTokens))
    if !answer.end.facts.isEmpty { document["rasa"] = .object(answer.end.facts) }
    return .object(document)
  }

  private func part(_ answer: WholeAnswer, isDone: Bool) -> ValueObject {
    var part: ValueObject = [
      "model": .string(head.model), "created_at": .string(head.time.utcText),
    ]
    let thinking: Value? =
      wantsReasoning && !answer.reasoning.isEmpty ? .string(answer.reasoning) : nil
    if isGenerated {
      part["response"] = .string(answer.text)
      part["thinking"] = thinking
    } else {
      var message: ValueObject = ["role": "assistant", "content": .string(answer.text)]
      message["thinking"] = thinking
      if !answer.toolCalls.isEmpty {
        message["tool_calls"] = .array(
          answer.toolCalls.map {
            [
              "id": .string($0.id),
              "function": ["name": .string($0.name), "arguments": $0.argumentsValue],
            ]
          })
      }
      part["message"] = .object(message)
    }
    part["done"] = .bool(isDone)
    return part
  }

  private func line(_ value: Value) -> String { value.json(.compact) + "\n" }
}

extension Timestamp {
  /// As `2026-01-31T12:30:59.001Z`.
  var utcText: String {
    let milliseconds = max(0, milliseconds)
    let seconds = milliseconds / 1_000
    func two(_ number: Int64) -> String { (number < 10 ? "0" : "") + "\(number)" }
    let rest = "\(1_000 + milliseconds % 1_000)".dropFirst()
    return "\(LocalDay(seconds: seconds))T\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60))"
      + ":\(two(seconds % 60)).\(rest)Z"
  }
}
