import Glibc

/// What the ranking of items has been set to, on conversations that are not part of the project. Each lies on a wide
/// plateau: half or twice as much changes little.
enum RankingParameters {
  /// The weight of a word is its inverse frequency to this power.
  static let rarity = 1.4
  static let saturation = 1.0
  static let lengthMatters = 0.5
  /// How much of what stands one and two before, and one and two after an item counts as its own: of its words, and of
  /// its similarity to the question.
  static let before: [(words: Double, similarity: Double)] = [(0.6, 0.3), (0.36, 0.1)]
  static let after: [(words: Double, similarity: Double)] = [(0.36, 0.2), (0.216, 0.1)]
  static let similarityWeight = 0.25
  /// What was said at the time that is asked about.
  static let periodWeight = 0.3
  /// In shares of the weight of a word that stands in one item only.
  static let speakerWeight = 0.33
  static let questionWeight = 0.2
  static let fullnessWeight = 0.12
  static let fullLength = 60
  /// What stands alone says all that it has to say.
  static let lengthAlone = 20
  /// A word in more than this part of the items tells nothing where another one tells something.
  static let commonPart = 5
  static let fewItems = 200
  /// Who says this part of the items is somebody who is talked with rather than about.
  static let speakerPart = 8
  /// So far away are neighbours in a conversation that alternates with others.
  static let reach: Int32 = 6
  /// So many items of a shelf are looked at closely.
  static let candidates = 256
  /// Longer questions are ranked by their rarest words.
  static let mostWords = 48

  /// How much longer an item is with what stands around it.
  static let contextLength = (before + after).reduce(1) { $0 + $1.words }
  /// What a word adds to the places around it.
  static let around: [(by: Int32, part: Double)] = [
    (1, before[0].words), (2, before[1].words), (-1, after[0].words), (-2, after[1].words),
  ]

  static func weight(frequency: Int, of total: Int) -> Double {
    let (frequency, total) = (Double(min(frequency, total)), Double(total))
    return pow(log(1 + (total - frequency + 0.5) / (frequency + 0.5)), rarity)
  }

  static func norm(length: Double, usual: Double) -> Double {
    saturation * (1 - lengthMatters + lengthMatters * length / usual)
  }

  static func saturated(_ count: Double, _ norm: Double) -> Double {
    count * (saturation + 1) / (count + norm)
  }

  static func fullness(_ length: Int) -> Double {
    fullnessWeight * log(1 + Double(min(length, fullLength)))
  }
}
