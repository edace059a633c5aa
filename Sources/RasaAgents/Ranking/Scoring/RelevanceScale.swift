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

  /// What words count for that are not exactly the task's own, or are everybody's.
  struct Weights {
    /// A related word, relative to the word itself.
    var related: Double
    /// A word that is common everywhere: as itself, and as a sign of something else.
    var common: Double
    var commonSign: Double

    static let agents = Weights(related: 0.6, common: 0.5, commonSign: 0.5)
    /// A tool does one small thing, so that the words which relate professions mislead more often, and `list`, `file`
    /// or `table` are what it is about.
    static let tools = Weights(related: 0.3, common: 1, commonSign: 1)
  }

  /// How much a task's length counts against its matches: from not at all (0) to fully (1).
  private static let lengthPenalty = 1.0 / 3
  /// From this many rare words on it counts fully: accidental matches grow with the length of a
  /// page.
  private static let longTask = 12.0
  /// How much the matched share of the task's own words counts.
  private static let coveragePower = 0.15
  /// The weight there of a word that is matched by a related one.
  private static let relatedCoverage = 0.5
  /// No task is so short that one word is all of it.
  private static let leastLength = 0.5
  /// What the matched share of skills adds.
  private static let skills = 0.05
  /// The factor for an agent that does not state its purpose.
  private static let undescribed = 0.7
  /// With fewer agents rarity means nothing: a word that both of two agents have still says
  /// something.
  private static let fewest = 10
  /// The sum that gives half of the points.
  private static let half = 0.65

  private let words: Weights
  /// By slot, not reduced for related words.
  private let rarity: [Double]
  private let ideal: Double
  /// By term: its weight in coverage; nothing for pairs.
  private let weights: [Double]
  /// The sum of a word that only one agent has, with a high weight.
  private let unit: Double
  private let divisor: Double
  private let length: Double

  init(_ scan: CorpusScan, among entries: Int, _ words: Weights = .agents) {
    self.words = words
    let count = Double(max(entries, Self.fewest))
    func rarity(_ frequency: Double) -> Double {
      log(1 + (count - frequency + 0.5) / (frequency + 0.5))
    }
    // A damaged note can contain a term twice.
    self.rarity = scan.frequency.map { $0 == 0 ? 0 : rarity(min(count, Double($0))) }
    let terms = scan.task.terms
    weights = terms.map { $0.isPair ? 0 : $0.isCommon ? words.common : 1 }
    var best = [Double](repeating: 0, count: terms.count)
    for slot in self.rarity.indices {
      for use in scan.slots.uses[slot] {
        best[use.term] = max(best[use.term], self.rarity[slot] * Self.factor(use, scan.task, words))
      }
    }
    let known = best.reduce(0, +)
    ideal = known * (Self.saturation + 1)
    unit = rarity(1)
    // A word that no agent has favours none of them, but lowers the score of all.
    let unknown = zip(weights, best).reduce(0) { $0 + ($1.1 == 0 ? $1.0 : 0) }
    let breadth = known / unit + unknown
    let over = max(1, breadth / Self.longTask)
    divisor =
      pow(breadth + Self.leastLength, Self.lengthPenalty) * pow(over, 1 - Self.lengthPenalty)
    length = weights.reduce(Self.leastLength, +)
  }

  private static func factor(
    _ use: TermSlots.Use, _ task: TaskTerms, _ words: Weights
  ) -> Double {
    let term = task.terms[use.term]
    let kind =
      term.isPair ? pair : !term.isCommon ? 1 : use.isRelated ? words.commonSign : words.common
    return kind * (use.isRelated ? words.related : 1)
  }

  func value(of hit: CorpusScan.Hit, for use: TermSlots.Use, in task: TaskTerms) -> Double {
    let weight = Double(hit.weight) / TermVector.weightUnit
    return rarity[Int(hit.slot)] * Self.factor(use, task, words) * weight * (Self.saturation + 1)
      / (weight + Self.saturation)
  }

  /// The weight of a matched term in coverage.
  func coverage(of term: Int, byRelated isRelated: Bool) -> Double {
    weights[term] * (isRelated ? Self.relatedCoverage : 1)
  }

  /// How much of what agents know about the task this one covers, 0 to 100.
  func relevance(_ sum: Double) -> Double { ideal > 0 ? min(100, 100 * sum / ideal) : 0 }

  /// Only orders what matches one task, where nothing has to be judged: one of many tools.
  func order(sum: Double, coverage: Double) -> Double {
    sum * pow(min(1, coverage / length), Self.coveragePower)
  }

  /// 0 to 100: whether the task suits an agent at all, judging by the matches.
  ///
  /// - Parameters:
  ///   - sum: the total value of the matches.
  ///   - coverage: the sum of `coverage(of:byRelated:)` over the matched words.
  ///   - skills: the share of the requirements that its skills match, 0 to 100.
  ///   - nearness: what embeddings add, in the same unit.
  func fit(
    sum: Double, coverage: Double, skills: Double, nearness: Double, _ flags: TermVector.Flags
  ) -> Double {
    var met = sum / (unit * (Self.saturation + 1)) / divisor + Self.skills * skills / 100
    met *= pow(min(1, coverage / length), Self.coveragePower)
    if flags.contains(.undescribed) { met *= Self.undescribed }
    met += nearness
    return 100 * met * met / (met * met + Self.half * Self.half)
  }
}
