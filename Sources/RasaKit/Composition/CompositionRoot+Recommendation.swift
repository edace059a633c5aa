package import RasaAgents
package import RasaCore
package import RasaEngine
package import RasaModels
import RasaPersona
import RasaSystem

extension CompositionRoot {
  /// What a usual answer of an agent takes that does not say so: a question with its prompt, and a
  /// page.
  private static let usualTokens = 3_000

  /// What says which agents fit a task, with prices and what is remembered of models.
  ///
  /// - Parameter history: nil when nothing is to be opened.
  package func recommender(
    history: (any ModelHistory)?, options: GateOptions = GateOptions(),
    onWarning: (Warning) -> Void
  ) async throws -> Recommender {
    let quote = try await quotes(history: history, options: options, onWarning: onWarning)
    return Recommender(
      related: try relatedTerms(), estimatedCost: { quote($0)?.cost },
      availability: { agent in
        switch quote(agent)?.availability {
        case .available: .available
        case .unavailable: .unavailable
        case .unknown, nil: .unknown
        }
      })
  }

  /// What a usual answer of an agent costs, and which model would write it.
  func quotes(
    history: (any ModelHistory)?, options: GateOptions = GateOptions(), onWarning: (Warning) -> Void
  ) async throws -> @Sendable (Agent) -> ModelQuotes.Quote? {
    let settings = try configuration()
    let now = time.now()
    let quotes = ModelQuotes(
      configuration: try models(settings, onWarning: onWarning), catalogue: catalogue,
      options: options, standings: (try? await history?.standings()) ?? [],
      today: time.localDay(now), now: now)
    return { agent in
      quotes.quote(
        agent.wantedModels, profile: options.profile ?? agent.profile,
        tokens: agent.estimatedTokens ?? Self.usualTokens)
    }
  }

  /// The user's own words that go together come beside those that ship.
  func relatedTerms() throws(Failure) -> RelatedTerms {
    let own = try FileRoot("\(folders.configuration)/models", links: .anywhere)
      .readIfPresent("terms.txt", limit: FolderSource.largest)
    return .shipped(with: own.map { String(decoding: $0, as: UTF8.self) })
  }

  /// The agent that fits a task best.
  package func pick(
    for task: String, maxCost: Money?, history: (any ModelHistory)?, options: GateOptions,
    onWarning: (Warning) -> Void
  ) async throws -> AgentPicker.Pick {
    let registry = try agentRegistry(onWarning: onWarning)
    let recommender = try await recommender(
      history: history, options: options, onWarning: onWarning)
    return try AgentPicker(recommender).pick(
      Recommender.Request(task: task, profile: options.profile, maxCost: maxCost),
      among: registry)
  }
}

extension AgentPicker.Pick {
  /// What the run's journal and JSON say of the choice.
  package var notice: RunNotice {
    func value(_ it: Recommendation) -> Value {
      ["agent": .string(it.agent), "score": .double(it.score)]
    }
    return RunNotice(
      .chosen, sentence,
      facts: [
        "agent": .string(agent.id), "score": .double(recommendation.score),
        "verdict": .string(recommendation.verdict.rawValue), "over": .array(others.map(value)),
      ])
  }
}
