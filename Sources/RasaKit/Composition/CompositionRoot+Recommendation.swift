package import RasaAgents
package import RasaCore
package import RasaEngine
import RasaModels
import RasaPersona
import RasaSystem

extension CompositionRoot {
  /// What says which agents fit a task, with prices and what is remembered of models.
  ///
  /// - Parameter history: nil when nothing is to be opened.
  package func recommender(
    history: (any ModelHistory)?, onWarning: (Warning) -> Void
  ) async throws -> Recommender {
    try recommender(try await quotes(history: history, onWarning: onWarning))
  }

  func recommender(_ quotes: AgentQuotes) throws(Failure) -> Recommender {
    Recommender(
      related: try relatedTerms(), estimatedCost: { quotes.first(of: $0)?.cost },
      availability: { agent in
        switch quotes.first(of: agent)?.availability {
        case .available: .available
        case .unavailable: .unavailable
        case .unknown, nil: .unknown
        }
      })
  }

  /// What a usual answer of an agent costs, and which models may write it.
  func quotes(
    history: (any ModelHistory)?, options: GateOptions = GateOptions(), onWarning: (Warning) -> Void
  ) async throws -> AgentQuotes {
    let settings = try configuration()
    let now = time.now()
    return AgentQuotes(
      models: ModelQuotes(
        configuration: try models(settings, onWarning: onWarning), catalogue: catalogue,
        options: options, standings: (try? await history?.standings()) ?? [],
        today: time.localDay(now), now: now),
      profile: options.profile, usualProfile: settings.profile)
  }

  /// The user's own words that go together come beside those that ship.
  func relatedTerms() throws(Failure) -> RelatedTerms {
    let own = try FileRoot("\(folders.configuration)/models", links: .anywhere)
      .readIfPresent("terms.txt", limit: FolderSource.largest)
    return .shipped(with: own.map { String(decoding: $0, as: UTF8.self) })
  }
}

/// What models cost that agents would ask.
struct AgentQuotes: Sendable {
  /// What a usual answer of an agent takes that does not say so: a question with its prompt, and a
  /// page.
  private static let usualTokens = 3_000

  let models: ModelQuotes
  /// Whatever agents say.
  let profile: PerformanceProfile?
  /// Where they say nothing.
  let usualProfile: PerformanceProfile?

  /// The model that an agent would ask now; nil where no provider could be asked.
  func first(of agent: Agent) -> ModelQuotes.Quote? {
    models.quote(agent.wantedModels, profile: profile(of: agent), tokens: tokens(of: agent))
  }

  /// The same, and the others that it recommends and that can be asked.
  func all(of agent: Agent) -> [ModelQuotes.Quote] {
    models.quotes(agent.wantedModels, profile: profile(of: agent), tokens: tokens(of: agent))
  }

  private func profile(of agent: Agent) -> PerformanceProfile? {
    profile ?? agent.profile ?? usualProfile
  }

  private func tokens(of agent: Agent) -> Int { agent.estimatedTokens ?? Self.usualTokens }
}
