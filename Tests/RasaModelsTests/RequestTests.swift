import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct RequestTests {
  private static let schema: Value = [
    "type": "object", "properties": ["verdict": ["type": "string"]], "required": ["verdict"],
    "additionalProperties": false,
  ]

  private func openAI(
    _ request: ModelRequest, baseURL: String? = nil, change: (inout WireQuirks) -> Void = { _ in }
  ) throws -> Value {
    let settings = try ProviderSettings.openAI(baseURL: baseURL, key: nil)
    let wire = OpenAIChat.request(.made(request, settings, change: change))
    #expect(wire.path == "/chat/completions")
    return try JSON.parse(wire.body)
  }

  @Test func asksOpenAIForAStreamWithUsage() throws {
    let request = ModelRequest(
      messages: [ChatMessage(.system, "S"), ChatMessage(.user, "U\n\"quoted\"")], temperature: 0.5)
    let body = try openAI(request)
    #expect(body["model"] == "m")
    #expect(body["stream"] == true)
    #expect(body["stream_options"]["include_usage"] == true)
    #expect(body["max_completion_tokens"] == 100)
    #expect(body["max_tokens"].isNull)
    #expect(body["temperature"] == 0.5)
    #expect(
      body["messages"] == [
        ["role": "system", "content": "S"], ["role": "user", "content": "U\n\"quoted\""],
      ])
  }

  @Test func namesTheCapAsCompatibleServersDo() throws {
    let body = try openAI(.plain, baseURL: "http://127.0.0.1:8000")
    #expect(body["max_tokens"] == 100)
    #expect(body["max_completion_tokens"].isNull)
  }

  @Test func sendsASchemaAsFarAsTheServerTakesIt() throws {
    let request = ModelRequest(
      messages: [ChatMessage(.user, "U")], schema: Self.schema, name: "critic agent!")
    let enforced = try openAI(request)["response_format"]
    #expect(enforced["type"] == "json_schema")
    #expect(enforced["json_schema"]["name"] == "critic_agent_")
    #expect(enforced["json_schema"]["strict"] == true)
    #expect(enforced["json_schema"]["schema"] == Self.schema)

    let some = try openAI(request) { $0.structuredOutput = .jsonObject }
    #expect(some["response_format"] == ["type": "json_object"])
    #expect(some["messages"].array?.first?["content"].string?.contains("\"verdict\"") == true)

    let told = try openAI(request) { $0.structuredOutput = .prompt }
    #expect(told["response_format"].isNull)
    #expect(told["messages"].array?.count == 2)
  }

  @Test(
    arguments: [
      ("closed and all required", schema, true),
      (
        "open", ["type": "object", "properties": ["a": ["type": "string"]], "required": ["a"]],
        false
      ),
      (
        "an optional property",
        ["type": "object", "properties": ["a": ["type": "string"]], "additionalProperties": false],
        false
      ),
      ("an array of closed objects", ["type": "array", "items": schema], true),
      ("a bound", ["type": "integer", "minimum": 1], false),
      ("anything", [:], false),
    ] as [(String, Value, Bool)])
  func asksForStrictnessOnlyWhereASchemaAllowsIt(_ row: (name: String, schema: Value, strict: Bool))
  {
    #expect(StructuredOutput.isStrict(row.schema) == row.strict)
  }

  @Test func asksOllama() throws {
    let settings = try ProviderSettings.ollama(host: "127.0.0.1")
    let request = ModelRequest(
      messages: [ChatMessage(.user, "U")], schema: Self.schema, temperature: 0)
    let wire = OllamaChat.request(.made(request, settings))
    let body = try JSON.parse(wire.body)
    #expect(wire.path == "/api/chat")
    #expect(body["stream"] == true)
    #expect(body["format"] == Self.schema)
    #expect(body["options"] == ["num_predict": 100, "temperature": 0.0])
  }

  @Test(
    arguments: [(10, nil), (4_096, nil), (4_097, 8_192), (20_000, 32_768), (9_000_000, 131_072)]
      as [(Int64, Int64?)])
  func asksOllamaForAWindowThatFits(_ row: (tokens: Int64, window: Int64?)) {
    #expect(OllamaChat.window(for: row.tokens) == row.window)
  }

  @Test func sendsToolsAndTheirAnswersToOpenAI() throws {
    let body = try openAI(.withTools)
    #expect(
      body["tools"].array?.first == [
        "type": "function",
        "function": [
          "name": "weather", "description": "Tells the weather.",
          "parameters": ["type": "object", "properties": ["city": ["type": "string"]]],
        ],
      ])
    let messages = body["messages"].array ?? []
    #expect(messages.map { $0["role"] } == ["system", "user", "assistant", "tool", "tool"])
    #expect(messages[2]["content"].isNull)
    #expect(messages[2]["reasoning_content"].isNull)
    #expect(
      messages[2]["tool_calls"].array?.first == [
        "id": "c1", "type": "function",
        "function": ["name": "weather", "arguments": "{\"city\":\"Ulm\"}"],
      ])
    #expect(messages[3]["tool_call_id"] == "c1")
    let returned = try openAI(.withTools) { $0.returnsReasoning = true }
    #expect(returned["messages"].array?[2]["reasoning_content"] == "Tunsigned")
  }

  @Test func sendsToolsAndTheirAnswersToOllama() throws {
    let settings = try ProviderSettings.ollama(host: "127.0.0.1")
    let body = try JSON.parse(OllamaChat.request(.made(.withTools, settings)).body)
    #expect(body["tools"].array?.count == 2)
    let messages = body["messages"].array ?? []
    #expect(
      messages[2]["tool_calls"].array?.first == [
        "function": ["name": "weather", "arguments": ["city": "Ulm"]]
      ])
    #expect(messages[3]["tool_name"] == "weather")
    #expect(messages[4]["tool_name"] == "time")
  }

  @Test(
    arguments: [
      (.high, true, .effort, "high", "high"), (.high, false, .effort, nil, "high"),
      (nil, true, .effort, nil, true), (nil, false, .effort, nil, nil),
      (.low, true, .budget, "low", true), (.low, true, .none, nil, nil),
    ] as [(ReasoningEffort?, Bool, WireQuirks.Thinking, Value?, Value?)])
  func thinksAsTheModelCan(
    _ row: (
      effort: ReasoningEffort?, isThinking: Bool, form: WireQuirks.Thinking, openAI: Value?,
      ollama: Value?
    )
  ) throws {
    let open = WireCall.made(
      .plain, try .openAI(baseURL: nil, key: nil), effort: row.effort, isThinking: row.isThinking
    ) { $0.thinking = row.form }
    #expect(
      try JSON.parse(OpenAIChat.request(open).body)["reasoning_effort"] == row.openAI ?? .null)
    let local = WireCall.made(
      .plain, try .ollama(host: "h"), effort: row.effort, isThinking: row.isThinking
    ) { $0.thinking = row.form }
    #expect(try JSON.parse(OllamaChat.request(local).body)["think"] == row.ollama ?? .null)
  }
}
