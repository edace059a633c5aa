import RasaCore
import RasaDocuments
import RasaHTTPClient
import RasaSystem
import RasaTestKit
import Testing

/// The provider itself, where others rely on it.
@Suite struct ProviderTests {
  private func ask(
    _ provider: ScriptedProvider, path: String, _ body: Value
  ) async throws -> String {
    try await HTTPClient().send(
      HTTPRequest(
        url: provider.baseURL + path, body: body.jsonBytes(), allowsPlainHTTP: true)
    ).body.text()
  }

  private func events(_ text: String) throws -> [Value] {
    try text.split(separator: "\n\n").filter { $0.hasPrefix("data: {") }
      .map { try JSON.parse(String($0.dropFirst(6))) }
  }

  @Test func openAIStreamHasEveryPart() async throws {
    let script = Script.text("one two three").with {
      $0.reasoning = ["hm "]
      $0.repeatsFinish = true
    }
    let provider = try ScriptedProvider.start([script])
    let text = try await HTTPClient().send(.chat(provider)).body.text()
    let deltas = try events(text).map { $0["choices"].array?.first ?? .null }
    #expect(deltas.compactMap { $0["delta"]["content"].string }.joined() == "one two three")
    #expect(deltas.compactMap { $0["delta"]["reasoning_content"].string } == ["hm "])
    #expect(deltas.filter { $0["finish_reason"] == "stop" }.count == 2)
    let usage = try #require(try events(text).last?["usage"])
    #expect(usage["prompt_tokens"] == 2)
    #expect(usage["completion_tokens"] == 4)
  }

  @Test func ollamaStreamIsLines() async throws {
    let provider = try ScriptedProvider.start([.text("one two")])
    let body: Value = ["model": "m", "messages": [["role": "user", "content": "hi"]]]
    let lines = try await ask(provider, path: "/api/chat", body).split(separator: "\n")
      .map { try JSON.parse(String($0)) }
    #expect(lines.map { $0["message"]["content"].string } == ["one ", "two", ""])
    #expect(lines.last?["done"] == true)
    #expect(lines.last?["eval_count"] == 2)
    #expect(lines.dropLast().allSatisfy { $0["done"] == false })
  }

  @Test(arguments: [true, false])
  func answerSatisfiesTheSchema(_ isOllama: Bool) async throws {
    let schema: Value = [
      "type": "object", "required": ["verdict", "score"],
      "properties": [
        "verdict": ["enum": ["accept", "revise"]], "score": ["type": "integer", "minimum": 3],
        "notes": ["type": "array", "items": ["type": "string"], "minItems": 2],
        "why": ["type": ["string", "null"]],
      ],
    ]
    let provider = try ScriptedProvider.start([.words(20)])
    let format: Value = ["type": "json_schema", "json_schema": ["name": "x", "schema": schema]]
    let text = try await ask(
      provider, path: isOllama ? "/api/chat" : "/v1/chat/completions",
      [
        "model": "m", "stream": false, "messages": [],
        isOllama ? "format" : "response_format": isOllama ? schema : format,
      ])
    let message = try JSON.parse(text)
    let content =
      isOllama
      ? message["message"]["content"]
      : (message["choices"].array?.first ?? .null)["message"]["content"]
    let answer = try JSON.parse(content.string ?? "")
    #expect(answer["verdict"] == "accept")
    #expect(answer["score"] == 3)
    #expect(answer["notes"].array?.count == 2)
    #expect(answer["why"] == "text")
    #expect((answer["notes"].array?.first?.string ?? "").split(separator: " ").count == 20)
  }

  @Test func scriptsServeInOrderAndByModel() async throws {
    let provider = try ScriptedProvider.start([
      .text("first").once(), .text("other").for(model: "other"), .text("rest"),
    ])
    let client = HTTPClient()
    func answer(_ model: String) async throws -> String {
      let text = try await client.send(.chat(provider, model: model)).body.text()
      return try events(text).compactMap {
        ($0["choices"].array?.first ?? .null)["delta"]["content"].string
      }.joined()
    }
    #expect(try await answer("other") == "first")
    #expect(try await answer("other") == "other")
    #expect(try await answer("some") == "rest")
    #expect(provider.requests.map(\.model) == ["other", "other", "some"])
  }

