import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("Extension points", .timeLimit(.minutes(1))) struct ExtensionTests {
  private static let greeter =
    "name: greeter\ndescription: Greets.\nframes: [session_frame]\noperators: [respond]\n"

  /// Says the last message back, a word at a time.
  private struct Echo: Rasa.ModelProvider {
    let name = "echo"
    let models = [
      Rasa.ProvidedModel("loud", inputPricePerMillion: 1, outputPricePerMillion: 2)
    ]
    let asked = Locked<[Rasa.ModelRequest]>([])
    var failure: RasaError?
    var finish = "stop"

    func answer(
      _ request: Rasa.ModelRequest,
      emit: @escaping @Sendable (Rasa.ModelOutput) async throws -> Void
    ) async throws -> Rasa.ModelEnding {
      asked.withLock { $0.append(request) }
      if let failure { throw failure }
      try await emit(.reasoning("hm"))
      for word in ["You ", "said ", "so."] { try await emit(.text(word)) }
      return Rasa.ModelEnding(finish: finish, inputTokens: 1_000_000, outputTokens: 500_000)
    }
  }

  @Test("a model provider answers, is paid and journalled as any other")
  func provider() async throws {
    let kit = try Kit()
    let echo = Echo()
    try kit.rasa.register(echo)
    try await kit.rasa.register(persona: Self.greeter)
    var options = Rasa.RunOptions()
    options.model = "echo:loud"
    let run = try await kit.rasa.run(persona: "greeter", input: "Hi", options: options)
    var thoughts = ""
    for try await event in run {
      if case .reasoning(_, let text) = event { thoughts += text }
    }
    let result = try await run.result()
    #expect(result.text == "You said so." && thoughts == "hm")
    #expect(result.answeredBy == ["echo:loud"] && !result.usedMock)
    // A million in for $1, half a million out for $2 a million.
    #expect(result.cost == 2 && result.inputTokens == 1_000_000)
    let request = try #require(echo.asked.withLock { $0.first })
    #expect(request.messages.last?.text.contains("Hi") == true)
    let calls = try await kit.rasa.calls(ofRun: run.id)
    #expect(calls.map(\.cost) == [2] && calls.map(\.outcome) == ["answered"])
    #expect(calls.first.map { request.idempotencyKey == $0.reservation } == true)
    let kinds = try await kit.rasa.events(ofRun: run.id).map(\.kind)
    #expect(kinds.contains("call.intent") && kinds.contains("call.result"))
    await kit.rasa.close()
  }

  @Test("a provider's refusal of the key ends the run as such")
  func providerFails() async throws {
    var echo = Echo()
    echo.failure = RasaError(.authentication, "the licence has run out")
    let error = try await failure(askedOf: echo)
    #expect(error?.code == .authentication)
    #expect(error?.description.contains("the licence has run out") == true)
  }

  /// Why a run fails that only this provider answers.
  private func failure(askedOf echo: Echo) async throws -> RasaError? {
    let kit = try Kit()
    try kit.rasa.register(echo)
    try await kit.rasa.register(persona: Self.greeter)
    var options = Rasa.RunOptions()
    options.model = "echo:loud"
    let run = try await kit.rasa.run(persona: "greeter", input: "Hi", options: options)
    let error = await #expect(throws: RasaError.self) { try await run.result() }
    await kit.rasa.close()
    return error
  }

  @Test(
    "an ending that nobody knows is no complete answer",
    arguments: ["max_tokens", "content_filter", "", "Stop"])
  func unknownEnding(finish: String) async throws {
    var echo = Echo()
    echo.finish = finish
    let error = try await failure(askedOf: echo)
    #expect(error?.code == .provider, "\(String(describing: error))")
    #expect(error?.description.contains("its answer ended with") == true)
  }

  @Test("an operator in Swift reads and writes a run's values")
  func operatorInSwift() async throws {
    let kit = try Kit(provider: [])
    let seen = Locked<[String]>([])
    try await kit.rasa.register(
      Rasa.Operator(
        name: "look_up", description: "Looks up.", reads: ["input"], writes: ["draft": .text]
      ) { call in
        seen.withLock { $0.append("\(call.inputs["input"].text) \(call.step.name)") }
        return Rasa.JSON("found \(call.inputs["input"].text)")
      })
    try await kit.rasa.register(
      persona:
        "name: finder\ndescription: Finds.\nframes:\n  - {name: session_frame, operators: [look_up]}\noutput: draft\n"
    )
    #expect(try await kit.rasa.validate(persona: "finder").problems == [])
    let result = try await kit.rasa.run(persona: "finder", input: "gold").result()
    #expect(result.text == "found gold" && result.calls == 0)
    #expect(seen.withLock { $0 } == ["gold look_up"])
    // Who does not have the tool says so before the run begins.
    #expect(kit.rasa.unregister(operator: "look_up"))
    #expect(try await !kit.rasa.validate(persona: "finder").isValid)
    await kit.rasa.close()
  }

  @Test("definitions go before files, and are checked as files are")
  func definitions() async throws {
    let kit = try Kit(
      provider: [],
      files: ["home/personas/greeter.yaml": "name: greeter\ndescription: Of a file.\nframes: []\n"])
    try await kit.rasa.register(persona: Self.greeter)
    #expect(try await kit.rasa.validate(persona: "greeter").isValid)
    let again = await #expect(throws: RasaError.self) {
      try await kit.rasa.register(persona: Self.greeter)
    }
    #expect(again?.code == .configuration && again?.suggestion.contains("replacing") == true)
    try await kit.rasa.register(persona: Self.greeter, replacing: true)
    let broken = await #expect(throws: RasaError.self) {
      try await kit.rasa.register(persona: "name: x\ndescription: d\nframes: 7\n")
    }
    #expect(broken?.line == 3 && broken?.file == "registered:persona.yaml")
    #expect(kit.rasa.unregister(persona: "greeter") && !kit.rasa.unregister(persona: "greeter"))
    await kit.rasa.close()
  }
}

