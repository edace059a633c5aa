import RasaCore
import RasaDocuments
import RasaEngine

typealias OpenAIChatDecoder = StreamDecoder<ServerSentEvents, OpenAIEvents>

extension OpenAIChatDecoder {
  init(contentType: String? = nil, callPrefix: String = "0") {
    self.init(OpenAIEvents(callPrefix: callPrefix), isWhole: isJSON(contentType))
  }
}

/// Whether a body is one JSON document and no stream.
func isJSON(_ contentType: String?) -> Bool {
  contentType?.lowercased().hasPrefix("application/json") ?? false
}

/// Reads the chunks of a streamed chat completion, and a whole one from servers that do not stream.
struct OpenAIEvents: DialectEvents {
  static let tokenKeys = TokenKeys(
    text: "content", reasoning: ["reasoning_content", "reasoning"],
    varying: ["created", "obfuscation"])
  private static let doneMarker = Array("[DONE]".utf8)

  var progress = ChatProgress()
  private var drafts: ToolCallDrafts
  /// Some servers want it back with the tool calls.
  private var thought = ""

  init(callPrefix: String) { drafts = ToolCallDrafts(prefix: callPrefix) }

  mutating func add(reasoning: String, numbers: [Int64]) {
    progress.add(reasoning: reasoning)
    thought += reasoning
  }

  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> Brought {
    if event.count == Self.doneMarker.count, bytes[event].elementsEqual(Self.doneMarker) {
      progress.isDone = true
      settle()
      return .other
    }
    var reader = try JSONReader(bytes[event], named: "the stream")
    guard try reader.enterObject() else { return .other }
    var delta = Delta()
    while let key = try reader.nextKey() {
      switch key {
      case "choices": try readChoices(&reader, into: &delta)
      case "usage": delta.isPlain = try !readUsage(&reader) && delta.isPlain
      case "x_groq":
        let usage = try reader.value()["usage"]
        if usage.object != nil {
          note(usage)
          delta.isPlain = false
        }
      case "error":
        let error = try reader.value()
        guard !error.isNull else { continue }
        progress.problem = ProviderProblem(inStream: error)
        delta.isPlain = false
      default: break
      }
    }
    return delta.brought
  }

  mutating func readWhole(_ bytes: [UInt8]) throws(Failure) {
    _ = try read(bytes, 0..<bytes.count)
    progress.isDone = progress.finish != nil
  }

  mutating func end() { settle() }

  private mutating func settle() {
    guard !drafts.isEmpty else { return progress.settleFinish() }
    progress.reasoningParts = thought.isEmpty ? [] : [ReasoningPart(text: thought)]
    drafts.settle(&progress)
  }
}

/// What one chunk says, all of it.
private struct Delta {
  var text = ""
  var reasoning = ""
  /// Nothing but text or reasoning.
  var isPlain = true

  var brought: Brought {
    switch (isPlain, text.isEmpty, reasoning.isEmpty) {
    case (true, false, true): .text(text)
    case (true, true, false): .reasoning(reasoning)
    default: .other
    }
  }
}

extension OpenAIEvents {
  private mutating func readChoices(
    _ reader: inout JSONReader, into delta: inout Delta
  ) throws(Failure) {
    guard try reader.enterArray() else { return }
    while try reader.nextElement() {
      guard try reader.enterObject() else { continue }
      var index: Int64 = 0
      while let key = try reader.nextKey() {
        switch key {
        case "index": index = try reader.integer() ?? 0
        case "delta", "message":
          // One answer is asked for; a server that sends more of them must not mix their words.
          guard index == 0 else {
            delta.isPlain = false
            continue
          }
          try readDelta(&reader, into: &delta)
        case "finish_reason":
          guard index == 0, let reason = try reader.string() else { continue }
          delta.isPlain = false
          finish(reason)
        default: break
        }
      }
    }
  }

  private mutating func finish(_ reason: String) {
    switch reason {
    case "length", "max_tokens": progress.finish = .length
    case "content_filter": progress.finish = .filtered
    case "error": progress.problem = .truncated
    default: progress.finish = progress.finish ?? .stop
    }
    // The end mark may never come.
    if progress.problem == nil { settle() }
  }

  private mutating func readDelta(
    _ reader: inout JSONReader, into delta: inout Delta
  ) throws(Failure) {
    guard try reader.enterObject() else { return }
    var reasoning: String? = nil
    var details: String? = nil
    while let key = try reader.nextKey() {
      switch key {
      case "content":
        if try reader.kind() == .array {
          let parts = try reader.value().array ?? []
          progress.add(text: parts.compactMap { $0["text"].string }.joined())
          delta.isPlain = false
        } else if let text = try reader.string() {
          progress.add(text: text)
          delta.text += text
        }
      case "refusal":
        if let text = try reader.string(), !text.isEmpty {
          progress.add(text: text)
          progress.finish = .filtered
          delta.isPlain = false
        }
      case "reasoning_content", "reasoning":
        if let text = try reader.string() { reasoning = text }
      case "reasoning_details":
        let parts = try reader.value().array ?? []
        details = parts.compactMap { $0["text"].string ?? $0["summary"].string }.joined()
      case "tool_calls":
        let pieces = try reader.value().array ?? []
        for piece in pieces { try add(piece) }
        if !pieces.isEmpty { delta.isPlain = false }
      default: break
      }
    }
    // Servers that send the details send the same words as `reasoning` too.
    if let text = reasoning ?? details {
      add(reasoning: text, numbers: [])
      delta.reasoning += text
    }
  }

  private mutating func add(_ piece: Value) throws(Failure) {
    let function = piece["function"]
    let arguments = function["arguments"]
    let text = arguments.string ?? (arguments.isNull ? "" : arguments.json())
    // What is said to a tool is paid for like any other text.
    if !text.isEmpty { progress.contentEvents += 1 }
    try drafts.add(
      index: piece["index"].wholeNumber, id: piece["id"].string, name: function["name"].string,
      arguments: text)
  }

  /// Whether there was any.
  private mutating func readUsage(_ reader: inout JSONReader) throws(Failure) -> Bool {
    let usage = try reader.value()
    guard usage.object != nil else { return false }
    note(usage)
    return true
  }

  private mutating func note(_ usage: Value) {
    let input = usage["prompt_tokens_details"]
    progress.note(
      ReportedUsage(
        input: usage["prompt_tokens"].wholeNumber, output: usage["completion_tokens"].wholeNumber,
        cachedInput: input["cached_tokens"].wholeNumber
          ?? usage["prompt_cache_hit_tokens"].wholeNumber,
        cacheWrites: input["cache_write_tokens"].wholeNumber
          ?? input["cache_creation_tokens"].wholeNumber,
        reasoning: usage["completion_tokens_details"]["reasoning_tokens"].wholeNumber))
  }
}
