import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaSystem
import RasaTestKit
import Testing

@testable import RasaModels

/// Each dialect from the request to the answer, over a socket. Asking through the adapter itself
/// wants a hold, which only the gate can make.
@Suite struct AdapterTests {
  private func settings(
    _ dialect: Dialect, _ provider: ScriptedProvider,
    change: (inout ProviderSettings) -> Void = { _ in }
  ) -> ProviderSettings {
    var settings = ProviderSettings(
      name: dialect.rawValue, dialect: dialect,
      baseURL: dialect == .openAI ? provider.openAIBaseURL : provider.baseURL,
      key: Secret("sk-secret"), allowsPlainHTTP: true)
    change(&settings)
    return settings
  }

  private var soon: UInt64 { TimeSource.system.monotonic() + 20_000_000_000 }

  private func ask(
    _ settings: ProviderSettings, _ request: ModelRequest = .plain
  ) async throws -> ChatProgress {
    let wire = settings.dialect.request(.made(request, settings))
    let response = try await HTTPClient().send(
      HTTPRequest(
        url: settings.address(of: wire.path), headers: settings.headers(idempotencyKey: "key-1"),
        body: wire.body, allowsPlainHTTP: true))
    let header: (String) -> String? = { response.headers.first(named: $0) }
    guard response.status == 200 else {
      let body = try await response.body.collect(limit: 65_536, deadline: soon)
      throw ProviderProblem(
        status: response.status, headers: header, body: body, now: TimeSource.system.now())
    }
    var stream = HTTPChatStream(
      body: response.body, decoder: settings.dialect.decoder(contentType: header("content-type")),
      address: settings.baseURL, key: settings.key, requestID: ProviderProblem.requestID(header))
    while try await stream.advance(deadline: soon) {}
    return stream.progress
  }

