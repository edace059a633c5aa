import RasaAgents
import RasaCore
import RasaDocuments
import RasaEngine
import RasaLearning
import RasaModels
import RasaPersona
import RasaStore
import RasaSystem

extension Rasa {
  /// Chooses an agent and a model for a task, by how runs of such tasks went, and keeps the decision. Nothing is run.
  ///
  /// - Parameters:
  ///   - task: What is to be done.
  ///   - options: What is asked for.
  /// - Throws: A `RasaError` of code `configuration` when no agent fits, when those that fit exceed a limit, or when the
  ///   policy's file cannot be read; of code `limit` when those that fit are all at work.
  public func route(
    _ task: String, options: RouteOptions = RouteOptions()
  ) async throws(RasaError) -> Route {
    try await redacted {
      let made = try await decide(task, options, onWarning: warn)
      if let stored = made.stored { try await store.keep(stored) }
      return made.route
    }
  }

  /// A choice that is not kept yet.
  struct MadeChoice: Sendable {
    var route: Route
    /// The chosen agent, with what speaks for it, and the next best two.
    var recommendation: RasaAgents.Recommendation
    var others: [RasaAgents.Recommendation]
    /// Whether the agent would ask the chosen model first anyway.
    var isUsualModel: Bool
    /// Nil where learning is turned off.
    var stored: StoredDecision?
  }

  func decide(
    _ task: String, _ options: RouteOptions, onWarning: (Warning) -> Void
  ) async throws -> MadeChoice {
    var policy = RoutingPolicy()
    if let path = options.policyFile { policy = try readPolicy(path) }
    let learns = try composition.configuration().learning.isEnabled
    if !learns || !options.explores { policy.explores = false }
    var numbers = SystemRandomNumberGenerator()
    let work = RoutingTask(
      text: task, category: composition.objectives.classify(task).category,
      complexity: composition.complexity(of: task), maxCost: options.maxCost?.value,
      // JSON's readers know whole numbers up to here.
      maxSeconds: options.maxSeconds, seed: options.seed ?? numbers.next() >> 11)
    let field = try await candidates(
      for: work, options, policy, history: learns ? try await history() : RoutingHistory(),
      onWarning: onWarning)
    let decision = Router(policy).decide(work, among: field.arms, at: composition.time.now())
    guard let chosen = decision.chosen else { throw Self.nothingLeft(decision) }
    let arm = decision.arms[chosen]
    guard let best = field.found.agents.first(where: { $0.agent == arm.agent }) else {
      throw field.found.failure
    }
    var route = Route(decision, chosen, others: field.others, learns: learns)
    var made = MadeChoice(
      route: route, recommendation: best,
      others: Array(field.found.agents.filter { $0.agent != best.agent }.prefix(2)),
      isUsualModel: decision.arms.first { $0.agent == arm.agent }?.model == arm.model)
    route.runOptions = ["--agent", arm.agent]
    if let model = options.model {
      route.runOptions += ["--model", model]
    } else if !made.isUsualModel {
      route.runOptions += ["--model", arm.model]
    }
    if let profile = options.profile { route.runOptions += ["--profile", profile.rawValue] }
    if options.allowsPremium { route.runOptions.append("--premium") }
    if let most = options.maxCost { route.runOptions += ["--max-cost", most.decimalText] }
    if learns {
      let id = composition.newIdentifier("d")
      route.id = id.text
      made.stored = StoredDecision(
        id: id, time: decision.time, run: nil, user: composition.user(options.user),
        content: decision.value)
    }
    made.route = route
    return made
  }

  // MARK: Candidates

  /// An agent that fits less well than this share of the best one's score is no candidate, however well its runs go:
  /// that it is good at tasks of a category does not mean that it can do every one.
  private static let nearlyAsFit = 0.8
  /// So many agents are looked at.
  private static let mostAgents = 100

