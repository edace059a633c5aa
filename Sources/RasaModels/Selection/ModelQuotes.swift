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
  private let candidates = Locked<[Wish: Candidate?]>([:])

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

  /// Nil when no provider could be asked.
  ///
  /// - Parameter tokens: of input and output together, a third of them output.
  package func quote(
    _ models: RecommendedModels, profile: PerformanceProfile?, tokens: Int
  ) -> Quote? {
    let wish = Wish(models: models, profile: profile ?? .balanced)
    guard let candidate = candidate(for: wish) else { return nil }
    let output = Int64(clamping: max(1, tokens / 3))
    let price = candidate.price(on: selection.today, listed: [])
    let standing = selection.standing(candidate.key)
    return Quote(
      provider: candidate.provider, model: candidate.model ?? "default",
      cost: price?.cost(input: max(1, Int64(clamping: tokens) - output), output: output),
      availability: standing?.availability(at: now) ?? .unknown)
  }

  private func candidate(for wish: Wish) -> Candidate? {
    if let candidate = candidates.withLock({ $0[wish] }) { return candidate }
    let chain = try? selection.chain(for: wish.models, profile: wish.profile)
    let candidate = chain?.candidates.first
    candidates.withLock { $0[wish] = .some(candidate) }
    return candidate
  }
}
