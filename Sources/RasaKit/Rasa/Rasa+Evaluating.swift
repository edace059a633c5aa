import RasaCore
import RasaEngine
import RasaLearning
import RasaModels
import RasaPersona

extension Rasa {
  /// Which runs are evaluated, and by whom.
  public struct EvaluateOptions: Sendable {
    /// The runs, by their IDs or the beginnings of them. Empty for those that wait: a share of all runs, where the
    /// configuration says so.
    public var runs: [String] = []
    /// `judge`, `classifier` and the IDs of agents; nil for those of the configuration.
    public var evaluators: [String]?
    /// The judge's model: `model` or `provider:model`; nil for that of the configuration, or a recommended one.
    public var model: String?
    /// What all of it may cost, beside the limits of the configuration.
    public var maxCost: Dollars?
    /// How many evaluations are made at most.
    public var limit: Int?
    /// Whether the model that wrote an answer may judge it; nil for what the configuration says.
    public var allowsSameModel: Bool?

    /// What waits, as the configuration says.
    public init() {}
  }

  /// What came of one evaluation.
  public struct Evaluated: Sendable, Hashable {
    /// How it ended.
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
      /// It was made, and counts.
      case made
      /// What was said could not be read. It counts as missing.
      case unreadable
      /// It can never be made.
      case impossible
      /// Another process is making it.
      case busy
      /// It was not made, and still waits.
      case failed
      /// It was tried so often that it waits no more.
      case abandoned
    }

