import Glibc

@testable import RasaAgents

/// Plain BM25 over the same words, stemmed and without stop words: the baseline to beat.
struct BM25 {
  private let ids: [String]
  private var counts: [[TermHash: Int]] = []
  private var lengths: [Int] = []
  private var frequency: [TermHash: Int] = [:]
  private let k1 = 1.2
  private let b = 0.75

  init(_ texts: [(id: String, text: String)]) {
    ids = texts.map(\.id)
    for (_, text) in texts {
      let words = Self.words(text)
      let count = Dictionary(words.map { ($0, 1) }, uniquingKeysWith: +)
      counts.append(count)
      lengths.append(words.count)
      for word in count.keys { frequency[word, default: 0] += 1 }
    }
  }

  /// Best first; agents without any word of the task are left out.
  func rank(_ task: String) -> [String] {
    let average = Double(lengths.reduce(0, +)) / Double(max(1, lengths.count))
    let words = Set(Self.words(task)).sorted()
    var scores: [(id: String, score: Double)] = []
    for (place, count) in counts.enumerated() {
      var score = 0.0
      for word in words {
        guard let times = count[word], let documents = frequency[word] else { continue }
        let rarity = log(
          1 + (Double(ids.count) - Double(documents) + 0.5) / (Double(documents) + 0.5))
        let scale = k1 * (1 - b + b * Double(lengths[place]) / average)
        score += rarity * Double(times) * (k1 + 1) / (Double(times) + scale)
      }
      if score > 0 { scores.append((ids[place], score)) }
    }
    return scores.sorted { ($1.score, $0.id) < ($0.score, $1.id) }.map(\.id)
  }

  private static func words(_ text: String) -> [TermHash] {
    var reader = Tokenizer()
    reader.read(text)
    return reader.tokens.filter { $0.kind == .word }.map(\.hash)
  }
}
