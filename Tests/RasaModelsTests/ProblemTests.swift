import RasaCore
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct ProblemTests {
  private static let now = Timestamp(milliseconds: 784_111_777_000)

  static let answers: [(status: Int, body: String, kind: ProviderProblem.Kind)] = [
    (400, "{\"error\":{\"message\":\"bad\"}}", .rejected),
    (400, "{\"error\":{\"message\":\"m\",\"code\":\"model_not_found\"}}", .modelNotFound),
    (400, "{\"error\":\"model 'x' not found\"}", .modelNotFound),
    (401, "{}", .authentication), (402, "{}", .payment), (403, "", .authentication),
    (404, "{\"error\":{\"message\":\"The model `x` does not exist\"}}", .modelNotFound),
    (404, "<html>", .modelNotFound), (408, "", .server), (409, "", .server),
    (413, "", .tooLong), (422, "{\"detail\":\"bad\"}", .unsupported),
    (429, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}", .rateLimit),
    (429, "{\"error\":{\"code\":\"insufficient_quota\"}}", .quota),
    (429, "{\"error\":{\"type\":\"insufficient_quota\"}}", .quota),
    (429, "[{\"error\":{\"code\":429}}]", .rateLimit),
    (400, "{\"error\":{\"message\":\"Your credit balance is too low to access\"}}", .payment),
    (402, "{\"error\":{\"type\":\"billing_error\"}}", .payment),
    (403, "{\"error\":{\"type\":\"billing_error\"}}", .payment),
    (404, "{\"error\":{\"type\":\"not_found_error\",\"message\":\"model: x\"}}", .modelNotFound),
    (400, "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\"}}", .rejected),
    (
      400,
      "{\"error\":{\"code\":400,\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}",
      .authentication
    ),
    (429, "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}", .rateLimit),
    (529, "{\"error\":{\"type\":\"overloaded_error\"}}", .server),
    (500, "{}", .server), (503, "no", .server), (529, "", .server), (302, "", .blocked),
  ]

  @Test(arguments: answers)
  func tellsStatusesApart(_ row: (status: Int, body: String, kind: ProviderProblem.Kind)) {
    let problem = ProviderProblem(
      status: row.status, headers: { _ in nil }, body: Array(row.body.utf8), now: Self.now)
    #expect(problem.kind == row.kind)
    #expect(problem.status == row.status)
  }

  @Test(
    arguments: [
      ("{\"detail\":\"bad id\"}", "bad id", nil),
      (
        "{\"detail\":[{\"loc\":[\"body\",\"messages\",0,\"name\"],\"msg\":\"Field required\"}]}",
        "messages.0.name: Field required", "name"
      ),
      ("{\"errors\":[{\"message\":\"bad id\"},\"and more\"]}", "bad id; and more", nil),
      ("{\"message\":\"bad id\",\"code\":\"x\"}", "bad id", nil),
      ("{\"error\":\"bad id\"}", "bad id", nil),
      ("[{\"error\":{\"message\":\"bad id\"}}]", "bad id", nil),
      ("{\"error\":true,\"message\":\"bad id\"}", "bad id", nil),
      ("{\"error\":{\"message\":{\"detail\":\"bad id\"}}}", "bad id", nil),
      (
        "{\"error\":{\"message\":\"Upstream\",\"metadata\":{\"raw\":\"{\\\"error\\\":{\\\"message\\\":\\\"bad id\\\",\\\"param\\\":\\\"id\\\"}}\"}}}",
        "Upstream: bad id", "id"
      ),
      (
        "{\"error\":{\"message\":\"Upstream\",\"metadata\":{\"raw\":\"bad id\"}}}",
        "Upstream: bad id", nil
      ),
      ("bad id", "bad id", nil),
      (
        "<html><head><title>No</title><style>p{}</style></head><body>bad <b>id</b></body></html>",
        "No bad id", nil
      ),
    ] as [(String, String, String?)])
  func readsTheServersOwnWordsInEveryForm(
    _ row: (body: String, words: String, parameter: String?)
  ) {
    let document = ErrorDocument(Array(row.body.utf8))
    #expect(document.message == row.words)
    #expect(document.parameter == row.parameter)
  }

  /// What another model may take falls back; what every model must refuse does not.
  @Test(
    arguments: [
      (400, #"{"error":{"message":"no","code":"context_length_exceeded"}}"#, .tooLong),
      (
        400, #"{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
        .tooLong
      ),
      (
        400, #"{"error":{"message":"The input token count (1200000) exceeds the maximum number"}}"#,
        .tooLong
      ),
      (413, "", .tooLong),
      (400, #"{"error":{"message":"x is not a valid model ID"}}"#, .modelNotFound),
      (400, #"{"error":{"message":"Invalid model name passed in model=x"}}"#, .modelNotFound),
      (400, #"{"error":{"code":"unsupported_parameter","message":"no 'top_k'"}}"#, .unsupported),
      (400, #"{"error":{"message":"tools are not supported by this model"}}"#, .unsupported),
      (422, "{}", .unsupported),
      (400, #"{"error":{"message":"messages must not be empty"}}"#, .rejected),
      (403, "<html>Blocked</html>", .blocked), (401, "<html>", .blocked),
    ] as [(Int, String, ProviderProblem.Kind)])
  func tellsWhatAnotherModelMayTake(
    _ row: (status: Int, body: String, kind: ProviderProblem.Kind)
  ) {
    let problem = ProviderProblem(
      status: row.status, headers: { _ in nil }, body: Array(row.body.utf8), now: Self.now)
    #expect(problem.kind == row.kind)
  }

  @Test func adaptsToARefusalThatNamesTheFieldByItsPlace() {
    let body =
      #"{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#
    let problem = ProviderProblem(
      status: 422, headers: { _ in nil }, body: Array(body.utf8), now: Self.now)
    var quirks = WireQuirks(ProviderSettings(name: "p", dialect: .openAI, baseURL: ""))
    var triedOtherField = false
    #expect(quirks.adapt(to: problem, triedOtherField: &triedOtherField))
    #expect(!quirks.asksForUsage)
  }

  @Test func showsWhatTheServerSaidOnOnePrintableLine() {
    let body = "{\"error\":{\"message\":\"one\\n\\u001b[31mtwo\\u202e three\"}}"
    let problem = ProviderProblem(
      status: 500, headers: { _ in nil }, body: Array(body.utf8), now: Self.now)
    #expect(problem.message == "the server failed (500): one [31mtwo three")
    let long = ErrorDocument.printable(String(repeating: "x", count: 5_000))
    #expect(long.count == 301)
  }

  @Test(
    arguments: [
      (["retry-after": "7"], Duration.seconds(7)), (["retry-after": "0.5"], .milliseconds(500)),
      (["retry-after-ms": "250", "retry-after": "7"], .milliseconds(250)),
      (["retry-after": "Sun, 06 Nov 1994 08:49:47 GMT"], .seconds(10)),
      (["retry-after": "Sun, 06 Nov 1994 08:49:00 GMT"], .zero),
      (["retry-after": "soon"], nil), (["retry-after": "-1"], nil), ([:], nil),
      (["retry-after": "1e300"], .seconds(31_536_000)), (["retry-after": "nan"], nil),
    ] as [([String: String], Duration?)])
  func readsHowLongToWait(_ row: (headers: [String: String], delay: Duration?)) {
    #expect(RetryAfter.read({ row.headers[$0] }, now: Self.now) == row.delay)
  }

  @Test(
    arguments: [
      (
        429, ["x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6m0s"], .seconds(360)
      ),
      (
        429,
        [
          "x-ratelimit-reset-requests": "1s", "x-ratelimit-remaining-requests": "0",
          "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-tokens": "100",
        ], .seconds(1)
      ),
      (429, ["x-ratelimit-reset-tokens": "6m0s", "retry-after": "2"], .seconds(2)),
      (429, ["anthropic-ratelimit-tokens-reset": "1994-11-06T08:50:00Z"], .seconds(23)),
      (429, ["anthropic-ratelimit-tokens-reset": "1993-11-06T08:50:00Z"], .zero),
      (429, ["x-ratelimit-reset-tokens": "later"], nil),
      (500, ["x-ratelimit-reset-tokens": "6m0s"], nil), (500, ["retry-after": "2"], .seconds(2)),
    ] as [(Int, [String: String], Duration?)])
  func guessesFromTheLimitsOnlyWhereNothingBetterIsSaid(
    _ row: (status: Int, headers: [String: String], delay: Duration?)
  ) {
    let problem = ProviderProblem(
      status: row.status, headers: { row.headers[$0] }, body: [], now: Self.now)
    #expect(problem.retryAfter == row.delay)
  }

  @Test func prefersTheDocumentsDelayToAGuess() {
    let body =
      "{\"error\":{\"code\":429,\"details\":[{\"retryDelay\":\"21s\"},{\"retryDelay\":\"1.5s\"}]}}"
    let problem = ProviderProblem(
      status: 429, headers: { ["x-ratelimit-reset-tokens": "6m0s"][$0] }, body: Array(body.utf8),
      now: Self.now)
    #expect(problem.retryAfter == .seconds(21))
  }

  @Test(
    arguments: [
      ("6m0s", .seconds(360)), ("1h2m3.5s", .milliseconds(3_723_500)),
      ("120ms", .milliseconds(120)),
      ("39.27s", .milliseconds(39_270)), ("7", .seconds(7)), ("1d", .seconds(86_400)),
      ("99999999h", .seconds(31_536_000)), ("", nil), ("s", nil), ("5x", nil), ("1.2.3s", nil),
      ("-5s", nil), ("5 s", nil),
    ] as [(String, Duration?)])
  func readsDurations(_ row: (text: String, duration: Duration?)) {
    #expect(RetryAfter.duration(row.text) == row.duration)
  }

  @Test(
    arguments: [
      (["request-id": "req_1"], "{}", "the server failed (500) [request req_1]"),
      (["x-request-id": "r-2"], "{}", "the server failed (500) [request r-2]"),
      ([:], "{\"request_id\":\"req_3\",\"error\":{}}", "the server failed (500) [request req_3]"),
      (["request-id": ""], "{}", "the server failed (500)"),
      (["request-id": String(repeating: "x", count: 200)], "{}", "the server failed (500)"),
    ] as [([String: String], String, String)])
  func namesTheRequestForSupport(_ row: (headers: [String: String], body: String, message: String))
  {
    let problem = ProviderProblem(
      status: 500, headers: { row.headers[$0] }, body: Array(row.body.utf8), now: Self.now)
    #expect(problem.message == row.message)
  }

  static let adaptations: [(ProviderSettings.Dialect, String, @Sendable (WireQuirks) -> Bool)] = [
    (.anthropic, "`temperature` is deprecated for this model.", { !$0.sendsTemperature }),
    (
      .anthropic, "adaptive thinking is not supported on this model",
      { $0.thinking == .budget }
    ),
    (
      .anthropic, "output_config.effort: Extra inputs are not permitted", { $0.thinking == .budget }
    ),
    (
      .anthropic, "output_config.format: Extra inputs are not permitted",
      { $0.structuredOutput == .prompt }
    ),
    (.gemini, "Thinking level is not supported for this model.", { $0.thinking == .budget }),
    (
      .gemini, "Function calling with a response mime type: 'application/json' is unsupported",
      { $0.structuredOutput == .prompt }
    ),
    (
      .gemini, "Unknown name \"responseJsonSchema\" at 'generation_config'",
      { $0.structuredOutput == .jsonObject }
    ),
    (
      .gemini, "Function call is missing a thought_signature in functionCall parts",
      { $0.signsForeignCalls }
    ),
    (.ollama, "\"llama3\" does not support thinking", { $0.thinking == .budget }),
    (
      .openAI, "Unsupported parameter: 'reasoning_effort'", { $0.thinking == .none }
    ),
    (
      .openAI, "The `reasoning_content` in the thinking mode must be passed back to the API.",
      { $0.returnsReasoning }
    ),
  ]

  @Test(arguments: adaptations)
  func adaptsToWhatModelsRefuse(
    _ row: (
      dialect: ProviderSettings.Dialect, message: String, adapted: @Sendable (WireQuirks) -> Bool
    )
  ) {
    var quirks = WireQuirks(ProviderSettings(name: "p", dialect: row.dialect, baseURL: ""))
    var triedOtherField = false
    #expect(!row.adapted(quirks))
    let problem = ProviderProblem(.rejected, row.message)
    #expect(quirks.adapt(to: problem, triedOtherField: &triedOtherField))
    #expect(row.adapted(quirks))
    var rounds = 0
    while quirks.adapt(to: problem, triedOtherField: &triedOtherField) { rounds += 1 }
    #expect(rounds <= 4)
  }

  @Test(
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
      ("Sun, 06 Nov 94 08:49:37 GMT", nil), ("06 Nov 1994", nil), ("", nil),
      ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 25:49:37 GMT", nil),
    ] as [(String, Int64?)])
  func readsDates(_ row: (text: String, seconds: Int64?)) {
    #expect(RetryAfter.date(row.text)?.milliseconds == row.seconds.map { $0 * 1000 })
  }

  @Test(
    arguments: [
      (0, 0, Duration.milliseconds(200)), (0, 1_000, .milliseconds(400)),
      (1, 1_000, .milliseconds(800)), (30, 1_000, .seconds(20)), (-1, 0, .milliseconds(200)),
    ] as [(Int, UInt64, Duration)])
  func waitsLongerEachTime(_ row: (round: Int, random: UInt64, delay: Duration)) {
    let policy = RetryPolicy(base: .milliseconds(400), longest: .seconds(20))
    #expect(policy.delay(round: row.round, random: row.random) == row.delay)
  }

  @Test(
    arguments: [
      ("response_format is not supported", nil, "jsonObject"),
      ("Unsupported parameter: 'max_tokens'", "max_tokens", "field"),
      ("Unsupported value: 'temperature'", "temperature", "temperature"),
      ("unknown field stream_options", nil, "usage"), ("something else", nil, nil),
    ] as [(String, String?, String?)])
  func givesUpOnlyWhatTheServerBlames(_ row: (message: String, parameter: String?, change: String?))
    throws
  {
    let settings = try ProviderSettings.openAI(baseURL: "http://h/v1", key: nil)
    let before = WireQuirks(settings)
    var quirks = before
    var triedOtherField = false
    let problem = ProviderProblem(.rejected, row.message, parameter: row.parameter)
    let adapts = quirks.adapt(to: problem, triedOtherField: &triedOtherField)
    #expect(adapts == (row.change != nil))
    #expect((quirks.structuredOutput == .jsonObject) == (row.change == "jsonObject"))
    #expect((quirks.maxTokensField == .maxCompletionTokens) == (row.change == "field"))
    #expect(quirks.sendsTemperature == (row.change != "temperature"))
    #expect(quirks.asksForUsage == (row.change != "usage"))
    var rounds = 0
    while quirks.adapt(to: problem, triedOtherField: &triedOtherField) { rounds += 1 }
    #expect(rounds <= 2)
  }
}
