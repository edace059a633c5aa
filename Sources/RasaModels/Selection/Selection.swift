import RasaCore
import RasaEngine
import RasaPersona

/// Which models may answer, in the order in which they are asked. Pure: what the gate has learnt
/// comes in through `standing`.
struct Selection: Sendable {
  var configuration: ModelConfiguration
  var options: GateOptions
  var catalogue: Catalogue
  var today: LocalDay
  var standing: @Sendable (ModelKey) -> ModelStanding?

  /// The chain, and what was recommended but cannot be reached with these providers.
  struct Chain {
    var candidates: [Candidate] = []
    var unreachable: [String] = []
    /// What was named to be asked first, as it was written.
    var wanted: String?
    /// The same, where no provider for it is configured.
    var missing: String?
    /// Nobody but the mock can be asked.
    var isMockOnly = false
  }

  func chain(
    for models: RecommendedModels, profile: PerformanceProfile
  ) throws(Failure) -> Chain {
    var chain = try allowed(models, profile)
    guard !options.avoided.isEmpty else { return chain }
    chain.candidates.removeAll { $0.model.map { !options.allows($0) } ?? false }
    // It stands in for models that are out of the question.
    if chain.candidates.allSatisfy(\.isStandIn) {
      for index in chain.candidates.indices { chain.candidates[index].isStandIn = false }
    }
    guard chain.candidates.isEmpty else { return chain }
    throw Failure(
      .configuration,
      "only \(options.avoided.sorted().joined(separator: ", ")) could answer, and may not",
      suggestion: "name another model")
  }

  private func allowed(
    _ models: RecommendedModels, _ profile: PerformanceProfile
  ) throws(Failure) -> Chain {
    var chain = Chain()
    if let model = options.model {
      guard var candidate = try candidate(for: model) else { throw unreachable(model) }
      if !candidate.isMock { candidate.role = .named }
      chain.wanted = model.description
      chain.candidates = [candidate]
      for other in options.alternatives {
        guard var candidate = try self.candidate(for: other) else { throw unreachable(other) }
        if !candidate.isMock { candidate.role = .fallback }
        chain.add(candidate)
      }
      return chain
    }
    let named = try ordered(models, by: options.profile ?? profile)
    chain.wanted = named.first?.description
    if configuration.prefersMock {
      chain.candidates = [.mock]
      chain.isMockOnly = true
      return chain
    }
    for model in named {
      if var candidate = try candidate(for: model, anyEngine: models.anyEngine) {
        if !candidate.isMock { candidate.role = models.role(of: model) }
        chain.add(candidate)
      } else {
        chain.unreachable.append("\(model): no provider for it is configured")
        if model == named.first { chain.missing = model.description }
      }
    }
    if chain.candidates.isEmpty {
      for candidate in try fitting(models, options.profile ?? profile) { chain.add(candidate) }
    }
    let engines = engines(of: models, named)
    func mayAnswer(_ settings: ProviderSettings?) -> Bool {
      guard let engines, let settings else { return true }
      return engines.contains(settings.name)
    }
    if let model = configuration.model, let candidate = try candidate(for: model),
      mayAnswer(candidate.settings)
    {
      chain.add(candidate)
    }
    if let first = configuration.providers.first(where: mayAnswer),
      chain.candidates.isEmpty || (first.isLocal && (engines == nil || named.isEmpty))
    {
      var candidate = try defaultCandidate(of: first)
      candidate.isStandIn = !chain.candidates.isEmpty
      candidate.role = .provider
      chain.add(candidate)
    }
    if chain.candidates.isEmpty { throw nothingReachable(chain, engines) }
    if let preferred = options.preferred,
      let place = chain.candidates.firstIndex(where: {
        "\($0.provider):\($0.model ?? "default")" == preferred
      })
    {
      chain.candidates.insert(chain.candidates.remove(at: place), at: 0)
    }
    return chain
  }

  /// Only the model that began an answer continues it.
  func chain(goingOnWith begun: Continuation) throws(Failure) -> Chain {
    var chain = Chain()
    chain.wanted = "\(begun.provider):\(begun.model)"
    if begun.provider == Candidate.mock.provider {
      chain.candidates = [.mock]
    } else if let settings = configuration.providers.first(where: { $0.name == begun.provider }) {
      chain.candidates = [
        Candidate(
          settings: settings, model: begun.model, facts: try catalogue.facts(for: begun.model))
      ]
    } else {
      throw unreachable(ModelReference(engine: begun.provider, model: begun.model))
    }
    return chain
  }

