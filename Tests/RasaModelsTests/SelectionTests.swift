import RasaCore
import RasaEngine
import RasaPersona
import Testing

@testable import RasaModels

@Suite struct SelectionTests {
  private func selection(
    _ environment: [String: String], latencies: [String: UInt64] = [:],
    options: (inout GateOptions) -> Void = { _ in }
  ) throws -> Selection {
    var gateOptions = GateOptions()
    options(&gateOptions)
    return Selection(
      configuration: try .discover(environment), options: gateOptions,
      catalogue: GateSetting.catalogue, today: LocalDay(year: 2026, month: 9, day: 15),
      standing: { key in
        latencies[key.model].map { latency in
          var standing = ModelStanding(key: key, seenAt: Timestamp(milliseconds: 0))
          standing.firstContent = Int64(latency)
          return standing
        }
      })
  }

  private func names(_ chain: Selection.Chain) -> [String] {
    chain.candidates.map { "\($0.provider) \($0.model ?? "?")" }
  }

  private static let openAI = ["OPENAI_API_KEY": "sk-1"]
  private static let everything = RecommendedModels(
    primary: ModelReference(model: "cheap"), fallback: ModelReference(model: "thinker"),
    premium: ModelReference(model: "dear"))

  @Test(
    arguments: [
      (PerformanceProfile.balanced, false, [:], ["cheap", "thinker", "dear"]),
      (.expert, false, [:], ["dear", "cheap", "thinker"]),
      (.balanced, true, [:], ["dear", "cheap", "thinker"]),
      (.speed, false, [:], ["cheap", "thinker", "dear"]),
      (.speed, false, ["thinker": 5, "cheap": 9, "dear": 1], ["thinker", "cheap", "dear"]),
      (.speed, false, ["thinker": 5], ["thinker", "cheap", "dear"]),
      (.thinking, false, [:], ["cheap", "thinker", "dear"]),
    ] as [(PerformanceProfile, Bool, [String: UInt64], [String])])
  func ordersTheChainByProfile(
    _ row: (
      profile: PerformanceProfile, premium: Bool, latencies: [String: UInt64], models: [String]
    )
  ) throws {
    let selection = try selection(Self.openAI, latencies: row.latencies) {
      $0.premium = row.premium
    }
    let chain = try selection.chain(for: Self.everything, profile: row.profile)
    #expect(names(chain) == row.models.map { "openai \($0)" })
  }

