import RasaCore
import RasaEngine
import RasaHTTPClient
import RasaModels
import RasaPersona
import RasaStore

// MARK: Settings

extension Rasa {
  /// A provider of models as the environment and the configuration set it up.
  public struct Provider: Sendable, Hashable, Codable {
    /// What stands before the colon in `provider:model`.
    public var name: String
    /// Where it is asked.
    public var address: String
    /// The wire format, such as `openai`.
    public var dialect: String
    /// Whether it runs on this machine.
    public var isLocal: Bool
    /// Whose prices its models have; nil for a server of many vendors' models.
    public var vendor: String?
    /// The environment variable of its key; nil where it has none.
    public var keyVariable: String?
    /// Whether the key is there.
    public var hasKey: Bool
    /// Whether it cannot be asked without a key.
    public var needsKey: Bool
    /// What configures it: names of variables, places in files.
    public var origins: [String]
    /// The model that is asked where nobody names one; nil for the one that it lists first.
    public var defaultModel: String?
  }

  /// A setting with where it comes from.
  public struct NetworkSetting: Sendable, Hashable, Codable {
    /// What is set.
    public var value: String
    /// The variable, or the place in a file.
    public var origin: String
  }

  /// How requests travel.
  public struct NetworkOverview: Sendable, Hashable, Codable {
    /// The proxy of a kind of address.
    public struct Route: Sendable, Hashable, Codable {
      /// `https` or `http`.
      public var scheme: String
      /// The proxy's address, without a password.
      public var proxy: NetworkSetting
    }

    /// The proxies, by kind of address.
    public var routes: [Route]
    /// The hosts that are asked without a proxy.
    public var noProxy: NetworkSetting?
    /// The file of certificate authorities in place of the system's.
    public var caFile: NetworkSetting?
    /// The folder of certificate authorities in place of the system's.
    public var caFolder: NetworkSetting?
    /// The setting that cannot be used; nil when all of them can.
    public var problem: String?
    /// All of it in one line.
    public var summary: String

    init(_ settings: NetworkSettings) {
      let found = NetworkSummary(settings)
      func setting(_ choice: NetworkSettings.Choice?) -> NetworkSetting? {
        choice.map { NetworkSetting(value: $0.value, origin: $0.origin) }
      }
      routes = found.ways.map {
        Route(
          scheme: $0.scheme,
          proxy: NetworkSetting(value: $0.proxy.address, origin: $0.proxy.origin))
      }
      noProxy = setting(found.noProxy)
      caFile = setting(found.certificates?.file)
      caFolder = setting(found.certificates?.folder)
      problem = found.problem?.message
      summary = found.problem?.message ?? found.text
    }
  }

  /// Who answers, and what is asked where nobody says.
  public struct ProviderOverview: Sendable, Hashable, Codable {
    /// The configured providers, in the order in which they are tried.
    public var providers: [Provider]
    /// The model that is asked where nobody names one; nil for the first that the first provider lists.
    public var defaultModel: String?
    /// The profile where neither a run nor its persona or agent has one.
    public var profile: Profile
    /// The time zone of days and months; nil for the machine's.
    public var budgetTimeZone: String?
    /// Whether `LLM_PROVIDER` has the mock answer.
    public var prefersMock: Bool
    /// Whether the mock answers where no Ollama runs on this machine.
    public var usesMock: Bool { prefersMock || providers.isEmpty }
    /// How requests travel.
    public var network: NetworkOverview
  }

  /// The providers and the network as they are configured. Nobody is asked.
  ///
  /// - Throws: A `RasaError` of code `configuration` that says which setting is wrong.
  public func providers() async throws(RasaError) -> ProviderOverview {
    try await prepared { rasa throws(Failure) in
      let composition = rasa.composition
      let files = try composition.configuration(onWarning: rasa.warn)
      let models = try composition.models(files, onWarning: rasa.warn)
      var providers: [Provider] = []
      for settings in models.providers {
        providers.append(
          Provider(
            name: settings.name, address: settings.baseURL, dialect: settings.dialect.rawValue,
            isLocal: settings.isLocal, vendor: settings.vendor, keyVariable: settings.keyVariable,
            hasKey: settings.key != nil, needsKey: settings.wantsKey, origins: settings.origins,
            defaultModel: try ModelConfiguration().defaultModel(
              of: settings, in: composition.catalogue)))
      }
      var model = models.model?.description
      if model == nil, let first = models.providers.first {
        model = try models.defaultModel(of: first, in: composition.catalogue).map {
          "\(first.name):\($0)"
        }
      }
      return ProviderOverview(
        providers: providers, defaultModel: model,
        profile: files.profile.flatMap { Profile(rawValue: $0.rawValue) } ?? .balanced,
        budgetTimeZone: files.budget.timeZone, prefersMock: models.prefersMock,
        network: NetworkOverview(try composition.network()))
    }
  }
}

// MARK: Checks

extension Rasa {
  /// How a provider answered when it was asked for its list of models.
  public struct ProviderCheck: Sendable, Hashable {
    /// The provider.
    public var provider: String
    /// Where it was asked.
    public var address: String
    /// Whether it can be asked. `unknown` is one that answers and has no list.
    public var availability: Availability
    /// The milliseconds until it had answered.
    public var milliseconds: Int64
    /// The models that it lists and that can chat, in its order.
    public var models: [String]
    /// The proxy that it was asked through; nil for none.
    public var proxy: NetworkSetting?
    /// Why it gave no list, with what to do; nil when it did.
    public var problem: RasaError?
  }

