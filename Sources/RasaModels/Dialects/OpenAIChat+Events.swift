import RasaCore
import RasaDocuments
import RasaEngine

typealias OpenAIChatDecoder = StreamDecoder<ServerSentEvents, OpenAIEvents>

extension OpenAIChatDecoder {
  init(contentType: String? = nil, callPrefix: String = "0") {
    self.init(OpenAIEvents(callPrefix: callPrefix), contentType: contentType)
  }
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
  /// Text came in deltas.
  private var hasPieces = false

  init(callPrefix: String) { drafts = ToolCallDrafts(prefix: callPrefix) }

  mutating func add(reasoning: String, numbers: [Int64]) {
    thought += progress.add(reasoning: reasoning)
  }

  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> DecodedEvent {
    if event.count == Self.doneMarker.count, bytes[event].elementsEqual(Self.doneMarker) {
      progress.isDone = true
      settle()
      return .other
    }
    var reader = try JSONReader(bytes[event], named: "the stream")
    guard try reader.enterObject() else { return .other }
    var delta = Delta()
    var hasChoices = false
    while let key = try reader.nextKey() {
      switch key {
      case "choices":
        hasChoices = true
        try readChoices(&reader, into: &delta)
      case "usage": delta.isPlain = try !readUsage(&reader) && delta.isPlain
      case "x_groq":
        let usage = try reader.value()["usage"]
        if usage.object != nil {
          note(usage)
          delta.isPlain = false
        }
      case "error":
        let error = try reader.value()
        guard !error.isNull, error != false else { continue }
        progress.problem = ProviderProblem(inStream: error)
        delta.isPlain = false
      case "message", "detail", "errors":
        guard !hasChoices else { continue }
        let words = try reader.value()
        guard !words.isNull else { continue }
        delta.words[key] = words
      case "type", "code":
        let word = try reader.value()
        if !hasChoices, word.string != nil || word.int != nil { delta.words[key] = word }
      default: break
      }
    }
    // Some servers put an error into an event of that name, without a member that says so.
    if !hasChoices, progress.problem == nil, delta.saysWhatIsWrong {
      progress.problem = ProviderProblem(inStream: .object(delta.words))
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
  /// What stands where a chunk has its choices, when it has none.
  var words = ValueObject()

  var brought: DecodedEvent {
    switch (isPlain, text.isEmpty, reasoning.isEmpty) {
    case (true, false, true): .text(text)
    case (true, true, false): .reasoning(reasoning)
    default: .other
    }
  }

  var saysWhatIsWrong: Bool {
    words["detail"] != nil || words["errors"]?.array?.isEmpty == false
      || words["message"]?.string?.isEmpty == false
  }
}

/// Why a choice ended. Gateways pass on the words of the server behind them.
private enum OpenAIFinish {
  case reason(FinishReason)
  case stop
  case error

  /// Nil for what servers write into every chunk.
  init?(_ word: String) {
    switch word.lowercased() {
    case "", "null", "none": return nil
    case "length", "max_tokens", "max_output_tokens", "model_length", "pause_turn",
      "model_context_window_exceeded":
      self = .reason(.length)
    case "content_filter", "content-filter", "safety", "recitation", "blocklist",
      "prohibited_content", "spii":
      self = .reason(.filtered)
    case "refusal": self = .reason(.refused)
    case "error", "insufficient_system_resource": self = .error
    default: self = .stop
    }
  }
}

/// What the `delta` or the `message` of a choice says.
private struct Said {
  var text = ""
  var reasoning: String?
  var details: String?
  var refusal: String?
  var calls: [Value] = []
  /// Text that came as one string, as it does token after token.
  var isPlain = true

  init(_ reader: inout JSONReader) throws(Failure) {
    guard try reader.enterObject() else { return }
    while let key = try reader.nextKey() {
      switch key {
      case "content":
        if try reader.kind() == .array {
          let parts = try reader.value().array ?? []
          text = parts.compactMap { $0["text"].string }.joined()
          let thoughts = parts.compactMap { part in
            part["thinking"].string
              ?? part["thinking"].array?.compactMap { $0["text"].string }.joined()
          }
          if !thoughts.isEmpty { details = thoughts.joined() }
          isPlain = false
        } else if let content = try reader.string() {
          text = content
        }
      case "refusal":
        if let words = try reader.string(), !words.isEmpty { refusal = words }
      case "reasoning_content", "reasoning":
        if let words = try reader.string() { reasoning = words }
      case "reasoning_details":
        let parts = try reader.value().array ?? []
        details = parts.compactMap { $0["text"].string ?? $0["summary"].string }.joined()
      case "tool_calls": calls = try reader.value().array ?? []
      default: break
      }
    }
  }

  /// Servers that send the details send the same words as `reasoning` too.
  var thought: String { reasoning?.nonEmpty ?? details ?? "" }
}

extension OpenAIEvents {
  private mutating func readChoices(
    _ reader: inout JSONReader, into delta: inout Delta
  ) throws(Failure) {
    guard try reader.enterArray() else { return }
    while try reader.nextElement() {
      guard try reader.enterObject() else { continue }
      var index: Int64 = 0
      var piece: Said?
      var message: Said?
      var reason: String?
      while let key = try reader.nextKey() {
        switch key {
        case "index": index = try reader.integer() ?? 0
        case "delta": piece = try Said(&reader)
        case "message": message = try Said(&reader)
        case "finish_reason": reason = try reader.string()
        default: break
        }
      }
      // One answer is asked for; a server that sends more of them must not mix their words.
      guard index == 0 else {
        delta.isPlain = false
        continue
      }
      let end = reason.flatMap(OpenAIFinish.init)
      if end != nil || message != nil { delta.isPlain = false }
      if let piece { try take(piece, isLast: end != nil, into: &delta) }
      if let message { try take(whole: message, besides: piece) }
      if let end { finish(end) }
    }
  }

  private mutating func take(
    _ said: Said, isLast: Bool, into delta: inout Delta
  ) throws(Failure) {
    if !said.thought.isEmpty { add(reasoning: said.thought, numbers: []) }
    progress.add(text: said.text, isLast: isLast)
    if !said.text.isEmpty { hasPieces = true }
    delta.text += said.text
    delta.reasoning += said.thought
    if let refusal = said.refusal { progress.refuse(refusal) }
    for call in said.calls { try add(call) }
    if !said.isPlain || said.refusal != nil || !said.calls.isEmpty { delta.isPlain = false }
  }

  /// A message has all of the answer so far; beside deltas it says nothing new, or what they left out.
  private mutating func take(whole said: Said, besides piece: Said?) throws(Failure) {
    let mayBePiece = !hasPieces && piece == nil
    thought += progress.add(wholeReasoning: said.thought, orPiece: mayBePiece)
    progress.add(wholeText: said.text, orPiece: mayBePiece)
    if let refusal = said.refusal, progress.refusal.isEmpty { progress.refuse(refusal) }
    if drafts.isEmpty { for call in said.calls { try add(call) } }
  }

  private mutating func finish(_ end: OpenAIFinish) {
    switch end {
    case .reason(let reason): progress.end(with: reason)
    case .stop: progress.end(with: progress.finish ?? .stop)
    case .error: progress.problem = .truncated
    }
    // The end mark may never come.
    if progress.problem == nil { settle() }
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
