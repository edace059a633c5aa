import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct AnthropicRequestTests {
  private func body(
    _ request: ModelRequest, cap: Int64 = 100, effort: ReasoningEffort? = nil,
    change: (inout WireQuirks) -> Void = { _ in }
  ) throws -> Value {
    let wire = AnthropicMessages.request(
      .made(request, .anthropic, cap: cap, effort: effort, change: change))
    #expect(wire.path == "/messages")
    return try JSON.parse(wire.body)
  }

  @Test func asksForAStream() throws {
    let request = ModelRequest(
      messages: [
        ChatMessage(.system, "S"), ChatMessage(.system, " \n"), ChatMessage(.user, "U"),
        ChatMessage(.user, "V"), ChatMessage(.assistant, "A"), ChatMessage(.user, ""),
      ], temperature: 1.5)
    #expect(
      try body(request) == [
        "model": "m", "max_tokens": 100, "system": "S", "temperature": 1.0, "stream": true,
        "messages": [
          [
            "role": "user",
            "content": [["type": "text", "text": "U"], ["type": "text", "text": "V"]],
          ],
          ["role": "assistant", "content": [["type": "text", "text": "A"]]],
        ],
      ])
  }

  @Test func asksSomethingWhereThereIsNothingToAsk() throws {
    let request = ModelRequest(messages: [ChatMessage(.system, "S"), ChatMessage(.user, " ")])
    #expect(try body(request)["messages"].array?.count == 1)
  }

  @Test func sendsToolsAndTheirAnswers() throws {
    let body = try body(.withTools)
    #expect(
      body["tools"].array?.first == [
        "name": "weather", "description": "Tells the weather.",
        "input_schema": ["type": "object", "properties": ["city": ["type": "string"]]],
      ])
    let turns = body["messages"].array ?? []
    #expect(turns.map { $0["role"] } == ["user", "assistant", "user"])
    #expect(
      turns[1]["content"] == [
        ["type": "thinking", "thinking": "T", "signature": "s"],
        ["type": "redacted_thinking", "data": "R"],
        ["type": "tool_use", "id": "c1", "name": "weather", "input": ["city": "Ulm"]],
        ["type": "tool_use", "id": "call_rasa_2_1", "name": "time", "input": [:]],
      ])
    #expect(
      turns[2]["content"] == [
        ["type": "tool_result", "tool_use_id": "c1", "content": "{\"degrees\":3}"],
        ["type": "tool_result", "tool_use_id": "call_rasa_2_1", "content": "noon"],
      ])
  }

  @Test func thinksAsTheModelCan() throws {
    let request = ModelRequest(messages: [ChatMessage(.user, "U")], temperature: 0.5)
    let newer = try body(request, cap: 4_096, effort: .high)
    #expect(newer["thinking"] == ["type": "adaptive", "display": "summarized"])
    #expect(newer["output_config"] == ["effort": "high"])
    #expect(newer["temperature"].isNull)
    let older = try body(request, cap: 4_096, effort: .medium) { $0.thinking = .budget }
    #expect(older["thinking"] == ["type": "enabled", "budget_tokens": 2_048])
    #expect(older["output_config"].isNull)
    #expect(older["temperature"].isNull)
    for (cap, none) in [(4_096, true), (1_000, false)] as [(Int64, Bool)] {
      let plain = try body(request, cap: cap, effort: .low) { $0.thinking = none ? .none : .budget }
      #expect(plain["thinking"].isNull)
      #expect(plain["temperature"] == 0.5)
    }
    #expect(try body(request, cap: 4_096)["thinking"].isNull)
  }

  @Test(
    arguments: [
      (ReasoningEffort.low, 1_279, nil), (.low, 1_280, 1_024), (.low, 8_000, 2_000),
      (.medium, 8_000, 4_000), (.high, 8_000, 6_400), (.high, 1_280, 1_024),
      (.high, .max, 7_378_697_629_483_820_644),
    ] as [(ReasoningEffort, Int64, Int64?)])
  func leavesRoomForTheAnswer(_ row: (effort: ReasoningEffort, cap: Int64, budget: Int64?)) {
    #expect(AnthropicMessages.budget(row.effort, cap: row.cap) == row.budget)
  }

  @Test(
    arguments: [
      (
        "an open object with an optional member and a bound",
        [
          "type": "object",
          "properties": ["a": ["type": "integer", "minimum": 1], "b": ["type": "string"]],
          "required": ["a"],
        ],
        [
          "type": "object", "properties": ["a": ["type": "integer"], "b": ["type": "string"]],
          "required": ["a"], "additionalProperties": false,
        ]
      ),
      (
        "alternatives and items",
        ["type": "array", "items": ["oneOf": [["const": 1], ["type": "null"]]], "minItems": 2],
        ["type": "array", "items": ["anyOf": [["const": 1], ["type": "null"]]]]
      ),
      ("a free-form object", ["type": "object"], nil),
      (
        "a member of free form",
        ["type": "object", "properties": ["a": ["type": "object"]]], nil
      ),
      (
        "members of a kind",
        ["type": "object", "properties": [:], "additionalProperties": ["type": "string"]], nil
      ),
      ("a reference", ["type": "object", "properties": ["a": ["$ref": "#"]]], nil),
      ("all of several", ["allOf": [["type": "object"]]], nil), ("true", true, nil),
    ] as [(String, Value, Value?)])
  func closesSchemas(_ row: (name: String, schema: Value, closed: Value?)) throws {
    #expect(StructuredOutput.closed(row.schema) == row.closed)
    let request = ModelRequest(messages: [ChatMessage(.user, "U")], schema: row.schema)
    let body = try body(request)
    if let closed = row.closed {
      #expect(body["output_config"]["format"] == ["type": "json_schema", "schema": closed])
      #expect(body["system"].isNull)
    } else {
      #expect(body["output_config"].isNull)
      #expect(body["system"].string?.contains(row.schema.json()) == true)
    }
  }

  @Test func tellsASchemaThatTheModelCannotBeHeldTo() throws {
    let schema: Value = ["type": "object", "properties": ["a": ["type": "string"]]]
    let request = ModelRequest(
      messages: [ChatMessage(.system, "S"), ChatMessage(.user, "U")], schema: schema)
    let body = try body(request) { $0.structuredOutput = .prompt }
    #expect(body["output_config"].isNull)
    #expect(body["system"].string?.hasPrefix("S\n\nAnswer with one JSON object") == true)
  }
}
