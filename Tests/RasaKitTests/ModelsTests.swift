import RasaKit
import RasaTestKit
import Testing

@Suite("Models and providers from a program", .timeLimit(.minutes(1))) struct ModelsTests {
  private static func answered() async throws -> Kit {
    let kit = try Kit(provider: [.text("All is new.")])
    try await kit.rasa.register(Kit.writer)
    _ = try await kit.rasa.run(agent: "note-writer", input: "What is new?").result()
    return kit
  }

  @Test func listsWhatTheConfiguredProvidersHave() async throws {
    let kit = try await Self.answered()
    let models = try await kit.rasa.models()
    let model = try #require(models.first { $0.name == "gpt-4o-mini" })
    #expect(model.provider == "openai" && model.vendor == "openai")
    #expect(model.address == kit.provider?.openAIBaseURL)
    #expect(try #require(model.price).perMillion.input > 0)
    #expect(model.health.isKnown && model.health.calls == 1)
    #expect(model.health.availability == .available)
    let all = try await kit.rasa.models(.catalogue, provider: "anthropic")
    #expect(!all.isEmpty && all.allSatisfy { $0.vendor == "anthropic" })
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.models(provider: "opnai")
    }
    #expect(error?.code == .usage && error?.suggestion.contains("openai") == true)
    await kit.rasa.close()
  }

  @Test func showsOneModelWithItsPrices() async throws {
    let kit = try await Self.answered()
    let details = try await kit.rasa.model("openai:gpt-4o-mini")
    #expect(details.model.name == "gpt-4o-mini" && details.model.health.calls == 1)
    #expect(details.prices.filter(\.isCurrent).map(\.price) == [details.model.price])
    #expect(details.adaptation == nil && details.source?.isEmpty == false)
    let error = await #expect(throws: RasaError.self) { try await kit.rasa.model("gpt-4o-minni") }
    #expect(error?.code == .usage && error?.suggestion.contains("gpt-4o-mini") == true)
    await kit.rasa.close()
  }

  @Test func checksModelsWithoutAskingForAnAnswer() async throws {
    let kit = try Kit(provider: [])
    let found = try await kit.rasa.checkModels()
    #expect(found.map(\.model) == ["gpt-4o-mini"] && found.map(\.availability) == [.available])
    let named = try await kit.rasa.checkModels(["gpt-4o-mini", "openai:gpt-4o-mimi"])
    #expect(named.map(\.availability) == [.available, .unavailable])
    #expect(named.last?.reason.contains("gpt-4o-mini") == true)
    #expect(try await kit.rasa.model("gpt-4o-mini").model.health.availability == .available)
    await #expect(throws: RasaError.self) {
      try await kit.rasa.checkModels(["anthropic:claude-sonnet-4-5"])
    }
    let provider = try #require(kit.provider)
    #expect(provider.requests.allSatisfy { $0.method == "GET" } && !provider.requests.isEmpty)
    await kit.rasa.close()
  }

  @Test func checksProvidersAndSaysHowTheyAreSetUp() async throws {
    let kit = try Kit(provider: [])
    let check = try #require(try await kit.rasa.checkProviders().first)
    #expect(check.provider == "openai" && check.models == ["gpt-4o-mini"])
    #expect(check.problem == nil && check.proxy == nil)
    let found = try await kit.rasa.providers()
    let own = try #require(found.providers.first)
    #expect(own.keyVariable == "OPENAI_API_KEY" && own.hasKey && own.address == check.address)
    #expect(!found.usesMock && found.network.routes.isEmpty)
    let mock = try Kit()
    #expect(try await mock.rasa.providers().usesMock)
    await mock.rasa.close()
    await kit.rasa.close()
  }

  @Test func reportsAProviderThatIsDownWithoutFailing() async throws {
    let folder = ScratchDirectory()
    let rasa = try Rasa(
      Rasa.Configuration(
        home: folder.path,
        environment: ["OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"]))
    let check = try #require(try await rasa.checkProviders().first)
    #expect(check.availability == .unavailable && check.problem?.code == .provider)
    let model = try #require(try await rasa.checkModels().first)
    #expect(model.model == nil && model.availability == .unavailable && !model.reason.isEmpty)
    await rasa.close()
  }

  @Test func importsPricesOrNothing() async throws {
    let kit = try Kit()
    let list = """
      {"gpt-4o-mini": {"litellm_provider": "openai", "mode": "chat",
        "input_cost_per_token": 0.000002, "output_cost_per_token": 0.000004}}
      """
    let found = try await kit.rasa.importPrices(Array(list.utf8), named: "prices.json")
    #expect(found.format == "litellm" && found.models == 1)
    #expect(try await kit.rasa.model("gpt-4o-mini").model.price?.perMillion.input == 2)
    let error = await #expect(throws: RasaError.self) {
      try await kit.rasa.importPrices(Array("{}".utf8), named: "prices.json", as: "other")
    }
    #expect(error?.code == .configuration)
    await kit.rasa.close()
  }
}
