import RasaCore
import RasaDocuments
import RasaEngine

typealias GeminiDecoder = StreamDecoder<ServerSentEvents, GeminiEvents>

extension GeminiDecoder {
  init(contentType: String? = nil, callPrefix: String = "0") {
    self.init(GeminiEvents(callPrefix: callPrefix), contentType: contentType)
  }
}

/// Reads the responses of a streamed generation. Nothing marks the end but the end of the input.
struct GeminiEvents: DialectEvents {
  static let tokenKeys = TokenKeys(
    text: "text", reasoning: ["text"],
    numbers: [
      "promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount",
      "cachedContentTokenCount", "toolUsePromptTokenCount",
    ], varying: ["totalTokenCount", "tokenCount"])

  var progress = ChatProgress()
  private var drafts: ToolCallDrafts
  private var counts = Counts()

  init(callPrefix: String) { drafts = ToolCallDrafts(prefix: callPrefix) }

  mutating func add(text: String, numbers: [Int64]) {
    progress.add(text: text)
    counts.note(numbers)
  }

  mutating func add(reasoning: String, numbers: [Int64]) {
    progress.add(reasoning: reasoning)
    counts.note(numbers)
  }

  mutating func read(_ bytes: [UInt8], _ event: Range<Int>) throws(Failure) -> DecodedEvent {
    let document = try JSON.parse(bytes[event], named: "the stream")
    // Errors come in an array of one at times, and so does all that was not streamed.
    guard let responses = document.array else { return try read(document) }
    for response in responses { _ = try read(response) }
    return .other
  }

  mutating func endChunk() { counts.report(to: &progress) }

  mutating func end() {
    counts.report(to: &progress)
    guard progress.finish != nil else { return }
    progress.isDone = true
    drafts.settle(&progress)
  }

  private mutating func read(_ response: Value) throws(Failure) -> DecodedEvent {
    let error = response["error"]
    if !error.isNull {
      progress.problem = ProviderProblem(inStream: error)
      return .other
    }
    var brought = DecodedEvent.other
    for candidate in response["candidates"].array ?? [] {
      guard (candidate["index"].wholeNumber ?? 0) == 0 else { continue }
      let reason = candidate["finishReason"].string?.nonEmpty
      brought = try read(
        parts: candidate["content"]["parts"].array ?? [], isLast: reason != nil)
      if let reason, reason != "FINISH_REASON_UNSPECIFIED" {
        brought = .other
        finish(reason, saying: candidate["finishMessage"].string)
      }
    }
    let feedback = response["promptFeedback"]
    if let reason = feedback["blockReason"].string?.nonEmpty {
      filter(reason, saying: feedback["blockReasonMessage"].string)
      brought = .other
    }
    counts.note(response["usageMetadata"])
    return brought
  }

  private mutating func read(parts: [Value], isLast: Bool) throws(Failure) -> DecodedEvent {
    var brought = DecodedEvent.other
    for part in parts {
      if let text = part["text"].string, !text.isEmpty {
        let isThought = part["thought"] == true
        if isThought {
          progress.add(reasoning: text)
        } else {
          progress.add(text: text, isLast: isLast)
        }
        brought = isThought ? .reasoning(text) : .text(text)
      }
      let call = part["functionCall"]
      if let name = call["name"].string {
        progress.contentEvents += 1
        try drafts.add(
          id: call["id"].string, name: name, arguments: call["args"],
          signature: part["thoughtSignature"].string?.nonEmpty)
      }
    }
    return parts.count == 1 && parts[0]["functionCall"].isNull ? brought : .other
  }

  private mutating func finish(_ reason: String, saying message: String?) {
    switch reason {
    case "MAX_TOKENS": progress.finish = .length
    case "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
      "IMAGE_SAFETY", "MODEL_ARMOR":
      filter(reason, saying: message)
    case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
      "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE":
      let said = message.map { ": \(ErrorDocument.printable($0))" } ?? ""
      progress.problem = ProviderProblem(
        reason == "MISSING_THOUGHT_SIGNATURE" ? .rejected : .brokenStream,
        "the model's tool call cannot be used (\(reason))\(said)", code: reason)
    default: progress.finish = .stop
    }
  }
}

extension GeminiEvents {
  private mutating func filter(_ reason: String, saying message: String?) {
    progress.finish = .filtered
    progress.refusal = message?.nonEmpty.map { "\(reason): \($0)" } ?? reason
  }
}

/// The last counts of each kind, as the stream repeats them.
private struct Counts: Sendable, Hashable {
  /// In the order of the keys; -1 is unsaid.
  private var numbers: [Int64] = [-1, -1, -1, -1, -1]

  mutating func note(_ new: [Int64]) {
    for (index, number) in new.enumerated() where number >= 0 && index < numbers.count {
      numbers[index] = number
    }
  }

  mutating func note(_ usage: Value) {
    guard usage.object != nil else { return }
    note(GeminiEvents.tokenKeys.numbers.map { usage[$0].wholeNumber ?? -1 })
  }

  func report(to progress: inout ChatProgress) {
    func sum(_ left: Int64, _ right: Int64) -> Int64? {
      guard left >= 0 || right >= 0 else { return nil }
      let (sum, overflow) = max(0, left).addingReportingOverflow(max(0, right))
      return overflow ? .max : sum
    }
    guard numbers.contains(where: { $0 >= 0 }) else { return }
    progress.note(
      ReportedUsage(
        // The prompt's count includes cached content, and leaves out what tools put into it.
        input: numbers[0] >= 0 ? sum(numbers[0], numbers[4]) : nil,
        // Thoughts are paid for as output, and counted apart.
        output: sum(numbers[1], numbers[2]),
        cachedInput: numbers[3] >= 0 ? numbers[3] : nil,
        reasoning: numbers[2] >= 0 ? numbers[2] : nil))
  }
}
