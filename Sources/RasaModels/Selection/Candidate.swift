import RasaCore
import RasaEngine
import RasaPersona

/// A model at a provider that may be asked.
struct Candidate: Sendable {
  /// Why it is among the candidates.
  enum Role: String, Sendable {
    case named, primary, fallback, premium, configured
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

  var provider: String { settings?.name ?? "mock" }
  var isMock: Bool { settings == nil }

  static let mock = Candidate(settings: nil, model: "mock", facts: nil, role: .mock)

  var key: ModelKey {
    settings?.modelKey(model ?? "") ?? ModelKey(provider: provider, model: model ?? "")
  }

  /// The price on a day; nil when nobody knows it. A model is free only where it is local: neither
  /// one that Ollama passes on to a cloud nor one that the catalogue knows to be sold.
  func price(on day: LocalDay, listed: [ListedModel]) -> Price? {
    guard let settings else { return .free }
    if let price = facts?.price(on: day) { return price }
    guard settings.isLocal else { return nil }
    if let entry = listed.first(where: { $0.name == model }) { return entry.isRemote ? nil : .free }
    return model?.hasSuffix("cloud") == true ? nil : .free
  }
}