  private func candidates(
    for task: RoutingTask, _ options: RouteOptions, _ policy: RoutingPolicy,
    history: RoutingHistory, onWarning: (Warning) -> Void
  ) async throws -> RouteField {
    let registry = try composition.narrowed(registered.registry, onWarning: onWarning)
    let quotes = try await composition.quotes(
      history: store, options: options.gate, onWarning: onWarning)
    let found = try composition.recommender(quotes).recommend(
      Recommender.Request(
        task: task.text, profile: options.profile?.own, limit: Self.mostAgents),
      among: registry)
    guard !found.isEmpty else { throw found.failure }
    let inFlight = try await store.runsInFlight()
    var field = RouteField(found: found)
    for fit in found.agents {
      guard let agent = registry[fit.agent]?.agent else { continue }
      let load = agent.maxConcurrentTasks.map {
        Double(inFlight[agent.id] ?? 0) / Double(max(1, $0))
      }
      // Without a provider, what answers is found when the run begins.
      let models = quotes.all(of: agent).map { ("\($0.provider):\($0.model)", $0.cost) }
      for (model, cost) in models.isEmpty ? [("", nil)] : models {
        field.arms.append(
          history.filled(
            RoutingArm(
              agent: agent.id, model: model, relevance: min(100, fit.score), load: load ?? 0,
              price: cost.map { Double($0.picoDollars) / 1e12 }),
            category: task.category))
      }
    }
    field.leave("no provider for its models is configured") { $0.model.isEmpty }
    // One that costs too much does not set the bar; one that is at work does.
    let able = field.arms.filter { arm in
      switch policy.assessment(of: arm, for: task).exclusion {
      case nil, .busy: true
      case .tooExpensive, .unknownCost, .tooSlow: false
      }
    }
    guard let best = able.compactMap(\.relevance).max() else { return field }
    field.leave("fits less well") { ($0.relevance ?? 0) < Self.nearlyAsFit * best }
    return field
  }

  private func history() async throws -> RoutingHistory {
    var history = RoutingHistory()
    for row in try await store.performance(PerformanceQuery(by: [.agent, .model, .category])) {
      guard row.keys.count == 3 else { continue }
      let (agent, model, category) = (row.keys[0], row.keys[1], row.keys[2])
      let tally = RoutingTally(row.sums)
      history.add(tally, agent: agent, model: model, category: category)
      // A server that is asked for whatever it has answers as one of its models.
      if let provider = model.split(atByte: ":", maxSplits: 1).first {
        history.add(tally, agent: agent, model: "\(provider):default", category: category)
      }
    }
    return history
  }

  private static func nothingLeft(_ decision: RoutingDecision) -> Failure {
    let reasons = zip(decision.arms, decision.assessments).map { arm, made in
      "\(arm.agent)\(arm.model.isEmpty ? "" : " with \(arm.model)"): \(made.exclusion?.text ?? "")"
    }
    if let busy = decision.assessments.firstIndex(where: { $0.exclusion == .busy }) {
      return Failure(
        .limit, "the agents that fit this task are all at work",
        suggestion:
          "`rasa run --agent \(decision.arms[busy].agent) \u{2026}` waits until that one is free",
        details: reasons)
    }
    let limits = [
      decision.task.maxCost == nil ? nil : "--max-cost",
      decision.task.maxSeconds == nil ? nil : "--max-seconds",
    ].compactMap(\.self).joined(separator: " or ")
    return Failure(
      .configuration, "no agent fits this task within its limits",
      suggestion: "raise \(limits), or \(RasaAgents.Recommendations.howToNameOne)",
      details: reasons)
  }

  // MARK: Policies

  private func readPolicy(_ path: String) throws(Failure) -> RoutingPolicy {
    let node = try YAML.parse(try FileSystem.read(path, limit: 1 << 20), file: path)
    do throws(Failure) {
      // One key at a time, so that the one that is wrong can be pointed at.
      if case .mapping(let entries) = node.content {
        for entry in entries {
          do throws(Failure) {
            _ = try RoutingPolicy(.object([entry.key: entry.value.value]))
          } catch {
            var failure = error
            failure.location = entry.keyLocation
            throw failure
          }
        }
      }
      return try RoutingPolicy(node.value)
    } catch {
      var failure = error
      if failure.location == nil { failure.location = node.location }
      throw failure
    }
  }

