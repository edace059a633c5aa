import RasaCore
import RasaEngine
import RasaPersona

/// A model at a provider that may be asked.
struct Candidate: Sendable {
  /// Why it is among the candidates.
  enum Role: String, Sendable {
    case named, primary, fallback, premium, configured
    /// Of the class and price that was asked for.
    case fitting
    case provider = "the provider's own"
    case mock
  }

  /// Nil is the mock.
  var settings: ProviderSettings?
  /// Nil is whatever the provider offers first.
  var model: String?
  var facts: ModelFacts?
  /// Asked only when the server knows none of the models that were recommended.
  var isStandIn = false
  var role = Role.configured
  /// The reference as it was given, where another provider sells the model that it names.
  var standsFor: ModelReference?

  var provider: String { settings?.name ?? "mock" }
  var isMock: Bool { settings == nil }

  static let mock = Candidate(settings: nil, model: "mock", facts: nil, role: .mock)

  var key: ModelKey {
    settings?.modelKey(model ?? "") ?? ModelKey(provider: provider, model: model ?? "")
  }

  /// What class of price it is in, by a mean of three parts input and one part output; nil when its
  /// price is not known.
  func tier(on day: LocalDay) -> CostTier? {
    guard let rates = price(on: day, listed: [])?.rates else { return nil }
    let parts = [rates.input, rates.input, rates.input, rates.output].map { Double($0.picoDollars) }
    switch parts.reduce(0, +) / 4 / 1e12 {
    case ...0.5: return .low
    case ...1: return .medium
    case ...10: return .high
    default: return .premium
    }
  }

  /// The price on a day; nil when unknown. A model is free only where its server is: neither
  /// one that Ollama passes on to a cloud nor one that the catalogue knows to be sold.
  func price(on day: LocalDay, listed: [ListedModel]) -> Price? {
    guard let settings else { return .free }
    if let native = settings.native { return native.price(of: model ?? "") }
    if let price = facts?.price(on: day) { return price }
    guard settings.isFree else { return nil }
    if let entry = listed.first(where: { $0.name == model }) { return entry.isRemote ? nil : .free }
    return model?.hasSuffix("cloud") == true ? nil : .free
  }
}
