import RasaAgents
import RasaCore
package import RasaEngine
import RasaLearning
import RasaPersona

extension RunServices {
  /// What the record of how a run went says beside its journal; nil where it is to have none: a run of an evaluation,
  /// the use of a single tool, or where the user wants none.
  func assess(_ start: RunStart) -> PerformanceFacts? {
    guard start.isMeasured else { return nil }
    return composition.performanceFacts(of: start.input)
  }
}

extension CompositionRoot {
  /// The sets of weights by their names.
  var weights: @Sendable (String) -> ScoringWeights { { ScoringWeights(name: $0) } }

  func performanceFacts(of input: String) -> PerformanceFacts? {
    let settings = try? configuration()
    if settings?.learning.isEnabled == false { return nil }
    let calendar = BudgetCalendar(time: time, zone: settings?.budget.timeZone)
    return PerformanceFacts(
      category: objectives.classify(input).category, complexity: complexity(of: input),
      day: calendar.today)
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

extension RunStart {
  /// An option of runs that say nothing about how well a persona does: they are trials, or somebody else's idea.
  package static let evaluationOption = "evaluation"

  fileprivate var isMeasured: Bool {
    persona != ToolCallPersona.name && (options[Self.evaluationOption] ?? .null).isNull
  }
}

/// The persona that uses a single tool: `rasa tools call`.
enum ToolCallPersona {
  static let name = "tool_call"
}