    /// The run whose answer was judged.
    public var run: String
    /// Its persona or agent; empty where that is not known.
    public var agent = ""
    /// Who judged: `judge`, `classifier`, or an agent.
    public var evaluator: String
    /// How it ended.
    public var outcome: Outcome
    /// Why it was not made; empty where it was.
    public var problem = ""
    /// The model that judged, as `provider:model`.
    public var model = ""
    /// From 0 to 1; nil where nothing was judged.
    public var score: Double?
    /// From 0 to 1, by criterion. What could not be judged is missing.
    public var criteria: [String: Double] = [:]
    /// What was said in words.
    public var feedback = ""
    /// The kind of task that the classifier found.
    public var category: String?
    /// How complex it found it, from 1 to 5.
    public var complexity: Int?
    /// What it cost.
    public var cost = Dollars(.zero)
    /// The run in which it was made: it is deleted with the run that was judged.
    public var evaluationRun: String?
  }

  /// What came of evaluations.
  public struct EvaluateReport: Sendable {
    /// In the order in which they were made.
    public var evaluations: [Evaluated] = []
    /// What they cost together.
    public var spent = Dollars(.zero)
    /// How many still wait.
    public var waiting = 0
    /// Why no more were made; nil where all were.
    public var stopped: RasaError?
  }

  /// An evaluation that is to be made, and what it may cost.
  public struct PlannedEvaluation: Sendable, Hashable {
    /// The run.
    public var run: String
    /// Who would judge.
    public var evaluator: String
    /// The model that would be asked, as `provider:model`; nil where there is nothing to judge.
    public var model: String?
    /// What it costs at most; nil where that is not known.
    public var cost: Dollars?
  }

  /// Asks models how good the answers of runs were, and keeps what they say.
  ///
  /// Each evaluation is a run of its own, paid by the persona `evaluation`. Evaluations that wait and are not made stay
  /// on the list, and one that a killed process was making is made by the next.
  ///
  /// - Parameters:
  ///   - options: Which runs, by whom, and what that may cost.
  ///   - notify: Receives each as soon as it has ended.
  /// - Throws: A `RasaError` of code `usage` where nothing says what it may cost, or a run does not exist, and of code
  ///   `configuration` where there is no such evaluator.
  public func evaluate(
    _ options: EvaluateOptions = EvaluateOptions(),
    notify: @Sendable (Evaluated) -> Void = { _ in }
  ) async throws(RasaError) -> EvaluateReport {
    try await redacted {
      guard let settings = try await evaluationSettings(options) else { return EvaluateReport() }
      let evaluator = RunEvaluator(services: services, settings: settings, warn: warn)
      let work = try await EvaluationWork(options, settings, self)
      var report = EvaluateReport()
      var spent = Money.zero
      var waiting: [PendingEvaluation] = []
      var ended = Result<Void, any Error>.success(())
      do {
        var made = 0
        while made < options.limit ?? .max, report.stopped == nil {
          guard let next = try await work.next() else { break }
          waiting.append(next)
          let left = options.maxCost.map { $0.money - spent }
          if let left, left <= .zero {
            report.stopped = RasaError(
              Failure(.budget, "the limit of \(options.maxCost.map { "\($0)" } ?? "") is used up"))
            break
          }
          let outcome = try await evaluator.evaluate(
            next.run, by: next.name, isAnew: !options.runs.isEmpty, most: left)
          var evaluated = Evaluated(next, outcome)
          spent += evaluated.cost.money
          if case .failed(let failure, _) = outcome {
            switch failure.kind {
            case .budget, .authentication: report.stopped = RasaError(failure)
            case .configuration: break
            default:
              guard options.runs.isEmpty, next.attempts >= Self.mostAttempts else { break }
              try await store.endEvaluation(of: next.run, next.name)
              evaluated.outcome = .abandoned
              waiting.removeLast()
            }
          } else {
            waiting.removeLast()
          }
          if let stored = try await store.performance(of: next.run) {
            evaluated.agent = stored.performance.agent
          }
          report.evaluations.append(evaluated)
          notify(evaluated)
          made += 1
        }
      } catch {
        ended = .failure(error)
      }
      if options.runs.isEmpty {
        for one in waiting { try? await store.putBackEvaluation(of: one.run, one.name) }
      }
      try ended.get()
      report.spent = Dollars(spent)
      report.waiting = try await store.pendingEvaluations().count
      return report
    }
  }

  /// What `evaluate` would ask, and what each question costs at most. Nobody is asked.
  ///
  /// - Parameter options: Which runs, by whom, and what that may cost.
  public func plannedEvaluations(
    _ options: EvaluateOptions = EvaluateOptions()
  ) async throws(RasaError) -> [PlannedEvaluation] {
    try await redacted {
      guard let settings = try await evaluationSettings(options) else { return [] }
      let evaluator = RunEvaluator(services: services, settings: settings, warn: warn)
      var planned: [PlannedEvaluation] = []
      let all =
        options.runs.isEmpty
        ? try await store.pendingEvaluations()
        : try await EvaluationWork(options, settings, self).named
      for one in all.prefix(options.limit ?? .max) {
        let price = try await evaluator.price(of: one.run, by: one.name)
        planned.append(
          PlannedEvaluation(
            run: one.run.text, evaluator: one.name, model: price?.model,
            cost: price?.cost.map { Dollars($0) }))
      }
      return planned
    }
  }

  /// Nil where nothing says what evaluations may cost, and none is to be made.
  func evaluationSettings(_ options: EvaluateOptions) async throws -> EvaluationSettings? {
    let configured = try composition.configuration().learning.evaluation
    if configured == nil, options.maxCost == nil {
      if options.runs.isEmpty, try await store.pendingEvaluations().isEmpty { return nil }
      throw Failure(
        .usage, "nothing says what evaluations may cost",
        suggestion: "give `--max-cost 0.10`, or add `learning: {evaluation: {max_daily: 0.25}}` to "
          + "your config.yaml: then a fifth of all runs waits to be evaluated")
    }
    var settings = configured ?? EvaluationSettings()
    if let evaluators = options.evaluators { settings.evaluators = evaluators }
    if let model = options.model { settings.model = ModelConfiguration.reference(model) }
    if let allows = options.allowsSameModel { settings.allowsSameModel = allows }
    for name in settings.evaluators { _ = try Evaluator(named: name, settings, composition) }
    return settings
  }

  /// Whether the configuration lets a share of all runs wait to be evaluated.
  public func evaluatesRuns() async throws(RasaError) -> Bool {
    try await redacted { try composition.configuration().learning.evaluation != nil }
  }

  /// How often an evaluation is tried whose model does not answer.
  private static let mostAttempts = 5

  /// How far a judge or a peer agrees with the stars that people gave.
  public struct JudgeAgreement: Sendable, Hashable {
    /// `judge`, or the agent.
    public var evaluator: String
    /// Its model, as `provider:model`.
    public var model: String
    /// How many runs have both its score and stars.
    public var runs: Int
    /// From -1 to 1; nil below ten runs, and where one of them always says the same.
    public var correlation: Double?
    /// Where the correlation lies with 95 % confidence.
    public var interval: ClosedRange<Double>?
    /// How much higher its scores are than stars ÷ 5; nil below ten runs.
    public var bias: Double?
  }

  /// How far each judge agrees with people, those with most runs first.
  public func judgeAgreement() async throws(RasaError) -> [JudgeAgreement] {
    try await redacted {
      let rated = try await store.ratedEvaluations()
      let groups = Dictionary(grouping: rated) { [$0.name, $0.model] }
      return groups.map { key, rated in
        let found = Agreement(rated.map { ($0.score, $0.stars) })
        return JudgeAgreement(
          evaluator: key[0], model: key[1], runs: found.runs, correlation: found.correlation,
          interval: found.interval.map { $0.low...max($0.low, $0.high) }, bias: found.bias)
      }
      .sorted { ($1.runs, $0.evaluator, $0.model) < ($0.runs, $1.evaluator, $1.model) }
    }
  }
}

