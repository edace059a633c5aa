import RasaKit
import RasaTestKit
import Testing

@Suite("A run from a program", .timeLimit(.minutes(1))) struct RunningTests {
  @Test func streamsItsEventsAndGivesItsResult() async throws {
    let kit = try Kit(provider: [.text("All is new.")])
    try await kit.rasa.register(Kit.writer)
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    var text = ""
    var begun: String?
    var models: [String] = []
    var calls: [Rasa.Call] = []
    for try await event in run {
      switch event {
      case .started(let run): begun = run
      case .modelChosen(_, let provider, let model): models.append("\(provider):\(model)")
      case .stepFinished(_, let more): calls += more
      case .output(let piece): text += piece
      default: break
      }
    }
    let result = try await run.result()
    #expect(text == "All is new." && result.text == text)
    #expect(begun == run.id && result.run == run.id)
    #expect(models == ["openai:gpt-4o-mini"])
    #expect(calls.count == 1 && calls.first?.cost == result.cost && result.calls == 1)
    #expect(result.cost > 0 && !result.usedMock && result.pending.isEmpty)
    let request = try #require(kit.provider?.requests.first)
    #expect(String(decoding: request.body, as: UTF8.self).contains("You write notes in English."))
    await kit.rasa.close()
  }

  @Test func takesPreferencesForTheNamesInItsPrompt() async throws {
    let kit = try Kit(provider: [.text("Neu.")])
    try await kit.rasa.register(Kit.writer)
    var options = Rasa.RunOptions()
    options.preferences = ["Language": "German"]
    let result = try await kit.rasa.run(
      agent: "note-writer", input: "What is new?", options: options
    ).result()
    #expect(result.text == "Neu.")
    let request = try #require(kit.provider?.requests.first)
    #expect(String(decoding: request.body, as: UTF8.self).contains("You write notes in German."))
    await kit.rasa.close()
  }

  @Test func runsPersonasToo() async throws {
    let kit = try Kit(
      provider: [.text("Hello.")],
      files: [
        "project/personas/greeter.yaml":
          "name: greeter\ndescription: Greets.\nframes: [stateless_frame]\noperators: []\n"
      ])
    #expect(try await kit.rasa.run(persona: "greeter", input: "Hi").result().text == "Hello.")
    await kit.rasa.close()
  }

  @Test func asksTheProgramInsteadOfAPerson() async throws {
    let kit = try Kit(provider: [.text("Draft.")])
    var agent = try await kit.rasa.register(
      markdown: Kit.careful)
    agent.prompt = nil
    let asked = Asked()
    let result = try await kit.rasa.run(agent: agent.id, input: "Write") { approval in
      await asked.note(approval)
      return .edit("Better.")
    }.result()
    #expect(result.text == "Better.")
    #expect(await asked.payloads == ["Draft."])
    await kit.rasa.close()
  }

  @Test func asksTheCallerAnOperatorsQuestion() async throws {
    let kit = try Kit(
      provider: [.text("Porto it is.")], files: ["home/personas/asking.yaml": Kit.asking])
    let result = try await kit.rasa.run(persona: "asking", input: "trip") { approval in
      #expect(approval.wantsAnswer && approval.payload == "What do you mean by trip?")
      #expect(approval.schema?.contains("city") == true)
      return .answer(#"{"city": "Porto"}"#)
    }.result()
    #expect(result.text == "Porto it is.")
    #expect(kit.provider?.requests.last?.lastMessage.contains("Porto") == true)
    await kit.rasa.close()
  }

  @Test func waitsWithoutAnApprovalHandler() async throws {
    let kit = try Kit(provider: [.text("Draft.")])
    try await kit.rasa.register(
      markdown: Kit.careful)
    let result = try await kit.rasa.run(agent: "careful-writer", input: "Write").result()
    #expect(result.pending.map(\.payload) == ["Draft."])
    #expect(result.pending.first?.run == result.run)
    await kit.rasa.close()
  }

  @Test func spendsNoMoreThanItMay() async throws {
    let kit = try Kit(provider: [.text("Too much.")])
    try await kit.rasa.register(Kit.writer)
    var options = Rasa.RunOptions()
    options.maxCost = Rasa.Dollars("0.000000001")
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?", options: options)
    let problem = await #expect(throws: RasaError.self) { try await run.result() }
    #expect(problem?.code == .budget)
    #expect(kit.provider?.requests.isEmpty == true)
    await kit.rasa.close()
  }

  @Test func endsWithTheTaskThatReadsIt() async throws {
    var silent = Script()
    silent.breaking = (after: 1, .silence)
    let kit = try Kit(provider: [silent])
    try await kit.rasa.register(Kit.writer)
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    let reader = Task { try await run.result() }
    try await kit.provider?.waitForRequests(1)
    reader.cancel()
    await #expect(throws: (any Error).self) { try await reader.value }
    try await kit.provider?.waitForDisconnect(ofRequest: 0)
    await kit.rasa.close()
  }

  @Test func isDoneBeforeAnybodyReadsAndThenTellsEverything() async throws {
    var long = Script()
    long.answer = .words(10_000)
    let kit = try Kit(provider: [long])
    try await kit.rasa.register(Kit.writer)
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    while try await kit.rasa.runs().first?.status != .done { await Task.yield() }
    var (text, events) = ("", 0)
    for try await event in run {
      if case .output(let piece) = event { text += piece }
      events += 1
    }
    let result = try await run.result()
    #expect(result.text == text && text.split(separator: " ").count == 10_000)
    // What waited was joined, so that it took no more room than the answer.
    #expect(events < 500)
    await kit.rasa.close()
  }

  @Test func waitsForASlowReader() async throws {
    var long = Script()
    long.answer = .words(1_000)
    let kit = try Kit(provider: [long])
    try await kit.rasa.register(Kit.writer)
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    var text = ""
    for try await event in run {
      if case .output(let piece) = event { text += piece }
      await Task.yield()
    }
    let result = try await run.result()
    #expect(result.text == text && text.split(separator: " ").count == 1_000)
    await kit.rasa.close()
  }

  @Test func isAnsweredByTheMockWithoutAnyProvider() async throws {
    let kit = try Kit()
    var agent = Kit.writer
    agent.model = nil
    try await kit.rasa.register(agent)
    let result = try await kit.rasa.run(agent: "note-writer", input: "What is new?").result()
    #expect(result.usedMock && !result.text.isEmpty && result.cost == 0)
    await kit.rasa.close()
  }

  @Test func isRefusedForAnUnknownAgent() async throws {
    let kit = try Kit()
    let problem = await #expect(throws: RasaError.self) {
      try await kit.rasa.run(agent: "note-writter", input: "x")
    }
    #expect(problem?.code == .configuration && problem?.message.contains("note-writter") == true)
    try await kit.rasa.register(Kit.writer)
    await #expect(throws: RasaError.self) {
      try await kit.rasa.run(agent: "note-writer", input: " \n")
    }
  }
}

