import RasaAgents
import RasaCore
import RasaDocuments
import RasaEngine
package import RasaLearning
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

extension Rasa {
  /// What is asked for of a choice.
  package struct RouteOptions: Sendable {
    package var maxCost: Dollars?
    package var maxSeconds: Double?
    /// Nil draws one.
    package var seed: UInt64?
    package var policy = RoutingPolicy()

    package init() {}
  }

  /// Chooses an agent and a model for a task, by how runs of such tasks went, and keeps the decision.
  package func route(
    _ task: String, _ options: RouteOptions = RouteOptions()
  ) async throws(RasaError) -> RoutingDecision {
    try await redacted {
      let category = composition.objectives.classify(task).category
      let arms = try await arms(for: task, category)
      guard !arms.isEmpty else {
        throw Failure(
          .configuration, "no agent fits the task",
          suggestion: "`rasa agents recommend` shows the closest ones")
      }
      var numbers = SystemRandomNumberGenerator()
      let decision = Router(options.policy).decide(
        RoutingTask(
          text: task, category: category, complexity: composition.complexity(of: task),
          maxCost: options.maxCost.map { Double($0.money.picoDollars) / 1e12 },
          maxSeconds: options.maxSeconds, seed: options.seed ?? numbers.next()),
        among: arms, at: composition.time.now())
      try await store.keep(
        StoredDecision(
          id: composition.newIdentifier("d"), time: decision.time, run: nil,
          user: composition.user(nil), content: decision.value))
      return decision
    }
  }

  /// The agents that fit, each with the model that it would ask, and with what is known of its runs.
  private func arms(for task: String, _ category: String) async throws -> [RoutingArm] {
    let registry = try composition.narrowed(registered.registry, onWarning: warn)
    let recommender = try await composition.recommender(history: store, onWarning: warn)
    let quote = try await composition.quotes(history: store, onWarning: warn)
    let found = recommender.recommend(
      Recommender.Request(task: task, limit: max(1, registry.agents.count)), among: registry)
    let history = try await history(of: category)
    let inFlight = try await store.runsInFlight()
    return found.agents.compactMap { fit in
      guard fit.verdict != .not, let agent = registry[fit.agent]?.agent, let quote = quote(agent)
      else {
        return nil
      }
      let places = agent.maxConcurrentTasks.map { Double(max(1, $0)) }
      return history.filled(
        RoutingArm(
          agent: agent.id, model: "\(quote.provider):\(quote.model)",
          relevance: fit.capability.value,
          load: places.map { Double(inFlight[agent.id] ?? 0) / $0 } ?? 0,
          price: quote.cost.map { Double($0.picoDollars) / 1e12 }),
        category: category)
    }
  }

  private func history(of category: String) async throws -> RoutingHistory {
    var history = RoutingHistory()
    for row in try await store.performance(PerformanceQuery(by: [.agent, .model, .category])) {
      guard row.keys.count == 3 else { continue }
      history.add(
        RoutingTally(row.sums), agent: row.keys[0], model: row.keys[1], category: row.keys[2])
    }
    return history
  }

  /// Judges the policy of a file on the stored decisions whose runs have come to an end.
  package func replayRouting(policyFile path: String) async throws(RasaError) -> RoutingReplay {
    try await redacted {
      let bytes = try FileSystem.read(path, limit: 1 << 20)
      let policy: RoutingPolicy
      do throws(Failure) {
        policy = try RoutingPolicy(try YAML.parse(bytes, file: path).value)
      } catch {
        var failure = error
        if failure.location == nil {
          failure.location = SourceLocation(file: path, line: 0, column: 0)
        }
        throw failure
      }
      let stored = try await store.decisions(from: nil, to: nil, limit: 1_000_000)
      return RoutingReplay(
        policy,
        on: stored.compactMap { one in
          guard let outcome = one.outcome, let succeeded = outcome.score.isSuccess,
            let decision = RoutingDecision(one.content, time: one.time)
          else { return nil }
          let run = outcome.performance
          return (
            decision: decision,
            outcome: RoutingOutcome(
              succeeded: succeeded, score: outcome.score.overall,
              cost: run.isCostKnown ? Double(run.cost.picoDollars) / 1e12 : nil,
              seconds: run.seconds,
              firstToken: run.firstTokenMilliseconds.map { Double($0) / 1000 })
          )
        })
    }
  }
}
