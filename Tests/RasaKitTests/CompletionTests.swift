import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("A question to a model in no provider's words", .timeLimit(.minutes(1)))
struct CompletionTests {
  /// Keeps what is given, and refuses it from a given part on.
  private actor Reader {
    private(set) var parts: [Rasa.CompletionPart] = []
    private let most: Int

    init(parts most: Int = .max) { self.most = most }

    func take(_ part: Rasa.CompletionPart) throws {
      guard parts.count < most else { throw Gone() }
      parts.append(part)
    }

    var text: String {
      parts.map { if case .text(let text) = $0 { text } else { "" } }.joined()
    }
    var models: [String] {
      parts.compactMap { if case .started(_, let model) = $0 { model } else { nil } }
    }
  }

  private struct Gone: Error {}

  /// A `Rasa` for which one scripted server is every provider.
  private struct Providers {
    let folder = ScratchDirectory()
    let provider: ScriptedProvider
    let rasa: Rasa

    init(_ scripts: [Script], config: String? = nil) throws {
      if let config { try folder.write(config, to: "home/config.yaml") }
      provider = try ScriptedProvider.start(scripts, models: ["gpt-4o-mini"])
      var configuration = Rasa.Configuration(home: folder.file("home"))
      configuration.environment = [
        "OPENAI_BASE_URL": provider.openAIBaseURL, "OPENAI_API_KEY": "sk-test",
        "ANTHROPIC_BASE_URL": provider.baseURL, "ANTHROPIC_API_KEY": "sk-ant-test",
        "OLLAMA_HOST": provider.baseURL,
      ]
      rasa = try Rasa(configuration)
    }

    func close() async {
      await rasa.close()
      withExtendedLifetime((folder, provider)) {}
    }
  }

  private func question(
    _ text: String = "Hi", model: String = "openai:gpt-4o-mini"
  ) -> Rasa.Completion {
    Rasa.Completion(model: model, messages: [.init(.user, text)])
  }

  private static let weather = Rasa.Completion.Tool(
    name: "weather", description: "Tells the weather.",
    parameters: ["type": "object", "properties": ["city": ["type": "string"]]])

  @Test("is answered in parts, paid and journalled in a run of its own")
  func answered() async throws {
    let kit = try Providers([
      Script.text("Hello you there.").with { $0.chunking = .eachEvent }
    ])
    let reader = Reader()
    let result = try await kit.rasa.complete(question()) { try await reader.take($0) }
    #expect(result.text == "Hello you there." && result.finish == "stop")
    #expect(await reader.text == result.text)
    #expect(await reader.parts.first == .started(provider: "openai", model: "gpt-4o-mini"))
    #expect(result.isCounted && result.isPriceKnown && !result.isMock && result.insteadOf == nil)
    #expect(result.inputTokens == 1 && result.outputTokens == 3 && result.cost > 0)
    let calls = try await kit.rasa.calls(ofRun: result.run)
    #expect(calls.map(\.cost) == [result.cost] && calls.map(\.outcome) == ["answered"])
    #expect((calls.first?.held ?? 0) >= result.cost)
    let kinds = try await kit.rasa.events(ofRun: result.run).map(\.kind)
    #expect(kinds == ["run.started", "call.intent", "call.result", "run.finished"])
    #expect(try await kit.rasa.run(withID: result.run).persona == "completion")
    await kit.close()
  }

