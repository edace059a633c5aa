import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

@Suite("A conversation that a model refuses for its length")
struct GateLengthTests {
  private func conversation(_ turns: Int, words: Int = 40, session: String? = "talk")
    -> ModelRequest
  {
    var request = ModelRequest.plain
    let said = (1...turns).flatMap { number -> [ChatMessage] in
      let text = (1...words).map { "word\($0)" }.joined(separator: " ")
      return [
        ChatMessage(.user, "Question \(number): \(text)"),
        ChatMessage(.assistant, "Answer \(number): \(text)"),
      ]
    }
    request.messages =
      [ChatMessage(.system, "Be kind.")] + said + [ChatMessage(.user, "And now?")]
    request.history = RequestHistory(
      session: session, place: .messages(from: 1), lengths: Array(repeating: 0, count: turns),
      earlier: 0)
    return request
  }

  private func cuts(_ setting: GateSetting) -> [HistoryCut] {
    setting.shown.compactMap { if case .trimmed(let cut) = $0 { cut } else { nil } }
  }

  @Test("sends what has room in the window that the catalogue knows, without being refused")
  func fitsAKnownWindow() async throws {
    let setting = try GateSetting([Script.text("Thursday.").with { $0.window = 8_192 }])
    let request = conversation(300)
    #expect(try await setting.ask(request, .test("small")).text == "Thursday.")
    #expect(setting.provider.requests.count == 1)
    let cut = try #require(cuts(setting).first)
    #expect(cut.session == "talk" && cut.model == "openai:small" && cut.window == 8_192)
    #expect(cut.kept + cut.turns == 300 && cut.kept > 10 && cut.turns > 100)
    let messages = setting.provider.requests[0].messages
    #expect(messages.first == "Be kind." && messages.last == "And now?")
    #expect(messages[1].contains("\(cut.turns) oldest turns"))
    #expect(messages[2].hasPrefix("Question \(cut.turns + 1):"))
    // What is held is for what is sent, and the intent says what is not.
    let intent = try #require(setting.ledger.entries.first { $0.kind == "call.intent" })
    #expect((intent.body["estimate"]["input"].int ?? .max) < 40_000)
    #expect(intent.body["left_out"]["turns"] == .int(Int64(cut.turns)))
  }

  @Test("cuts further by the figure in the refusal, asks the same model once, and remembers it")
  func cutsFurther() async throws {
    let memory = GateMemory()
    let setting = try GateSetting(
      [Script.text("ok").with { $0.window = 3_000 }], memory: memory)
    #expect(try await setting.ask(conversation(300), .test("cheap")).text == "ok")
    #expect(setting.provider.requests.map(\.status) == [400, 200])
    #expect(setting.provider.requests[1].promptTokens <= 3_000)
    #expect(setting.provider.requests[1].promptTokens > 900)
    #expect(setting.ledger.settlements.map(\.outcome) == [.failed, .answered])
    #expect(setting.ledger.settlements[0].actual == .zero)
    // The next run of this process is not refused.
    _ = try await setting.ask(conversation(320), .test("cheap"))
    #expect(setting.provider.requests.map(\.status) == [400, 200, 200])
    // Nor one of another process: the window stands with what is known of the model.
    let standing = try await setting.ledger.standings().first { $0.key.model == "cheap" }
    #expect(standing?.adapted?.words == "window:3000")
  }

  @Test("cuts a third where the refusal says no figure", arguments: [413, 400])
  func cutsAThird(_ status: Int) async throws {
    let setting = try GateSetting([
      Script.error(status, "Input is too long for requested model.").once(), .text("ok"),
    ])
    #expect(try await setting.ask(conversation(100), .test("cheap")).text == "ok")
    let sizes = setting.provider.requests.map(\.promptTokens)
    #expect(sizes.count == 2 && sizes[1] < sizes[0] * 3 / 4 && sizes[1] > sizes[0] / 3)
  }

  @Test("asks a model with a larger window next, which sees more of the conversation")
  func goesToALargerWindow() async throws {
    let setting = try GateSetting([
      Script.error(400, "maximum context length exceeded").for(model: "small"), .text("ok"),
    ])
    let answer = try await setting.ask(
      conversation(300), .test("small", fallback: "smaller", premium: "large"))
    #expect(answer.model == "large")
    #expect(setting.askedModels == ["small", "small", "large"])
    let sizes = setting.provider.requests.map(\.promptTokens)
    #expect(sizes[1] < sizes[0] && sizes[2] > sizes[0])
    #expect(cuts(setting).last?.model == "openai:small")
  }

