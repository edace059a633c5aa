package import RasaCore
package import RasaEngine
package import RasaPersona

/// What recommendations of models come to with the providers that are configured, without asking
/// anyone: which model would be asked first, what a usual answer costs, and how the model stood last.
package final class ModelQuotes: Sendable {
  package struct Quote: Sendable, Hashable {
    package var provider: String
    package var model: String
    /// For the tokens that were asked about; nil where no price is known.
    package var cost: Money?
    package var availability: Availability
  }

  private struct Wish: Hashable {
    var models: RecommendedModels
    var profile: PerformanceProfile
  }

  private let selection: Selection
  private let now: Timestamp
  /// Many agents wish for the same.
  private let candidates = Locked<[Wish: [Candidate]]>([:])

  package init(
    configuration: ModelConfiguration, catalogue: Catalogue, options: GateOptions,
    standings: [ModelStanding], today: LocalDay, now: Timestamp
  ) {
    let byKey = Dictionary(standings.map { ($0.key, $0) }) { first, _ in first }
    selection = Selection(
      configuration: configuration, options: options, catalogue: catalogue, today: today,
      standing: { byKey[$0] })
    self.now = now
  }

  /// The model that would be asked first; nil when no provider could be asked.
  ///
  /// - Parameter tokens: of input and output together, a third of them output.
  package func quote(
    _ models: RecommendedModels, profile: PerformanceProfile?, tokens: Int
  ) -> Quote? {
    candidates(for: Wish(models: models, profile: profile ?? .balanced)).first.map {
      quote($0, tokens: tokens)
    }
  }

  /// The model that would be asked first, and the others that might be instead. Premium is not among those, unless it
  /// was asked for: then it comes first.
  package func quotes(
    _ models: RecommendedModels, profile: PerformanceProfile?, tokens: Int
  ) -> [Quote] {
    let found = candidates(for: Wish(models: models, profile: profile ?? .balanced))
    let others = found.dropFirst().filter { candidate in
      switch candidate.role {
      case .primary, .fallback, .fitting: !candidate.isStandIn
      case .named, .premium, .configured, .provider, .mock: false
      }
    }
    return (found.prefix(1) + others).map { quote($0, tokens: tokens) }
  }

  private func quote(_ candidate: Candidate, tokens: Int) -> Quote {
    let output = Int64(clamping: max(1, tokens / 3))
    let price = candidate.price(on: selection.today, listed: [])
    let standing = selection.standing(candidate.key)
    return Quote(
      provider: candidate.provider, model: candidate.model ?? "default",
      cost: price?.cost(input: max(1, Int64(clamping: tokens) - output), output: output),
      availability: standing?.availability(at: now) ?? .unknown)
  }

  private func candidates(for wish: Wish) -> [Candidate] {
    if let known = candidates.withLock({ $0[wish] }) { return known }
    let found = (try? selection.chain(for: wish.models, profile: wish.profile))?.candidates ?? []
    candidates.withLock { $0[wish] = found }
    return found
  }
}
