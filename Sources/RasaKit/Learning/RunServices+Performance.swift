import RasaAgents
import RasaCore
import RasaEngine
import RasaLearning
import RasaPersona

extension RunServices {
  /// What the record of how a run went says beside its journal; nil where it is to have none: a run of an evaluation,
  /// the use of a single tool, or where the user wants none.
  func assess(_ start: RunStart) -> PerformanceFacts? {
    guard start.isMeasured else { return nil }
    return composition.performanceFacts(of: start.input, run: start.run)
  }
}

extension CompositionRoot {
  /// The sets of weights by their names. Where the configuration cannot be read nothing is scored, since that would be
  /// with other weights than the user's.
  func weights() throws(Failure) -> @Sendable (String) -> ScoringWeights {
    let sets = WeightAssignment(try configuration().learning)
    return { sets[$0] }
  }

  func performanceFacts(of input: String, run: Identifier) -> PerformanceFacts? {
    let settings = try? configuration()
    if settings?.learning.isEnabled == false { return nil }
    let calendar = BudgetCalendar(time: time, zone: settings?.budget.timeZone)
    var facts = PerformanceFacts(
      category: objectives.classify(input).category, complexity: complexity(of: input),
      day: calendar.today)
    if let evaluation = settings?.learning.evaluation, evaluation.draws(run) {
      facts.evaluations = evaluation.evaluators
    }
    if let settings { facts.weights = WeightAssignment(settings.learning).weights(for: run) }
    return facts
  }

  /// From 1 to 5, by the words and the length of a task.
  func complexity(of task: String) -> Int {
    let complexity = TaskComplexity(of: task)
    switch complexity.profile {
    case .speed: return 1
    case .thinking: return 4
    case .expert: return 5
    case .balanced: return task.utf8.count > 600 ? 3 : 2
    }
  }
}

extension EvaluationSettings {
  /// Whether a run is among the share that is evaluated: the same for whoever asks.
  func draws(_ run: Identifier) -> Bool {
    let bytes = Digest.sha256Bytes(Array("evaluated \(run.text)".utf8))
    let number = bytes.prefix(4).reduce(0.0) { $0 * 256 + Double($1) }
    return number / 4_294_967_296 < share
  }
}

extension WeightAssignment {
  init(_ settings: LearningSettings) {
    self.init(
      settings.weights.map { set in
        var weights = ScoringWeights(name: set.name)
        let values = set.values
        weights.quality.accuracy = values["accuracy"] ?? weights.quality.accuracy
        weights.quality.relevance = values["relevance"] ?? weights.quality.relevance
        weights.quality.completeness = values["completeness"] ?? weights.quality.completeness
        weights.quality.clarity = values["clarity"] ?? weights.quality.clarity
        weights.quality.efficiency = values["efficiency"] ?? weights.quality.efficiency
        return (weights, set.share)
      })
  }
}

extension RunStart {
  /// Trials of an evaluation, the use of a single tool and what rasa does by itself say nothing about how well a persona
  /// does.
  fileprivate var isMeasured: Bool {
    persona != ToolCallPersona.name && !isEvaluation && !personaDigest.hasPrefix(Graph.ownDigest)
  }
}

/// The persona that uses a single tool: `rasa tools call`.
enum ToolCallPersona {
  static let name = "tool_call"
}
