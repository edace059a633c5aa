import RasaCore
import RasaDocuments
import RasaEngine

typealias OllamaChatDecoder = StreamDecoder<JSONLines, OllamaEvents>

extension OllamaChatDecoder {
  init(callPrefix: String = "0") { self.init(OllamaEvents(callPrefix: callPrefix), isLines: true) }
}

/// Reads Ollama's lines: one object each, the last with `done: true`.
struct OllamaEvents: DialectEvents {
  static let tokenKeys = TokenKeys(
    text: "content", reasoning: ["thinking"], varying: ["created_at"])

  var progress = ChatProgress()
  private var drafts: ToolCallDrafts

  init(callPrefix: String) { drafts = ToolCallDrafts(prefix: callPrefix) }

  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> DecodedEvent {
    let line = try JSON.parse(bytes[event], named: "the stream")
    guard line.object != nil else { return .other }
    let error = line["error"]
    let message = line["message"]
    // What was asked to be gone on with, and not in a chat, has no message.
    let isChat = message.object != nil
    let text = message["content"].string ?? line["response"].string ?? ""
    let reasoning = message["thinking"].string ?? line["thinking"].string ?? ""
    let isLast = line["done"] == true
    progress.add(reasoning: reasoning)
    progress.add(text: text, isLast: isLast)
    let calls = message["tool_calls"].array ?? []
    for call in calls {
      let function = call["function"]
      progress.contentEvents += 1
      try drafts.add(
        id: call["id"].string, name: function["name"].string ?? "",
        arguments: function["arguments"])
    }
    if !error.isNull {
      progress.problem = ProviderProblem(inStream: error)
      return .other
    }
    guard isLast else {
      guard isChat, calls.isEmpty, text.isEmpty != reasoning.isEmpty else { return .other }
      return text.isEmpty ? .reasoning(reasoning) : .text(text)
    }
    progress.isDone = true
    // What was not counted is unknown and not zero.
    progress.note(
      ReportedUsage(
        input: line["prompt_eval_count"].wholeNumber, output: line["eval_count"].wholeNumber))
    switch line["done_reason"].string {
    case "length": progress.finish = .length
    // The model was put into memory or out of it, and asked nothing.
    case "load", "unload": progress.finish = .empty
    default: progress.finish = .stop
    }
    drafts.settle(&progress)
    return .other
  }

  mutating func end() {}
}
