import RasaCore
import RasaEngine
import RasaModels
import RasaPersona
import RasaStore

extension Rasa {
  /// Whether a model or provider can be asked now.
  @nonexhaustive
  public enum Availability: String, Sendable, Hashable, Codable {
    /// It answered within the last minutes.
    case available
    /// It failed, and is not asked again before some time has passed.
    case unavailable
    /// Nobody has asked it lately.
    case unknown

    init(_ availability: RasaEngine.Availability) {
      self = Availability(rawValue: availability.rawValue) ?? .unknown
    }
  }

  /// How the calls of a model have gone, over all processes of the user.
  public struct ModelHealth: Sendable, Hashable, Codable {
    /// Whether it can be asked now. Where its whole provider is unavailable, so is the model.
    public var availability = Availability.unknown
    /// Why it is unavailable; empty where that is not known.
    public var reason = ""
    /// For how many milliseconds it stays unavailable.
    public var unavailableMilliseconds: Int64?
    /// Whether it has failed so often in a row that it is tried last.
    public var isCircuitOpen = false
    /// Whether it was ever seen or asked. Without that the numbers below mean nothing.
    public var isKnown = false
    /// How many answers it has given.
    public var calls: Int64 = 0
    /// How often it has failed since its last answer.
    public var failuresInARow: Int64 = 0
    /// The milliseconds until an answer begins, as a moving average; nil before the first one.
    public var firstContentMilliseconds: Int64?
    /// How fast answers come, as a moving average; nil before the first one.
    public var tokensPerSecond: Double?

    /// A model of which nothing is known.
    public init() {}
  }

  /// What a model costs, in US dollars.
  public struct ModelPrice: Sendable, Hashable, Codable {
    /// US dollars for a million tokens of each kind.
    public struct Rates: Sendable, Hashable, Codable {
      /// Input.
      public var input: Dollars
      /// Input that the provider had cached.
      public var cached: Dollars
      /// Input that is written to the provider's cache.
      public var cacheWrite: Dollars
      /// Output.
      public var output: Dollars
      /// Output that is reasoning.
      public var reasoning: Dollars

      init(_ rates: Price.Rates) {
        input = Dollars(rates.input)
        cached = Dollars(rates.cached)
        cacheWrite = Dollars(rates.cacheWrite)
        output = Dollars(rates.output)
        reasoning = Dollars(rates.reasoning)
      }
    }

    /// Rates of calls with long inputs.
    public struct Tier: Sendable, Hashable, Codable {
      /// The tokens of input above which they apply to the whole call.
      public var aboveTokens: Int64
      /// The rates.
      public var perMillion: Rates
    }

    /// The rates of calls that fall under no tier.
    public var perMillion: Rates
    /// The tiers, from the shortest input to the longest.
    public var tiers: [Tier]
    /// US dollars for each second of a call, where time is paid for.
    public var perSecond: Dollars
    /// The model, date and source of the price, such as `o3@2025-06-10`. Every call that is priced with
    /// it keeps this text.
    public var version: String
    /// Whether it costs nothing.
    public var isFree: Bool

    init(_ price: Price) {
      perMillion = Rates(price.rates)
      tiers = price.tiers.map { Tier(aboveTokens: $0.tokens, perMillion: Rates($0.rates)) }
      perSecond = Dollars(price.perSecond)
      version = price.version
      isFree = price.isFree
    }
  }

  /// A model: who has it, what it takes, what it costs, and how its calls have gone.
  public struct Model: Sendable, Hashable, Codable {
    /// Its name, without its provider.
    public var name: String
    /// The configured provider that has it; nil for a model of the catalogue that none has.
    public var provider: String?
    /// That provider's address.
    public var address: String?
    /// Whose model it is, such as `openai`; nil where the catalogue does not list it.
    public var vendor: String?
    /// How many tokens of input and output together it takes.
    public var contextTokens: Int64?
    /// The most tokens of one answer.
    public var maxOutputTokens: Int64?
    /// Whether it reasons before it answers.
    public var isThinking: Bool
    /// Whether its weights are public.
    public var isOpen: Bool
    /// Today's price; nil where it is not known.
    public var price: ModelPrice?
    /// How its calls have gone.
    public var health: ModelHealth

