import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct GeminiRequestTests {
  private func body(
    _ request: ModelRequest, cap: Int64 = 100, effort: ReasoningEffort? = nil,
    isThinking: Bool = false, change: (inout WireQuirks) -> Void = { _ in }
  ) throws -> Value {
    let wire = GeminiContent.request(
      .made(
        request, .gemini, cap: cap, effort: effort, isThinking: isThinking, change: change))
    #expect(wire.path == "/models/m:streamGenerateContent?alt=sse")
    return try JSON.parse(wire.body)
  }

  @Test(
    arguments: [
      ("gemini-2.5-pro", "models/gemini-2.5-pro"), ("tunedModels/mine", "tunedModels/mine"),
      ("../../x", "models/..%2F..%2Fx"), ("models/../../x", "models/models%2F..%2F..%2Fx"),
      ("./x", "models/.%2Fx"), ("..", "models/%2E%2E"), ("a?b#c", "models/a%3Fb%23c"),
      ("x/", "models/x%2F"), ("/x", "models/%2Fx"), ("a b", "models/a%20b"), ("ä", "models/%C3%A4"),
    ])
  func namesTheModelAndNoOtherPlaceOfTheHost(_ row: (model: String, place: String)) {
    #expect(GeminiContent.resource(row.model) == row.place)
  }

  @Test func asksForAStream() throws {
    let request = ModelRequest(
      messages: [
        ChatMessage(.system, "S"), ChatMessage(.user, "U"), ChatMessage(.user, "V"),
        ChatMessage(.assistant, "A"), ChatMessage(.user, ""),
      ], temperature: 1.5)
    #expect(
      try body(request) == [
        "systemInstruction": ["parts": [["text": "S"]]],
        "contents": [
          ["role": "user", "parts": [["text": "U"], ["text": "V"]]],
          ["role": "model", "parts": [["text": "A"]]],
        ], "generationConfig": ["maxOutputTokens": 100, "temperature": 1.5],
      ])
    let nothing = try body(ModelRequest(messages: []))
    #expect(nothing["contents"].array?.count == 1)
    #expect(nothing["systemInstruction"].isNull)
  }

  @Test(arguments: [
    ("gemini-3-flash", "models/gemini-3-flash"), ("models/x", "models/x"),
    ("tunedModels/x-1", "tunedModels/x-1"), ("a b?c#d:e", "models/a%20b%3Fc%23d%3Ae"),
    ("ü", "models/%C3%BC"),
  ])
  func namesTheModelInTheAddress(_ row: (model: String, resource: String)) {
    #expect(GeminiContent.resource(row.model) == row.resource)
  }

  @Test func sendsToolsAndTheirAnswers() throws {
    let body = try body(.withTools)
    #expect(
      body["tools"] == [
        [
          "functionDeclarations": [
            [
              "name": "weather", "description": "Tells the weather.",
              "parametersJsonSchema": [
                "type": "object", "properties": ["city": ["type": "string"]],
              ],
            ], ["name": "time", "description": "Tells the time."],
          ]
        ]
      ])
    let turns = body["contents"].array ?? []
    #expect(turns.map { $0["role"] } == ["user", "model", "user"])
    #expect(
      turns[1]["parts"] == [
        [
          "functionCall": ["name": "weather", "args": ["city": "Ulm"], "id": "c1"],
          "thoughtSignature": "sig",
        ], ["functionCall": ["name": "time", "args": [:]]],
      ])
    #expect(
      turns[2]["parts"] == [
        ["functionResponse": ["name": "weather", "response": ["degrees": 3], "id": "c1"]],
        ["functionResponse": ["name": "time", "response": ["result": "noon"]]],
      ])
  }

  @Test func signsCallsOfAnotherModelWhereThatIsAskedFor() throws {
    var request = ModelRequest.withTools
    request.messages[2].toolCalls[0].signature = nil
    let parts = try body(request) { $0.signsForeignCalls = true }["contents"].array?[1]["parts"]
    #expect(parts?.array?.map { $0["thoughtSignature"].isNull } == [false, true])
  }

  @Test func thinksAsTheModelCan() throws {
    let request = ModelRequest(messages: [ChatMessage(.user, "U")])
    func thinking(
      _ effort: ReasoningEffort?, _ isThinking: Bool, _ form: WireQuirks.Thinking
    ) throws -> Value {
      try body(request, cap: 4_096, effort: effort, isThinking: isThinking) { $0.thinking = form }[
        "generationConfig"]["thinkingConfig"]
    }
    #expect(try thinking(nil, false, .effort).isNull)
    #expect(try thinking(nil, true, .effort) == ["includeThoughts": true])
    #expect(
      try thinking(.low, true, .effort) == ["includeThoughts": true, "thinkingLevel": "low"])
    #expect(
      try thinking(.medium, true, .budget) == ["includeThoughts": true, "thinkingBudget": 2_048])
    #expect(try thinking(.high, true, .none).isNull)
  }

  @Test func sendsASchemaAsFarAsTheServerTakesIt() throws {
    let schema: Value = ["type": "object", "properties": ["a": ["type": "string"]]]
    let request = ModelRequest(messages: [ChatMessage(.user, "U")], schema: schema)
    let enforced = try body(request)
    #expect(enforced["generationConfig"]["responseMimeType"] == "application/json")
    #expect(enforced["generationConfig"]["responseJsonSchema"] == schema)
    #expect(enforced["systemInstruction"].isNull)
    let some = try body(request) { $0.structuredOutput = .jsonObject }
    #expect(some["generationConfig"]["responseMimeType"] == "application/json")
    #expect(some["generationConfig"]["responseJsonSchema"].isNull)
    #expect(!some["systemInstruction"].isNull)
    let told = try body(request) { $0.structuredOutput = .prompt }
    #expect(told["generationConfig"]["responseMimeType"].isNull)
    #expect(!told["systemInstruction"].isNull)
  }
}
