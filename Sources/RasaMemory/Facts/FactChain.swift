package import RasaCore

/// All claims about one thing, of which one is true at a time. The periods depend only on the set of claims, not on the
/// order in which they were added or removed.
///
/// Among claims about the present, the latest one wins. So a fact ends at the earliest beginning of all facts after it, not
/// at the beginning of the next one: a later claim may reach further back.
package enum FactChain {
  /// A claim outside the chain, such as a denial, that ends earlier claims of one form.
  package struct Limit: Sendable, Hashable {
    package var form: [UInt8]
    package var claim: FactClaim
    package init(form: [UInt8], claim: FactClaim) {
      self.form = form
      self.claim = claim
    }
  }

  /// A run of consecutive claims of one form.
  package struct Fact: Sendable, Hashable {
    package var claims: Range<Int>
    /// The day that one of them names, where it is the first.
    package var validFrom: Timestamp?
    /// When it begins to hold. If it ends no later than that, it never held.
    package var begin: Timestamp
    package var until: Timestamp?
    package var endedBy: Ender?
  }

  package enum Ender: Sendable, Hashable {
    /// By its place among the facts.
    case fact(Int)
    /// By its place among the limits.
    case limit(Int)
  }

  /// - Parameters:
  ///   - claims: in their order.
  ///   - limits: in their order.
  package static func facts(of claims: [FactClaim], limits: [Limit] = []) -> [Fact] {
    var facts: [Fact] = []
    for place in claims.indices {
      if let last = facts.last,
        isContinued(claims[place - 1], by: claims[place], limits: limits)
      {
        facts[facts.count - 1].claims = last.claims.lowerBound..<(place + 1)
      } else {
        facts.append(Fact(claims: place..<(place + 1), begin: claims[place].begin))
      }
    }
    // The first beginning of all that follow.
    var cap: (begin: Timestamp, fact: Int)?
    for number in facts.indices.reversed() {
      let range = facts[number].claims
      let last = claims[range.upperBound - 1]
      var ender: (begin: Timestamp, by: Ender)? = cap.map { ($0.begin, .fact($0.fact)) }
      for (place, limit) in limits.enumerated()
      where limit.form == last.form && last.comes(before: limit.claim) {
        if ender.map({ limit.claim.begin < $0.begin }) ?? true {
          ender = (limit.claim.begin, .limit(place))
        }
      }
      let first = Beginning(of: claims[range])
      let until = [ender?.begin, last.until].compactMap(\.self).min()
      let begin =
        first.isUnknown(until: until, of: last)
        ? Beginning.begin(after: range.lowerBound > 0 ? claims[range.lowerBound - 1] : nil)
        : first.begin
      facts[number].validFrom = first.validFrom
      facts[number].begin = begin
      facts[number].until = until
      facts[number].endedBy = ender?.by
      if cap.map({ begin <= $0.begin }) ?? true { cap = (begin, number) }
    }
    return facts
  }

  private static func isContinued(
    _ claim: FactClaim, by next: FactClaim, limits: [Limit]
  ) -> Bool {
    claim.isContinued(by: next)
      && !limits.contains { limit in
        limit.form == claim.form && claim.comes(before: limit.claim)
          && limit.claim.comes(before: next)
      }
  }
}

/// Since when a fact is true by its own claims.
package struct Beginning: Sendable, Hashable {
  package var begin: Timestamp
  /// The same, if a claim names the day.
  package var validFrom: Timestamp?

  package init(begin: Timestamp, validFrom: Timestamp?) {
    self.begin = begin
    self.validFrom = validFrom
  }

  package init(of claims: some Sequence<FactClaim>) {
    self.init(begin: Timestamp(milliseconds: .max), validFrom: nil)
    for claim in claims { note(claim) }
  }

  package mutating func note(_ claim: FactClaim) {
    if claim.begin < begin { (begin, validFrom) = (claim.begin, claim.validFrom) }
    if claim.begin == begin { validFrom = validFrom ?? claim.validFrom }
  }

  /// Whether the fact ended before it was learnt, and no claim says when it began. A denial always has a beginning: the
  /// day from which it denies.
  package func isUnknown(until: Timestamp?, of last: FactClaim) -> Bool {
    until.map { $0 < begin } ?? false && validFrom == nil && !last.isDenial
  }

  /// The beginning of such a fact: when its predecessor was last known to hold, or the beginning of time.
  package static func begin(after predecessor: FactClaim?) -> Timestamp {
    predecessor?.knownUntil ?? Timestamp(milliseconds: .min)
  }
}