  @Test(arguments: Dialect.allCases)
  func answersWithEverythingApart(_ dialect: Dialect) async throws {
    let script = Script.text("Grüße an alle").with {
      $0.reasoning = ["First ", "this."]
      $0.toolCalls = [
        ScriptedCall(id: "c1", name: "weather", arguments: ["city": "Ulm", "days": [1, 2]]),
        ScriptedCall(id: "c2", name: "time"),
      ]
      $0.cachedTokens = 1
      $0.cacheWrites = 1
    }
    for chunking in [Script.Chunking.whole, .eachEvent, .everyByte] {
      let provider = try ScriptedProvider.start([script.with { $0.chunking = chunking }])
      let progress = try await ask(settings(dialect, provider))
      #expect(progress.text == "Grüße an alle")
      #expect(progress.reasoning == "First this.")
      #expect(progress.finish == .toolCalls)
      #expect(progress.problem == nil)
      #expect(
        progress.toolCalls.map(\.arguments) == [["city": "Ulm", "days": [1, 2]], [:]])
      #expect(progress.toolCalls.map(\.id) == ["c1", "c2"])
      let request = try #require(provider.requests.first)
      #expect(progress.usage?.input == Int64(request.inputRead))
      #expect(progress.usage?.output == Int64(request.outputSent))
      #expect(
        progress.contentEvents == Int64(request.outputSent)
          - (dialect == .openAI || dialect == .anthropic ? 2 : 0))
      #expect(progress.usage?.cachedInput == (dialect == .ollama ? nil : 1))
      #expect(progress.usage?.cacheWrites == (dialect == .anthropic ? 1 : nil))
      #expect(progress.usage?.reasoning == (dialect == .ollama ? nil : 2))
      #expect(
        progress.reasoningParts
          == (dialect == .anthropic
            ? [ReasoningPart(text: "First this.", signature: "signed scripted-0")]
            : dialect == .openAI ? [ReasoningPart(text: "First this.")] : []))
    }
  }

  @Test(arguments: Dialect.allCases)
  func carriesTheKeyInAHeaderOnly(_ dialect: Dialect) async throws {
    let provider = try ScriptedProvider.start([.text("a")])
    _ = try await ask(
      settings(dialect, provider) {
        $0.query = [("api-version", "1")]
        $0.extraHeaders = [("x-extra", "yes")]
      })
    let request = try #require(provider.requests.first)
    #expect(request.headers.count { $0.value.contains("sk-secret") } == 1)
    #expect(!request.path.contains("sk-secret"))
    #expect(request.path.hasSuffix("api-version=1"))
    #expect(request.header("x-extra") == "yes")
    #expect(request.header("idempotency-key") == "key-1")
    #expect(request.model == "m")
    #expect(request.cap == 100)
  }

  @Test(arguments: Dialect.allCases)
  func satisfiesASchema(_ dialect: Dialect) async throws {
    let schema: Value = [
      "type": "object", "properties": ["verdict": ["enum": ["accept", "revise"]]],
      "required": ["verdict"],
    ]
    let provider = try ScriptedProvider.start()
    let request = ModelRequest(messages: [ChatMessage(.user, "U")], schema: schema)
    let progress = try await ask(settings(dialect, provider), request)
    #expect(progress.text == "{\"verdict\":\"accept\"}")
  }

  @Test(arguments: Dialect.allCases)
  func listsModels(_ dialect: Dialect) async throws {
    let provider = try ScriptedProvider.start(models: ["a", "b"])
    let adapter = HTTPAdapter(
      settings: settings(dialect, provider), client: HTTPClient(), time: .system)
    #expect(try await adapter.listModels(deadline: soon).map(\.name) == ["a", "b"])
  }

  @Test(arguments: Dialect.allCases)
  func readsNothingIntoAbsentCounts(_ dialect: Dialect) async throws {
    let provider = try ScriptedProvider.start([Script.words(2).with { $0.usage = .missing }])
    let usage = try await ask(settings(dialect, provider)).usage
    #expect(usage == nil || usage == ReportedUsage())
  }

  @Test(arguments: Dialect.allCases)
  func countsOnceWhatIsReportedTwice(_ dialect: Dialect) async throws {
    let provider = try ScriptedProvider.start([Script.words(3).with { $0.repeatsUsage = true }])
    #expect(try await ask(settings(dialect, provider)).usage?.output == 3)
  }

  private static let breaks: [(Script.Break, ProviderProblem.Kind)] = [
    (
      .errorObject(["type": "error", "error": ["type": "overloaded_error", "message": "no"]]),
      .server
    ),
    (.errorObject(["error": ["code": 503, "message": "sk-secret"]]), .server),
    (.malformed, .brokenStream), (.unterminated, .brokenStream),
  ]

  @Test(arguments: Dialect.allCases, breaks)
  func tellsHowAStreamBroke(
    _ dialect: Dialect, _ row: (how: Script.Break, kind: ProviderProblem.Kind)
  ) async throws {
    let provider = try ScriptedProvider.start([
      Script.words(9).broken(after: 4, row.how).with { $0.headers = [("x-request-id", "r-77")] }
    ])
    let progress = try await ask(settings(dialect, provider))
    #expect(progress.problem?.kind == row.kind)
    #expect(progress.problem?.message.hasSuffix("[request r-77]") == true)
    #expect(progress.problem?.message.contains("sk-secret") == false)
    #expect(progress.contentEvents == 4)
  }

  @Test(arguments: Dialect.allCases, [Script.Break.close, .reset])
  func tellsThatTheConnectionBroke(_ dialect: Dialect, _ how: Script.Break) async throws {
    let provider = try ScriptedProvider.start([Script.words(9).broken(after: 4, how)])
    do {
      _ = try await ask(settings(dialect, provider))
      Issue.record("nothing broke")
    } catch let problem as ProviderProblem {
      #expect(problem.kind == .brokenStream)
    }
  }

  @Test(arguments: [Dialect.openAI, .anthropic, .gemini])
  func readsAnErrorWithoutFraming(_ dialect: Dialect) async throws {
    let raw = "[{\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"slow down\"\n  }\n}\n]\n"
    let provider = try ScriptedProvider.start([Script.words(9).broken(after: 2, .raw(raw))])
    let problem = try await ask(settings(dialect, provider)).problem
    #expect(problem?.kind == .rateLimit)
    #expect(problem?.message == "slow down")
  }

  @Test(
    arguments: Dialect.allCases,
    [
      (401, ProviderProblem.Kind.authentication), (402, .payment), (403, .authentication),
      (404, .modelNotFound), (400, .rejected), (408, .server), (429, .rateLimit), (500, .server),
      (503, .server), (529, .server),
    ])
  func classifiesRefusals(
    _ dialect: Dialect, _ row: (status: Int, kind: ProviderProblem.Kind)
  ) async throws {
    let provider = try ScriptedProvider.start([
      .error(row.status, "no reason", headers: [("request-id", "req_5")])
    ])
    do {
      _ = try await ask(settings(dialect, provider))
      Issue.record("it was not refused")
    } catch let problem as ProviderProblem {
      #expect(problem.kind == row.kind)
      #expect(problem.message.hasSuffix("no reason [request req_5]"))
    }
  }

  @Test func waitsAsLongAsGeminiSays() async throws {
    let provider = try ScriptedProvider.start([
      Script.error(429, "quota").with { $0.retryDelay = .milliseconds(1_500) }
    ])
    do {
      _ = try await ask(settings(.gemini, provider))
      Issue.record("it was not refused")
    } catch let problem as ProviderProblem {
      #expect(problem.retryAfter == .milliseconds(1_500))
    }
  }

  @Test(arguments: Dialect.allCases)
  func handsOnArgumentsThatAreNoJSON(_ dialect: Dialect) async throws {
    for text in [#"{"at": the sky}"#, "[1]", #""x""#, #"{"at": 1} and more"#] {
      let provider = try ScriptedProvider.start([
        .calls([ScriptedCall(id: "c", name: "look", text: text)])
      ])
      let answer = try await ask(settings(dialect, provider))
      #expect(answer.problem == nil)
      let call = try #require(answer.toolCalls.first)
      #expect(call.name == "look" && call.arguments == .emptyObject)
      #expect(call.unreadable?.isEmpty == false, "\(text)")
      #expect(ToolCall(call.value) == call)
    }
  }
}
