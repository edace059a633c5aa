import RasaCore
import RasaKit
import RasaTestKit
import Testing

/// What a run does about the vector of its question, over real sockets.
@Suite("The vector of a question", .timeLimit(.minutes(1))) struct QuestionVectorTests {
  private static let model = "openai:text-embedding-3-small"
  private static let answer = Script.text("Noted.")

  private func kit(
    _ scripts: [Script] = [answer], embeddings: String = model, wait: Int = 20_000,
    remembered: [String] = ["Likes small beer."], config: String = ""
  ) async throws -> Kit {
    let kit = try Kit(
      provider: scripts,
      files: [
        "project/personas/keeper.yaml": """
        name: keeper
        description: Keeps things in mind.
        frames: [long_term_frame]
        operators: []
        memory: {embeddings: "\(embeddings)"}

        """,
        "home/config.yaml": "memory: {wait_ms: \(wait)}\n\(config)",
      ])
    for text in remembered { try await kit.rasa.remember(text, persona: "keeper") }
    return kit
  }

  private func run(
    _ kit: Kit, _ change: (inout Rasa.RunOptions) -> Void = { _ in }
  ) async throws -> Rasa.RunResult {
    var options = Rasa.RunOptions()
    options.model = "openai:gpt-4o-mini"
    change(&options)
    return try await kit.rasa.run(
      persona: "keeper", input: "What do I drink?", options: options
    ).result()
  }

  private func asked(_ kit: Kit) -> [String] {
    (kit.provider?.requests ?? []).compactMap(\.textsToEmbed).flatMap(\.self)
  }

  private func notices(_ result: Rasa.RunResult) -> [Rasa.Notice] {
    result.notices.filter { $0.kind == "recall" }
  }

  @Test func isAskedForOnceThereIsSomethingToCompareWith() async throws {
    let kit = try await kit()
    let without = try await run(kit)
    #expect(asked(kit).isEmpty, "there is nothing to compare with yet")
    #expect(
      notices(without).first?.message.contains("no memory has a vector yet") == true,
      "\(notices(without))")
    try await kit.rasa.embedMemories(persona: "keeper")
    let before = asked(kit).count
    let result = try await run(kit)
    #expect(result.text == "Noted." && notices(result).isEmpty, "\(notices(result))")
    #expect(asked(kit).dropFirst(before) == ["What do I drink?"])
    #expect(result.cost > 0)
    await kit.rasa.close()
  }

  @Test func isNotSpokenOfWhereNothingIsRemembered() async throws {
    let kit = try await kit(remembered: [])
    #expect(notices(try await run(kit)).isEmpty && asked(kit).isEmpty)
    await kit.rasa.close()
  }

  @Test(
    arguments: [
      (Script.error(503), "the server failed"), (.error(401, "no such key"), "the key was refused"),
      (Script().with { $0.document = Array("{".utf8) }, "no vectors that can be used"),
      (
        Script().with { $0.document = Array(#"{"data":[{"embedding":[null]}]}"#.utf8) },
        "not a number"
      ),
      (
        Script().with { $0.document = Array("{\"data\":[{\"embedding\":[NaN]}]}".utf8) },
        "no vectors"
      ),
      (Script().with { $0.document = Array(#"{"data":[]}"#.utf8) }, "0 vectors of 1"),
      (
        Script().with {
          $0.document = Array(#"{"data":[{"embedding":[1]},{"embedding":[2]}]}"#.utf8)
        }, "2 vectors of 1"
      ),
      (Script.tooManyRequests(retryAfter: 600), "429"),
      (Script().with { $0.breaking = (0, .close) }, "broke"),
      (Script().with { $0.breaking = (0, .silence) }, "within 300 ms"),
      (Script().with { $0.headersDelay = .seconds(600) }, "within 300 ms"),
    ])
  func thatDoesNotComeIsDoneWithoutAndSaid(
    _ row: (script: Script, reason: String)
  ) async throws {
    let failing = row.script.with {
      $0.matches = { $0.textsToEmbed == ["What do I drink?"] }
    }
    let kit = try await kit([failing, Self.answer], wait: 300)
    try await kit.rasa.embedMemories(persona: "keeper")
    let result = try await run(kit)
    #expect(result.text == "Noted.")
    let notice = try #require(notices(result).first)
    #expect(notice.message.contains("by words alone"), "\(notice.message)")
    #expect(notice.message.contains(row.reason), "\(notice.message)")
    let kept = try await kit.rasa.timeline(ofRun: result.run)
    #expect("\(kept)".contains("by words alone"))
    await kit.rasa.close()
  }

  @Test func ofAServerThatIsGoneIsDoneWithoutAndSaid() async throws {
    let server = try ScriptedProvider.start([])
    let address = server.openAIBaseURL
    let kit = try await kit(
      embeddings: "mine:vectors",
      config: "providers: {mine: {dialect: openai, base_url: \"\(address)\", local: true}}\n")
    let made = try await kit.rasa.embedMemories(persona: "keeper")
    #expect(made?.made == 1, "\(made?.problem ?? "")")
    server.stop()
    let result = try await run(kit)
    #expect(result.text == "Noted.")
    #expect(notices(result).first?.message.contains("by words alone") == true)
    await kit.rasa.close()
  }

  @Test func withoutMoneyForItIsDoneWithoutAndSaid() async throws {
    let kit = try await kit()
    try await kit.rasa.embedMemories(persona: "keeper")
    let before = asked(kit).count
    let result = try? await run(kit) { $0.maxCost = Rasa.Dollars("0.0000000001") }
    #expect(result == nil, "the answer itself costs more")
    #expect(asked(kit).count == before)
    await kit.rasa.close()
  }

  @Test func ofAnotherModelComesWithItsOwn() async throws {
    let kit = try await kit()
    try await kit.rasa.embedMemories(persona: "keeper", model: "openai:text-embedding-3-large")
    let before = asked(kit).count
    let result = try await run(kit)
    #expect(notices(result).first?.message.contains("vectors of another model") == true)
    #expect(asked(kit).count == before, "there is nothing to compare with")
    await kit.rasa.close()
  }

  @Test func ofAnotherLengthIsNotComparedAndTheOthersAreMadeAgain() async throws {
    let longer = Script().with {
      $0.matches = { $0.textsToEmbed == ["What do I drink?"] }
      $0.vector = { _ in [1, 2, 3] }
    }
    let kit = try await kit([longer, Self.answer])
    try await kit.rasa.embedMemories(persona: "keeper")
    let result = try await run(kit)
    #expect(notices(result).first?.message.contains("makes vectors of 3 numbers now") == true)
    let again = try await kit.rasa.embedMemories(persona: "keeper")
    #expect(again?.made ?? 0 > 0, "they are made again")
    await kit.rasa.close()
  }

  @Test func ofARunThatIsForkedIsNotPaidForAgain() async throws {
    let kit = try await kit()
    try await kit.rasa.embedMemories(persona: "keeper")
    let first = try await run(kit)
    let count = asked(kit).count
    let fork = try await kit.rasa.fork(first.run).result()
    #expect(fork.text == "Noted." && asked(kit).count == count)
    await kit.rasa.close()
  }
}
