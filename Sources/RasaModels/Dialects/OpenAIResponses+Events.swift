import RasaCore
import RasaDocuments
import RasaEngine

typealias OpenAIResponsesDecoder = StreamDecoder<ServerSentEvents, OpenAIResponsesEvents>

extension OpenAIResponsesDecoder {
  init(contentType: String?) { self.init(OpenAIResponsesEvents(), contentType: contentType) }
}

/// Reads of OpenAI's responses what their cost follows from: how much was written, how it ended and what was
/// counted. Source: developers.openai.com, API reference, "Streaming events".
struct OpenAIResponsesEvents: DialectEvents {
  static let tokenKeys = TokenKeys(text: "delta", reasoning: [])

  var progress = ChatProgress()

  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> DecodedEvent {
    let document = try JSON.parse(bytes[event], named: "the stream")
    let delta = document["delta"].string ?? ""
    switch document["type"].string {
    case "response.output_text.delta", "response.refusal.delta": progress.add(text: delta)
    case "response.reasoning_text.delta", "response.reasoning_summary_text.delta":
      progress.add(reasoning: delta)
    // What is said to a tool is paid for like any other text.
    case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta",
      "response.mcp_call_arguments.delta", "response.code_interpreter_call_code.delta":
      progress.contentEvents += 1
    case "response.completed", "response.incomplete", "response.failed":
      end(with: document["response"])
    case "error":
      let error = document["error"]
      progress.problem = ProviderProblem(inStream: error.isNull ? document : error)
    default: break
    }
    return .other
  }

  mutating func readWhole(_ bytes: [UInt8]) throws(Failure) {
    let document = try JSON.parse(bytes, named: "the answer")
    guard document["object"] == "response" || !document["output"].isNull else {
      if !document["error"].isNull {
        progress.problem = ProviderProblem(inStream: document["error"])
      }
      return
    }
    for item in document["output"].array ?? [] {
      for part in item["content"].array ?? [] { progress.add(text: part["text"].string ?? "") }
    }
    end(with: document)
  }

  mutating func end() {}

  private mutating func end(with response: Value) {
    let usage = response["usage"]
    if usage.object != nil {
      progress.note(
        ReportedUsage(
          input: usage["input_tokens"].wholeNumber, output: usage["output_tokens"].wholeNumber,
          cachedInput: usage["input_tokens_details"]["cached_tokens"].wholeNumber,
          reasoning: usage["output_tokens_details"]["reasoning_tokens"].wholeNumber))
    }
    switch response["status"].string {
    case "failed", "cancelled":
      progress.problem = ProviderProblem(inStream: response["error"])
      return
    case "incomplete":
      let isFiltered = response["incomplete_details"]["reason"] == "content_filter"
      progress.finish = isFiltered ? .filtered : .length
    // Nothing has been done yet, and what it will take cannot be known.
    case "queued", "in_progress": return
    default:
      let calls = (response["output"].array ?? []).contains { item in
        item["type"] == "function_call" || item["type"] == "custom_tool_call"
      }
      progress.finish = calls ? .toolCalls : .stop
    }
    progress.isDone = true
  }
}
