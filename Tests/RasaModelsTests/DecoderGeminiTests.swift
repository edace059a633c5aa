import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

private func event(_ data: String) -> String { "data: \(data)\r\n\r\n" }

private func text(_ text: String) -> String {
  event(#"{"candidates":[{"content":{"parts":[{"text":"\#(text)"}],"role":"model"},"index":0}]}"#)
}

private func end(_ reason: String, _ more: String = "") -> String {
  event(#"{"candidates":[{"finishReason":"\#(reason)"\#(more),"index":0}]}"#)
}

@Suite struct GeminiDecoderTests {
  static let golden = """
    data: {"candidates": [{"content": {"parts": [{"text": "**Looking**","thought": true}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"totalTokenCount": 31,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 11}],"thoughtsTokenCount": 20,"cachedContentTokenCount": 8},"modelVersion": "gemini-3-flash","responseId": "r1"}

    data: {"candidates": [{"content": {"parts": [{"text": "Grüße"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"candidatesTokenCount": 2,"totalTokenCount": 63,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 11}],"thoughtsTokenCount": 50},"modelVersion": "gemini-3-flash","responseId": "r1"}

    data: {"candidates": [{"content": {"parts": [{"text": " \\u0022Welt\\u0022\\n"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"candidatesTokenCount": 14,"totalTokenCount": 75,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 11}],"thoughtsTokenCount": 50},"modelVersion": "gemini-3-flash","responseId": "r1"}

    data: {"candidates": [{"content": {"parts": [{"text": "🌍"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"candidatesTokenCount": 123,"totalTokenCount": 184,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 11}],"thoughtsTokenCount": 50},"modelVersion": "gemini-3-flash","responseId": "r1"}

    data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "weather","args": {"city": "Ulm"}},"thoughtSignature": "CiQB"},{"functionCall": {"id": "f2","name": "time","args": {}}}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 11,"candidatesTokenCount": 140,"totalTokenCount": 201,"thoughtsTokenCount": 50},"modelVersion": "gemini-3-flash","responseId": "r1"}

    data: {"candidates": [{"content": {"parts": [{"text": ""}],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 11,"candidatesTokenCount": 141,"totalTokenCount": 202,"thoughtsTokenCount": 50},"modelVersion": "gemini-3-flash","responseId": "r1"}


    """

  @Test(arguments: ["\n", "\r\n", "\r"])
  func readsAStreamHoweverItIsCut(_ lineEnd: String) {
    var expected = Decoded()
    expected.text = "Grüße \"Welt\"\n🌍"
    expected.reasoning = "**Looking**"
    expected.contentEvents = 6
    expected.usage = ReportedUsage(input: 11, output: 191, cachedInput: 8, reasoning: 50)
    expected.finish = .toolCalls
    expected.isDone = true
    expected.calls = [
      ToolCall(
        id: "call_rasa_0_0", name: "weather", arguments: ["city": "Ulm"], signature: "CiQB"),
      ToolCall(id: "f2", name: "time", arguments: [:]),
    ]
    expectEverywhere(
      .gemini, Self.golden.with(lineEnds: lineEnd), every: lineEnd == "\r\n" ? 1 : 7,
      is: expected)
  }

  @Test func countsAreThoseOfTheLastEventThatCame() {
    // Cut after the fourth of six events, which was not read but recognised.
    let events = Self.golden.split(separator: "\n\n").prefix(4).joined(separator: "\n\n") + "\n\n"
    let decoded = Dialect.gemini.decode(events)
    #expect(decoded.usage == ReportedUsage(input: 11, output: 173, cachedInput: 8, reasoning: 50))
    #expect(decoded.problem == .brokenStream)
    var decoder = GeminiDecoder()
    decoder.feed(Array(events.utf8))
    #expect(decoder.progress.usage?.output == 173)
  }

  @Test(arguments: [
    ("STOP", FinishReason.stop), ("MAX_TOKENS", .length), ("SAFETY", .filtered),
    ("RECITATION", .filtered), ("BLOCKLIST", .filtered), ("PROHIBITED_CONTENT", .filtered),
    ("SPII", .filtered), ("LANGUAGE", .filtered), ("OTHER", .stop), ("ANYTHING", .stop),
  ])
  func readsFinishReasons(_ row: (word: String, reason: FinishReason)) {
    let decoded = Dialect.gemini.decode(text("a") + end(row.word))
    #expect(decoded.finish == row.reason)
    #expect(decoded.isDone)
    #expect(decoded.problem == nil)
  }

  @Test func safetyMayEndWithoutContent() {
    let decoded = Dialect.gemini.decode(end("SAFETY"))
    #expect(decoded.finish == .filtered)
    #expect(decoded.text.isEmpty)
    #expect(decoded.problem == nil)
  }

  @Test func aBlockedPromptIsFiltered() {
    let decoded = Dialect.gemini.decode(
      event(
        #"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9}}"#
      ))
    #expect(decoded.finish == .filtered)
    #expect(decoded.usage == ReportedUsage(input: 9))
    #expect(decoded.problem == nil)
    #expect(decoded.isDone)
  }

  @Test(
    arguments: [
      (#"{"promptTokenCount":5,"toolUsePromptTokenCount":4}"#, ReportedUsage(input: 9)),
      (#"{"thoughtsTokenCount":4}"#, ReportedUsage(output: 4, reasoning: 4)),
      (#"{"candidatesTokenCount":"4"}"#, ReportedUsage(output: 4)),
      (#"{"candidatesTokenCount":4.0}"#, ReportedUsage(output: 4)),
      (#"{"candidatesTokenCount":-4}"#, nil), (#"{}"#, nil), ("null", nil),
      (
        #"{"candidatesTokenCount":9000000000000000000,"thoughtsTokenCount":9000000000000000000}"#,
        ReportedUsage(output: .max, reasoning: 9_000_000_000_000_000_000)
      ),
    ] as [(String, ReportedUsage?)])
  func readsCounts(_ row: (usage: String, expected: ReportedUsage?)) {
    let stream = event(
      #"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":\#(row.usage)}"#
    )
    #expect(Dialect.gemini.decode(stream).usage == row.expected)
    #expect(Dialect.gemini.decode(stream + stream).usage == row.expected)
  }

  static let unavailable = """
    {
      "error": {
        "code": 503,
        "message": "The model is overloaded.",
        "status": "UNAVAILABLE"
      }
    }
    """

  private static let oneLine = unavailable.with(lineEnds: " ")
  private static let errors: [(name: String, error: String)] = [
    ("in an event", "data: \(oneLine)\r\n\r\n"),
    ("in an array in an event", "data: [\(oneLine)]\r\n\r\n"), ("raw", unavailable),
    ("raw, with line ends", "\(unavailable.with(lineEnds: "\r\n"))\r\n\r\n"),
    ("raw, in an array", "[\(unavailable)\n]\n"), ("raw, in one line", "\(oneLine)\n"),
  ]

  @Test(arguments: errors)
  func readsErrorsWhereverTheyStand(_ row: (name: String, error: String)) {
    for content in ["", text("half")] {
      let decoded = Dialect.gemini.decode(content + row.error)
      #expect(decoded.text == (content.isEmpty ? "" : "half"))
      #expect(decoded.problem == .server)
      #expect(decoded.message == "The model is overloaded.")
    }
    let whole = Dialect.gemini.decode(
      row.error.hasPrefix("data") ? Self.unavailable : row.error,
      contentType: "application/json; charset=UTF-8")
    #expect(whole.message == "The model is overloaded.")
  }

  @Test func takesTheDelayOutOfTheDetails() {
    let error =
      #"{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"39.27s"}]}}"#
    var decoder = GeminiDecoder()
    decoder.feed(Array(event(error).utf8))
    #expect(decoder.progress.problem?.kind == .rateLimit)
    #expect(decoder.progress.problem?.retryAfter == .milliseconds(39_270))
  }

  private static let broken: [(name: String, stream: String)] = [
    ("nothing", ""), ("no finish reason", text("half")),
    ("a cut event", "\(text("a"))data: {\"candidates\":[{"),
    ("a malformed call", end("MALFORMED_FUNCTION_CALL", #","finishMessage":"no \"}\" at all""#)),
    ("an unexpected call", "\(text("a"))\(end("UNEXPECTED_TOOL_CALL"))"),
  ]

  @Test(arguments: broken)
  func noticesAnAnswerThatIsNoneOrBroken(_ row: (name: String, stream: String)) {
    #expect(Dialect.gemini.decode(row.stream).problem == .brokenStream)
  }

  @Test func saysWhatIsWrongWithACall() {
    let decoded = Dialect.gemini.decode(
      end("MALFORMED_FUNCTION_CALL", #","finishMessage":"print(x)""#))
    #expect(
      decoded.message
        == "the model's tool call cannot be used (MALFORMED_FUNCTION_CALL): print(x)")
  }

  @Test(arguments: [
    ("an empty response", "{}"), ("no candidates", #"{"candidates":[]}"#), ("null", "null"),
    ("null parts", #"{"candidates":[{"content":{"parts":null}}]}"#),
    ("another candidate", #"{"candidates":[{"index":1,"content":{"parts":[{"text":"no"}]}}]}"#),
    ("unknown parts", #"{"candidates":[{"content":{"parts":[{"inlineData":{"data":"x"}}]}}]}"#),
    ("a null block reason", #"{"promptFeedback":{"blockReason":null}}"#),
  ])
  func passesOver(_ row: (name: String, data: String)) {
    let decoded = Dialect.gemini.decode(
      event(row.data) + text("yes") + event(row.data) + end("STOP"))
    #expect(decoded.text == "yes")
    #expect(decoded.finish == .stop)
    #expect(decoded.problem == nil)
  }

  @Test func readsAnAnswerThatWasNotStreamed() {
    let one = #"{"candidates":[{"content":{"parts":[{"text":"al"}]}}]}"#
    let other = #"{"candidates":[{"content":{"parts":[{"text":"l"}]},"finishReason":"STOP"}]}"#
    let decoded = Dialect.gemini.decode("[\(one),\n\(other)]", contentType: "application/json")
    #expect(decoded.text == "all")
    #expect(decoded.isDone)
  }
}
