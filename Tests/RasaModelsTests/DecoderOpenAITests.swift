import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

private func openAI(_ stream: String, contentType: String? = nil) -> Decoded {
  Dialect.openAI.decode(stream, contentType: contentType)
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

    data: {"choices":[{"delta":{"content":" and"}}]}

    data: {"choices":[{"delta":{"content":" \\"more\\"\\t"}}]}

    data: {"choices":[{"delta":{"content":" of it"}}]}

    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

    data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

    data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":34,"total_tokens":46,"prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":5}}}

    data: [DONE]


    """

  @Test func readsAStreamHoweverItIsCut() {
    var expected = Decoded()
    expected.text = "Grüße, \"Welt\"\n🌍 🌍 and \"more\"\t of it"
    expected.reasoning = "Let me see. "
    expected.contentEvents = 6
    expected.usage = ReportedUsage(input: 12, output: 34, cachedInput: 8, reasoning: 5)
    expected.finish = .stop
    expected.isDone = true
    expectEverywhere(.openAI, Self.golden, is: expected)
    expectEverywhere(.openAI, Self.golden.with(lineEnds: "\r\n"), every: 7, is: expected)
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
    ("no tool calls", delta("\"tool_calls\":[]")),
    ("null tool calls", delta("\"tool_calls\":null")),
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
    expectEverywhere(
      .openAI, whole, contentType: "application/json; charset=utf-8", is: expected)
    let error = openAI("{\"error\":{\"message\":\"no\"}}", contentType: "application/json")
    #expect(error.problem == .server)
  }

  @Test func ignoresWhatFollowsTheEnd() {
    let decoded = openAI(
      delta("\"content\":\"a\"", finish: "\"stop\"") + "data: [DONE]\n\n"
        + delta("\"content\":\"b\""))
    #expect(decoded.text == "a")
  }

  private static func calls(_ pieces: String, finish: String = "null") -> String {
    delta("\"tool_calls\":[\(pieces)]", finish: finish)
  }

  private static let done = delta("", finish: "\"tool_calls\"") + "data: [DONE]\n\n"

  static let callStreams: [(name: String, pieces: [String], calls: [ToolCall])] = [
    (
      "fragments of two by index",
      [
        #"{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}"#,
        #"{"index":1,"id":"b","function":{"name":"g","arguments":"{\"y\""}}"#,
        #"{"index":0,"function":{"arguments":"{\"x\":"}},{"index":1,"function":{"arguments":":2}"}}"#,
        #"{"index":0,"function":{"arguments":" [1, 2]}"}}"#,
      ],
      [
        ToolCall(id: "a", name: "f", arguments: ["x": [1, 2]]),
        ToolCall(id: "b", name: "g", arguments: ["y": 2]),
      ]
    ),
    (
      "the name and identifier with every fragment",
      [
        #"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#,
        #"{"index":0,"id":"a","function":{"name":"f","arguments":"}"}}"#,
      ], [ToolCall(id: "a", name: "f", arguments: [:])]
    ),
    (
      "whole calls without an index",
      [
        #"{"id":"a","function":{"name":"f","arguments":"{}"}}"#,
        #"{"id":"b","function":{"name":"f","arguments":"{}"}}"#,
      ],
      [
        ToolCall(id: "a", name: "f", arguments: [:]), ToolCall(id: "b", name: "f", arguments: [:]),
      ]
    ),
    (
      "calls that all have index 0",
      [
        #"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#,
        #"{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}"#,
      ],
      [
        ToolCall(id: "a", name: "f", arguments: [:]), ToolCall(id: "b", name: "g", arguments: [:]),
      ]
    ),
    (
      "fragments without an index",
      [
        #"{"id":"a","function":{"name":"f","arguments":"{\"x\""}}"#,
        #"{"function":{"arguments":":1}"}}"#,
      ], [ToolCall(id: "a", name: "f", arguments: ["x": 1])]
    ),
    (
      "no identifier, and arguments that are no text",
      [#"{"index":0,"function":{"name":"f","arguments":{"x":1}}}"#],
      [ToolCall(id: "call_rasa_0_0", name: "f", arguments: ["x": 1])]
    ),
    (
      "no arguments", [#"{"index":0,"id":"a","function":{"name":"f","arguments":null}}"#],
      [ToolCall(id: "a", name: "f", arguments: [:])]
    ),
  ]

  @Test(arguments: callStreams)
  func putsCallsTogether(_ row: (name: String, pieces: [String], calls: [ToolCall])) {
    let stream = delta("\"reasoning_content\":\"hm\"") + row.pieces.map { Self.calls($0) }.joined()
    for ending in [Self.done, delta("", finish: "\"stop\"")] {
      let decoded = openAI(stream + ending)
      #expect(decoded.calls == row.calls)
      #expect(decoded.finish == .toolCalls)
      #expect(decoded.parts == [ReasoningPart(text: "hm")])
      #expect(decoded.problem == nil)
    }
  }

  @Test(arguments: [
    ("no name", #"{"index":0,"id":"a","function":{"arguments":"{}"}}"#),
    ("nothing", "{}"),
  ])
  func refusesCallsThatCannotBeMade(_ row: (name: String, piece: String)) {
    let decoded = openAI(Self.calls(row.piece) + Self.done)
    #expect(decoded.problem == .brokenStream)
    #expect(decoded.calls.isEmpty)
  }

  /// The model learns of them as of any call that failed.
  @Test(arguments: [(#"{\"x\":"#, #"{"x":"#), ("[1]", "[1]")])
  func handsOnArgumentsThatAreNoObject(_ row: (written: String, text: String)) {
    let piece =
      #"{"index":0,"id":"a","function":{"name":"f","arguments":""# + row.written + #""}}"#
    let decoded = openAI(Self.calls(piece) + Self.done)
    #expect(decoded.problem == nil)
    #expect(decoded.calls.map(\.name) == ["f"])
    #expect(decoded.calls.map(\.unreadable) == [row.text])
  }

  @Test func leavesOutTheCallThatTheCapCut() {
    let decoded = openAI(
      Self.calls(#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#)
        + Self.calls(#"{"index":1,"id":"b","function":{"name":"g","arguments":"{\"x"}}"#)
        + delta("", finish: "\"length\"") + "data: [DONE]\n\n")
    #expect(decoded.calls.map(\.name) == ["f"])
    #expect(decoded.finish == .length)
    #expect(decoded.problem == nil)
  }

  @Test func refusesMoreCallsThanCanBeMeant() {
    let many = (0..<400).map { Self.calls(#"{"index":\#($0),"function":{"name":"f"}}"#) }.joined()
    #expect(openAI(many + Self.done).problem == .brokenStream)
  }

  private static let counts: [(usage: String, expected: ReportedUsage)] = [
    (
      #""usage":{"prompt_tokens":9,"completion_tokens":2,"prompt_cache_hit_tokens":4}"#,
      ReportedUsage(input: 9, output: 2, cachedInput: 4)
    ),
    (
      #""usage":{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":1,"cache_write_tokens":5}}"#,
      ReportedUsage(input: 9, cachedInput: 1, cacheWrites: 5)
    ),
    (
      #""x_groq":{"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
      ReportedUsage(input: 9, output: 2)
    ),
  ]

  @Test(arguments: counts)
  func readsCountsWhereServersPutThem(_ row: (usage: String, expected: ReportedUsage)) {
    let chunk = "data: {\"choices\":[],\(row.usage)}\n\n"
    #expect(openAI(chunk + "data: [DONE]\n\n").usage == row.expected)
    // Sent twice it counts once, and what is left out later stays.
    let less = "data: {\"choices\":[],\"usage\":{\"total_tokens\":1}}\n\n"
    #expect(openAI(chunk + chunk + less + "data: [DONE]\n\n").usage == row.expected)
  }
}
