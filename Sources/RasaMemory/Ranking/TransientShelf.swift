/// A shelf in memory. It is only added to.
package struct TransientShelf: ItemShelf, Sendable {
  package let isConversation: Bool
  package var items: Int { kept.count }
  package private(set) var length: Int64 = 0
  package private(set) var speakers: [ShelfSpeaker] = []
  package private(set) var languages = TextLanguages()
  private var kept: [ShelfItem] = []
  private var postings: [Term: Postings] = [:]

  package init(isConversation: Bool) { self.isConversation = isConversation }

  package var end: Int32 { Int32(clamping: kept.count) }

  package func frequency(of term: Term) -> Int { postings[term]?.places.count ?? 0 }
  package func postings(of term: Term) -> Postings { postings[term] ?? Postings() }

  package func items(at places: ClosedRange<Int32>) -> [ShelfItem] {
    if places.lowerBound >= end { return [] }
    return Array(kept[Int(max(0, places.lowerBound))...Int(min(places.upperBound, end - 1))])
  }

  /// The item gets the next place and the length of its text.
  package mutating func add(_ item: ShelfItem, _ text: String, speaker: String?) {
    let code = languages.language(of: text)
    let language = languages.add(code)
    let indexed = IndexedText(text, language: languages.code(at: language), speaker: speaker)
    var item = item
    item.place = end
    item.length = indexed.length
    item.isQuestion = indexed.isQuestion
    item.speaker = speakers.add(indexed.speaker)
    for occurrence in indexed.occurrences {
      postings[occurrence.term, default: Postings()].places.append(item.place)
      postings[occurrence.term, default: Postings()].counts.append(occurrence.count)
    }
    kept.append(item)
    length += Int64(indexed.length)
  }
}

extension [ShelfSpeaker] {
  /// Returns the number, from 1; 0 for nobody.
  package mutating func add(_ names: [Term]) -> Int {
    if names.isEmpty { return 0 }
    if let known = firstIndex(where: { $0.names == names }) {
      self[known].items += 1
      return known + 1
    }
    // Among so many the name tells little.
    guard count < 250 else { return 0 }
    append(ShelfSpeaker(names: names, items: 1))
    return count
  }

  package mutating func remove(_ number: Int) {
    if indices.contains(number - 1) {
      self[number - 1].items = Swift.max(0, self[number - 1].items - 1)
    }
  }
}