/// What is to be evaluated, one after the other: what was named, or what waits.
private final class EvaluationWork {
  private let rasa: Rasa
  private(set) var named: [PendingEvaluation] = []
  private let takesWaiting: Bool
  /// A process that is killed keeps others from it for so long.
  private static let lease = Duration.seconds(600)

  init(_ options: Rasa.EvaluateOptions, _ settings: EvaluationSettings, _ rasa: Rasa) async throws {
    self.rasa = rasa
    takesWaiting = options.runs.isEmpty
    for id in options.runs {
      let run = try await rasa.measuredRun(id)
      guard try await rasa.store.performance(of: run) != nil else { throw Failure.unmeasured(run) }
      named += settings.evaluators.map {
        PendingEvaluation(run: run, name: $0, askedAt: rasa.composition.time.now(), attempts: 1)
      }
    }
  }

  func next() async throws -> PendingEvaluation? {
    if takesWaiting {
      return try await rasa.store.takeEvaluations(limit: 1, lease: Self.lease).first
    }
    return named.isEmpty ? nil : named.removeFirst()
  }
}

extension Rasa.Evaluated {
  fileprivate init(_ asked: PendingEvaluation, _ outcome: RunEvaluator.Outcome) {
    run = asked.run.text
    evaluator = asked.name
    switch outcome {
    case .atWork:
      self.outcome = .busy
      problem = "another process is making it"
    case .impossible(let reason):
      self.outcome = .impossible
      problem = reason
    case .unreadable(let cost):
      self.outcome = .unreadable
      problem = "what it said could not be read"
      self.cost = Rasa.Dollars(cost)
    case .failed(let failure, let cost):
      self.outcome = .failed
      problem = failure.message
      self.cost = Rasa.Dollars(cost)
    case .kept(.evaluation(let evaluation), _, let run):
      self.outcome = evaluation.overall == nil ? .unreadable : .made
      if evaluation.overall == nil { problem = "what it said could not be read" }
      model = evaluation.model
      score = evaluation.overall
      criteria = evaluation.criteria.named.merging(evaluation.others) { own, _ in own }
      feedback = evaluation.feedback
      cost = Rasa.Dollars(evaluation.cost)
      evaluationRun = run.text
    case .kept(.kind(let category, let complexity, _), _, let run):
      self.outcome = .made
      self.category = category
      self.complexity = complexity
      evaluationRun = run.text
    case .kept(.stars, _, let run):
      self.outcome = .made
      evaluationRun = run.text
    }
  }
}
