import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct MockTests {
  private static let critic: Value = [
    "type": "object",
    "properties": [
      "verdict": ["type": "string", "enum": ["pass", "revise", "escalate"]],
      "reasons": ["type": "array", "items": ["type": "string"]],
    ],
    "required": ["verdict", "reasons"], "additionalProperties": false,
  ]

  private func setting() throws -> GateSetting {
    try GateSetting(configure: { $0 = ModelConfiguration(prefersMock: true) })
  }

  private func answer(
    _ prompt: String, name: String = "respond", schema: Value? = nil, cap: Int? = nil
  ) async throws -> ModelAnswer {
    let request = ModelRequest(
      messages: [ChatMessage(.user, prompt)], schema: schema, name: name, maxTokens: cap,
      input: "Is bicycle A better than B?", preferences: ["budget": "low", "hills": "many"])
    return try await setting().ask(request)
  }

  private let request = """
    Request:
    Is bicycle A better than B?

    Preferences that the user stated: {
      "budget": "low",
      "hills": "many"
    }
    """

  private static func tool(
    _ name: String, _ properties: Value, isReadOnly: Bool = true
  ) -> ToolDefinition {
    var tool = ToolDefinition(
      name: name, description: "",
      parameters: [
        "type": "object", "properties": properties,
        "required": .array((properties.object ?? ValueObject()).map { .string($0.key) }),
      ])
    tool.isReadOnly = isReadOnly
    return tool
  }

  @Test func looksUpWhatToolsThatChangeNothingReturnAndWhatTheOthersNeedOfThat() async throws {
    var request = ModelRequest(
      messages: [ChatMessage(.user, "Is Brightwater Semiconductor a buy?")],
      tools: [
        Self.tool("order", ["symbol": ["type": "string"]], isReadOnly: false),
        Self.tool("find", ["query": ["type": "string"]]),
        Self.tool(
          "history", ["symbol": ["type": "string"], "days": ["type": "integer", "minimum": 5]]),
        Self.tool("weather", ["town": ["type": "string"]]),
      ], name: "gather", input: "Is Brightwater Semiconductor a buy?")
    let first = try await setting().ask(request)
    #expect(first.toolCalls.map(\.name) == ["find"] && first.finish == .toolCalls)
    #expect(first.toolCalls[0].arguments == ["query": "Brightwater"])
    func hand(_ result: String, _ calls: [ToolCall]) {
      request.messages.append(ChatMessage(.assistant, "", toolCalls: calls))
      for call in calls {
        request.messages.append(ChatMessage(.tool, result, toolCallID: call.id))
      }
    }
    hand(#"{"found": [{"symbol": "BRGT"}, {"symbol": "ALDR"}]}"#, first.toolCalls)
    let second = try await setting().ask(request)
    #expect(second.toolCalls.map(\.name) == ["history"])
    #expect(second.toolCalls.first?.arguments == ["symbol": "BRGT", "days": 5])
    hand("no JSON", second.toolCalls)
    let last = try await setting().ask(request)
    #expect(last.toolCalls.isEmpty && last.text.contains("The mock called find, history"))
    request.allowsToolCalls = false
    request.messages = [request.messages[0]]
    #expect(try await setting().ask(request).toolCalls.isEmpty)
  }

  @Test func answersWithTheRequestsOwnWordsAndSaysThatItIsMadeUp() async throws {
    let first = try await answer(request)
    #expect(first.text.contains("“Is bicycle A better than B?”"))
    #expect(first.text.contains("budget low, hills many"))
    #expect(first.text.contains("no model was asked"))
    #expect(first.isMock)
    #expect(first.cost == .zero)
    #expect(!first.usage.isReported)
    #expect(try await answer(request).text == first.text)
  }

  @Test func streamsWordByWord() async throws {
    let setting = try setting()
    let answer = try await setting.ask()
    let pieces = setting.shown.compactMap { event in
      if case .text(let text) = event { text } else { nil }
    }
    #expect(pieces.count > 10)
    #expect(pieces.joined() == answer.text)
    #expect(setting.shown.first == .started(provider: "mock", model: "mock"))
    #expect(setting.ledger.settlements.map(\.actual) == [.zero])
    #expect(setting.ledger.entries.map(\.kind) == ["call.intent", "call.result"])
    #expect(setting.ledger.entries.last?.body["mock"] == true)
  }

  @Test func pausesBetweenWords() async throws {
    let setting = try GateSetting(
      configure: { $0 = ModelConfiguration(prefersMock: true) },
      options: { $0.mockDelay = .milliseconds(8) })
    let answer = try await setting.ask()
    #expect(setting.clock.sleeps.count == MockAdapter.words(answer.text).count)
    #expect(setting.clock.sleeps.allSatisfy { $0 == .milliseconds(8) })
  }

  @Test func criticisesADraftOnceAndLetsItsRevisionPass() async throws {
    let draft = try await answer(request).text
    let critique = try await answer(
      "\(request)\n\nDraft:\n\(draft)", name: "critic_agent", schema: Self.critic)
    let first = try JSON.parse(critique.text)
    #expect(first["verdict"] == "revise")
    #expect(first["reasons"].array?.count == 1)

    let revised = try await answer(
      "\(request)\n\nEarlier draft:\n\(draft)\n\nCritique of it:\n\(first.promptText)"
    ).text
    #expect(revised != draft)
    let again = try await answer(
      "\(request)\n\nDraft:\n\(revised)", name: "critic_agent", schema: Self.critic)
    #expect(try JSON.parse(again.text) == ["verdict": "pass", "reasons": []])
  }

  @Test(arguments: [
    ("explain_operator", "has two steps"), ("alt_recommendation_operator", "alternatives"),
    ("respond", "careful"),
  ])
  func speaksAsTheOperatorDoes(_ row: (name: String, words: String)) async throws {
    #expect(try await answer(request, name: row.name).text.contains(row.words))
  }

  @Test func keepsToTheCap() async throws {
    let short = try await answer(request, cap: 5)
    #expect(MockAdapter.words(short.text).count == 5)
    #expect(short.finish == .length)
  }

  static let schemas: [(schema: Value, instance: Value)] = [
    (["type": "string"], "made-up answer"),
    (["type": "string", "maxLength": 4], "made"),
    (["type": "string", "minLength": 16], "made-up answer.."),
    (["const": 7], 7),
    (["enum": ["a", "b"]], "a"),
    (["type": "integer", "minimum": 3], 3),
    (["type": "number", "maximum": 0.5], 0.5),
    (["type": "boolean"], false),
    (["type": "null"], .null),
    (["type": ["string", "null"]], "made-up answer"),
    (["type": "array", "items": ["type": "integer"], "minItems": 2], [1, 1]),
    (["type": "array", "items": ["type": "integer"], "maxItems": 0], []),
    (["anyOf": [["type": "boolean"], ["type": "null"]]], false),
    (
      ["type": "object", "properties": ["risk_level": ["type": "string"]]],
      ["risk_level": "made-up risk level"]
    ),
    (["type": "object", "required": ["x"]], ["x": "made up"]),
    (
      [
        "$defs": ["n": ["type": "integer"]], "type": "object",
        "properties": ["a": ["$ref": "#/$defs/n"]],
      ],
      ["a": 1]
    ),
    ([:], "made-up answer"),
  ]

  @Test(arguments: schemas)
  func fitsASchema(_ row: (schema: Value, instance: Value)) async throws {
    #expect(try JSON.parse(await answer("x", schema: row.schema).text) == row.instance)
  }

  @Test func endsAtASchemaThatContainsItself() async throws {
    let schema: Value = [
      "type": "object", "properties": ["next": ["$ref": "#"]], "required": ["next"],
    ]
    #expect(try JSON.parse(await answer("x", schema: schema).text)["next"] != .null)
  }

  @Test func shortensALongQuestion() {
    let question = (1...40).map { "word\($0)" }.joined(separator: " ")
    let request = ModelRequest(messages: [], input: question, preferences: ["risk": "low"])
    let prompt = MockPrompt(request)
    #expect(prompt.topic.hasSuffix("word16 …"))
    #expect(prompt.preferences.map { "\($0.key)=\($0.value)" } == ["risk=low"])
    #expect(MockPrompt(ModelRequest(messages: [])).topic.isEmpty)
  }
}
