import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

/// What clients send besides words, in each dialect.
@Suite struct RequestParameterTests {
  private func body(
    _ dialect: String, _ request: ModelRequest, effort: ReasoningEffort? = nil,
    change: (inout WireQuirks) -> Void = { _ in }
  ) throws -> Value {
    let settings: ProviderSettings
    switch dialect {
    case "openai": settings = try .openAI(baseURL: nil, key: nil)
    case "anthropic": settings = .anthropic
    case "gemini": settings = .gemini
    default: settings = ProviderSettings(name: "ollama", dialect: .ollama, baseURL: "http://o")
    }
    let call = WireCall.made(
      request, settings, cap: 4_000, effort: effort, isThinking: effort != nil, change: change)
    return try JSON.parse(settings.dialect.request(call).body)
  }

  private func request(_ required: RequiredCall? = nil) -> ModelRequest {
    var request = ModelRequest(
      messages: [ChatMessage(.user, "U")], tools: [ModelRequest.weather])
    request.topP = 0.25
    request.stop = ["END", "\n"]
    request.requiredCall = required
    return request
  }

  @Test func namesTheShareOfTokensAndTheStops() throws {
    let openAI = try body("openai", request())
    #expect(openAI["top_p"] == 0.25 && openAI["stop"] == ["END", "\n"])
    let anthropic = try body("anthropic", request())
    #expect(anthropic["top_p"] == 0.25 && anthropic["stop_sequences"] == ["END", "\n"])
    let gemini = try body("gemini", request())["generationConfig"]
    #expect(gemini["topP"] == 0.25 && gemini["stopSequences"] == ["END", "\n"])
    let ollama = try body("ollama", request())["options"]
    #expect(ollama["top_p"] == 0.25 && ollama["stop"] == ["END", "\n"])
  }

  @Test func hasAToolCalled() throws {
    #expect(try body("openai", request(.any))["tool_choice"] == "required")
    #expect(
      try body("openai", request(.named("weather")))["tool_choice"]
        == ["type": "function", "function": ["name": "weather"]])
    #expect(try body("anthropic", request(.any))["tool_choice"] == ["type": "any"])
    #expect(
      try body("anthropic", request(.named("weather")))["tool_choice"]
        == ["type": "tool", "name": "weather"])
    #expect(
      try body("gemini", request(.any))["toolConfig"] == ["functionCallingConfig": ["mode": "ANY"]])
    #expect(
      try body("gemini", request(.named("weather")))["toolConfig"]
        == ["functionCallingConfig": ["mode": "ANY", "allowedFunctionNames": ["weather"]]])
    for dialect in ["openai", "anthropic", "gemini"] {
      let free = try body(dialect, request())
      #expect(free["tool_choice"].isNull && free["toolConfig"].isNull)
    }
  }

  /// Anthropic refuses a model that thinks and has to call a tool, and one that thinks with a low `top_p`.
  @Test func thinksOnlyWhereItMay() throws {
    let thinking = try body("anthropic", request(), effort: .medium)
    #expect(!thinking["thinking"].isNull && thinking["top_p"].isNull)
    let forced = try body("anthropic", request(.any), effort: .medium)
    #expect(forced["thinking"].isNull && forced["top_p"] == 0.25)
  }

  @Test func givesUpAShareThatTheServerRefuses() throws {
    var quirks = WireQuirks(try .openAI(baseURL: nil, key: nil))
    var triedOtherField = false
    let problem = ProviderProblem(.unsupported, "no", parameter: "top_p")
    #expect(quirks.adapt(to: problem, triedOtherField: &triedOtherField))
    #expect(!quirks.sendsTopP && quirks.adaptations == "no_top_p")
    #expect(
      WireQuirks(try .openAI(baseURL: nil, key: nil), adaptations: "no_top_p")?.sendsTopP == false)
    #expect(try body("openai", request()) { $0.sendsTopP = false }["top_p"].isNull)
    #expect(!quirks.adapt(to: problem, triedOtherField: &triedOtherField))
  }

  /// A journal names requests by their digests: what has none of the members keeps its own.
  @Test func changesTheDigestOnlyWhereItIsThere() {
    func digest(_ change: (inout ModelRequest) -> Void) -> String {
      var request = ModelRequest(
        messages: [ChatMessage(.user, "U")], maxTokens: 5, temperature: 0.5)
      change(&request)
      let context = CallContext(
        run: Identifier("r-1"),
        key: EffectKey(frame: "f", visit: 1, operatorName: "o", label: "call"), persona: "p")
      return CallPlan.digest(request, context, GateOptions(), schema: "")
    }
    // As versions without these members computed it.
    #expect(
      digest { _ in } == "147c1c00a84b61a2919c2abc3707cca11ae1330b41f134400502e74915cbfe7c")
    let all = [
      digest { _ in }, digest { $0.topP = 0.5 }, digest { $0.stop = ["a"] },
      digest { $0.stop = ["a", "b"] }, digest { $0.stop = ["ab"] },
      digest { $0.requiredCall = .any }, digest { $0.requiredCall = .named("a") },
    ]
    #expect(Set(all).count == all.count)
  }
}
