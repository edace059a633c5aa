import RasaCore
import RasaDocuments
import RasaEngine

typealias AnthropicDecoder = StreamDecoder<ServerSentEvents, AnthropicEvents>

extension AnthropicDecoder {
  init(contentType: String? = nil, callPrefix: String = "0") {
    self.init(AnthropicEvents(callPrefix: callPrefix), contentType: contentType)
  }
}

/// Reads the events of a streamed message: blocks that begin, grow and end, by index.
struct AnthropicEvents: DialectEvents {
  static let tokenKeys = TokenKeys(text: "text", reasoning: ["thinking"])

  var progress = ChatProgress()
  private var drafts: ToolCallDrafts
  /// The thinking that is under way, until its block ends.
  private var thought: ReasoningPart?
  private var counts = Counts()

  init(callPrefix: String) { drafts = ToolCallDrafts(prefix: callPrefix) }

  mutating func add(reasoning: String, numbers: [Int64]) {
    progress.add(reasoning: reasoning)
    thought?.text += reasoning
  }

  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> DecodedEvent {
    try read(try JSON.parse(bytes[event], named: "the stream"))
  }

  /// A message that was not streamed, or an error.
  mutating func readWhole(_ bytes: [UInt8]) throws(Failure) {
    let message = try JSON.parse(bytes, named: "the answer")
    guard message["type"] == "message" else {
      _ = try read(message)
      return
    }
    for (index, block) in (message["content"].array ?? []).enumerated() {
      try begin(block, index: Int64(index))
      endBlock()
    }
    note(message["usage"], isFinal: true)
    finish(message)
    progress.isDone = progress.finish != nil
    if progress.isDone { drafts.settle(&progress) }
  }

  mutating func end() {
    if !progress.isDone { progress.problem = .truncated }
  }

  private mutating func read(_ event: Value) throws(Failure) -> DecodedEvent {
    switch event["type"].string {
    case "content_block_delta":
      return try grow(event["delta"], index: event["index"].wholeNumber)
    case "content_block_start":
      try begin(event["content_block"], index: event["index"].wholeNumber)
    case "content_block_stop": endBlock()
    case "message_start": note(event["message"]["usage"], isFinal: false)
    case "message_delta":
      note(event["usage"], isFinal: true)
      finish(event["delta"])
    case "message_stop":
      endBlock()
      progress.isDone = true
      progress.finish = progress.finish ?? .stop
      drafts.settle(&progress)
    default:
      // Events that are not known are passed over; whatever carries an error is one.
      let named = event["error"]
      let error = named.isNull && event["type"] == "error" ? event : named
      guard !error.isNull else { break }
      var problem = ProviderProblem(inStream: error)
      problem.note(requestID: event["request_id"].string)
      progress.problem = problem
    }
    return .other
  }
}

// MARK: Blocks

extension AnthropicEvents {
  private mutating func begin(_ block: Value, index: Int64?) throws(Failure) {
    switch block["type"].string {
    case "text": progress.add(text: block["text"].string ?? "")
    case "thinking":
      endBlock()
      thought = ReasoningPart(text: "", signature: block["signature"].string?.nonEmpty)
      add(reasoning: block["thinking"].string ?? "", numbers: [])
    case "redacted_thinking":
      endBlock()
      thought = ReasoningPart(text: "", redacted: block["data"].string)
    case "tool_use":
      let input = block["input"].object ?? ValueObject()
      try drafts.add(
        index: index ?? 0, id: block["id"].string, name: block["name"].string,
        arguments: input.isEmpty ? "" : Value.object(input).json())
    default: break
    }
  }

  private mutating func grow(_ delta: Value, index: Int64?) throws(Failure) -> DecodedEvent {
    switch delta["type"].string {
    case "text_delta":
      guard let text = delta["text"].string, !text.isEmpty else { return .other }
      progress.add(text: text)
      return .text(text)
    case "thinking_delta":
      guard let text = delta["thinking"].string, !text.isEmpty else { return .other }
      add(reasoning: text, numbers: [])
      return .reasoning(text)
    case "signature_delta":
      let before = thought?.signature ?? ""
      thought?.signature = before + (delta["signature"].string ?? "")
    case "input_json_delta":
      guard let piece = delta["partial_json"].string, !piece.isEmpty else { return .other }
      // What is said to a tool is paid for like any other text.
      progress.contentEvents += 1
      // Tools of the server's own have blocks too, which nobody here is asked to call.
      if drafts.has(index: index ?? 0) {
        try drafts.add(index: index ?? 0, id: nil, name: nil, arguments: piece)
      }
    default: break
    }
    return .other
  }

  private mutating func endBlock() {
    if let thought { progress.reasoningParts.append(thought) }
    thought = nil
  }
}

// MARK: Ends and counts

extension AnthropicEvents {
  private struct Counts: Hashable {
    var input: Int64?
    var cacheWrites: Int64?
    var cacheReads: Int64?
  }

  private mutating func finish(_ end: Value) {
    switch end["stop_reason"].string {
    // A turn that is paused has an end that is missing, too.
    case "max_tokens", "model_context_window_exceeded", "pause_turn": progress.finish = .length
    case "refusal":
      progress.refuse(end["stop_details"]["explanation"].string)
    case nil: break
    default: progress.finish = .stop
    }
  }

  /// Counts are cumulative, and later ones overwrite. What the message begins with says how long
  /// the input is, but of the output only what there was by then, which is no count of the answer.
  private mutating func note(_ usage: Value, isFinal: Bool) {
    guard usage.object != nil else { return }
    counts.input = usage["input_tokens"].wholeNumber ?? counts.input
    counts.cacheWrites = usage["cache_creation_input_tokens"].wholeNumber ?? counts.cacheWrites
    counts.cacheReads = usage["cache_read_input_tokens"].wholeNumber ?? counts.cacheReads
    let input = counts.input.map { input in
      // Input that was kept or had been kept is counted apart. Sums of absurd counts saturate.
      [counts.cacheWrites ?? 0, counts.cacheReads ?? 0].reduce(input) { sum, more in
        let (sum, overflow) = sum.addingReportingOverflow(more)
        return overflow ? .max : sum
      }
    }
    progress.note(
      ReportedUsage(
        input: input, output: isFinal ? usage["output_tokens"].wholeNumber : nil,
        cachedInput: counts.cacheReads, cacheWrites: counts.cacheWrites,
        reasoning: isFinal ? usage["output_tokens_details"]["thinking_tokens"].wholeNumber : nil))
  }
}