  /// Judges the policy of a file on the decisions that are kept, without trying it.
  ///
  /// - Parameters:
  ///   - path: The policy's file.
  ///   - from: The first day; nil for all time.
  ///   - to: The last day.
  /// - Throws: A `RasaError` of code `configuration` that names the place in the file.
  public func replayRouting(
    policyFile path: String, from: Day? = nil, to: Day? = nil
  ) async throws(RasaError) -> RouteReplay {
    try await redacted {
      let time = composition.time
      var sums = RoutingReplaySums(try readPolicy(path))
      var stored = 0
      var last: Int64 = 0
      while true {
        let page = try await store.decisions(
          from: from.map { time.beginning(of: $0.day) }, to: to.map { time.end(of: $0.day) },
          after: last, limit: 500)
        guard let end = page.last else { break }
        last = end.number
        stored += page.count
        for one in page {
          guard let outcome = one.outcome, let succeeded = outcome.score.isSuccess,
            let decision = RoutingDecision(one.content, time: one.time)
          else { continue }
          let run = outcome.performance
          sums.add(
            decision,
            RoutingOutcome(
              succeeded: succeeded, score: outcome.score.overall,
              cost: run.isCostKnown ? Double(run.cost.picoDollars) / 1e12 : nil,
              seconds: run.seconds))
        }
      }
      return RouteReplay(sums.replay, stored: stored)
    }
  }
}

/// Who is considered, and who is not though it could do the task.
private struct RouteField {
  var found: RasaAgents.Recommendations
  var arms: [RoutingArm] = []
  var others: [Rasa.Route.Other] = []

  /// Leaves out agents, unless nobody would be left.
  mutating func leave(_ reason: String, _ isLeft: (RoutingArm) -> Bool) {
    let left = arms.filter(isLeft)
    guard !left.isEmpty, left.count < arms.count else { return }
    arms.removeAll(where: isLeft)
    for arm in left where !others.contains(where: { $0.agent == arm.agent }) {
      let score = Int((arm.relevance ?? 0).rounded(.down))
      others.append(Rasa.Route.Other(agent: arm.agent, reason: "\(reason) (\(score) of 100)"))
    }
  }
}

extension Rasa.MadeChoice {
  /// What the run's journal and JSON say of the choice.
  var notice: RunNotice {
    func value(_ it: RasaAgents.Recommendation) -> Value {
      ["agent": .string(it.agent), "score": .double(it.score)]
    }
    var sentence = recommendation.choice(over: others)
    if !isUsualModel { sentence += "; asks \(route.chosen.model)" }
    if route.chosen.success != nil || route.chosen.otherRuns > 0 || route.isExplored {
      sentence += "; \(route.reason)"
    }
    return RunNotice(
      .chosen, sentence,
      facts: [
        "agent": .string(recommendation.agent), "model": .string(route.chosen.model),
        "score": .double(recommendation.score),
        "verdict": .string(recommendation.verdict.rawValue), "over": .array(others.map(value)),
        "decision": route.id.map { .string($0) } ?? .null,
        "probability": .double(route.chosen.probability), "seed": .int(Int64(clamping: route.seed)),
      ])
  }
}

extension Rasa.RouteOptions {
  /// What a run allows.
  init(_ run: Rasa.RunOptions) {
    maxCost = run.maxCost
    maxSeconds = run.maxSeconds.map(Double.init)
    profile = run.profile
    allowsPremium = run.allowsPremium
    model = run.model
    user = run.user
  }

  var gate: GateOptions {
    var options = Rasa.RunOptions()
    options.model = model
    options.profile = profile
    options.allowsPremium = allowsPremium
    return options.gate
  }
}

