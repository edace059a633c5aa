import RasaCore

/// One provider's wire format as data: the bytes around each part of a stream.
struct StreamFormat {
  /// The bytes around a token. Some formats count in each event: the number of tokens so far then
  /// comes between `after` and `afterCount`.
  struct Frame {
    var before: [UInt8]
    var after: [UInt8]
    var afterCount: [UInt8]? = nil
  }

  var contentType: String
  var token: Frame
  var reasoning: Frame
  var opening: [UInt8] = []
  var beforeReasoning: [UInt8] = []
  var afterReasoning: [UInt8] = []
  var beforeText: [UInt8] = []
  var afterText: [UInt8] = []
  /// The events of all tool calls; each counts as a token.
  var calls: [[UInt8]] = []
  var comment: [UInt8] = []
  var finish: [UInt8]
  /// Between finish and terminator.
  var usage: [UInt8] = []
  var terminator: [UInt8] = []
  var malformed: [UInt8]
  var frame: @Sendable (Value) -> [UInt8]
}

/// The facts of an answer, for all formats.
struct AnswerFacts {
  var model: String
  var identifier: String
  var textTokens: Int
  var reasoningTokens: Int
  /// The input and the whole output, or the script's own numbers.
  var promptTokens: Value
  var completionTokens: Value
  /// Parts of the input.
  var cachedTokens: Int64
  var cacheWrites: Int64
  /// If the script's own numbers are the truth, the details can be reported too.
  var isTrue = true
  var reportsUsage: Bool
  /// OpenAI sends usage in a stream only on request.
  var asksForUsage: Bool

  init(script: Script, request: ReceivedRequest, tokens: Int) {
    model = request.model ?? "scripted"
    identifier = (request.format == .openAI ? "chatcmpl-" : "scripted-") + "\(request.index)"
    textTokens = tokens
    reasoningTokens = script.reasoning.count
    (cachedTokens, cacheWrites) = (request.cachedTokens(script), request.cacheWrites(script))
    promptTokens = .int(
      Int64(script.window == nil ? request.promptWords : request.promptTokens))
    completionTokens = .int(
      Int64(tokens + reasoningTokens + script.callTokens(request.format ?? .openAI)))
    if case .exactly(let prompt, let completion) = script.usage {
      (promptTokens, completionTokens) = (prompt, completion)
      isTrue = false
    }
    reportsUsage = script.usage != .missing
    asksForUsage = request.json["stream_options"]["include_usage"].bool ?? false
  }
}

extension Script {
  /// The number of events of the tool calls.
  func callTokens(_ format: WireFormat) -> Int {
    switch format {
    case .gemini, .ollama: toolCalls.count
    case .openAI, .anthropic: toolCalls.reduce(0) { $0 + 1 + $1.pieces.count }
    }
  }
}

/// Placeholders for a token and for its number.
enum Marker {
  static let token = "@token@"
  static let count: Int64 = 987_654_321
}

/// Splits JSON text at the marker, so that tokens can be inserted without encoding again.
func around(_ marker: String, _ bytes: [UInt8]) -> StreamFormat.Frame {
  let needle = Array(marker.utf8)
  guard bytes.count >= needle.count else { return StreamFormat.Frame(before: bytes, after: []) }
  for start in 0...(bytes.count - needle.count)
  where bytes[start..<(start + needle.count)].elementsEqual(needle) {
    return StreamFormat.Frame(
      before: Array(bytes[..<start]), after: Array(bytes[(start + needle.count)...]))
  }
  return StreamFormat.Frame(before: bytes, after: [])
}

/// The same if the events count their tokens.
func aroundWithCount(_ bytes: [UInt8]) -> StreamFormat.Frame {
  var frame = around(Marker.token, bytes)
  let rest = around(String(Marker.count), frame.after)
  guard !rest.after.isEmpty else { return frame }
  frame.after = rest.before
  frame.afterCount = rest.after
  return frame
}