    /// - Parameter name: The name that it is asked by.
    init(
      _ name: String, _ facts: ModelFacts?, at settings: ProviderSettings?,
      _ health: Rasa.ModelHealth, on today: LocalDay
    ) {
      self.name = name
      provider = settings?.name
      address = settings?.baseURL
      vendor = facts?.vendor
      contextTokens = facts?.context
      maxOutputTokens = facts?.maxOutput
      isThinking = facts?.isThinking ?? false
      isOpen = facts?.isOpen ?? false
      let price =
        if let settings { settings.price(of: facts, named: name, on: today) } else {
          facts?.price(on: today)
        }
      self.price = price.map { ModelPrice($0) }
      self.health = health
    }
  }

  /// Everything that is known of one model.
  public struct ModelDetails: Sendable, Hashable, Codable {
    /// A price of the catalogue.
    public struct DatedPrice: Sendable, Hashable, Codable {
      /// The first day on which it applies; nil for always.
      public var from: Day?
      /// The price.
      public var price: ModelPrice
      /// Whether it applies today.
      public var isCurrent: Bool
    }

    /// How the estimates of a kind of text compare with what the provider counted.
    public struct Estimates: Sendable, Hashable, Codable {
      /// `prose`, `dense` or `foreign`; more may come.
      public var text: String
      /// How many calls are in these sums.
      public var calls: Int64
      /// Bytes of input.
      public var bytes: Int64
      /// Tokens of input as they were estimated.
      public var estimatedTokens: Int64
      /// Tokens of input as the provider counted them.
      public var countedTokens: Int64
      /// The most tokens that a thousand bytes were.
      public var densestTokensPer1000Bytes: Int64
      /// How often the provider counted more than was estimated.
      public var exceeded: Int64
    }

    /// What requests to a model leave out because the server refused it.
    public struct Adaptation: Sendable, Hashable, Codable {
      /// What is left out or written in another way.
      public var changes: String
      /// When the usual request is tried again, in milliseconds since 1970.
      public var until: Int64
    }

    /// What lists show of it.
    public var model: Model
    /// Other names of it.
    public var aliases: [String]
    /// What it takes: `text`, `image`, `pdf`; nil where that is not known.
    public var inputs: [String]?
    /// Where the catalogue has its figures from; nil where it does not list the model.
    public var source: String?
    /// The prices of the catalogue, the newest first.
    public var prices: [DatedPrice]
    /// How its estimates have fared, by kind of text.
    public var estimates: [Estimates]
    /// What requests leave out; nil where the server takes everything.
    public var adaptation: Adaptation?
  }

  /// Which models a list has.
  @nonexhaustive
  public enum ModelScope: Sendable, Hashable {
    /// Those that the configured providers are known to have.
    case configured
    /// Every model of the catalogue, whoever sells it.
    case catalogue
  }

  /// The models that can be asked, by provider and name. No provider is asked: what a server has that
  /// serves the models of many vendors is known once `checkModels(_:)` or a run has asked it.
  ///
  /// - Parameters:
  ///   - scope: Which models are listed.
  ///   - provider: Only those of this provider or vendor; nil for all.
  /// - Throws: A `RasaError` of code `usage` when there is no such provider.
  public func models(
    _ scope: ModelScope = .configured, provider: String? = nil
  ) async throws(RasaError) -> [Model] {
    try await redacted {
      let configuration = try providerConfiguration()
      let health = try await modelHealth()
      let today = composition.time.localDay(composition.time.now())
      var models: [Model] = []
      func add(_ name: String, _ facts: ModelFacts?, _ settings: ProviderSettings?) {
        models.append(
          Model(name, facts, at: settings, health.health(of: name, at: settings), on: today))
      }
      switch scope {
      case .catalogue:
        for facts in try composition.catalogue.allFacts() {
          let settings = try configuration.provider(
            for: ModelReference(model: facts.id), in: composition.catalogue)
          add(facts.id, facts, settings)
        }
      case .configured:
        for settings in configuration.providers {
          for name in try names(of: settings, configuration, health) {
            add(name, try composition.catalogue.facts(for: name), settings)
          }
        }
      }
      guard let provider else { return models }
      let name = ModelConfiguration.canonical(provider)
      let known = Set(configuration.providers.map(\.name) + models.compactMap(\.vendor))
      guard known.contains(name) else {
        throw Failure(
          .usage, "there is no provider \(quoted(provider)) here",
          suggestion: nearestName(to: provider, among: known.sorted()).map {
            "did you mean `\($0)`?"
          }
            ?? "`rasa llm info` shows the configured ones; --all lists every vendor's models")
      }
      return models.filter { $0.provider == name || $0.vendor == name }
    }
  }

