import RasaCore
import RasaEngine

/// What the gate has learnt in this process, and has been told of what others learnt. A value under
/// the gate's lock.
struct GateState: Sendable {
  private static let mostEntries = 1_000
  /// How long what others have learnt is good for: in nanoseconds.
  private static let freshness: UInt64 = 10_000_000_000

  private var standings: [ModelKey: ModelStanding] = [:]
  /// Of providers whose counts pass what is expected: by how much at most.
  private var overruns: [ModelKey: Int64] = [:]
  private var recalledAt: UInt64?
  private var quirks: [ModelKey: WireQuirks] = [:]
  private var warned: Set<String> = []
  /// What each provider lists.
  var listed: [String: [ListedModel]] = [:]
  /// The configuration with what was found by looking, once that has been done.
  var found: ModelConfiguration?

  // MARK: How models stand

  /// Whether it is time to ask the history. Whoever is told so does.
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

  // MARK: What else is remembered

  func quirks(of key: ModelKey) -> WireQuirks? { quirks[key] }

  mutating func remember(_ quirks: WireQuirks, of key: ModelKey) {
    if self.quirks.count < Self.mostEntries { self.quirks[key] = quirks }
  }

  /// Whether this is the first time that this is said.
  mutating func isNew(warning: String) -> Bool {
    warned.count < Self.mostEntries && warned.insert(warning).inserted
  }
}

extension ModelKey {
  /// The place of what is true of all the provider's models.
  var ofProvider: ModelKey { ModelKey(provider: provider, account: account, model: "") }
}
