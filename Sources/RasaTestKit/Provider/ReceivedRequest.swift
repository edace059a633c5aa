package import RasaCore
import RasaDocuments

/// One line of the invoice: a request, and what became of its answer.
package struct ReceivedRequest: Sendable {
  package enum Outcome: Sendable, Hashable {
    case answering
    /// The complete answer was written to the socket.
    case completed
    /// The answer was cut off as scripted.
    case broken
    /// The peer hung up before the answer was complete; in monotonic nanoseconds.
    case peerGone(at: UInt64)
  }

  /// Counted from 0 in the order of arrival.
  package let index: Int
  /// The number of its connection, counted from 0.
  package let connection: Int
  /// When its last byte arrived, in monotonic nanoseconds.
  package let time: UInt64
  package let method: String
  package let path: String
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]
  /// The body, or null if it is not JSON.
  package let json: Value
  /// The scripted count of prompt tokens.
  private(set) var promptWords = 0
  /// Its wire format; nil for an unknown path.
  package let format: WireFormat?

  package internal(set) var tokensSent = 0
  /// Everything billed as output: text, reasoning and tool calls.
  package internal(set) var outputSent = 0
  /// The input, and how much of it was cached or is stored in the cache.
  package internal(set) var inputRead = 0
  package internal(set) var cachedRead = 0
  package internal(set) var cacheWritten = 0
  package internal(set) var bytesSent = 0
  package internal(set) var outcome = Outcome.answering
  /// The status of the answer; 0 until there is one.
  package internal(set) var status = 0
  /// Whether it repeats a key that has been answered.
  package internal(set) var isRepeat = false

  init(index: Int, connection: Int, time: UInt64, head: RequestHead, body: [UInt8]) {
    self.index = index
    self.connection = connection
    self.time = time
    method = head.method
    path = head.path
    headers = head.headers
    self.body = body
    json = (try? JSON.parse(body)) ?? .null
    let isAnthropic = head.headers.contains { $0.name.lowercased() == "anthropic-version" }
    format = WireFormat(path: head.path, isAnthropic: isAnthropic)
    promptWords = Self.words(in: textsToEmbed ?? messages)
  }

  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// The peer's key of this request, which identifies a repetition.
  package var idempotencyKey: String? { header("idempotency-key") }

  /// Whether the complete answer was sent.
  package var isCompleted: Bool { outcome == .completed }

  /// Whether it costs money: a complete answer, given for the first time.
  package var isBilled: Bool {
    isCompleted && status == 200 && !isRepeat && method == "POST"
  }

  package var model: String? {
    guard format == .gemini else { return json["model"].string }
    guard let name = path.split(separator: "/").last?.prefix(while: { $0 != ":" }) else {
      return nil
    }
    return String(name)
  }

  /// The texts to embed; nil for other requests.
  package var textsToEmbed: [String]? {
    let path = path.prefix { $0 != "?" }
    if path.hasSuffix(":batchEmbedContents") {
      return (json["requests"].array ?? []).map { Self.text($0["content"]["parts"]) }
    }
    guard path == "/v1/embeddings" || path == "/api/embed" else { return nil }
    return json["input"].array?.map(\.promptText) ?? [json["input"].promptText]
  }

  /// The maximum number of tokens of the answer.
  package var cap: Int64? {
    switch format {
    case .gemini: json["generationConfig"]["maxOutputTokens"].int
    case .ollama: json["options"]["num_predict"].int
    case .openAI, .anthropic, nil:
      json["max_tokens"].int ?? json["max_completion_tokens"].int
    }
  }

  /// Whether the answer is to be streamed.
  var isStreamed: Bool {
    switch format {
    case .gemini: path.contains(":streamGenerateContent")
    case .ollama: json["stream"].bool ?? true
    case .openAI, .anthropic, nil: json["stream"].bool ?? false
    }
  }

  /// The text of each message in order, starting with the system's.
  package var messages: [String] {
    switch format {
    case .gemini:
      let system = json["systemInstruction"]["parts"]
      return (system.isNull ? [] : [Self.text(system)])
        + (json["contents"].array ?? []).map { Self.text($0["parts"]) }
    case .anthropic:
      let system = json["system"]
      return (system.isNull ? [] : [Self.text(system)])
        + (json["messages"].array ?? []).map { Self.text($0["content"]) }
    case .openAI, .ollama, nil:
      return (json["messages"].array ?? []).map { Self.text($0["content"]) }
    }
  }

  /// The text of a message's parts, with tool calls and results as JSON.
  private static func text(_ content: Value) -> String {
    guard let parts = content.array else { return content.promptText }
    return parts.map { part in
      for key in ["text", "thinking"] { if let text = part[key].string { return text } }
      for key in ["content", "input", "functionCall", "functionResponse"] where !part[key].isNull {
        return part[key].string ?? part[key].json()
      }
      return ""
    }.joined(separator: " ")
  }

  /// About as many tokens as a tokenizer makes of the prompt: one for every four bytes of a word, and a few for each
  /// message.
  package var promptTokens: Int {
    var count = 0
    for message in messages {
      count += 4
      var word = 0
      for byte in message.utf8 {
        if byte == 0x20 || (0x09...0x0D).contains(byte) {
          count += (word + 3) / 4
          word = 0
        } else {
          word += 1
        }
      }
      count += (word + 3) / 4
    }
    return count + (json["tools"].isNull ? 0 : json["tools"].json().utf8.count / 4)
  }

  package var lastMessage: String { messages.last ?? "" }

  /// The JSON Schema that the answer must satisfy; an empty one if any object will do.
  package var schema: Value? {
    switch format {
    case .anthropic:
      let schema = json["output_config"]["format"]["schema"]
      return schema.isNull ? nil : schema
    case .gemini:
      let generation = json["generationConfig"]
      for key in ["responseJsonSchema", "responseSchema"] where !generation[key].isNull {
        return generation[key]
      }
      return generation["responseMimeType"] == "application/json" ? ["type": "object"] : nil
    case .openAI, .ollama, nil: break
    }
    switch json["response_format"]["type"].string {
    case "json_schema": return json["response_format"]["json_schema"]["schema"]
    case "json_object": return ["type": "object"]
    default: break
    }
    switch json["format"] {
    case .object: return json["format"]
    case "json": return ["type": "object"]
    default: return nil
    }
  }

  /// By bytes, because benchmarks depend on its speed.
  private static func words(in messages: [String]) -> Int {
    messages.reduce(0) { count, message in
      var count = count
      var isInWord = false
      for byte in message.utf8 {
        let isBlank = byte == 0x20 || (0x09...0x0D).contains(byte)
        if isInWord == isBlank {
          isInWord = !isBlank
          if isInWord { count += 1 }
        }
      }
      return count
    }
  }

  func cachedTokens(_ script: Script) -> Int64 {
    Int64(min(max(0, script.cachedTokens), promptWords))
  }

  func cacheWrites(_ script: Script) -> Int64 {
    min(Int64(max(0, script.cacheWrites)), Int64(promptWords) - cachedTokens(script))
  }
}
