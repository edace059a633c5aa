import RasaCore
import RasaEngine
import RasaModels

/// What is remembered of models, asked by provider and name.
struct ModelHealth {
  /// How a model stands now.
  struct State {
    var availability = Availability.unknown
    var reason = ""
    /// For how long it is not worth asking, in milliseconds.
    var remaining: Int64?
    var isOpen = false
    /// What was measured and counted; nil when it was never asked.
    var standing: ModelStanding?
  }

  private let now: Timestamp
  private var byKey: [ModelKey: ModelStanding] = [:]
  /// By the name without a date, which is what people ask for.
  private var byPlainName: [ModelKey: ModelStanding] = [:]

  init(_ standings: [ModelStanding], at now: Timestamp) {
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
  func models(of settings: ProviderSettings) -> [String] {
    let account = settings.modelKey().account
    return byKey.keys
      .filter { $0.provider == settings.name && $0.account == account && !$0.model.isEmpty }
      .map(\.model).sorted()
  }

  func state(of model: String, at settings: ProviderSettings) -> State {
    let key = settings.modelKey(model)
    let own = byKey[key] ?? byPlainName[key]
    // What is true of the provider is true of its models.
    let whole = byKey[settings.modelKey()]
    var state = State(standing: own)
    if let whole, whole.availability(at: now) == .unavailable {
      state.take(whole, now)
    } else if let own {
      state.take(own, now)
    }
    return state
  }
}

extension ModelHealth.State {
  fileprivate mutating func take(_ standing: ModelStanding, _ now: Timestamp) {
    availability = standing.availability(at: now)
    isOpen = standing.isOpen(at: now)
    guard availability == .unavailable else { return }
    reason = standing.reason
    remaining = standing.unavailableUntil.map { $0.milliseconds - now.milliseconds }
  }

  /// `unavailable for another 4 min: too many requests (429)`.
  var text: String {
    guard availability == .unavailable else { return availability.rawValue }
    let time = remaining.map { " for another \(durationText(milliseconds: $0))" } ?? ""
    return "unavailable\(time)" + (reason.isEmpty ? "" : ": \(reason)")
  }

  var value: Value {
    [
      "status": .string(availability.rawValue), "reason": .string(reason),
      "for_ms": remaining.map { .int($0) } ?? .null, "circuit_open": .bool(isOpen),
      "calls": .int(standing?.calls ?? 0),
      "failures_in_a_row": .int(standing?.failures ?? 0),
      "first_content_ms": (standing?.firstContent).map { .int($0 / 1_000_000) } ?? .null,
      "tokens_per_second": (standing?.tokensPerSecond).map { .double($0) } ?? .null,
    ]
  }

  var firstContentText: String {
    (standing?.firstContent).map { durationText(milliseconds: $0 / 1_000_000) } ?? ""
  }

  var speedText: String {
    (standing?.tokensPerSecond).map { $0 < 1e9 ? String(Int64($0.rounded())) : "" } ?? ""
  }
}