  /// The only engines that may answer, where each model is named with one; nil for any.
  private func engines(of models: RecommendedModels, _ named: [ModelReference]) -> Set<String>? {
    guard !models.anyEngine else { return nil }
    if named.isEmpty { return models.engine.map { [ModelConfiguration.canonical($0)] } }
    let engines = named.map { configuration.resolved($0).engine }
    return engines.contains(nil) ? nil : Set(engines.compactMap(\.self))
  }

  // MARK: Order

  /// What the profile makes of the recommendation. Premium comes last unless it was asked for:
  /// then only when the others have failed.
  func ordered(
    _ models: RecommendedModels, by profile: PerformanceProfile
  ) throws(Failure) -> [ModelReference] {
    let usual = [models.primary, models.fallback].compactMap(\.self)
    let premium = [models.premium].compactMap(\.self)
    if options.premium { return premium + usual }
    switch profile {
    case .balanced: return usual + premium
    case .expert: return premium + usual
    case .speed: return try fastestFirst(usual, models.notes) + premium
    case .thinking:
      var thinking: [ModelReference] = []
      for model in [models.primary, models.premium].compactMap(\.self)
      where try facts(of: model)?.isThinking ?? (models.notes[model]?.priority == .thinking) {
        thinking.append(model)
      }
      return thinking + usual + premium
    }
  }

  private func facts(of model: ModelReference) throws(Failure) -> ModelFacts? {
    if let candidate = try candidate(for: model) { return candidate.facts }
    return try catalogue.facts(for: catalogue.properName(of: configuration.resolved(model).model))
  }

  /// Models of the class and price that is wanted, for agents that name none, or none that can be
  /// reached. What costs more than ten dollars has to be asked for.
  private func fitting(
    _ models: RecommendedModels, _ profile: PerformanceProfile
  ) throws(Failure) -> [Candidate] {
    guard models.modelClass != nil || models.costTier != nil || models.engine != nil else {
      return []
    }
    let wanted = models.modelClass ?? profile.modelClass
    let isExpert = options.premium || profile == .expert
    let ceiling = models.costTier ?? (isExpert ? .premium : .high)
    var found: [Candidate] = []
    for settings in configuration.providers where settings.isVendor {
      guard models.engine.map({ ModelConfiguration.canonical($0) == settings.name }) ?? true,
        let seller = BuiltIn.allCases.first(where: { $0.vendor == settings.vendor })
      else { continue }
      for model in try catalogue.models(of: wanted, at: seller.rawValue) {
        var candidate = try candidate(model, at: settings)
        guard let tier = candidate.tier(on: today), tier <= ceiling else { continue }
        candidate.role = .fitting
        found.append(candidate)
      }
    }
    guard wanted == .fast else { return found }
    let times = found.map { standing($0.key)?.usualTime ?? .infinity }
    return found.indices.sorted { (times[$0], $0) < (times[$1], $1) }.map { found[$0] }
  }

  /// By the time that an answer of usual length takes, where it was measured; then models that do
  /// not think first, then by price, which goes with size; models without a price come last.
  private func fastestFirst(
    _ models: [ModelReference], _ notes: [ModelReference: ModelNote]
  ) throws(Failure) -> [ModelReference] {
    var ranked: [(model: ModelReference, rank: (Double, Int, CostTier, Int64), place: Int)] = []
    for (place, model) in models.enumerated() {
      let candidate = try candidate(for: model)
      let measured = candidate.flatMap { standing($0.key)?.usualTime } ?? .infinity
      let price = candidate?.price(on: today, listed: [])?.rates.output.picoDollars ?? .max
      let note = notes[model]
      let thinks = candidate?.facts?.isThinking ?? (note?.priority == .thinking) ? 1 : 0
      let tier = candidate?.tier(on: today) ?? note?.costTier ?? .premium
      ranked.append((model, (measured, thinks, tier, price), place))
    }
    return ranked.sorted {
      ($0.rank.0, $0.rank.1, $0.rank.2, $0.rank.3, $0.place)
        < ($1.rank.0, $1.rank.1, $1.rank.2, $1.rank.3, $1.place)
    }.map(\.model)
  }

  // MARK: Where a model is found