@Suite("Records of runs", .timeLimit(.minutes(1))) struct RunRecordTests {
  @Test("a waiting run is listed, answered and resumed")
  func approve() async throws {
    let kit = try Kit(provider: [.text("Draft.")])
    try await kit.rasa.register(markdown: Kit.careful)
    let parked = try await kit.rasa.run(agent: "careful-writer", input: "Write").result()
    var query = Rasa.RunQuery()
    query.statuses = [.parked]
    let listed = try await kit.rasa.runs(query)
    #expect(listed.map(\.id) == [parked.run] && listed.first?.openQuestions == 1)
    let question = try #require(try await kit.rasa.approvals(ofRun: parked.run).first)
    #expect(question.approval.payload == "Draft." && question.status == .pending)
    let answered = try await kit.rasa.answer(approval: question.id, .edit("Better."))
    #expect(answered.status == .answered && answered.answeredBy == "ada")
    let late = await #expect(throws: RasaError.self) {
      try await kit.rasa.answer(approval: question.id, .approve)
    }
    #expect(late?.code == .approval)
    let result = try await kit.rasa.resume(parked.run).result()
    #expect(result.text == "Better." && result.run == parked.run)
    #expect(try await kit.rasa.run(withID: parked.run).status == .done)
    // What was paid for is not paid for again.
    #expect(kit.provider?.requests.count == 1)
    await kit.rasa.close()
  }

  @Test("pruning deletes only what it was told to")
  func prune() async throws {
    let kit = try Kit(provider: [.text("One.")])
    try await kit.rasa.register(Kit.writer)
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?").result().run
    for status in [Rasa.RunStatus.interrupted, .answered, .running, .died] {
      let error = await #expect(throws: RasaError.self) {
        try await kit.rasa.pruneRuns(statuses: [status])
      }
      #expect(error?.code == .usage)
    }
    #expect(try await kit.rasa.pruneRuns(statuses: [.failed]).runs.isEmpty)
    #expect(try await kit.rasa.pruneRuns(endedBefore: .seconds(3600)).runs.isEmpty)
    #expect(try await kit.rasa.pruneRuns(isDryRun: true).runs == [run])
    #expect(try await kit.rasa.pruneRuns(statuses: [.done]).runs == [run])
    #expect(try await kit.rasa.runs().isEmpty)
    await kit.rasa.close()
  }

  @Test("a fork reuses answers, and predicts the cost of the rest")
  func fork() async throws {
    var once = Script.text("One.")
    once.limit = 1
    let kit = try Kit(provider: [once, .text("Two.")])
    try await kit.rasa.register(Kit.writer)
    let first = try await kit.rasa.run(agent: "note-writer", input: "What is new?").result()
    let same = try await kit.rasa.forecast(forkOf: first.run)
    #expect(same.reusedCalls == 1 && same.mostCalls == 0 && same.saved == first.cost)
    var options = Rasa.ForkOptions()
    options.input = "And then?"
    #expect(try await kit.rasa.forecast(forkOf: first.run, options).mostCalls > 0)
    let second = try await kit.rasa.fork(first.run, options).result()
    #expect(second.text == "Two.")
    #expect(try await kit.rasa.run(withID: second.run).forkOf == first.run)
    let details = try await kit.rasa.details(ofRun: second.run)
    #expect(details.timeline["input"].string == "And then?" && details.damage == nil)
    #expect(try await kit.rasa.deleteRuns([first.run, first.run]) == [first.run])
    let gone = await #expect(throws: RasaError.self) { try await kit.rasa.run(withID: first.run) }
    #expect(gone?.code == .usage && gone?.suggestion.isEmpty == false)
    await kit.rasa.close()
  }

  @Test("a run is ended for good, and only once")
  func cancel() async throws {
    let kit = try Kit(provider: [.text("Draft.")])
    try await kit.rasa.register(markdown: Kit.careful)
    let run = try await kit.rasa.run(agent: "careful-writer", input: "Write").result().run
    #expect(try await kit.rasa.cancel(run).isCancelled)
    #expect(try await kit.rasa.cancel(run).hadEnded)
    let refused = await #expect(throws: RasaError.self) { try await kit.rasa.resume(run) }
    #expect(refused?.code == .usage)
    await kit.rasa.close()
  }

  @Test("a dry run lists the calls with their costs, and makes none")
  func dryRun() async throws {
    let kit = try Kit(provider: [])
    try await kit.rasa.register(Kit.writer)
    let forecast = try await kit.rasa.forecast(agent: "note-writer", input: "What is new?")
    #expect(forecast.calls.map(\.model) == ["gpt-4o-mini"] && forecast.mostCost > 0)
    #expect(forecast.calls.first?.messages.last?.text.contains("What is new?") == true)
    #expect(kit.provider?.requests.isEmpty == true)
    await kit.rasa.close()
  }

  @Test("sessions and memories are read and taken away")
  func memory() async throws {
    let kit = try Kit(provider: [.text("Hello.")])
    try await kit.rasa.register(Kit.writer)
    var options = Rasa.RunOptions()
    options.session = "tea"
    _ = try await kit.rasa.run(agent: "note-writer", input: "Hi", options: options).result()
    #expect(try await kit.rasa.sessions().map(\.name) == ["tea"])
    #expect(try await kit.rasa.turns(of: "tea").map(\.output) == ["Hello."])
    try await kit.rasa.deleteSession("tea")
    let gone = await #expect(throws: RasaError.self) { try await kit.rasa.turns(of: "tea") }
    #expect(gone?.code == .usage)
    try await kit.rasa.register(
      persona: "name: host\ndescription: d\nframes: [session_frame]\noperators: [respond]\n")
    try await kit.rasa.remember("drinks tea", persona: "host")
    let kept = try await kit.rasa.memories(persona: "host")
    #expect(kept.map(\.text) == ["drinks tea"] && kept.map(\.user) == ["ada"])
    #expect(try await kit.rasa.forget(memories: [kept[0].id]).facts == 1)
    let missing = await #expect(throws: RasaError.self) {
      try await kit.rasa.forget(memories: [kept[0].id])
    }
    #expect(missing?.code == .usage)
    await kit.rasa.close()
  }
}

@Suite("A hermetic configuration", .timeLimit(.minutes(1))) struct HermeticTests {
  private static func agent(_ id: String) -> String {
    "---\nname: \(id)\ndescription: Does what \(id) does, and no more.\n---\nDo.\n"
  }

  @Test("sees its own folder and the shipped files, and nothing of the user")
  func own() async throws {
    let folder = ScratchDirectory()
    for place in [".radium", ".config/rasa", "work", ".claude", "app"] {
      try folder.write(
        Self.agent("from-\(place.filter { $0.isLetter })"), to: "\(place)/agents/x.md")
    }
    var configuration = Rasa.Configuration(home: folder.file("app"))
    configuration.environment = [
      "HOME": folder.path, "RASA_WORKSPACE": folder.file("work"), "LLM_PROVIDER": "mock",
    ]
    let rasa = try Rasa(configuration)
    let found = await rasa.discover().agents.filter { $0.origin != "shipped" }
    #expect(found.map(\.id) == ["from-app"])
    let result = try await rasa.run(agent: "from-app", input: "Go").result()
    #expect(result.usedMock)
    #expect(try await rasa.runs().map(\.user) == ["local"])
    await rasa.close()
  }
}
