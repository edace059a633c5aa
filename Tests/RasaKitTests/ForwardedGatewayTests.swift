import RasaCore
import RasaKit
import RasaTestKit
import Testing

/// What a gateway does beside passing bytes on: names, fallback, counts that were not asked for, endpoints.
@Suite("A request that is passed on by a gateway", .timeLimit(.minutes(1)))
struct ForwardedGatewayTests {
  private actor Parts {
    private(set) var statuses: [Int] = []
    private(set) var headers: [String] = []
    private(set) var bytes: [UInt8] = []

    func note(_ part: Rasa.ProviderPart) {
      switch part {
      case .head(let status, let headers):
        statuses.append(status)
        self.headers = headers.map { "\($0.name.lowercased()): \($0.value)" }
      case .bytes(let more): bytes += more
      }
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// Scripted providers of the same dialect, `openai` and `other`, one of Anthropic's and an Ollama.
  private struct Providers {
    let folder = ScratchDirectory()
    let first: ScriptedProvider
    let second: ScriptedProvider
    let rasa: Rasa

    init(_ scripts: [Script], _ others: [Script] = [], budget: String = "") throws {
      first = try ScriptedProvider.start(scripts)
      second = try ScriptedProvider.start(others)
      try folder.write(
        """
        providers:
          other: {base_url: "\(second.openAIBaseURL)", default_model: gpt-4o-mini}
        \(budget)
        """, to: "home/config.yaml")
      var configuration = Rasa.Configuration(home: folder.file("home"))
      configuration.environment = [
        "OPENAI_BASE_URL": first.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
        "ANTHROPIC_BASE_URL": first.baseURL, "ANTHROPIC_API_KEY": "sk-ant-test",
        "OLLAMA_HOST": first.baseURL,
      ]
      rasa = try Rasa(configuration)
    }

    func close() async {
      await rasa.close()
      withExtendedLifetime((folder, first, second)) {}
    }
  }

  private static func body(_ model: String, _ more: String = "") -> String {
    #"{ "messages":[{"role":"user","content":"Hi \"model\":"}], "max_tokens" : 50,"#
      + #" \#(more)"model":"\#(model)"  , "x":[1 ,2]}"#
  }

  private func request(
    _ body: String, model: String = "openai:gpt-4o-mini", path: String = "/chat/completions"
  ) -> Rasa.ProviderRequest {
    Rasa.ProviderRequest(model: model, path: path, body: Array(body.utf8))
  }

  // MARK: Names

  @Test("has its model's name replaced where it is another one for it, and nothing else")
  func names() async throws {
    let kit = try Providers([.text("Hello.")])
    _ = try await kit.rasa.forward(request(Self.body("openai:gpt-4o-mini"))) { _ in }
    var sent = try #require(kit.first.requests.last?.body)
    #expect(String(decoding: sent, as: UTF8.self) == Self.body("gpt-4o-mini"))
    // Its own name stays, and so does another one of the same model that the provider knows.
    for name in ["gpt-4o-mini", "gpt-4o-mini-2024-07-18"] {
      _ = try await kit.rasa.forward(request(Self.body(name))) { _ in }
      sent = try #require(kit.first.requests.last?.body)
      #expect(String(decoding: sent, as: UTF8.self) == Self.body(name))
    }
    var replaced = request(Self.body("rasa/house"))
    let refused = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(replaced) { _ in }
    }
    #expect(refused?.code == .usage && refused?.message.contains("rasa/house") == true)
    replaced.replacesModel = true
    _ = try await kit.rasa.forward(replaced) { _ in }
    sent = try #require(kit.first.requests.last?.body)
    #expect(String(decoding: sent, as: UTF8.self) == Self.body("gpt-4o-mini"))
    #expect(kit.first.requests.count == 4)
    await kit.close()
  }

  @Test(
    "is sent where its model speaks as the client does",
    arguments: [
      ("openai:gpt-4o-mini", "openai", Rasa.Dialect.openAI),
      ("gpt-4o-mini", "openai", .openAI), ("claude-haiku-4-5", "anthropic", .anthropic),
      ("ollama:llama3", "ollama", .ollama), ("other:x", "other", .openAI),
    ])
  func dialects(_ name: String, provider: String, dialect: Rasa.Dialect) async throws {
    let kit = try Providers([])
    let place = try await kit.rasa.dialect(ofModel: name)
    #expect(place.provider == provider && place.dialect == dialect)
    #expect(place.reference?.hasPrefix("\(provider):") == true)
    await #expect(throws: RasaError.self) { try await kit.rasa.dialect(ofModel: "gemini:g-1") }
    #expect(try await kit.rasa.places(ofModel: name, alternatives: ["other:y"]).count == 2)
    #expect(kit.first.requests.isEmpty)
    await kit.close()
  }

  // MARK: The count that was not asked for

  private static let stream = #""stream":true, "#

  @Test(
    "of a stream asks for what it took, and keeps that event from a client that did not",
    arguments: [
      #""stream":true, "#, #""stream":true,"stream_options":{"include_obfuscation":false}, "#,
      #""stream":true,"stream_options":{"include_usage":false}, "#,
      #""stream":true,"stream_options":null, "#,
    ], [Script.Chunking.whole, .eachEvent, .everyByte])
  func usage(_ members: String, _ chunking: Script.Chunking) async throws {
    for ending in [Script.LineEnding.lf, .crlf] {
      let script = Script.text("Hello you [] there.").with {
        $0.chunking = chunking
        $0.lineEnding = ending
      }
      let kit = try Providers([script])
      let parts = Parts()
      let call = try await kit.rasa.forward(request(Self.body("gpt-4o-mini", members))) {
        await parts.note($0)
      }
      #expect(call.isCounted && call.inputTokens == 2 && call.outputTokens == 4)
      let received = try #require(kit.first.requests.last)
      #expect(received.json["stream_options"]["include_usage"] == true)
      let text = await parts.text
      #expect(!text.contains("usage") && text.contains("[] ") && text.contains("[DONE]"))
      // A client that asks for it gets all the same, and the count.
      let asked = Parts()
      _ = try await kit.rasa.forward(
        request(
          Self.body(
            "gpt-4o-mini", #""stream":true,"stream_options":{"include_usage":true}, "#))
      ) { await asked.note($0) }
      let whole = await asked.text
      #expect(whole.contains(#""usage":{"#))
      let blank = ending.rawValue + ending.rawValue
      let kept = whole.split(separator: blank).filter { !$0.contains(#""usage":{"#) }
      let given = text.replacing("chatcmpl-0", with: "chatcmpl-1").split(separator: blank)
      #expect(kept == given)
      await kit.close()
    }
  }

  @Test("is asked again without that wish where a server does not know it, and not more than once")
  func unknownWish() async throws {
    let refusal = Script.error(400, "Unknown parameter: 'stream_options'.").with {
      $0.matches = { !$0.json["stream_options"].isNull }
    }
    let kit = try Providers([refusal, Script.text("Hello you there.")])
    let parts = Parts()
    let asked = Self.body("gpt-4o-mini", Self.stream)
    let call = try await kit.rasa.forward(request(asked)) { await parts.note($0) }
    #expect(call.status == 200 && !call.isCounted && call.finish == "stop")
    #expect(await parts.statuses == [200])
    let sent = try #require(kit.first.requests.last?.body)
    #expect(String(decoding: sent, as: UTF8.self) == asked)
    _ = try await kit.rasa.forward(request(asked)) { _ in }
    #expect(kit.first.requests.count == 3)
    // A client's own wish is its own affair.
    let own = Parts()
    let refused = try await kit.rasa.forward(
      request(Self.body("gpt-4o-mini", #""stream":true,"stream_options":{"include_usage":true}, "#))
    ) { await own.note($0) }
    #expect(refused.status == 400)
    #expect(await own.statuses == [400])
    await kit.close()
  }

  // MARK: Another model

  @Test(
    "goes to the next model as long as nothing was handed on",
    arguments: [
      Script.error(408), .error(429), .error(500), .error(503), .error(529), .error(401),
      .error(404, "The model does not exist", code: "model_not_found"),
      Script().with { $0.closesBeforeHeaders = true },
      Script.words(4).broken(after: 0, .close),
      Script.words(4).broken(after: 0, .errorObject(["message": "overloaded"])),
    ])
  func fallsBack(_ script: Script) async throws {
    let kit = try Providers([script], [.text("Hello there.")])
    let parts = Parts()
    var asked = request(Self.body("gpt-4o-mini", Self.stream))
    asked.alternatives = ["other:gpt-4o-mini"]
    let call = try await kit.rasa.forward(asked) { await parts.note($0) }
    #expect(call.provider == "other" && call.status == 200 && call.problem == nil)
    #expect(call.insteadOf == "openai:gpt-4o-mini" && call.because?.isEmpty == false)
    #expect(await parts.statuses == [200])
    #expect(await parts.text.contains("Hello "))
    let calls = try await kit.rasa.calls(ofRun: call.run)
    #expect(calls.map(\.outcome) == ["failed", "answered"])
    #expect(calls.compactMap(\.cost).reduce(0, +) == call.cost)
    #expect(calls.allSatisfy { $0.held >= $0.cost ?? .zero })
    await kit.close()
  }

  @Test("does not go to another one for what is wrong with the request, or after the first content")
  func staysThere() async throws {
    let kit = try Providers(
      [
        Script.error(400, "messages is too short").once(),
        Script.words(9).with { $0.chunking = .eachEvent }.broken(after: 4, .close).once(),
      ], [.text("Never.")])
    var asked = request(Self.body("gpt-4o-mini", Self.stream))
    asked.alternatives = ["other:gpt-4o-mini"]
    let parts = Parts()
    let refused = try await kit.rasa.forward(asked) { await parts.note($0) }
    #expect(refused.status == 400 && refused.provider == "openai")
    #expect(await parts.text.contains("too short"))
    let begun = Parts()
    let broken = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(asked) { await begun.note($0) }
    }
    #expect(broken?.code == .provider)
    #expect(await begun.statuses == [200])
    #expect(await !begun.text.contains("[DONE]"))
    #expect(kit.second.requests.isEmpty)
    await kit.close()
  }

  @Test("ends with the last one's answer, or its own error, where none can be reached")
  func allFail() async throws {
    let kit = try Providers([.error(503)], [.error(429, "slow down")])
    var asked = request(Self.body("gpt-4o-mini", Self.stream))
    asked.alternatives = ["other:gpt-4o-mini"]
    let parts = Parts()
    let call = try await kit.rasa.forward(asked) { await parts.note($0) }
    #expect(call.status == 429 && call.cost == 0 && call.problem?.contains("slow down") == true)
    #expect(await parts.statuses == [429])
    #expect(await parts.text.contains("slow down"))
    await kit.close()
  }

  @Test("is sent to none that speaks otherwise")
  func otherDialect() async throws {
    let kit = try Providers([.error(503)])
    var asked = request(Self.body("gpt-4o-mini"))
    asked.alternatives = ["anthropic:claude-haiku-4-5"]
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.forward(asked) { _ in }
    }
    #expect(error?.code == .usage && kit.first.requests.isEmpty)
    await kit.close()
  }

  // MARK: Endpoints

  @Test(
    "for vectors is held, counted and paid",
    arguments: [
      ("openai:text-embedding-3-small", "/embeddings", #"["two words", "three more words"]"#),
      ("ollama:nomic-embed-text", "/api/embed", #"["two words", "three more words"]"#),
    ])
  func vectors(_ model: String, path: String, input: String) async throws {
    let kit = try Providers([Script()], budget: "budget: {max_daily: 1}")
    let name = String(model.drop { $0 != ":" }.dropFirst())
    let parts = Parts()
    let call = try await kit.rasa.forward(
      request(#"{"model":"\#(name)","input":\#(input)}"#, model: model, path: path)
    ) { await parts.note($0) }
    #expect(call.status == 200 && call.isCounted && call.inputTokens == 5)
    #expect(call.outputTokens == 0 && call.finish == "stop")
    #expect(await parts.text.contains("embedding"))
    let booked = try #require(try await kit.rasa.calls(ofRun: call.run).first)
    #expect(booked.held >= booked.cost ?? 0)
    #expect((call.cost > 0) == model.hasPrefix("openai"))
    await kit.close()
  }

  /// A provider that answers one request with these bytes.
  private func raw(
    _ body: String, type: String = "application/json", status: String = "200 OK",
    _ request: Rasa.ProviderRequest, budget: String = ""
  ) async throws -> (call: Rasa.ForwardedCall, text: String, sent: String) {
    let server = try RawServer([
      "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    ])
    let folder = ScratchDirectory()
    if !budget.isEmpty { try folder.write(budget, to: "home/config.yaml") }
    var configuration = Rasa.Configuration(home: folder.file("home"))
    configuration.environment = [
      "OPENAI_BASE_URL": server.baseURL + "/v1", "OPENAI_API_KEY": "sk-test",
      "ANTHROPIC_BASE_URL": server.baseURL, "ANTHROPIC_API_KEY": "sk-ant-test",
      "OLLAMA_HOST": server.baseURL,
    ]
    let rasa = try Rasa(configuration)
    let parts = Parts()
    let call = try await rasa.forward(request) { await parts.note($0) }
    await rasa.close()
    withExtendedLifetime((folder, server)) {}
    return (call, await parts.text, server.received.first ?? "")
  }

  private static let responses = [
    #"{"type":"response.created","response":{"id":"r1","status":"in_progress","usage":null}}"#,
    #"{"type":"response.output_text.delta","delta":"Hello "}"#,
    #"{"type":"response.output_text.delta","delta":"there."}"#,
    #"{"type":"response.completed","response":{"id":"r1","status":"completed","output":[],"#
      + #""usage":{"input_tokens":12,"input_tokens_details":{"cached_tokens":4},"#
      + #""output_tokens":7,"output_tokens_details":{"reasoning_tokens":3}}}}"#,
  ].map { "event: x\ndata: \($0)\n\n" }.joined()

  private func response(_ more: String = "") -> Rasa.ProviderRequest {
    request(
      #"{"model":"gpt-4o-mini","stream":true,\#(more)"input":"Hi","max_output_tokens":90}"#,
      path: "/responses")
  }

  @Test("for a response is counted by its last event")
  func responsesStream() async throws {
    let answer = try await raw(Self.responses, type: "text/event-stream", response())
    #expect(answer.text == Self.responses)
    #expect(answer.call.inputTokens == 12 && answer.call.outputTokens == 7)
    #expect(answer.call.finish == "stop" && answer.call.isCounted && answer.call.cost > 0)
    #expect(answer.sent.contains("POST /v1/responses"))
    let cut = Self.responses.replacing("\"completed\"", with: "\"incomplete\"")
      .replacing("response.completed", with: "response.incomplete")
    let short = try await raw(cut, type: "text/event-stream", response())
    #expect(short.call.finish == "length")
  }

  @Test("for a whole response is counted, with what it wants to have called")
  func responsesWhole() async throws {
    let document =
      #"{"object":"response","status":"completed","output":[{"type":"function_call","name":"f","arguments":"{}"}],"#
      + #""usage":{"input_tokens":12,"output_tokens":7}}"#
    let answer = try await raw(
      document,
      request(#"{"model":"gpt-4o-mini","input":"Hi","max_output_tokens":90}"#, path: "/responses"))
    #expect(answer.text == document && answer.call.finish == "tool_calls")
    #expect(answer.call.inputTokens == 12 && answer.call.outputTokens == 7)
  }

  @Test("for a response that ends early is no whole one")
  func responsesBroken() async throws {
    let broken = Self.responses.components(before: "event: x\ndata: {\"type\":\"response.completed")
    let answer = try await raw(broken, type: "text/event-stream", response())
    #expect(answer.call.problem?.contains("ended before") == true)
    #expect(answer.text == broken)
    let failed =
      #"data: {"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"it broke"}}}"#
      + "\n\n"
    let said = try await raw(failed, type: "text/event-stream", response())
    #expect(said.call.problem?.contains("it broke") == true)
  }

  @Test("whose cost cannot be known is not sent under a budget, and never in the background")
  func unknownCosts() async throws {
    let limited = try Providers([], budget: "budget: {max_daily: 1}")
    for more in [
      #""previous_response_id":"r0","#, #""tools":[{"type":"web_search"}],"#,
      #""conversation":"c1","#, #""prompt":{"id":"p1"},"#,
    ] {
      let error = await #expect(throws: RasaError.self) {
        try await limited.rasa.forward(response(more)) { _ in }
      }
      #expect(error?.code == .budget)
    }
    let background = await #expect(throws: RasaError.self) {
      try await limited.rasa.forward(response(#""background":true,"#)) { _ in }
    }
    #expect(background?.code == .usage && limited.first.requests.isEmpty)
    await limited.close()
    let free = try await raw(
      Self.responses, type: "text/event-stream", response(#""tools":[{"type":"web_search"}],"#))
    #expect(free.call.status == 200 && !free.call.isPriceKnown)
    // What the client carries out itself is known.
    let own = try await raw(
      Self.responses, type: "text/event-stream",
      response(#""tools":[{"type":"local_shell"},{"type":"function","name":"f"}],"#),
      budget: "budget: {max_daily: 1}")
    #expect(own.call.status == 200 && own.call.isPriceKnown)
  }

  @Test("for a count of tokens costs nothing")
  func countTokens() async throws {
    let counted = request(
      #"{"model":"claude-haiku-4-5","messages":[{"role":"user","content":"Hi"}]}"#,
      model: "anthropic:claude-haiku-4-5", path: "/messages/count_tokens")
    let answer = try await raw(
      #"{"input_tokens": 14}"#, counted, budget: "budget: {max_daily: 0.0000001}")
    #expect(answer.text == #"{"input_tokens": 14}"#)
    #expect(answer.call.cost == 0 && answer.call.finish == "stop")
    #expect(answer.sent.contains("POST /v1/messages/count_tokens"))
  }

  @Test("for Ollama to go on from is counted")
  func generate() async throws {
    let lines =
      #"{"model":"llama3","response":"Hello ","done":false}"# + "\n"
      + #"{"model":"llama3","response":"there.","done":false}"# + "\n"
      + #"{"model":"llama3","response":"","done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":4}"#
      + "\n"
    let answer = try await raw(
      lines, type: "application/x-ndjson",
      request(
        #"{"model":"llama3","prompt":"Hi"}"#, model: "ollama:llama3", path: "/api/generate"))
    #expect(answer.text == lines && answer.call.finish == "stop")
    #expect(answer.call.inputTokens == 9 && answer.call.outputTokens == 4)
  }
}

extension String {
  fileprivate func components(before part: String) -> String {
    guard let range = firstRange(of: part) else { return self }
    return String(self[..<range.lowerBound])
  }
}
