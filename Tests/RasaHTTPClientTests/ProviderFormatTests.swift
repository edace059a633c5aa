import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaTestKit
import Testing

/// The provider in each of its wire formats.
@Suite struct ProviderFormatTests {
  static let formats = WireFormat.allCases

  /// A request in the format, as its clients make it.
  private func ask(
    _ provider: ScriptedProvider, _ format: WireFormat, model: String = "m", stream: Bool = true
  ) async throws -> String {
    let path: String
    var body: ValueObject = [
      "model": .string(model), "stream": .bool(stream),
      "messages": [["role": "user", "content": "hello there"]],
    ]
    switch format {
    case .openAI:
      path = "/v1/chat/completions"
      body["stream_options"] = ["include_usage": true]
    case .anthropic:
      path = "/v1/messages"
      body["max_tokens"] = 50
    case .ollama: path = "/api/chat"
    case .gemini:
      let method = stream ? "streamGenerateContent?alt=sse" : "generateContent"
      path = "/v1beta/models/\(model):\(method)"
      body = ["contents": [["role": "user", "parts": [["text": "hello there"]]]]]
    }
    return try await HTTPClient().send(
      HTTPRequest(
        url: provider.baseURL + path, headers: [("anthropic-version", "2023-06-01")],
        body: Value.object(body).jsonBytes(), allowsPlainHTTP: true)
    ).body.text()
  }

  private func events(_ text: String) throws -> [Value] {
    try text.split { $0.isNewline }.compactMap { line -> Value? in
      if line.hasPrefix("data: {") { return try JSON.parse(String(line.dropFirst(6))) }
      return line.hasPrefix("{") ? try JSON.parse(String(line)) : nil
    }
  }