  @Test("names the session and the size when no model has room")
  func namesTheSession() async throws {
    let setting = try GateSetting([.error(400, "maximum context length is 1000 tokens")])
    let failure = try await setting.failure(conversation(60), .test("small"))
    #expect(setting.provider.requests.count == 2)
    #expect(failure.message.contains("of the 60 turns of the session `talk`"))
    #expect(failure.message.contains("tokens were sent"))
    #expect(failure.message.contains("window is taken for"))
    #expect(failure.suggestion.contains("--session") && failure.suggestion.contains("--model"))
    #expect(failure.reason == "tooLong")
  }

  @Test("does not ask twice where there is no conversation to cut")
  func hasNothingToCut() async throws {
    let setting = try GateSetting([.error(400, "maximum context length is 1000 tokens")])
    let failure = try await setting.failure(.plain, .test("small"))
    #expect(setting.provider.requests.count == 1)
    #expect(!failure.message.contains("turns"))
  }

  @Test("leaves out more turns for the later rounds of a loop")
  func fitsLaterRounds() async throws {
    let setting = try GateSetting([Script.text("ok").with { $0.window = 8_192 }])
    var request = conversation(300)
    _ = try await setting.ask(request, .test("small"))
    let result = (1...1_500).map { "row\($0)" }.joined(separator: " ")
    request.messages += [
      ChatMessage(.assistant, "Let me see."), ChatMessage(.user, "Here: \(result)"),
    ]
    _ = try await setting.ask(request, .test("small"))
    #expect(setting.provider.requests.map(\.status) == [200, 200])
    let found = cuts(setting)
    #expect(found.count == 2 && found[1].kept < found[0].kept)
    #expect(setting.provider.requests[1].lastMessage.hasPrefix("Here: row1"))
  }

  @Test("sends a call in doubt again with the turns that it had")
  func repeatsADoubt() async throws {
    let memory = GateMemory()
    let setting = try GateSetting([Script.text("ok").rememberingKeys()], memory: memory)
    let request = conversation(300)
    _ = try await setting.ask(request, .test("small"))
    let intent = try #require(setting.ledger.entries.first { $0.kind == "call.intent" })
    guard case .intent(let known)? = EffectEvent(intent)?.phase else {
      Issue.record("no intent")
      return
    }
    // Counts that came meanwhile would let more of the conversation in.
    var context = CallContext.test("small")
    guard case .model(let model) = known.subject else { return }
    context.doubt = UncertainCall(
      key: context.key, reservation: known.attempt, provider: model.provider, model: model.model,
      amount: model.held, idempotencyKey: known.attempt.text, cap: model.cap,
      adaptations: model.adaptations)
    context.doubt?.turns = model.cut?.kept
    #expect(context.doubt?.turns ?? 0 > 0)
    _ = try await setting.ask(request, context)
    let bodies = setting.provider.requests.map(\.body)
    #expect(bodies.count == 2 && bodies[0] == bodies[1])
  }
}

/// The whole of a long conversation in every wire format, against a provider that counts and refuses.
@Suite("A conversation of 500 turns")
struct LongConversationTests {
  @Test(
    "goes on in every dialect with a window of 8,000 tokens",
    arguments: ProviderSettings.Dialect.allCases)
  func goesOn(_ dialect: ProviderSettings.Dialect) async throws {
    let window = 8_000
    let setting = try GateSetting(
      [
        Script().with {
          $0.window = window; $0.answer = .words(30)
        }
      ], dialect: dialect)
    let engine = BuiltIn.allCases.first { $0.dialect == dialect }?.rawValue ?? ""
    var said: [(String, String)] = []
    var most = 0
    for number in 1...500 {
      let question =
        "Question \(number): " + (0..<(10 + number % 50)).map { "item\($0)" }.joined(separator: " ")
      var request = ModelRequest(
        messages: [ChatMessage(.system, "You are patient.")]
          + said.suffix(200).flatMap { [ChatMessage(.user, $0), ChatMessage(.assistant, $1)] }
          + [ChatMessage(.user, question)], name: "respond")
      request.history = RequestHistory(
        session: "long", place: .messages(from: 1),
        lengths: Array(repeating: 0, count: min(200, said.count)), earlier: max(0, said.count - 200)
      )
      let answer = try await setting.ask(request, .test("\(engine):cheap"))
      #expect(!answer.text.isEmpty)
      said.append((question, answer.text))
      let last = try #require(setting.provider.requests.last)
      #expect(last.status == 200 && last.promptTokens <= window)
      most = max(most, last.promptTokens)
      #expect(last.lastMessage == question)
      // The turns before it stand in their order, and the newest is among them.
      let numbers = last.messages.flatMap { Self.questions(in: $0) }
      #expect(numbers == Array((numbers.first ?? 0)...number))
      #expect(number == 1 || numbers.count > 1)
    }
    #expect(setting.provider.requests.count { $0.status != 200 } <= 1)
    #expect(setting.provider.requests.count <= 501)
    // The window is used, not only kept to.
    #expect(most > window / 2)
  }