  /// How a model stands after its provider was asked for its list.
  public struct ModelCheck: Sendable, Hashable {
    /// The provider.
    public var provider: String
    /// The model; nil where the provider gave no list.
    public var model: String?
    /// Whether it is listed.
    public var availability: Availability
    /// Why it is not; empty where it is.
    public var reason: String
    /// What was wrong with the provider; nil where it answered.
    public var problem: RasaError?
  }

  /// Asks all configured providers at once for their lists of models, and an Ollama on this machine where
  /// none is configured. That costs nothing.
  ///
  /// - Returns: A check for each; empty where there is no provider and the mock answers. A provider that
  ///   does not answer is no error.
  public func checkProviders() async throws(RasaError) -> [ProviderCheck] {
    try await redacted {
      let configuration = try providerConfiguration()
      let network = try composition.network()
      let reports = try await asking { client in
        let found = try await RasaModels.ProviderCheck.complete(
          configuration, client: client, time: composition.time)
        return try await RasaModels.ProviderCheck.run(
          found.providers, client: client, time: composition.time)
      }
      return reports.map { report in
        let proxy = (try? network.route(to: report.address))?.proxy
        return ProviderCheck(
          provider: report.name, address: report.address,
          availability: Availability(report.availability),
          milliseconds: Int64(clamping: report.latency / 1_000_000), models: report.models,
          proxy: proxy.map { NetworkSetting(value: $0.address, origin: $0.origin) },
          problem: report.problem.map { RasaError(composition.redaction($0)) })
      }
    }
  }

  /// Asks providers for their lists of models, and remembers what they have. That costs nothing.
  ///
  /// - Parameter names: Models to look for, as `model` or `provider:model`. Without any, everything that
  ///   all configured providers list is returned.
  /// - Throws: A `RasaError` of code `configuration` when no provider is configured, or none has a model
  ///   of that name. A provider that does not answer is no error.
  public func checkModels(_ names: [String] = []) async throws(RasaError) -> [ModelCheck] {
    try await redacted {
      let configured = try providerConfiguration()
      var wanted: [(settings: ProviderSettings, model: String)] = []
      let reports = try await asking { client in
        let configuration = try await RasaModels.ProviderCheck.complete(
          configured, client: client, time: composition.time)
        for name in names {
          let reference = configuration.resolved(ModelReference(model: name))
          guard let settings = try configuration.provider(for: reference, in: composition.catalogue)
          else { throw Self.unreachable(name, configuration) }
          wanted.append((settings, reference.model))
        }
        let asked = configuration.providers.filter { settings in
          names.isEmpty || wanted.contains { $0.settings.name == settings.name }
        }
        guard !asked.isEmpty else { throw Self.nothingConfigured }
        return try await RasaModels.ProviderCheck.run(asked, client: client, time: composition.time)
      }
      let now = composition.time.now()
      try await store.observe(
        reports.flatMap { report in
          report.observations(
            asked: wanted.filter { $0.settings.name == report.name }.map(\.model), at: now)
        })
      guard !names.isEmpty else { return reports.flatMap { checks(of: $0) } }
      return wanted.compactMap { settings, model in
        reports.first { $0.name == settings.name }.map { check(model, $0) }
      }
    }
  }

  private func asking<Result>(
    _ body: (HTTPClient) async throws -> Result
  ) async throws -> Result {
    let client = try composition.client()
    defer { client.shutdown() }
    return try await body(client)
  }

  private func checks(of report: ProviderReport) -> [ModelCheck] {
    guard report.availability == .available, !report.models.isEmpty else {
      return [
        ModelCheck(
          provider: report.name, model: nil,
          availability: report.availability == .available
            ? .unknown : Availability(report.availability),
          reason: report.problem?.message ?? "it lists no model",
          problem: report.problem.map { RasaError(composition.redaction($0)) })
      ]
    }
    return report.models.map {
      ModelCheck(provider: report.name, model: $0, availability: .available, reason: "")
    }
  }

  private func check(_ model: String, _ report: ProviderReport) -> ModelCheck {
    let availability = report.availability(of: model)
    var reason = report.problem?.message ?? ""
    if report.availability == .available, availability != .available {
      let near = nearestName(to: model, among: report.models).map { "; did you mean \($0)?" } ?? ""
      reason =
        availability == .unavailable ? "the provider does not list it\(near)" : "it lists no model"
    }
    return ModelCheck(
      provider: report.name, model: model, availability: Availability(availability),
      reason: reason, problem: report.problem.map { RasaError(composition.redaction($0)) })
  }

  private static func unreachable(_ name: String, _ configuration: ModelConfiguration) -> Failure {
    let names = configuration.providers.map(\.name)
    return Failure(
      .configuration, "no configured provider has the model \(quoted(name))",
      suggestion: names.isEmpty
        ? nothingConfigured.suggestion : "configured: \(names.joined(separator: ", "))")
  }

  private static let nothingConfigured = Failure(
    .configuration, "no provider is configured, and Ollama is not running",
    suggestion:
      "set the key of a provider, such as OPENAI_API_KEY, start Ollama, or write `providers:` "
      + "into config.yaml")
}
