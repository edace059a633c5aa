import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

private func event(_ data: String, _ name: String = "x") -> String {
  "event: \(name)\ndata: \(data)\n\n"
}

private func text(_ text: String, index: Int = 0) -> String {
  event(
    #"{"type":"content_block_delta","index":\#(index),"delta":{"type":"text_delta","text":"\#(text)"}}"#
  )
}

private let stop = event(#"{"type":"message_stop"}"#)

private func end(_ reason: String) -> String {
  event(
    #"{"type":"message_delta","delta":{"stop_reason":"\#(reason)","stop_sequence":null},"usage":{"output_tokens":7}}"#
  ) + stop
}

@Suite struct AnthropicDecoderTests {
  static let golden = """
    event: message_start
    data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":100,"cache_read_input_tokens":2000,"output_tokens":1}}}

    event: content_block_start
    data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

    event: ping
    data: {"type": "ping"}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"First "}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"I \\"look\\""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":" at it."}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"EqQB"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"zz=="}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":0}

    event: content_block_start
    data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Emwk"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":1}

    event: content_block_start
    data: {"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Grüße"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" \\ud83c\\udf0d"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":" 🌍"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":2}

    event: content_block_start
    data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\\"city\\": \\"Ul"}}

    event: content_block_delta
    data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"m\\"}"}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":3}

    event: content_block_start
    data: {"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"time","input":{}}}

    event: content_block_stop
    data: {"type":"content_block_stop","index":4}

    event: message_delta
    data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":89,"output_tokens_details":{"thinking_tokens":30}}}

    event: message_stop
    data: {"type":"message_stop"}


    """

  @Test(arguments: ["\n", "\r\n", "\r"])
  func readsAStreamHoweverItIsCut(_ lineEnd: String) {
    var expected = Decoded()
    expected.text = "Grüße 🌍 🌍"
    expected.reasoning = "First I \"look\" at it."
    expected.contentEvents = 8
    expected.usage = ReportedUsage(
      input: 2_125, output: 89, cachedInput: 2_000, cacheWrites: 100, reasoning: 30)
    expected.finish = .toolCalls
    expected.isDone = true
    expected.calls = [
      ToolCall(id: "toolu_1", name: "weather", arguments: ["city": "Ulm"]),
      ToolCall(id: "toolu_2", name: "time", arguments: [:]),
    ]
    expected.parts = [
      ReasoningPart(text: "First I \"look\" at it.", signature: "EqQBzz=="),
      ReasoningPart(text: "", redacted: "Emwk"),
    ]
    expectEverywhere(
      .anthropic, Self.golden.with(lineEnds: lineEnd), every: lineEnd == "\n" ? 1 : 7,
      is: expected)
  }

  @Test(arguments: [
    ("end_turn", FinishReason.stop), ("stop_sequence", .stop), ("pause_turn", .length),
    ("max_tokens", .length), ("model_context_window_exceeded", .length), ("refusal", .refused),
    ("tool_use", .stop), ("anything", .stop),
  ])
  func readsStopReasons(_ row: (word: String, reason: FinishReason)) {
    #expect(Dialect.anthropic.decode(text("a") + end(row.word)).finish == row.reason)
  }

  private static let counts: [(name: String, events: [String], usage: ReportedUsage?)] = [
    (
      "cumulative counts overwrite",
      [
        #"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":3}}}"#,
        #"{"type":"message_delta","delta":{},"usage":{"output_tokens":10}}"#,
        #"{"type":"message_delta","delta":{},"usage":{"input_tokens":6,"output_tokens":12}}"#,
      ], ReportedUsage(input: 6, output: 12)
    ),
    (
      "what it begins with is no count of the answer",
      [#"{"type":"message_start","message":{"usage":{"input_tokens":5,"output_tokens":3}}}"#],
      ReportedUsage(input: 5)
    ),
    (
      "digit strings and floats",
      [#"{"type":"message_delta","delta":{},"usage":{"input_tokens":"5","output_tokens":7.0}}"#],
      ReportedUsage(input: 5, output: 7)
    ),
    (
      "absurd counts saturate",
      [
        #"{"type":"message_delta","delta":{},"usage":{"input_tokens":9000000000000000000,"cache_read_input_tokens":9000000000000000000}}"#
      ], ReportedUsage(input: .max, cachedInput: 9_000_000_000_000_000_000)
    ),
    ("nothing", [#"{"type":"message_start","message":{}}"#], nil),
  ]

  @Test(arguments: counts)
  func readsCounts(_ row: (name: String, events: [String], usage: ReportedUsage?)) {
    let stream = row.events.map { event($0) }.joined()
    #expect(Dialect.anthropic.decode(stream).usage == row.usage)
    #expect(Dialect.anthropic.decode(stream + stop).usage == row.usage)
  }

  @Test(arguments: [
    ("overloaded_error", ProviderProblem.Kind.server), ("api_error", .server),
    ("timeout_error", .server), ("rate_limit_error", .rateLimit), ("billing_error", .payment),
    ("authentication_error", .authentication), ("permission_error", .authentication),
    ("not_found_error", .modelNotFound), ("invalid_request_error", .rejected),
    ("request_too_large", .tooLong), ("new_error", .server),
  ])
  func tellsErrorsInAStreamApart(_ row: (type: String, kind: ProviderProblem.Kind)) {
    let decoded = Dialect.anthropic.decode(
      text("half")
        + event(
          #"{"type":"error","error":{"type":"\#(row.type)","message":"Over it"},"request_id":"req_9"}"#,
          "error"))
    #expect(decoded.text == "half")
    #expect(decoded.problem == row.kind)
    #expect(decoded.message == "Over it [request req_9]")
  }

  private static let broken: [(name: String, stream: String)] = [
    ("nothing", ""), ("no end", text("half")),
    ("a cut event", "\(text("a"))data: {\"type\":\"con"),
    (
      "a stop reason without the end",
      event(#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#)
    ),
  ]

  @Test(arguments: broken)
  func noticesAStreamThatEndsEarly(_ row: (name: String, stream: String)) {
    #expect(Dialect.anthropic.decode(row.stream).problem == .brokenStream)
  }

  @Test(arguments: [
    ("an unknown event", #"{"type":"future","x":[1]}"#),
    ("an unknown delta", #"{"type":"content_block_delta","index":0,"delta":{"type":"new","x":1}}"#),
    (
      "an unknown block",
      #"{"type":"content_block_start","index":0,"content_block":{"type":"new"}}"#
    ),
    (
      "a server's own tool",
      #"{"type":"content_block_delta","index":9,"delta":{"type":"input_json_delta","partial_json":"{"}}"#
    ),
    ("null", "null"), ("an empty object", "{}"), ("no object", "7"),
    ("a null error", #"{"type":"x","error":null}"#),
  ])
  func passesOver(_ row: (name: String, data: String)) {
    let decoded = Dialect.anthropic.decode(
      event(row.data) + text("yes") + event(row.data) + end("end_turn"))
    #expect(decoded.text == "yes")
    #expect(decoded.problem == nil)
    #expect(decoded.isDone)
  }

  @Test func handsOnArgumentsThatAreNoJSON() {
    let begin =
      #"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t","name":"look_up","input":{}}}"#
    let piece =
      #"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}"#
    let decoded = Dialect.anthropic.decode(event(begin) + event(piece) + end("tool_use"))
    #expect(decoded.problem == nil)
    #expect(decoded.calls.map(\.arguments) == [.emptyObject])
    #expect(decoded.calls.map(\.unreadable) == [#"{"a":"#])
    // A call that the cap cut in the middle is the cap's doing.
    let cut = Dialect.anthropic.decode(event(begin) + event(piece) + end("max_tokens"))
    #expect(cut.problem == nil)
    #expect(cut.finish == .length)
    #expect(cut.calls.isEmpty)
  }

  @Test func keepsReasoningOnlyWithCalls() {
    let thinking =
      event(
        #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"T","signature":"s"}}"#
      ) + event(#"{"type":"content_block_stop","index":0}"#)
    let decoded = Dialect.anthropic.decode(thinking + text("a", index: 1) + end("end_turn"))
    #expect(decoded.reasoning == "T")
    #expect(decoded.parts.isEmpty)
  }

  @Test func readsAMessageThatWasNotStreamed() {
    let whole = """
      {"id":"m","type":"message","role":"assistant","content":[{"type":"thinking","thinking":"T","signature":"s"},{"type":"text","text":"all"},{"type":"tool_use","id":"t","name":"n","input":{"a":1}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"output_tokens":4}}
      """
    var expected = Decoded()
    expected.text = "all"
    expected.reasoning = "T"
    expected.contentEvents = 2
    expected.usage = ReportedUsage(input: 3, output: 4)
    expected.finish = .toolCalls
    expected.isDone = true
    expected.calls = [ToolCall(id: "t", name: "n", arguments: ["a": 1])]
    expected.parts = [ReasoningPart(text: "T", signature: "s")]
    expectEverywhere(.anthropic, whole, contentType: "application/json", is: expected)
    let error = Dialect.anthropic.decode(
      #"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
      contentType: "application/json")
    #expect(error.problem == .server)
  }
}