  @Test(arguments: [
    ("t7", 7, Duration.zero), ("t3-d1", 3, .milliseconds(1)), ("t2-d0-stamp", 2, .zero),
    ("t4-h5-r2", 4, .zero),
  ])
  func aModelsNameSelectsTheScript(_ name: String, _ tokens: Int, _ delay: Duration) async throws {
    let script = try #require(Script(modelName: name))
    #expect(script.tokenDelay == delay)
    let provider = try ScriptedProvider.start()
    _ = try await HTTPClient().send(.chat(provider, model: name)).body.text()
    #expect(try await provider.waitForEnd(ofRequest: 0).tokensSent == tokens)
  }

  @Test(arguments: ["scripted", "gpt-4o-mini", "t", "d5", "tx", "t5-", "t5-z", "t-1"])
  func otherModelNamesTellNothing(_ name: String) { #expect(Script(modelName: name) == nil) }

  @Test(arguments: [
    (Script.Break.errorObject(["error": ["message": "overloaded"]]), "overloaded"),
    (.malformed, #"delta":{"cont"#), (.unterminated, "data: "),
  ])
  func streamsBreakAsScripted(_ how: Script.Break, _ trace: String) async throws {
    let provider = try ScriptedProvider.start([.words(10).broken(after: 2, how)])
    let text = try await HTTPClient().send(.chat(provider)).body.text()
    #expect(text.contains(trace))
    #expect(!text.contains("[DONE]"))
    let request = try await provider.waitForEnd(ofRequest: 0)
    #expect(request.outcome == .broken)
    #expect(request.tokensSent == 2)
  }

  @Test func usageIsScripted() async throws {
    let provider = try ScriptedProvider.start([
      Script().with { $0.usage = .missing }.once(),
      Script().with { $0.usage = .exactly(prompt: -5, completion: "9e99") }.once(),
      Script().with { $0.usageOnFinish = true },
    ])
    let client = HTTPClient()
    var texts: [String] = []
    for _ in 0..<3 { texts.append(try await client.send(.chat(provider)).body.text()) }
    #expect(!texts[0].contains("usage"))
    #expect(texts[1].contains(#""prompt_tokens":-5,"completion_tokens":"9e99""#))
    let finish = try events(texts[2]).last
    #expect((finish?["choices"].array?.first ?? .null)["finish_reason"] == "stop")
    #expect(finish?["usage"]["completion_tokens"] == 3)
  }

  @Test func modelsAreListed() async throws {
    let provider = try ScriptedProvider.start(models: ["a", "b"])
    let client = HTTPClient()
    for (path, list, name) in [
      ("/v1/models", "data", "id"), ("/api/tags", "models", "name"), ("/api/ps", "models", "model"),
    ] {
      let request = HTTPRequest(method: "GET", url: provider.baseURL + path, allowsPlainHTTP: true)
      let document = try JSON.parse(try await client.send(request).body.text())
      #expect(document[list].array?.map { $0[name] } == ["a", "b"])
    }
  }

  @Test func commentsAndLineEndingsAreScripted() async throws {
    let script = Script.words(4).with {
      $0.commentEvery = 2
      $0.lineEnding = .crlf
    }
    let provider = try ScriptedProvider.start([script])
    let text = try await HTTPClient().send(.chat(provider)).body.text()
    #expect(text.count(of: ": keep-alive\r\n\r\n") == 2)
    #expect(text.hasSuffix("data: [DONE]\r\n\r\n"))
  }

  @Test func waitingInVainIsAnError() async throws {
    let provider = try ScriptedProvider.start()
    await #expect(throws: Failure.self) {
      try await provider.invoice.wait(for: "nothing", limit: .milliseconds(10)) { _ in false }
    }
    provider.stop()
    await #expect(throws: Failure.self) { try await provider.waitForRequests(1) }
  }
}
