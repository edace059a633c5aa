import RasaCore
import RasaKit
import RasaTestKit
import Testing

@Suite("Vectors of what is remembered", .timeLimit(.minutes(1))) struct VectorFillingTests {
  private static let model = "openai:text-embedding-3-small"
  private static let keeper = """
    name: keeper
    description: Keeps things in mind.
    frames: [long_term_frame]
    operators: []

    """

  private func kit(_ scripts: [Script] = [], facts: Int = 3, config: String = "") async throws
    -> Kit
  {
    var files = ["project/personas/keeper.yaml": Self.keeper]
    if !config.isEmpty { files["home/config.yaml"] = config }
    let kit = try Kit(provider: scripts, files: files)
    for number in 0..<facts {
      try await kit.rasa.remember("Fact number \(number) is a fact.", persona: "keeper")
    }
    return kit
  }

  private func asked(_ kit: Kit) -> [[String]] {
    (kit.provider?.requests ?? []).compactMap(\.textsToEmbed)
  }

  @Test func areMadeOnceAndPaidForOnce() async throws {
    let kit = try await kit()
    let made = try #require(
      try await kit.rasa.embedMemories(persona: "keeper", model: Self.model))
    #expect(made.made == 3 && made.without == 0 && made.isComplete && made.cost > 0)
    #expect(made.problem == nil && made.model == Self.model)
    #expect(Set(asked(kit).flatMap(\.self)).count == 3 && asked(kit).count == 1)
    let again = try await kit.rasa.embedMemories(persona: "keeper", model: Self.model)
    #expect(again?.made == 0 && again?.isComplete == true && again?.cost == 0)
    #expect(asked(kit).count == 1, "nothing is asked for twice")
    try await kit.rasa.remember("Fact number 7 is a fact.", persona: "keeper")
    let one = try await kit.rasa.embedMemories(persona: "keeper", model: Self.model)
    #expect(one?.made == 1 && asked(kit).last == ["Fact number 7 is a fact."])
    #expect(try await kit.rasa.runs().isEmpty, "nobody asked for such a run")
    var query = Rasa.RunQuery()
    query.persona = "embeddings"
    let runs = try await kit.rasa.runs(query)
    #expect(runs.count == 2 && runs.allSatisfy { $0.status == .done })
    await kit.rasa.close()
  }

  @Test func areMadeByTheModelThatTheConfigurationNames() async throws {
    let kit = try await kit(config: "memory: {embeddings: \"\(Self.model)\", wait_ms: 500}\n")
    #expect(try await kit.rasa.embedMemories(persona: "keeper")?.made == 3)
    await kit.rasa.close()
    let without = try await self.kit()
    #expect(try await without.rasa.embedMemories(persona: "keeper") == nil)
    #expect(asked(without).isEmpty)
    await without.rasa.close()
  }

  @Test func areMadeInBatches() async throws {
    let kit = try await kit(facts: 150)
    let some = try await kit.rasa.embedMemories(persona: "keeper", model: Self.model, limit: 10)
    #expect(some?.made == 10 && some?.isComplete == false && some?.problem == nil)
    let rest = try await kit.rasa.embedMemories(persona: "keeper", model: Self.model)
    #expect(rest?.made == 140 && rest?.isComplete == true)
    #expect(asked(kit).map(\.count) == [10, 64, 64, 12])
    await kit.rasa.close()
  }

  @Test func areNotMadeWithoutMoneyForThem() async throws {
    let kit = try await kit()
    let none = try await kit.rasa.embedMemories(
      persona: "keeper", model: Self.model, maxCost: Rasa.Dollars("0.0000000001"))
    #expect(none?.made == 0 && none?.isComplete == false)
    #expect(none?.problem?.contains("left, and the call needs") == true, "\(none?.problem ?? "")")
    #expect(asked(kit).isEmpty)
    await kit.rasa.close()
  }

  @Test(
    arguments: [
      (Script.error(503), "the server failed"), (.error(401, "no such key"), "the key was refused"),
      (Script().with { $0.document = Array("{".utf8) }, "no vectors that can be used"),
    ])
  func thatCannotBeMadeSayWhy(_ row: (script: Script, problem: String)) async throws {
    let kit = try await kit([row.script])
    let none = try await kit.rasa.embedMemories(persona: "keeper", model: Self.model)
    #expect(none?.made == 0 && none?.isComplete == false)
    #expect(none?.problem?.contains(row.problem) == true, "\(none?.problem ?? "")")
    var query = Rasa.RunQuery()
    query.includesInternal = true
    let run = try #require(try await kit.rasa.runs(query).first { $0.persona == "embeddings" })
    #expect(run.status == .failed)
    await kit.rasa.close()
  }

  @Test func areMadeOfTheOthersWhereTheModelMakesNoneOfOne() async throws {
    let kit = try await kit(
      [
        Script().with { $0.vector = { $0.contains("number 5") ? [] : [1, 2] } }
      ], facts: 9)
    let made = try await kit.rasa.embedMemories(persona: "keeper", model: Self.model)
    #expect(made?.made == 8 && made?.without == 1 && made?.isComplete == true)
    let calls = asked(kit).count
    #expect(try await kit.rasa.embedMemories(persona: "keeper", model: Self.model)?.made == 0)
    #expect(asked(kit).count == calls, "it is not asked about again")
    #expect(try await kit.rasa.memoryCounts().vectors.values.map(\.self) == [8])
    await kit.rasa.close()
  }

  @Test(arguments: ["openai", "gemini", "ollama"])
  func areMadeInEveryDialectThatHasThem(_ dialect: String) async throws {
    let kit = try await kit()
    let provider = try #require(kit.provider)
    let address = dialect == "openai" ? provider.openAIBaseURL : provider.baseURL
    try kit.folder.write(
      "providers: {made_up: {dialect: \(dialect), base_url: \"\(address)\", local: true}}\n",
      to: "home/config.yaml")
    let rasa = try Rasa(
      home: kit.folder.file("home"), project: kit.folder.file("project"),
      environment: ["HOME": kit.folder.path, "USER": "ada", "PATH": "/usr/bin:/bin"])
    let made = try await rasa.embedMemories(persona: "keeper", model: "made_up:vectors")
    #expect(made?.made == 3, "\(made?.problem ?? "")")
    await rasa.close()
    await kit.rasa.close()
  }
}