// MARK: As others see it

extension Rasa.Route {
  init(_ decision: RoutingDecision, _ index: Int, others: [Other], learns: Bool) {
    func candidate(_ index: Int) -> Candidate {
      Candidate(decision.arms[index], decision.assessments[index])
    }
    category = decision.task.category
    complexity = decision.task.complexity
    seed = decision.task.seed
    chosen = candidate(index)
    candidates = decision.order.map(candidate)
    self.others = others
    self.learns = learns
    runOptions = []
    isExplored = chosen.probability < (candidates.first?.probability ?? 0)
    reason = ""
    reason = Self.reason(self)
  }

  private static func reason(_ route: Rasa.Route) -> String {
    guard route.learns else { return "learning is turned off, so recommendation alone decides" }
    let one = route.chosen
    let tasks = route.category == "unknown" ? "such tasks" : "\(route.category) tasks"
    func count(_ succeeded: Int, _ runs: Int) -> String {
      "\(succeeded) of its \(runs == 1 ? "1 run" : "\(runs) runs")"
    }
    var reason: String
    if let success = one.success, let low = success.low, let high = success.high {
      reason =
        "\(count(one.succeeded, success.runs)) on \(tasks) succeeded (95 %: "
        + "\((100 * low).fixed(0))\u{2013}\((100 * high).fixed(0)) %)"
    } else if one.otherRuns > 0 {
      reason =
        "no run on \(tasks) yet, \(count(one.otherSucceeded, one.otherRuns)) on others succeeded"
    } else {
      reason = "nothing is known of its runs yet, so its description decides"
    }
    if route.isExplored { reason += "; chosen to learn how it does" }
    return reason
  }
}

extension Rasa.Route.Candidate {
  init(_ arm: RoutingArm, _ made: ArmAssessment) {
    agent = arm.agent
    model = arm.model
    relevance = arm.relevance ?? 50
    let (runs, good) = (arm.inCategory.runs, arm.inCategory.succeeded)
    if runs > 0 {
      let interval = Interval.wilson(successes: good, of: runs)
      success = Rasa.Leaderboard.Figure(
        value: Double(good) / Double(runs), low: interval.low, high: interval.high, runs: runs)
    }
    succeeded = good
    otherRuns = arm.overall.runs - runs
    otherSucceeded = arm.overall.succeeded - good
    expectedSuccess = made.success.mean
    load = arm.load
    cost = made.cost.map { Rasa.Dollars(($0 * 1e6).rounded() / 1e6) }
    seconds = made.seconds
    penalty = made.penalty
    score = made.score
    probability = made.probability
    exclusion = made.exclusion?.text
  }
}

extension Rasa.RouteReplay {
  init(_ replay: RoutingReplay, stored: Int) {
    self.stored = stored
    decisions = replay.decisions
    effectiveDecisions = replay.effectiveDecisions
    uncovered = replay.uncovered
    doubts = replay.doubts
    let isSure = replay.doubts.isEmpty
    func measure(_ found: RoutingReplay.Measure) -> Measure {
      // A cost that few runs have says nothing, however many runs there are.
      guard isSure, found.count >= RoutingReplay.fewestDecisions else {
        return Measure(decisions: found.count, logged: found.logged.value)
      }
      return Measure(
        decisions: found.count, logged: found.logged.value,
        inversePropensity: Estimate(found.inversePropensity),
        doublyRobust: Estimate(found.doublyRobust), difference: Estimate(found.difference),
        isDifferent: found.isDifferent)
    }
    success = replay.decisions > 0 ? measure(replay.success) : nil
    cost = replay.cost.map(measure)
    seconds = replay.seconds.map(measure)
  }
}

extension Rasa.RouteReplay.Estimate {
  init(_ estimate: RoutingReplay.Estimate) {
    value = estimate.value
    low = estimate.interval.low
    high = estimate.interval.high
  }
}
