import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaPersona
import RasaTestKit

@testable import RasaModels

/// A gate with everything it needs, and a provider that does as it is told.
struct GateSetting {
  let provider: ScriptedProvider
  let ledger: MemoryLedger
  let clock: TestClock
  let reports = Locked<[SelectionReport]>([])
  let events = Locked<[ModelEvent]>([])
  let warnings = Locked<[Warning]>([])
  let gate: Gate

  /// Prices that are easy to reckon with: a million dollars per million is a dollar a token.
  static let catalogue = Catalogue(
    shipped: Array(
      """
      {"defaults": {"openai": "cheap"}, "aliases": {"nickname": "cheap"},
       "families": {"claude-": "anthropic"}, "models": {
        "cheap": {"vendor": "openai", "prices": [{"input": "1", "output": "2"}]},
        "small": {"vendor": "openai", "context": 8192, "prices": [{"input": "1", "output": "2"}]},
        "smaller": {"vendor": "openai", "context": 4096, "prices": [{"input": "1", "output": "2"}]},
        "large": {"vendor": "openai", "context": 128000, "prices": [{"input": "1", "output": "2"}]},
        "dear": {"vendor": "openai", "prices": [{"input": "100", "output": "200"}]},
        "thinker": {"vendor": "openai", "thinking": true, "prices": [{"input": "10", "output": "20"}]},
        "vectors": {"vendor": "openai", "prices": [{"input": "1", "output": "0"}]},
        "bounded": {"vendor": "openai", "max_output": 5000, "context": 100000,
          "prices": [{"input": "1", "output": "2"}]},
        "narrow": {"vendor": "openai", "max_output": 8192, "context": 8192,
          "prices": [{"input": "1", "output": "2"}]},
        "deep": {"vendor": "openai", "thinking": true, "max_output": 60000,
          "prices": [{"input": "1", "output": "2"}]},
        "claude-deep": {"vendor": "anthropic", "thinking": true, "max_output": 60000,
          "prices": [{"input": "1", "output": "2"}]},
        "timed": {"vendor": "openai", "prices": [{"per_second": "0.001"}]},
        "cached": {"vendor": "openai", "prices": [{"input": "10", "cached": "1", "output": "20"}]}
      }}
      """.utf8))

  init(
    _ scripts: [Script] = [], dialect: ProviderSettings.Dialect = .openAI,
    models: [String] = ["scripted"], key: String? = "sk-test-key",
    ledger: MemoryLedger = MemoryLedger(), clock: TestClock = TestClock(),
    time: TimeSource? = nil, client: HTTPClient = HTTPClient(), memory: GateMemory = GateMemory(),
    provider: ScriptedProvider? = nil,
    configure: (inout ModelConfiguration) -> Void = { _ in },
    options: (inout GateOptions) -> Void = { _ in }
  ) throws {
    self.ledger = ledger
    self.clock = clock
    let provider = try provider ?? ScriptedProvider.start(scripts, models: models)
    self.provider = provider
    var configuration = ModelConfiguration(
      providers: [
        try .scripted(provider, dialect, key: key)
      ])
    configure(&configuration)
    var gateOptions = GateOptions()
    options(&gateOptions)
    let warnings = warnings
    let reports = reports
    gate = Gate(
      configuration: configuration, catalogue: Self.catalogue, ledger: ledger, history: ledger,
      client: client, time: time ?? clock.source, random: { 500 }, options: gateOptions,
      memory: memory,
      onWarning: { warning in warnings.withLock { $0.append(warning) } },
      onSelection: { report in reports.withLock { $0.append(report) } })
  }

  func ask(_ request: ModelRequest = .plain, _ context: CallContext = .test()) async throws
    -> ModelAnswer
  {
    let events = events
    return try await gate.answer(request, for: context) { event in
      events.withLock { $0.append(event) }
    }
  }

  /// The failure that asking ends in.
  func failure(_ request: ModelRequest = .plain, _ context: CallContext = .test()) async throws
    -> Failure
  {
    do {
      let answer = try await ask(request, context)
      throw Failure(.run, "answered: \(answer.text)")
    } catch let failure as Failure {
      return failure
    }
  }

  var shown: [ModelEvent] { events.withLock { $0 } }
  var askedModels: [String] { provider.requests.map { $0.model ?? "" } }
}

extension ModelRequest {
  static let plain = ModelRequest(messages: [ChatMessage(.user, "Say something.")], name: "respond")
}

extension CallContext {
  static let run = Identifier("run-1")

  static func test(
    _ primary: String? = "cheap", fallback: String? = nil, premium: String? = nil,
    profile: PerformanceProfile = .balanced, budget: CostBudget = CostBudget(),
    runLimit: Money? = nil
  ) -> CallContext {
    CallContext(
      run: run, key: EffectKey(frame: "main", visit: 1, operatorName: "respond", label: "call"),
      persona: "tester",
      models: RecommendedModels(
        primary: primary.map(ModelConfiguration.reference),
        fallback: fallback.map(ModelConfiguration.reference),
        premium: premium.map(ModelConfiguration.reference)), profile: profile, budget: budget,
      runLimit: runLimit)
  }
}

extension ProviderSettings {
  /// A scripted provider, reached in one of the formats that it speaks.
  static func scripted(
    _ provider: ScriptedProvider, _ dialect: Dialect, key: String?
  ) throws -> ProviderSettings {
    switch dialect {
    case .openAI: try .openAI(baseURL: provider.openAIBaseURL, key: key)
    case .anthropic: try .anthropic(baseURL: provider.baseURL, key: key)
    case .gemini: try .gemini(baseURL: provider.baseURL, key: key)
    case .ollama: try .ollama(host: provider.baseURL)
    }
  }
}
