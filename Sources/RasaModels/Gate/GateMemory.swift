import RasaCore
import RasaEngine

/// What gates learn in this process, from every run of it: how models stand, what servers do not take
/// of a request, what they list. One process has one, and hands it to the gate of each run.
package final class GateMemory: Sendable {
  let state = Locked(GateState())
  /// Money that one run settles may be what another waits for.
  let settlements = Settlements()

  package init() {}
}

/// What has been learnt in this process, and read of what others learnt. A value under the memory's
/// lock.
struct GateState: Sendable {
  private static let mostEntries = 1_000
  /// How long a provider's list is good for, in nanoseconds.
  private static let lifetimeOfLists: UInt64 = 300_000_000_000
  /// How long it is true what was found on this machine: an Ollama may be stopped, and one that was
  /// not there may be started any moment.
  private static let lifetimeOfFound: UInt64 = 60_000_000_000
  private static let lifetimeOfNothing: UInt64 = 5_000_000_000

  private struct ListKey: Hashable {
    var place: ModelKey
    var address: String
    init(_ settings: ProviderSettings) {
      place = settings.modelKey()
      address = settings.baseURL
    }
  }

  /// How long what others have learnt is good for: in nanoseconds.
  private static let freshness: UInt64 = 10_000_000_000

  private var standings: [ModelKey: ModelStanding] = [:]
  /// Of providers whose counts pass what is expected: by how much at most.
  private var overruns: [ModelKey: Int64] = [:]
  private var recalledAt: UInt64?
  /// What was given up here, and may not have been accepted yet.
  private var adapted: [ModelKey: AdaptedForm] = [:]
  /// By how much a refusal for length has shown the usual estimate of a model to be too low, in thousandths.
  private var scales: [ModelKey: Int64] = [:]
  /// What each provider lists, and since when; nil when it is to be asked again.
  private var lists: [ListKey: (models: [ListedModel], since: UInt64?)] = [:]
  /// What was found on this machine where nothing is configured, and until when that is believed.
  private var found: (configuration: ModelConfiguration, until: UInt64)?

  // MARK: How models stand

  /// Whether the history is due to be read. A caller that gets true has to read it.
  mutating func isDueToRecall(at now: UInt64) -> Bool {
    if let recalledAt, now &- recalledAt < Self.freshness { return false }
    recalledAt = now
    return true
  }

  mutating func recall(_ kept: [ModelStanding]) {
    // What was learnt here and is on its way to the history is newer than what stands there.
    for standing in kept where standings[standing.key].map({ $0.seenAt <= standing.seenAt }) ?? true
    {
      standings[standing.key] = standing
    }
    for key in Set(kept.filter { $0.overrun > 0 }.map(\.key.ofProvider)) { sumUp(key) }
  }

  /// What one model of a provider has shown is held for all of them.
  func overrun(of key: ModelKey) -> Int64 {
    overruns.isEmpty ? 0 : overruns[key.ofProvider] ?? 0
  }

  private mutating func sumUp(_ provider: ModelKey) {
    overruns[provider] = standings.values.lazy.filter { $0.key.ofProvider == provider }
      .map(\.overrun).max()
  }

  mutating func note(_ observation: ModelObservation) {
    let key = observation.key
    guard standings[key] != nil || standings.count < Self.mostEntries else { return }
    let before = standings[key]?.overrun ?? 0
    standings[key, default: ModelStanding(key: key, seenAt: observation.time)].note(observation)
    if standings[key]?.overrun ?? 0 != before { sumUp(key.ofProvider) }
  }

  func standing(_ key: ModelKey) -> ModelStanding? { standings[key] }

  /// What decides about asking: the model's own standing, or its provider's where that is in trouble
  /// and nothing has answered there since.
  func obstacle(_ key: ModelKey, at now: Timestamp) -> ModelStanding? {
    let own = standings[key]
    let provider = standings[key.ofProvider]
    if let provider, provider.availability(at: now) == .unavailable,
      own.map({ $0.seenAt <= provider.seenAt || $0.unavailableUntil != nil }) ?? true
    {
      return provider
    }
    return own?.availability(at: now) == .unavailable ? own : nil
  }

  // MARK: What servers do not take

  func knowsAdaptations(of key: ModelKey) -> Bool {
    adapted[key] != nil || standings[key]?.adapted != nil
  }

  /// What is believed of a server's taste; nil where nothing is known but the settings.
  func adaptedForm(
    of key: ModelKey, under settings: String, at now: Timestamp
  ) -> AdaptedForm? {
    [adapted[key], standings[key]?.adapted].lazy.compactMap(\.self)
      .first { $0.settings == settings && $0.isBelieved(at: now) }
  }

  mutating func remember(_ form: AdaptedForm, of key: ModelKey) {
    guard adapted[key] != nil || adapted.count < Self.mostEntries else { return }
    adapted[key] = form
  }

  // MARK: How long requests are

  func scale(of key: ModelKey) -> Int64 { scales.isEmpty ? 1_000 : scales[key] ?? 1_000 }

  mutating func remember(scale: Int64, of key: ModelKey) {
    guard scales[key] != nil || scales.count < Self.mostEntries else { return }
    scales[key] = min(max(scale, 1_000), 8_000)
  }

  // MARK: What is there

  /// What the provider listed last, however long ago; nil when it never was asked.
  func listed(by settings: ProviderSettings) -> [ListedModel]? {
    lists.isEmpty ? nil : lists[ListKey(settings)]?.models
  }

  /// What the provider lists, unless that is to be asked again.
  func list(of settings: ProviderSettings, at now: UInt64) -> [ListedModel]? {
    guard let (models, since) = lists[ListKey(settings)], let since,
      now &- since < Self.lifetimeOfLists
    else { return nil }
    return models
  }

  mutating func remember(
    _ models: [ListedModel], of settings: ProviderSettings, at now: UInt64
  ) {
    let key = ListKey(settings)
    guard lists[key] != nil || lists.count < Self.mostEntries else { return }
    lists[key] = (models, now)
  }

  func found(at now: UInt64) -> ModelConfiguration? {
    found.flatMap { now < $0.until ? $0.configuration : nil }
  }

  mutating func remember(found configuration: ModelConfiguration, at now: UInt64) {
    let isNothing = configuration.providers.isEmpty
    found = (configuration, now &+ (isNothing ? Self.lifetimeOfNothing : Self.lifetimeOfFound))
  }

  /// The provider, or what it listed, was not there when it was asked.
  mutating func doubt(_ settings: ProviderSettings) {
    lists[ListKey(settings)]?.since = nil
    if found?.configuration.providers.contains(where: { $0.baseURL == settings.baseURL }) == true {
      found = nil
    }
  }
}

extension ModelKey {
  /// The place of what is true of all the provider's models.
  var ofProvider: ModelKey { ModelKey(provider: provider, account: account, model: "") }
}
