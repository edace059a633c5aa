import RasaCore

/// One provider's wire format as data: the bytes around each part of a stream.
struct StreamFormat {
  var contentType: String
  var token: (before: [UInt8], after: [UInt8])
  var reasoning: (before: [UInt8], after: [UInt8])
  var opening: [UInt8] = []
  var comment: [UInt8] = []
  var finish: [UInt8]
  /// Between finish and terminator.
  var usage: [UInt8] = []
  var terminator: [UInt8] = []
  var malformed: [UInt8]
  var frame: @Sendable (Value) -> [UInt8]
}

/// What an answer is about, for both formats.
struct AnswerFacts {
  var model: String
  var identifier: String
  var promptTokens: Value
  var completionTokens: Value
  var reportsUsage: Bool
  /// OpenAI sends usage in a stream only to those who ask.
  var asksForUsage: Bool

  init(script: Script, request: ReceivedRequest, tokens: Int) {
    model = request.model ?? "scripted"
    identifier = "chatcmpl-\(request.index)"
    promptTokens = .int(Int64(request.promptWords))
    completionTokens = .int(Int64(tokens + script.reasoning.count))
    if case .exactly(let prompt, let completion) = script.usage {
      (promptTokens, completionTokens) = (prompt, completion)
    }
    reportsUsage = script.usage != .missing
    asksForUsage = request.json["stream_options"]["include_usage"].bool ?? false
  }
}

/// Cuts JSON text where the marker stands, so that tokens can be put there without encoding again.
func around(_ marker: String, _ bytes: [UInt8]) -> (before: [UInt8], after: [UInt8]) {
  let needle = Array(marker.utf8)
  guard bytes.count >= needle.count else { return (bytes, []) }
  for start in 0...(bytes.count - needle.count)
  where bytes[start..<(start + needle.count)].elementsEqual(needle) {
    return (Array(bytes[..<start]), Array(bytes[(start + needle.count)...]))
  }
  return (bytes, [])
}