  /// The provider that can be asked for a model; nil when none is configured.
  ///
  /// A model that is named with its engine goes to no other, unless the very same is sold there or
  /// `anyEngine` allows it.
  func candidate(
    for model: ModelReference, anyEngine: Bool = false
  ) throws(Failure) -> Candidate? {
    var reference = configuration.resolved(model)
    if reference.engine == "mock" { return .mock }
    reference.model = try catalogue.properName(of: reference.model)
    if let settings = try configuration.provider(for: reference, in: catalogue) {
      // Ollama's own models may bear any name.
      let name = settings.dialect == .ollama ? configuration.resolved(model).model : reference.model
      return try candidate(name, at: settings)
    }
    guard reference.engine != nil else { return nil }
    let facts = try catalogue.facts(for: reference.model)
    guard facts != nil || anyEngine else { return nil }
    reference.engine = nil
    guard let settings = try configuration.provider(for: reference, in: catalogue) else {
      return nil
    }
    var candidate = try candidate(reference.model, at: settings)
    candidate.standsFor = model
    return candidate
  }

  private func candidate(
    _ model: String, at settings: ProviderSettings
  ) throws(Failure) -> Candidate {
    var name = model
    // `anthropic/claude-…` is what servers of many vendors call it, and the vendor does not.
    if let slash = model.lastIndex(of: "/"), let vendor = settings.sells,
      case let last = String(model[model.index(after: slash)...]),
      try catalogue.vendor(of: last) == vendor
    {
      name = try catalogue.properName(of: last)
    }
    return Candidate(settings: settings, model: name, facts: try catalogue.facts(for: name))
  }

  private func defaultCandidate(of settings: ProviderSettings) throws(Failure) -> Candidate {
    guard let model = try configuration.defaultModel(of: settings, in: catalogue) else {
      return Candidate(settings: settings, model: nil, facts: nil)
    }
    return try candidate(model, at: settings)
  }

  // MARK: Nothing to ask

  private static let howToReach =
    "set OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, OPENAI_BASE_URL or OLLAMA_HOST"

  private func unreachable(_ model: ModelReference) -> Failure {
    Failure(
      .configuration, "no provider is configured that could answer as \(model)",
      suggestion: configuration.providers.isEmpty
        ? Self.howToReach
        : "configured: \(configuration.providers.map(\.name).joined(separator: ", "))")
  }

  private func nothingReachable(_ chain: Chain, _ engines: Set<String>?) -> Failure {
    guard let engines, let first = engines.sorted().first else {
      return Failure(
        .configuration, "no model can be asked",
        suggestion: Self.howToReach + ", or name a model with LLM_MODEL",
        details: chain.unreachable)
    }
    let wanted = chain.wanted ?? "a model of \(first)"
    let builtIn = BuiltIn(rawValue: first)
    let variable = builtIn.map { $0.keyVariables.first ?? $0.addressVariable }
    return Failure(
      .configuration,
      "\(wanted) is asked for with its engine, and no provider `\(first)` is configured",
      suggestion: (variable.map { "set \($0)" }
        ?? "define `\(first)` under `providers` in config.yaml")
        + ", name another with --model, or allow others with `any_engine: true` under "
        + "`recommended_models`",
      details: chain.unreachable.count > 1 ? chain.unreachable : [])
  }
}

extension ProviderSettings {
  /// The vendor whose names for its models the server knows; nil for a server of many vendors'.
  fileprivate var sells: String? {
    vendor ?? (dialect == .openAI ? nil : BuiltIn.allCases.first { $0.dialect == dialect }?.vendor)
  }
}

extension RecommendedModels {
  fileprivate func role(of model: ModelReference) -> Candidate.Role {
    if model == primary { return .primary }
    return model == fallback ? .fallback : .premium
  }
}

extension PerformanceProfile {
  fileprivate var modelClass: ModelClass {
    switch self {
    case .speed: .fast
    case .balanced: .balanced
    case .thinking, .expert: .reasoning
    }
  }
}

extension ModelStanding {
  /// Seconds to the first content and for 200 tokens after it; nil when it was not measured.
  var usualTime: Double? {
    guard let firstContent else { return nil }
    return Double(firstContent) / 1e9 + (tokensPerSecond.map { 200 / max($0, 0.1) } ?? 0)
  }
}

extension Selection.Chain {
  fileprivate mutating func add(_ candidate: Candidate) {
    if !candidates.contains(where: { $0.key == candidate.key }) { candidates.append(candidate) }
  }
}