  @Test(
    "reaches every dialect with all that it says",
    arguments: ["openai:gpt-4o-mini", "anthropic:claude-haiku-4-5", "ollama:llava"])
  func translated(_ model: String) async throws {
    let kit = try Providers([.text("Ja.")])
    var asked = Rasa.Completion(
      model: model,
      messages: [
        .init(.system, "You are brief."), .init(.system, "You are polite."),
        .init(.user, "Look:"), .init(.assistant, ""), .init(.tool, "no such city"),
        .init(.user, "And?"),
      ])
    let picture = try Rasa.Attachment(name: "dot.png", bytes: Self.png)
    asked.messages[2].attachments = [picture, try .init(name: "a.txt", bytes: Array("note".utf8))]
    asked.messages[3].toolCalls = [
      .init(id: "c1", name: "weather", arguments: #"{"city":"Ulm"}"#)
    ]
    asked.messages[4].answers = "c1"
    asked.messages[4].isError = true
    asked.tools = [Self.weather]
    asked.topP = 0.5
    asked.stop = ["END"]
    asked.maxTokens = 70
    let result = try await kit.rasa.complete(asked) { _ in }
    #expect(result.text == "Ja.")
    let body = try #require(kit.provider.requests.last?.json)
    let text = body.json()
    for words in ["You are brief.", "You are polite.", "Ulm", "no such city", "note", "weather"] {
      #expect(text.contains(words), "\(words)")
    }
    #expect(text.contains(Self.base64))
    #expect((body["top_p"].double ?? body["options"]["top_p"].double) == 0.5)
    let stop = [body["stop"], body["stop_sequences"], body["options"]["stop"]]
    #expect(stop.contains(["END"]))
    #expect(kit.provider.requests.last?.cap == 70)
    if model.hasPrefix("anthropic") { #expect(text.contains(#""is_error":true"#)) }
    await kit.close()
  }

  private static let base64 =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
  private static let png: [UInt8] = [
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1F, 0x15, 0xC4, 0x89, 0, 0, 0, 0x0D, 0x49, 0x44, 0x41, 0x54,
    0x78,
    0xDA, 0x63, 0x64, 0xF8, 0xCF, 0x50, 0x0F, 0, 3, 0x86, 1, 0x80, 0x5A, 0x34, 0x7D, 0x6B, 0, 0, 0,
    0,
    0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82,
  ]

  @Test("gives a model's calls back to the client and takes their results")
  func tools() async throws {
    let kit = try Providers([
      .calls([ScriptedCall(id: "c7", name: "weather", arguments: ["city": "Ulm"])])
    ])
    var asked = question()
    asked.tools = [Self.weather]
    asked.toolChoice = .named("weather")
    let reader = Reader()
    let result = try await kit.rasa.complete(asked) { try await reader.take($0) }
    #expect(result.finish == "tool_calls" && result.text.isEmpty)
    #expect(
      result.toolCalls == [.init(id: "c7", name: "weather", arguments: #"{"city":"Ulm"}"#)])
    #expect(await reader.parts.last == result.toolCalls.first.map { .toolCall($0) })
    let choice = kit.provider.requests.last?.json["tool_choice"]
    #expect(choice?["function"]["name"] == "weather")
    await kit.close()
  }

  @Test("is refused with the parameter and the model where a provider has no place for it")
  func unfit() async throws {
    let kit = try Providers([.text("Hello.")])
    var asked = question(model: "ollama:llama3")
    asked.tools = [Self.weather]
    asked.toolChoice = .required
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.complete(asked) { _ in }
    }
    #expect(error?.code == .configuration && error?.reason == "unfit")
    #expect(error?.message.contains("tool_choice") == true)
    #expect(error?.message.contains("llama3") == true)
    #expect(kit.provider.requests.allSatisfy { $0.method == "GET" })
    // Another model that can be told answers instead.
    asked.alternatives = ["openai:gpt-4o-mini"]
    let result = try await kit.rasa.complete(asked) { _ in }
    #expect(result.model == "gpt-4o-mini" && result.insteadOf == "ollama:llama3")
    #expect(result.because?.contains("tool_choice") == true)
    await kit.close()
  }

  @Test("makes sense, or nothing is asked")
  func nonsense() async throws {
    let kit = try Providers([])
    var wrong: [Rasa.Completion] = [question(model: " "), .init(model: "fast", messages: [])]
    var asked = question()
    asked.maxTokens = 0
    wrong.append(asked)
    asked = question()
    asked.topP = 1.5
    wrong.append(asked)
    asked = question()
    asked.temperature = .nan
    wrong.append(asked)
    asked = question()
    asked.toolChoice = .required
    wrong.append(asked)
    asked = question()
    asked.tools = [Self.weather]
    asked.toolChoice = .named("wether")
    wrong.append(asked)
    asked = question()
    asked.messages.append(.init(.tool, "3"))
    wrong.append(asked)
    asked = question()
    asked.messages[0] = .init(.assistant, "")
    asked.messages[0].toolCalls = [.init(id: "c", name: "weather", arguments: "[1]")]
    wrong.append(asked)
    asked = question()
    asked.messages[0] = .init(.system, "Look.")
    asked.messages[0].attachments = [try Rasa.Attachment(name: "dot.png", bytes: Self.png)]
    wrong.append(asked)
    for request in wrong {
      let error = await #expect(throws: RasaError.self) {
        try await kit.rasa.complete(request) { _ in }
      }
      #expect(error?.code == .usage && error?.suggestion.isEmpty == false, "\(request)")
    }
    asked = question()
    asked.owner = "nobody-here"
    let owner = await #expect(throws: RasaError.self) {
      try await kit.rasa.complete(asked) { _ in }
    }
    #expect(owner?.code == .usage)
    #expect(kit.provider.requests.isEmpty)
    await kit.close()
  }

  @Test("goes on to the next model as long as nothing of an answer was given")
  func fallsBack() async throws {
    let kit = try Providers([
      .error(503).for(model: "gpt-4o"), Script.text("Hello."),
    ])
    var asked = question(model: "openai:gpt-4o")
    asked.alternatives = ["anthropic:claude-haiku-4-5"]
    let reader = Reader()
    let result = try await kit.rasa.complete(asked) { try await reader.take($0) }
    #expect(result.provider == "anthropic" && result.insteadOf == "openai:gpt-4o")
    #expect(await reader.models == ["claude-haiku-4-5"])
    #expect(await reader.text == "Hello.")
    let outcomes = try await kit.rasa.calls(ofRun: result.run).map(\.outcome)
    #expect(outcomes == ["failed", "answered"])
    await kit.close()
  }

  @Test(
    "is an error where a stream breaks after its first content, and is not asked again",
    arguments: [
      Script.Break.close, .malformed, .unterminated, .errorObject(["message": "overloaded"]),
    ])
  func breaks(_ how: Script.Break) async throws {
    let kit = try Providers([
      Script.words(9).with { $0.chunking = .eachEvent }.broken(after: 4, how),
      Script.text("Never asked."),
    ])
    var asked = question()
    asked.alternatives = ["anthropic:claude-haiku-4-5"]
    let reader = Reader()
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.complete(asked) { try await reader.take($0) }
    }
    #expect(error?.code == .provider && error?.message.contains("broke off") == true)
    #expect(kit.provider.requests.count == 1)
    #expect(await reader.models == ["gpt-4o-mini"])
    let run = try #require(error?.run)
    let calls = try await kit.rasa.calls(ofRun: run)
    #expect(calls.count == 1 && (calls.first?.cost ?? 0) > 0)
    #expect(try await kit.rasa.run(withID: run).status == .failed)
    #expect(try await kit.rasa.budgets().allSatisfy { $0.day.held == 0 })
    await kit.close()
  }

