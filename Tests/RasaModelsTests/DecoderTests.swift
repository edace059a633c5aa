import RasaCore
import RasaEngine
import Testing

@testable import RasaModels

/// Everything a decoder says of a stream, whatever the pieces.
private struct Decoded: Equatable {
  var text = ""
  var reasoning = ""
  var contentEvents: Int64 = 0
  var usage: ReportedUsage?
  var finish: FinishReason?
  var isDone = false
  var problem: ProviderProblem.Kind?

  init() {}

  init(_ decoder: consuming any ChatDecoder, _ pieces: [[UInt8]]) {
    for piece in pieces {
      decoder.feed(piece)
      take(&decoder.progress)
    }
    decoder.finish()
    take(&decoder.progress)
    contentEvents = decoder.progress.contentEvents
    usage = decoder.progress.usage
    finish = decoder.progress.finish
    isDone = decoder.progress.isDone
    problem = decoder.progress.problem?.kind
  }

  private mutating func take(_ progress: inout ChatProgress) {
    let content = progress.takeContent()
    text += content.text
    reasoning += content.reasoning
  }
}

private func decodedEverywhere(
  _ make: () -> any ChatDecoder, _ stream: String, is expected: Decoded,
  _ location: Testing.SourceLocation = #_sourceLocation
) {
  let bytes = Array(stream.utf8)
  #expect(Decoded(make(), [bytes]) == expected, sourceLocation: location)
  #expect(Decoded(make(), bytes.map { [$0] }) == expected, sourceLocation: location)
  for cut in bytes.indices {
    let pieces = [Array(bytes[..<cut]), Array(bytes[cut...])]
    #expect(Decoded(make(), pieces) == expected, "cut at \(cut)", sourceLocation: location)
  }
}

private func openAI(_ stream: String, contentType: String? = nil) -> Decoded {
  Decoded(OpenAIChatDecoder(contentType: contentType), [Array(stream.utf8)])
}

private func ollama(_ stream: String) -> Decoded {
  Decoded(OllamaChatDecoder(), [Array(stream.utf8)])
}

private func delta(_ members: String, finish: String = "null") -> String {
  "data: {\"choices\":[{\"index\":0,\"delta\":{\(members)},\"finish_reason\":\(finish)}]}\n\n"
}

@Suite struct OpenAIDecoderTests {
  static let golden = """
    data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"fp","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

    : keep-alive

    data: {"choices":[{"index":0,"delta":{"reasoning_content":"Let me see. "},"finish_reason":null}]}

    data: {"choices":[{"index":0,"delta":{"content":"Grüße, \\"Welt\\"\\n"},"finish_reason":null}]}

    data: {"choices":[{"delta":{"content":"\\ud83c\\udf0d 🌍"}}]}

    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

    data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46,"prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":5}}}

    data: [DONE]


    """

  @Test func readsAStreamHoweverItIsCut() {
    var expected = Decoded()
    expected.text = "Grüße, \"Welt\"\n🌍 🌍"
    expected.reasoning = "Let me see. "
    expected.contentEvents = 3
    expected.usage = ReportedUsage(input: 12, output: 34, cachedInput: 8, reasoning: 5)
    expected.finish = .stop
    expected.isDone = true
    decodedEverywhere({ OpenAIChatDecoder() }, Self.golden, is: expected)
    let carriageReturns = Self.golden.split(separator: "\n", omittingEmptySubsequences: false)
      .joined(separator: "\r\n")
    decodedEverywhere({ OpenAIChatDecoder() }, carriageReturns, is: expected)
  }