private actor Asked {
  private(set) var payloads: [String] = []
  func note(_ approval: Rasa.Approval) { payloads.append(approval.payload) }
}

@Suite("A project's files, for a program")
struct ProjectTrustTests {
  private static let persona =
    "name: mine\ndescription: d\nframes: [session_frame]\noperators: []\n"
  private static let respond =
    "name: respond\nkind: llm\nframe: session_frame\nreads: [input]\nwrites: {draft: text}\n"
    + "prompt: \"Say {{input}}\"\n"

  private func rasa(_ folder: ScratchDirectory, trusts: Bool) throws -> Rasa {
    try Rasa(
      home: folder.file("home"), project: folder.file("project"),
      environment: ["HOME": folder.path, "LLM_PROVIDER": "mock"], trustsProject: trusts)
  }

  @Test("that take the place of others are refused unless it trusts them")
  func refused() async throws {
    let folder = ScratchDirectory()
    try folder.write(Self.persona, to: "home/personas/mine.yaml")
    try folder.write(Self.respond, to: "project/operators/respond.yaml")
    let wary = try rasa(folder, trusts: false)
    let problem = try await #require(throws: RasaError.self) {
      try await wary.run(persona: "mine", input: "hello")
    }
    #expect(problem.code == .configuration && problem.message.contains("is not trusted"))
    #expect(
      problem.details == [
        "operators/respond.yaml takes the place of the shipped operator `respond`"
      ])
    await wary.close()
    let trusting = try rasa(folder, trusts: true)
    #expect(try await trusting.run(persona: "mine", input: "hello").result().text.isEmpty == false)
    await trusting.close()
  }
}
