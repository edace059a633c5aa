import RasaCore
import RasaKit
import RasaTestKit
import Testing

/// Models that use tools, the whole way: real sockets in every wire format, a real database.
@Suite("A model with tools, over the wire", .timeLimit(.minutes(1))) struct ToolLoopTests {
  enum Wire: String, CaseIterable, Sendable { case openai, anthropic, gemini, ollama }

  private static let persona = """
    name: asker
    description: Asks.
    frames: [session_frame]
    operators:
      - name: respond
        kind: llm
        reads: [input]
        writes: {draft: text}
        tools: [look_up]
        prompt: "FIND {{input}}"

    """

  /// Lets everybody through when the last one has come.
  private actor Gathering {
    private let size: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []
    init(of size: Int) { self.size = size }

    func join() async {
      await withCheckedContinuation { continuation in
        waiting.append(continuation)
        guard waiting.count == size else { return }
        for continuation in waiting { continuation.resume() }
      }
    }
  }

  private func rasa(
    _ wire: Wire, _ provider: ScriptedProvider, _ folder: ScratchDirectory
  ) throws -> Rasa {
    var environment = ["HOME": folder.path, "USER": "ada", "PATH": "/usr/bin:/bin"]
    environment["LLM_PROVIDER"] = wire.rawValue
    switch wire {
    case .openai:
      environment["OPENAI_BASE_URL"] = provider.openAIBaseURL
      environment["OPENAI_API_KEY"] = "sk-test"
    case .anthropic:
      environment["ANTHROPIC_BASE_URL"] = provider.baseURL
      environment["ANTHROPIC_API_KEY"] = "sk-test"
    case .gemini:
      environment["GEMINI_BASE_URL"] = provider.baseURL
      environment["GEMINI_API_KEY"] = "sk-test"
    case .ollama: environment["OLLAMA_HOST"] = provider.baseURL
    }
    return try Rasa(
      home: folder.file("home"), project: folder.file("project"), environment: environment)
  }

  @Test(
    "all calls of a turn run at the same time, and their results go back in order",
    arguments: Wire.allCases)
  func together(_ wire: Wire) async throws {
    let count = 20
    let calls = (0..<count).map {
      ScriptedCall(id: "call_\($0)", name: "look_up", arguments: ["input": .string("word \($0)")])
    }
    let folder = ScratchDirectory()
    let provider = try ScriptedProvider.start(
      [Script.calls(calls).once(), .text("all found")], models: ["gpt-4o-mini"])
    let rasa = try rasa(wire, provider, folder)
    let gathering = Gathering(of: count)
    try await rasa.register(
      Rasa.Operator(
        name: "look_up", description: "Looks up.", reads: ["input"], writes: ["found": .text]
      ) { call in
        await gathering.join()
        return Rasa.JSON("meaning of \(call.inputs["input"].text)")
      })
    try await rasa.register(persona: Self.persona)
    let run = try await rasa.run(persona: "asker", input: "them")
    var ended = 0
    for try await event in run {
      if case .tool(_, let activity) = event, case .ended(isError: false) = activity.phase {
        ended += 1
      }
    }
    let result = try await run.result()
    #expect(result.text == "all found" && ended == count && result.calls == 2)
    let body = try #require(provider.requests.last { $0.method == "POST" }?.json.json())
    var rest = body[...]
    for index in 0..<count {
      let range = try #require(rest.firstRange(of: "meaning of word \(index)"), "\(index)")
      rest = rest[range.upperBound...]
    }
    await rasa.close()
  }

  @Test("a bound ends the tools and not the answer", arguments: Wire.allCases)
  func bounded(_ wire: Wire) async throws {
    let call = ScriptedCall(id: "call_1", name: "look_up", arguments: ["input": "x"])
    let folder = ScratchDirectory()
    let endless = Script.calls([call]).with { script in
      script.matches = { request in
        !request.messages.contains { $0.contains("which is the most") }
      }
    }
    let provider = try ScriptedProvider.start(
      [endless, .text("as far as I know")], models: ["gpt-4o-mini"])
    let rasa = try rasa(wire, provider, folder)
    try await rasa.register(
      Rasa.Operator(name: "look_up", reads: ["input"], writes: ["found": .text]) { _ in "y" })
    try await rasa.register(
      persona: Self.persona.replacing(
        "tools: [look_up]", with: "tools: [look_up]\n    tool_limits: {rounds: 3}"))
    let result = try await rasa.run(persona: "asker", input: "it").result()
    #expect(result.text == "as far as I know" && result.calls == 4)
    #expect(result.notices.map(\.kind) == ["limit"])
    let last = try #require(provider.requests.last { $0.method == "POST" }?.json)
    switch wire {
    case .openai: #expect(last["tool_choice"] == "none" && last["tools"].array?.count == 1)
    case .anthropic: #expect(last["tool_choice"]["type"] == "none")
    case .gemini: #expect(last["toolConfig"]["functionCallingConfig"]["mode"] == "NONE")
    case .ollama: #expect(last["tools"].isNull)
    }
    await rasa.close()
  }
}