  @Test("ends at the provider and is settled where its reader throws")
  func readerGone() async throws {
    let kit = try Providers([
      Script.words(200).with {
        $0.chunking = .eachEvent
        $0.tokenDelay = .milliseconds(20)
      }
    ])
    let reader = Reader(parts: 3)
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.complete(question()) { try await reader.take($0) }
    }
    #expect(error?.message.contains("Gone") == true)
    try await kit.provider.waitForDisconnect(ofRequest: 0)
    let run = try #require(error?.run)
    let call = try #require(try await kit.rasa.calls(ofRun: run).first)
    #expect(call.outcome == "cancelled" && (call.cost ?? 0) > 0)
    await kit.close()
  }

  @Test("is refused without money for it, and costs nothing")
  func poor() async throws {
    let kit = try Providers([.text("Hello.")])
    var asked = question()
    asked.maxCost = Rasa.Dollars("0.000000001")
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.complete(asked) { _ in }
    }
    #expect(error?.code == .budget)
    #expect(kit.provider.requests.isEmpty)
    await kit.close()
  }

  @Test("is cut off at what could be held, and says so")
  func cutOff() async throws {
    let kit = try Providers([Script.words(4_000)])
    var asked = question()
    asked.maxCost = Rasa.Dollars("0.0003")
    let reader = Reader()
    let result = try await kit.rasa.complete(asked) { try await reader.take($0) }
    #expect(result.finish == "cut_off")
    #expect(await reader.text == result.text && !result.text.isEmpty)
    #expect(result.cost <= 0.0003)
    await kit.close()
  }

  @Test("hands a refusal on as an answer, with its words apart")
  func refused() async throws {
    let kit = try Providers([
      Script.text("").with { $0.finishReason = "content_filter" }
    ])
    let result = try await kit.rasa.complete(question()) { _ in }
    #expect(result.finish == "filtered" && result.text.isEmpty && result.cost > 0)
    #expect(kit.provider.requests.count == 1)
    await kit.close()
  }

  @Test(
    "by a class asks a model of that class", arguments: ["fast", "balanced", "thinking", "expert"])
  func byClass(_ word: String) async throws {
    let kit = try Providers([.text("Hello.")])
    let result = try await kit.rasa.complete(question(model: word)) { _ in }
    #expect(result.text == "Hello." && !result.isMock)
    await kit.close()
  }

  @Test("says where the mock made its answer up")
  func mock() async throws {
    let kit = try Kit()
    let result = try await kit.rasa.complete(question(model: "fast")) { _ in }
    #expect(result.isMock && result.provider == "mock" && result.cost == 0)
    await kit.rasa.close()
  }

  @Test("costs what is unknown, and says so")
  func unknownPrice() async throws {
    let kit = try Providers([.text("Hello.")])
    let result = try await kit.rasa.complete(question(model: "openai:house-model-1")) { _ in }
    #expect(!result.isPriceKnown)
    await kit.close()
  }
}
