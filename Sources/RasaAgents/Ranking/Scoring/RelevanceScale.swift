import Glibc

/// How well an agent's words match a task's: a sum over the task's terms, each weighted by its
/// rarity among the agents and by its weight in the agent (BM25 over weighted fields).
///
/// That sum orders agents for one task. Whether any of them is made for the task needs more:
/// matches are measured in rare words, so that the sum means the same among ten agents and ten
/// thousand; a long task matches something everywhere, so its length counts against it; and a
/// single match among many words proves nothing.
struct RelevanceScale {
  /// How soon repetition of a word stops adding to the score.
  static let saturation = 1.4
  /// The weight of a pair relative to a single word.
  static let pair = 0.9

  /// No task is so short that one word is all of it.
  private static let leastLength = 0.5
  /// What the matched share of skills adds to that.
  private static let skills = 0.1
  /// The factor for an agent that does not state its purpose.
  private static let undescribed = 0.7
  /// With fewer agents rarity means nothing: a word that both of two agents have still says
  /// something.
  private static let fewest = 10
  /// The sum that gives half of the points.
  private static let half = 0.56

  /// By slot, not reduced for related words.
  private let rarity: [Double]
  private let ideal: Double
  /// The sum of a word that only one agent has, with a high weight.
  private let unit: Double
  /// The square root of the task's length in rare words: whoever writes a page does not need an agent for each word.
  private let length: Double

  init(_ scan: CorpusScan, among entries: Int) {
    let count = Double(max(entries, Self.fewest))
    func rarity(_ frequency: Double) -> Double {
      log(1 + (count - frequency + 0.5) / (frequency + 0.5))
    }
    // A damaged note can contain a term twice.
    self.rarity = scan.frequency.map { $0 == 0 ? 0 : rarity(min(count, Double($0))) }
    let terms = scan.task.terms
    var best = [Double](repeating: 0, count: terms.count)
    for slot in self.rarity.indices {
      for use in scan.slots.uses[slot] {
        best[use.term] = max(best[use.term], self.rarity[slot] * Self.factor(use, scan.task))
      }
    }
    let known = best.reduce(0, +)
    ideal = known * (Self.saturation + 1)
    unit = rarity(1)
    // A word that no agent has favours none of them, but lowers the score of all.
    var unknown = 0.0
    for (term, best) in zip(terms, best) where best == 0 && !term.isPair { unknown += term.rarity }
    let breadth = known / unit + unknown
    length = (breadth + Self.leastLength).squareRoot()
  }

  private static func factor(_ use: TermSlots.Use, _ task: TaskTerms) -> Double {
    let term = task.terms[use.term]
    return (term.isPair ? pair : term.rarity) * use.share
  }

  func value(of hit: CorpusScan.Hit, for use: TermSlots.Use, in task: TaskTerms) -> Double {
    let weight = Double(hit.weight) / TermVector.weightUnit
    return rarity[Int(hit.slot)] * Self.factor(use, task) * weight * (Self.saturation + 1)
      / (weight + Self.saturation)
  }

  /// How much of what agents know about the task this one covers, 0 to 100.
  func relevance(_ sum: Double) -> Double { ideal > 0 ? min(100, 100 * sum / ideal) : 0 }

  /// 0 to 100: whether the task suits an agent at all, judging by the matches.
  ///
  /// - Parameters:
  ///   - sum: the total value of the matches.
  ///   - skills: the share of the requirements that its skills match, 0 to 100.
  ///   - nearness: what embeddings add, in the same unit.
  func fit(
    sum: Double, skills: Double, nearness: Double, _ flags: TermVector.Flags
  ) -> Double {
    var met = sum / (unit * (Self.saturation + 1)) / length
    met *= 1 + Self.skills * skills / 100
    if flags.contains(.undescribed) { met *= Self.undescribed }
    met = max(0, met + nearness)
    return 100 * met * met / (met * met + Self.half * Self.half)
  }
}
