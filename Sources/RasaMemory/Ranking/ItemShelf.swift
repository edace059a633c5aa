package import RasaCore

/// Where in a shelf a term stands, and how often.
package struct Postings: Sendable, Hashable {
  /// Ascending.
  package var places: [Int32]
  package var counts: [UInt8]

  package init(places: [Int32] = [], counts: [UInt8] = []) {
    self.places = places
    self.counts = counts
  }

  /// Any of several terms.
  static func union(_ all: [Postings]) -> Postings {
    let all = all.filter { !$0.places.isEmpty }
    guard all.count > 1 else { return all.first ?? Postings() }
    var merged = all[0]
    for other in all.dropFirst() { merged = merged.union(other) }
    return merged
  }

  private func union(_ other: Postings) -> Postings {
    var result = Postings()
    result.places.reserveCapacity(places.count + other.places.count)
    result.counts.reserveCapacity(places.count + other.places.count)
    var (one, two) = (0, 0)
    while one < places.count || two < other.places.count {
      let mine = one < places.count ? places[one] : .max
      let theirs = two < other.places.count ? other.places[two] : .max
      result.places.append(min(mine, theirs))
      // Forms of one word are said of the same words: the more frequent one counts.
      result.counts.append(
        max(mine <= theirs ? counts[one] : 0, theirs <= mine ? other.counts[two] : 0))
      if mine <= theirs { one += 1 }
      if theirs <= mine { two += 1 }
    }
    return result
  }

  /// How often the term stands at a place.
  func count(at place: Int32) -> UInt8 {
    var (low, high) = (0, places.count)
    while low < high {
      let middle = (low + high) / 2
      if places[middle] < place { low = middle + 1 } else { high = middle }
    }
    return low < places.count && places[low] == place ? counts[low] : 0
  }
}

/// What the ranking has to know of an item.
package struct ShelfItem: Sendable, Hashable {
  package var place: Int32
  package var item: Int64
  /// What was said in the same conversation has the same number; 0 for an item that stands alone.
  package var conversation: Int64
  /// In words.
  package var length: Int
  package var isQuestion: Bool
  package var time: Timestamp
  /// Which of the shelf's speakers said it, from 1; 0 for none.
  package var speaker: Int

  package init(
    place: Int32, item: Int64, conversation: Int64, length: Int, isQuestion: Bool,
    time: Timestamp, speaker: Int
  ) {
    self.place = place
    self.item = item
    self.conversation = conversation
    self.length = length
    self.isQuestion = isQuestion
    self.time = time
    self.speaker = speaker
  }
}

extension ShelfItem {
  /// The number of a conversation.
  package static func conversation(_ name: String) -> Int64 { Term(name.utf8).bits | 1 }
}

/// Somebody who said items of a shelf.
package struct ShelfSpeaker: Sendable, Hashable {
  /// The words of the name.
  package var names: [Term]
  package var items: Int
  package init(names: [Term], items: Int) {
    self.names = names
    self.items = items
  }
}

/// Items of one kind that the same people may see, in the order in which they were kept: each has a place.
package protocol ItemShelf {
  /// Whether what stands beside an item belongs to it.
  var isConversation: Bool { get }
  /// How many items there are.
  var items: Int { get }
  /// The place after the last one. Places of items that are gone are empty.
  var end: Int32 { get }
  /// The length of all items in words.
  var length: Int64 { get }
  var speakers: [ShelfSpeaker] { get }
  /// In how many items a term stands.
  func frequency(of term: Term) throws -> Int
  func postings(of term: Term) throws -> Postings
  /// In the order of their places.
  func items(at places: ClosedRange<Int32>) throws -> [ShelfItem]
}
