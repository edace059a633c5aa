import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

extension WireCall {
  /// A call as the gate would make it, for a provider that speaks the dialect.
  static func made(
    _ request: ModelRequest, _ settings: ProviderSettings, model: String = "m", cap: Int64 = 100,
    effort: ReasoningEffort? = nil, isThinking: Bool = false, input: Int64 = 10,
    change: (inout WireQuirks) -> Void = { _ in }
  ) -> WireCall {
    var quirks = WireQuirks(settings)
    change(&quirks)
    return WireCall(
      request: request, model: model, cap: cap, effort: effort, isThinking: isThinking,
      inputEstimate: input, quirks: quirks)
  }
}

extension ProviderSettings {
  static let anthropic = ProviderSettings(
    name: "anthropic", dialect: .anthropic, baseURL: "https://api.anthropic.com",
    key: Secret("sk-ant"))
  static let gemini = ProviderSettings(
    name: "gemini", dialect: .gemini, baseURL: "https://generativelanguage.googleapis.com",
    key: Secret("AIza"))
}

extension ModelRequest {
  static let weather = ToolDefinition(
    name: "weather", description: "Tells the weather.",
    parameters: ["type": "object", "properties": ["city": ["type": "string"]]])

  /// A conversation in which two tools were called and have answered.
  static let withTools = ModelRequest(
    messages: [
      ChatMessage(.system, "S"), ChatMessage(.user, "U"),
      ChatMessage(
        .assistant, "",
        toolCalls: [
          ToolCall(id: "c1", name: "weather", arguments: ["city": "Ulm"], signature: "sig"),
          ToolCall(id: "call_rasa_2_1", name: "time", arguments: [:]),
        ],
        reasoning: [
          ReasoningPart(text: "T", signature: "s"), ReasoningPart(text: "", redacted: "R"),
          ReasoningPart(text: "unsigned"),
        ]),
      ChatMessage(.tool, "{\"degrees\":3}", toolCallID: "c1"),
      ChatMessage(.tool, "noon", toolCallID: "call_rasa_2_1"),
    ],
    tools: [
      weather,
      ToolDefinition(name: "time", description: "Tells the time.", parameters: ["type": "object"]),
    ])
}