  @Test func anthropicStreamHasEveryPart() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("one two").with {
        $0.reasoning = ["hm ", "so"]
        $0.redactedReasoning = "secret"
        $0.toolCalls = [ScriptedCall(name: "look", arguments: ["at": "the sky"])]
        $0.cachedTokens = 1
      }
    ])
    let events = try events(try await ask(provider, .anthropic))
    #expect(
      events.map { $0["type"].string } == [
        "message_start", "ping", "content_block_start", "content_block_delta",
        "content_block_delta", "content_block_delta", "content_block_stop", "content_block_start",
        "content_block_stop", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_stop", "content_block_start", "content_block_delta", "content_block_delta",
        "content_block_delta", "content_block_stop", "message_delta", "message_stop",
      ])
    #expect(
      events[0]["message"]["usage"] == [
        "input_tokens": 1, "cache_read_input_tokens": 1, "cache_creation_input_tokens": 0,
        "output_tokens": 1,
      ])
    let pieces = events.compactMap { $0["delta"]["partial_json"].string }
    #expect(try JSON.parse(pieces.joined()) == ["at": "the sky"])
    #expect(events[18]["delta"]["stop_reason"] == "tool_use")
    #expect(
      events[18]["usage"] == [
        "output_tokens": 8, "output_tokens_details": ["thinking_tokens": 2],
      ])
  }

  @Test func aGeminiStreamHasRunningCounts() async throws {
    let provider = try ScriptedProvider.start([
      Script.text("one two three").with {
        $0.reasoning = ["hm "]
        $0.toolCalls = [ScriptedCall(name: "look", signature: "s")]
      }
    ])
    let text = try await ask(provider, .gemini)
    #expect(text.hasSuffix("\r\n\r\n"))
    let events = try events(text)
    func part(_ event: Value) -> Value {
      event["candidates"].array?.first?["content"]["parts"].array?.first ?? .null
    }
    #expect(events.map { part($0)["text"].string } == ["hm ", "one ", "two ", "three", nil, ""])
    #expect(part(events[0])["thought"] == true)
    #expect(
      part(events[4]) == ["functionCall": ["name": "look", "args": [:]], "thoughtSignature": "s"])
    #expect(
      events.map { $0["usageMetadata"]["candidatesTokenCount"].int } == [nil, 1, 2, 3, nil, 4])
    #expect(events[5]["usageMetadata"]["thoughtsTokenCount"] == 1)
    #expect(provider.requests.first?.model == "m")
  }

  @Test(arguments: formats)
  func answersWithoutStreaming(_ format: WireFormat) async throws {
    let provider = try ScriptedProvider.start([.text("all of it")])
    let answer = try JSON.parse(try await ask(provider, format, stream: false))
    let text =
      switch format {
      case .openAI: answer["choices"].array?.first?["message"]["content"]
      case .anthropic: answer["content"].array?.first?["text"]
      case .gemini: answer["candidates"].array?.first?["content"]["parts"].array?.first?["text"]
      case .ollama: Optional(answer["message"]["content"])
      }
    #expect(text == "all of it")
  }

  @Test(arguments: formats)
  func usageIsRepeatedOnRequest(_ format: WireFormat) async throws {
    let provider = try ScriptedProvider.start([Script.words(2).with { $0.repeatsUsage = true }])
    let text = try await ask(provider, format)
    let name =
      switch format {
      case .openAI: "\"completion_tokens\""
      case .anthropic: "\"usage\":{\"output_tokens\":2}"
      case .gemini: "\"candidatesTokenCount\":2,\"x"
      case .ollama: "\"eval_count\":2"
      }
    guard format != .gemini else {
      #expect(text.count(of: "\"candidatesTokenCount\":2") == 3)
      return
    }
    #expect(text.count(of: name) == 2)
  }

  @Test(arguments: formats, [Script.Usage.missing, .absurd])
  func usageIsScripted(_ format: WireFormat, _ usage: Script.Usage) async throws {
    let provider = try ScriptedProvider.start([Script.words(2).with { $0.usage = usage }])
    let text = try await ask(provider, format)
    if usage == .missing {
      #expect(!text.contains("token") && !text.contains("eval_count"))
    } else {
      #expect(text.count(of: "1000000000000000000") >= 2)
    }
  }

  @Test(arguments: formats)
  func refusesInItsOwnWords(_ format: WireFormat) async throws {
    let provider = try ScriptedProvider.start([
      Script.error(429, "slow down").with { $0.retryDelay = .milliseconds(1_500) }
    ])
    let document = try JSON.parse(try await ask(provider, format))
    switch format {
    case .openAI: #expect(document["error"]["message"] == "slow down")
    case .anthropic: #expect(document["error"]["type"] == "rate_limit_error")
    case .gemini:
      #expect(document["error"]["status"] == "RESOURCE_EXHAUSTED")
      #expect(document["error"]["details"].array?.first?["retryDelay"] == "1.5s")
    case .ollama: #expect(document["error"] == "slow down")
    }
  }

  @Test(arguments: formats)
  func breaksInItsOwnWay(_ format: WireFormat) async throws {
    let provider = try ScriptedProvider.start([
      Script.words(5).broken(after: 2, .raw("no frame at all")).once(),
      Script.words(5).broken(after: 2, .malformed).once(),
      Script.words(5).broken(after: 2, .errorObject(["error": ["message": "gone"]])),
    ])
    #expect(try await ask(provider, format).contains("no frame at all"))
    let half = try await ask(provider, format)
    #expect(throws: (any Error).self) { try events(half) }
    #expect(try await ask(provider, format).contains("gone"))
    #expect(provider.requests.map(\.tokensSent) == [2, 2, 2])
  }

  @Test(arguments: formats)
  func breaksInTheMiddleOfACall(_ format: WireFormat) async throws {
    let calls = [
      ScriptedCall(name: "one", arguments: ["a": "long enough"]), ScriptedCall(name: "two"),
    ]
    let provider = try ScriptedProvider.start([Script.calls(calls).broken(after: 1, .unterminated)])
    let text = try await ask(provider, format)
    #expect(text.contains("one") && !text.contains("two"))
    try await provider.waitForEnd(ofRequest: 0)
    #expect(provider.requests.first?.outcome == .broken)
    #expect(provider.requests.first?.outputSent == 1)
  }

  /// What is billed was sent, whatever is reported.
  @Test(arguments: formats)
  func billsTheTokensItSent(_ format: WireFormat) async throws {
    let provider = try ScriptedProvider.start([
      Script.words(3).with {
        $0.reasoning = ["hm "]
        $0.toolCalls = [ScriptedCall(name: "n")]
        $0.cachedTokens = 1
        $0.usage = .absurd
      }.once(), Script.words(10).broken(after: 4, .close).once(), Script.error(500).once(),
      Script.words(1).for(model: "other"),
    ])
    _ = try await ask(provider, format)
    _ = try? await ask(provider, format)
    _ = try await ask(provider, format)
    _ = try await ask(provider, format, model: "other")
    let tariff = Tariff(
      input: .dollar, output: Money(picoDollars: 3_000_000_000_000),
      cachedInput: Money(picoDollars: 100_000))
    try await provider.waitForEnd(ofRequest: 3)
    let bill = provider.invoice.bill(["m": tariff])
    // A tool call is told bit by bit in two of the formats: its name, and `{}`.
    let output = format == .gemini || format == .ollama ? 5 : 6
    #expect(bill.lines.map(\.output) == [output, 4, 1])
    #expect(bill.lines.map(\.isComplete) == [true, false, true])
    #expect(
      bill.lines.map { $0.cost?.picoDollars } == [
        1_000_001 + Int64(output) * 3_000_000, 2_000_000 + 12_000_000, nil,
      ])
    #expect(bill.totalOfComplete.picoDollars == 1_000_001 + Int64(output) * 3_000_000)
    #expect(bill.total.picoDollars == bill.totalOfComplete.picoDollars + 14_000_000)
  }

  @Test func modelsAreListedInEachFormat() async throws {
    let provider = try ScriptedProvider.start(models: ["a", "b"])
    func list(_ path: String, _ headers: [(name: String, value: String)] = []) async throws -> Value
    {
      try JSON.parse(
        try await HTTPClient().send(
          HTTPRequest(
            method: "GET", url: provider.baseURL + path, headers: headers, allowsPlainHTTP: true)
        ).body.text())
    }
    let anthropic = try await list("/v1/models?limit=1000", [("anthropic-version", "x")])
    #expect(anthropic["data"].array?.map { $0["id"] } == ["a", "b"])
    #expect(anthropic["has_more"] == false)
    let gemini = try await list("/v1beta/models?pageSize=1000")
    #expect(gemini["models"].array?.first?["name"] == "models/a")
  }
}