  private static func questions(in message: String) -> [Int] {
    message.split(separator: "Question ").dropFirst(message.hasPrefix("Question ") ? 0 : 1)
      .compactMap { Int($0.prefix { $0.isNumber }) }
  }
}

/// A model that uses tools on and on, against a provider that counts and refuses.
@Suite("A tool loop that outgrows the window")
struct LongToolLoopTests {
  private static let reader = ToolDefinition(
    name: "read_result", description: "Reads on.",
    parameters: ["type": "object", "properties": ["call": ["type": "string"]]])

  private static func result(_ round: Int, words: Int) -> String {
    "Result \(round): " + (0..<words).map { "row\(round)x\($0)" }.joined(separator: " ")
  }

  @Test(
    "shows the oldest results by their beginnings, and says so, in every dialect",
    arguments: ProviderSettings.Dialect.allCases, [8_000, 4_000])
  func shortens(_ dialect: ProviderSettings.Dialect, _ window: Int) async throws {
    let call = ScriptedCall(id: "call_1", name: "rows", arguments: ["of": "it"])
    let setting = try GateSetting(
      [
        Script.calls([call]).with {
          $0.window = window
        }
      ], dialect: dialect)
    let engine = BuiltIn.allCases.first { $0.dialect == dialect }?.rawValue ?? ""
    var request = ModelRequest(
      messages: [ChatMessage(.system, "You are patient."), ChatMessage(.user, "What is there?")],
      name: "respond")
    request.tools = [
      ToolDefinition(name: "rows", description: "Rows.", parameters: ["type": "object"])
    ]
    for round in 1...12 {
      let answer = try await setting.ask(request, .test("\(engine):cheap"))
      let last = try #require(setting.provider.requests.last)
      #expect(last.status == 200 && last.promptTokens <= window)
      let results = last.messages.filter { $0.contains("Result ") }
      #expect(results.count == round - 1)
      if let newest = results.last { #expect(newest.contains("row\(round - 1)x20 ")) }
      let cut = results.map { $0.contains("`read_result` with call") }
      // The oldest first.
      #expect(cut == cut.sorted { $0 && !$1 })
      if cut.contains(true) { #expect(last.json["tools"].json().contains("read_result")) }
      let asked = try #require(answer.toolCalls.first)
      request.messages.append(ChatMessage(.assistant, "", toolCalls: [asked]))
      var message = ChatMessage(.tool, Self.result(round, words: window / 10), toolCallID: asked.id)
      message.resultNumber = "\(round).1"
      request.messages.append(message)
      request.reader = Self.reader
    }
    #expect(setting.provider.requests.count { $0.status != 200 } <= 1)
    let cuts = setting.shown.compactMap { if case .trimmed(let cut) = $0 { cut } else { nil } }
    #expect(cuts.last?.shortenedResults ?? 0 > 6 && cuts.last?.resultBytes ?? 0 > 4_000)
    #expect(cuts.last?.turns == 0)
    let intent = try #require(setting.ledger.entries.last { $0.kind == "call.intent" })
    #expect(intent.body["left_out"]["results"].int ?? 0 > 6)
  }

  @Test("shows as much of a single result as there is room for")
  func shortensTheNewest() async throws {
    let setting = try GateSetting([Script.text("ok").with { $0.window = 8_192 }])
    var request = ModelRequest(
      messages: [
        ChatMessage(.user, "What is there?"),
        ChatMessage(
          .assistant, "", toolCalls: [ToolCall(id: "1", name: "rows", arguments: .emptyObject)]),
        ChatMessage(.tool, Self.result(1, words: 5_000), toolCallID: "1"),
      ], name: "respond")
    request.messages[2].resultNumber = "1.1"
    request.tools = [
      ToolDefinition(name: "rows", description: "Rows.", parameters: ["type": "object"])
    ]
    request.reader = Self.reader
    #expect(try await setting.ask(request, .test("small")).text == "ok")
    let sent = setting.provider.requests.map(\.promptTokens)
    #expect(setting.provider.requests.map(\.status) == [200])
    #expect(sent.allSatisfy { $0 > 2_000 && $0 <= 8_192 })
  }
}