  @Test(arguments: [
    ("null choices", "data: {\"choices\":null}\n\n"),
    ("no choices", "data: {\"choices\":[]}\n\n"),
    ("an empty object", "data: {}\n\n"),
    ("no object at all", "data: 7\n\n"),
    ("an unknown event", "event: x\ndata: {\"y\":[1,{\"z\":null}]}\n\n"),
    ("null content", delta("\"content\":null")),
    ("a null delta", "data: {\"choices\":[{\"index\":0,\"delta\":null}]}\n\n"),
    ("a choice that is null", "data: {\"choices\":[null]}\n\n"),
    ("another choice", "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"}}]}\n\n"),
    ("a tool call", delta("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]")),
    ("null usage", "data: {\"choices\":[],\"usage\":null}\n\n"),
    ("a null error", "data: {\"choices\":[],\"error\":null}\n\n"),
  ])
  func passesOver(_ row: (name: String, chunk: String)) {
    let stream = row.chunk + delta("\"content\":\"yes\"") + row.chunk
    let decoded = openAI(stream + delta("", finish: "\"stop\"") + "data: [DONE]\n\n")
    #expect(decoded.text == "yes")
    #expect(decoded.usage == nil)
    #expect(decoded.problem == nil)
    #expect(decoded.isDone)
  }

  @Test(arguments: [
    (
      "text parts",
      "\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"text\",\"text\":\"b\"}]", "ab",
      ""
    ),
    ("reasoning", "\"reasoning\":\"r\",\"content\":\"a\"", "a", "r"),
    ("reasoning_content", "\"reasoning_content\":\"r\"", "", "r"),
    (
      "reasoning_details", "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"r\"}]",
      "", "r"
    ),
    (
      "a summary", "\"reasoning_details\":[{\"type\":\"reasoning.summary\",\"summary\":\"r\"}]", "",
      "r"
    ),
    ("both spellings", "\"reasoning\":\"r\",\"reasoning_details\":[{\"text\":\"r\"}]", "", "r"),
  ])
  func keepsReasoningApart(_ row: (name: String, delta: String, text: String, reasoning: String)) {
    let decoded = openAI(delta(row.delta, finish: "\"stop\"") + "data: [DONE]\n\n")
    #expect(decoded.text == row.text)
    #expect(decoded.reasoning == row.reasoning)
  }

  @Test(
    arguments: [
      ("integers", "\"prompt_tokens\":1,\"completion_tokens\":2", 1, 2),
      ("digit strings", "\"prompt_tokens\":\"1\",\"completion_tokens\":\"2\"", 1, 2),
      ("integral floats", "\"prompt_tokens\":1.0,\"completion_tokens\":2.0", 1, 2),
      ("nulls", "\"prompt_tokens\":null,\"completion_tokens\":null", nil, nil),
      ("nothing", "\"total_tokens\":3", nil, nil),
      ("words", "\"prompt_tokens\":\"many\",\"completion_tokens\":[]", nil, nil),
    ] as [(String, String, Int64?, Int64?)])
  func readsNumbersAsServersWriteThem(
    _ row: (name: String, usage: String, input: Int64?, output: Int64?)
  ) {
    let decoded = openAI("data: {\"choices\":[],\"usage\":{\(row.usage)}}\n\ndata: [DONE]\n\n")
    #expect(decoded.usage?.input == row.input)
    #expect(decoded.usage?.output == row.output)
  }

  @Test(arguments: [
    ("stop", FinishReason.stop), ("length", .length), ("content_filter", .filtered),
    ("tool_calls", .stop), ("anything", .stop),
  ])
  func readsFinishReasons(_ row: (word: String, reason: FinishReason)) {
    let decoded = openAI(delta("\"content\":\"a\"", finish: "\"\(row.word)\"") + "data: [DONE]\n\n")
    #expect(decoded.finish == row.reason)
  }

  @Test func takesUsageFromTheFinishChunk() {
    let decoded = openAI(
      "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
        + "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n")
    #expect(decoded.usage == ReportedUsage(input: 3, output: 4))
  }

  @Test func takesAFinishReasonForAnEndWithoutMark() {
    let decoded = openAI(delta("\"content\":\"all\"", finish: "\"stop\""))
    #expect(decoded.problem == nil)
    #expect(decoded.finish == .stop)
  }

  @Test(arguments: [
    ("content without an end", delta("\"content\":\"half\"")), ("nothing", ""),
    ("an event cut in the middle", delta("\"content\":\"a\"") + "data: {\"choices\":[{\"del"),
  ])
  func noticesAStreamThatEndsEarly(_ row: (name: String, stream: String)) {
    #expect(openAI(row.stream).problem == .brokenStream)
  }

  @Test func keepsTheTextBeforeAnError() {
    let decoded = openAI(
      delta("\"content\":\"half\"") + "data: {\"error\":{\"message\":\"gone\",\"code\":502}}\n\n")
    #expect(decoded.text == "half")
    #expect(decoded.problem == .server)
  }

  @Test(arguments: [
    ("{\"message\":\"m\",\"type\":\"server_error\"}", ProviderProblem.Kind.server),
    ("{\"message\":\"m\",\"code\":429}", .rateLimit),
    ("{\"message\":\"m\",\"code\":\"insufficient_quota\"}", .quota),
    ("{\"message\":\"m\",\"type\":\"invalid_request_error\"}", .rejected),
    ("{\"message\":\"m\",\"type\":\"authentication_error\"}", .authentication),
    ("\"something\"", .server),
    ("{\"message\":\"The model 'x' does not exist\"}", .modelNotFound),
  ])
  func tellsErrorsInAStreamApart(_ row: (error: String, kind: ProviderProblem.Kind)) {
    #expect(openAI("data: {\"error\":\(row.error)}\n\n").problem == row.kind)
  }

  @Test func callsNonsenseABrokenStream() {
    #expect(openAI("data: <html>\n\n").problem == .brokenStream)
    #expect(openAI("data: {\"choices\":[[[\n\n").problem == .brokenStream)
    let deep = String(repeating: "[", count: 10_000)
    #expect(openAI("data: {\"x\":\(deep)\n\n").problem == .brokenStream)
  }

  @Test func readsAnAnswerThatWasNotStreamed() {
    let whole = """
      {"choices":[{"index":0,"message":{"role":"assistant","content":"all","reasoning":"r"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}
      """
    var expected = Decoded()
    expected.text = "all"
    expected.reasoning = "r"
    expected.contentEvents = 2
    expected.usage = ReportedUsage(input: 1, output: 2)
    expected.finish = .stop
    expected.isDone = true
    decodedEverywhere(
      { OpenAIChatDecoder(contentType: "application/json; charset=utf-8") }, whole, is: expected)
    let error = openAI("{\"error\":{\"message\":\"no\"}}", contentType: "application/json")
    #expect(error.problem == .server)
  }

  @Test func ignoresWhatFollowsTheEnd() {
    let decoded = openAI(
      delta("\"content\":\"a\"", finish: "\"stop\"") + "data: [DONE]\n\n"
        + delta("\"content\":\"b\""))
    #expect(decoded.text == "a")
  }
}