  /// What the vendors sell, and what was seen at all others.
  private func names(
    of settings: ProviderSettings, _ configuration: ModelConfiguration,
    _ health: RememberedModels
  ) throws(Failure) -> [String] {
    var names: Set<String> = []
    if let vendor = settings.vendor {
      for facts in try composition.catalogue.allFacts()
      where facts.vendor == vendor && !facts.isOpen {
        names.insert(facts.id)
      }
    }
    for model in health.models(of: settings) {
      // A vendor lists its models with every date that they ever had.
      let known = try composition.catalogue.facts(for: model)
      if settings.vendor == nil || known == nil { names.insert(model) }
    }
    if let model = settings.defaultModel { names.insert(model) }
    if let model = configuration.model,
      try configuration.provider(for: model, in: composition.catalogue)?.name == settings.name
    {
      names.insert(model.model)
    }
    return names.sorted()
  }

  /// Everything that is known of a model. Nobody is asked.
  ///
  /// - Parameter name: The model, as `model` or `provider:model`.
  /// - Throws: A `RasaError` of code `usage` when neither the catalogue nor a provider knows it.
  public func model(_ name: String) async throws(RasaError) -> ModelDetails {
    try await redacted {
      let configuration = try providerConfiguration()
      let reference = configuration.resolved(ModelReference(model: name))
      let facts = try composition.catalogue.facts(for: reference.model)
      let settings = try configuration.provider(for: reference, in: composition.catalogue)
      let health = try await modelHealth()
      let standing = settings.flatMap { health.standing(of: reference.model, at: $0) }
      if facts == nil, standing == nil {
        guard reference.engine != nil, settings != nil else { throw try unknownModel(reference) }
      }
      let now = composition.time.now()
      let today = composition.time.localDay(now)
      let current = facts?.price(on: today)
      // The price goes by the name that is asked: one that ends in `cloud` does not run here.
      var model = Model(
        reference.model, facts, at: settings,
        health.health(of: reference.model, at: settings), on: today)
      if let facts { model.name = facts.id }
      return ModelDetails(
        model: model,
        aliases: try facts.map { facts throws(Failure) in
          try composition.catalogue.aliases(of: facts.id)
        } ?? [],
        inputs: facts?.inputs.map { inputs in
          RasaEngine.Attachment.Kind.allCases.filter(inputs.contains).map(\.rawValue)
        },
        source: facts?.source,
        prices: (facts?.prices ?? []).map { dated in
          ModelDetails.DatedPrice(
            from: dated.from.map { Day($0) }, price: ModelPrice(dated.price),
            isCurrent: dated.price == current)
        },
        estimates: TextKind.allCases.compactMap { kind in
          standing?.counting[kind].map { ModelDetails.Estimates($0, of: kind) }
        },
        adaptation: standing?.adapted.flatMap { adapted in
          guard adapted.isBelieved(at: now) else { return nil }
          return ModelDetails.Adaptation(
            changes: adapted.words,
            until: adapted.learntAt.milliseconds + AdaptedForm.lifetime)
        })
    }
  }

  private func unknownModel(_ reference: ModelReference) throws(Failure) -> Failure {
    var names: [String] = []
    for facts in try composition.catalogue.allFacts() {
      names.append(facts.id)
      names += try composition.catalogue.aliases(of: facts.id)
    }
    let nearest = nearestName(to: reference.model, among: names)
    return Failure(
      .usage, "unknown model \(quoted(reference.model))",
      suggestion: nearest.map { "did you mean `\($0)`?" }
        ?? "`rasa models list --all` shows every model of the catalogue")
  }

  func providerConfiguration() throws(Failure) -> ModelConfiguration {
    try composition.models(composition.configuration(onWarning: warn), onWarning: warn)
  }

  private func modelHealth() async throws -> RememberedModels {
    RememberedModels(try await store.standings(), at: composition.time.now())
  }
}

extension Rasa.ModelDetails.Estimates {
  fileprivate init(_ counting: ModelStanding.Counting, of kind: TextKind) {
    text = kind.rawValue
    calls = counting.calls
    bytes = counting.bytes
    estimatedTokens = counting.estimated
    countedTokens = counting.tokens
    densestTokensPer1000Bytes = counting.densest
    exceeded = counting.exceeded
  }
}
