import Glibc

/// How well an agent's words fit a task's: a sum over the task's terms, each by how rare it is among
/// the agents and how much the agent makes of it (BM25 over weighted fields), as a part of what an
/// agent that has all of them would reach.
struct RelevanceScale {
  /// How soon more of the same word says no more.
  static let saturation = 1.4
  /// What a related word is worth beside the word itself.
  static let related = 0.6
  /// What a pair is worth beside a single word.
  static let pair = 0.9
  /// What a word is worth that is common everywhere: itself, and as a sign of something else.
  static let common = 0.5
  static let commonSign = 0.5

  /// By slot, with nothing taken off for related words.
  private let rarity: [Double]
  private let ideal: Double

  init(_ survey: Survey, agents: Int) {
    rarity = survey.frequency.map { frequency in
      let count = Double(frequency)
      return frequency == 0 ? 0 : log(1 + (Double(agents) - count + 0.5) / (count + 0.5))
    }
    var best = [Double](repeating: 0, count: survey.task.terms.count)
    for slot in rarity.indices {
      for use in survey.slots.uses[slot] {
        let value = rarity[slot] * Self.factor(use, survey.task)
        best[use.term] = max(best[use.term], value)
      }
    }
    ideal = best.reduce(0, +) * (Self.saturation + 1)
  }

  private static func factor(_ use: TermSlots.Use, _ task: TaskTerms) -> Double {
    let term = task.terms[use.term]
    let kind = term.isPair ? pair : !term.isCommon ? 1 : use.isRelated ? commonSign : common
    return kind * (use.isRelated ? related : 1)
  }

  func value(of hit: Survey.Hit, for use: TermSlots.Use, in task: TaskTerms) -> Double {
    let weight = Double(hit.weight) / AgentNote.weightUnit
    return rarity[Int(hit.slot)] * Self.factor(use, task) * weight * (Self.saturation + 1)
      / (weight + Self.saturation)
  }

  /// 0 to 100.
  func relevance(_ sum: Double) -> Double { ideal > 0 ? min(100, 100 * sum / ideal) : 0 }
}
