package import RasaCore
package import RasaEngine
package import RasaModels

/// What is remembered of models, looked up by provider and name.
package struct RememberedModels {
  private let now: Timestamp
  private var byKey: [ModelKey: ModelStanding] = [:]
  /// By the name without a date, which is what people type.
  private var byPlainName: [ModelKey: ModelStanding] = [:]

  package init(_ standings: [ModelStanding], at now: Timestamp) {
    self.now = now
    for standing in standings {
      byKey[standing.key] = standing
      guard let plain = Catalogue.plainName(standing.key.model) else { continue }
      var key = standing.key
      key.model = plain
      if let known = byPlainName[key], known.seenAt >= standing.seenAt { continue }
      byPlainName[key] = standing
    }
  }

  /// The models of a provider that were seen or asked, sorted.
  package func models(of settings: ProviderSettings) -> [String] {
    let account = settings.modelKey().account
    return byKey.keys
      .filter { $0.provider == settings.name && $0.account == account && !$0.model.isEmpty }
      .map(\.model).sorted()
  }

  func standing(of model: String, at settings: ProviderSettings) -> ModelStanding? {
    let key = settings.modelKey(model)
    return byKey[key] ?? byPlainName[key]
  }

  func health(of model: String, at settings: ProviderSettings?) -> Rasa.ModelHealth {
    guard let settings else { return Rasa.ModelHealth() }
    let own = standing(of: model, at: settings)
    var health = Rasa.ModelHealth()
    if let own { health.addCalls(of: own) }
    // What is true of the provider is true of its models.
    let whole = byKey[settings.modelKey()]
    if let whole, whole.availability(at: now) == .unavailable {
      health.addState(of: whole, at: now)
    } else if let own {
      health.addState(of: own, at: now)
    }
    return health
  }
}

extension Rasa.ModelHealth {
  fileprivate mutating func addCalls(of standing: ModelStanding) {
    isKnown = true
    calls = standing.calls
    failuresInARow = standing.failures
    firstContentMilliseconds = standing.firstContent.map { $0 / 1_000_000 }
    tokensPerSecond = standing.tokensPerSecond
  }

  fileprivate mutating func addState(of standing: ModelStanding, at now: Timestamp) {
    availability = Rasa.Availability(standing.availability(at: now))
    isCircuitOpen = standing.isOpen(at: now)
    guard availability == .unavailable else { return }
    reason = standing.reason
    unavailableMilliseconds = standing.unavailableUntil.map { $0.milliseconds - now.milliseconds }
  }
}

extension ProviderSettings {
  /// The price on a day; nil when nobody knows it. What runs on this machine costs nothing, unless it
  /// is passed on to a cloud or known to be sold.
  func price(of facts: ModelFacts?, named model: String, on day: LocalDay) -> Price? {
    if let price = facts?.price(on: day) { return price }
    return isFree && !model.hasSuffix("cloud") ? .free : nil
  }
}
