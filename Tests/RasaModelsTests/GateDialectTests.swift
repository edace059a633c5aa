import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// The whole way through the gate, in every wire format over a real socket.
@Suite struct GateDialectTests {
  private static let dialects = ProviderSettings.Dialect.allCases

  private func setting(
    _ dialect: ProviderSettings.Dialect, _ scripts: [Script]
  ) throws -> (setting: GateSetting, context: CallContext) {
    let setting = try GateSetting(scripts, dialect: dialect)
    let engine = BuiltIn.allCases.first { $0.dialect == dialect }?.rawValue ?? ""
    return (setting, .test("\(engine):cheap", fallback: "\(engine):thinker"))
  }

  @Test(arguments: dialects)
  func answersAndSettlesWhatTheProviderCounted(_ dialect: ProviderSettings.Dialect) async throws {
    let (setting, context) = try setting(
      dialect,
      [
        Script.text("Grüße an alle").with {
          $0.reasoning = ["Hm", ", yes"]
          $0.usage = .exactly(prompt: 40, completion: 9)
        }
      ])
    let answer = try await setting.ask(.plain, context)
    #expect(answer.text == "Grüße an alle")
    #expect(answer.usage.input == 40 && answer.usage.output == 9 && answer.usage.isReported)
    #expect(
      setting.shown.compactMap { if case .reasoning(let text) = $0 { text } else { nil } }.joined()
        == "Hm, yes")
    #expect(setting.ledger.settlements.map(\.actual) == [answer.cost])
    #expect(answer.cost == Money(picoDollars: 58_000_000))
  }

  @Test(arguments: dialects)
  func handsToolCallsOnAndBack(_ dialect: ProviderSettings.Dialect) async throws {
    let call = ScriptedCall(id: "call_1", name: "weather", arguments: ["city": "Ulm"])
    let (setting, context) = try setting(dialect, [Script.calls([call]).once(), .text("sunny")])
    var request = ModelRequest.plain
    request.tools = [
      ToolDefinition(
        name: "weather", description: "The weather of a city.",
        parameters: [
          "type": "object", "properties": ["city": ["type": "string"]], "required": ["city"],
        ])
    ]
    let answer = try await setting.ask(request, context)
    #expect(answer.finish == .toolCalls)
    #expect(answer.toolCalls.map(\.name) == ["weather"])
    #expect(answer.toolCalls.first?.arguments == ["city": "Ulm"])
    #expect(setting.ledger.entries.last?.body["tool_calls"].array?.count == 1)
    let id = answer.toolCalls.first?.id
    request.messages.append(
      ChatMessage(
        .assistant, answer.text, toolCalls: answer.toolCalls, reasoning: answer.reasoning))
    request.messages.append(ChatMessage(.tool, "21 degrees", toolCallID: id))
    #expect(try await setting.ask(request, context).text == "sunny")
    let body = try #require(setting.provider.requests.last?.json.json())
    #expect(body.contains("21 degrees") && body.contains("weather"))
  }

  @Test(arguments: dialects)
  func asksForASchemaAsTheDialectDoes(_ dialect: ProviderSettings.Dialect) async throws {
    let (setting, context) = try setting(dialect, [.words(8)])
    var request = ModelRequest.plain
    request.schema = [
      "type": "object", "properties": ["verdict": ["type": "string"]], "required": ["verdict"],
      "additionalProperties": false,
    ]
    _ = try await setting.ask(request, context)
    #expect(setting.provider.requests.first?.json.json().contains("verdict") == true)
  }

  @Test(
    arguments: dialects,
    [
      Script.Break.close, .unterminated,
      .errorObject(["type": "overloaded_error", "message": "busy"]),
      .malformed,
    ])
  func startsABrokenAnswerOnTheFallback(
    _ dialect: ProviderSettings.Dialect, _ how: Script.Break
  ) async throws {
    let (setting, context) = try setting(
      dialect,
      [
        Script.tokens(["half ", "an ", "answer"]).with { $0.breaking = (2, how) }
          .for(model: "cheap"),
        .text("whole"),
      ])
    // Gemini has no end mark, so an answer that ends early without a reason is the only sign.
    let answer = try await setting.ask(.plain, context)
    #expect(answer.text == "whole" && answer.model == "thinker")
    #expect(setting.shown.contains { if case .restarted = $0 { true } else { false } })
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .answered])
    #expect(setting.ledger.state.held.isEmpty)
  }

  @Test(arguments: dialects)
  func survivesCountsThatNoAnswerCanHave(_ dialect: ProviderSettings.Dialect) async throws {
    let absurd: Value = .int(1_000_000_000_000_000_000)
    let (setting, context) = try setting(
      dialect, [Script.words(4).with { $0.usage = .exactly(prompt: absurd, completion: absurd) }])
    let answer = try await setting.ask(.plain, context)
    #expect(!answer.usage.isReported)
    let hold = try #require(setting.ledger.state.reservations.first)
    #expect(answer.cost <= hold.amount)
  }

  @Test(arguments: dialects)
  func countsForItselfWhereTheProviderSaysNothing(_ dialect: ProviderSettings.Dialect) async throws
  {
    let (setting, context) = try setting(
      dialect, [Script.words(4).with { $0.usage = .missing }])
    let answer = try await setting.ask(.plain, context)
    #expect(!answer.usage.isReported && answer.usage.output >= 4 && answer.usage.input > 0)
  }
}