  @Test func asksAPreferredModelFirstWhereItIsRecommended() throws {
    for (preferred, expected) in [
      ("openai:thinker", ["openai thinker", "openai cheap", "openai dear"]),
      ("openai:other", ["openai cheap", "openai thinker", "openai dear"]),
    ] {
      let selection = try selection(Self.openAI) { $0.preferred = preferred }
      #expect(
        names(try selection.chain(for: Self.everything, profile: .balanced)) == expected)
    }
  }

  /// A model that has to be asked for is not among the others; asked for, it comes first.
  @Test(
    arguments: [
      ([:], ["cheap", "thinker"]), (["LLM_MODEL": "openai:else"], ["cheap", "thinker"]),
      (["premium": ""], ["dear", "cheap", "thinker"]), (["model": "thinker"], ["thinker"]),
      (["LLM_PROVIDER": "mock"], ["mock"]),
    ] as [([String: String], [String])])
  func quotesWhatMayBeAskedInstead(_ row: (settings: [String: String], models: [String])) throws {
    var options = GateOptions()
    options.premium = row.settings["premium"] != nil
    options.model = row.settings["model"].map { ModelReference(model: $0) }
    let quotes = ModelQuotes(
      configuration: try .discover(Self.openAI.merging(row.settings) { $1 }),
      catalogue: GateSetting.catalogue,
      options: options, standings: [], today: LocalDay(year: 2026, month: 9, day: 15),
      now: Timestamp(milliseconds: 0))
    let found = quotes.quotes(Self.everything, profile: .balanced, tokens: 3000)
    #expect(found.map(\.model) == row.models)
    #expect(found.first == quotes.quote(Self.everything, profile: .balanced, tokens: 3000))
  }

  @Test func letsAThinkingModelThink() throws {
    let models = RecommendedModels(
      primary: ModelReference(model: "cheap"), premium: ModelReference(model: "thinker"))
    let chain = try selection(Self.openAI).chain(for: models, profile: .thinking)
    #expect(names(chain) == ["openai thinker", "openai cheap"])
  }

  @Test func letsTheFlagsWin() throws {
    let profile = try selection(Self.openAI) { $0.profile = .expert }
    #expect(names(try profile.chain(for: Self.everything, profile: .speed)).first == "openai dear")
    let model = try selection(Self.openAI) { $0.model = ModelReference(model: "other") }
    #expect(names(try model.chain(for: Self.everything, profile: .speed)) == ["openai other"])
    let mock = try selection(Self.openAI) {
      $0.model = ModelReference(engine: "mock", model: "mock")
    }
    #expect(names(try mock.chain(for: Self.everything, profile: .speed)) == ["mock mock"])
  }

  @Test(
    arguments: [
      (openAI, nil, ["openai cheap"]),
      (openAI.merging(["LLM_MODEL": "mine"]) { $1 }, nil, ["openai mine"]),
      (openAI.merging(["LLM_MODEL": "mine"]) { $1 }, "dear", ["openai dear", "openai mine"]),
      (["OLLAMA_HOST": "h"], nil, ["ollama ?"]),
      (["OLLAMA_HOST": "h"], "llama3:8b", ["ollama llama3:8b"]),
      (["OLLAMA_HOST": "h"], "cheap", ["ollama ?"]),
      (["OLLAMA_HOST": "127.0.0.1"], "llama3:8b", ["ollama llama3:8b", "ollama ?"]),
      (["OPENAI_BASE_URL": "https://h/v1"], "cheap", ["openai cheap"]),
      (["OPENAI_BASE_URL": "https://h/v1"], nil, ["openai ?"]),
      (["OPENAI_API_KEY": "k", "OLLAMA_HOST": "h"], "ollama:qwen", ["ollama qwen"]),
      (["OPENAI_API_KEY": "k", "OLLAMA_HOST": "h"], "cheap", ["openai cheap"]),
      (
        ["OLLAMA_HOST": "h", "OPENAI_API_KEY": "k", "LLM_PROVIDER": "ollama"], "cheap",
        ["openai cheap"]
      ),
      (["LLM_PROVIDER": "mock", "OPENAI_API_KEY": "k"], "cheap", ["mock mock"]),
      (openAI, "mock", ["mock mock"]),
      (
        ["OPENAI_BASE_URL": "https://h/v1", "ANTHROPIC_BASE_URL": "https://g"], "claude-next",
        ["anthropic claude-next"]
      ),
      (["ANTHROPIC_BASE_URL": "https://g"], "cheap", ["anthropic ?"]),
    ] as [([String: String], String?, [String])])
  func findsWhereAModelIs(
    _ row: (environment: [String: String], primary: String?, chain: [String])
  ) throws {
    let models = RecommendedModels(primary: row.primary.map(ModelConfiguration.reference))
    let chain = try selection(row.environment).chain(for: models, profile: .balanced)
    #expect(names(chain) == row.chain)
  }

  @Test(
    arguments: [
      // What costs more than ten dollars has to be asked for.
      (.reasoning, nil, .balanced, ["gpt-5.6-terra", "gpt-5-mini", "gpt-5-nano"]),
      (
        .reasoning, .premium, .balanced,
        ["gpt-5.6-sol", "gpt-5.6-terra", "gpt-5-mini", "gpt-5-nano"]
      ),
      (.reasoning, .medium, .balanced, ["gpt-5-mini", "gpt-5-nano"]),
      (.fast, .medium, .balanced, ["gpt-5.6-luna", "gpt-5.4-nano", "gpt-5-nano"]),
      (nil, .medium, .speed, ["gpt-5.6-luna", "gpt-5.4-nano", "gpt-5-nano"]),
      (nil, .medium, .thinking, ["gpt-5-mini", "gpt-5-nano"]),
      // Where nothing is wanted, the provider's own.
      (nil, nil, .thinking, ["gpt-5.6-luna"]),
    ] as [(ModelClass?, CostTier?, PerformanceProfile, [String])])
  func choosesByClassAndPriceWhereNoModelIsNamed(
    _ row: (wanted: ModelClass?, tier: CostTier?, profile: PerformanceProfile, models: [String])
  ) throws {
    let selection = Selection(
      configuration: try .discover(Self.openAI), options: GateOptions(),
      catalogue: try ShippedCatalogueTests.catalogue(),
      today: LocalDay(year: 2026, month: 9, day: 15),
      standing: { _ in nil })
    var models = RecommendedModels()
    models.modelClass = row.wanted
    models.costTier = row.tier
    #expect(
      names(try selection.chain(for: models, profile: row.profile))
        == row.models.map { "openai \($0)" })
  }

  @Test func asksOnlyTheEngineThatIsWanted() throws {
    let selection = Selection(
      configuration: try .discover([
        "OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-2",
      ]), options: GateOptions(), catalogue: try ShippedCatalogueTests.catalogue(),
      today: LocalDay(year: 2026, month: 9, day: 15), standing: { _ in nil })
    var models = RecommendedModels()
    models.engine = "anthropic"
    models.modelClass = .fast
    #expect(
      names(try selection.chain(for: models, profile: .balanced)).first
        == "anthropic claude-haiku-4-5")
    // A name goes before everything that is only wanted.
    models.primary = ModelReference(model: "gpt-4o-mini")
    #expect(names(try selection.chain(for: models, profile: .balanced)) == ["openai gpt-4o-mini"])
  }

  private static let keys = [
    "OPENAI_API_KEY": "k1", "ANTHROPIC_API_KEY": "k2", "GEMINI_API_KEY": "k3",
  ]

  private func shipped(
    _ environment: [String: String], _ files: Configuration = Configuration(),
    overlay: String? = nil
  ) throws -> Selection {
    Selection(
      configuration: try .discover(environment, configuration: files), options: GateOptions(),
      catalogue: try ShippedCatalogueTests.catalogue(overlay: overlay),
      today: LocalDay(year: 2026, month: 9, day: 15), standing: { _ in nil })
  }

  /// The names that agents of other tools give to models.
  @Test(
    arguments: [
      ("sonnet", "anthropic claude-sonnet-5"), ("opus", "anthropic claude-opus-5"),
      ("haiku", "anthropic claude-haiku-4-5"), ("Sonnet", "anthropic claude-sonnet-5"),
      ("sonnet[1m]", "anthropic claude-sonnet-5"), ("opusplan", "anthropic claude-opus-5"),
      ("Claude Sonnet 4.5", "anthropic claude-sonnet-4-5"),
      ("Claude Sonnet 4.5 (copilot)", "anthropic claude-sonnet-4-5"),
      ("Claude Haiku 4.5", "anthropic claude-haiku-4-5"),
      ("claude-4.5-sonnet", "anthropic claude-sonnet-4-5"),
      ("claude-3-5-sonnet-latest", "anthropic claude-3-5-sonnet-latest"),
      ("claude-3.5-sonnet", "anthropic claude-3-5-sonnet-latest"),
      ("claude-sonnet-4-5-20250929", "anthropic claude-sonnet-4-5-20250929"),
      ("anthropic/claude-sonnet-4.5", "anthropic claude-sonnet-4-5"),
      ("anthropic/claude-next-9", "anthropic claude-next-9"),
      ("openrouter/anthropic/claude-opus-4.5", "anthropic claude-opus-4-5"),
      ("google/gemini-2.5-pro", "gemini gemini-2.5-pro"),
      ("Gemini 2.5 Pro", "gemini gemini-2.5-pro"),
      ("models/gemini-2.5-flash", "gemini gemini-2.5-flash"),
      ("GPT-4o", "openai gpt-4o"), ("GPT-5 (copilot)", "openai gpt-5"),
      ("openai/gpt-5-mini", "openai gpt-5-mini"), ("gpt-5-codex", "openai gpt-5-codex"),
      ("anthropic:sonnet", "anthropic claude-sonnet-5"),
      ("google:gemini-2.5-pro", "gemini gemini-2.5-pro"),
    ])
  func knowsModelsByTheNamesThatPeopleUse(_ row: (name: String, model: String)) throws {
    let models = RecommendedModels(primary: ModelConfiguration.reference(row.name))
    let chain = try shipped(Self.keys).chain(for: models, profile: .balanced)
    #expect(names(chain) == [row.model])
  }

  @Test func sendsAServerOfManyVendorsWhatItKnows() throws {
    let gateway = ProviderDefinition(name: "openrouter", baseURL: "https://gate.example/api/v1")
    var files = Configuration()
    files.providers = [gateway]
    let models = RecommendedModels(
      primary: ModelReference(model: "anthropic/claude-sonnet-4.5"),
      fallback: ModelReference(engine: "anthropic", model: "claude-haiku-4-5"))
    let chain = try shipped([:], files).chain(for: models, profile: .balanced)
    #expect(
      names(chain) == [
        "openrouter anthropic/claude-sonnet-4.5", "openrouter claude-haiku-4-5",
      ])
    // The same model under another roof: nothing is lost but a name.
    #expect(chain.candidates.last?.standsFor?.description == "anthropic:claude-haiku-4-5")
  }

  @Test func sendsTheModelThatAnAliasOfTheUsersMeans() throws {
    let overlay = #"{"aliases": {"quick": "gpt-5-nano"}}"#
    let chain = try shipped(Self.keys, overlay: overlay).chain(
      for: RecommendedModels(primary: ModelReference(model: "quick")), profile: .balanced)
    #expect(names(chain) == ["openai gpt-5-nano"])
  }

  @Test func exchangesNoEngineThatIsNamed() throws {
    var models = RecommendedModels(primary: ModelReference(engine: "gemini", model: "pro"))
    let failure = try #require(throws: Failure.self) {
      try selection(Self.openAI).chain(for: models, profile: .balanced)
    }
    #expect(failure.kind == .configuration)
    #expect(failure.message.contains("gemini:pro"))
    #expect(
      failure.suggestion.contains("GEMINI_API_KEY")
        && failure.suggestion.contains("any_engine: true"))
    // The configured model is of another engine, too.
    let configured = Self.openAI.merging(["LLM_MODEL": "mine"]) { $1 }
    #expect(throws: Failure.self) {
      try selection(configured).chain(for: models, profile: .balanced)
    }
    models.anyEngine = true
    #expect(
      names(try selection(Self.openAI).chain(for: models, profile: .balanced)) == ["openai pro"])
    // What the chain itself names is allowed.
    models.anyEngine = false
    models.fallback = ModelReference(model: "cheap")
    let chain = try selection(Self.openAI).chain(for: models, profile: .balanced)
    #expect(names(chain) == ["openai cheap"] && chain.missing == "gemini:pro")
  }

  @Test(arguments: CostTier.allCases)
  func staysAtTheEngineThatIsWantedWhateverItCosts(_ tier: CostTier) throws {
    for engine in ["openai", "anthropic", "gemini"] {
      for wanted in ModelClass.allCases {
        var models = RecommendedModels()
        models.engine = engine
        models.costTier = tier
        models.modelClass = wanted
        let chain = try shipped(Self.keys).chain(for: models, profile: .balanced)
        #expect(chain.candidates.allSatisfy { $0.provider == engine })
      }
      var models = RecommendedModels()
      models.engine = engine
      models.costTier = tier
      let chain = try shipped(Self.keys).chain(for: models, profile: .speed)
      #expect(chain.candidates.first?.role == .fitting, "\(engine) has nothing that is \(tier)")
    }
  }

  @Test func knowsWhatThinksUnderTheNameOfAProviderOfTheUsers() throws {
    let mine = ProviderDefinition(name: "mine", baseURL: "https://gate.example/v1")
    var files = Configuration()
    files.providers = [mine]
    let models = RecommendedModels(
      primary: ModelConfiguration.reference("mine:gpt-4o-mini"),
      premium: ModelConfiguration.reference("mine:gpt-5"))
    let chain = try shipped([:], files).chain(for: models, profile: .thinking)
    #expect(names(chain) == ["mine gpt-5", "mine gpt-4o-mini"])
  }

  @Test func saysWhatIsMissing() throws {
    let missing = try selection(Self.openAI) {
      $0.model = ModelReference(engine: "ollama", model: "x")
    }
    let failure = try #require(throws: Failure.self) {
      try missing.chain(for: RecommendedModels(), profile: .balanced)
    }
    #expect(failure.kind == .configuration)
    #expect(failure.suggestion.contains("openai"))
  }

  @Test(
    arguments: [
      ("http://127.0.0.1:1", "llama3", nil, true),
      ("http://127.0.0.1:1", "gpt-oss:120b-cloud", nil, false),
      ("http://127.0.0.1:1", "x", ListedModel(name: "x", isRemote: true), false),
      ("http://far:1", "llama3", nil, false),
    ] as [(String, String, ListedModel?, Bool)])
  func callsAModelFreeOnlyWhereItIsLocal(
    _ row: (host: String, model: String, listed: ListedModel?, isFree: Bool)
  ) throws {
    let candidate = Candidate(
      settings: try .ollama(host: row.host), model: row.model, facts: nil)
    let price = candidate.price(
      on: LocalDay(year: 2026, month: 1, day: 1), listed: [row.listed].compactMap(\.self))
    #expect(price == (row.isFree ? .free : nil))
  }

  @Test func readsListsOfModels() {
    let ollama: Value = [
      "models": [
        ["name": "nomic-embed-text"], ["name": "a"], ["name": "b", "remote_host": "https://x"], [:],
      ]
    ]
    let listed = ListedModel.read(ollama)
    #expect(listed.map(\.name) == ["nomic-embed-text", "a", "b"])
    #expect(listed.map(\.canChat) == [false, true, true])
    #expect(listed.map(\.isRemote) == [false, false, true])
    #expect(ListedModel.read(["data": [["id": "m"]]]).map(\.name) == ["m"])
    #expect(ListedModel.read(.null).isEmpty)
  }
}
