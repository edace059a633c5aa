package import RasaCore

/// What else than words and vectors speaks for an item. Together this is less than a tenth of what the words of a question
/// can be: it orders what fits about equally, and nothing else.
package struct Relevance: Sendable, Hashable {
  package var recency: Double
  package var validity: Double
  package var trust: Double

  package var sum: Double { recency + validity + trust }

  /// After that time something is half as recent.
  private static let halfRecent = 30.0 * 86_400_000
  private static let mostRecency = 0.03
  private static let mostValidity = 0.02
  private static let mostTrust = 0.02

  /// - Parameters:
  ///   - time: when it was said or learnt.
  ///   - ends: for a fact that holds: when it ends or goes stale, if it does.
  ///   - holds: whether it is a fact that holds; nil for what is no fact.
  ///   - trust: from 0 to 1.
  package init(
    time: Timestamp, at now: Timestamp, holds: Bool?, ends: Timestamp? = nil, trust: Double
  ) {
    let age = max(0, Double(now.milliseconds) - Double(time.milliseconds))
    recency = Self.mostRecency / (1 + age / Self.halfRecent)
    self.trust = Self.mostTrust * min(1, max(0, trust))
    switch holds {
    case nil: validity = 0
    case false?: validity = -Self.mostValidity
    case true?:
      guard let ends else {
        validity = Self.mostValidity
        return
      }
      // What ends soon may have ended already.
      let left = max(0, Double(ends.milliseconds) - Double(now.milliseconds))
      validity = Self.mostValidity * left / (left + Self.halfRecent)
    }
  }
}
