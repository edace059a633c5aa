import RasaCore
import RasaEngine
import RasaMemory

/// How a query becomes items: the same for both stores.
struct MemorySearch {
  let query: MemoryQuery
  let now: Timestamp

  /// - Parameters:
  ///   - languages: of the texts on the shelves.
  ///   - similarities: of the nearest vectors, by item, and where these items stand on each shelf.
  ///   - item: reads an item; nil if the query does not see it.
  func results(
    on shelves: [any ItemShelf], languages: [String],
    similarities: (values: [Int64: Double], places: [[Int32]]) = ([:], []),
    item: (Int64) throws -> MemoryItem?
  ) throws -> [RecalledItem] {
    if query.limit <= 0 { return [] }
    let ranking = Ranking(
      words: QueryWords(query.text, languages: languages), similarities: similarities.values,
      period: AskedPeriod(query.text, at: query.asOf ?? now))
    var items: [Int64: MemoryItem] = [:]
    let matches = try ranking.matches(
      on: shelves, near: similarities.places, until: query.asOf,
      // What fits about equally is ordered by other things, too.
      limit: query.limit.clamped * 2 + 8
    ) { match in
      guard let found = try item(match.item.item) else { return false }
      items[found.id] = found
      return true
    }
    let results = matches.compactMap { match in
      items[match.item.item].map { result(match, $0) }
    }
    return Array(
      results.sorted {
        ($0.score, $0.item.time, $0.item.id) > ($1.score, $1.item.time, $1.item.id)
      }.prefix(query.limit.clamped))
  }

  private func result(_ match: Ranking.Match, _ item: MemoryItem) -> RecalledItem {
    let fact = item.fact
    let ends = [fact?.until, fact?.expires].compactMap { $0 }.min()
    let relevance = Relevance(
      time: item.time, at: query.asOf ?? now, holds: fact == nil ? nil : true, ends: ends,
      trust: item.trust.weight)
    let shares = [
      RecalledItem.Share(.words, match.own, words: match.words),
      RecalledItem.Share(.context, match.context),
      RecalledItem.Share(.vector, match.similarity),
      RecalledItem.Share(.recency, relevance.recency + match.time),
      RecalledItem.Share(.validity, relevance.validity),
      RecalledItem.Share(.trust, relevance.trust),
    ]
    return RecalledItem(
      item: item, score: match.score + relevance.sum,
      shares: shares.filter { $0.value != 0 || !$0.words.isEmpty })
  }
}

extension Int {
  /// A number that can still be counted with.
  fileprivate var clamped: Int { Swift.min(Swift.max(self, 0), 1 << 20) }
}

extension MemoryTrust {
  /// How much more one word counts than another.
  fileprivate var weight: Double {
    switch self {
    case .person: 1
    case .model: 0.5
    case .tool: 0
    }
  }
}
