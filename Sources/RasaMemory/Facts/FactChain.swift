package import RasaCore

/// Facts of one slot, of which one holds at a time. When each ends follows from all of them, whatever the order in
/// which they were added or one of them was taken away.
package struct FactChain: Sendable {
  package struct Link: Sendable, Hashable {
    package var id: Int64
    package var text: String
    /// When it was learnt.
    package var time: Timestamp
    package var validFrom: Timestamp?
    /// When it ends by its own words.
    package var statedUntil: Timestamp?
    package init(
      id: Int64, text: String, time: Timestamp, validFrom: Timestamp?, statedUntil: Timestamp?
    ) {
      self.id = id
      self.text = text
      self.time = time
      self.validFrom = validFrom
      self.statedUntil = statedUntil
    }
  }

  package struct Ending: Sendable, Hashable {
    package var id: Int64
    package var until: Timestamp?
    package var supersededBy: Int64?
    package init(id: Int64, until: Timestamp?, supersededBy: Int64?) {
      self.id = id
      self.until = until
      self.supersededBy = supersededBy
    }
  }

  /// When each of them ends, and which one supersedes it.
  package static func endings(of links: [Link]) -> [Ending] {
    let ordered = links.sorted {
      ($0.validFrom ?? $0.time, $0.time, $0.text) < ($1.validFrom ?? $1.time, $1.time, $1.text)
    }
    return ordered.indices.map { place in
      let link = ordered[place]
      guard place + 1 < ordered.count else {
        return Ending(id: link.id, until: link.statedUntil, supersededBy: nil)
      }
      let next = ordered[place + 1]
      let begin = next.validFrom ?? next.time
      return Ending(
        id: link.id, until: min(begin, link.statedUntil ?? begin), supersededBy: next.id)
    }
  }
}