@Suite struct OllamaDecoderTests {
  static let golden = """
    {"model":"llama3:8b","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"","thinking":"Hm. "},"done":false}
    {"model":"llama3:8b","message":{"role":"assistant","content":"Grüße"},"done":false}
    {"model":"llama3:8b","message":{"role":"assistant","content":" 🌍"},"done":false}
    {"model":"llama3:8b","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":5589157167,"prompt_eval_count":26,"eval_count":298}

    """

  @Test func readsAStreamHoweverItIsCut() {
    var expected = Decoded()
    expected.text = "Grüße 🌍"
    expected.reasoning = "Hm. "
    expected.contentEvents = 3
    expected.usage = ReportedUsage(input: 26, output: 298)
    expected.finish = .stop
    expected.isDone = true
    decodedEverywhere({ OllamaChatDecoder() }, Self.golden, is: expected)
  }

  @Test func takesMissingCountsForUnknown() {
    let decoded = ollama(
      "{\"message\":{\"content\":\"a\"},\"done\":true,\"done_reason\":\"length\"}\n")
    #expect(decoded.usage == ReportedUsage())
    #expect(decoded.finish == .length)
  }

  @Test func readsTheLastLineWithoutItsEnd() {
    let decoded = ollama("{\"message\":{\"content\":\"a\"},\"done\":true}")
    #expect(decoded.isDone)
    #expect(decoded.problem == nil)
  }

  @Test(arguments: [
    (
      "an error", "{\"message\":{\"content\":\"a\"}}\n{\"error\":\"ran out of memory\"}\n",
      ProviderProblem.Kind.server
    ),
    ("a missing model", "{\"error\":\"model 'x' not found\"}\n", .modelNotFound),
    ("no last line", "{\"message\":{\"content\":\"a\"},\"done\":false}\n", .brokenStream),
    ("a cut line", "{\"message\":{\"content\":\"a\"},\"do", .brokenStream),
    ("nonsense", "<html>\n", .brokenStream),
    ("nothing", "", .brokenStream),
  ])
  func notices(_ row: (name: String, stream: String, problem: ProviderProblem.Kind)) {
    #expect(ollama(row.stream).problem == row.problem)
  }
}
